"""The graph computes what BERT computes, for a text alone and for texts that share a row."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from inference.arrays import FloatArray, IntArray
from inference.errors import UnsupportedModel
from inference.runner import graph, graph_draft
from inference.runner.graph import build_graph, is_current
from tests.inference.runner.bert import (
    CONFIG,
    DIM,
    VOCABULARY,
    WeightsByName,
    random_weights,
    reference_states,
    write_model,
)

LENGTHS = (7, 1, 12, 4)
QUERY = "encoder.layer.1.attention.self.query.weight"


@pytest.fixture(scope="module")
def weights() -> WeightsByName:
    return random_weights()


@pytest.fixture
def folder(tmp_path: Path, weights: WeightsByName) -> Path:
    write_model(tmp_path, CONFIG, weights)
    return tmp_path


@pytest.fixture(scope="module")
def texts() -> list[IntArray]:
    random = np.random.default_rng(3)
    return [random.integers(0, VOCABULARY, length).astype(np.int32) for length in LENGTHS]


def run(path: Path, texts: list[IntArray], token_types: IntArray | None = None) -> FloatArray:
    """The states of all texts in one row, (tokens, dim); each attends to itself alone."""
    owner = np.repeat(np.arange(len(texts)), [len(ids) for ids in texts])
    ids = np.concatenate(texts)
    feed = {
        "input_ids": ids[None],
        "token_type_ids": (np.zeros_like(ids) if token_types is None else token_types)[None],
        "position_ids": np.concatenate([np.arange(len(ids), dtype=np.int32) for ids in texts])[
            None
        ],
        "mask": (owner[:, None] == owner[None, :]).astype(np.int32)[None],
    }
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    states: FloatArray = session.run(["states"], feed)[0][0]
    return states


def test_a_text_gets_the_states_of_the_reference(
    folder: Path, weights: WeightsByName, texts: list[IntArray]
) -> None:
    path = build_graph(folder)

    for ids in texts:
        expected = reference_states(weights, ids, np.zeros_like(ids))
        np.testing.assert_allclose(run(path, [ids]), expected, atol=1e-5, rtol=0)


def test_texts_that_share_a_row_get_the_states_they_get_alone(
    folder: Path, weights: WeightsByName, texts: list[IntArray]
) -> None:
    path = build_graph(folder)

    packed = np.split(run(path, texts), np.cumsum(LENGTHS)[:-1])

    for ids, states in zip(texts, packed, strict=True):
        expected = reference_states(weights, ids, np.zeros_like(ids))
        np.testing.assert_allclose(states, run(path, [ids]), atol=1e-5, rtol=0)
        np.testing.assert_allclose(states, expected, atol=1e-5, rtol=0)


def test_token_types_count(folder: Path, weights: WeightsByName, texts: list[IntArray]) -> None:
    ids = texts[0]
    types = (np.arange(len(ids)) >= 3).astype(np.int32)

    states = run(build_graph(folder), [ids], types)

    np.testing.assert_allclose(states, reference_states(weights, ids, types), atol=1e-5, rtol=0)


def test_names_may_start_with_the_networks_name(
    folder: Path, weights: WeightsByName, texts: list[IntArray]
) -> None:
    expected = run(build_graph(folder), texts)
    write_model(folder, CONFIG, {f"bert.{name}": array for name, array in weights.items()})

    np.testing.assert_array_equal(run(build_graph(folder), texts), expected)


def test_half_precision_weights_are_widened(
    folder: Path, weights: WeightsByName, texts: list[IntArray]
) -> None:
    halves: Any = {name: array.astype(np.float16) for name, array in weights.items()}
    write_model(folder, CONFIG, halves)
    widened = {name: array.astype(np.float32) for name, array in halves.items()}

    states = run(build_graph(folder), texts[:1])

    expected = reference_states(widened, texts[0], np.zeros_like(texts[0]))
    np.testing.assert_allclose(states, expected, atol=1e-5, rtol=0)


def test_the_inputs_and_the_output_are_as_the_runner_expects(folder: Path) -> None:
    session = ort.InferenceSession(build_graph(folder), providers=["CPUExecutionProvider"])

    assert {entry.name: (entry.type, entry.shape) for entry in session.get_inputs()} == {
        "input_ids": ("tensor(int32)", ["batch", "seq"]),
        "token_type_ids": ("tensor(int32)", ["batch", "seq"]),
        "position_ids": ("tensor(int32)", ["batch", "seq"]),
        "mask": ("tensor(int32)", ["batch", "seq", "seq"]),
    }
    (states,) = session.get_outputs()
    assert (states.name, states.type, states.shape) == (
        "states",
        "tensor(float)",
        ["batch", "seq", DIM],
    )


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    first = build_graph(folder).read_bytes()

    assert build_graph(folder).read_bytes() == first


def test_the_graph_names_what_it_was_made_from(folder: Path) -> None:
    properties = onnx.load(build_graph(folder)).metadata_props

    source = (folder / "model.safetensors").read_bytes()
    assert {entry.key: entry.value for entry in properties} == {
        "builder_version": str(graph.BUILDER_VERSION),
        "output": "states",
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "config_sha256": hashlib.sha256((folder / "config.json").read_bytes()).hexdigest(),
    }


def test_a_graph_is_current_until_the_builder_or_the_files_change(
    folder: Path, weights: WeightsByName, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_current(folder)
    path = build_graph(folder)
    assert is_current(folder)

    with monkeypatch.context() as newer:
        newer.setattr(graph, "BUILDER_VERSION", graph.BUILDER_VERSION + 1)
        assert not is_current(folder)
    path.write_bytes(path.read_bytes()[:100])
    assert not is_current(folder)
    build_graph(folder)
    write_model(folder, {**CONFIG, "layer_norm_eps": 1e-5}, weights)
    assert not is_current(folder)


def test_a_failed_build_leaves_the_old_graph_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build_graph(folder).read_bytes()

    def fail(path: Path) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(graph, "sync", fail)
    with pytest.raises(OSError, match="full"):
        build_graph(folder)

    assert (folder / "model.onnx").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.onnx",
        "model.safetensors",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"model_type": "gpt2"},
            r"model_type: Input should be 'bert', .*'xlm-roberta', not 'gpt2'",
        ),
        ({"hidden_act": "gelu_new"}, r"hidden_act: Input should be 'gelu', not 'gelu_new'"),
        (
            {"position_embedding_type": "relative_key"},
            r"position_embedding_type: Input should be 'absolute', not 'relative_key'",
        ),
        ({"is_decoder": True}, r"is_decoder: Input should be False, not True"),
        ({"hidden_size": None}, r"hidden_size: Input should be a valid integer"),
        ({"num_attention_heads": 5}, r"hidden_size 32 is no multiple of num_attention_heads 5"),
        ({"num_hidden_layers": 0}, r"num_hidden_layers: Input should be greater than 0"),
    ],
)
def test_a_config_of_another_network_is_refused(
    folder: Path, weights: WeightsByName, change: dict[str, Any], reason: str
) -> None:
    write_model(folder, CONFIG | change, weights)

    with pytest.raises(UnsupportedModel, match=f"^config.json: .*{reason}"):
        build_graph(folder)


def test_a_config_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("<html>")

    with pytest.raises(UnsupportedModel, match=r"config.json: config: Invalid JSON"):
        build_graph(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(UnsupportedModel, match=f"^{name} is missing$"):
        build_graph(folder)


def test_missing_tensors_are_named(folder: Path, weights: WeightsByName) -> None:
    write_model(folder, CONFIG | {"num_hidden_layers": 3}, weights)

    with pytest.raises(
        UnsupportedModel,
        match=r"encoder.layer.2.attention.self.query.weight is missing; .*; and 11 more$",
    ):
        build_graph(folder)


def test_a_tensor_of_another_shape_is_named(folder: Path, weights: WeightsByName) -> None:
    write_model(folder, CONFIG, weights | {QUERY: weights[QUERY][:, :16].copy()})

    with pytest.raises(
        UnsupportedModel, match=rf"{QUERY} has shape \(32, 16\) instead of \(32, 32\)"
    ):
        build_graph(folder)


def test_a_tensor_of_another_type_is_named(folder: Path, weights: WeightsByName) -> None:
    integers: Any = weights[QUERY].astype(np.int8)
    write_model(folder, CONFIG, weights | {QUERY: integers})

    with pytest.raises(UnsupportedModel, match=rf"{QUERY} holds I8 instead of F32 or F16"):
        build_graph(folder)


def test_a_file_that_is_no_safetensors_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not at all")

    with pytest.raises(UnsupportedModel, match=r"model.safetensors is no safetensors file"):
        build_graph(folder)


def test_a_network_too_large_for_a_graph_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_draft, "MAX_GRAPH_BYTES", 1000)

    with pytest.raises(UnsupportedModel, match=r"makes a graph of .* GB"):
        build_graph(folder)
