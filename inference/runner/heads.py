"""What each task makes of the token states. A head is made once, a collector once a request."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from inference.arrays import FloatArray
from inference.runner.encoded import EncodedText
from inference.runner.late_interaction import LateInteraction
from inference.runner.pooling import mean_pool, normalize
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.rarity import token_rarity
from inference.runner.sparse import SparseExpansion
from inference.runner.tensors import mapped_tensor
from inference.runner.tokenizer import TextTokenizer
from inference.types import TaskType, Truncation

SCORE_DECIMALS = 6
WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


class Collector(Protocol):
    """Takes the texts of one request as they come, in any order and on any thread."""

    def add(self, index: int, text: EncodedText) -> None: ...

    def reply(self) -> HostReply: ...


class Head(Protocol):
    def collector(self, request: HostRequest) -> Collector: ...


class EmbeddingHead:
    """The mean of the token states, scaled to length one."""

    def collector(self, request: HostRequest) -> Collector:
        return EmbeddingCollector(len(request.texts))


class EmbeddingCollector:
    def __init__(self, count: int) -> None:
        self._rows: list[FloatArray | None] = [None] * count
        self._truncated: dict[int, Truncation] = {}

    def add(self, index: int, text: EncodedText) -> None:
        self._rows[index] = normalize(mean_pool(text.states))
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
        self._expansion = SparseExpansion(vocabulary, embeddings, token_rarity(vocabulary))

    def collector(self, request: HostRequest) -> Collector:
        return SparseCollector(self._expansion, len(request.texts))


class SparseCollector:
    def __init__(self, expansion: SparseExpansion, count: int) -> None:
        self._expansion = expansion
        self._weights: list[dict[str, float]] = [{}] * count
        self._truncated: dict[int, Truncation] = {}

    def add(self, index: int, text: EncodedText) -> None:
        self._weights[index] = self._expansion.weights(text)
        if text.truncation:
            self._truncated[index] = text.truncation

    def reply(self) -> HostReply:
        return HostReply(weights=self._weights, truncated=self._truncated)


class RerankHead:
    """How well each token of the query is met somewhere in a document."""

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self._scorer = LateInteraction(token_rarity(tokenizer.vocabulary))

    def collector(self, request: HostRequest) -> Collector:
        return RerankCollector(self._scorer, len(request.texts))


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


HEADS: dict[TaskType, Callable[[Path, TextTokenizer], Head]] = {
    TaskType.TEXT_EMBEDDING: lambda _folder, _tokenizer: EmbeddingHead(),
    TaskType.SPARSE_EMBEDDING: SparseHead,
    TaskType.RERANK: lambda _folder, tokenizer: RerankHead(tokenizer),
}
