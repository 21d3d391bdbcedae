"""Making sure that a model folder holds a graph that can be run."""

from pathlib import Path

from inference.errors import UnsupportedModel
from inference.runner.layout import graph_in, is_built_here
from inference.runner.outputs import Output


def ensure_graph(folder: Path, output: Output = Output.STATES) -> None:
    """Build `model.onnx` unless it is there and current; a graph that came is tried.

    Raises UnsupportedModel.
    """
    # Imported here, because whoever only asks for this to be done elsewhere can do without.
    from inference.runner.graph import build_graph, is_current
    from inference.runner.pooling import read_pooling

    if not is_built_here(folder) and graph_in(folder).exists():
        _try_shipped(folder, output)
        return
    if output == Output.STATES:
        read_pooling(folder)  # what cannot be pooled is better refused now than when it is started
    if not is_current(folder, output):
        build_graph(folder, output)


def _try_shipped(folder: Path, output: Output) -> None:
    from inference.runner.description import read_dimensions
    from inference.runner.pooling import CHOSEN_FILE, read_pooling
    from inference.runner.shipped import tried

    wanted = (Output.STATES, Output.VECTOR) if output == Output.STATES else (output,)
    found, width = tried(graph_in(folder))
    if found not in wanted:
        raise UnsupportedModel(f"the ONNX graph gives [{found}] instead of [{output}]")
    if output == Output.SCORE and width != 1:
        raise UnsupportedModel(f"the ONNX graph gives {width} scores instead of one")
    if output == Output.STATES and width != (expected := read_dimensions(folder)):
        raise UnsupportedModel(
            f"the ONNX graph gives vectors of {width} numbers; by config.json they have {expected}"
        )
    if found == Output.STATES:
        read_pooling(folder)
    elif (folder / CHOSEN_FILE).exists():
        raise UnsupportedModel("the ONNX graph pools by itself, so no pooling can be chosen")
