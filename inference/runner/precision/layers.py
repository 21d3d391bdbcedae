"""The dense layers of a graph and the states that reach them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort

from inference.arrays import FloatArray
from inference.runner.packing import PackedRow
from inference.runner.session import feed

# States that are held at a time; more layers than fit are run for one after the other.
MAX_STATES_BYTES = 512 * 1024 * 1024
# Inputs of Attention that its eight-bit twin has as well: states, kernel, bias, mask.
ATTENTION_INPUTS = 4


@dataclass(frozen=True)
class Layer:
    """node: a MatMul or Attention with a constant kernel, (in, out)."""

    node: onnx.NodeProto
    kernel: FloatArray

    @property
    def by_token(self) -> bool:
        """Whether each token's states can be scaled to a like size before they become bytes.

        Attention gives no results that could be scaled back.
        """
        return str(self.node.op_type) == "MatMul"

    @property
    def states(self) -> str:
        """The name of what comes in, (batch, seq, in)."""
        return str(self.node.input[0])


def dense_layers(model: onnx.ModelProto) -> list[Layer]:
    """The layers that can work in eight bits, in the order of the graph."""
    kernels = {tensor.name: tensor for tensor in model.graph.initializer}
    return [
        Layer(node, onnx.numpy_helper.to_array(kernels[node.input[1]]).astype(np.float32))
        for node in model.graph.node
        if _can_be_quantized(node, kernels)
    ]


def states_of(
    model: onnx.ModelProto, layers: Sequence[Layer], rows: Sequence[PackedRow]
) -> Iterator[tuple[Layer, FloatArray]]:
    """Each layer with the states that reach it in these rows, (tokens, in)."""
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    known = {output.name for output in tapped.graph.output}
    for name in dict.fromkeys(layer.states for layer in layers):
        if name not in known:
            kind = onnx.TensorProto.FLOAT
            tapped.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    session = ort.InferenceSession(tapped.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = [entry.name for entry in session.get_inputs()]
    only_needed = ort.RunOptions()
    only_needed.only_execute_path_to_fetches = True
    tokens = sum(row.ids.size for row in rows)
    for group in _groups(layers, tokens):
        names = list(dict.fromkeys(layer.states for layer in group))
        parts: dict[str, list[FloatArray]] = {name: [] for name in names}
        for row in rows:
            for name, states in zip(
                names,
                session.run(names, feed(row, inputs), only_needed),
                strict=True,
            ):
                parts[name].append(states.reshape(-1, states.shape[-1]))
        joined = {name: np.concatenate(of_rows) for name, of_rows in parts.items()}
        for layer in group:
            yield layer, joined[layer.states]


def replace_nodes(
    model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], weights: Sequence[onnx.TensorProto]
) -> None:
    """Give the graph these nodes, and these weights beside those of its own that are still used."""
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.node[:]
    del model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend([*weights, *kept])


def _can_be_quantized(node: onnx.NodeProto, kernels: dict[str, onnx.TensorProto]) -> bool:
    if node.op_type == "Attention":
        extra = [name for name in node.input[ATTENTION_INPUTS:] if name]
        options = {attribute.name for attribute in node.attribute}
        fits = not extra and options == {"num_heads"}
    else:
        fits = node.op_type == "MatMul"
    kernel = kernels.get(node.input[1]) if fits else None
    # A product with one result, as a score, has nothing to save.
    return kernel is not None and len(kernel.dims) == 2 and kernel.dims[1] > 1


def _groups(layers: Sequence[Layer], tokens: int) -> Iterator[list[Layer]]:
    """Neighbors whose states fit into memory together."""
    group: list[Layer] = []
    size_bytes = 0
    for layer in layers:
        own = 4 * tokens * len(layer.kernel)
        if group and size_bytes + own > MAX_STATES_BYTES:
            yield group
            group, size_bytes = [], 0
        group.append(layer)
        size_bytes += own
    if group:
        yield group
