"""Stopping deployments: who may, and what becomes of their callers."""

from typing import Any

import pytest

from endpoints.models import Deployment
from tests.endpoints.api.trained_models.deploying import BUILTIN, start, stop
from tests.endpoints.api.trained_models.uploading import path
from tests.endpoints.conftest import Api, FakeHosts, refused, told
from tests.factories import make_deployment, make_endpoint, make_model


@pytest.fixture(autouse=True)
def _model(db: None) -> None:
    make_model(BUILTIN)


def test_a_deployment_is_stopped(api: Api, hosts: FakeHosts) -> None:
    start(api)

    assert told(stop(api, BUILTIN)) == {"stopped": True}
    assert not Deployment.objects.exists()
    assert hosts.cut_off == []  # its callers are answered first


def test_a_stopped_deployment_takes_no_more_calls(api: Api) -> None:
    start(api)
    start(api, "?deployment_id=d1")
    docs = {"docs": [{"text_field": "the cat sat"}]}
    assert api("POST", path(BUILTIN, "/_infer"), docs).status_code == 200

    stop(api, "*")

    assert refused(api("POST", path(BUILTIN, "/_infer"), docs)) == (409, "status_exception")
    assert refused(api("POST", path("d1", "/_infer"), docs))[0] == 404


def test_a_stop_by_force_waits_for_no_caller(api: Api, hosts: FakeHosts) -> None:
    for deployment_id in ("d1", "d2", "other"):
        make_deployment(deployment_id)

    stop(api, "d*", "?force")

    assert sorted(hosts.cut_off) == ["d1", "d2"]


def test_a_model_deleted_by_force_waits_for_no_caller(
    api: Api, hosts: FakeHosts, django_capture_on_commit_callbacks: Any
) -> None:
    start(api)

    with django_capture_on_commit_callbacks(execute=True):
        assert api("DELETE", path(BUILTIN, "?force=true")).status_code == 200

    assert hosts.cut_off == [BUILTIN]


def test_stopping_what_does_not_run_is_fine_unless_it_is_said(api: Api) -> None:
    assert told(stop(api, "x")) == {"stopped": True}
    for query, body in (("?allow_no_match=false", None), ("", {"allow_no_match": False})):
        assert refused(stop(api, "x", query, body)) == (404, "resource_not_found_exception")


def test_the_id_of_a_body_is_that_of_the_path(api: Api) -> None:
    assert refused(stop(api, "x", body={"id": "y"})) == (400, "illegal_argument_exception")
    assert stop(api, "x", body={"id": "x"}).status_code == 200


def test_a_deployment_of_an_endpoint_is_stopped_only_by_force(api: Api) -> None:
    make_endpoint("e1")

    response = stop(api, "e1")
    assert refused(response) == (409, "status_exception")
    assert "[e1]" in told(response)["error"]["reason"]
    assert Deployment.objects.exists()

    assert told(stop(api, "e1", "?force=true")) == {"stopped": True}
    assert not Deployment.objects.exists()


def test_a_deployment_that_an_endpoint_uses_is_stopped_only_by_force(api: Api) -> None:
    start(api, "?deployment_id=shared")
    settings = {"deployment_id": "shared"}
    body = {"service": "elasticsearch", "service_settings": settings}
    assert api("PUT", "/_inference/text_embedding/e1", body).status_code == 200

    response = stop(api, "shared")
    assert refused(response) == (409, "status_exception")
    assert "[e1]" in told(response)["error"]["reason"]

    assert told(stop(api, "shared", body={"force": True})) == {"stopped": True}


def test_a_deployment_of_a_pipeline_is_stopped_only_by_force(api: Api) -> None:
    start(api, "?deployment_id=d1")
    inference = {"model_id": "d1", "input_output": [{"input_field": "a", "output_field": "b"}]}
    api("PUT", "/_ingest/pipeline/p1", {"processors": [{"inference": inference}]})

    assert refused(stop(api, "d1")) == (409, "status_exception")
    assert told(stop(api, "d1", "?force")) == {"stopped": True}


def test_several_are_stopped_by_a_wildcard_all_or_none(api: Api) -> None:
    make_endpoint("d-of-endpoint")
    make_deployment("d1")
    make_deployment("other")

    assert refused(stop(api, "d*")) == (409, "status_exception")
    assert Deployment.objects.count() == 3

    stop(api, "d*", "?force")
    assert Deployment.objects.get().deployment_id == "other"


def test_a_list_of_nothing_stops_nothing(api: Api) -> None:
    make_deployment("d1")

    stop(api, ",", "?force")

    assert Deployment.objects.exists()
