"""Starting and changing deployments."""

from typing import Any

import pytest

from endpoints.models import Deployment, DeploymentState, Heartbeat
from tests.endpoints.api.trained_models.deploying import BUILTIN, start, update
from tests.endpoints.api.trained_models.uploading import CONFIG, path
from tests.endpoints.conftest import Api, World, refused, told
from tests.factories import make_deployment, make_endpoint, make_model


@pytest.fixture(autouse=True)
def _model(db: None) -> None:
    make_model(BUILTIN)


def test_an_assignment_tells_what_was_asked_for_and_how_far_it_is(api: Api) -> None:
    shown = told(start(api, "?cache_size=10mb"))["assignment"]

    assert list(shown["task_parameters"].items()) == [
        ("model_id", BUILTIN),
        ("deployment_id", BUILTIN),
        ("model_bytes", 91_335_235),
        ("threads_per_allocation", 1),
        ("number_of_allocations", 1),
        ("queue_capacity", 10_000),
        ("cache_size", "10mb"),
        ("priority", "normal"),
        ("per_deployment_memory_bytes", 0),
        ("per_allocation_memory_bytes", 0),
    ]
    (route,) = shown["routing_table"].values()
    assert list(route.items()) == [
        ("current_allocations", 1),
        ("target_allocations", 1),
        ("routing_state", "started"),
        ("reason", ""),
    ]
    assert list(shown) == [
        "task_parameters",
        "routing_table",
        "assignment_state",
        "start_time",
        "max_assigned_allocations",
        "adaptive_allocations",
    ]
    assert shown["assignment_state"] == "started"
    assert shown["start_time"].endswith("Z")
    assert shown["adaptive_allocations"] is None


def test_the_cache_is_as_large_as_the_model_unless_it_is_said(api: Api) -> None:
    assert told(start(api))["assignment"]["task_parameters"]["cache_size"] == "87.1mb"


def test_everything_can_be_said(api: Api) -> None:
    query = (
        "?deployment_id=fast&number_of_allocations=3&threads_per_allocation=4"
        "&queue_capacity=7&cache_size=5mb&priority=NORMAL&timeout=5s&wait_for=fully_allocated"
    )

    told_of = told(start(api, query))["assignment"]["task_parameters"]

    assert told_of["deployment_id"] == "fast"
    assert told_of["model_id"] == BUILTIN
    assert told_of["number_of_allocations"] == 3
    assert told_of["threads_per_allocation"] == 4
    assert told_of["queue_capacity"] == 7
    deployment = Deployment.objects.get()
    assert (deployment.num_allocations, deployment.num_threads) == (3, 4)
    assert deployment.queue_capacity == 7


def test_several_deployments_of_a_model_stand_side_by_side(api: Api) -> None:
    for deployment_id in ("ingest", "search"):
        assert start(api, f"?deployment_id={deployment_id}").status_code == 200

    assert Deployment.objects.count() == 2


def test_old_names_are_understood_with_a_warning(api: Api) -> None:
    response = start(api, "?model_threads=2&inference_threads=4")

    deployment = Deployment.objects.get()
    assert (deployment.num_allocations, deployment.num_threads) == (2, 4)
    assert "Deprecated field [model_threads] used" in response["Warning"]
    assert "[inference_threads]" in response["Warning"]


@pytest.mark.parametrize(
    ("bounds", "allocations"),
    [
        ({"enabled": True, "min_number_of_allocations": 2, "max_number_of_allocations": 4}, 2),
        ({"enabled": True, "min_number_of_allocations": 0}, 1),
        ({"enabled": True}, 1),
        ({"enabled": False}, 1),
    ],
)
def test_what_adapts_starts_with_the_least_that_is_allowed(
    api: Api, bounds: dict[str, Any], allocations: int
) -> None:
    shown = told(start(api, body={"adaptive_allocations": bounds}))["assignment"]

    assert shown["adaptive_allocations"] == bounds
    assert shown["task_parameters"]["number_of_allocations"] == allocations


