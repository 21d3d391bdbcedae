from pathlib import Path

import numpy as np
import onnxruntime as ort

from inference.runner.packing import pack
from inference.runner.session import WEIGHTS_FILE, EncoderSession, laid_out
from inference.runner.tokenizer import TokenizedText
from tests.tiny import write_tiny_model

ROW = pack([TokenizedText(np.array([2, 10, 11, 12, 3], np.int32))])


def test_the_laid_out_graph_computes_what_the_original_does(tmp_path: Path) -> None:
    graph = write_tiny_model(tmp_path) / "model.onnx"
    plain = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feed = {
        "input_ids": ROW.ids,
        "position_ids": ROW.positions,
        "token_type_ids": ROW.types,
        "mask": ROW.mask,
    }

    states = EncoderSession(laid_out(graph), threads=2).run(ROW)

    np.testing.assert_allclose(states, plain.run(["states"], feed)[0], atol=1e-5)


def test_the_layout_is_made_once(tmp_path: Path) -> None:
    graph = write_tiny_model(tmp_path) / "model.onnx"
    first = laid_out(graph)
    made_at = first.stat().st_mtime_ns

    assert laid_out(graph) == first
    assert first.stat().st_mtime_ns == made_at
    assert (first.parent / WEIGHTS_FILE).exists()


def test_a_new_graph_gets_a_layout_of_its_own(tmp_path: Path) -> None:
    old = laid_out(write_tiny_model(tmp_path, seed=1) / "model.onnx")
    new = laid_out(write_tiny_model(tmp_path, seed=2) / "model.onnx")

    before, after = (EncoderSession(graph, threads=1).run(ROW) for graph in (old, new))

    assert np.abs(before - after).max() > 0.01


def test_nothing_half_made_is_left_behind(tmp_path: Path) -> None:
    graph = write_tiny_model(tmp_path) / "model.onnx"

    folder = laid_out(graph).parent

    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
