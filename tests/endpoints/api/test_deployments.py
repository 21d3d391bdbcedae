"""Endpoints whose allocations follow the load, or that use another's deployment."""

from typing import Any

import pytest

from endpoints import hosting
from endpoints.models import Deployment, DeploymentState, Endpoint
from tests.endpoints.conftest import SETTINGS, Api, World, refused, told
from tests.factories import make_deployment

PATH = "/_inference/text_embedding/e1"
MODEL = {"num_threads": 1, "model_id": ".all-minilm-l6-v2"}
BOUNDS = {"enabled": True, "min_number_of_allocations": 2, "max_number_of_allocations": 4}


def body(**settings: Any) -> dict[str, Any]:
    return {"service": "elasticsearch", "service_settings": settings}


def adaptive(**bounds: Any) -> dict[str, Any]:
    return body(**MODEL, adaptive_allocations=bounds)


def settings_of(api: Api, inference_id: str = "e1") -> Any:
    (endpoint,) = told(api("GET", f"/_inference/{inference_id}"))["endpoints"]
    return endpoint["service_settings"]


@pytest.mark.parametrize(
    ("bounds", "allocations"),
    [
        (BOUNDS, 2),
        ({"enabled": True}, 1),
        ({"enabled": True, "min_number_of_allocations": 0}, 1),
        ({"enabled": False}, 1),
    ],
)
def test_what_adapts_starts_with_the_least_that_is_allowed(
    api: Api, bounds: dict[str, Any], allocations: int
) -> None:
    response = api("PUT", PATH, adaptive(**bounds))

    assert list(told(response)["service_settings"].items()) == [
        ("num_allocations", allocations),
        ("num_threads", 1),
        ("model_id", ".all-minilm-l6-v2"),
        ("adaptive_allocations", bounds),
    ]
    assert settings_of(api) == told(response)["service_settings"]


def test_the_present_number_of_allocations_is_shown(api: Api) -> None:
    api("PUT", PATH, adaptive(**BOUNDS))
    Deployment.objects.update(num_allocations=3)

    assert settings_of(api)["num_allocations"] == 3
    assert (
        told(api("GET", "/_inference"))["endpoints"][0]["service_settings"]["num_allocations"] == 3
    )


REFUSED_BOUNDS: dict[str, tuple[dict[str, Any], str]] = {
    "an order the wrong way round": (
        {"min_number_of_allocations": 3, "max_number_of_allocations": 2},
        "validation_exception",
    ),
    "a negative least": ({"min_number_of_allocations": -1}, "validation_exception"),
    "a most of none": ({"max_number_of_allocations": 0}, "validation_exception"),
    "a word for a number": ({"min_number_of_allocations": "two"}, "validation_exception"),
    "an unknown setting": ({"colour": "red"}, "status_exception"),
}


@pytest.mark.parametrize(("bounds", "kind"), REFUSED_BOUNDS.values(), ids=REFUSED_BOUNDS)
def test_bounds_that_make_no_sense_are_refused(api: Api, bounds: dict[str, Any], kind: str) -> None:
    assert refused(api("PUT", PATH, adaptive(enabled=True, **bounds))) == (400, kind)
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()


def test_a_fixed_number_is_refused_where_it_adapts(api: Api) -> None:
    response = api("PUT", PATH, body(**SETTINGS, adaptive_allocations=BOUNDS))

    assert refused(response) == (400, "validation_exception")


def change(api: Api, **settings: Any) -> Any:
    return api("PUT", f"{PATH}/_update", {"service_settings": settings})


def test_bounds_are_changed_one_by_one(api: Api) -> None:
    api("PUT", PATH, adaptive(**BOUNDS))

    response = change(api, adaptive_allocations={"max_number_of_allocations": 8})

    wanted = BOUNDS | {"max_number_of_allocations": 8}
    assert told(response)["service_settings"]["adaptive_allocations"] == wanted
    assert Deployment.objects.get().adaptive_allocations == wanted


@pytest.mark.parametrize("nothing", [None, -1])
def test_a_bound_can_be_taken_away(api: Api, nothing: int | None) -> None:
    api("PUT", PATH, adaptive(**BOUNDS))

    response = change(api, adaptive_allocations={"min_number_of_allocations": nothing})

    assert told(response)["service_settings"]["adaptive_allocations"] == {
        "enabled": True,
        "max_number_of_allocations": 4,
    }