ENABLED = {"adaptive_allocations": {"enabled": True}}
CROSSED = {"min_number_of_allocations": 3, "max_number_of_allocations": 2}
REFUSED: dict[str, tuple[str, Any, str]] = {
    "no allocations": ("?number_of_allocations=0", None, "number_of_allocations"),
    "no threads": ("?threads_per_allocation=0", None, "threads_per_allocation"),
    "three threads": ("?threads_per_allocation=3", None, "threads_per_allocation"),
    "64 threads": ("?threads_per_allocation=64", None, "threads_per_allocation"),
    "no queue": ("?queue_capacity=0", None, "queue_capacity"),
    "a queue too long": ("?queue_capacity=100001", None, "queue_capacity"),
    "an unknown priority": ("?priority=high", None, "priority"),
    "low with allocations": (
        "?priority=low&number_of_allocations=2",
        None,
        "number_of_allocations",
    ),
    "low with threads": ("?priority=low&threads_per_allocation=2", None, "threads_per_allocation"),
    "no time": ("?timeout=0", None, "timeout"),
    "adaptive with a number": ("?number_of_allocations=1", ENABLED, "number_of_allocations"),
    "crossed bounds": ("", {"adaptive_allocations": CROSSED}, "min_number_of_allocations"),
    "a long id": ("?deployment_id=" + "x" * 257, None, "deployment_id"),
}


@pytest.mark.parametrize(("query", "body", "field"), REFUSED.values(), ids=REFUSED)
def test_a_wish_that_makes_no_sense_is_refused_by_the_name_of_the_field(
    api: Api, query: str, body: Any, field: str
) -> None:
    response = start(api, query, body)

    assert refused(response) == (400, "action_request_validation_exception")
    assert f"[{field}]" in told(response)["error"]["reason"]
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        ("?wait_for=ever", None, "illegal_argument_exception"),
        ("?timeout=soon", None, "illegal_argument_exception"),
        ("?cache_size=big", None, "illegal_argument_exception"),
        ("?number_of_allocations=x", None, "illegal_argument_exception"),
        ("?colour=red", None, "illegal_argument_exception"),
        ("", {"colour": "red"}, "x_content_parse_exception"),
        ("", {"adaptive_allocations": {"colour": "red"}}, "status_exception"),
    ],
)
def test_what_cannot_be_read_is_refused(api: Api, query: str, body: Any, kind: str) -> None:
    assert refused(start(api, query, body)) == (400, kind)
    assert not Deployment.objects.exists()


def test_a_model_that_is_not_there_cannot_be_started(api: Api) -> None:
    assert refused(start(api, model_id="x")) == (404, "resource_not_found_exception")


def test_more_than_there_is_room_for_may_be_asked_again_later(api: Api) -> None:
    response = start(api, "?number_of_allocations=5000")

    assert refused(response) == (429, "es_rejected_execution_exception")


def test_an_id_stands_for_one_thing(api: Api) -> None:
    make_endpoint("endpoint")
    api("PUT", path("other"), CONFIG)
    start(api, "?deployment_id=running")

    for deployment_id in ("endpoint", "other", "running"):
        response = start(api, f"?deployment_id={deployment_id}")
        assert refused(response) == (400, "status_exception"), deployment_id
        assert f"[{deployment_id}]" in told(response)["error"]["reason"]


def test_a_start_that_takes_too_long_goes_on(api: Api, world: World) -> None:
    Heartbeat.objects.create(part="runner", instance="r", seen_at="2100-01-01T00:00:00Z")
    world.stands_still = True

    response = start(api, "?timeout=1s")

    assert refused(response) == (408, "model_deployment_timeout_exception")
    assert Deployment.objects.exists()


def test_nobody_need_wait(api: Api, world: World) -> None:
    world.stands_still = True

    shown = told(start(api, "?wait_for=starting"))["assignment"]

    assert shown["assignment_state"] == "starting"
    (route,) = shown["routing_table"].values()
    assert (route["current_allocations"], route["target_allocations"]) == (0, 1)
    assert route["routing_state"] == "starting"
    assert shown["reason"] == "waiting for the model's files"


