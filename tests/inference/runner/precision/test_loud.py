"""Loud neurons are set apart, and nothing of what the model gives changes by that."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from inference.arrays import FloatArray
from inference.runner.packing import PackedRow
from inference.runner.precision import loud
from inference.runner.precision.layers import dense_layers
from inference.runner.precision.loud import feed_forward, loudest, set_apart
from inference.runner.session import EncoderSession
from tests.inference.runner.bert import DIM, INNER, LAYERS
from tests.inference.runner.precision.test_int8 import some_rows

FEW = 4


@pytest.fixture
def model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> onnx.ModelProto:
    monkeypatch.setattr(loud, "ONE_IN", INNER // FEW)
    return onnx.load(folder / "model.onnx")


def run(model: onnx.ModelProto, folder: Path, row: PackedRow) -> FloatArray:
    onnx.save(model, folder / "other.onnx")
    return EncoderSession(folder / "other.onnx", threads=1).run(row)


def test_the_model_gives_what_it_gave(model: onnx.ModelProto, folder: Path) -> None:
    row = some_rows(2, count=1)[0]
    before = run(model, folder, row)

    set_apart(model, some_rows(1))

    np.testing.assert_allclose(run(model, folder, row), before, atol=1e-5)


def test_each_feed_forward_layer_is_split_in_a_few_neurons_and_the_others(
    model: onnx.ModelProto,
) -> None:
    names = set_apart(model, some_rows(1))

    shapes = {layer.node.name: layer.kernel.shape for layer in dense_layers(model)}
    assert len(names) == 2 * LAYERS
    assert {shapes[name] for name in names} == {(DIM, FEW), (FEW, DIM)}
    quiet = [shape for name, shape in shapes.items() if name.endswith("quiet")]
    assert sorted(quiet) == sorted([(DIM, INNER - FEW), (INNER - FEW, DIM)] * LAYERS)


def test_the_loud_ones_are_those_that_reach_the_most() -> None:
    states = np.ones((5, 8), np.float32)
    states[2, 6], states[4, 3] = -40, 30

    assert loudest(states, 2).tolist() == [3, 6]


def test_a_layer_that_is_too_small_stays_whole(
    model: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loud, "ONE_IN", INNER + 1)
    before = model.SerializeToString(deterministic=True)

    assert set_apart(model, some_rows(1)) == set()
    assert len(feed_forward(model)) == LAYERS
    assert model.SerializeToString(deterministic=True) == before


def test_a_layer_whose_inner_states_are_looked_at_stays_whole(model: onnx.ModelProto) -> None:
    seen = feed_forward(model)[0].outer.states
    model.graph.node.append(onnx.helper.make_node("Identity", [seen], ["look"], "look"))

    assert len(feed_forward(model)) == LAYERS - 1
