"""How near a candidate's results are to those of fp32."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise
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
from inference.runner.precision.probes import QUESTIONS, VARIED
from inference.runner.precision.report import Measure, Nearness
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.tokenizer import TextTokenizer, TokenizedText
from inference.types import TaskType

TOP_TOKENS = 20
ENOUGH_S = 60.0
LOW_PERCENT = 5
# A trained reranker reads each question with so many passages, of which the first answers it.
PASSAGES_EACH = 10
# Passages whose scores are nearer than this share of their spread are as good as each other: which
# of two that answer nothing is the worse one tells nobody anything.
TOLD_APART = 0.05
ASKED = tuple(question for question, _ in QUESTIONS)
PASSAGES = tuple(passage for _, passage in QUESTIONS)
TEXTS = ASKED + PASSAGES + VARIED

Rows = Callable[[Sequence[TokenizedText]], list[list[TokenizedText]]]
Weights = dict[str, float]
Rankings = tuple[tuple[float, ...], ...]

MEASURES = {
    (TaskType.TEXT_EMBEDDING, Output.STATES): Measure.VECTORS,
    (TaskType.RERANK, Output.STATES): Measure.STATES,
    (TaskType.SPARSE_EMBEDDING, Output.STATES): Measure.STATES,
    (TaskType.RERANK, Output.SCORE): Measure.SCORES,
    (TaskType.SPARSE_EMBEDDING, Output.LOGITS): Measure.WEIGHTS,
}


@dataclass(frozen=True)
class Answers:
    """What a model makes of the probe texts, as far as its measure looks at it.

    vectors: (texts, dim), each of length one. rankings: for each question the scores of its
    passages. weights: of each text.
    """

    vectors: FloatArray | None = None
    rankings: Rankings = ()
    weights: tuple[Weights, ...] = ()


class Probe:
    """The probe texts on their way through one model's tokenizer and head."""

    def __init__(
        self, folder: Path, task_type: TaskType, output: Output, max_input_tokens: int
    ) -> None:
        """output: of the model's graph. Raises UnsupportedModel where the task cannot use it."""
        tokenizer = TextTokenizer(folder, max_input_tokens)
        self._task = task_type
        self._head = make_head(task_type, output, folder, tokenizer)
        self._texts = tokenizer.tokenize(TEXTS)
        self.measure = MEASURES[task_type, output]

    def answers(self, encoder: Encoder) -> list[Answers]:
        """Of the texts alone, and of the texts together in full rows, as under load."""
        return [self._read(encoder, rows) for rows in (alone, full_rows)]

    def _read(self, encoder: Encoder, rows: Rows) -> Answers:
        match self.measure:
            case Measure.VECTORS:
                vectors = self._ask(HostRequest(TEXTS, None, ENOUGH_S), encoder, rows).vectors
                assert vectors is not None  # noqa: S101 - the head of this task makes them
                return Answers(np.stack([normalize(vector) for vector in vectors]))
            case Measure.WEIGHTS:
                weights = self._ask(HostRequest(TEXTS, None, ENOUGH_S), encoder, rows).weights
                return Answers(weights=tuple(weights or ()))
            case Measure.SCORES:
                requests = [HostRequest(some, asked, ENOUGH_S) for asked, some in candidates()]
                replies = [self._ask(request, encoder, rows) for request in requests]
                return Answers(rankings=tuple(tuple(reply.scores or ()) for reply in replies))
            case Measure.STATES:
                return self._of_states(list(_encode(encoder, rows(self._texts))))

    def _of_states(self, texts: list[EncodedText]) -> Answers:
        """What all heads make of the same states, which take the time."""
        pooled = np.stack([normalize(mean_pool(text.states)) for text in texts])
        if self._task == TaskType.SPARSE_EMBEDDING:
            request = HostRequest(TEXTS, None, ENOUGH_S)
            return Answers(pooled, weights=tuple(self._reply(request, texts).weights or ()))
        passages = texts[len(ASKED) : len(ASKED + PASSAGES)]
        rankings = tuple(
            tuple(
                self._reply(HostRequest(PASSAGES, asked, ENOUGH_S), [question, *passages]).scores
                or ()
            )
            for asked, question in zip(ASKED, texts, strict=False)
        )
        return Answers(pooled, rankings=rankings)

    def _ask(self, request: HostRequest, encoder: Encoder, rows: Rows) -> HostReply:
        """As a host would. A row's results go before the next come: logits take much memory."""
        texts, collector = self._head.start(request, inf)
        for index, text in enumerate(_encode(encoder, rows(texts))):
            collector.add(index, text)
        return collector.reply()

    def _reply(self, request: HostRequest, texts: Sequence[EncodedText]) -> HostReply:
        _, collector = self._head.start(request, inf)
        for index, text in enumerate(texts):
            collector.add(index, text)
        return collector.reply()


