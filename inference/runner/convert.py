"""Making sure that a model folder holds a graph that can be run."""

from pathlib import Path

from inference.runner.outputs import Output


def ensure_graph(folder: Path, output: Output = Output.STATES) -> None:
    """Build `model.onnx` unless it is there and current. Raises UnsupportedModel."""
    # Imported here, because whoever only asks for this to be done elsewhere can do without.
    from inference.runner.graph import build_graph, is_current
    from inference.runner.pooling import read_pooling

    if output == Output.STATES:
        read_pooling(folder)  # what cannot be pooled is better refused now than when it is started
    if not is_current(folder, output):
        build_graph(folder, output)
