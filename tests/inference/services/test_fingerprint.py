"""The fingerprint of an endpoint changes with its vectors, and with nothing else."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import StrictStr

from inference.runner import catalogue
from inference.runner.catalogue import BUILTIN_MODELS
from inference.runner.outputs import Output
from inference.runner.precision import report
from inference.services import elasticsearch, find_service, fingerprint_of
from inference.services.base import Service
from inference.services.elasticsearch import NoTaskSettings
from inference.services.settings import Settings, setting
from inference.types import InputType, TaskType

MODEL = ".all-minilm-l6-v2"
SETTINGS = {"num_allocations": 1, "num_threads": 1}


def fingerprint(
    task: TaskType = TaskType.TEXT_EMBEDDING,
    service: str = "elasticsearch",
    chunking: dict[str, Any] | None = None,
    **settings: Any,
) -> str:
    config: dict[str, Any] = {"service_settings": SETTINGS | {"model_id": MODEL} | settings}
    if chunking:
        config["chunking_settings"] = chunking
    return fingerprint_of(find_service(service).parse(task, config))


def test_it_is_the_same_in_every_process_and_release() -> None:
    pinned = "e07cf6f49f0ac70ac8588cec676f2c37255572a3e0f8dea752e41796be8f3048"

    assert fingerprint() == pinned


def test_how_a_model_is_run_does_not_change_it() -> None:
    assert fingerprint(num_allocations=4, num_threads=2) == fingerprint()


def test_the_precision_changes_it_by_what_it_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elasticsearch, "missing_for", lambda precision: "")
    of_each = {fingerprint(precision=name) for name in ("fp32", "int8", "bf16", "auto")}
    assert len(of_each) == 4
    assert fingerprint(precision="fp32") == fingerprint()

    before = fingerprint(precision="auto")
    looser = replace(report.CHOSEN_BOUNDS, cosine=0.99)
    monkeypatch.setattr(report, "CHOSEN_BOUNDS", looser)

    assert fingerprint(precision="auto") != before


def test_how_texts_are_cut_does_not_change_it() -> None:
    chunking = {"strategy": "word", "max_chunk_size": 100, "overlap": 10}

    assert fingerprint(chunking=chunking) == fingerprint()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("repository", "someone/else"),
        ("revision", "0" * 40),
        ("files", ()),
        ("max_input_tokens", 128),
        ("dimensions", 192),
    ],
)
def test_whatever_the_vectors_are_made_with_changes_it(
    monkeypatch: pytest.MonkeyPatch, part: str, value: Any
) -> None:
    before, model = fingerprint(), BUILTIN_MODELS[MODEL]
    if part in ("repository", "revision", "files"):
        other = replace(model, weights=replace(model.weights, **{part: value}))
    else:
        other = replace(model, **{part: value})
    monkeypatch.setitem(BUILTIN_MODELS, MODEL, other)

    assert fingerprint() != before


def test_another_name_for_the_same_model_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILTIN_MODELS, "twin", replace(BUILTIN_MODELS[MODEL], model_id="twin"))

    assert fingerprint(model_id="twin") != fingerprint()


@pytest.mark.parametrize("part", ["head", "pooling", "normalization"])
def test_what_becomes_of_the_token_states_changes_it(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    before = fingerprint()
    recipe = catalogue.RECIPES[TaskType.TEXT_EMBEDDING, Output.STATES]
    monkeypatch.setitem(recipe, part, "other")

    assert fingerprint() != before


def test_what_is_put_before_texts_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    other = replace(BUILTIN_MODELS[MODEL], prefixes={InputType.SEARCH: "query: "})
    monkeypatch.setitem(BUILTIN_MODELS, MODEL, other)

    assert fingerprint() != before


def test_what_says_only_how_vectors_are_compared_does_not_change_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = fingerprint()
    other = replace(BUILTIN_MODELS[MODEL], similarity="dot_product", description="Other words.")
    monkeypatch.setitem(BUILTIN_MODELS, MODEL, other)

    assert fingerprint() == before


def test_each_task_of_the_same_weights_has_its_own() -> None:
    sparse = fingerprint(TaskType.SPARSE_EMBEDDING, model_id=".minilm-sparse-v1")

    assert sparse not in ("", fingerprint())


def test_the_deprecated_name_of_a_service_does_not_change_it() -> None:
    task, model = TaskType.SPARSE_EMBEDDING, ".minilm-sparse-v1"

    assert fingerprint(task, "elser", model_id=model) == fingerprint(task, model_id=model)


def test_nothing_that_is_stored_depends_on_a_reranker() -> None:
    assert fingerprint(TaskType.RERANK, model_id=".minilm-rerank-v1") == ""


class UpstreamSettings(Settings):
    model: StrictStr = setting("Model")
    api_key: StrictStr = setting("API Key", sensitive=True)
    rate_limit: int | None = setting("Rate Limit", default=None)
    batch_size: int | None = setting("Batch Size", default=None)


class UpstreamTaskSettings(Settings):
    input_type: StrictStr | None = setting("Input Type", default=None)
    user: StrictStr | None = setting("User", default=None)


class Upstream(Service):
    """A service elsewhere: what its settings mean is known to it alone."""

    name, label, settings = "upstream", "Upstream", UpstreamSettings
    task_settings: ClassVar = {
        TaskType.TEXT_EMBEDDING: UpstreamTaskSettings,
        TaskType.COMPLETION: NoTaskSettings,
    }
    not_in_vectors = Service.not_in_vectors | {"batch_size", "user"}


def upstream(task_settings: dict[str, Any] | None = None, **settings: Any) -> str:
    service = Upstream()
    config = {
        "service_settings": {"model": "m", "api_key": "k"} | settings,
        "task_settings": task_settings or {},
    }
    return service.fingerprint(service.parse(TaskType.TEXT_EMBEDDING, config))


@pytest.mark.parametrize(
    ("settings", "task_settings"), [({"model": "n"}, {}), ({}, {"input_type": "search"})]
)
def test_a_setting_counts_unless_the_service_says_that_it_does_not(
    settings: dict[str, Any], task_settings: dict[str, Any]
) -> None:
    assert upstream(task_settings, **settings) != upstream()
    assert upstream({"user": "u"}, rate_limit=5, batch_size=8) == upstream()


def test_a_secret_never_counts() -> None:
    assert upstream(api_key="another") == upstream()


def test_nothing_that_is_stored_depends_on_a_completion() -> None:
    service = Upstream()
    config = {"service_settings": {"model": "m", "api_key": "k"}}

    assert service.fingerprint(service.parse(TaskType.COMPLETION, config)) == ""
