"""How near a candidate's results are to those of fp32."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import inf
from pathlib import Path

import numpy as np

from inference.arrays import FloatArray
from inference.runner.batching import FULL_ROW, Encoder
from inference.runner.encoded import EncodedText
from inference.runner.heads import make_head
from inference.runner.outputs import Output
from inference.runner.packing import pack, unpack
from inference.runner.pooling import mean_pool, normalize
from inference.runner.precision.texts import QUESTIONS
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.tokenizer import TextTokenizer, TokenizedText
from inference.types import TaskType

TOP_TOKENS = 20
ENOUGH_S = 60.0
ASKED = tuple(question for question, _ in QUESTIONS)
PASSAGES = tuple(passage for _, passage in QUESTIONS)


@dataclass(frozen=True)
class Answers:
    """What a model makes of the probe texts. vectors: (texts, dim), each of length one.

    rankings: for each question the scores of all passages. top_tokens: of each text.
    """

    vectors: FloatArray
    rankings: tuple[tuple[float, ...], ...] = ()
    top_tokens: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Nearness:
    """As in report.Trial."""

    lowest_cosine: float
    mean_cosine: float
    agreement: float | None


class Probe:
    """The probe texts on their way through one model's tokenizer and head."""

    def __init__(self, folder: Path, task_type: TaskType, max_input_tokens: int) -> None:
        self._task = task_type
        tokenizer = TextTokenizer(folder, max_input_tokens)
        self._head = make_head(task_type, Output.STATES, folder, tokenizer)
        self._texts = tokenizer.tokenize(ASKED + PASSAGES)

    def answers(self, encoder: Encoder) -> list[Answers]:
        """Of the texts alone, and of the texts together in full rows, as under load."""
        alone = [[text] for text in self._texts]
        return [self._read(_encode(encoder, rows)) for rows in (alone, full_rows(self._texts))]

    def _read(self, texts: list[EncodedText]) -> Answers:
        if self._task == TaskType.TEXT_EMBEDDING:
            vectors = self._reply(texts).vectors
            assert vectors is not None  # noqa: S101 - the head of this task makes them
            return Answers(np.stack([normalize(vector) for vector in vectors]))
        pooled = np.stack([normalize(mean_pool(text.states)) for text in texts])
        if self._task == TaskType.RERANK:
            passages = texts[len(ASKED) :]
            rankings = tuple(
                tuple(self._reply([question, *passages], query).scores or ())
                for query, question in zip(ASKED, texts, strict=False)
            )
            return Answers(pooled, rankings=rankings)
        weights = self._reply(texts).weights or []
        top = tuple(
            frozenset(sorted(one, key=lambda token: (-one[token], token))[:TOP_TOKENS])
            for one in weights
        )
        return Answers(pooled, top_tokens=top)

    def _reply(self, texts: list[EncodedText], query: str | None = None) -> HostReply:
        named = PASSAGES if query is not None else ASKED + PASSAGES
        _, collector = self._head.start(HostRequest(named, query, ENOUGH_S), inf)
        for index, text in enumerate(texts):
            collector.add(index, text)
        return collector.reply()


def nearness(full: Sequence[Answers], other: Sequence[Answers]) -> Nearness:
    """Compare what two models make of the same texts, given in the same ways."""
    cosines = np.concatenate(
        [np.vecdot(a.vectors, b.vectors) for a, b in zip(full, other, strict=True)]
    )
    shares = [share for a, b in zip(full, other, strict=True) for share in _agreements(a, b)]
    return Nearness(
        lowest_cosine=float(cosines.min()),
        mean_cosine=float(cosines.mean()),
        agreement=float(np.mean(shares)) if shares else None,
    )


def same_order(full: Sequence[float], other: Sequence[float]) -> float:
    """The share of pairs that stand in the same order; a tie on either side agrees."""
    signs = [
        (full[i] - full[j]) * (other[i] - other[j]) for i, j in combinations(range(len(full)), 2)
    ]
    return float(np.mean([sign >= 0 for sign in signs])) if signs else 1.0


def overlap(full: frozenset[str], other: frozenset[str]) -> float:
    """The share of tokens in common; two empty sets agree."""
    return len(full & other) / max(len(full), len(other)) if full or other else 1.0


def full_rows(texts: Sequence[TokenizedText]) -> list[list[TokenizedText]]:
    """The texts in their order, in rows as they are made under load."""
    ends = [0]
    tokens = 0
    for number, text in enumerate(texts):
        tokens += len(text.ids)
        if tokens > FULL_ROW and number > ends[-1]:
            ends.append(number)
            tokens = len(text.ids)
    return [list(texts[start:end]) for start, end in pairwise([*ends, len(texts)])]


def _agreements(full: Answers, other: Answers) -> list[float]:
    return [
        *(same_order(a, b) for a, b in zip(full.rankings, other.rankings, strict=True)),
        *(overlap(a, b) for a, b in zip(full.top_tokens, other.top_tokens, strict=True)),
    ]


def _encode(encoder: Encoder, rows: Sequence[Sequence[TokenizedText]]) -> list[EncodedText]:
    encoded = []
    for texts in rows:
        row = pack(texts)
        states = unpack(encoder.run(row), row)
        encoded += [
            EncodedText(text.ids, own, text.truncation)
            for text, own in zip(texts, states, strict=True)
        ]
    return encoded
