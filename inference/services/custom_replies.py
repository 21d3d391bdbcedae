"""What a custom service replies, read where its `json_parser` says that the results are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator

from inference.services.calls import CHARACTERS_PER_TOKEN, Call
from inference.services.json_paths import Path, type_name
from inference.services.replies import embeddings, ranking, sparse
from inference.services.settings import FOLDED, Settings, Text, setting
from inference.services.vectors import ELEMENT_TYPES
from inference.types import (
    Completions,
    InferenceResult,
    Ranking,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
    Truncation,
)


def checked_path(text: str) -> str:
    try:
        Path.parse(text)
    except ValueError as exc:
        raise ValueError(f"is no path: {exc}") from None
    return text


PathText = Annotated[Text, AfterValidator(checked_path)]


class JsonParser(Settings):
    """Where the results of one task are."""

    def read(self, body: dict[str, Any], call: Call[Any]) -> InferenceResult:
        """Raises ValueError with what is not where, or not what, it should be."""
        raise NotImplementedError


class TextEmbeddingParser(JsonParser):
    text_embeddings: PathText = setting("Text embeddings", "The path to the list of vectors.")
    embedding_type: Annotated[Literal["float", "byte", "bit", "binary"], FOLDED] = setting(
        "Embedding type", "What the vectors are made of.", default="float"
    )

    def read(self, body: dict[str, Any], call: Call[Any]) -> TextEmbeddings:
        path = Path.parse(self.text_embeddings)
        rows = []
        for number, entry in enumerate(a_list(path.find(body), path.field(0))):
            with place(f"text embedding entry [{number}]"):
                rows.append(numbers(entry, path.field(1)))
        return embeddings(rows, call, ELEMENT_TYPES[self.embedding_type])


class SparseEmbeddingParser(JsonParser):
    token_path: PathText = setting("Token path", "The path to the tokens of each text.")
    weight_path: PathText = setting("Weight path", "The path to their weights.")

    def read(self, body: dict[str, Any], call: Call[Any]) -> SparseEmbeddings:
        tokens_at, weights_at = Path.parse(self.token_path), Path.parse(self.weight_path)
        tokens = a_list(tokens_at.find(body), tokens_at.field(0))
        weights = a_list(weights_at.find(body), weights_at.field(0))
        check_sizes(tokens, weights)
        rows = []
        for number, (names, values) in enumerate(zip(tokens, weights, strict=True)):
            with place(f"sparse embedding entry [{number}]"):
                names = a_list(names, tokens_at.field(1))
                values = numbers(values, weights_at.field(1))
                check_sizes(names, values)
            rows.append(dict(zip(map(as_token, names), values, strict=True)))
        return sparse(rows, call)


class RerankParser(JsonParser):
    relevance_score: PathText = setting("Relevance score", "The path to the list of scores.")
    reranked_index: PathText | None = setting(
        "Index", "The path to the number of each document; without it, its place.", default=None
    )
    document_text: PathText | None = setting(
        "Document text", "The path to the text of each document.", default=None
    )

    def read(self, body: dict[str, Any], call: Call[Any]) -> Ranking:
        scores = self._column(body, "scores", self.relevance_score, numbers)
        indices: list[Any] = list(range(len(scores)))
        if self.reranked_index is not None:
            indices = self._column(body, "indices", self.reranked_index, whole_numbers)
            check_count("reranked indices", indices, scores)
        texts: list[Any] = [None] * len(scores)
        if self.document_text is not None:
            texts = self._column(body, "documents", self.document_text, strings)
            check_count("documents", texts, scores)
        return ranking(zip(indices, scores, texts, strict=True), call)

    @staticmethod
    def _column(
        body: dict[str, Any], what: str, text: str, convert: Callable[[Any, str], list[Any]]
    ) -> list[Any]:
        path = Path.parse(text)
        with place(f"rerank {what}"):
            return convert(path.find(body), path.field(0))


class CompletionParser(JsonParser):
    """Only the first input is sent; of the others the result tells that nobody read them."""

    completion_result: PathText = setting("Completion", "The path to what the model wrote.")

    def read(self, body: dict[str, Any], call: Call[Any]) -> Completions:
        path = Path.parse(self.completion_result)
        found = path.find(body)
        if isinstance(found, str):
            found = [found]
        if not isinstance(found, list):
            raise ValueError(
                f"Extracted field [{path.field(0)}] from path [{self.completion_result}] is an "
                f"invalid type, expected a list or a string but received [{type_name(found)}]"
            )
        return Completions(tuple(strings(found, self.completion_result)), dict(unread(call)))


PARSERS: dict[TaskType, type[JsonParser]] = {
    TaskType.TEXT_EMBEDDING: TextEmbeddingParser,
    TaskType.SPARSE_EMBEDDING: SparseEmbeddingParser,
    TaskType.RERANK: RerankParser,
    TaskType.COMPLETION: CompletionParser,
}


def unread(call: Call[Any]) -> Iterator[tuple[str, Truncation]]:
    for number, text in enumerate(call.texts[1:], start=1):
        lost = ceil(len(text) / CHARACTERS_PER_TOKEN)
        yield str(number), Truncation(0, lost, is_exact=False, lost_characters=len(text))


@contextmanager
def place(what: str) -> Iterator[None]:
    """Where something cannot be converted, the reason begins with what it was to be."""
    try:
        yield
    except ValueError as exc:
        raise ValueError(f"Failed to parse {what}, error: {exc}") from None


def a_list(value: Any, field: str) -> list[Any]:
    if value is None:
        raise ValueError(was_null(field))
    if not isinstance(value, list):
        raise ValueError(
            f"Extracted field [{field}] is an invalid type, expected a list but received "
            f"[{type_name(value)}]"
        )
    return value


def was_null(field: str) -> str:
    return f"Failed to parse field [{field}], extracted field was null"


def numbers(value: Any, field: str) -> list[float]:
    return entries(value, field, {int, float}, "Number")


def strings(value: Any, field: str) -> list[str]:
    return entries(value, field, {str}, "[String]")


def whole_numbers(value: Any, field: str) -> list[int]:
    found = numbers(value, field)
    for number, one in enumerate(found):
        if one != int(one):
            raise ValueError(
                f"Failed to parse list entry [{number}], error: Unable to convert field [{field}] "
                f"of type [{type_name(one)}] to [Integer]"
            )
    return [int(one) for one in found]


def entries(value: Any, field: str, kinds: set[type], wanted: str) -> list[Any]:
    """A list of nothing but these types. Raises ValueError with the first that is another."""
    items = a_list(value, field)
    if set(map(type, items)) <= kinds:
        return items
    number = next(number for number, item in enumerate(items) if type(item) not in kinds)
    item = items[number]
    why = was_null(field)
    if item is not None:
        why = f"Unable to convert field [{field}] of type [{type_name(item)}] to {wanted}"
    raise ValueError(f"Failed to parse list entry [{number}], error: {why}")


def check_sizes(tokens: list[Any], weights: list[Any]) -> None:
    if len(tokens) != len(weights):
        raise ValueError(
            f"The extracted tokens list is size [{len(tokens)}] but the weights list is size "
            f"[{len(weights)}]. The list sizes must be equal."
        )


def check_count(what: str, found: list[Any], scores: list[Any]) -> None:
    if len(found) != len(scores):
        raise ValueError(
            f"The number of extracted {what} [{len(found)}] does not match the number of "
            f"extracted relevance scores [{len(scores)}]"
        )


def as_token(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
