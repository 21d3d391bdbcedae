"""What runs a model in each precision."""

from pathlib import Path
from typing import Protocol

from inference.runner.batching import Encoder
from inference.runner.layout import graph_in, is_built_here
from inference.runner.precision.report import Precision
from inference.runner.session import EncoderSession, laid_out
from inference.runner.shipped import ShippedSession

INT8_FILE, MIXED_FILE = "model.int8.onnx", "model.mixed.onnx"
IN_BYTES = {Precision.INT8: INT8_FILE, Precision.MIXED: MIXED_FILE}
# Of the graphs in bytes. ONNX Runtime 1.31 crashes on small float kernels, such as those of loud
# neurons, that it reads from a file in which layouts of bytes stand as well.
MIN_EXTERNAL_BYTES_BESIDE_BYTES = 512 * 1024


class GraphEncoder(Encoder, Protocol):
    """output: the name of what the graph gives."""

    output: str


def graph_of(folder: Path, precision: str) -> Path:
    """The graph that runs in a precision; for bf16 the full one is converted while it is loaded."""
    name = IN_BYTES.get(Precision(precision))
    return folder / name if name else graph_in(folder)


def open_encoder(folder: Path, precision: str, threads: int) -> GraphEncoder:
    """precision: of those that a graph can run in, so never `auto`.

    Raises UnsupportedModel for a graph that came with the model and cannot be fed.
    """
    graph = graph_of(folder, precision)
    if precision == Precision.BF16:
        from inference.runner.precision.openvino import OpenVinoEncoder

        return OpenVinoEncoder(graph, threads)
    if not is_built_here(folder):
        return ShippedSession(laid_out(graph), threads)
    if precision == Precision.FP32:
        return EncoderSession(laid_out(graph), threads)
    return EncoderSession(laid_out(graph, MIN_EXTERNAL_BYTES_BESIDE_BYTES), threads)
