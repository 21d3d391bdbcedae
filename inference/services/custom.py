"""The custom service: any JSON over POST, described by templates and by paths into the reply."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx
import orjson
from pydantic import BaseModel

from inference.errors import InvalidRequest, InvalidSettings
from inference.services.base import EndpointConfig
from inference.services.calls import Call, given
from inference.services.custom_replies import PARSERS, JsonParser
from inference.services.custom_settings import (
    NAME,
    CustomSettings,
    CustomTaskSettings,
    InputTypes,
    Response,
    check_names,
    parse_part,
)
from inference.services.refusals import PLAIN
from inference.services.remote import RemoteService, Task
from inference.services.settings import header_value
from inference.services.templates import TemplateError, fill
from inference.types import InferenceRequest, InferenceResult, TaskType, TextEmbeddings
from inference.upstream.auth import Auth, NoAuth
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.places import url_problem


class CustomTask(Task[CustomSettings, BaseModel]):
    """parser: the schema of `json_parser` for this task."""

    task_settings = CustomTaskSettings
    requests_per_minute = 10_000
    input_types = None
    retried = frozenset({429})
    own_categories = PLAIN

    def __init__(self, parser: type[JsonParser]) -> None:
        self.parser = parser

    def builtins(self, call: Call[CustomSettings]) -> dict[str, Any]:
        """The values that only the request has, whatever the settings say."""
        return {"input": call.texts}

    def check(self, call: Call[CustomSettings], label: str) -> None:
        super().check(call, label)
        check_names(call.settings, call.task_settings)

    def build(self, call: Call[CustomSettings]) -> httpx.Request:
        """Raises InvalidRequest for a template that cannot be filled."""
        try:
            return self.filled(call)
        except TemplateError as exc:
            raise InvalidRequest(f"Failed to construct the custom service request: {exc}") from None

    def filled(self, call: Call[CustomSettings]) -> httpx.Request:
        """Raises TemplateError."""
        settings, secrets = call.settings, call.settings.secret_texts
        parameters: dict[str, Any] = call.task_settings.parameters or {}
        texts = {name: one for name, one in parameters.items() if isinstance(one, str)} | secrets
        values = parameters | secrets | self.builtins(call)
        encoded = {name: orjson.dumps(value).decode() for name, value in values.items()}
        return httpx.Request(
            "POST",
            filled_url(settings, texts),
            headers=filled_headers(settings, texts),
            content=fill(settings.request, encoded, "request").encode(),
        )

    def read(self, reply: Reply, call: Call[CustomSettings]) -> InferenceResult:
        try:
            body = orjson.loads(reply.content)
        except orjson.JSONDecodeError as exc:
            raise ValueError(f"it is no JSON: {exc}") from None
        if not isinstance(body, dict):
            raise ValueError("it is no JSON object")
        parser = self.parser.model_validate(call.settings.response["json_parser"])
        return parser.read(body, call)


class EmbeddingTask(CustomTask):
    def builtins(self, call: Call[CustomSettings]) -> dict[str, Any]:
        words = call.settings.input_type
        word = words["translation"].get(call.input_type, words["default"])
        return super().builtins(call) | {"input_type": word}


class RerankTask(CustomTask):
    def builtins(self, call: Call[CustomSettings]) -> dict[str, Any]:
        asked = call.input
        return super().builtins(call) | given(
            query=asked.query, top_n=asked.top_n, return_documents=asked.return_documents
        )


class CompletionTask(CustomTask):
    def builtins(self, call: Call[CustomSettings]) -> dict[str, Any]:
        return {"input": call.texts[0] if call.texts else ""}


def filled_url(settings: CustomSettings, texts: Mapping[str, str]) -> httpx.URL:
    text = fill(settings.url, texts, "url")
    if why := url_problem(text):
        if any(secret in why for secret in settings.secret_texts.values() if secret):
            why = "it is no address"
        raise TemplateError(f"Failed to build URI, error: {why}")
    url = httpx.URL(text)
    pairs = [
        (key, fill(value, texts, f"query parameters: [{key}]"))
        for key, value in settings.query_parameters or ()
    ]
    if not pairs:
        return url
    query = b"&".join(filter(None, (url.query, urlencode(pairs).encode())))
    return url.copy_with(query=query)


def filled_headers(settings: CustomSettings, texts: Mapping[str, str]) -> httpx.Headers:
    headers = httpx.Headers({"Content-Type": "application/json"})
    for name, template in (settings.headers or {}).items():
        value = fill(template, texts, f"header.{name}")
        try:
            headers[name] = header_value(value.strip())
        except ValueError as exc:
            raise TemplateError(f"The value of [header.{name}] {exc}") from None
    return headers


class Custom(RemoteService):
    name, label = NAME, "Custom"
    settings = CustomSettings
    tasks: ClassVar[Mapping[TaskType, CustomTask]] = {
        TaskType.TEXT_EMBEDDING: EmbeddingTask(PARSERS[TaskType.TEXT_EMBEDDING]),
        TaskType.SPARSE_EMBEDDING: EmbeddingTask(PARSERS[TaskType.SPARSE_EMBEDDING]),
        TaskType.RERANK: RerankTask(PARSERS[TaskType.RERANK]),
        TaskType.COMPLETION: CompletionTask(PARSERS[TaskType.COMPLETION]),
    }
    rate_limit_group = (
        "similarity", "dimensions", "max_input_tokens", "url", "headers", "query_parameters",
        "request", "response", "input_type", "rate_limit", "batch_size",
    )  # fmt: skip
    not_in_vectors = RemoteService.not_in_vectors | {"max_input_tokens", "batch_size"}

    def auth(self, settings: CustomSettings) -> Auth:
        return NoAuth()

    def in_order(self, service_settings: Mapping[str, Any]) -> dict[str, Any]:
        """As in Elasticsearch, the size of a batch stands behind the rate limit."""
        ordered = super().in_order(service_settings)
        if "batch_size" in ordered:
            ordered["batch_size"] = ordered.pop("batch_size")
        return ordered

    def parse(self, task_type: TaskType, config: Mapping[str, Any]) -> EndpointConfig:
        """Also fills the templates once, so that none is stored that can never be filled."""
        parsed = super().parse(task_type, config)
        settings: Any = parsed.service_settings
        scope = "service_settings.response"
        response = parse_part(Response, settings.response, scope)
        parser = parse_part(PARSERS[task_type], response.json_parser, f"{scope}.json_parser")
        words = parse_part(InputTypes, settings.input_type, "service_settings.input_type")
        settings = settings.model_copy(
            update={
                "response": {"json_parser": parser.to_response()},
                "input_type": words.to_response(),
            }
        )
        check_names(settings, parsed.task_settings)  # type: ignore[arg-type]
        self._try_templates(task_type, settings, parsed.task_settings)
        return replace(parsed, service_settings=settings)

    def _try_templates(self, task_type: TaskType, settings: Any, task_settings: Any) -> None:
        query = "test query" if task_type == TaskType.RERANK else None
        request = InferenceRequest(("test input",), query=query)
        try:
            self.tasks[task_type].filled(Call(settings, task_settings, request, task_type))
        except TemplateError as exc:
            problem = f"Failed to validate model configuration: {exc}"
            raise InvalidSettings([problem]) from None

    def merge_task_settings(
        self, stored: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Parameters are merged by their names."""
        before, now = stored.get("parameters"), changes.get("parameters")
        if not isinstance(before, Mapping) or not isinstance(now, Mapping):
            return super().merge_task_settings(stored, changes)
        given_now = {name: value for name, value in now.items() if value is not None}
        return {**stored, **changes, "parameters": {**before, **given_now}}

    def learned(self, settings: Any, proof: InferenceResult) -> dict[str, Any]:
        """Mappings also have to know what the vectors are made of."""
        found = super().learned(settings, proof)
        if isinstance(proof, TextEmbeddings):
            found["element_type"] = proof.element_type
        return found

    def told(self, reply: Reply) -> ProviderError:
        """A failure has whatever shape it has: told is the whole of it."""
        line = f"HTTP/1.1 {reply.status}"
        if reply.status in list(HTTPStatus):
            line = f"{line} {HTTPStatus(reply.status).phrase}"
        try:
            body = orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            return ProviderError(f"Parsing custom response body failed. Response: {line}")
        told = orjson.dumps(body).decode()
        return ProviderError(f"Received a server error response: {line}, body: {told}")
