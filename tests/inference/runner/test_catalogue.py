import re

import pytest

from inference.runner.catalogue import ALL_MINILM_L6_V2, BUILTIN_MODELS, BuiltinModel
from inference.types import TaskType


def test_the_built_in_models_are_known_by_their_ids() -> None:
    assert {model_id: model.task_type for model_id, model in BUILTIN_MODELS.items()} == {
        ".all-minilm-l6-v2": TaskType.TEXT_EMBEDDING,
        ".minilm-rerank-v1": TaskType.RERANK,
        ".minilm-sparse-v1": TaskType.SPARSE_EMBEDDING,
    }


def test_the_minilm_models_run_from_one_set_of_files() -> None:
    assert all(model.weights is ALL_MINILM_L6_V2 for model in BUILTIN_MODELS.values())


@pytest.mark.parametrize("model", BUILTIN_MODELS.values(), ids=lambda model: model.model_id)
def test_an_entry_says_all_that_is_asked_of_it(model: BuiltinModel) -> None:
    is_dense = model.task_type == TaskType.TEXT_EMBEDDING

    assert (model.dimensions is not None) == is_dense
    assert (model.similarity is not None) == is_dense
    assert model.description.endswith(".")
    assert model.languages
    assert model.max_input_tokens > 0


@pytest.mark.parametrize("model", BUILTIN_MODELS.values(), ids=lambda model: model.model_id)
def test_files_are_pinned_by_revision_size_and_hash(model: BuiltinModel) -> None:
    weights = model.weights
    names = [file.name for file in weights.files]

    assert re.fullmatch("[0-9a-f]{40}", weights.revision)
    assert len(set(names)) == len(names)
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= set(names)
    for file in weights.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.size_bytes > 0
    assert weights.size_bytes == sum(file.size_bytes for file in weights.files)