def test_new_bounds_take_effect_at_once(api: Api) -> None:
    api("PUT", PATH, body(**SETTINGS))

    response = change(api, adaptive_allocations=BOUNDS)

    assert told(response)["service_settings"]["num_allocations"] == 2
    assert Deployment.objects.get().num_allocations == 2


def test_a_number_alone_does_not_stop_the_adapting(api: Api) -> None:
    api("PUT", PATH, adaptive(**BOUNDS))

    assert refused(change(api, num_allocations=1)) == (400, "validation_exception")

    response = change(api, num_allocations=3, adaptive_allocations={"enabled": False})
    assert response.status_code == 200
    assert told(response)["service_settings"]["num_allocations"] == 3
    assert told(response)["service_settings"]["adaptive_allocations"]["enabled"] is False


def test_an_update_needs_the_deployment(api: Api) -> None:
    api("PUT", PATH, body(**SETTINGS))
    Deployment.objects.all().delete()

    assert refused(change(api, num_allocations=2)) == (404, "status_exception")
    assert Endpoint.objects.get().service_settings["num_allocations"] == 1


@pytest.fixture
def deployment(api: Api) -> Deployment:
    """One that no endpoint made."""
    return make_deployment("shared", num_allocations=3, num_threads=2)


@pytest.mark.parametrize("more", [{}, {"model_id": ".all-minilm-l6-v2"}, SETTINGS])
def test_an_endpoint_can_use_a_deployment_that_is_there(
    api: Api, deployment: Deployment, more: dict[str, Any]
) -> None:
    response = api("PUT", PATH, body(deployment_id="shared", **more))

    assert list(told(response)["service_settings"].items()) == [
        ("num_allocations", 3),
        ("num_threads", 2),
        ("model_id", ".all-minilm-l6-v2"),
        ("deployment_id", "shared"),
    ]
    assert api("POST", PATH, {"input": "a"}).status_code == 200
    assert list(Deployment.objects.all()) == [deployment]


def test_the_deployment_named_must_be_there_and_fit(api: Api, deployment: Deployment) -> None:
    assert refused(api("PUT", PATH, body(deployment_id="nobody"))) == (404, "status_exception")
    other_model = body(deployment_id="shared", model_id=".minilm-sparse-v1")
    assert refused(api("PUT", PATH, other_model)) == (400, "status_exception")
    other_task = api("PUT", "/_inference/rerank/e1", body(deployment_id="shared"))
    assert refused(other_task) == (400, "validation_exception")
    assert not Endpoint.objects.exists()


def test_what_an_endpoint_only_uses_is_neither_changed_nor_stopped_by_it(
    api: Api, deployment: Deployment
) -> None:
    api("PUT", PATH, body(deployment_id="shared"))

    assert refused(change(api, num_allocations=5)) == (409, "status_exception")
    assert api("DELETE", PATH).status_code == 200

    deployment.refresh_from_db()
    assert deployment.num_allocations == 3


def test_an_endpoint_outlives_the_deployment_that_it_uses(api: Api, deployment: Deployment) -> None:
    api("PUT", PATH, body(deployment_id="shared"))
    deployment.delete()

    assert settings_of(api)["deployment_id"] == "shared"
    assert refused(api("POST", PATH, {"input": "a"})) == (409, "status_exception")

    make_deployment("shared")
    assert api("POST", PATH, {"input": "a"}).status_code == 200


def test_a_call_wakes_what_went_down_to_nothing(api: Api, world: World) -> None:
    api("PUT", PATH, adaptive(enabled=True))
    Deployment.objects.update(num_allocations=0)
    world.hosts.down = True

    def come_up() -> None:
        if Deployment.objects.get().num_allocations:
            world.hosts.down = False

    world.before_step = come_up

    assert api("POST", PATH, {"input": "a"}).status_code == 200
    assert Deployment.objects.get().num_allocations == 1


def test_only_so_many_callers_may_wait_for_a_start(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "MAX_WAITING", 1)
    api("PUT", PATH, body(**SETTINGS))
    Deployment.objects.update(state=DeploymentState.STARTING)
    answers = []

    def another_comes() -> None:
        world.before_step = lambda: None
        answers.append(refused(api("POST", PATH, {"input": "b"})))

    world.before_step = another_comes

    assert api("POST", PATH, {"input": "a"}).status_code == 200
    assert answers == [(429, "status_exception")]
    assert api("POST", PATH, {"input": "c"}).status_code == 200
