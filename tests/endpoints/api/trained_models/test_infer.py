"""Asking models that are deployed."""

from typing import Any

import pytest

from endpoints.models import Deployment, DeploymentState, Heartbeat
from inference.errors import QueueFull, TimedOut
from inference.runner.client import HostFailed
from inference.runner.protocol import HostReply, HostRequest
from inference.types import Truncation
from tests.endpoints.api.trained_models.uploading import CONFIG, path
from tests.endpoints.conftest import Api, FakeHosts, World, refused, told
from tests.factories import make_deployment, make_model

BUILTIN = ".all-minilm-l6-v2"
DOCS = [{"text_field": "how big"}]


def infer(api: Api, name: str, docs: Any = DOCS, query: str = "", **config: Any) -> Any:
    body = {"docs": docs} | ({"inference_config": config} if config else {})
    return api("POST", path(name, f"/_infer{query}"), body)


def results(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return told(response)["inference_results"]


def test_each_document_gets_its_vector(api: Api) -> None:
    make_deployment("d1")

    docs = [{"text_field": "abc"}, {"text_field": "abcdef", "other": 1}]

    assert results(infer(api, "d1", docs)) == [
        {"predicted_value": [3.0, 0.5]},
        {"predicted_value": [6.0, 0.5]},
    ]


def test_a_sparse_model_gives_weighted_tokens(api: Api) -> None:
    make_deployment("d1", make_model(".minilm-sparse-v1"))

    assert results(infer(api, "d1")) == [{"predicted_value": {"sky": 1.5, "port": 0.5}}]


def test_a_similarity_is_one_number_for_each_document(api: Api, hosts: FakeHosts) -> None:
    make_deployment("d1", make_model(".minilm-rerank-v1"))

    docs = [{"text_field": "abc"}, {"text_field": "abcdef"}]
    response = infer(api, "d1", docs, text_similarity={"text": "query"})

    assert results(response) == [{"predicted_value": 0.03}, {"predicted_value": 0.06}]
    assert (hosts.asked[-1].query, hosts.asked[-1].texts) == ("query", ("abc", "abcdef"))


def test_a_similarity_needs_a_text_to_compare_with(api: Api) -> None:
    make_deployment("d1", make_model(".minilm-rerank-v1"))

    assert refused(infer(api, "d1")) == (400, "action_request_validation_exception")


def test_a_model_is_found_by_its_own_id_too(api: Api, hosts: FakeHosts) -> None:
    make_deployment("failed", state=DeploymentState.FAILED)
    make_deployment("started")
    make_deployment("waiting", state=DeploymentState.WAITING)

    assert results(infer(api, BUILTIN)) == [{"predicted_value": [7.0, 0.5]}]
    assert len(hosts.asked) == 1


def test_the_field_of_the_result_can_be_named(api: Api) -> None:
    make_deployment("d1")

    response = infer(api, "d1", text_embedding={"results_field": "vector"})

    assert results(response) == [{"vector": [7.0, 0.5]}]


def test_a_document_without_text_gets_a_warning_in_its_place(api: Api) -> None:
    make_deployment("d1")

    docs = [{"other": "x"}, {"text_field": "abc"}, {"text_field": None}]
    first, second, third = results(infer(api, "d1", docs))

    assert first == third
    assert "[text_field]" in first["warning"]
    assert second == {"predicted_value": [3.0, 0.5]}


def test_a_text_that_was_cut_is_marked(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    make_deployment("d1", make_model(".minilm-rerank-v1"))

    def call(_self: FakeHosts, _deployment_id: str, _request: HostRequest) -> HostReply:
        return HostReply(scores=[0.1, 0.2], truncated={0: Truncation(4, 1), 2: Truncation(4, 1)})

    monkeypatch.setattr(FakeHosts, "call", call)
    docs = [{"text_field": "a"}, {"text_field": "b"}]

    response = infer(api, "d1", docs, text_similarity={"text": "q"})

    assert results(response) == [
        {"predicted_value": 0.1},
        {"predicted_value": 0.2, "is_truncated": True},
    ]


def test_a_model_that_nobody_knows_is_not_found(api: Api) -> None:
    assert refused(infer(api, "x")) == (404, "resource_not_found_exception")


def test_a_model_must_be_deployed_first(api: Api) -> None:
    api("PUT", path("m"), CONFIG)

    response = infer(api, "m")

    assert refused(response) == (409, "status_exception")
    assert "must be deployed" in told(response)["error"]["reason"]


def test_a_deployment_that_failed_says_why(api: Api) -> None:
    make_deployment("d1", state=DeploymentState.FAILED, reason="it broke")

    response = infer(api, "d1")

    assert refused(response) == (409, "status_exception")
    assert "it broke" in told(response)["error"]["reason"]


def test_a_deployment_that_is_starting_is_waited_for(api: Api) -> None:
    make_deployment("d1", state=DeploymentState.STARTING)

    assert results(infer(api, "d1")) == [{"predicted_value": [7.0, 0.5]}]


def test_waiting_ends_with_the_callers_time(api: Api, world: World) -> None:
    Heartbeat.objects.create(part="runner", instance="r", seen_at="2100-01-01T00:00:00Z")
    make_deployment("d1", state=DeploymentState.STARTING)
    world.stands_still = True

    response = infer(api, "d1", query="?timeout=1s")

    assert refused(response) == (408, "model_deployment_timeout_exception")


def test_a_deployment_that_is_stopped_meanwhile_is_a_conflict(api: Api, world: World) -> None:
    make_deployment("d1", state=DeploymentState.STARTING)
    world.before_step = Deployment.objects.all().delete

    assert refused(infer(api, "d1")) == (409, "status_exception")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (TimedOut("late"), (408, "status_exception")),
        (QueueFull("full"), (429, "es_rejected_execution_exception")),
        (HostFailed("broken"), (500, "status_exception")),
    ],
)
def test_what_goes_wrong_in_the_model_has_its_status(
    api: Api, hosts: FakeHosts, raised: Exception, expected: tuple[int, str]
) -> None:
    make_deployment("d1")
    hosts.raises = raised

    assert refused(infer(api, "d1")) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "x_content_parse_exception"),
        ({"docs": []}, "action_request_validation_exception"),
        ({"docs": ["text"]}, "x_content_parse_exception"),
        ({"docs": DOCS, "colour": "red"}, "x_content_parse_exception"),
        ({"docs": DOCS, "inference_config": {"ner": {}}}, "status_exception"),
        ({"docs": DOCS, "inference_config": {}}, "status_exception"),
        (
            {"docs": DOCS, "inference_config": {"text_embedding": {"colour": 1}}},
            "x_content_parse_exception",
        ),
        (
            {
                "docs": DOCS,
                "inference_config": {"text_embedding": {"tokenization": {"roberta": {}}}},
            },
            "status_exception",
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: Api, body: Any, kind: str) -> None:
    make_deployment("d1")

    assert refused(api("POST", path("d1", "/_infer"), body)) == (400, kind)


def test_every_route_asks_for_its_privilege(api: Api) -> None:
    body = {"name": "k", "role_descriptors": {"r": {"cluster": ["manage_own_api_key"]}}}
    key = told(api("POST", "/_security/api_key", body))["encoded"]
    nobody = Api(f"ApiKey {key}")

    for method, rest in (
        ("GET", ""),
        ("GET", "/x"),
        ("GET", "/x/_stats"),
        ("GET", "/_stats"),
        ("PUT", "/x"),
        ("DELETE", "/x"),
        ("PUT", "/x/definition/0"),
        ("PUT", "/x/vocabulary"),
        ("POST", "/x/deployment/_start"),
        ("POST", "/x/deployment/_stop"),
        ("POST", "/x/deployment/_update"),
        ("POST", "/x/_infer"),
    ):
        response = nobody(method, f"/_ml/trained_models{rest}")
        assert refused(response) == (403, "security_exception"), (method, rest)
