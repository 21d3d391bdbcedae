"""Documents longer than a reranker's window, read in chunks of which the best one counts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from inference.chunking import chunk, chunk_texts
from inference.chunking.settings import SentenceChunking
from inference.chunking.text import ChunkedText
from inference.types import Truncation

WINDOW_TOKENS = 512
# What a document gets however long the query is, and what the model puts around the two.
LEAST_TOKENS, SPECIAL_TOKENS = 256, 3
WORDS_PER_TOKEN = 0.75


@dataclass(frozen=True)
class ChunkedDocuments:
    """texts: all chunks, document by document. counts: how many of them each document has.

    has_rest: whether there is more of a document than the chunks that were kept.
    """

    texts: tuple[str, ...]
    counts: tuple[int, ...]
    has_rest: tuple[bool, ...]

    def best(self, scores: Sequence[float]) -> list[float]:
        """The score of each document out of those of the chunks: that of its best one."""
        return [max(scores[start:end]) for start, end in self._bounds()]

    def cut(self, chunks: Mapping[int, Truncation]) -> dict[int, Truncation]:
        """Which documents were not read to their end, out of what was cut of the chunks."""
        found = {}
        for number, (start, end) in enumerate(self._bounds()):
            has_rest = self.has_rest[number]
            cuts = [chunks[chunk] for chunk in range(start, end) if chunk in chunks]
            if cuts or has_rest:
                found[number] = Truncation(
                    WINDOW_TOKENS,
                    sum(one.lost_tokens for one in cuts) + has_rest,
                    is_exact=not has_rest and all(one.is_exact for one in cuts),
                )
        return found

    def _bounds(self) -> list[tuple[int, int]]:
        return list(pairwise(accumulate(self.counts, initial=0)))


def chunk_documents(
    query: str, documents: Sequence[str], max_chunks_per_doc: int | None
) -> ChunkedDocuments:
    """Cut each document into chunks that fit the window beside the query; keep the first ones."""
    settings = SentenceChunking(max_chunk_size=chunk_words(query), sentence_overlap=1)
    texts: list[str] = []
    counts, has_rest = [], []
    for document in documents:
        spans = chunk(document, settings)
        kept = spans[:max_chunks_per_doc]
        texts += chunk_texts(document, kept)
        counts.append(len(kept))
        has_rest.append(len(kept) < len(spans))
    return ChunkedDocuments(tuple(texts), tuple(counts), tuple(has_rest))


def chunk_words(query: str) -> int:
    """How many words a chunk may have, by the tokens that the query is likely to take.

    Source: Elasticsearch's ChunkingSettingsBuilder and RerankRequestChunker.
    """
    text = ChunkedText(query)
    query_tokens = math.ceil(text.count_words(0, len(text)) / WORDS_PER_TOKEN)
    left = max(LEAST_TOKENS, WINDOW_TOKENS - SPECIAL_TOKENS - query_tokens)
    return math.floor(WORDS_PER_TOKEN * left)
