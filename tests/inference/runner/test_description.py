"""What a model's small files say of it, and why some models are refused."""

from pathlib import Path
from typing import Any

import pytest

from inference.errors import UnsupportedModel
from inference.runner.description import describe
from inference.runner.outputs import Output
from inference.types import InputType, TaskType
from tests.inference.runner.checkpoints import DIM, WINDOW
from tests.inference.runner.published import change_json, write_json, write_published, write_steps


@pytest.mark.parametrize("family", ["bert", "distilbert", "mpnet", "roberta", "xlm-roberta"])
def test_an_encoder_is_for_vectors_of_its_width_and_window(tmp_path: Path, family: str) -> None:
    found = describe(write_published(tmp_path, family), None, None)

    assert (found.task_type, found.output) == (TaskType.TEXT_EMBEDDING, Output.STATES)
    assert (found.dimensions, found.similarity) == (DIM, "cosine")
    assert found.max_input_tokens == WINDOW


@pytest.mark.parametrize(
    ("steps", "flags", "pooling", "is_normalized"),
    [
        (("Transformer", "Pooling", "Normalize"), {"pooling_mode_cls_token": True}, "cls", True),
        (("Transformer", "Pooling"), {"pooling_mode_max_tokens": True}, "max", False),
        (("Transformer", "Pooling"), {"pooling_mode": "mean"}, "mean", False),
        ((), {}, "mean", True),
    ],
)
def test_the_steps_say_how_vectors_are_made(
    tmp_path: Path, steps: Any, flags: dict[str, Any], pooling: str, is_normalized: bool
) -> None:
    found = describe(write_published(tmp_path, steps=steps, **flags), None, None)

    assert (found.pooling, found.is_normalized) == (pooling, is_normalized)


def test_the_pooling_that_somebody_wishes_comes_first(tmp_path: Path) -> None:
    folder = write_published(tmp_path, pooling_mode_lasttoken=True)
    with pytest.raises(UnsupportedModel, match="lasttoken"):
        describe(folder, None, None)

    assert describe(folder, None, "cls").pooling == "cls"


def test_the_shortest_window_that_is_told_counts(tmp_path: Path) -> None:
    write_published(tmp_path)
    write_json(tmp_path, "tokenizer_config.json", {"model_max_length": 1e30})
    assert describe(tmp_path, None, None).max_input_tokens == WINDOW

    write_json(tmp_path, "tokenizer_config.json", {"model_max_length": 128})
    assert describe(tmp_path, None, None).max_input_tokens == 128

    write_json(tmp_path, "sentence_bert_config.json", {"max_seq_length": 64})
    assert describe(tmp_path, None, None).max_input_tokens == 64


def test_prompts_become_prefixes(tmp_path: Path) -> None:
    write_published(tmp_path)
    prompts = {"query": "query: ", "document": "passage: ", "sts": "other: "}
    write_json(tmp_path, "config_sentence_transformers.json", {"prompts": prompts})

    assert describe(tmp_path, None, None).prefixes == {
        InputType.SEARCH: "query: ",
        InputType.INGEST: "passage: ",
    }


def test_a_default_prompt_stands_before_every_other_text(tmp_path: Path) -> None:
    write_published(tmp_path)
    config = {"prompts": {"query": "q: ", "any": "t: "}, "default_prompt_name": "any"}
    write_json(tmp_path, "config_sentence_transformers.json", config)

    prefixes = describe(tmp_path, None, None).prefixes

    assert prefixes[InputType.SEARCH] == "q: "
    assert {prefixes[kind] for kind in InputType if kind != InputType.SEARCH} == {"t: "}


def test_how_vectors_are_compared_is_told(tmp_path: Path) -> None:
    write_published(tmp_path)
    write_json(tmp_path, "config_sentence_transformers.json", {"similarity_fn_name": "dot"})

    assert describe(tmp_path, None, None).similarity == "dot_product"


def test_the_card_tells_licence_and_languages(tmp_path: Path) -> None:
    write_published(tmp_path)
    card = "---\nlanguage:\n- en\n- 'de'\nlicense: mit\ntags: [a]\n---\n# A model\nlicense: no\n"
    (tmp_path / "README.md").write_text(card)

    found = describe(tmp_path, None, None)

    assert (found.licence, found.languages) == ("mit", ("en", "de"))


def test_a_masked_language_head_is_for_sparse_vectors(tmp_path: Path) -> None:
    folder = write_published(tmp_path, output=Output.LOGITS, steps=())

    assert describe(folder, None, None).output == Output.LOGITS
    assert describe(folder, TaskType.TEXT_EMBEDDING, None).output == Output.STATES


def test_splade_is_known_by_its_steps_and_computed_in_one_way(tmp_path: Path) -> None:
    folder = write_published(tmp_path, output=Output.LOGITS, steps=())
    write_steps(folder, ("MLMTransformer", "SpladePooling"), pooling_strategy="max")
    assert describe(folder, None, None).task_type == TaskType.SPARSE_EMBEDDING

    write_steps(folder, ("MLMTransformer", "SpladePooling"), pooling_strategy="sum")
    with pytest.raises(UnsupportedModel, match="pooling_strategy"):
        describe(folder, None, None)


def test_a_classifier_of_one_label_ranks(tmp_path: Path) -> None:
    found = describe(write_published(tmp_path, output=Output.SCORE, steps=()), None, None)

    assert (found.task_type, found.output) == (TaskType.RERANK, Output.SCORE)
    assert (found.dimensions, found.similarity, found.pooling) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architectures": ["BertForTokenClassification"]}, "a head that is not computed here"),
        ({"id2label": {"0": "no", "1": "yes"}}, "tells 2 classes apart"),
        ({"id2label": None}, "tells 2 classes apart"),
    ],
)
def test_other_heads_are_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    folder = write_published(tmp_path, output=Output.SCORE, steps=())
    change_json(folder, "config.json", **changes)

    with pytest.raises(UnsupportedModel, match=reason):
        describe(folder, None, None)


def test_a_task_that_the_model_is_not_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"used for \[text_embedding\], not \[rerank\]"):
        describe(write_published(tmp_path), TaskType.RERANK, None)


def test_a_model_without_a_whole_tokenizer_is_refused(tmp_path: Path) -> None:
    write_published(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UnsupportedModel, match="cannot be read"):
        describe(tmp_path, None, None)

    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(UnsupportedModel, match="is missing"):
        describe(tmp_path, None, None)