def test_a_start_can_wait_for_every_allocation(api: Api, world: World) -> None:
    steps = iter(range(1, 4))

    def one_more() -> None:
        Deployment.objects.update(stats={"current_allocations": next(steps)})

    world.before_step = one_more

    shown = told(start(api, "?number_of_allocations=3&wait_for=fully_allocated"))["assignment"]

    (route,) = shown["routing_table"].values()
    assert route["current_allocations"] == 3


def test_a_start_that_fails_says_why_and_can_be_made_again(api: Api, world: World) -> None:
    world.load_fails = "it is broken"
    response = start(api)
    assert refused(response) == (500, "status_exception")
    assert "it is broken" in told(response)["error"]["reason"]
    assert Deployment.objects.get().state == DeploymentState.FAILED

    world.load_fails = ""
    assert start(api, "?number_of_allocations=2").status_code == 200
    deployment = Deployment.objects.get()
    assert (deployment.num_allocations, deployment.generation) == (2, 2)


@pytest.mark.parametrize(
    ("body", "query"), [({"number_of_allocations": 4}, ""), (None, "?number_of_allocations=4")]
)
def test_the_number_of_allocations_is_changed(api: Api, body: Any, query: str) -> None:
    start(api)

    shown = told(update(api, BUILTIN, body, query))["assignment"]

    assert shown["task_parameters"]["number_of_allocations"] == 4
    assert Deployment.objects.get().num_allocations == 4


def test_an_update_of_nothing_changes_nothing(api: Api) -> None:
    before = told(start(api))["assignment"]

    assert told(update(api, BUILTIN, {}))["assignment"] == before


def test_bounds_are_changed_one_by_one(api: Api) -> None:
    bounds = {"enabled": True, "min_number_of_allocations": 1, "max_number_of_allocations": 4}
    start(api, body={"adaptive_allocations": bounds})

    changes = {"min_number_of_allocations": None, "max_number_of_allocations": 2}
    shown = told(update(api, BUILTIN, {"adaptive_allocations": changes}))["assignment"]

    wanted = {"enabled": True, "max_number_of_allocations": 2}
    assert shown["adaptive_allocations"] == wanted
    assert Deployment.objects.get().adaptive_allocations == wanted


def test_new_bounds_take_effect_at_once(api: Api) -> None:
    start(api)

    bounds = {"enabled": True, "min_number_of_allocations": 3}
    shown = told(update(api, BUILTIN, {"adaptive_allocations": bounds}))["assignment"]

    assert shown["task_parameters"]["number_of_allocations"] == 3


def test_what_adapts_takes_no_number(api: Api) -> None:
    start(api, body=ENABLED)

    response = update(api, BUILTIN, {"number_of_allocations": 2})
    assert refused(response) == (400, "validation_exception")

    body = {"number_of_allocations": 2, "adaptive_allocations": {"enabled": False}}
    assert update(api, BUILTIN, body).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"number_of_allocations": 0}, (400, "action_request_validation_exception")),
        ({"number_of_allocations": "x"}, (400, "x_content_parse_exception")),
        ({"number_of_allocations": 5000}, (429, "es_rejected_execution_exception")),
        ({"adaptive_allocations": CROSSED}, (400, "validation_exception")),
        ({"adaptive_allocations": {"colour": "red"}}, (400, "status_exception")),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(
    api: Api, body: Any, expected: tuple[int, str]
) -> None:
    start(api)

    assert refused(update(api, BUILTIN, body)) == expected
    assert Deployment.objects.get().num_allocations == 1


def test_only_what_runs_is_updated(api: Api) -> None:
    body = {"number_of_allocations": 2}
    assert refused(update(api, "x", body)) == (404, "resource_not_found_exception")

    make_deployment("d1", state=DeploymentState.STARTING)
    assert refused(update(api, "d1", body)) == (409, "status_exception")

    make_endpoint("e1")
    response = update(api, "e1", body)
    assert refused(response) == (409, "status_exception")
    assert "endpoint" in told(response)["error"]["reason"]
