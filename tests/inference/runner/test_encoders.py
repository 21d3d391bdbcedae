"""Every family gives the numbers that the libraries gave which its models are published for.

The numbers are in tests/data; test_reference.py says where they come from and checks them again.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

from inference.arrays import FloatArray
from inference.errors import UnsupportedModel
from inference.runner.convert import ensure_graph
from inference.runner.heads import make_head
from inference.runner.outputs import Output
from inference.runner.protocol import HostRequest
from inference.runner.tokenizer import TextTokenizer
from inference.types import TaskType
from tests.inference.runner.checkpoint_runs import run
from tests.inference.runner.checkpoints import CONFIGS, WINDOW, write_checkpoint

DATA = Path(__file__).resolve().parents[2] / "data" / "encoders.json"
WINDOWS = (WINDOW, 12)
PREFIX = "query: "
LONG = "the cat sat on the port a dog ran on the blue harbour night sky " * 12
TEXTS = ("the cat sat", "", "a dog ran on the port", LONG)
QUERY, DOCUMENTS = "blue sky", ("the sky", "", "a cat sat on a port at night", LONG)
TOLERANCE = 1e-5
families = pytest.mark.parametrize("family", list(CONFIGS))
windows = pytest.mark.parametrize("window", WINDOWS)


@pytest.fixture(scope="module")
def expected() -> Any:
    return json.loads(DATA.read_text())


def write_pooling(folder: Path, mode: str, is_normalized: bool) -> None:
    """The files that say how sentence-transformers makes one vector of a text."""
    kinds = ["Transformer", "Pooling", *(["Normalize"] if is_normalized else [])]
    modules = [
        {"idx": n, "name": str(n), "path": f"{n}_{kind}" if n else "", "type": f"st.models.{kind}"}
        for n, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flag = {"cls": "cls_token"}.get(mode, f"{mode}_tokens")
    config = {"word_embedding_dimension": 8, f"pooling_mode_{flag}": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(config))


@families
@windows
@pytest.mark.parametrize("mode", ["cls", "max", "mean"])
@pytest.mark.parametrize("is_normalized", [False, True])
def test_vectors_are_those_of_the_reference(
    family: str, window: int, mode: str, is_normalized: bool, tmp_path: Path, expected: Any
) -> None:
    folder = write_checkpoint(tmp_path, family)
    write_pooling(folder, mode, is_normalized)

    vectors = run(folder, TaskType.TEXT_EMBEDDING, HostRequest(TEXTS, None, 9), window).vectors

    assert vectors is not None
    name = f"{family} {mode} {window}{' normalized' if is_normalized else ''}"
    np.testing.assert_allclose(vectors, expected[name], atol=TOLERANCE, rtol=0)


@families
@windows
def test_learned_weights_are_those_of_the_reference(
    family: str, window: int, tmp_path: Path, expected: Any
) -> None:
    folder = write_checkpoint(tmp_path, family, Output.LOGITS)
    tokenizer = TextTokenizer(folder, window)
    specials = set(tokenizer.special_ids)

    weights = run(folder, TaskType.SPARSE_EMBEDDING, HostRequest(TEXTS, None, 9), window).weights

    assert weights is not None
    kept = [token for i, token in enumerate(tokenizer.vocabulary) if i not in specials]
    rows = [[row.get(token, 0) for token in kept] for row in weights]
    np.testing.assert_allclose(rows, expected[f"{family} sparse {window}"], atol=TOLERANCE, rtol=0)
    for row in weights:
        assert set(row) <= set(kept)
        assert list(row.values()) == sorted(row.values(), reverse=True)


@families
@windows
def test_scores_of_pairs_are_those_of_the_reference(
    family: str, window: int, tmp_path: Path, expected: Any
) -> None:
    folder = write_checkpoint(tmp_path, family, Output.SCORE)

    reply = run(folder, TaskType.RERANK, HostRequest(DOCUMENTS, QUERY, 9), window)

    name = f"{family} scores {window}"
    np.testing.assert_allclose(reply.scores or [], expected[name], atol=TOLERANCE, rtol=0)
    assert set(reply.truncated) == ({3, 4} if window == 12 else {4})


def test_without_modules_a_vector_is_the_mean_of_length_one(tmp_path: Path, expected: Any) -> None:
    folder = write_checkpoint(tmp_path, "bert")

    vectors = run(folder, TaskType.TEXT_EMBEDDING, HostRequest(TEXTS, None, 9), WINDOW).vectors

    assert vectors is not None
    np.testing.assert_allclose(
        vectors, expected[f"bert mean {WINDOW} normalized"], atol=TOLERANCE, rtol=0
    )


def test_the_pooling_may_be_named_as_newer_files_name_it(tmp_path: Path, expected: Any) -> None:
    folder = write_checkpoint(tmp_path, "bert")
    write_pooling(folder, "mean", is_normalized=False)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "max"}')

    vectors = run(folder, TaskType.TEXT_EMBEDDING, HostRequest(TEXTS, None, 9), WINDOW).vectors

    assert vectors is not None
    np.testing.assert_allclose(vectors, expected[f"bert max {WINDOW}"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pooling_mode_lasttoken": True}, "pooling_mode: Input should be"),
        ({"pooling_mode_cls_token": True}, "pooling_mode: Input should be"),
        ({"include_prompt": False}, "include_prompt: Input should be True"),
    ],
)
def test_another_way_of_pooling_is_refused_when_the_model_is_converted(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    folder = write_checkpoint(tmp_path, "bert")
    write_pooling(folder, "mean", is_normalized=True)
    path = folder / "1_Pooling" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(UnsupportedModel, match=f"^1_Pooling/config.json: .*{reason}"):
        ensure_graph(folder)


def test_a_step_behind_the_pooling_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "bert")
    write_pooling(folder, "mean", is_normalized=True)
    path = folder / "modules.json"
    path.write_text(path.read_text().replace("Normalize", "Dense"))

    with pytest.raises(UnsupportedModel, match=r"the steps are \[Transformer, Pooling, Dense\]"):
        ensure_graph(folder)


def change_weights(folder: Path, change: Callable[[dict[str, FloatArray]], None]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path)


def test_a_decoder_of_its_own_is_used_where_it_is_not_tied_to_the_words(
    tmp_path: Path, expected: Any
) -> None:
    folder = write_checkpoint(tmp_path, "roberta", Output.LOGITS)
    config = json.loads((folder / "config.json").read_text()) | {"tie_word_embeddings": False}
    (folder / "config.json").write_text(json.dumps(config))
    request = HostRequest(TEXTS, None, 9)

    with pytest.raises(UnsupportedModel, match=r"lm_head.decoder.weight is missing"):
        ensure_graph(folder, Output.LOGITS)

    def untie(weights: dict[str, FloatArray]) -> None:
        words = weights["roberta.embeddings.word_embeddings.weight"]
        weights["lm_head.decoder.weight"] = words + 1

    change_weights(folder, untie)
    untied = run(folder, TaskType.SPARSE_EMBEDDING, request, WINDOW).weights
    tied = run(
        write_checkpoint(tmp_path / "tied", "roberta", Output.LOGITS),
        TaskType.SPARSE_EMBEDDING,
        request,
        WINDOW,
    ).weights
    assert tied is not None
    assert untied is not None
    assert untied != tied


def test_names_of_the_first_checkpoints_are_understood(tmp_path: Path, expected: Any) -> None:
    folder = write_checkpoint(tmp_path, "bert")

    def rename(weights: dict[str, FloatArray]) -> None:
        for name in [name for name in weights if "LayerNorm." in name]:
            old = name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta")
            weights[old] = weights.pop(name)

    change_weights(folder, rename)
    vectors = run(folder, TaskType.TEXT_EMBEDDING, HostRequest(TEXTS, None, 9), WINDOW).vectors

    assert vectors is not None
    np.testing.assert_allclose(
        vectors, expected[f"bert mean {WINDOW} normalized"], atol=TOLERANCE, rtol=0
    )


def test_a_classifier_of_several_classes_is_no_cross_encoder(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "bert", Output.SCORE)
    change_weights(
        folder, lambda weights: weights.update({"classifier.weight": np.ones((2, 8), np.float32)})
    )

    with pytest.raises(
        UnsupportedModel, match=r"classifier.weight has shape \(2, 8\) instead of \(1, 8\)"
    ):
        ensure_graph(folder, Output.SCORE)


def test_a_graph_is_built_anew_when_another_output_is_wanted(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "bert", Output.SCORE)
    ensure_graph(folder, Output.STATES)
    before = (folder / "model.onnx").read_bytes()

    ensure_graph(folder, Output.STATES)
    assert (folder / "model.onnx").read_bytes() == before
    ensure_graph(folder, Output.SCORE)
    assert (folder / "model.onnx").read_bytes() != before


def test_a_graph_that_is_of_no_use_for_a_task_is_refused(tmp_path: Path) -> None:
    tokenizer = TextTokenizer(write_checkpoint(tmp_path, "bert"), WINDOW)

    with pytest.raises(UnsupportedModel, match=r"gives \[score\], .* task type \[text_embedding\]"):
        make_head(TaskType.TEXT_EMBEDDING, Output.SCORE, tmp_path, tokenizer)


def test_the_words_stay_in_the_published_file(tmp_path: Path) -> None:
    """They are most of a multilingual model; a copy would cost the time and the disk."""
    folder = write_checkpoint(tmp_path, "mpnet", Output.LOGITS)

    ensure_graph(folder, Output.LOGITS)

    graph = onnx.load(folder / "model.onnx", load_external_data=False).graph
    stored = [tensor for tensor in graph.initializer if tensor.external_data]
    assert [tensor.name for tensor in stored] == ["embeddings.word_embeddings.weight"]
    assert {entry.key: entry.value for entry in stored[0].external_data}["location"] == (
        "model.safetensors"
    )
