"""Making sure that a model folder holds a graph that can be run."""

from pathlib import Path


def ensure_graph(folder: Path) -> None:
    """Build `model.onnx` unless it is there and current. Raises UnsupportedModel."""
    # Imported here, because whoever only asks for this to be done elsewhere can do without.
    from inference.runner.graph import build_graph, is_current

    if not is_current(folder):
        build_graph(folder)
