"""Makes a diagnosis of an endpoint, and looks at what came of it."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from inference.chat import ChatRequest
from inference.findings import Step
from inference.remote import Line
from inference.sandbox.server import SandboxServer
from inference.services import find_service
from inference.services.remote import CHATS, RemoteService
from inference.types import InferenceRequest, TaskType
from inference.upstream.diagnosis import Diagnosis
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap

OPENAI = "https://api.openai.com"
SECRET = "sk-planted-secret"


@dataclass
class Found:
    """A finished diagnosis."""

    steps: dict[str, Step]

    def outcome(self, name: str) -> str:
        return str(self.steps[name].finding.outcome)

    def told(self, name: str) -> str:
        return self.steps[name].finding.told

    def advice(self, name: str) -> str:
        return self.steps[name].finding.what_to_do

    def facts(self, name: str) -> dict[str, str]:
        return dict(self.steps[name].finding.facts)

    @property
    def failed(self) -> list[str]:
        return [name for name, step in self.steps.items() if step.is_failed]

    @property
    def skipped_after(self) -> list[str]:
        """The steps behind the first that failed that were not looked at."""
        names = list(self.steps)
        behind = names[names.index(self.failed[0]) + 1 :]
        return [name for name in behind if self.outcome(name) == "skipped"]


def line(outside: Outside, task_type: TaskType = TaskType.TEXT_EMBEDDING, **settings: Any) -> Line:
    service = find_service("openai")
    assert isinstance(service, RemoteService)
    model = "gpt-4o" if task_type in CHATS else "text-embedding-3-small"
    own = {"api_key": SECRET, "model_id": model} | settings
    config = service.parse(task_type, {"service_settings": own})
    return Line(Door(outside), service, config, "my-endpoint")


def stored_with(url: str) -> Line:
    """An endpoint from before such an address was refused."""
    made = line(Outside(), url="https://host/v1")
    object.__setattr__(made.config.service_settings, "url", url)
    return made


def diagnosed(line: Line, *, may_cost: bool = False, timeout_s: float = 10) -> Found:
    """Every step, after a look that none tells a secret."""
    is_chat = line.config.task_type == TaskType.CHAT_COMPLETION
    probe = ChatRequest.of_prompt("a") if is_chat else InferenceRequest(("a",))
    with closing(line.door):
        steps = list(Diagnosis(line, probe, timeout_s, may_cost=may_cost).steps())
    assert SECRET not in str(steps)
    for step in steps:
        assert step.took_ms >= 0
        assert bool(step.finding.what_to_do) == (step.is_failed or step.is_warning)
    return Found({str(step.name): step for step in steps})


def mapped(place: str, **more: Any) -> Outside:
    origins = {OPENAI: f"{place}/openai", "https://openai-auth.sandbox.test": f"{place}/openai"}
    return Outside(OriginMap(origins), **more)


def encrypted(server: SandboxServer, host: str = "localhost") -> str:
    return f"https://{host}:{server.server_address[1]}"


def certificate_in(pem: bytes) -> str:
    return pem.decode().partition("-----BEGIN PRIVATE KEY-----")[0]
