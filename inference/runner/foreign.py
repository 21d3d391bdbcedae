"""Networks that were made elsewhere: an ONNX graph, or TorchScript with the `torch` extra."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from inference.arrays import FloatArray, IntArray
from inference.errors import UnsupportedModel
from inference.nlp_config import Kind
from inference.runner.definition import DEFINITION_FILE, DefinitionKind, definition_kind
from inference.runner.session import session_options

LongArray: TypeAlias = npt.NDArray[np.int64]
Ids: TypeAlias = Sequence[int] | IntArray
INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
INPUT_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
ANSWER_OUTPUTS = ("start_logits", "end_logits")
TORCH_EXTRA = ".venv/bin/pip install 'torch>=2.6'"


@dataclass(frozen=True)
class PaddedBatch:
    """What networks take, each (batch, tokens): one row a sequence, padded to the longest."""

    input_ids: LongArray
    attention_mask: LongArray
    token_type_ids: LongArray
    position_ids: LongArray

    @classmethod
    def of(cls, texts: Sequence[tuple[Ids, Ids]], pad_id: int = 0) -> "PaddedBatch":
        """texts: the ids and the types of the tokens of each."""
        longest = max(len(ids) for ids, _ in texts)
        shape = (len(texts), max(longest, 1))
        ids, mask, types = np.full(shape, pad_id), np.zeros(shape, int), np.zeros(shape, int)
        for row, (own_ids, own_types) in enumerate(texts):
            length = len(own_ids)
            ids[row, :length], mask[row, :length] = own_ids, 1
            types[row, :length] = own_types
        return cls(ids, mask, types, np.broadcast_to(np.arange(shape[1]), shape).copy())


def inputs_of(session: ort.InferenceSession) -> dict[str, type]:
    """What a graph wants, by name, each with its kind of number.

    Raises UnsupportedModel for a graph that asks for what a text does not have.
    """
    for node in session.get_inputs():
        if node.name not in INPUTS or node.type not in INPUT_TYPES:
            raise UnsupportedModel(
                f"the ONNX graph wants an input [{node.name}] of {node.type}; "
                f"there are [{', '.join(INPUTS)}] of int64 or int32"
            )
    return {node.name: INPUT_TYPES[node.type] for node in session.get_inputs()}


class Network(Protocol):
    def run(self, batch: PaddedBatch) -> FloatArray:
        """(batch, ...): what the network says of each sequence; padding is not cut off.

        Of question answering (batch, 2, tokens): the logits of where an answer starts and ends.
        """


class OnnxNetwork:
    """A graph with named inputs; those of INPUTS that it declares are fed."""

    def __init__(self, path: Path, kind: Kind, threads: int) -> None:
        """Raises UnsupportedModel for a graph that asks for what a text does not have."""
        try:
            self._session = ort.InferenceSession(
                path, session_options(threads), providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # the library's errors have no common class
            raise UnsupportedModel(f"the ONNX graph cannot be loaded: {exc}") from exc
        self._inputs = inputs_of(self._session)
        names = [node.name for node in self._session.get_outputs()]
        self._is_pair = kind == Kind.QUESTION_ANSWERING and set(ANSWER_OUTPUTS) <= set(names)
        preferred = "sentence_embedding" if kind == Kind.TEXT_EMBEDDING else "logits"
        own = preferred if preferred in names else names[0]
        self._outputs = list(ANSWER_OUTPUTS) if self._is_pair else [own]

    def run(self, batch: PaddedBatch) -> FloatArray:
        feed = {
            name: getattr(batch, name).astype(kind, copy=False)
            for name, kind in self._inputs.items()
        }
        outputs: list[FloatArray] = self._session.run(self._outputs, feed)
        return np.stack(outputs, axis=1) if self._is_pair else outputs[0]


class TorchNetwork:
    """A traced or scripted network. It takes as many of INPUTS as it has parameters, in order."""

    def __init__(self, path: Path, kind: Kind, threads: int) -> None:
        """Raises UnsupportedModel where PyTorch is not installed or cannot load the archive."""
        if importlib.util.find_spec("torch") is None:
            raise UnsupportedModel(
                "a TorchScript model needs PyTorch, the optional extra [torch], which is not "
                f"installed here: {TORCH_EXTRA}"
            )
        import torch

        torch.set_num_threads(threads)
        self._torch: Any = torch
        try:
            self._module = torch.jit.load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError) as exc:
            raise UnsupportedModel(f"the TorchScript archive cannot be loaded: {exc}") from exc
        self._count = len(self._module.forward.schema.arguments) - 1  # without `self`
        if not 1 <= self._count <= len(INPUTS):
            raise UnsupportedModel(
                f"the TorchScript network takes {self._count} inputs; "
                f"there are [{', '.join(INPUTS)}]"
            )
        self._is_pair = kind == Kind.QUESTION_ANSWERING

    def run(self, batch: PaddedBatch) -> FloatArray:
        tensors = [self._torch.from_numpy(getattr(batch, name)) for name in INPUTS[: self._count]]
        with self._torch.inference_mode():
            output = self._module(*tensors)
        if isinstance(output, dict):
            output = next(iter(output.values()))
        elif isinstance(output, tuple | list):
            output = output[0]
        array: FloatArray = output.float().numpy()
        # Such networks stack the two rows of an answer before the batch.
        return array.swapaxes(0, 1) if self._is_pair else array


def load_network(folder: Path, kind: Kind, threads: int) -> Network:
    """The network of an upload. Raises UnsupportedModel."""
    path = folder / DEFINITION_FILE
    if definition_kind(folder) == DefinitionKind.ONNX:
        return OnnxNetwork(path, kind, threads)
    return TorchNetwork(path, kind, threads)
