"""Endpoints on models that somebody uploaded."""

from pathlib import Path
from typing import Any

import pytest

from endpoints.models import Deployment, Endpoint, TrainedModel
from tests.endpoints.api.trained_models.uploading import (
    CONFIG,
    VOCABULARY,
    path,
    torchscript,
    upload,
)
from tests.endpoints.conftest import Api, refused, told

MODEL: dict[str, Any] = {"num_allocations": 1, "num_threads": 1, "model_id": "my-model"}


def put(api: Api, task: str = "text_embedding", inference_id: str = "e1", **settings: Any) -> Any:
    body = {"service": "elasticsearch", "service_settings": settings}
    return api("PUT", f"/_inference/{task}/{inference_id}", body)


def kind(name: str) -> dict[str, Any]:
    return {"inference_config": {name: {"tokenization": {"bert": {}}}}}


def test_an_endpoint_learns_from_a_call_how_long_the_vectors_are(api: Api) -> None:
    upload(api)

    shown = told(put(api, **MODEL))

    assert list(shown["service_settings"].items()) == [
        ("num_allocations", 1),
        ("num_threads", 1),
        ("model_id", "my-model"),
        ("dimensions", 2),
        ("similarity", "cosine"),
        ("element_type", "float"),
    ]
    assert told(api("GET", "/_inference/e1"))["endpoints"] == [shown]
    body = told(api("POST", "/_inference/e1", {"input": "abc"}))
    assert body == {"text_embedding": [{"embedding": [3.0, 0.5]}]}


def test_what_the_vectors_are_for_can_be_said(api: Api) -> None:
    upload(api)

    settings = told(put(api, **MODEL, similarity="dot_product", element_type="byte"))[
        "service_settings"
    ]

    assert (settings["similarity"], settings["element_type"]) == ("dot_product", "byte")
    response = api("PUT", "/_inference/e1/_update", {"service_settings": {"num_allocations": 2}})
    assert told(response)["service_settings"] == settings | {"num_allocations": 2}


def test_the_kind_of_a_model_is_the_task_of_its_endpoints(api: Api) -> None:
    upload(api, **kind("text_expansion"))

    shown = told(put(api, "sparse_embedding", **MODEL))

    assert "dimensions" not in shown["service_settings"]
    response = put(api, "text_embedding", "e2", **MODEL)
    assert refused(response) == (400, "validation_exception")
    for word in ("my-model", "text_expansion", "text_embedding"):
        assert f"[{word}]" in told(response)["error"]["reason"]


def test_a_kind_without_a_task_has_no_endpoints(api: Api) -> None:
    upload(api, **kind("ner"))

    response = put(api, **MODEL)

    assert refused(response) == (400, "status_exception")
    assert "does not map to any supported task types" in told(response)["error"]["reason"]
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"model_id": "unknown"}, "illegal_argument_exception"),
        ({"dimensions": 2}, "status_exception"),
        ({"similarity": "loud"}, "validation_exception"),
        ({"element_type": "bit"}, "validation_exception"),
        ({"model_id": ".all-minilm-l6-v2", "similarity": "cosine"}, "status_exception"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    api: Api, settings: dict[str, Any], expected: str
) -> None:
    upload(api)

    assert refused(put(api, **MODEL | settings)) == (400, expected)
    assert not Deployment.objects.exists()


def test_an_upload_that_is_not_complete_has_no_endpoint(api: Api) -> None:
    api("PUT", path("my-model"), CONFIG)

    assert refused(put(api, **MODEL)) == (404, "resource_not_found_exception")
    assert not Endpoint.objects.exists()


def test_an_endpoint_can_use_a_deployment_of_an_upload(api: Api) -> None:
    upload(api)
    assert api("POST", path("my-model", "/deployment/_start?deployment_id=d")).status_code == 200

    settings = told(put(api, deployment_id="d"))["service_settings"]

    assert settings == {**MODEL, "deployment_id": "d", "dimensions": 2} | {
        "similarity": "cosine",
        "element_type": "float",
    }


def test_a_mapping_of_longer_vectors_keeps_its_id(api: Api) -> None:
    upload(api)
    field = {
        "type": "semantic_text",
        "inference_id": "e1",
        "model_settings": {
            "service": "elasticsearch",
            "task_type": "text_embedding",
            "dimensions": 384,
            "similarity": "cosine",
            "element_type": "float",
        },
    }
    assert api("PUT", "/i1", {"mappings": {"properties": {"a": field}}}).status_code == 200

    response = put(api, **MODEL)

    assert refused(response) == (400, "status_exception")
    assert "[i1]" in told(response)["error"]["reason"]
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()


def test_vectors_are_known_by_the_files_that_were_uploaded(
    api: Api, settings: Any, tmp_path: Path
) -> None:
    settings.MODEL_DIR = tmp_path  # where no earlier test left a file

    def fingerprint(**upload_of: Any) -> str:
        upload(api, **upload_of)
        assert put(api, **MODEL).status_code == 200
        found = Endpoint.objects.get(inference_id="e1").fingerprint
        assert api("DELETE", "/_inference/e1?force=true").status_code == 200
        assert api("DELETE", path("my-model")).status_code == 200
        return found

    content = torchscript()
    first = fingerprint(content=content, parts=3)

    assert fingerprint(content=content, parts=1) == first
    assert fingerprint(content=content + b"other weights") != first
    assert fingerprint(content=content, vocabulary={"vocabulary": ["[CLS]", "[SEP]"]}) != first
    assert fingerprint(content=content, prefix_strings={"search": "find: "}) != first


def test_an_endpoint_needs_a_whole_upload(api: Api) -> None:
    assert api("PUT", path("my-model"), CONFIG).status_code == 200

    assert refused(put(api, **MODEL)) == (404, "resource_not_found_exception")
    assert not Endpoint.objects.exists()


def test_the_hashes_of_an_older_upload_are_found_out_when_it_is_used(api: Api) -> None:
    upload(api)
    TrainedModel.objects.update(definition_sha256="", vocabulary_sha256="")

    assert put(api, **MODEL).status_code == 200

    model = TrainedModel.objects.get()
    assert len(model.definition_sha256) == len(model.vocabulary_sha256) == 64


def test_the_vocabulary_of_a_model_in_use_stays(api: Api) -> None:
    upload(api)
    put(api, **MODEL)
    other = {"vocabulary": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "b", "a"]}

    assert refused(api("PUT", path("my-model", "/vocabulary"), other)) == (409, "status_exception")
    assert api("PUT", path("my-model", "/vocabulary"), VOCABULARY).status_code == 200

    api("DELETE", "/_inference/e1")
    assert api("PUT", path("my-model", "/vocabulary"), other).status_code == 200
