"""Models as people publish them: folders in the hub's layout, tiny and with random weights."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from inference.arrays import FloatArray
from inference.runner.catalogue import ALL_MINILM_L6_V2
from inference.runner.outputs import Output
from tests.inference.runner.checkpoints import DIM, write_checkpoint
from tests.inference.runner.hub import Hub
from tests.inference.runner.uploads import table_graph
from tests.weights import MIRROR

REPOSITORY = "someone/small"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
STEPS = ("Transformer", "Pooling", "Normalize")
TABLE: FloatArray = np.random.default_rng(3).normal(size=(64, DIM)).astype(np.float32)


def write_published(
    folder: Path,
    family: str = "bert",
    output: Output = Output.STATES,
    *,
    steps: Sequence[str] = STEPS,
    **pooling: Any,
) -> Path:
    """A checkpoint with the files of sentence-transformers, which name its steps."""
    write_checkpoint(folder, family, output)
    if steps:
        write_steps(folder, steps, **pooling)
    return folder


def write_steps(folder: Path, steps: Sequence[str], **config: Any) -> None:
    modules = [
        {"idx": n, "name": str(n), "path": f"{n}_{step}" if n else "", "type": f"models.{step}"}
        for n, step in enumerate(steps)
    ]
    write_json(folder, "modules.json", modules)
    if len(steps) > 1:
        write_json(folder, f"1_{steps[1]}/config.json", config)


def write_json(folder: Path, name: str, content: Any) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def change_json(folder: Path, name: str, **changes: Any) -> None:
    write_json(folder, name, {**json.loads((folder / name).read_text()), **changes})


def write_shipped(
    folder: Path, graph: bytes | None = None, name: str = "onnx/model.onnx", **config: Any
) -> Path:
    """A model that comes with a graph and without weights; its network is of no known family."""
    write_published(folder)
    (folder / "model.safetensors").unlink()
    change_json(folder, "config.json", **{"model_type": "novel", **config})
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(graph or states_graph())
    return folder


def states_graph(**more: Any) -> bytes:
    """The states of a text's tokens are their rows in TABLE."""
    options: dict[str, Any] = {
        "pools": False,
        "inputs": ("input_ids", "attention_mask"),
        "output": "last_hidden_state",
        "input_type": TensorProto.INT64,
    }
    return table_graph(TABLE, **options | more)


def publish(hub: Hub, folder: Path, *revisions: str) -> None:
    """Have a server give the files of a folder, at each of these revisions."""
    for path in folder.rglob("*"):
        for revision in revisions if path.is_file() else ():
            name = path.relative_to(folder)
            hub.files[f"/{REPOSITORY}/resolve/{revision}/{name}"] = path.read_bytes()


def publish_weights(hub: Hub) -> None:
    """Have a server give the built-in model, as the hub does."""
    weights = ALL_MINILM_L6_V2
    for file in weights.files:
        content = (MIRROR / weights.repository / file.name).read_bytes()
        hub.files[f"/{weights.repository}/resolve/{weights.revision}/{file.name}"] = content
