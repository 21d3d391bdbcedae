"""From a model's published files to the ONNX graph that the runner runs.

An encoder is one module beside this one, which says in a Family what is its own: a config that
refuses what cannot be built, its embeddings, and the names of its weights. What all have in common
is in graph_encoder, the heads in graph_heads.
"""

import os
from pathlib import Path
from typing import Literal

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs
from pydantic import BaseModel

from inference.errors import UnsupportedModel
from inference.runner.configs import read_config
from inference.runner.files import sha256_of, sync
from inference.runner.graph_bert import BERT
from inference.runner.graph_distilbert import DISTILBERT
from inference.runner.graph_draft import GraphDraft, WeightsReader
from inference.runner.graph_encoder import EncoderConfig, Family, Parts
from inference.runner.graph_heads import add_output, output_shapes
from inference.runner.graph_mpnet import MPNET
from inference.runner.graph_roberta import ROBERTA
from inference.runner.layout import CONFIG_FILE, GRAPH_FILE, WEIGHTS_FILE
from inference.runner.outputs import Output

# Raise it with every change to what is built: graphs of another number are built anew.
BUILDER_VERSION = 2


class ModelType(BaseModel):
    """The part of config.json that says what the rest is."""

    model_type: Literal["bert", "distilbert", "mpnet", "roberta", "xlm-roberta"]


FAMILIES = {
    "bert": BERT,
    "distilbert": DISTILBERT,
    "mpnet": MPNET,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
}


def build_graph(folder: Path, output: Output = Output.STATES) -> Path:
    """Build `model.onnx` from the config.json and model.safetensors beside it.

    The graph takes what add_encoder says and gives one output of that name, (batch, seq, ...),
    float32. The table of word embeddings stays in model.safetensors, which must stay beside the
    graph. The same files always give the same bytes. Raises UnsupportedModel.
    """
    family, config = read_encoder(folder)
    draft = GraphDraft()
    with _open_weights(folder / WEIGHTS_FILE, family) as weights:
        weights.check(output_shapes(family, config, output))
        parts = Parts(draft, weights, config.layer_norm_eps)
        width = add_output(parts, family, config, output)
    model = draft.finish(config.model_type, output, ("batch", "seq", width))
    onnx.helper.set_model_props(model, _properties(folder, output))
    write_model(model, folder / GRAPH_FILE)
    return folder / GRAPH_FILE


def is_current(folder: Path, output: Output = Output.STATES) -> bool:
    """Whether the folder's graph was made by this builder of the files that stand there now."""
    try:
        model = onnx.load(folder / GRAPH_FILE, load_external_data=False)
    except (OSError, DecodeError):
        return False
    properties = {entry.key: entry.value for entry in model.metadata_props}
    return properties == _properties(folder, output)


def _properties(folder: Path, output: Output) -> dict[str, str]:
    return {
        "builder_version": str(BUILDER_VERSION),
        "output": str(output),
        "source_sha256": sha256_of(folder / WEIGHTS_FILE),
        "config_sha256": sha256_of(folder / CONFIG_FILE),
    }


def read_encoder(folder: Path) -> tuple[Family, EncoderConfig]:
    """The encoder that config.json describes. Raises UnsupportedModel for one of no family."""
    family = FAMILIES[read_config(ModelType, folder, CONFIG_FILE).model_type]
    return family, read_config(family.config, folder, CONFIG_FILE)


def _open_weights(path: Path, family: Family) -> WeightsReader:
    try:
        return WeightsReader(path, ("", family.prefix))
    except FileNotFoundError:
        raise UnsupportedModel(f"{path.name} is missing") from None


def write_model(model: onnx.ModelProto, target: Path) -> None:
    """Put the whole graph under its name at once; whoever reads it never sees a part of it."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(model.SerializeToString(deterministic=True))
        sync(part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
