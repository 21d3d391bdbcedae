"""Vectors of several element types, and of more than texts: what some services share."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeAlias

from pydantic import AfterValidator

from inference.errors import InvalidRequest
from inference.services.base import EndpointConfig
from inference.services.calls import Call, SettingsT
from inference.services.openai_vectors import EmbeddingReply, OpenAIEmbedding, vector_of
from inference.services.remote import RemoteService
from inference.services.replies import embeddings
from inference.services.settings import FOLDED, folded, is_for, setting
from inference.types import Content, ElementType, TaskType, TextEmbeddings
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

# What endpoints call the element types; some have two names.
ELEMENT_TYPES = {
    "float": ElementType.FLOAT,
    "byte": ElementType.BYTE,
    "int8": ElementType.BYTE,
    "bit": ElementType.BIT,
    "binary": ElementType.BIT,
}
# What providers call them.
SENT_TYPES = {ElementType.FLOAT: "float", ElementType.BYTE: "int8", ElementType.BIT: "binary"}

EmbeddingType: TypeAlias = Annotated[Literal["float", "byte", "int8", "bit", "binary"], FOLDED]
AnyInputType: TypeAlias = Annotated[
    Literal["ingest", "search", "classification", "clustering"], FOLDED
]
SearchInputType: TypeAlias = Annotated[Literal["ingest", "search"], FOLDED]
# Taken in any case, sent in the only one that providers know.
Truncate: TypeAlias = Annotated[
    Literal["none", "start", "end"], FOLDED, AfterValidator(lambda value: value.upper())
]


def input_type_setting() -> Any:
    return setting(
        "Input Type",
        "What texts are for, where a call does not say it.",
        updatable=True,
        default=None,
    )


def element_type_of(settings: Any) -> ElementType:
    """Of the vectors of an endpoint, by its setting `embedding_type` if it has one."""
    return ELEMENT_TYPES[getattr(settings, "embedding_type", None) or "float"]


class TypedVectors(RemoteService):
    """A service with the setting `embedding_type`, and maybe `multimodal_model`.

    bit_similarity: the default for bits.
    """

    bit_similarity: ClassVar[str] = "l2_norm"

    def defaults(self, task_type: TaskType) -> dict[str, Any]:
        found = super().defaults(task_type)
        for name, value in (("embedding_type", "float"), ("multimodal_model", True)):
            known = name in self.settings.model_fields
            if known and is_for(self.settings, name, task_type):
                found[name] = value
        return found

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> dict[str, Any]:
        completed = super().complete(task_type, raw)
        has_bits = folded(completed.get("embedding_type")) in ("bit", "binary")
        if has_bits and raw.get("similarity") is None:
            completed["similarity"] = self.bit_similarity
        return completed

    def identity(self, config: EndpointConfig) -> dict[str, Any]:
        """With one name for each element type: two names do not make two kinds of vectors."""
        found = super().identity(config)
        found["service_settings"]["embedding_type"] = element_type_of(config.service_settings)
        return found


class PlainEmbedding(OpenAIEmbedding[SettingsT], Generic[SettingsT]):
    """Texts are sent as they are, and one that is too long is refused like anything else."""

    is_cut = False

    def parse(self, reply: EmbeddingReply, call: Call[SettingsT]) -> TextEmbeddings:
        rows = [vector_of(row.embedding) for row in reply.data]
        return embeddings(rows, call, element_type_of(call.settings))

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return False


class MultimodalEmbedding(PlainEmbedding[SettingsT], Generic[SettingsT]):
    """Inputs may be more than texts, unless the setting `multimodal_model` says otherwise.

    kinds: what the provider takes.
    """

    takes_contents = True
    kinds: ClassVar[Collection[str]] = ("text", "image")

    def check(self, call: Call[SettingsT], label: str) -> None:
        super().check(call, label)
        found = {content.type for content in call.input.contents}
        if found - {"text"} and not is_multimodal(call):
            raise InvalidRequest("Non-text input provided for text-only model")
        if other := sorted(found - set(self.kinds)):
            raise InvalidRequest(
                f"The {label} service only takes inputs of type [{', '.join(self.kinds)}], "
                f"not [{', '.join(other)}]"
            )


def is_multimodal(call: Call[Any]) -> bool:
    return bool(call.settings.multimodal_model)


def contents_of(call: Call[Any]) -> tuple[Content, ...]:
    """The inputs as things to embed, texts among them."""
    return call.input.contents or tuple(Content("text", "text", text) for text in call.texts)
