"""Request bodies: what they may hold, and what is wrong with one that is refused."""

from dataclasses import replace
from math import inf
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from django.http import HttpRequest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from endpoints.api.bodies import check_storable, check_unique, names_twice
from endpoints.api.media import read_json
from inference.chat import ChatRequest
from inference.errors import BodyTooLarge, InvalidAction, InvalidRequest, MalformedBody, shown
from inference.types import Content, InferenceRequest, InputType, TaskType

BodyT = TypeVar("BodyT", bound="Body")


class Body(BaseModel):
    """What a schema says of its bodies as a whole.

    is_stored: whether they stay. Then they are looked through for what cannot, or is said twice.
    most_bytes: settings are small; to list all that is wrong with a large body takes a lot more
    memory than the body.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    is_stored: ClassVar[bool] = False
    most_bytes: ClassVar[float] = 1024 * 1024


class CreateBody(Body):
    """The body of a create request. What the service reads stays raw; the service checks it."""

    model_config = ConfigDict(extra="allow")
    is_stored = True

    service: StrictStr | None = None
    task_type: StrictStr | None = None

    def resolved_task_type(self, in_path: str | None) -> TaskType:
        """The task type of path and body, which must agree where both name one."""
        from_path = TaskType.parse(in_path) if in_path is not None else None
        from_body = TaskType.parse(self.task_type) if self.task_type is not None else None
        if from_path and from_body and from_path != from_body:
            raise InvalidRequest(
                f"Cannot resolve conflicting task_type parameter in the request URL "
                f"[{from_path}] and the request body [{from_body}]"
            )
        if found := from_path or from_body:
            return found
        raise InvalidRequest("[task_type] is a required setting and is missing")

    def named_service(self) -> str:
        if self.service is None:
            raise InvalidRequest("Inference configuration is missing the [service] setting")
        return self.service

    @property
    def config(self) -> dict[str, Any]:
        return self.model_extra or {}


class UpdateBody(Body):
    """The body of an update: only what may change, beside what must agree with the endpoint."""

    model_config = ConfigDict(extra="allow")
    is_stored = True

    service: StrictStr | None = None
    task_type: StrictStr | None = None
    service_settings: dict[str, Any] | None = None
    task_settings: dict[str, Any] | None = None
    chunking_settings: dict[str, Any] | None = None

    def changes(
        self, in_path: TaskType | None, task_type: TaskType, service: str
    ) -> dict[str, Any]:
        """What is to change of an endpoint of this task and service. Raises InvalidRequest."""
        in_body = TaskType.parse(self.task_type) if self.task_type is not None else None
        if in_path not in (None, task_type) or in_body not in (None, task_type):
            raise InvalidRequest(
                f"Task type must match the task type of the existing endpoint: [{task_type}]"
            )
        refused = dict(self.model_extra or {})
        if self.service not in (None, service):
            refused["service"] = self.service
        if refused:
            raise InvalidRequest(
                f"Request contained fields which cannot be updated, remove these fields and try "
                f"again [{shown(refused)}]"
            )
        settings = {
            "service_settings": self.service_settings,
            "task_settings": self.task_settings,
            "chunking_settings": self.chunking_settings,
        }
        changes = {scope: values for scope, values in settings.items() if values is not None}
        if not changes:
            raise InvalidRequest("Request body is empty")
        return changes


class ChunkBody(Body):
    most_bytes = inf

    input: StrictStr
    chunking_settings: dict[str, Any] | None = None


class ChatBody(Body, ChatRequest):
    """A chat; what it holds is checked as deep as every service agrees on."""

    most_bytes = inf

    timeout: StrictStr | None = None

    def to_request(self) -> ChatRequest:
        """Raises InvalidAction."""
        if not self.messages:
            raise InvalidAction(["Field [messages] cannot be an empty array"])
        for number, message in enumerate(self.messages):
            if message.content is None and not message.tool_calls:
                raise InvalidAction(
                    [f"Field [messages[{number}].content] can only be left out with [tool_calls]"]
                )
        return self


class ContentBody(Body):
    type: Literal["text", "image", "audio", "video", "pdf"]
    format: Literal["text", "base64"] | None = None
    value: StrictStr

    @property
    def content(self) -> Content:
        """Raises InvalidRequest for a format that the type cannot have."""
        usual = "text" if self.type == "text" else "base64"
        if self.format not in (None, usual):
            raise InvalidRequest(
                f"Invalid format [{self.format}] for type [{self.type}]; it must be [{usual}]"
            )
        return Content(self.type, usual, self.value)


class ContentsBody(Body):
    content: ContentBody | list[ContentBody]


AnyInput: TypeAlias = StrictStr | ContentsBody | list[StrictStr | ContentsBody] | None


class InferenceBody(Body):
    most_bytes = inf

    input: StrictStr | Annotated[list[StrictStr], Field(fail_fast=True)] | None = None
    query: StrictStr | None = None
    input_type: StrictStr | None = None
    task_settings: dict[str, Any] | None = None
    return_documents: StrictBool | None = None
    top_n: StrictInt | None = None
    timeout: StrictStr | None = None

    def to_request(self, task_type: TaskType | None) -> InferenceRequest:
        """Check the fields against each other; task_type is that of the path, if it has one."""
        problems = [*self._input_problems(), *self._field_problems(task_type)]
        if problems:
            raise InvalidAction(problems)
        text = self.input if isinstance(self.input, list) else [self.input or ""]
        task_settings = dict(self.task_settings or {})
        check_storable(task_settings)
        in_settings = task_settings.pop("input_type", None)
        return InferenceRequest(
            input=tuple(text),
            query=self.query,
            input_type=parse_input_type(
                in_settings if self.input_type is None else self.input_type
            ),
            top_n=self.top_n,
            return_documents=self.return_documents,
            task_settings=task_settings,
        )

    def _input_problems(self) -> list[str]:
        if self.input is None:
            return ["Field [input] cannot be null"]
        return [] if self.input != [] else ["Field [input] cannot be an empty array"]

    def _field_problems(self, task_type: TaskType | None) -> list[str]:
        problems = []
        if task_type == TaskType.RERANK:
            if self.query is None:
                problems.append("Field [query] cannot be null for task type [rerank]")
            elif not self.query:
                problems.append("Field [query] cannot be empty for task type [rerank]")
        elif task_type:
            refused: dict[str, Any] = {
                "return_documents": self.return_documents,
                "top_n": self.top_n,
            }
            if task_type in (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING):
                refused["query"] = self.query
            problems += _not_for(task_type, refused)
        if task_type not in (None, TaskType.TEXT_EMBEDDING, TaskType.EMBEDDING):
            problems += _not_for(task_type, {"input_type": self.input_type})
        if self.top_n is not None and self.top_n < 1:
            problems.append(f"[top_n] must be at least 1, not [{self.top_n}]")
        return problems


class EmbeddingBody(InferenceBody):
    """What the embedding task takes: texts, and things that are no texts."""

    # Wider than where only texts can be given.
    input: AnyInput = None  # type: ignore[assignment]

    def to_request(self, task_type: TaskType | None) -> InferenceRequest:
        given = self.input
        inputs = given if isinstance(given, list) else [given]
        contents = tuple(_content(number, one) for number, one in enumerate(inputs))
        texts = [content.value if content.type == "text" else "" for content in contents]
        plain = InferenceBody(
            **{**dict(self), "input": given if given is None or given == [] else texts}
        ).to_request(task_type)
        if all(content.type == "text" for content in contents):
            return plain
        return replace(plain, contents=contents)


def _content(number: int, given: str | ContentsBody | None) -> Content:
    """One input as a thing to embed. Raises InvalidRequest."""
    if not isinstance(given, ContentsBody):
        return Content("text", "text", given or "")
    items = given.content if isinstance(given.content, list) else [given.content]
    if len(items) != 1:
        raise InvalidRequest(
            f"Field [$.input.content[{number}]] must hold exactly one item, not [{len(items)}]"
        )
    return items[0].content


def _not_for(task_type: TaskType, fields: dict[str, Any]) -> list[str]:
    return [
        f"Field [{name}] cannot be specified for task type [{task_type}]"
        for name, value in fields.items()
        if value is not None
    ]


def parse_input_type(text: Any) -> InputType:
    if text is None:
        return InputType.UNSPECIFIED
    try:
        return InputType(str(text).strip().lower())
    except ValueError:
        known = ", ".join(InputType)
        raise InvalidAction(
            [f"Unrecognized input_type [{shown(text)}]. It must be one of [{known}]"]
        ) from None


def parse(schema: type[BodyT], request: HttpRequest) -> BodyT:
    """Read the body of a request. Raises what `read_json` raises, or InvalidArgument.

    A body that is not stored may hold a hundred megabytes of texts: it is looked at again only
    if it may name a field twice.
    """
    raw, content = read_json(request)
    if len(raw) > schema.most_bytes:
        raise BodyTooLarge(f"the body has more than {schema.most_bytes} bytes")
    if schema.is_stored:
        check_storable(content)
    if schema.is_stored or names_twice(raw, content):
        check_unique(raw)
    try:
        return schema.model_validate(content)
    except ValidationError as exc:
        error = exc.errors()[0]
    name = str(error["loc"][0]) if error["loc"] else ""
    place = f"[{position(raw, name)}] [{schema.__name__}]"
    if not error["loc"] and not isinstance(content, dict):
        raise MalformedBody(f"{place} the body must be an object")
    if error["type"] == "missing":
        raise MalformedBody(f"{place} Required [{'.'.join(map(str, error['loc']))}]")
    if error["type"] == "extra_forbidden":
        raise MalformedBody(f"{place} unknown field [{'.'.join(map(str, error['loc']))}]")
    raise MalformedBody(f"{place} failed to parse field [{name}]: {error['msg']}")


def parse_optional(schema: type[BodyT], request: HttpRequest) -> BodyT:
    """The body where there is one."""
    return parse(schema, request) if request.body.strip() else schema()


def position(raw: bytes, name: str) -> str:
    """Line and column where a field is first named, counted from one."""
    before = raw.partition(f'"{name}"'.encode())[0]
    *lines, last = before.split(b"\n")
    return f"{len(lines) + 1}:{len(last) + 1}"
