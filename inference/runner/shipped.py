"""ONNX graphs as their makers publish them, behind the interface of the graphs that are built here.

Such a graph takes a batch of texts, one a row, and its own names for what comes out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from inference.arrays import FloatArray
from inference.errors import UnsupportedModel
from inference.runner.foreign import PaddedBatch, inputs_of
from inference.runner.outputs import Output
from inference.runner.packing import PackedRow, pack
from inference.runner.session import session_options
from inference.runner.tokenizer import TokenizedText

# What graphs call a pooled vector, a trained head's answer, and the states of the tokens.
VECTOR, HEAD, STATES = "sentence_embedding", "logits", ("last_hidden_state", "token_embeddings")
OF_TOKENS = 3  # dimensions of what holds something for each token: batch, tokens, numbers
# Texts share a batch while so many of its places hold tokens; a text of none other pads nothing.
LEAST_FULL = 0.8


class ShippedSession:
    """A graph with `threads` threads: a row of texts in, something for each of its tokens out.

    output: what comes out, by the name that a graph built here would have for it. What a graph
    gives once a text stands at each token of it.
    """

    def __init__(self, graph: Path, threads: int) -> None:
        """Raises UnsupportedModel for a graph that asks for what a text does not have."""
        self._session = ort.InferenceSession(
            graph, session_options(threads), providers=["CPUExecutionProvider"]
        )
        self._inputs = inputs_of(self._session)
        self.output: str
        self._name, self.output = chosen_output(self._session.get_outputs())
        self._least_full = LEAST_FULL if "attention_mask" in self._inputs else 1.0

    def run(self, row: PackedRow) -> FloatArray:
        """Returns (1, tokens, ...): what `output` says."""
        ids = np.split(row.ids[0], row.starts[1:])
        types = np.split(row.types[0], row.starts[1:])
        found: list[FloatArray] = [np.empty(0, np.float32)] * len(ids)
        for places in alike([len(text) for text in ids], self._least_full):
            batch = PaddedBatch.of([(ids[place], types[place]) for place in places])
            for place, states in zip(places, self._run(batch), strict=True):
                length = len(ids[place])
                is_of_text = states.ndim == 1
                found[place] = np.tile(states, (length, 1)) if is_of_text else states[:length]
        return np.concatenate(found)[None]

    def _run(self, batch: PaddedBatch) -> FloatArray:
        feed = {
            name: getattr(batch, name).astype(kind, copy=False)
            for name, kind in self._inputs.items()
        }
        output: FloatArray = self._session.run([self._name], feed)[0]
        return output.astype(np.float32, copy=False)


def chosen_output(outputs: Sequence[Any]) -> tuple[str, Output]:
    """Which of a graph's outputs to read, and what it is. Raises UnsupportedModel."""
    ranks = {node.name: len(node.shape) for node in outputs}
    if VECTOR in ranks:
        return VECTOR, Output.VECTOR
    if HEAD in ranks:
        return HEAD, Output.LOGITS if ranks[HEAD] == OF_TOKENS else Output.SCORE
    of_tokens = [name for name, rank in ranks.items() if rank == OF_TOKENS]
    if of_tokens:
        return next((name for name in STATES if name in of_tokens), of_tokens[0]), Output.STATES
    name, rank = next(iter(ranks.items()))
    if rank == OF_TOKENS - 1:
        return name, Output.VECTOR
    raise UnsupportedModel(
        f"the ONNX graph gives [{', '.join(ranks)}], none of which has a vector for each text or "
        "for each of its tokens"
    )


def alike(lengths: Sequence[int], least_full: float) -> Iterator[list[int]]:
    """The places of texts in groups of like length: of each, that share at least is no padding."""
    group: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        tokens = sum(lengths[other] for other in group) + lengths[place]
        if group and tokens < least_full * lengths[place] * (len(group) + 1):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def tried(graph: Path) -> tuple[Output, int]:
    """What a graph gives, and how many numbers for each token, by one run of it.

    Raises UnsupportedModel for one that cannot be run.
    """
    try:
        session = ShippedSession(graph, threads=1)
        made = session.run(pack([TokenizedText(np.ones(4, np.int32))] * 2))
    except UnsupportedModel:
        raise
    except Exception as exc:  # the library's errors have no common class
        raise UnsupportedModel(f"the ONNX graph cannot be run: {exc}") from exc
    return Output(session.output), made.shape[-1]
