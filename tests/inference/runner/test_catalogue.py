import platform
import re

import pytest

from inference.runner.catalogue import (
    ALL_MINILM_L6_V2,
    BUILTIN_MODELS,
    OFFERED_MODELS,
    OPENSEARCH_SPARSE_V2_DISTILL,
    PublishedModel,
    Weights,
    stand_ins,
)
from inference.types import TaskType


def test_the_built_in_models_are_known_by_their_ids() -> None:
    assert {model_id: model.task_type for model_id, model in BUILTIN_MODELS.items()} == {
        ".all-minilm-l6-v2": TaskType.TEXT_EMBEDDING,
        ".minilm-rerank-v1": TaskType.RERANK,
        ".minilm-sparse-v1": TaskType.SPARSE_EMBEDDING,
        ".multilingual-e5-small": TaskType.TEXT_EMBEDDING,
        ".multilingual-e5-small_linux-x86_64": TaskType.TEXT_EMBEDDING,
        ".elser_model_2": TaskType.SPARSE_EMBEDDING,
        ".elser_model_2_linux-x86_64": TaskType.SPARSE_EMBEDDING,
        ".rerank-v1": TaskType.RERANK,
    }


def test_the_minilm_models_run_from_one_set_of_files() -> None:
    minilm = [model for name, model in BUILTIN_MODELS.items() if "minilm" in name]

    assert len(minilm) == 3
    assert all(model.weights is ALL_MINILM_L6_V2 for model in minilm)


def test_whatever_stands_in_one_repository_is_one_set_of_files() -> None:
    by_repository: dict[str, Weights] = {}
    for model in BUILTIN_MODELS.values():
        weights = by_repository.setdefault(model.weights.repository, model.weights)
        assert model.weights is weights


def test_a_name_for_one_platform_means_the_same_model_there_and_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = BUILTIN_MODELS[".elser_model_2_linux-x86_64"]
    assert named.weights is BUILTIN_MODELS[".elser_model_2"].weights

    for system, machine, is_available in (
        ("Linux", "x86_64", True),
        ("Linux", "aarch64", False),
        ("Darwin", "x86_64", False),
    ):
        monkeypatch.setattr(platform, "system", lambda system=system: system)
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert named.is_available_here == is_available
        assert BUILTIN_MODELS[".elser_model_2"].is_available_here
    assert named.model_id not in OFFERED_MODELS


@pytest.mark.parametrize(
    ("model_id", "stand_in"),
    [
        (".multilingual-e5-small", ".all-minilm-l6-v2"),
        (".elser_model_2", ".minilm-sparse-v1"),
        (".rerank-v1", ".minilm-rerank-v1"),
    ],
)
def test_each_model_of_the_hub_has_one_that_can_be_had_without_it(
    model_id: str, stand_in: str
) -> None:
    (found,) = stand_ins(BUILTIN_MODELS[model_id].weights)

    assert found.model_id == stand_in
    assert stand_ins(found.weights) == ()


@pytest.mark.parametrize("model", BUILTIN_MODELS.values(), ids=lambda model: model.model_id)
def test_an_entry_says_all_that_is_asked_of_it(model: PublishedModel) -> None:
    is_dense = model.task_type == TaskType.TEXT_EMBEDDING

    assert (model.dimensions is not None) == is_dense
    assert (model.similarity is not None) == is_dense
    assert model.description.endswith(".")
    assert model.languages
    assert model.max_input_tokens > 0


@pytest.mark.parametrize("model", BUILTIN_MODELS.values(), ids=lambda model: model.model_id)
def test_files_are_pinned_by_revision_size_and_hash(model: PublishedModel) -> None:
    weights = model.weights
    names = [file.name for file in weights.files]

    assert len(set(names)) == len(names)
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= set(names)
    if weights is OPENSEARCH_SPARSE_V2_DISTILL:
        assert all(file.sha256 is None for file in weights.files)  # noted when they first come
        return
    assert re.fullmatch("[0-9a-f]{40}", weights.revision)
    for file in weights.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256 or "")
        assert file.size_bytes > 0
    assert weights.size_bytes == sum(file.size_bytes for file in weights.files)
