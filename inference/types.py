"""Task types, and the requests and results of each, as they travel inside the product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from inference.arrays import ByteArray, FloatArray
from inference.errors import InvalidRequest

# What a query is called among the texts that were cut; an input has its number from 0.
QUERY = "query"


class TaskType(StrEnum):
    TEXT_EMBEDDING = "text_embedding"
    SPARSE_EMBEDDING = "sparse_embedding"
    RERANK = "rerank"
    COMPLETION = "completion"
    CHAT_COMPLETION = "chat_completion"
    EMBEDDING = "embedding"

    @classmethod
    def parse(cls, text: str) -> "TaskType":
        """Read a task type as the API does: blanks around it and case do not matter."""
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise InvalidRequest(f"Unknown task_type [{text}]") from None

    @property
    def is_chunked(self) -> bool:
        """Whether endpoints of this task carry chunking settings."""
        return self.makes_vectors

    @property
    def makes_vectors(self) -> bool:
        """Whether consumers keep the results and compare later ones with them."""
        return self in (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.EMBEDDING)


class ElementType(StrEnum):
    """What vectors are made of. BIT: eight dimensions in each signed byte."""

    FLOAT = "float"
    BYTE = "byte"
    BIT = "bit"


@dataclass(frozen=True)
class Content:
    """One thing to be embedded. type: text, image, audio, video or pdf. format: text or base64."""

    type: str
    format: str
    value: str


class InputType(StrEnum):
    SEARCH = "search"
    INGEST = "ingest"
    CLASSIFICATION = "classification"
    CLUSTERING = "clustering"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True)
class InferenceRequest:
    """One call to an endpoint. `query`, `top_n` and `return_documents` belong to rerank.

    reads_chunks: whether long documents are read in chunks, max_chunks_per_doc at most.
    contents: of an embedding request that is not of texts alone, one for each input.
    """

    input: tuple[str, ...]
    query: str | None = None
    input_type: InputType = InputType.UNSPECIFIED
    top_n: int | None = None
    return_documents: bool | None = None
    task_settings: dict[str, Any] = field(default_factory=dict)
    reads_chunks: bool = False
    max_chunks_per_doc: int | None = None
    contents: tuple[Content, ...] = ()

    @property
    def size(self) -> int:
        """How many texts are to be read."""
        return len(self.input) + (self.query is not None)


@dataclass(frozen=True)
class Truncation:
    """A text that was cut to the model's window.

    read_tokens, lost_tokens: special tokens count as read. is_exact: whether the text was counted
    to its end; if not, at least so many tokens were lost. lost_characters: where characters were
    cut, and the tokens are only a guess.
    """

    read_tokens: int
    lost_tokens: int
    is_exact: bool = True
    lost_characters: int | None = None

    def __str__(self) -> str:
        """What was lost, in words."""
        if self.lost_characters is not None:
            return f"{self.lost_characters} character{'s' * (self.lost_characters != 1)}"
        unit = "token" if self.lost_tokens == 1 else "tokens"
        return f"{'' if self.is_exact else 'at least '}{self.lost_tokens} {unit}"


@dataclass(frozen=True, kw_only=True)
class Result:
    """headers: what the headers of the answer tell beside it."""

    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TextEmbeddings(Result):
    """vectors: (inputs, dimensions), in the order of the inputs; bytes for BYTE and BIT.

    truncated: the inputs that were cut, by their number from 0. task_type: TEXT_EMBEDDING or
    EMBEDDING, which call the same differently.
    """

    vectors: FloatArray | ByteArray
    truncated: dict[str, Truncation] = field(default_factory=dict)
    element_type: ElementType = ElementType.FLOAT
    task_type: TaskType = TaskType.TEXT_EMBEDDING

    @property
    def dimensions(self) -> int:
        length: int = self.vectors.shape[1]
        return length * 8 if self.element_type == ElementType.BIT else length

    def to_response(self) -> dict[str, Any]:
        name = "embeddings" if self.task_type == TaskType.EMBEDDING else "text_embedding"
        suffix = {ElementType.BYTE: "_bytes", ElementType.BIT: "_bits"}.get(self.element_type, "")
        return {f"{name}{suffix}": [{"embedding": vector} for vector in self.vectors]}


@dataclass(frozen=True)
class SparseEmbedding:
    """Token weights in descending order."""

    weights: dict[str, float]
    truncation: Truncation | None = None

    @property
    def is_truncated(self) -> bool:
        return self.truncation is not None


@dataclass(frozen=True)
class SparseEmbeddings(Result):
    rows: tuple[SparseEmbedding, ...]

    @property
    def truncated(self) -> dict[str, Truncation]:
        return {str(n): row.truncation for n, row in enumerate(self.rows) if row.truncation}

    def to_response(self) -> dict[str, Any]:
        return {
            "sparse_embedding": [
                {"is_truncated": row.is_truncated, "embedding": row.weights} for row in self.rows
            ]
        }


@dataclass(frozen=True)
class RankedDocument:
    index: int
    relevance_score: float
    text: str | None = None


@dataclass(frozen=True)
class Ranking(Result):
    """Documents by falling score; equal scores keep the order of the input.

    truncated: the documents that were cut, by their number in the input, and QUERY if it was.
    """

    documents: tuple[RankedDocument, ...]
    truncated: dict[str, Truncation] = field(default_factory=dict)

    def to_response(self) -> dict[str, Any]:
        return {
            "rerank": [
                {"index": document.index, "relevance_score": document.relevance_score}
                | ({} if document.text is None else {"text": document.text})
                for document in self.documents
            ]
        }


@dataclass(frozen=True)
class Completions(Result):
    """What a model wrote, one text for each answer that it gave."""

    texts: tuple[str, ...]
    truncated: dict[str, Truncation] = field(default_factory=dict)

    def to_response(self) -> dict[str, Any]:
        return {"completion": [{"result": text} for text in self.texts]}


@dataclass(frozen=True)
class ChatAnswer(Result):
    """body: a whole `chat.completion` object of OpenAI's shape."""

    body: dict[str, Any]
    truncated: dict[str, Truncation] = field(default_factory=dict)

    def to_response(self) -> dict[str, Any]:
        return self.body


InferenceResult: TypeAlias = TextEmbeddings | SparseEmbeddings | Ranking | Completions | ChatAnswer
