"""Graphs whose dense layers compute in bytes, made from the one in full precision.

The rest (embeddings, normalizations, the attention itself) stays as it is: it takes little time
and would cost much of the quality.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs

from inference.arrays import FloatArray
from inference.runner.files import sha256_of
from inference.runner.graph import write_model
from inference.runner.graph_draft import FUSED
from inference.runner.layout import GRAPH_FILE
from inference.runner.packing import PackedRow
from inference.runner.precision.engines import INT8_FILE, MIXED_FILE
from inference.runner.precision.layers import Layer, dense_layers, replace_nodes, states_of
from inference.runner.precision.loud import set_apart
from inference.runner.precision.quantization import best_smoothing, outlying_channels, rounded_for

# Which dense layers compute in bytes. What goes wrong in front of the attention goes wrong twice:
# in what a token looks at, and in what it finds there.
FILES = {INT8_FILE: ("MatMul", "Attention"), MIXED_FILE: ("MatMul",)}
# Raise it with every change to what is built: graphs of another number are built anew.
INT8_VERSION = 2
SMALLEST_SIZE = 0.2  # of a token's states; GELU goes down to -0.17 where nothing is positive
TOKENS_AXIS = 2


def build_int8(folder: Path, rows: Sequence[PackedRow]) -> None:
    """Make the graphs of FILES beside the full one, unless they are there; rows: texts to fit to.

    The same graph and rows give the same files. Raises what reading model.onnx raises.
    """
    made_of = _properties(folder / GRAPH_FILE, rows)
    if all(_properties_in(folder / name) == made_of for name in FILES):
        return
    full = onnx.load(folder / GRAPH_FILE)
    replaced = fitted(full, rows)
    for name, operators in FILES.items():
        model = onnx.ModelProto()
        model.CopyFrom(full)
        put_in(model, [layer for layer in replaced if layer.operator in operators])
        onnx.helper.set_model_props(model, made_of)
        write_model(model, folder / name)


def fitted(model: onnx.ModelProto, rows: Sequence[PackedRow]) -> list["ByteLayer"]:
    """What stands in bytes for the model's dense layers. rows: the texts that tell what is usual.

    Those of loud neurons are split off in the model first.
    """
    apart = set_apart(model, rows)
    layers = [layer for layer in dense_layers(model) if layer.node.name not in apart]
    biases = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if len(tensor.dims) == 1
    }
    return [ByteLayer(layer, states, biases) for layer, states in states_of(model, layers, rows)]


def put_in(model: onnx.ModelProto, layers: Sequence["ByteLayer"]) -> None:
    """Replace the layers of these names."""
    by_name = {layer.name: layer for layer in layers}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        nodes += by_name[node.name].nodes if node.name in by_name else [node]
    replace_nodes(model, nodes, [weight for layer in layers for weight in layer.weights])


class ByteLayer:
    """The nodes and weights that stand for one layer."""

    def __init__(self, layer: Layer, states: FloatArray, biases: Mapping[str, FloatArray]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.name, self.operator = str(layer.node.name), str(layer.node.op_type)
        if self.operator == "Attention":
            self._attention(layer, states, biases[layer.node.input[2]])
        else:
            self._product(layer, states)

    def _attention(self, layer: Layer, states: FloatArray, bias: FloatArray) -> None:
        """One scale serves all states, and a bias makes good what they are shifted by."""
        node, kernel = layer.node, layer.kernel
        middles = (states.max(axis=0) + states.min(axis=0)) / 2
        bias = bias + middles @ kernel
        states = states - middles
        factors = best_smoothing(states, kernel, by_token=False)
        if factors is None:
            factors = np.ones(len(kernel), np.float32)
        even = self._add("Mul", layer.states, self._weight("smoothing", 1 / factors))
        even = self._add("Sub", even, self._weight("middles", middles / factors))
        levels, scales, zeros = self._levels(kernel * factors[:, None], states / factors)
        found = [f"{self.name}.{part}" for part in ("bytes", "scale", "zero")]
        self.nodes.append(onnx.helper.make_node("DynamicQuantizeLinear", [even], found))
        passed, scale, zero = found
        own = self._weight("bias", bias)
        inputs = [passed, levels, own, scale, scales, node.input[3], zero, zeros]
        made = onnx.helper.make_node("QAttention", inputs, node.output, self.name, domain=FUSED)
        made.attribute.extend(node.attribute)
        self.nodes.append(made)

    def _product(self, layer: Layer, states: FloatArray) -> None:
        """Outlying channels, where there are any, are multiplied in full precision."""
        kernel, source = layer.kernel, layer.states
        apart = outlying_channels(states, kernel)
        rest = np.ones(len(kernel), np.float32)
        rest[apart] = 0
        states, kernel = states * rest, kernel * rest[:, None]
        factors = best_smoothing(states, kernel, by_token=True)
        if factors is not None:
            states, kernel, rest = states / factors, kernel * factors[:, None], rest / factors
        if (rest != 1).any():
            source = self._add("Mul", source, self._weight("smoothing", rest))
        product, sizes = self._product_by_token(source, self._levels(kernel, states))
        (output,) = layer.node.output
        if not len(apart):
            self._end("Mul", [product, sizes], output)
            return
        own = self._add("Gather", layer.states, self._weight("channels", apart), axis=TOKENS_AXIS)
        exact = self._add("MatMul", own, self._weight("exact", layer.kernel[apart]))
        self._end("Add", [self._add("Mul", product, sizes, part="rest"), exact], output)

    def _levels(self, kernel: FloatArray, states: FloatArray) -> list[str]:
        levels, scales = rounded_for(kernel, states)
        return [
            self._weight("levels", levels.astype(np.int8)),
            self._weight("scales", scales),
            self._weight("zeros", np.zeros(len(scales), np.int8)),
        ]

    def _product_by_token(self, source: str, packed: list[str]) -> tuple[str, str]:
        """The product of states that each token's largest has scaled, and what scales it back."""
        largest = self._add("ReduceMax", self._add("Abs", source), axes=[TOKENS_AXIS], keepdims=1)
        floor = self._weight("floor", np.full(1, SMALLEST_SIZE, np.float32))
        sizes = self._add("Max", largest, floor)
        even = self._add("Div", source, sizes)
        return self._add("DynamicQuantizeMatMul", even, *packed, domain=FUSED), sizes

    def _add(self, operator: str, *inputs: str, part: str = "", **more: Any) -> str:
        output = f"{self.name}.{part or operator}"
        self.nodes.append(onnx.helper.make_node(operator, inputs, [output], name=output, **more))
        return output

    def _end(self, operator: str, inputs: list[str], output: str) -> None:
        self.nodes.append(onnx.helper.make_node(operator, inputs, [output], name=self.name))

    def _weight(self, what: str, array: npt.NDArray[Any]) -> str:
        name = f"{self.name}.{what}"
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
