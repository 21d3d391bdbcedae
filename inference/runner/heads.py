"""What each task makes of what the graph gives for each token.

A head is made once, a collector once a request.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from inference.arrays import FloatArray
from inference.errors import UnsupportedModel
from inference.runner.encoded import EncodedText
from inference.runner.late_interaction import LateInteraction
from inference.runner.outputs import Output
from inference.runner.pooling import Pooling, read_pooling
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.rarity import token_rarity
from inference.runner.sparse import SparseExpansion
from inference.runner.splade import LearnedWeights
from inference.runner.tensors import mapped_tensor
from inference.runner.tokenizer import TextTokenizer, TokenizedText
from inference.types import TaskType, Truncation

SCORE_DECIMALS = 6
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


class Collector(Protocol):
    """Takes the texts of one request as they come, in any order and on any thread."""

    def add(self, index: int, text: EncodedText) -> None: ...

    def reply(self) -> HostReply: ...


class Head(Protocol):
    def start(self, request: HostRequest, deadline: float) -> tuple[list[TokenizedText], Collector]:
        """What to encode for a request, and who takes it from there. Raises TooLate."""


class EmbeddingHead:
    """One vector out of the token states."""

    def __init__(self, folder: Path, tokenizer: TextTokenizer) -> None:
        self._pooling, self._tokenizer = read_pooling(folder), tokenizer

    def start(self, request: HostRequest, deadline: float) -> tuple[list[TokenizedText], Collector]:
        texts = self._tokenizer.tokenize(request.texts, deadline)
        return texts, EmbeddingCollector(self._pooling, len(texts))


class VectorHead(EmbeddingHead):
    """The vector that the graph made itself, which stands at the first token."""

    def __init__(self, folder: Path, tokenizer: TextTokenizer) -> None:
        self._pooling, self._tokenizer = Pooling("cls", is_normalized=False), tokenizer


class EmbeddingCollector:
    def __init__(self, pooling: Pooling, count: int) -> None:
        self._pooling = pooling
        self._rows: list[FloatArray | None] = [None] * count
        self._truncated: dict[int, Truncation] = {}

    def add(self, index: int, text: EncodedText) -> None:
        self._rows[index] = self._pooling(text.states)
        if text.truncation:
            self._truncated[index] = text.truncation

    def reply(self) -> HostReply:
        vectors = np.stack([row for row in self._rows if row is not None])
        return HostReply(vectors=vectors, truncated=self._truncated)


class SparseHead:
    """Weights for the tokens of a text and for their neighbours in the vocabulary."""

    def __init__(self, folder: Path, tokenizer: TextTokenizer) -> None:
        embeddings = mapped_tensor(folder / "model.safetensors", WORD_EMBEDDINGS)
        vocabulary = tokenizer.vocabulary
        self._tokenizer = tokenizer
        self._expansion = SparseExpansion(vocabulary, embeddings, token_rarity(vocabulary))

    def start(self, request: HostRequest, deadline: float) -> tuple[list[TokenizedText], Collector]:
        texts = self._tokenizer.tokenize(request.texts, deadline)
        return texts, SparseCollector(self._expansion, len(texts))


class LearnedSparseHead:
    """Weights that the model was trained to give, over its whole vocabulary."""

    def __init__(self, folder: Path, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._weights = LearnedWeights(tokenizer.vocabulary, tokenizer.special_ids)

    def start(self, request: HostRequest, deadline: float) -> tuple[list[TokenizedText], Collector]:
        texts = self._tokenizer.tokenize(request.texts, deadline)
        return texts, SparseCollector(self._weights, len(texts))


class Weigher(Protocol):
    def weights(self, text: EncodedText) -> dict[str, float]: ...


class SparseCollector:
    def __init__(self, weigher: Weigher, count: int) -> None:
        self._weigher = weigher
        self._weights: list[dict[str, float]] = [{}] * count
        self._truncated: dict[int, Truncation] = {}

    def add(self, index: int, text: EncodedText) -> None:
        self._weights[index] = self._weigher.weights(text)
        if text.truncation:
            self._truncated[index] = text.truncation

    def reply(self) -> HostReply:
        return HostReply(weights=self._weights, truncated=self._truncated)


class RerankHead:
    """How well each token of the query is met somewhere in a document."""

    def __init__(self, folder: Path, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._scorer = LateInteraction(token_rarity(tokenizer.vocabulary))

    def start(self, request: HostRequest, deadline: float) -> tuple[list[TokenizedText], Collector]:
        texts = self._tokenizer.tokenize((request.query or "", *request.texts), deadline)
        return texts, RerankCollector(self._scorer, len(request.texts))


class RerankCollector:
    """Scores a document as soon as it and the query are there, so that states do not pile up.

    Text 0 is the query, the documents follow.
    """

    def __init__(self, scorer: LateInteraction, documents: int) -> None:
        self._scorer = scorer
        self._query: EncodedText | None = None
        self._early: list[tuple[int, EncodedText]] = []
        self._scores = [0.0] * documents
        self._truncated: dict[int, Truncation] = {}
        self._lock = threading.Lock()

    def add(self, index: int, text: EncodedText) -> None:
        if text.truncation:
            self._truncated[index] = text.truncation
        with self._lock:
            if index == 0:
                self._query = text
                ready, self._early = self._early, []
            elif self._query is None:
                self._early.append((index, text))
                return
            else:
                ready = [(index, text)]
            query = self._query
        if ready:
            scores = self._scorer.score(query, [document for _, document in ready])
            for (position, _), score in zip(ready, scores, strict=True):
                self._scores[position - 1] = round(float(score), SCORE_DECIMALS)

    def reply(self) -> HostReply:
        return HostReply(scores=self._scores, truncated=self._truncated)


class CrossEncoderHead:
    """The score that the model gives to query and document, read together."""

    def __init__(self, folder: Path, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer

    def start(self, request: HostRequest, deadline: float) -> tuple[list[TokenizedText], Collector]:
        cut, pairs = self._tokenizer.pairs(request.query or "", request.texts, deadline)
        return pairs, CrossEncoderCollector(cut, len(pairs))


class CrossEncoderCollector:
    """Scores are the model's logits, of any size and sign."""

    def __init__(self, query_cut: Truncation | None, documents: int) -> None:
        self._scores = [0.0] * documents
        self._truncated = {0: query_cut} if query_cut else {}

    def add(self, index: int, text: EncodedText) -> None:
        self._scores[index] = round(float(text.states[0, 0]), SCORE_DECIMALS)
        if text.truncation:
            self._truncated[index + 1] = text.truncation

    def reply(self) -> HostReply:
        return HostReply(scores=self._scores, truncated=self._truncated)


HEADS: dict[tuple[TaskType, Output], Callable[[Path, TextTokenizer], Head]] = {
    (TaskType.TEXT_EMBEDDING, Output.STATES): EmbeddingHead,
    (TaskType.TEXT_EMBEDDING, Output.VECTOR): VectorHead,
    (TaskType.SPARSE_EMBEDDING, Output.STATES): SparseHead,
    (TaskType.SPARSE_EMBEDDING, Output.LOGITS): LearnedSparseHead,
    (TaskType.RERANK, Output.STATES): RerankHead,
    (TaskType.RERANK, Output.SCORE): CrossEncoderHead,
}


def make_head(task_type: TaskType, output: Output, folder: Path, tokenizer: TextTokenizer) -> Head:
    """Raises UnsupportedModel for a graph that gives nothing that this task could use."""
    try:
        make = HEADS[task_type, output]
    except KeyError:
        raise UnsupportedModel(
            f"The model gives [{output}], which is of no use for task type [{task_type}]"
        ) from None
    return make(folder, tokenizer)
