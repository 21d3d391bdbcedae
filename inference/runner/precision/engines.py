"""What runs a model in each precision."""

from pathlib import Path
from typing import Protocol

from inference.runner.batching import Encoder
from inference.runner.precision.report import Precision
from inference.runner.session import EncoderSession, laid_out

GRAPH_FILES = {
    Precision.FP32: "model.onnx",
    Precision.INT8: "model.int8.onnx",
    Precision.MIXED: "model.mixed.onnx",
    Precision.BF16: "model.onnx",  # converted while it is loaded
}
# Of the graphs in bytes. ONNX Runtime 1.31 crashes on small float kernels, such as those of loud
# neurons, that it reads from a file in which layouts of bytes stand as well.
MIN_EXTERNAL_BYTES_BESIDE_BYTES = 512 * 1024


class GraphEncoder(Encoder, Protocol):
    """output: the name of what the graph gives."""

    output: str


def open_encoder(folder: Path, precision: str, threads: int) -> GraphEncoder:
    """precision: of those that a graph can run in, so never `auto`."""
    graph = folder / GRAPH_FILES[Precision(precision)]
    if precision == Precision.BF16:
        from inference.runner.precision.openvino import OpenVinoEncoder

        return OpenVinoEncoder(graph, threads)
    if precision == Precision.FP32:
        return EncoderSession(laid_out(graph), threads)
    return EncoderSession(laid_out(graph, MIN_EXTERNAL_BYTES_BESIDE_BYTES), threads)
