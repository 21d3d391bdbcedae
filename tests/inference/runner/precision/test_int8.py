import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

from inference.arrays import FloatArray
from inference.runner.graph import build_graph
from inference.runner.outputs import Output
from inference.runner.packing import PackedRow, pack
from inference.runner.precision import layers, loud, quantization
from inference.runner.precision.engines import INT8_FILE, MIXED_FILE, open_encoder
from inference.runner.precision.int8 import FILES, build_int8
from inference.runner.precision.layers import dense_layers, states_of
from inference.runner.tokenizer import TokenizedText
from tests.inference.runner.bert import DIM, INNER, LAYERS, VOCABULARY
from tests.inference.runner.checkpoints import CONFIGS, random_weights
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
    build_int8(folder, some_rows(1))
    model = onnx.load(folder / INT8_FILE)

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


def test_what_is_loud_stays_in_full_precision(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, row = some_rows(1), some_rows(2, count=1)[0]
    full = run(folder, "fp32", row)
    build_int8(folder, rows)
    without = cosines(full, run(folder, "int8", row)).mean()

    monkeypatch.setattr(loud, "ONE_IN", 8)
    monkeypatch.setattr(quantization, "CHANNELS_ONE_IN", 8)
    monkeypatch.setattr(quantization, "WORTH_APART", 1.0)
    (folder / INT8_FILE).unlink()
    build_int8(folder, rows)
    model = onnx.load(folder / INT8_FILE)

    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("DynamicQuantizeMatMul") == 3 * LAYERS
    assert kinds.count("Gather") > 0
    assert kinds.count("MatMul") == 2 * LAYERS + kinds.count("Gather")
    assert cosines(full, run(folder, "int8", row)).mean() > without


def test_a_layer_that_bytes_cannot_compute_stays_as_it_is(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    first = next(node for node in model.graph.node if node.op_type == "Attention")
    first.attribute.append(onnx.helper.make_attribute("unidirectional", 1))

    names = [layer.node.name for layer in dense_layers(model)]

    assert first.name not in names
    assert len(names) == 4 * LAYERS - 1


def test_the_same_graph_and_texts_give_the_same_file(folder: Path, tmp_path: Path) -> None:
    twin = write_tiny_model(tmp_path / "twin")

    for one in (folder, twin):
        build_int8(one, some_rows(1))

    for name in FILES:
        assert (folder / name).read_bytes() == (twin / name).read_bytes()


def test_it_is_made_once_and_anew_for_another_graph_or_other_texts(folder: Path) -> None:
    def made(seed: int) -> tuple[int, bytes]:
        build_int8(folder, some_rows(seed))
        target = folder / INT8_FILE
        return target.stat().st_mtime_ns, target.read_bytes()

    made_at, fitted = made(1)
    assert made(1)[0] == made_at

    assert made(2)[1] != fitted
    write_tiny_model(folder, seed=6)
    assert made(1)[1] != fitted


def test_a_file_that_is_missing_is_made(folder: Path) -> None:
    build_int8(folder, some_rows(1))
    (folder / MIXED_FILE).unlink()

    build_int8(folder, some_rows(1))

    assert (folder / MIXED_FILE).exists()


def test_mixed_leaves_the_attention_in_full_precision_and_is_nearer(folder: Path) -> None:
    build_int8(folder, some_rows(1))
    row = some_rows(2, count=1)[0]

    full, int8, mixed = (run(folder, precision, row) for precision in ("fp32", "int8", "mixed"))

    kinds = [node.op_type for node in onnx.load(folder / MIXED_FILE).graph.node]
    assert kinds.count("Attention") == LAYERS
    assert kinds.count("DynamicQuantizeMatMul") == 3 * LAYERS
    assert 1 > cosines(full, mixed).mean() > cosines(full, int8).mean()


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


def test_kernels_of_the_usual_size_run_from_the_file_they_are_laid_out_in(tmp_path: Path) -> None:
    sizes = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 1}
    config = CONFIGS["bert"] | sizes | {"model_type": "bert"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(random_weights("bert", config, Output.STATES), tmp_path / "model.safetensors")
    build_graph(tmp_path)
    rows = some_rows(1)

    build_int8(tmp_path, rows)

    for precision in ("int8", "mixed"):
        assert np.isfinite(run(tmp_path, precision, rows[0])).all()
