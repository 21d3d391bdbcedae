"""An id that comes back after a delete does not silently stand for another model."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from endpoints import actions, tombstones
from endpoints.models import Deployment, Endpoint, EndpointTombstone, User
from inference.runner.catalogue import BUILTIN_MODELS
from tests.endpoints.conftest import SETTINGS, Api, World, refused, told
from tests.factories import make_admin

PATH = "/_inference/text_embedding/e1"
BODY = {"service": "elasticsearch", "service_settings": SETTINGS}
MODEL = ".all-minilm-l6-v2"
OTHER_MODEL = ".other"
OTHER = {"service": "elasticsearch", "service_settings": SETTINGS | {"model_id": OTHER_MODEL}}
MAPPINGS = {"properties": {"text": {"type": "semantic_text", "inference_id": "e1"}}}
PIPELINE = {"processors": [{"inference": {"model_id": "e1"}}]}


@pytest.fixture(autouse=True)
def _another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second model for vectors, of the same size, so that no mapping tells them apart."""
    other = replace(BUILTIN_MODELS[MODEL], model_id=OTHER_MODEL, max_input_tokens=128)
    monkeypatch.setitem(BUILTIN_MODELS, OTHER_MODEL, other)


@pytest.fixture
def consumed(api: Api) -> None:
    """An index and a pipeline that name the id, whether or not there is such an endpoint."""
    assert api("PUT", "/docs", {"mappings": MAPPINGS}).status_code == 200
    assert api("PUT", "/_ingest/pipeline/embed", PIPELINE).status_code == 200


@pytest.fixture
def deleted(api: Api) -> None:
    create(api)
    delete(api)


def create(api: Api, body: dict[str, Any] = BODY, path: str = PATH) -> Any:
    response = api("PUT", path, body)
    assert response.status_code == 200
    return response


def delete(api: Api) -> None:
    assert api("DELETE", "/_inference/e1?force").status_code == 200


def test_an_endpoint_knows_its_fingerprint(api: Api) -> None:
    create(api)
    before = Endpoint.objects.get().fingerprint

    changes = {"service_settings": {"num_allocations": 3}}
    assert api("PUT", f"{PATH}/_update", changes).status_code == 200

    assert len(before) == 64
    assert Endpoint.objects.get().fingerprint == before
    assert "fingerprint" not in told(api("GET", PATH))["endpoints"][0]


def test_an_update_notes_the_fingerprint_of_an_endpoint_that_has_none(api: Api) -> None:
    create(api)
    known = Endpoint.objects.get().fingerprint
    Endpoint.objects.update(fingerprint="")

    api("PUT", f"{PATH}/_update", {"service_settings": {"num_allocations": 3}})

    assert Endpoint.objects.get().fingerprint == known


def test_a_delete_notes_what_is_gone_and_who_named_it(
    api: Api, admin: User, consumed: None
) -> None:
    create(api)
    fingerprint = Endpoint.objects.get().fingerprint
    delete(api)

    left = EndpointTombstone.objects.get()
    assert (left.inference_id, left.task_type, left.service) == (
        "e1",
        "text_embedding",
        "elasticsearch",
    )
    assert (left.model_id, left.fingerprint) == (MODEL, fingerprint)
    assert left.consumers == {"pipelines": ["embed"], "indexes": ["docs"]}
    assert left.deleted_by == admin
    assert timezone.now() - left.deleted_at < timedelta(minutes=1)


def test_a_delete_that_is_refused_or_only_tried_leaves_none(api: Api, consumed: None) -> None:
    create(api)

    assert api("DELETE", PATH).status_code == 409
    assert api("DELETE", f"{PATH}?dry_run&force").status_code == 200

    assert not EndpointTombstone.objects.exists()


@pytest.mark.usefixtures("consumed", "deleted")
def test_the_same_model_comes_back_in_silence(api: Api) -> None:
    settings = SETTINGS | {"num_allocations": 4, "num_threads": 2}
    chunking = {"strategy": "none"}

    response = create(api, BODY | {"service_settings": settings, "chunking_settings": chunking})

    assert "Warning" not in response
    assert not EndpointTombstone.objects.exists()


@pytest.mark.usefixtures("consumed", "deleted")
def test_another_model_is_refused_while_somebody_names_the_id(api: Api, world: World) -> None:
    asked = len(world.hosts.asked)

    response = api("PUT", PATH, OTHER)

    assert refused(response) == (400, "status_exception")
    reason = told(response)["error"]["reason"]
    for word in ("[e1]", f"[{MODEL}]", f"[{OTHER_MODEL}]", "[docs]", "[embed]", "?force=true"):
        assert word in reason
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
    assert len(world.hosts.asked) == asked
    assert EndpointTombstone.objects.exists()


@pytest.mark.usefixtures("consumed", "deleted")
def test_another_task_is_refused_too(api: Api) -> None:
    settings = SETTINGS | {"model_id": ".minilm-rerank-v1"}

    response = api("PUT", "/_inference/rerank/e1", BODY | {"service_settings": settings})

    assert refused(response) == (400, "status_exception")
    assert "[rerank]" in told(response)["error"]["reason"]


