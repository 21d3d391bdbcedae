from typing import Any

import pytest

from endpoints import calls
from endpoints.models import Endpoint
from inference.types import InferenceRequest, InferenceResult, InputType, Truncation
from tests.endpoints.conftest import SETTINGS, Api, World, refused, told
from tests.factories import make_deployment

PATH = "/_ingest/pipeline/_simulate"
IN_OUT = {"input_field": "content", "output_field": "result"}


def infer(model_id: str, **options: Any) -> dict[str, Any]:
    return {"inference": {"model_id": model_id, "input_output": IN_OUT, **options}}


def simulated(*processors: Any, **source: Any) -> dict[str, Any]:
    return {"pipeline": {"processors": list(processors)}, "docs": [{"_source": source}]}


def create(api: Api, task: str, inference_id: str, model_id: str) -> None:
    settings = SETTINGS | {"model_id": model_id}
    body = {"service": "elasticsearch", "service_settings": settings}
    assert api("PUT", f"/_inference/{task}/{inference_id}", body).status_code == 200


def test_a_pipeline_really_runs_the_model(api: Api, world: World) -> None:
    create(api, "text_embedding", "dense", ".all-minilm-l6-v2")

    response = api("POST", PATH, simulated(infer("dense"), content="text"))

    assert response.status_code == 200
    (entry,) = told(response)["docs"]
    assert entry["doc"]["_source"] == {
        "content": "text",
        "result": [4.0, 0.5],
        "model_id": "dense",
    }
    assert entry["doc"]["_ingest"]["timestamp"].endswith("Z")
    assert world.hosts.asked[-1].texts == ("text",)


@pytest.mark.parametrize(
    ("task", "model_id", "config", "cut_text"),
    [
        ("text_embedding", ".all-minilm-l6-v2", {"text_embedding": {}}, 0),
        ("sparse_embedding", ".minilm-sparse-v1", {"text_expansion": {}}, 0),
        ("rerank", ".minilm-rerank-v1", {"text_similarity": {"text": "query"}}, 0),
        ("rerank", ".minilm-rerank-v1", {"text_similarity": {"text": "query"}}, 1),
    ],
)
def test_a_prediction_about_a_text_that_was_cut_says_so(
    api: Api, world: World, task: str, model_id: str, config: dict[str, Any], cut_text: int
) -> None:
    create(api, task, "m", model_id)
    processor = {"inference": {"model_id": "m", "target_field": "out", "inference_config": config}}

    (whole,) = told(api("POST", PATH, simulated(processor, text_field="a")))["docs"]
    world.hosts.truncated = {cut_text: Truncation(256, 44)}
    (cut,) = told(api("POST", PATH, simulated(processor, text_field="a")))["docs"]

    assert "is_truncated" not in whole["doc"]["_source"]["out"]
    assert cut["doc"]["_source"]["out"]["is_truncated"] is True


