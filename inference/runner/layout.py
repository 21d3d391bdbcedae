"""Which files of a model's folder are what."""

from pathlib import Path

CONFIG_FILE, TOKENIZER_FILE = "config.json", "tokenizer.json"
WEIGHTS_FILE, GRAPH_FILE = "model.safetensors", "model.onnx"
# Where the hub's models have a graph, the usual place first.
SHIPPED_GRAPHS = (f"onnx/{GRAPH_FILE}", GRAPH_FILE)


def is_built_here(folder: Path) -> bool:
    """Whether its graph is made of the weights that came, and did not come itself."""
    return (folder / WEIGHTS_FILE).exists()


def graph_in(folder: Path) -> Path:
    """The graph in full precision, whether it is there yet or not."""
    if is_built_here(folder):
        return folder / GRAPH_FILE
    shipped = (folder / name for name in SHIPPED_GRAPHS)
    return next((path for path in shipped if path.exists()), folder / GRAPH_FILE)
