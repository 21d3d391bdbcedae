"""Configs of models: what is put, what is told of it, what is refused."""

from typing import Any

import pytest

from endpoints.models import Artifact, ArtifactState, Deployment, TrainedModel
from tests.endpoints.api.trained_models.uploading import CONFIG, path, upload
from tests.endpoints.conftest import SETTINGS, Api, World, refused, told
from tests.factories import make_artifact, make_deployment, make_endpoint, make_model

BUILTIN = ".all-minilm-l6-v2"
BUILTIN_BODY = {"input": {"field_names": ["text_field"]}}


def test_a_config_is_told_again_with_what_was_filled_in(api: Api) -> None:
    response = api("PUT", path("my-model"), CONFIG)

    shown = told(response)
    created = shown.pop("create_time")
    assert 1_700_000_000_000 < created < 10_000_000_000_000
    assert list(shown.items()) == [
        ("model_id", "my-model"),
        ("model_type", "pytorch"),
        ("created_by", "api_user"),
        ("version", "12.0.0"),
        ("model_size_bytes", 0),
        ("estimated_operations", 0),
        ("license_level", "platinum"),
        ("description", CONFIG["description"]),
        ("tags", []),
        ("metadata", CONFIG["metadata"]),
        ("input", CONFIG["input"]),
        (
            "inference_config",
            {
                "text_embedding": {
                    "tokenization": {
                        "bert": {
                            "do_lower_case": True,
                            "with_special_tokens": True,
                            "max_sequence_length": 512,
                            "truncate": "first",
                            "span": -1,
                        }
                    },
                    "embedding_size": 384,
                    "vocabulary": {"index": ".ml-inference-native-000002"},
                }
            },
        ),
        ("prefix_strings", CONFIG["prefix_strings"]),
        ("location", {"index": {"name": ".ml-inference-native-000001"}}),
    ]
    assert told(api("GET", path("my-model")))["trained_model_configs"] == [
        shown | {"create_time": created}
    ]


