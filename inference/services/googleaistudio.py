"""Google AI Studio: Gemini's models for a key."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from pydantic import ValidationError

from inference.errors import InvalidSettings
from inference.services.openai_shape import Received, deltas, openai_error
from inference.services.remote import (
    Call,
    ProviderFailed,
    RemoteService,
    RemoteSettings,
    Task,
    first_problem,
    given,
    post,
)
from inference.services.replies import embeddings
from inference.services.settings import PositiveInt, Secret, Similarity, Text, setting
from inference.types import Completions, InputType, TaskType, TextEmbeddings
from inference.upstream.auth import Auth, HeaderKey
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.failures import UNSUCCESSFUL
from inference.upstream.sse import ServerEvent

MODELS_URL = "https://generativelanguage.googleapis.com/v1/models"
EMBEDDING = (TaskType.TEXT_EMBEDDING,)
REQUESTS_PER_MINUTE = 360
# The one model that is told what a text is for.
TYPED_MODEL = "embedding-001"
OWN_CATEGORIES = {
    **dict.fromkeys((400, 401, 402, 413, 422), UNSUCCESSFUL),
    503: "The Google AI Studio service may be temporarily overloaded or down",
}


class GoogleAIStudioSettings(RemoteSettings):
    api_key: Secret = setting("API Key", "The Gemini API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use, without `models/`.")
    dimensions: PositiveInt | None = setting(
        "Dimensions", "The length of the vectors.", tasks=EMBEDDING, default=None
    )
    similarity: Similarity | None = setting(
        "Similarity", "How vectors are compared.", tasks=EMBEDDING, default=None
    )
    max_input_tokens: PositiveInt | None = setting(
        "Maximum Input Tokens", "Longer inputs are cut.", updatable=True, tasks=EMBEDDING,
        default=None,
    )  # fmt: skip

    def address(self, method: str) -> str:
        return f"{MODELS_URL}/{quote(self.model_id, safe='')}:{method}"


class Vector(Received):
    values: list[float]


class EmbeddingReply(Received):
    embeddings: list[Vector]


class Part(Received):
    """thought: whether it is what the model thought, not what it said."""

    text: str | None = None
    thought: bool = False


class Content(Received):
    parts: tuple[Part, ...] = ()


class Candidate(Received):
    content: Content = Content()
    finishReason: str | None = None

    @property
    def text(self) -> str:
        return "".join(part.text or "" for part in self.content.parts if not part.thought)


class Feedback(Received):
    blockReason: str | None = None


class GenerateReply(Received):
    """A whole answer, or the next piece of one. candidates: one, since one is asked for."""

    candidates: tuple[Candidate, ...] = ()
    promptFeedback: Feedback = Feedback()
    error: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        return self.candidates[0].text if self.candidates else ""

    @property
    def why_empty(self) -> str:
        """What the provider says of an answer without text."""
        if reason := self.promptFeedback.blockReason:
            return f"the prompt was blocked [{reason}]"
        ended = self.candidates[0].finishReason if self.candidates else None
        return f"it holds no text, and ended with [{ended}]"


class Embed(Task[GoogleAIStudioSettings, EmbeddingReply]):
    reply = EmbeddingReply
    requests_per_minute = REQUESTS_PER_MINUTE
    own_categories = OWN_CATEGORIES
    is_cut = True
    input_types = {  # noqa: RUF012 - declared as a mapping that nobody changes
        InputType.INGEST: "RETRIEVAL_DOCUMENT",
        InputType.SEARCH: "RETRIEVAL_QUERY",
        InputType.CLASSIFICATION: "CLASSIFICATION",
        InputType.CLUSTERING: "CLUSTERING",
    }

    def check(self, call: Call[GoogleAIStudioSettings], label: str) -> None:
        named, model = call.input_type, call.settings.model_id
        if named != InputType.UNSPECIFIED and model != TYPED_MODEL:
            raise InvalidSettings(
                [
                    f"Invalid value [{named}] received. [input_type] is not allowed for model "
                    f"[{model}]"
                ]
            )
        super().check(call, label)

    def build(self, call: Call[GoogleAIStudioSettings]) -> httpx.Request:
        settings = call.settings
        shared = given(outputDimensionality=settings.dimensions, taskType=self.input_type_of(call))
        requests = [
            {"model": f"models/{settings.model_id}", "content": {"parts": [{"text": text}]}}
            | shared
            for text in call.texts
        ]
        return post(settings.address("batchEmbedContents"), {"requests": requests})

    def parse(self, reply: EmbeddingReply, call: Call[GoogleAIStudioSettings]) -> TextEmbeddings:
        return embeddings([row.values for row in reply.embeddings], call)


class Complete(Task[GoogleAIStudioSettings, GenerateReply]):
    reply = GenerateReply
    requests_per_minute = REQUESTS_PER_MINUTE
    own_categories = OWN_CATEGORIES
    most_inputs = 1
    can_stream = True

    def build(self, call: Call[GoogleAIStudioSettings]) -> httpx.Request:
        body = {
            "contents": [{"parts": [{"text": call.texts[0]}], "role": "user"}],
            "generationConfig": {"candidateCount": 1},
        }
        method = "streamGenerateContent?alt=sse" if call.is_stream else "generateContent"
        return post(call.settings.address(method), body)

    def parse(self, reply: GenerateReply, call: Call[GoogleAIStudioSettings]) -> Completions:
        if not reply.text:
            raise ValueError(reply.why_empty)
        return Completions((reply.text,))

    def chunks(
        self, events: Iterator[ServerEvent], call: Call[GoogleAIStudioSettings]
    ) -> Iterator[dict[str, Any]]:
        has_text = False
        last = GenerateReply()
        for event in events:
            last = piece_of(event)
            has_text |= bool(last.text)
            yield from deltas([last.text])
        if not has_text:
            raise ValueError(last.why_empty)


def piece_of(event: ServerEvent) -> GenerateReply:
    """Raises ProviderFailed for an error, ValueError for what is no piece of an answer."""
    try:
        piece = GenerateReply.model_validate_json(event.data)
    except ValidationError as exc:
        raise ValueError(first_problem(exc)) from None
    if piece.error is not None:
        raise ProviderFailed(openai_error(event.data.encode()))
    return piece


class GoogleAIStudio(RemoteService):
    name, label = "googleaistudio", "Google AI Studio"
    settings = GoogleAIStudioSettings
    tasks = {  # noqa: RUF012 - as in OpenAI
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.COMPLETION: Complete(),
    }
    rate_limit_group = ("model_id", "api_key")
    not_in_vectors = RemoteService.not_in_vectors | {"max_input_tokens"}

    def auth(self, settings: GoogleAIStudioSettings) -> Auth:
        """In a header, so that no address holds the key."""
        return HeaderKey("x-goog-api-key", settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        return openai_error(reply.content)

    def models_request(self, settings: GoogleAIStudioSettings) -> httpx.Request | None:
        return httpx.Request("GET", MODELS_URL)

    def model_names(self, reply: Reply) -> list[str]:
        try:
            models = orjson.loads(reply.content)["models"]
            return sorted(str(one["name"]).removeprefix("models/") for one in models)
        except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
            raise ValueError("it is no list of models") from exc
