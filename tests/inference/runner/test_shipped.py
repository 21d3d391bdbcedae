"""Graphs that come with their models: what goes in, what is read of what comes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto

from inference.arrays import FloatArray
from inference.errors import UnsupportedModel
from inference.runner.client import HostClient
from inference.runner.convert import ensure_graph
from inference.runner.hosts import LocalRunner
from inference.runner.outputs import Output
from inference.runner.packing import pack, unpack
from inference.runner.pooling import choose_pooling
from inference.runner.precision.trials import OTHER_GRAPH, try_precisions
from inference.runner.protocol import HostRequest, socket_path
from inference.runner.shipped import ShippedSession, alike
from inference.runner.spec import HostSpec
from inference.runner.tokenizer import TextTokenizer, TokenizedText
from inference.types import TaskType
from tests.inference.runner.checkpoints import DIM
from tests.inference.runner.published import TABLE, states_graph, write_shipped
from tests.inference.runner.running import start
from tests.inference.runner.uploads import INPUTS

TEXTS = ("the cat sat on the port", "a dog", "the blue sky at night", "ran")


def session(tmp_path: Path, graph: bytes) -> ShippedSession:
    (tmp_path / "model.onnx").write_bytes(graph)
    return ShippedSession(tmp_path / "model.onnx", threads=1)


def texts_of(*lengths: int) -> list[TokenizedText]:
    random = np.random.default_rng(11)
    return [TokenizedText(random.integers(1, 64, length, np.int32)) for length in lengths]


def test_each_token_of_packed_texts_gets_its_own_states(tmp_path: Path) -> None:
    encoder, texts = session(tmp_path, states_graph()), texts_of(3, 9, 1, 4)

    row = pack(texts)
    found = unpack(encoder.run(row), row)

    assert encoder.output == Output.STATES
    for text, states in zip(texts, found, strict=True):
        np.testing.assert_array_equal(states, TABLE[text.ids])


def test_a_vector_that_the_graph_makes_stands_at_each_token(tmp_path: Path) -> None:
    graph = states_graph(pools=True, output="sentence_embedding", inputs=INPUTS)
    encoder, texts = session(tmp_path, graph), texts_of(2, 5, 3)

    row = pack(texts)
    found = unpack(encoder.run(row), row)

    assert encoder.output == Output.VECTOR
    for text, states in zip(texts, found, strict=True):
        assert states.shape == (len(text.ids), DIM)
        np.testing.assert_allclose(states[0], TABLE[text.ids].sum(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("graph", "output"),
    [
        ({"output": "token_embeddings"}, Output.STATES),
        ({"output": "anything"}, Output.STATES),
        ({"output": "anything", "pools": True}, Output.VECTOR),
        ({"output": "logits"}, Output.LOGITS),
        ({"output": "logits", "pools": True}, Output.SCORE),
        ({"input_type": TensorProto.INT32}, Output.STATES),
    ],
)
def test_name_and_shape_tell_what_an_output_is(
    tmp_path: Path, graph: dict[str, Any], output: Output
) -> None:
    encoder = session(tmp_path, states_graph(**graph))

    assert encoder.output == output
    assert encoder.run(pack(texts_of(2, 3))).shape == (1, 5, DIM)


def test_a_graph_that_wants_something_else_than_a_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"wants an input \[pixels\]"):
        session(tmp_path, states_graph(inputs=("input_ids", "pixels")))


@pytest.mark.parametrize(
    ("lengths", "least_full", "groups"),
    [
        ([8, 8, 8], 0.8, [[0, 1, 2]]),
        ([10, 2, 9, 2], 0.8, [[1, 3], [2, 0]]),
        ([3, 4, 3], 1.0, [[0, 2], [1]]),
        ([5], 0.8, [[0]]),
    ],
)
def test_texts_share_a_batch_only_with_those_of_like_length(
    lengths: list[int], least_full: float, groups: list[list[int]]
) -> None:
    assert list(alike(lengths, least_full)) == groups


@pytest.mark.parametrize(
    ("config", "graph", "output", "reason"),
    [
        ({}, {}, Output.LOGITS, "gives [states] instead of [logits]"),
        ({}, {"output": "logits", "pools": True}, Output.SCORE, "gives 8 scores instead of one"),
        ({"hidden_size": 12}, {}, Output.STATES, "of 8 numbers; by config.json they have 12"),
    ],
)
def test_a_graph_that_does_not_fit_its_model_is_refused(
    tmp_path: Path, config: dict[str, Any], graph: dict[str, Any], output: Output, reason: str
) -> None:
    folder = write_shipped(tmp_path, states_graph(**graph), **config)

    with pytest.raises(UnsupportedModel) as failure:
        ensure_graph(folder, output)

    assert reason in str(failure.value)


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="cannot be run"):
        ensure_graph(write_shipped(tmp_path, b"not a graph"))


def test_no_pooling_can_be_chosen_for_a_graph_that_pools(tmp_path: Path) -> None:
    graph = states_graph(pools=True, output="sentence_embedding")
    folder = write_shipped(tmp_path, graph)
    ensure_graph(folder)
    choose_pooling(folder, "cls")

    with pytest.raises(UnsupportedModel, match="pools by itself"):
        ensure_graph(folder)


def test_its_precisions_are_not_compared(tmp_path: Path) -> None:
    report = try_precisions(write_shipped(tmp_path), TaskType.TEXT_EMBEDDING, 16)

    assert [trial.missing for trial in report.trials] == ["", *[OTHER_GRAPH] * 3]
    assert report.choice == "fp32"


def vectors_of_host(
    runner: LocalRunner, client: HostClient, folder: Path, sockets: Path
) -> FloatArray:
    ensure_graph(folder)
    spec = HostSpec(
        deployment_id="d1",
        task_type=TaskType.TEXT_EMBEDDING,
        model_folder=str(folder),
        socket=str(socket_path(sockets, "d1")),
        max_input_tokens=16,
        num_allocations=1,
        num_threads=1,
    )
    start(runner, spec)
    vectors = client.call("d1", HostRequest(TEXTS, None, budget_s=20)).vectors
    assert vectors is not None
    return vectors


def directly(graph: Path, texts: Sequence[TokenizedText]) -> list[FloatArray]:
    """What ONNX Runtime makes of each text alone."""
    direct = ort.InferenceSession(graph)
    return [
        direct.run(
            None,
            {
                "input_ids": text.ids[None].astype(np.int64),
                "attention_mask": np.ones((1, len(text.ids)), np.int64),
            },
        )[0][0]
        for text in texts
    ]


def test_a_host_pools_the_states_as_the_model_says(
    runner: LocalRunner, client: HostClient, tmp_path: Path
) -> None:
    folder = write_shipped(tmp_path / "model")

    vectors = vectors_of_host(runner, client, folder, tmp_path)

    tokens = TextTokenizer(folder, 16).tokenize(TEXTS)
    for vector, states in zip(vectors, directly(folder / "onnx/model.onnx", tokens), strict=True):
        mean = states.mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), rtol=1e-5)


def test_a_host_passes_on_the_vectors_that_a_graph_makes(
    runner: LocalRunner, client: HostClient, tmp_path: Path
) -> None:
    graph = states_graph(pools=True, output="sentence_embedding")
    folder = write_shipped(tmp_path / "model", graph, name="model.onnx")

    vectors = vectors_of_host(runner, client, folder, tmp_path)

    tokens = TextTokenizer(folder, 16).tokenize(TEXTS)
    expected = directly(folder / "model.onnx", tokens)
    np.testing.assert_allclose(vectors, np.stack(expected), rtol=1e-5)
