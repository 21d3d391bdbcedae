"""From a model's published files to the ONNX graph that the runner runs.

An encoder is one module beside this one: a config that refuses what it cannot build, the shapes of
its weights, and a function that adds it to a draft. A head is one more function on the draft.
"""

import os
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs
from pydantic import ValidationError

from inference.errors import UnsupportedModel
from inference.runner.files import sha256_of, sync
from inference.runner.graph_bert import PREFIXES, BertConfig, add_bert, bert_shapes
from inference.runner.graph_draft import GraphDraft, WeightsReader

CONFIG_FILE, WEIGHTS_FILE, GRAPH_FILE = "config.json", "model.safetensors", "model.onnx"
# Raise it with every change to what is built: graphs of another number are built anew.
BUILDER_VERSION = 1


def build_graph(folder: Path) -> Path:
    """Build `model.onnx` from the config.json and model.safetensors beside it.

    The graph takes input_ids, token_type_ids, position_ids, (batch, seq), and mask,
    (batch, seq, seq), all int32, and gives states, (batch, seq, dim), float32: the last hidden
    states. The same files always give the same bytes. Raises UnsupportedModel.
    """
    config = _read_config(folder / CONFIG_FILE)
    draft = GraphDraft()
    with _open_weights(folder / WEIGHTS_FILE) as weights:
        weights.check(bert_shapes(config))
        add_bert(draft, weights, config, output="states")
    model = draft.finish(config.model_type, "states", ("batch", "seq", config.hidden_size))
    onnx.helper.set_model_props(model, _properties(folder))
    _write(model, folder / GRAPH_FILE)
    return folder / GRAPH_FILE


def is_current(folder: Path) -> bool:
    """Whether the folder's graph was made by this builder of the files that stand there now."""
    try:
        model = onnx.load(folder / GRAPH_FILE, load_external_data=False)
    except (OSError, DecodeError):
        return False
    return {entry.key: entry.value for entry in model.metadata_props} == _properties(folder)


def _properties(folder: Path) -> dict[str, str]:
    return {
        "builder_version": str(BUILDER_VERSION),
        "source_sha256": sha256_of(folder / WEIGHTS_FILE),
        "config_sha256": sha256_of(folder / CONFIG_FILE),
    }


def _read_config(path: Path) -> BertConfig:
    try:
        return BertConfig.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UnsupportedModel(f"{path.name} is missing") from None
    except ValidationError as exc:
        raise UnsupportedModel(f"{path.name}: {_told(exc)}") from exc


def _told(exc: ValidationError) -> str:
    problems = []
    for error in exc.errors():
        place = ".".join(map(str, error["loc"])) or "config"
        found = f", not {error['input']!r}" if error["type"] == "literal_error" else ""
        problems.append(f"{place}: {error['msg']}{found}")
    return "; ".join(problems)


def _open_weights(path: Path) -> WeightsReader:
    try:
        return WeightsReader(path, PREFIXES)
    except FileNotFoundError:
        raise UnsupportedModel(f"{path.name} is missing") from None


def _write(model: onnx.ModelProto, target: Path) -> None:
    """Put the whole graph under its name at once; whoever reads it never sees a part of it."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(model.SerializeToString(deterministic=True))
        sync(part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