@pytest.mark.usefixtures("consumed", "deleted")
def test_other_weights_under_the_same_name_are_another_model(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = BUILTIN_MODELS[MODEL]
    weights = replace(model.weights, revision="0" * 40)
    monkeypatch.setitem(BUILTIN_MODELS, MODEL, replace(model, weights=weights))

    response = api("PUT", PATH, BODY)

    assert refused(response) == (400, "status_exception")
    assert "other weights" in told(response)["error"]["reason"]


@pytest.mark.usefixtures("consumed", "deleted")
def test_force_creates_it_all_the_same_and_settles_it(api: Api) -> None:
    response = create(api, OTHER, f"{PATH}?force=true")

    assert told(response)["service_settings"]["model_id"] == OTHER_MODEL
    assert "do not match" in response["Warning"]
    assert not EndpointTombstone.objects.exists()


def test_force_does_not_lift_any_other_check(api: Api) -> None:
    create(api)

    again = api("PUT", f"{PATH}?force=true", BODY)

    assert refused(again) == (400, "resource_already_exists_exception")
    assert refused(api("PUT", f"{PATH}?force=maybe", BODY)) == (400, "illegal_argument_exception")


@pytest.mark.usefixtures("deleted")
def test_without_consumers_another_model_comes_with_a_warning(api: Api) -> None:
    response = create(api, OTHER)

    assert response["Warning"].startswith("299 Elasticsearch-9")
    assert "[e1]" in response["Warning"]
    assert not EndpointTombstone.objects.exists()


@pytest.mark.usefixtures("consumed", "deleted")
def test_consumers_that_let_go_of_the_id_count_no_longer(api: Api) -> None:
    api("DELETE", "/docs")
    api("PUT", "/_ingest/pipeline/embed", {"processors": [{"inference": {"model_id": "e2"}}]})

    assert "Warning" in create(api, OTHER)


@pytest.mark.usefixtures("deleted", "consumed")
def test_consumers_that_came_after_the_delete_count(api: Api) -> None:
    assert EndpointTombstone.objects.get().consumers == {"pipelines": [], "indexes": []}

    assert refused(api("PUT", PATH, OTHER)) == (400, "status_exception")


@pytest.mark.usefixtures("deleted")
def test_consumers_that_cannot_be_looked_up_from_here_count_as_they_were(api: Api) -> None:
    EndpointTombstone.objects.update(consumers={"indexes": ["gone"], "indexes elsewhere": ["far"]})

    response = api("PUT", PATH, OTHER)

    assert refused(response) == (400, "status_exception")
    assert "used by indices elsewhere [far]," in told(response)["error"]["reason"]
    assert "gone" not in told(response)["error"]["reason"]


def test_nothing_is_stored_of_a_reranker(api: Api, consumed: None) -> None:
    settings = SETTINGS | {"model_id": ".minilm-rerank-v1"}
    body, path = BODY | {"service_settings": settings}, "/_inference/rerank/e1"
    for _ in range(2):
        assert "Warning" not in create(api, body, path)
        delete(api)
    api("DELETE", "/docs")
    api("DELETE", "/_ingest/pipeline/embed")

    assert "Warning" not in create(api)


def test_a_create_that_fails_leaves_no_tombstone(api: Api, world: World) -> None:
    world.load_fails = "the file is cut short"

    assert api("PUT", PATH, BODY).status_code == 500

    assert not Endpoint.objects.exists()
    assert not EndpointTombstone.objects.exists()


@pytest.mark.usefixtures("deleted")
def test_a_create_that_fails_keeps_the_tombstone_of_the_endpoint_before(
    api: Api, world: World
) -> None:
    world.load_fails = "the file is cut short"

    assert api("PUT", PATH, OTHER).status_code == 500

    assert EndpointTombstone.objects.get().model_id == MODEL


@pytest.mark.usefixtures("deleted")
def test_an_endpoint_that_goes_on_starting_keeps_the_tombstone(api: Api, world: World) -> None:
    world.stands_still = True

    assert api("PUT", f"{PATH}?timeout=1s", OTHER).status_code == 408

    assert EndpointTombstone.objects.get().model_id == MODEL


@pytest.mark.usefixtures("deleted")
def test_a_later_delete_replaces_the_tombstone(api: Api, world: World) -> None:
    world.stands_still = True
    api("PUT", f"{PATH}?timeout=1s", OTHER)

    delete(api)

    assert EndpointTombstone.objects.get().model_id == OTHER_MODEL


@pytest.mark.usefixtures("consumed")
@pytest.mark.parametrize(("body", "status"), [(BODY, 200), (OTHER, 400)])
def test_without_a_fingerprint_the_name_of_the_model_tells(
    api: Api, body: dict[str, Any], status: int
) -> None:
    create(api)
    Endpoint.objects.update(fingerprint="")
    delete(api)

    assert api("PUT", PATH, body).status_code == status


def test_of_two_deletes_at_once_the_first_leaves_the_tombstone(api: Api, admin: User) -> None:
    create(api)
    seen_by_both = Endpoint.objects.get(), Endpoint.objects.get()

    actions.delete_endpoint(admin, seen_by_both[0])
    actions.delete_endpoint(make_admin("other"), seen_by_both[1])

    assert EndpointTombstone.objects.get().deleted_by == admin


def test_a_delete_that_comes_late_spares_what_has_taken_the_place(api: Api, admin: User) -> None:
    create(api)
    seen = Endpoint.objects.get()
    delete(api)
    create(api)

    actions.delete_endpoint(admin, seen)

    assert Deployment.objects.exists()
    assert not EndpointTombstone.objects.exists()


def test_a_create_spares_the_tombstone_of_its_own_endpoint(api: Api, world: World) -> None:
    """Somebody deletes the endpoint between its proof and the answer."""
    create(api)
    endpoint = Endpoint.objects.get()
    delete(api)

    assert tombstones.lift(endpoint) == ()

    assert EndpointTombstone.objects.exists()