def test_the_model_is_told_that_the_text_is_to_be_stored(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(api, "text_embedding", "dense", ".all-minilm-l6-v2")
    called, run = [], calls.run_inference

    def noting(
        endpoint: Endpoint, request: InferenceRequest, *more: Any, **how: Any
    ) -> InferenceResult:
        called.append(request.input_type)
        return run(endpoint, request, *more, **how)

    monkeypatch.setattr(calls, "run_inference", noting)
    api("POST", PATH, simulated(infer("dense"), content="text"))

    assert called == [InputType.INGEST]


def test_weights_and_scores_are_written_as_they_are(api: Api) -> None:
    create(api, "sparse_embedding", "sparse", ".minilm-sparse-v1")
    create(api, "rerank", "ranks", ".minilm-rerank-v1")
    config = {"text_similarity": {"text": "a question"}}

    sparse = told(api("POST", PATH, simulated(infer("sparse"), content="text")))
    ranked = infer("ranks", inference_config=config)
    scored = told(api("POST", PATH, simulated(ranked, content=["a", "bbb"])))

    assert sparse["docs"][0]["doc"]["_source"]["result"] == {"sky": 1.5, "port": 0.5}
    assert scored["docs"][0]["doc"]["_source"]["result"] == [0.01, 0.03]


def test_ranking_needs_the_text_to_rank_by(api: Api) -> None:
    create(api, "rerank", "ranks", ".minilm-rerank-v1")

    (entry,) = told(api("POST", PATH, simulated(infer("ranks"), content="a")))["docs"]

    assert entry["error"]["type"] == "validation_exception"


def test_a_stored_pipeline_is_run_by_its_id(api: Api) -> None:
    api("PUT", "/_ingest/pipeline/p", {"processors": [{"set": {"field": "a", "value": 1}}]})

    for method in ("GET", "POST"):
        path = "/_ingest/pipeline/p/_simulate"
        (entry,) = told(api(method, path, {"docs": [{"_id": "x", "_source": {}}]}))["docs"]
        assert (entry["doc"]["_id"], entry["doc"]["_source"]) == ("x", {"a": 1})


def test_a_failure_is_told_where_the_document_would_be(api: Api) -> None:
    response = api("POST", PATH, simulated(infer("nobody"), content="a"))

    assert response.status_code == 200
    (entry,) = told(response)["docs"]
    assert entry["error"]["type"] == "resource_not_found_exception"
    assert "[nobody]" in entry["error"]["root_cause"][0]["reason"]


def test_verbose_tells_every_step(api: Api) -> None:
    create(api, "text_embedding", "dense", ".all-minilm-l6-v2")
    body = simulated({"set": {"field": "a", "value": 1}}, infer("dense", tag="t"), content="text")

    (entry,) = told(api("POST", f"{PATH}?verbose=true", body))["docs"]

    first, second = entry["processor_results"]
    assert (first["processor_type"], first["status"]) == ("set", "success")
    assert (second["status"], second["tag"]) == ("success", "t")
    assert second["doc"]["_source"]["result"] == [4.0, 0.5]


DOCS: list[Any] = [{"_source": {}}]
NO_PROCESSORS: dict[str, Any] = {"processors": []}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (None, "parse_exception"),
        ({"pipeline": NO_PROCESSORS}, "parse_exception"),
        ({"docs": DOCS}, "parse_exception"),
        ({"pipeline": {}, "docs": DOCS}, "parse_exception"),
        ({"pipeline": NO_PROCESSORS, "docs": {}}, "parse_exception"),
        ({"pipeline": NO_PROCESSORS, "docs": [3]}, "parse_exception"),
        ({"pipeline": NO_PROCESSORS, "docs": [{}]}, "parse_exception"),
        ({"pipeline": NO_PROCESSORS, "docs": [{"_source": 3}]}, "parse_exception"),
        ({"pipeline": NO_PROCESSORS, "docs": []}, "illegal_argument_exception"),
        ({"pipeline": {"processors": [{"set": {"value": 1}}]}, "docs": DOCS}, "parse_exception"),
    ],
)
def test_a_request_that_cannot_be_is_refused(api: Api, body: Any, kind: str) -> None:
    assert refused(api("POST", PATH, body)) == (400, kind)


def test_an_unknown_pipeline_is_the_callers_mistake(api: Api) -> None:
    response = api("POST", "/_ingest/pipeline/nobody/_simulate", {"docs": DOCS})

    assert refused(response) == (400, "illegal_argument_exception")
    assert told(response)["error"]["reason"] == "pipeline [nobody] does not exist"


def test_a_processor_can_name_a_deployment_of_a_model(api: Api) -> None:
    make_deployment("d1")
    inference = {
        "model_id": "d1",
        "input_output": [{"input_field": "text", "output_field": "vector"}],
        "inference_config": {"text_embedding": {"results_field": "ignored"}},
    }
    body = {
        "pipeline": {"processors": [{"inference": inference}]},
        "docs": [{"_source": {"text": "abc"}}],
    }

    (doc,) = told(api("POST", "/_ingest/pipeline/_simulate", body))["docs"]

    assert doc["doc"]["_source"]["vector"] == [3.0, 0.5]
