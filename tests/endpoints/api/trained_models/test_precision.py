"""The precision of deployments that are started by themselves, beyond Elasticsearch."""

from typing import Any

import pytest

from endpoints.models import AuditEntry, Deployment, DeploymentState, Endpoint
from tests.endpoints.api.trained_models.deploying import update
from tests.endpoints.api.trained_models.uploading import upload
from tests.endpoints.conftest import Api, refused, told
from tests.factories import make_deployment

START = "/_ml/trained_models/.all-minilm-l6-v2/deployment/_start?wait_for=starting"


def test_it_is_kept_and_shown_where_it_was_asked_for(api: Api) -> None:
    api("PUT", "/_ml/trained_models/.all-minilm-l6-v2", {"input": {"field_names": ["text_field"]}})

    asked = told(api("POST", f"{START}&deployment_id=d1&precision=INT8"))["assignment"]
    plain = told(api("POST", f"{START}&deployment_id=d2"))["assignment"]

    assert asked["task_parameters"]["precision"] == "int8"
    assert "precision" not in plain["task_parameters"]
    assert Deployment.objects.get(deployment_id="d1").precision == "int8"


@pytest.mark.parametrize("precision", ["double", "none"])
def test_an_unknown_one_is_refused(api: Api, precision: str) -> None:
    api("PUT", "/_ml/trained_models/.all-minilm-l6-v2", {"input": {"field_names": ["text_field"]}})

    answer = api("POST", f"{START}&precision={precision}")

    assert refused(answer) == (400, "action_request_validation_exception")
    assert not Deployment.objects.exists()


def test_an_upload_runs_as_it_came(api: Api) -> None:
    upload(api, "mine")

    answer = api("POST", "/_ml/trained_models/mine/deployment/_start?precision=int8")

    assert refused(answer) == (400, "action_request_validation_exception")
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("body", "query"), [({"precision": "int8"}, ""), (None, "?precision=INT8")]
)
def test_it_is_changed(api: Api, body: Any, query: str) -> None:
    make_deployment("d1", num_allocations=3)

    shown = told(update(api, "d1", body, query))["assignment"]["task_parameters"]

    assert (shown["precision"], shown["number_of_allocations"]) == ("int8", 3)
    entry: Any = AuditEntry.objects.filter(verb="deployment.update").latest("pk")
    assert (entry.before["precision"], entry.after["precision"]) == ("", "int8")


def test_both_are_changed_at_once_or_neither(api: Api) -> None:
    make_deployment("d1")

    answer = update(api, "d1", {"precision": "int8", "number_of_allocations": 5000})
    assert refused(answer) == (429, "es_rejected_execution_exception")
    deployment = Deployment.objects.get()
    assert (deployment.precision, deployment.num_allocations) == ("", 1)

    update(api, "d1", {"precision": "int8", "number_of_allocations": 2})
    deployment = Deployment.objects.get()
    assert (deployment.precision, deployment.num_allocations) == ("int8", 2)


@pytest.mark.parametrize("precision", ["double", ""])
def test_a_change_to_an_unknown_one_is_refused(api: Api, precision: str) -> None:
    make_deployment("d1", precision="int8")

    answer = update(api, "d1", {"precision": precision})

    assert refused(answer) == (400, "action_request_validation_exception")
    assert Deployment.objects.get().precision == "int8"


def test_one_that_kept_the_deployment_from_running_can_be_changed(api: Api) -> None:
    make_deployment("d1", precision="bf16", state=DeploymentState.FAILED)

    assert update(api, "d1", {"precision": "fp32"}).status_code == 200
    assert refused(update(api, "d1", {"number_of_allocations": 2})) == (409, "status_exception")


def test_that_of_an_upload_cannot_be_changed(api: Api) -> None:
    upload(api, "mine")
    api("POST", "/_ml/trained_models/mine/deployment/_start?wait_for=starting")

    answer = update(api, "mine", {"precision": "int8"})

    assert refused(answer) == (400, "validation_exception")
    assert Deployment.objects.get().precision == ""


def test_an_endpoint_on_it_follows(api: Api) -> None:
    make_deployment("d1")
    body = {"service": "elasticsearch", "service_settings": {"deployment_id": "d1"}}
    api("PUT", "/_inference/text_embedding/e1", body)
    before = Endpoint.objects.get(inference_id="e1").fingerprint

    update(api, "d1", {"precision": "int8"})

    endpoint = Endpoint.objects.get(inference_id="e1")
    assert endpoint.service_settings["precision"] == "int8"
    assert endpoint.fingerprint != before