KINDS: dict[str, dict[str, Any]] = {
    "text_expansion": {},
    "text_similarity": {"tokenization": {"xlm_roberta": {"truncate": "second"}}},
    "text_classification": {"classification_labels": ["yes", "no"], "num_top_classes": 2},
    "zero_shot_classification": {"classification_labels": ["entailment", "contradiction"]},
    "fill_mask": {"tokenization": {"roberta": {"add_prefix_space": True}}},
    "ner": {"classification_labels": ["O", "B_PER"]},
    "question_answering": {
        "tokenization": {"bert": {"max_sequence_length": 386, "span": 128, "truncate": "none"}}
    },
    "pass_through": {"tokenization": {"mpnet": {}}},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_inference_can_be_put(api: Api, kind: str) -> None:
    config = CONFIG | {"inference_config": {kind: KINDS[kind]}}

    shown = told(api("PUT", path("m"), config))["inference_config"]

    assert list(shown) == [kind]
    ((_, options),) = shown[kind]["tokenization"].items()
    assert options["max_sequence_length"] in (512, 386)


BERT: dict[str, Any] = {"tokenization": {"bert": {}}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no inference_config": ({"inference_config": None}, "action_request_validation_exception"),
    "an unknown kind": ({"inference_config": {"dreaming": {}}}, "x_content_parse_exception"),
    "two kinds": (
        {"inference_config": {"ner": BERT, "fill_mask": BERT}},
        "x_content_parse_exception",
    ),
    "an unknown tokenization": (
        {"inference_config": {"ner": {"tokenization": {"letters": {}}}}},
        "x_content_parse_exception",
    ),
    "an unknown option of a tokenization": (
        {"inference_config": {"ner": {"tokenization": {"bert": {"speed": 1}}}}},
        "x_content_parse_exception",
    ),
    "a wrong truncation": (
        {"inference_config": {"ner": {"tokenization": {"bert": {"truncate": "middle"}}}}},
        "x_content_parse_exception",
    ),
    "a vocabulary in the config": (
        {"inference_config": {"ner": BERT | {"vocabulary": {"index": "x"}}}},
        "x_content_parse_exception",
    ),
    "labels that are missing": (
        {"inference_config": {"zero_shot_classification": BERT}},
        "x_content_parse_exception",
    ),
    "a definition beside it": ({"definition": {}}, "action_request_validation_exception"),
    "an unknown field": ({"colour": "red"}, "x_content_parse_exception"),
    "its own id as a tag": ({"tags": ["m"]}, "action_request_validation_exception"),
    "a tag that is a model": ({"tags": ["taken"]}, "status_exception"),
    "a tree without a definition": (
        {"model_type": "tree_ensemble"},
        "action_request_validation_exception",
    ),
}


@pytest.mark.parametrize(("changes", "kind"), REFUSED.values(), ids=REFUSED)
def test_a_config_that_makes_no_sense_is_refused(
    api: Api, changes: dict[str, Any], kind: str
) -> None:
    api("PUT", path("taken"), CONFIG)

    assert refused(api("PUT", path("m"), CONFIG | changes)) == (400, kind)
    assert not TrainedModel.objects.filter(model_id="m").exists()


@pytest.mark.parametrize("model_id", ["My-Model", "-m", "m-", "a b", "x" * 65])
def test_an_id_has_the_form_of_one(api: Api, model_id: str) -> None:
    response = api("PUT", path(model_id), CONFIG)

    assert refused(response) == (400, "action_request_validation_exception")


def test_an_id_is_given_once(api: Api) -> None:
    api("PUT", path("m"), CONFIG)

    response = api("PUT", path("m"), CONFIG)

    assert refused(response) == (400, "resource_already_exists_exception")
    assert "Trained machine learning model [m] already exists" in told(response)["error"]["reason"]


def test_an_id_is_not_that_of_a_deployment_an_endpoint_or_a_tag(api: Api) -> None:
    make_deployment("running")
    make_endpoint("endpoint")
    api("PUT", path("m"), CONFIG | {"tags": ["red"]})

    for model_id in ("running", "endpoint", "red"):
        assert refused(api("PUT", path(model_id), CONFIG)) == (400, "status_exception")


def test_an_endpoint_cannot_take_the_id_of_a_model(api: Api) -> None:
    api("PUT", path("m"), CONFIG)

    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    response = api("PUT", "/_inference/text_embedding/m", body)

    assert refused(response) == (400, "status_exception")


def test_a_tree_is_kept_although_it_cannot_be_deployed(api: Api) -> None:
    body: dict[str, Any] = {
        "definition": {"trained_model": {}},
        "inference_config": {"regression": {}},
    }

    assert told(api("PUT", path("tree"), body))["model_type"] == "tree_ensemble"
    assert "definition" not in told(api("GET", path("tree")))["trained_model_configs"][0]
    response = api("POST", path("tree", "/deployment/_start"))
    assert refused(response) == (400, "status_exception")


def test_a_builtin_model_needs_no_more_than_its_id(
    api: Api, django_capture_on_commit_callbacks: Any
) -> None:
    response = api("PUT", path(BUILTIN), BUILTIN_BODY)

    shown = told(response)
    assert response.status_code == 200
    assert shown["model_type"] == "pytorch"
    assert shown["model_size_bytes"] == 91_335_235
    assert shown["tags"] == ["prepackaged"]
    assert shown["inference_config"]["text_embedding"]["embedding_size"] == 384
    assert shown["input"] == BUILTIN_BODY["input"]
    assert Artifact.objects.get().state == ArtifactState.QUEUED


def test_a_second_put_while_it_is_fetched_tells_the_same(api: Api) -> None:
    first = told(api("PUT", path(BUILTIN), BUILTIN_BODY))

    assert told(api("PUT", path(BUILTIN), BUILTIN_BODY)) == first

    Artifact.objects.update(state=ArtifactState.READY)
    response = api("PUT", path(BUILTIN), BUILTIN_BODY)
    assert refused(response) == (400, "resource_already_exists_exception")


def test_a_put_can_wait_for_the_files(api: Api, world: World) -> None:
    response = api("PUT", path(BUILTIN, "?wait_for_completion=true"), BUILTIN_BODY)

    assert response.status_code == 200
    assert Artifact.objects.get().state == ArtifactState.READY


def test_a_put_that_waits_tells_why_the_files_cannot_be_had(api: Api, world: World) -> None:
    world.download_fails = "no source has them"

    response = api("PUT", path(BUILTIN, "?wait_for_completion"), BUILTIN_BODY)

    assert refused(response) == (400, "status_exception")
    assert "no source has them" in told(response)["error"]["reason"]


def test_what_the_catalogue_says_is_not_for_the_caller_to_say(api: Api) -> None:
    response = api("PUT", path(BUILTIN), CONFIG)

    assert refused(response) == (400, "action_request_validation_exception")
    assert not TrainedModel.objects.exists()


def test_a_dot_begins_only_the_id_of_a_builtin_model(api: Api) -> None:
    assert refused(api("PUT", path(".mine"), CONFIG)) == (400, "status_exception")


def test_a_model_is_deleted_with_what_was_uploaded_of_it(
    api: Api, django_capture_on_commit_callbacks: Any
) -> None:
    upload(api)

    with django_capture_on_commit_callbacks(execute=True):
        response = api("DELETE", path("my-model"))

    assert told(response) == {"acknowledged": True}
    assert refused(api("GET", path("my-model"))) == (404, "resource_not_found_exception")
    assert refused(api("DELETE", path("my-model"))) == (404, "resource_not_found_exception")


def test_a_model_that_is_deployed_is_deleted_only_by_force(api: Api) -> None:
    deployment = make_deployment("d1")
    url = path(BUILTIN)

    assert refused(api("DELETE", url)) == (409, "status_exception")
    assert "[d1]" in told(api("DELETE", url))["error"]["reason"]

    assert told(api("DELETE", f"{url}?force=true")) == {"acknowledged": True}
    assert not type(deployment).objects.exists()


def test_a_model_of_an_endpoint_is_deleted_only_by_force(api: Api) -> None:
    make_endpoint("e1")
    Deployment.objects.all().delete()

    response = api("DELETE", path(BUILTIN))

    assert refused(response) == (409, "status_exception")
    assert "[e1]" in told(response)["error"]["reason"]
    assert told(api("DELETE", path(BUILTIN, "?force"))) == {"acknowledged": True}


def test_a_model_of_a_pipeline_is_deleted_only_by_force(api: Api) -> None:
    api("PUT", path("m"), CONFIG)
    inference = {"model_id": "m", "input_output": [{"input_field": "a", "output_field": "b"}]}
    api("PUT", "/_ingest/pipeline/p1", {"processors": [{"inference": inference}]})

    response = api("DELETE", path("m"))

    assert refused(response) == (409, "status_exception")
    assert "[p1]" in told(response)["error"]["reason"]
    assert told(api("DELETE", path("m", "?force=true"))) == {"acknowledged": True}


def test_deleting_a_model_ends_the_fetching_of_its_files(api: Api) -> None:
    api("PUT", path(BUILTIN), BUILTIN_BODY)

    api("DELETE", path(BUILTIN))

    assert Artifact.objects.get().state == ArtifactState.ABSENT


def test_files_that_another_model_waits_for_are_still_fetched(api: Api) -> None:
    api("PUT", path(BUILTIN), BUILTIN_BODY)
    make_model(".minilm-rerank-v1", make_artifact(state=ArtifactState.QUEUED))

    api("DELETE", path(BUILTIN))

    assert Artifact.objects.get().state == ArtifactState.QUEUED
