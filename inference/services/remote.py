"""What a service of a provider declares: its settings, and two pure functions for each task."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from inference.chat import ChatRequest
from inference.errors import InvalidRequest, InvalidSettings
from inference.services.base import EndpointConfig, Service
from inference.services.calls import Call, SettingsT
from inference.services.remote_settings import NoTaskSettings, RemoteSettings
from inference.services.replies import first_problem
from inference.services.settings import Settings, is_for, parse_settings, revealed
from inference.types import (
    InferenceRequest,
    InferenceResult,
    InputType,
    TaskType,
    TextEmbeddings,
)
from inference.upstream.auth import Auth
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.limiting import Group
from inference.upstream.sse import ServerEvent, read_events

VECTORS = (TaskType.TEXT_EMBEDDING, TaskType.EMBEDDING)
CHATS = (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
ReplyT = TypeVar("ReplyT", bound=BaseModel)


class Task(Generic[SettingsT, ReplyT]):
    """One task of a service: a call becomes a request, a reply becomes a result. No I/O.

    task_settings: its schema. reply: the body of a success. requests_per_minute: the limit of an
    endpoint that says none; None: there is no limit. most_inputs: of one call. input_types: what
    the provider calls each; empty: any that a caller names is refused, None: any is accepted. Where
    a service knows some for its vectors, its other tasks take the same, and send none.
    called: how a refusal of too many inputs begins, where not with the service and the task.
    retried: the statuses after which the same is tried again. is_cut: whether texts that are too
    long are cut, to `max_input_tokens` before and to half after a refusal. can_stream: whether
    `chunks` reads a stream. takes_contents: whether inputs may be images and the like.
    own_categories: what the service calls a status differently. own_statuses: what a caller is
    told in place of a status, and malformed_status of a reply that cannot be read, where the common
    rule does not hold.
    """

    task_settings: ClassVar[type[Settings]] = NoTaskSettings
    reply: type[ReplyT]
    requests_per_minute: ClassVar[int | None] = None
    most_inputs: ClassVar[int | None] = None
    called: ClassVar[str] = ""
    input_types: ClassVar[Mapping[InputType, str] | None] = {}
    retried: ClassVar[Collection[int]] = frozenset({429, 500, 503})
    is_cut: ClassVar[bool] = False
    can_stream: ClassVar[bool] = False
    takes_contents: ClassVar[bool] = False
    own_categories: ClassVar[Mapping[int, str]] = {}
    own_statuses: ClassVar[Mapping[int, int]] = {}
    malformed_status: ClassVar[int | None] = None

    def check(self, call: Call[SettingsT], label: str) -> None:
        """Refuse a call that the provider is not to be bothered with. Raises InvalidRequest."""
        if isinstance(call.request, ChatRequest):
            return
        if call.input.contents and not self.takes_contents:
            raise InvalidRequest(f"The {label} service only takes inputs of type [text]")
        if self.most_inputs is not None and len(call.texts) > self.most_inputs:
            called = self.called or f"{label} {call.task_type}"
            raise InvalidRequest(f"{called} only accepts {self.most_inputs} input")
        named, known = call.input_type, self.known_input_types(call)
        if known is None or named == InputType.UNSPECIFIED or named in known:
            return
        if not known:
            raise InvalidSettings(
                [
                    f"Invalid input_type [{named}]. The input_type option is not supported by "
                    "this service"
                ]
            )
        raise InvalidSettings([f"Input type [{named}] is not supported for [{label}]"])

    def known_input_types(self, call: Call[SettingsT]) -> Mapping[InputType, str] | None:
        """The `input_types` of a call, where they depend on its settings."""
        return self.input_types

    def input_type_of(self, call: Call[SettingsT]) -> str | None:
        """What the provider calls the input type of a call; None where there is none."""
        return (self.known_input_types(call) or {}).get(call.input_type)

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        """The request, unsigned."""
        raise NotImplementedError

    def parse(self, reply: ReplyT, call: Call[SettingsT]) -> InferenceResult:
        """Raises ValueError, with what is wrong, for a reply that is of no use."""
        raise NotImplementedError

    def read(self, reply: Reply, call: Call[SettingsT]) -> InferenceResult:
        """The result in a successful reply. Raises ValueError with what is wrong with it."""
        if not reply.content.strip():
            raise ValueError("it is empty")
        try:
            body = self.reply.model_validate_json(reply.content)
        except ValidationError as exc:
            raise ValueError(first_problem(exc)) from None
        return self.parse(body, call)

    def events(self, pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
        """The events in the body of a stream."""
        return read_events(pieces)

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[SettingsT]
    ) -> Iterator[dict[str, Any]]:
        """What a caller of a stream gets: deltas of a completion, or chunks of a chat.

        Raises ProviderFailed for an error that comes within it, and ValueError for what is none
        of the provider's events.
        """
        raise NotImplementedError

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        """Whether a refusal means that the texts were too long."""
        return False

    def categories(self, told: ProviderError) -> Mapping[int, str]:
        """What the service calls a status differently where the provider says this of it."""
        return self.own_categories


class ProviderFailed(Exception):
    """A provider says in the middle of a stream that it cannot go on. status: for the caller."""

    def __init__(self, told: ProviderError, status: int | None = None) -> None:
        super().__init__(told.message)
        self.told, self.status = told, status


class RemoteService(Service):
    """A service of a provider. Adding one: a module, a line in SERVICES, a test file.

    error_type: of a chat's failures that name none themselves.
    rate_limit_group: the settings that make endpoints share a limit. default_similarity: that of
    vectors, where a service has the setting. models_in: where a list of models has its rows, and
    what the name is called in each.
    """

    settings: ClassVar[type[RemoteSettings]]
    tasks: ClassVar[Mapping[TaskType, Task[Any, Any]]]
    rate_limit_group: ClassVar[tuple[str, ...]] = ()
    default_similarity: ClassVar[str] = "dot_product"
    error_type: ClassVar[str | None] = None
    models_in: ClassVar[tuple[str, str]] = ("data", "id")
    is_remote = True
    # Whether an endpoint is stored only after its provider answered once.
    is_proved: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        if "tasks" in vars(cls):
            cls.task_settings = {name: task.task_settings for name, task in cls.tasks.items()}

    def task_for(self, config: EndpointConfig) -> Task[Any, Any]:
        """The task of an endpoint, where a setting decides between several of one type."""
        return self.tasks[config.task_type]

    def auth(self, settings: Any) -> Auth:
        """How a request of an endpoint with these settings proves who sends it."""
        raise NotImplementedError

    def told(self, reply: Reply) -> ProviderError:
        """What the provider's own body says of a failure; empty where it says nothing."""
        raise NotImplementedError

    def suffix(self, reply: Reply) -> str:
        """What the headers of a failure tell, to stand behind its category."""
        return ""

    def models_request(self, settings: Any) -> httpx.Request | None:
        """Asks which models there are, without cost; None where a provider cannot tell."""
        return None

    @property
    def lists_models(self) -> bool:
        """Whether the provider can be asked which models there are."""
        return type(self).models_request is not RemoteService.models_request

    def listing_request(self, settings: Any) -> httpx.Request | None:
        """The same where somebody looks for a model to choose: of a server of one's own, too."""
        return self.models_request(settings)

    def model_names(self, reply: Reply) -> list[str]:
        """The models in the answer to that. Raises ValueError."""
        rows, name = self.models_in
        try:
            return sorted(str(one[name]) for one in orjson.loads(reply.content)[rows])
        except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
            raise ValueError("it is no list of models") from exc

    def in_order(self, service_settings: Mapping[str, Any]) -> dict[str, Any]:
        """With what every provider has behind what is its own."""
        common = RemoteSettings.model_fields
        names = [name for name in self.settings.model_fields if name not in common]
        ordered = (*names, *common)
        return {name: service_settings[name] for name in ordered if name in service_settings}

    def parse(self, task_type: TaskType, config: Mapping[str, Any]) -> EndpointConfig:
        parsed = super().parse(task_type, config)
        self.check_fit(parsed.service_settings, parsed.task_settings)
        return parsed

    def check_fit(self, settings: Any, task_settings: Any) -> None:
        """Refuse task settings, stored or of a call, that do not go with the service settings."""

    def defaults(self, task_type: TaskType) -> dict[str, Any]:
        """What an endpoint of this task gets where it does not say something itself."""
        found: dict[str, Any] = {}
        limit = self.tasks[task_type].requests_per_minute
        if limit is not None and "rate_limit" in self.settings.model_fields:
            found["rate_limit"] = {"requests_per_minute": limit}
        has_similarity = "similarity" in self.settings.model_fields
        if has_similarity and is_for(self.settings, "similarity", task_type):
            found["similarity"] = self.default_similarity
        return found

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Service settings as given, with the defaults where something is not said."""
        given = {name: value for name, value in raw.items() if value is not None}
        defaults = self.defaults(task_type)
        if given.get("rate_limit") == {} and "rate_limit" in defaults:
            del given["rate_limit"]
        return {**defaults, **given}

    def group(self, config: EndpointConfig) -> Group | None:
        """Whose calls share a rate limit with those of this endpoint."""
        settings: Any = config.service_settings
        if settings.rate_limit is None:
            return None
        return Group(
            self.name,
            tuple(str(revealed(getattr(settings, name))) for name in self.rate_limit_group),
            settings.rate_limit.requests_per_minute,
        )

    def learned(self, settings: Any, proof: InferenceResult) -> dict[str, Any]:
        """What the first answer of an endpoint tells about it. Raises InvalidRequest."""
        if not isinstance(proof, TextEmbeddings):
            return {}
        wished = getattr(settings, "dimensions", None)
        if wished is not None and wished != proof.dimensions:
            raise InvalidRequest(
                f"The retrieved embeddings size [{proof.dimensions}] does not match the size "
                f"specified in the settings [{wished}]. Please recreate the [service_settings] "
                "with the correct dimensions"
            )
        found: dict[str, Any] = {"dimensions": proof.dimensions}
        if "dimensions_set_by_user" in self.settings.model_fields:
            found["dimensions_set_by_user"] = wished is not None
        return found

    def call_for(
        self, config: EndpointConfig, request: InferenceRequest | ChatRequest, *, is_stream: bool
    ) -> "Call[Any]":
        """The call that a request to an endpoint is. Raises InvalidRequest or InvalidSettings."""
        task = self.task_for(config)
        own: Mapping[str, Any] = {}
        if isinstance(request, InferenceRequest):
            own = {
                name: value for name, value in request.task_settings.items() if value is not None
            }
        merged = config.task_settings
        if own:
            merged = parse_settings(
                task.task_settings,
                self.merge_task_settings(merged.to_response(), own),
                scope="task_settings",
                service=self.name,
            )
            self.check_fit(config.service_settings, merged)
        settings: Any = config.service_settings
        call = Call(settings, merged, request, config.task_type, is_stream)
        task.check(call, self.label)
        return call
