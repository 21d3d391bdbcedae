"""What every graph is put together from: named weights, operators and inputs."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnx
from safetensors import SafetensorError, safe_open

from inference.arrays import FloatArray, IntArray
from inference.errors import UnsupportedModel
from inference.runner.tensors import StoredTensor, find_tensor

Shape = tuple[int, ...]

FUSED = "com.microsoft"  # ONNX Runtime's own operators; the rest are ONNX's
READABLE_TYPES = frozenset({"F32", "F16"})
# A protobuf message, which a graph file is, ends at 2 GiB; some of it goes to names.
MAX_GRAPH_BYTES = 2**31 - 2**20
MAX_TOLD = 5
# Names that the first checkpoints gave to the two halves of a normalization.
OLD_NAMES = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


class WeightsReader:
    """A safetensors file, read tensor by tensor.

    Raises UnsupportedModel when it is none. Use it with `with`.
    """

    def __init__(self, path: Path, prefixes: tuple[str, ...]) -> None:
        """prefixes: what may stand before each name, as in `bert.encoder...`; "" for nothing."""
        self._file: Any  # safetensors describes no types
        try:
            self._file = safe_open(path, framework="numpy")
        except SafetensorError as exc:
            raise UnsupportedModel(f"{path.name} is no safetensors file: {exc}") from exc
        self._names = set(self._file.keys())
        self._prefixes = prefixes
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, exc, at)

    def check(self, shapes: Mapping[str, Shape]) -> None:
        """Raises UnsupportedModel that tells all that is missing, of another shape or type."""
        problems = [problem for name in shapes if (problem := self._problem(name, shapes[name]))]
        if len(problems) > MAX_TOLD:
            problems[MAX_TOLD:] = [f"and {len(problems) - MAX_TOLD} more"]
        if problems:
            raise UnsupportedModel(f"{self._path.name} does not fit: {'; '.join(problems)}")
        size_bytes = 4 * sum(int(np.prod(shape)) for shape in shapes.values())
        if size_bytes > MAX_GRAPH_BYTES:
            raise UnsupportedModel(
                f"{self._path.name} makes a graph of {size_bytes / 1e9:.1f} GB; "
                f"larger ones than {MAX_GRAPH_BYTES / 1e9:.1f} GB are not built here"
            )

    def read(self, name: str) -> FloatArray:
        """The tensor in the shape that it has in the file."""
        tensor: npt.NDArray[Any] = self._file.get_tensor(self._stored_name(name))
        return tensor.astype(np.float32, copy=False)

    def place(self, name: str) -> StoredTensor:
        """Where the tensor's numbers stand in the file. Raises ValueError for other than F32."""
        return find_tensor(self._path, self._stored_name(name) or name)

    def _problem(self, name: str, shape: Shape) -> str | None:
        stored_name = self._stored_name(name)
        if stored_name is None:
            return f"{name} is missing"
        entry = self._file.get_slice(stored_name)
        if entry.get_dtype() not in READABLE_TYPES:
            return f"{name} holds {entry.get_dtype()} instead of F32 or F16 numbers"
        found = tuple(entry.get_shape())
        return None if found == shape else f"{name} has shape {found} instead of {shape}"

    def _stored_name(self, name: str) -> str | None:
        spellings = [name]
        spellings += [name.replace(new, old) for new, old in OLD_NAMES.items() if new in name]
        names = (prefix + spelling for prefix in self._prefixes for spelling in spellings)
        return next((stored for stored in names if stored in self._names), None)


class GraphDraft:
    """A graph being put together. Every method returns the name to refer to what it added."""

    def __init__(self) -> None:
        # Filled in place: the helpers that put a model together copy the weights at each step.
        self._model = onnx.ModelProto(ir_version=10)
        for domain, version in (("", 17), (FUSED, 1)):
            self._model.opset_import.add(domain=domain, version=version)
        self._graph = self._model.graph

    def input(self, name: str, dimensions: tuple[str, ...]) -> str:
        """Add an int32 input; its dimensions are named, so that any length fits."""
        kind = onnx.TensorProto.INT32
        self._graph.input.append(onnx.helper.make_tensor_value_info(name, kind, dimensions))
        return name

    def weight(self, name: str, array: FloatArray | IntArray | npt.NDArray[np.int64]) -> str:
        self._graph.initializer.add(
            name=name,
            data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
            dims=array.shape,
            raw_data=array.tobytes(),
        )
        return name

    def stored(self, name: str, place: StoredTensor) -> str:
        """A float weight that stays in the file where it is, beside the graph."""
        tensor = self._graph.initializer.add(
            name=name, data_type=onnx.TensorProto.FLOAT, dims=place.shape
        )
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (
            ("location", place.path.name),
            ("offset", place.offset),
            ("length", place.size_bytes),
        ):
            tensor.external_data.add(key=key, value=str(value))
        return name

    def fused(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self._add(operator, inputs, [output], domain=FUSED, **attributes)

    def embed(self, inputs: list[str], output: str, **attributes: Any) -> str:
        """EmbedLayerNormalization, whose second output must have a name though nobody reads it."""
        outputs = [output, f"{output}.mask_index"]
        return self._add("EmbedLayerNormalization", inputs, outputs, domain=FUSED, **attributes)

    def op(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """One of ONNX's own operators."""
        return self._add(operator, inputs, [output], **attributes)

    def matmul(self, left: str, right: str, output: str) -> str:
        return self.op("MatMul", [left, right], output)

    def finish(self, name: str, output: str, dimensions: tuple[str | int, ...]) -> onnx.ModelProto:
        """The model, with one float output of that name, which a node must have made."""
        kind = onnx.TensorProto.FLOAT
        self._graph.name = name
        self._graph.output.append(onnx.helper.make_tensor_value_info(output, kind, dimensions))
        return self._model

    def _add(self, operator: str, inputs: list[str], outputs: list[str], **more: Any) -> str:
        node = onnx.helper.make_node(operator, inputs, outputs, name=outputs[0], **more)
        self._graph.node.append(node)
        return outputs[0]
