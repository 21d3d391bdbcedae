"""A graph whose dense layers compute in bytes, made from the one in full precision.

The rest (embeddings, normalizations, the attention itself) stays as it is: it takes little time
and would cost much of the quality.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs

from inference.runner.files import sha256_of
from inference.runner.graph import GRAPH_FILE, write_model
from inference.runner.graph_draft import FUSED
from inference.runner.packing import PackedRow
from inference.runner.precision.layers import Layer, dense_layers, states_of
from inference.runner.precision.quantization import best_smoothing, rounded_for

INT8_FILE = "model.int8.onnx"
# Raise it with every change to what is built: graphs of another number are built anew.
INT8_VERSION = 1
SMALLEST_SIZE = 0.2  # of a token's states; GELU goes down to -0.17 where nothing is positive
TOKENS_AXIS = 2


def build_int8(folder: Path, rows: Sequence[PackedRow]) -> Path:
    """Make the graph beside the full one, unless it is there; rows: texts to fit it to.

    The same graph and rows give the same file. Raises what reading model.onnx raises.
    """
    target = folder / INT8_FILE
    made_of = _properties(folder / GRAPH_FILE, rows)
    if _properties_in(target) != made_of:
        model = onnx.load(folder / GRAPH_FILE)
        quantize(model, rows)
        onnx.helper.set_model_props(model, made_of)
        write_model(model, target)
    return target


def quantize(model: onnx.ModelProto, rows: Sequence[PackedRow]) -> None:
    """Put bytes in place of the model's dense layers. rows: the texts that tell what is usual."""
    layers = dense_layers(model)
    replaced = {
        layer.node.name: _Bytes(layer, states) for layer, states in states_of(model, layers, rows)
    }
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    for node in model.graph.node:
        if node.name in replaced:
            nodes += replaced[node.name].nodes
            weights += replaced[node.name].weights
        else:
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    weights += [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.node[:]
    del model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(weights)


class _Bytes:
    """The nodes and weights that stand for one layer."""

    def __init__(self, layer: Layer, states: npt.NDArray[np.float32]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._name = str(layer.node.name)
        kernel, source = layer.kernel, layer.states
        factors = best_smoothing(states, kernel, by_token=layer.by_token)
        if factors is not None:
            states, kernel = states / factors, kernel * factors[:, None]
            source = self._add("Mul", source, self._weight("smoothing", 1 / factors))
        levels, scales = rounded_for(kernel, states)
        packed = [
            self._weight("levels", levels.astype(np.int8)),
            self._weight("scales", scales),
            self._weight("zeros", np.zeros(len(scales), np.int8)),
        ]
        if layer.node.op_type == "Attention":
            self._attention(layer.node, source, packed)
        else:
            self._product_by_token(layer.node, source, packed)

    def _attention(self, node: onnx.NodeProto, source: str, packed: list[str]) -> None:
        levels, scales, zeros = packed
        found = [f"{self._name}.{part}" for part in ("bytes", "scale", "zero")]
        self.nodes.append(onnx.helper.make_node("DynamicQuantizeLinear", [source], found))
        states, scale, zero = found
        bias, mask = node.input[2:4]
        inputs = [states, levels, bias, scale, scales, mask, zero, zeros]
        made = onnx.helper.make_node("QAttention", inputs, node.output, self._name, domain=FUSED)
        made.attribute.extend(node.attribute)
        self.nodes.append(made)

    def _product_by_token(self, node: onnx.NodeProto, source: str, packed: list[str]) -> None:
        """Scale the states of each token by their largest, and the results back."""
        largest = self._add("ReduceMax", self._add("Abs", source), axes=[TOKENS_AXIS], keepdims=1)
        floor = self._weight("floor", np.full(1, SMALLEST_SIZE, np.float32))
        sizes = self._add("Max", largest, floor)
        even = self._add("Div", source, sizes)
        product = self._add("DynamicQuantizeMatMul", even, *packed, domain=FUSED)
        self.nodes.append(
            onnx.helper.make_node("Mul", [product, sizes], node.output, name=self._name)
        )

    def _add(self, operator: str, *inputs: str, **more: Any) -> str:
        output = f"{self._name}.{operator}"
        self.nodes.append(onnx.helper.make_node(operator, inputs, [output], name=output, **more))
        return output

    def _weight(self, what: str, array: npt.NDArray[Any]) -> str:
        name = f"{self._name}.{what}"
        self.weights.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def _properties(graph: Path, rows: Sequence[PackedRow]) -> dict[str, str]:
    fitted_to = hashlib.sha256()
    for row in rows:
        fitted_to.update(row.ids.tobytes())
    return {
        "int8_version": str(INT8_VERSION),
        "graph_sha256": sha256_of(graph),
        "texts_sha256": fitted_to.hexdigest(),
    }


def _properties_in(path: Path) -> dict[str, str]:
    try:
        model = onnx.load(path, load_external_data=False)
    except (OSError, DecodeError):
        return {}
    return {entry.key: entry.value for entry in model.metadata_props}
