from pathlib import Path

import numpy as np
import onnx
import pytest

from inference.arrays import FloatArray
from inference.runner.packing import PackedRow, pack
from inference.runner.precision import layers
from inference.runner.precision.engines import open_encoder
from inference.runner.precision.int8 import build_int8
from inference.runner.precision.layers import dense_layers, states_of
from inference.runner.tokenizer import TokenizedText
from tests.inference.runner.bert import DIM, INNER, LAYERS, VOCABULARY
from tests.tiny import write_tiny_model


def some_rows(seed: int, count: int = 12) -> list[PackedRow]:
    random = np.random.default_rng(seed)
    return [
        pack(
            [
                TokenizedText(random.integers(0, VOCABULARY, length).astype(np.int32))
                for length in (5, 9, 3)
            ]
        )
        for _ in range(count)
    ]


def run(folder: Path, precision: str, row: PackedRow) -> FloatArray:
    encoder = open_encoder(folder, precision, threads=1)
    return encoder.run(row)


def cosines(a: FloatArray, b: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    ratios: FloatArray = (a * b).sum(axis=-1) / lengths
    return ratios


def test_it_gives_nearly_the_states_of_full_precision(folder: Path) -> None:
    build_int8(folder, some_rows(1))
    row = some_rows(2, count=1)[0]

    near = cosines(run(folder, "fp32", row), run(folder, "int8", row))

    assert near.min() > 0.995
    assert near.max() < 1.0  # something was done


def test_every_dense_layer_computes_in_bytes(folder: Path) -> None:
    model = onnx.load(build_int8(folder, some_rows(1)))

    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("QAttention") == LAYERS
    assert kinds.count("DynamicQuantizeMatMul") == 3 * LAYERS
    assert not {"MatMul", "Attention"}.intersection(kinds)
    large = [
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and list(tensor.dims) == [DIM, INNER]
    ]
    assert large == []


def test_a_layer_that_bytes_cannot_compute_stays_as_it_is(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    first = next(node for node in model.graph.node if node.op_type == "Attention")
    first.attribute.append(onnx.helper.make_attribute("unidirectional", 1))

    names = [layer.node.name for layer in dense_layers(model)]

    assert first.name not in names
    assert len(names) == 4 * LAYERS - 1


def test_the_same_graph_and_texts_give_the_same_file(folder: Path, tmp_path: Path) -> None:
    twin = write_tiny_model(tmp_path / "twin")

    first, second = (build_int8(one, some_rows(1)).read_bytes() for one in (folder, twin))

    assert first == second


def test_it_is_made_once_and_anew_for_another_graph_or_other_texts(folder: Path) -> None:
    target = build_int8(folder, some_rows(1))
    made_at = target.stat().st_mtime_ns
    assert build_int8(folder, some_rows(1)).stat().st_mtime_ns == made_at

    fitted = target.read_bytes()
    assert build_int8(folder, some_rows(2)).read_bytes() != fitted
    write_tiny_model(folder, seed=6)
    assert build_int8(folder, some_rows(1)).read_bytes() != fitted


def test_states_are_the_same_however_few_fit_into_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = onnx.load(folder / "model.onnx"), some_rows(1, count=2)
    dense = dense_layers(model)
    at_once = [states for _, states in states_of(model, dense, rows)]

    monkeypatch.setattr(layers, "MAX_STATES_BYTES", 1)
    one_by_one = [states for _, states in states_of(model, dense, rows)]

    for a, b in zip(at_once, one_by_one, strict=True):
        np.testing.assert_array_equal(a, b)
        assert len(a) == sum(row.ids.size for row in rows)
