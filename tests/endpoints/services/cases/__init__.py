"""What the contract test needs to know of each service: one module for each, by its name."""

from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from inference.services import SERVICES
from inference.types import InputType, TaskType


@dataclass(frozen=True)
class Case:
    """One task of a service, as somebody would create it for the sandbox.

    service_settings: complete, secrets included; the sandbox takes any but those with `wrong` in
    them. wrong_secrets: settings in whose place the provider does not know the caller. override:
    task settings of one call, and what they change in the body that the provider sees. sent_types:
    what the body calls each input type, where it names one. refused_types: those that the service
    refuses. updates: what may be updated beside secrets and rate limit. needs_secret: whether
    the service asks for one. told_statuses: what a caller is told in place of a status, where the
    common rule does not hold. malformed_status: the same of a reply that cannot be read.
    takes_any_task_settings: whether calls may have unknown ones. told_headers: of its answers.
    """

    task_type: TaskType
    service_settings: dict[str, Any]
    task_settings: dict[str, Any] = field(default_factory=dict)
    wrong_secrets: dict[str, Any] = field(default_factory=dict)
    new_secrets: dict[str, Any] = field(default_factory=dict)
    override: tuple[dict[str, Any], dict[str, Any]] | None = None
    sent_types: dict[InputType, dict[str, Any]] = field(default_factory=dict)
    refused_types: tuple[InputType, ...] = ()
    updates: dict[str, Any] = field(default_factory=dict)
    has_rate_limit: bool = True
    needs_secret: bool = True
    told_statuses: dict[int, int] = field(default_factory=dict)
    malformed_status: int = 400
    takes_any_task_settings: bool = False
    told_headers: dict[str, str] = field(default_factory=dict)
    refused_statuses: tuple[int, ...] = (400, 401, 403, 404, 429, 500, 503)

    service: str = ""

    @property
    def streams(self) -> bool:
        service: Any = SERVICES[self.service]
        return bool(service.tasks[self.task_type].can_stream)

    def __str__(self) -> str:
        return f"{self.service}-{self.task_type}"


def cases_of(service: str) -> list[Case]:
    """The cases of a service. Raises ModuleNotFoundError where nobody wrote them."""
    module = import_module(f"tests.endpoints.services.cases.{service.replace('-', '_')}")
    return [replace(case, service=service) for case in module.CASES]
