"""What every graph is put together from: named weights, operators and inputs."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnx
from safetensors import SafetensorError, safe_open

from inference.arrays import FloatArray
from inference.errors import UnsupportedModel

Shape = tuple[int, ...]

FUSED = "com.microsoft"  # ONNX Runtime's own operators; the rest are ONNX's
READABLE_TYPES = frozenset({"F32", "F16"})
# A protobuf message, which a graph file is, ends at 2 GiB; some of it goes to names.
MAX_GRAPH_BYTES = 2**31 - 2**20
MAX_TOLD = 5


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
        self._source = path.name

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
            raise UnsupportedModel(f"{self._source} does not fit: {'; '.join(problems)}")
        size_bytes = 4 * sum(int(np.prod(shape)) for shape in shapes.values())
        if size_bytes > MAX_GRAPH_BYTES:
            raise UnsupportedModel(
                f"{self._source} makes a graph of {size_bytes / 1e9:.1f} GB; "
                f"larger ones than {MAX_GRAPH_BYTES / 1e9:.1f} GB are not built here"
            )

    def read(self, name: str) -> FloatArray:
        """The tensor in the shape that it has in the file."""
        tensor: npt.NDArray[Any] = self._file.get_tensor(self._stored_name(name))
        return tensor.astype(np.float32, copy=False)

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
        names = (prefix + name for prefix in self._prefixes)
        return next((stored for stored in names if stored in self._names), None)


class GraphDraft:
    """A graph being put together. Every method returns the name to refer to what it added."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dimensions: tuple[str, ...]) -> str:
        """Add an int32 input; its dimensions are named, so that any length fits."""
        kind = onnx.TensorProto.INT32
        self._inputs.append(onnx.helper.make_tensor_value_info(name, kind, dimensions))
        return name

    def weight(self, name: str, array: FloatArray) -> str:
        self._weights.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def fused(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self._add(operator, inputs, [output], domain=FUSED, **attributes)

    def embed(self, inputs: list[str], output: str, **attributes: Any) -> str:
        """EmbedLayerNormalization, whose second output must have a name though nobody reads it."""
        outputs = [output, f"{output}.mask_index"]
        return self._add("EmbedLayerNormalization", inputs, outputs, domain=FUSED, **attributes)

    def matmul(self, left: str, right: str, output: str) -> str:
        return self._add("MatMul", [left, right], [output])

    def finish(self, name: str, output: str, dimensions: tuple[str | int, ...]) -> onnx.ModelProto:
        """The model, with one float output of that name, which a node must have made."""
        kind = onnx.TensorProto.FLOAT
        result = onnx.helper.make_tensor_value_info(output, kind, dimensions)
        graph = onnx.helper.make_graph(self._nodes, name, self._inputs, [result], self._weights)
        opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid(FUSED, 1)]
        return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def _add(self, operator: str, inputs: list[str], outputs: list[str], **more: Any) -> str:
        node = onnx.helper.make_node(operator, inputs, outputs, name=outputs[0], **more)
        self._nodes.append(node)
        return outputs[0]
