"""What is told of models that run."""

from typing import Any

import pytest

from endpoints.models import Deployment, DeploymentState
from tests.endpoints.api.trained_models.uploading import CONFIG, path
from tests.endpoints.conftest import Api, refused, told
from tests.factories import make_deployment, make_model

BUILTIN = ".all-minilm-l6-v2"
COUNTED = {
    "inference_count": 12,
    "error_count": 1,
    "timeout_count": 2,
    "rejected_execution_count": 3,
    "number_of_pending_requests": 4,
    "average_inference_time_ms": 8.5,
    "average_inference_time_ms_last_minute": 8.0,
    "last_access": 1_767_225_700_000,
    "peak_throughput_per_minute": 6,
    "throughput_last_minute": 2,
    "current_allocations": 1,
    "start_time": 1_767_225_601_000,
}


def stats(api: Api, ids: str = "", query: str = "") -> Any:
    return told(api("GET", f"/_ml/trained_models/{ids}/_stats{query}".replace("//", "/")))


def one(api: Api, ids: str, query: str = "") -> Any:
    (shown,) = stats(api, ids, query)["trained_model_stats"]
    return shown


def test_a_model_that_is_not_deployed_has_its_sizes(api: Api) -> None:
    api("PUT", path("m"), CONFIG)

    assert list(one(api, "m").items()) == [
        ("model_id", "m"),
        (
            "model_size_stats",
            {"model_size_bytes": 0, "required_native_memory_bytes": 132_565_504 + 402_653_184},
        ),
        ("pipeline_count", 0),
    ]


def test_a_deployment_tells_what_it_did(api: Api) -> None:
    bounds = {"enabled": True, "min_number_of_allocations": 0}
    make_deployment("d1", stats=COUNTED, num_allocations=2, adaptive_allocations=bounds)

    shown = one(api, "d1")

    assert list(shown) == [
        "model_id",
        "model_size_stats",
        "pipeline_count",
        "inference_stats",
        "deployment_stats",
    ]
    assert shown["inference_stats"].pop("timestamp") > 1_700_000_000_000
    assert list(shown["inference_stats"].items()) == [
        ("failure_count", 1),
        ("inference_count", 12),
        ("cache_miss_count", 0),
        ("missing_all_fields_count", 0),
    ]
    deployment = shown["deployment_stats"]
    (node,) = deployment.pop("nodes")
    assert deployment.pop("start_time") > 1_700_000_000_000
    assert list(deployment.items()) == [
        ("deployment_id", "d1"),
        ("model_id", BUILTIN),
        ("threads_per_allocation", 1),
        ("number_of_allocations", 2),
        ("adaptive_allocations", bounds),
        ("queue_capacity", 10_000),
        ("state", "started"),
        (
            "allocation_status",
            {"allocation_count": 1, "target_allocation_count": 2, "state": "started"},
        ),
        ("cache_size", "87.1mb"),
        ("priority", "normal"),
        ("inference_count", 12),
        ("error_count", 1),
        ("rejected_execution_count", 3),
        ("timeout_count", 2),
        ("peak_throughput_per_minute", 6),
    ]
    (about,) = node.pop("node").values()
    assert list(about) == [
        "name",
        "ephemeral_id",
        "transport_address",
        "external_id",
        "attributes",
        "roles",
        "version",
    ]
    assert list(node.items()) == [
        ("routing_state", {"routing_state": "started"}),
        ("inference_count", 12),
        ("average_inference_time_ms", 8.5),
        ("average_inference_time_ms_excluding_cache_hits", 8.5),
        ("inference_cache_hit_count", 0),
        ("last_access", 1_767_225_700_000),
        ("number_of_pending_requests", 4),
        ("error_count", 1),
        ("rejected_execution_count", 3),
        ("timeout_count", 2),
        ("start_time", 1_767_225_601_000),
        ("threads_per_allocation", 1),
        ("number_of_allocations", 1),
        ("peak_throughput_per_minute", 6),
        ("throughput_last_minute", 2),
        ("average_inference_time_ms_last_minute", 8.0),
        ("inference_cache_hit_count_last_minute", 0),
    ]


def test_what_is_not_known_yet_is_left_out(api: Api) -> None:
    make_deployment("d1")

    deployment = one(api, "d1")["deployment_stats"]
    (node,) = deployment["nodes"]

    for name in ("error_count", "rejected_execution_count", "timeout_count"):
        assert name not in deployment
        assert name not in node
    assert "inference_count" not in deployment
    assert node["inference_count"] == 0
    assert not [name for name in node if name.startswith(("average", "last_access"))]
    assert deployment["allocation_status"]["state"] == "fully_allocated"