def candidates() -> list[tuple[str, tuple[str, ...]]]:
    """Each question with its own passage and those of the questions that follow."""
    passages = PASSAGES * 2
    return [
        (question, passages[number : number + PASSAGES_EACH])
        for number, question in enumerate(ASKED)
    ]


def nearness(measure: Measure, full: Sequence[Answers], other: Sequence[Answers]) -> Nearness:
    """Compare what two models make of the same texts, given in the same ways."""
    pairs = list(zip(full, other, strict=True))
    rankings = [both for a, b in pairs for both in zip(a.rankings, b.rankings, strict=True)]
    weights = [both for a, b in pairs for both in zip(a.weights, b.weights, strict=True)]
    margin = TOLD_APART if measure == Measure.SCORES else 0.0
    shares = [same_order(a, b, margin) for a, b in rankings] + [overlap(a, b) for a, b in weights]
    agreement = float(np.mean(shares)) if shares else None
    if measure in (Measure.SCORES, Measure.WEIGHTS):
        differences = [score_difference(a.rankings, b.rankings) for a, b in pairs if a.rankings]
        differences += [weight_difference(a, b) for a, b in weights]
        return Nearness(agreement=agreement, largest_difference=max(differences))
    cosines = np.concatenate(
        [
            np.vecdot(a.vectors, b.vectors)
            for a, b in pairs
            if a.vectors is not None and b.vectors is not None
        ]
    )
    return Nearness(
        lowest_cosine=float(cosines.min()),
        low_cosine=float(np.percentile(cosines, LOW_PERCENT)),
        mean_cosine=float(cosines.mean()),
        agreement=agreement,
    )


def same_order(full: Sequence[float], other: Sequence[float], margin: float = 0.0) -> float:
    """The share of pairs that stand in the same order; a tie on either side agrees.

    margin: pairs that are nearer in `full` than this share of its spread are left out.
    """
    least = margin * spread(full)
    signs = [
        (full[i] - full[j]) * (other[i] - other[j])
        for i, j in combinations(range(len(full)), 2)
        if abs(full[i] - full[j]) >= least
    ]
    return float(np.mean([sign >= 0 for sign in signs])) if signs else 1.0


def overlap(full: Weights, other: Weights) -> float:
    """The share of the strongest tokens in common; two empty sets agree."""
    one, two = strongest(full), strongest(other)
    return len(one & two) / max(len(one), len(two)) if one or two else 1.0


def strongest(weights: Weights) -> set[str]:
    return set(sorted(weights, key=lambda token: (-weights[token], token))[:TOP_TOKENS])


def score_difference(full: Rankings, other: Rankings) -> float:
    """The largest change of a score, as a share of how far apart all scores in `full` are.

    Of all questions: one whose passages all answer nothing has scores that are hardly apart.
    """
    one, two = [list(chain.from_iterable(rankings)) for rankings in (full, other)]
    return _share(max(abs(a - b) for a, b in zip(one, two, strict=True)), spread(one))


def weight_difference(full: Weights, other: Weights) -> float:
    """How much weight is another, as a share of all the weight in `full`."""
    changed = sum(abs(full.get(token, 0) - other.get(token, 0)) for token in full | other)
    return _share(changed, sum(full.values()))


def spread(scores: Sequence[float]) -> float:
    return max(scores) - min(scores)


def _share(part: float, whole: float) -> float:
    """Nothing of nothing is nothing, and something of it is all."""
    return part / whole if whole else float(part > 0)


def alone(texts: Sequence[TokenizedText]) -> list[list[TokenizedText]]:
    """Each text in a row of its own."""
    return [[text] for text in texts]


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


def _encode(encoder: Encoder, rows: Sequence[Sequence[TokenizedText]]) -> Iterator[EncodedText]:
    """What becomes of the texts, in their order, a row at a time."""
    for texts in rows:
        row = pack(texts)
        states = unpack(encoder.run(row), row)
        for text, own in zip(texts, states, strict=True):
            yield EncodedText(text.ids, own, text.truncation)
