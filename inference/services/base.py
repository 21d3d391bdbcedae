"""What every service declares."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from inference.chunking.settings import ChunkingSettings, parse_chunking
from inference.errors import InvalidRequest
from inference.runner.facts import ModelFacts
from inference.services.settings import (
    Settings,
    configurations,
    names_marked,
    parse_settings,
    unknown_settings,
)
from inference.types import TaskType


@dataclass(frozen=True)
class EndpointConfig:
    """A checked configuration: what an endpoint stores beside its id.

    model: what is known of a model that runs here, which is not stored with it.
    """

    task_type: TaskType
    service: str
    service_settings: Settings
    task_settings: Settings
    chunking_settings: ChunkingSettings | None
    model: ModelFacts | None = None

    def columns(self) -> dict[str, Any]:
        """What of it an endpoint can change in its life, as it is stored."""
        return {
            "service_settings": self.service_settings.to_response(),
            "task_settings": self.task_settings.to_response(),
            "chunking_settings": self.chunking_settings and self.chunking_settings.to_response(),
        }

    @property
    def secrets(self) -> dict[str, Any]:
        """What an endpoint stores apart and encrypted: plain values, by the setting's name."""
        return self.service_settings.secrets


class Service:
    """One kind of endpoint, described by data.

    task_settings: the schema for each task that the service supports.
    not_in_vectors: the service and task settings that leave the vectors as they are. Any other
    setting counts, so that one that nobody thought of is taken for a change and not for none.
    max_chunk_size: the largest chunk, in words, that the service allows, if it limits it.
    is_listed: whether the catalogue of services shows it. is_hosted: whether its models run here.
    is_remote: whether a provider is called. model_setting: the setting that names the model.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    settings: ClassVar[type[Settings]]
    task_settings: ClassVar[Mapping[TaskType, type[Settings]]]
    not_in_vectors: ClassVar[frozenset[str]] = frozenset({"rate_limit", "proxy", "ca_certificate"})
    max_chunk_size: ClassVar[int | None] = None
    is_listed: ClassVar[bool] = True
    is_hosted: ClassVar[bool] = False
    is_remote: ClassVar[bool] = False
    model_setting: ClassVar[str] = "model_id"

    def check_task(self, task_type: TaskType) -> None:
        if task_type not in self.task_settings:
            raise InvalidRequest(
                f"The [{self.name}] service does not support task type [{task_type}]"
            )

    def parse(self, task_type: TaskType, config: Mapping[str, Any]) -> EndpointConfig:
        """Check what a create request asks for; `service` and `task_type` are out of it already.

        Raises InvalidRequest, InvalidArgument or InvalidSettings.
        """
        if config.get("service_settings") is None:
            raise InvalidRequest("Missing required field [service_settings]")
        self.check_task(task_type)
        raw = config["service_settings"]
        settings = parse_settings(
            self.settings,
            self.complete(task_type, raw) if isinstance(raw, Mapping) else raw,
            scope="service_settings",
            service=self.name,
            task_type=task_type,
        )
        self.check_settings(task_type, settings)
        task_settings = parse_settings(
            self.task_settings[task_type],
            {} if config.get("task_settings") is None else config["task_settings"],
            scope="task_settings",
            service=self.name,
        )
        self.check_task_settings(task_type, task_settings)
        known = {"service_settings", "task_settings"}
        chunking = None
        if task_type.is_chunked:
            known.add("chunking_settings")
            chunking = parse_chunking(config.get("chunking_settings"), most=self.max_chunk_size)
        if unknown := {name: value for name, value in config.items() if name not in known}:
            raise unknown_settings(unknown, self.name)
        return EndpointConfig(task_type, self.name, settings, task_settings, chunking)

    def parse_update(
        self, task_type: TaskType, stored: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> EndpointConfig:
        """Check stored settings with changes to them, in the way of a create.

        stored, changes: service_settings, task_settings and chunking_settings, as far as they are
        there; the first two are merged key by key. Raises what `parse` raises, and InvalidRequest
        for a service setting that cannot be changed.
        """
        changed = changes.get("service_settings") or {}
        updatable = names_marked("updatable", self.settings)
        if fixed := {name: value for name, value in changed.items() if name not in updatable}:
            raise unknown_settings(fixed, self.name)
        merged = {**stored, **changes}
        merged["service_settings"] = self.merge_settings(stored["service_settings"], changed)
        if "task_settings" in changes:
            own = stored.get("task_settings") or {}
            merged["task_settings"] = self.merge_task_settings(own, changes["task_settings"])
        return self.parse(task_type, merged)

    def merge_settings(self, stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Any:
        """Stored service settings with changes to them, not checked yet."""
        return {**stored, **changes}

    def merge_task_settings(
        self, stored: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Stored task settings with those of an update or of a call over them."""
        return {**stored, **changes}

    def mixes_inputs(self, task_settings: Mapping[str, Any]) -> bool:
        """Whether with these the vector of a text depends on the other texts of a call."""
        return False

    def in_order(self, service_settings: Mapping[str, Any]) -> dict[str, Any]:
        """Service settings in the order of their declaration, which a database may not keep."""
        names = self.settings.model_fields
        return {name: service_settings[name] for name in names if name in service_settings}

    def to_catalogue(self) -> dict[str, Any]:
        """The service as `_services` lists it."""
        tasks = list(self.task_settings)
        return {
            "service": self.name,
            "name": self.label,
            "task_types": tasks,
            "configurations": configurations(self.settings, tasks, self.defaults(tasks[0])),
        }

    def defaults(self, task_type: TaskType) -> dict[str, Any]:
        """What an endpoint of this task gets where the schema alone does not say it."""
        return {}

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Service settings as given, with the defaults where something is not said."""
        return raw

    def fingerprint(self, config: EndpointConfig) -> str:
        """A hash of everything that changes the vectors of an endpoint, the same in every release.

        Chunking does not count: a chunk gets the same vector however the text around it was cut,
        so that texts cut in two ways can be searched together. Empty for a task without vectors,
        since nobody keeps its results to compare later ones with them.
        """
        if not config.task_type.makes_vectors:
            return ""
        canonical = json.dumps(self.identity(config), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def identity(self, config: EndpointConfig) -> dict[str, Any]:
        """What the fingerprint is made of, as JSON; a secret is never part of it."""
        return {
            "service": config.service,
            "task_type": config.task_type,
            "service_settings": self._counted(config.service_settings),
            "task_settings": self._counted(config.task_settings),
        }

    def _counted(self, settings: Settings) -> dict[str, Any]:
        left_out = self.not_in_vectors | names_marked("sensitive", type(settings))
        return {
            name: value for name, value in settings.to_response().items() if name not in left_out
        }

    def warnings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """What the maker of this endpoint should know although nothing is wrong."""
        return ()

    def check_settings(self, task_type: TaskType, settings: Any) -> None:
        """Refuse settings that the schema alone cannot judge."""

    def check_task_settings(self, task_type: TaskType, settings: Any) -> None:
        """Refuse task settings with which an endpoint cannot be created."""