@pytest.mark.parametrize(
    ("current", "target", "state"),
    [(0, 2, "starting"), (1, 2, "started"), (2, 2, "fully_allocated"), (0, 0, "fully_allocated")],
)
def test_the_allocations_that_work_are_held_against_those_that_are_wanted(
    api: Api, current: int, target: int, state: str
) -> None:
    make_deployment("d1", num_allocations=target, stats={"current_allocations": current})

    assert one(api, "d1")["deployment_stats"]["allocation_status"] == {
        "allocation_count": current,
        "target_allocation_count": target,
        "state": state,
    }


@pytest.mark.parametrize(
    ("column", "state", "reason"),
    [
        (DeploymentState.WAITING, "starting", "waiting for the model's files"),
        (DeploymentState.FAILED, "failed", "it broke"),
    ],
)
def test_a_node_that_does_not_run_it_says_little_but_why(
    api: Api, column: DeploymentState, state: str, reason: str
) -> None:
    own_reason = reason if column == DeploymentState.FAILED else ""
    make_deployment("d1", state=column, reason=own_reason, stats=COUNTED)

    deployment = one(api, "d1")["deployment_stats"]
    (node,) = deployment["nodes"]

    assert (deployment["state"], deployment["reason"]) == (state, reason)
    del node["node"]
    assert list(node.items()) == [
        ("routing_state", {"routing_state": state, "reason": reason}),
        ("peak_throughput_per_minute", 0),
        ("throughput_last_minute", 0),
    ]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("", [(BUILTIN, "b"), (BUILTIN, "d"), ("m", None)]),
        ("_all", [(BUILTIN, "b"), (BUILTIN, "d"), ("m", None)]),
        ("*", [(BUILTIN, "b"), (BUILTIN, "d"), ("m", None)]),
        (BUILTIN, [(BUILTIN, "b"), (BUILTIN, "d")]),
        ("d", [(BUILTIN, "d")]),
        ("d*,m", [(BUILTIN, "d"), ("m", None)]),
        ("x*", []),
    ],
)
def test_a_path_names_models_or_deployments(
    api: Api, ids: str, expected: list[tuple[str, str | None]]
) -> None:
    api("PUT", path("m"), CONFIG)
    make_deployment("d")
    make_deployment("b")

    body = stats(api, ids)

    assert [
        (one["model_id"], one.get("deployment_stats", {}).get("deployment_id"))
        for one in body["trained_model_stats"]
    ] == expected
    assert body["count"] == len({model_id for model_id, _ in expected})


def test_pages_are_of_models(api: Api) -> None:
    make_deployment("a")
    make_deployment("b")
    api("PUT", path("m"), CONFIG)

    body = stats(api, query="?size=1")

    assert body["count"] == 2
    assert len(body["trained_model_stats"]) == 2


@pytest.mark.parametrize("rest", ["x/_stats", "x*/_stats?allow_no_match=false"])
def test_what_is_not_there_is_not_found(api: Api, rest: str) -> None:
    response = api("GET", f"/_ml/trained_models/{rest}")

    assert refused(response) == (404, "resource_not_found_exception")


def test_times_and_sizes_can_be_told_for_people(api: Api) -> None:
    make_deployment("d1", stats=COUNTED)

    shown = one(api, "d1", "?human=true")

    sizes = shown["model_size_stats"]
    assert sizes["model_size"] == "87.1mb"
    assert list(sizes)[0::2] == ["model_size", "required_native_memory"]
    (node,) = shown["deployment_stats"]["nodes"]
    assert node["last_access_string"] == "2026-01-01T00:01:40.000Z"
    assert "start_time_string" in node
    assert "start_time_string" in shown["deployment_stats"]


def test_pipelines_are_counted_for_each_model(api: Api) -> None:
    make_model()
    make_deployment("d1")
    inference = {"model_id": "d1", "input_output": [{"input_field": "a", "output_field": "b"}]}
    api("PUT", "/_ingest/pipeline/p1", {"processors": [{"inference": inference}]})

    assert one(api, "d1")["pipeline_count"] == 1


def test_a_list_takes_as_many_queries_however_long_it_is(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_deployment(f"d{number}")

    with django_assert_max_num_queries(6):
        assert len(stats(api)["trained_model_stats"]) == 20
    assert Deployment.objects.count() == 20
