"""Neurons of the feed-forward layers that are far louder than the others, set apart.

The states of a feed-forward layer share the steps of a byte, and a few neurons that reach many
times what the others reach make them coarse for all. Apart from the others they may stay in full
precision: they are so few that it takes hardly any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx

from inference.arrays import FloatArray
from inference.runner.packing import PackedRow
from inference.runner.precision.layers import Layer, dense_layers, replace_nodes, states_of

# Of so many neurons one is set apart.
ONE_IN = 96


@dataclass(frozen=True)
class Pair:
    """The two products of a feed-forward layer; between them stands only `gelu`."""

    inner: Layer
    gelu: onnx.NodeProto
    outer: Layer


def set_apart(model: onnx.ModelProto, rows: Sequence[PackedRow]) -> set[str]:
    """Split each feed-forward layer in two whose results are added: the loud neurons, the others.

    rows: the texts that tell which are loud. Returns the names of the products of loud neurons.
    """
    pairs = {pair.outer.node.name: pair for pair in feed_forward(model)}
    outers = [pair.outer for pair in pairs.values()]
    apart = {
        layer.node.name: loudest(states, states.shape[1] // ONE_IN)
        for layer, states in states_of(model, outers, rows)
    }
    biases = {tensor.name: tensor for tensor in model.graph.initializer}
    names: set[str] = set()
    replaced: dict[str, list[onnx.NodeProto]] = {}
    weights: list[onnx.TensorProto] = []
    for name, loud in apart.items():
        if not len(loud):
            continue
        pair = pairs[name]
        bias = onnx.numpy_helper.to_array(biases[pair.gelu.input[1]])
        quiet = np.setdiff1d(np.arange(len(bias)), loud)
        loud_nodes, loud_weights = _branch(pair, bias, "loud", loud)
        quiet_nodes, quiet_weights = _branch(pair, bias, "quiet", quiet)
        ends = [loud_nodes[-1].name, quiet_nodes[-1].name]
        joined = onnx.helper.make_node("Add", ends, pair.outer.node.output, f"{name}.both")
        replaced |= {pair.inner.node.name: [], pair.gelu.name: []}
        replaced[name] = [*loud_nodes, *quiet_nodes, joined]
        weights += loud_weights + quiet_weights
        names |= {loud_nodes[0].name, loud_nodes[-1].name}
    nodes = [one for node in model.graph.node for one in replaced.get(node.name, [node])]
    replace_nodes(model, nodes, weights)
    return names


def feed_forward(model: onnx.ModelProto) -> list[Pair]:
    """The feed-forward layers whose inner states nothing else looks at."""
    layers = {layer.node.output[0]: layer for layer in dense_layers(model)}
    gelus = {node.output[0]: node for node in model.graph.node if node.op_type == "BiasGelu"}
    used = [name for node in model.graph.node for name in node.input]
    pairs = []
    for layer in layers.values():
        gelu = gelus.get(layer.states)
        inner = layers.get(gelu.input[0]) if gelu else None
        if gelu and inner and used.count(layer.states) == used.count(gelu.input[0]) == 1:
            pairs.append(Pair(inner, gelu, layer))
    return pairs


def loudest(states: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """The channels that reach the most, in rising order. states: (tokens, channels)."""
    order = np.argsort(-np.abs(states).max(axis=0), kind="stable")
    return np.sort(order[:count])


def _branch(
    pair: Pair, bias: FloatArray, part: str, channels: npt.NDArray[np.intp]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The same layer with these neurons alone."""
    own = [pair.inner.kernel[:, channels], bias[channels], pair.outer.kernel[channels]]
    nodes, weights = [], []
    source = pair.inner.states
    for node, array in zip((pair.inner.node, pair.gelu, pair.outer.node), own, strict=True):
        name = f"{node.name}.{part}"
        weights.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), f"{name}.weight"))
        inputs = [source, weights[-1].name]
        nodes.append(onnx.helper.make_node(node.op_type, inputs, [name], name, domain=node.domain))
        source = name
    return nodes, weights
