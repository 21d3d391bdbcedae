"""An endpoint that is cached, on the wire: the same answers, with less of the model."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from pytest_django import Settings

from endpoints import caching, calls, providers, usage
from endpoints.models import Endpoint, UsageHour, User
from inference.cache import VectorCache
from inference.errors import QueueFull
from inference.types import InferenceRequest, Truncation
from tests.endpoints.conftest import PASSWORD, SETTINGS, Api, World, basic, refused, told

VECTORS, CACHE = "/_inference/text_embedding/e1", "/_console/endpoints/e1/cache"
OFF = {
    "enabled": False,
    "looked_up_inputs": 0,
    "cached_inputs": 0,
    "hit_rate": None,
    "size_in_bytes": 0,
    "max_size_in_bytes": 256_000_000,
}


def create(api: Api, path: str = VECTORS, model_id: str = ".all-minilm-l6-v2") -> None:
    body = {"service": "elasticsearch", "service_settings": SETTINGS | {"model_id": model_id}}
    assert api("PUT", path, body).status_code == 200


@pytest.fixture
def vectors(api: Api) -> None:
    create(api)


@pytest.fixture
def cached(api: Api, world: World, vectors: None) -> None:
    """The endpoint, cached; what was asked to make it is forgotten."""
    assert api("PUT", CACHE, {"enabled": True}).status_code == 200
    world.hosts.asked.clear()


def asked(world: World) -> list[tuple[str, ...]]:
    """The texts that went to the model, call by call."""
    return [request.texts for request in world.hosts.asked]


def ask(api: Api, *texts: str, **more: Any) -> Any:
    response = api("POST", VECTORS, {"input": texts} | more)
    assert response.status_code == 200
    return told(response)


def test_nothing_is_cached_unless_somebody_says_so(api: Api, world: World, vectors: None) -> None:
    world.hosts.asked.clear()

    ask(api, "a")
    ask(api, "a", "a")

    assert asked(world) == [("a",), ("a", "a")]
    assert told(api("GET", CACHE)) == OFF


def test_what_was_asked_before_is_answered_alike_without_the_model(
    api: Api, world: World, cached: None
) -> None:
    first = ask(api, "abc", "a")

    assert ask(api, "abc", "a") == first
    assert ask(api, "a", "abc", "a")["text_embedding"] == [
        first["text_embedding"][number] for number in (1, 0, 1)
    ]
    assert asked(world) == [("abc", "a")]


def test_weights_of_words_are_cached_too(api: Api, world: World) -> None:
    create(api, "/_inference/sparse_embedding/s1", ".minilm-sparse-v1")
    api("PUT", "/_console/endpoints/s1/cache", {"enabled": True})
    world.hosts.asked.clear()
    world.hosts.truncated = {0: Truncation(256, 7)}

    answers = [
        api("POST", "/_inference/sparse_embedding/s1", {"input": "abc"}).content for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert b'"is_truncated":true' in answers[1]
    assert asked(world) == [("abc",)]


def test_an_input_that_was_cut_is_warned_of_every_time(
    api: Api, world: World, cached: None
) -> None:
    world.hosts.truncated = {1: Truncation(256, 44, is_exact=False)}

    responses = [api("POST", VECTORS, {"input": ["a", "long"]}) for _ in range(2)]

    assert responses[0].content == responses[1].content
    assert responses[0]["Warning"] == responses[1]["Warning"]
    assert "input 1 lost at least 44 tokens" in responses[1]["Warning"]
    assert asked(world) == [("a", "long")]


def test_the_same_text_for_another_purpose_is_another_text(
    api: Api, world: World, cached: None
) -> None:
    for input_type in ("search", "ingest", "search"):
        ask(api, "a", input_type=input_type)

    assert asked(world) == [("a",), ("a",)]


def test_what_is_refused_without_a_cache_is_refused_with_it(api: Api, cached: None) -> None:
    ask(api, "a")

    answer = api("POST", VECTORS, {"input": "a", "task_settings": {"unknown": 1}})

    assert answer.status_code == 400


def test_a_failure_is_told_and_the_text_is_asked_again(
    api: Api, world: World, cached: None
) -> None:
    ask(api, "a")
    world.hosts.raises = QueueFull("full")
    assert api("POST", VECTORS, {"input": ["a", "b"]}).status_code == 429
    world.hosts.raises = None

    ask(api, "a", "b")

    assert asked(world) == [("a",), ("b",), ("b",)]


def test_a_call_of_a_cached_endpoint_asks_the_database_no_more_than_any(
    api: Api, cached: None, django_assert_num_queries: Any
) -> None:
    ask(api, "a")

    with django_assert_num_queries(0):  # the lookups of caller and endpoint go past the counter
        ask(api, "a")


def test_the_proof_that_an_endpoint_works_is_not_taken_from_memory(
    world: World, cached: None
) -> None:
    endpoint = Endpoint.objects.get(inference_id="e1")
    calls.run_inference(endpoint, InferenceRequest((providers.PROBE_TEXT,)), 30)

    calls.probe(endpoint, 30)

    assert asked(world) == [(providers.PROBE_TEXT,), (providers.PROBE_TEXT,)]


def test_other_vectors_under_the_same_id_are_never_mixed_up(
    api: Api, world: World, cached: None
) -> None:
    ask(api, "a")

    Endpoint.objects.filter(inference_id="e1").update(fingerprint="of another model")
    ask(api, "a")
    api("DELETE", VECTORS)
    create(api)
    api("PUT", CACHE, {"enabled": True})
    ask(api, "a")

    assert asked(world).count(("a",)) == 3


def test_switched_off_every_call_goes_to_the_model_again(
    api: Api, world: World, cached: None
) -> None:
    ask(api, "a")

    assert told(api("PUT", CACHE, {"enabled": False})) == {"acknowledged": True, "enabled": False}

    ask(api, "a")
    assert asked(world) == [("a",), ("a",)]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Switches between web processes: each has vectors of its own, and the database with all."""
    of_process = cache(lambda number: VectorCache(1 << 20))
    number = 0
    monkeypatch.setattr(caching, "vectors", lambda: of_process(number))

    def switch(wanted: int) -> None:
        nonlocal number
        number = wanted

    return switch


def test_a_purge_reaches_every_web_process(
    in_process: Callable[[int], None], api: Api, world: World, cached: None
) -> None:
    for number in (1, 2, 1, 2):
        in_process(number)
        ask(api, "a")
    assert asked(world) == [("a",), ("a",)]

    assert told(api("DELETE", CACHE)) == {"acknowledged": True}

    for number in (1, 2, 1, 2):
        in_process(number)
        ask(api, "a")
    assert len(asked(world)) == 4
    assert told(api("GET", CACHE))["enabled"]


def test_a_purge_of_one_endpoint_leaves_the_others(api: Api, world: World, cached: None) -> None:
    create(api, "/_inference/text_embedding/e2")
    api("PUT", "/_console/endpoints/e2/cache", {"enabled": True})
    ask(api, "a")

    api("DELETE", "/_console/endpoints/e2/cache")

    world.hosts.asked.clear()
    ask(api, "a")
    assert asked(world) == []
    assert told(api("GET", "/_console/endpoints/e2/cache"))["size_in_bytes"] == 0


def test_hits_are_counted_and_told(api: Api, cached: None) -> None:
    ask(api, "a", "b")
    ask(api, "a", "c", "c")
    usage.counter.flush()

    shown = told(api("GET", CACHE))

    assert (shown["looked_up_inputs"], shown["cached_inputs"]) == (5, 2)
    assert shown["hit_rate"] == 0.4
    assert shown["size_in_bytes"] == caching.vectors().size_bytes > 0
    row = UsageHour.objects.get()
    assert (row.requests, row.inputs, row.looked_up_inputs, row.cached_inputs) == (2, 5, 5, 2)


def test_inputs_of_an_endpoint_that_is_not_cached_are_not_looked_up(
    api: Api, vectors: None
) -> None:
    ask(api, "a", "a")
    usage.counter.flush()

    assert told(api("GET", CACHE)) == OFF


def test_only_vectors_can_be_cached(api: Api) -> None:
    create(api, "/_inference/rerank/r1", ".minilm-rerank-v1")

    answer = api("PUT", "/_console/endpoints/r1/cache", {"enabled": True})

    assert answer.status_code == 400
    assert "[sparse_embedding, text_embedding]" in told(answer)["error"]["reason"]
    assert not Endpoint.objects.get(inference_id="r1").is_cached


def test_an_installation_without_room_for_it_caches_nothing(
    api: Api, vectors: None, settings: Settings
) -> None:
    settings.CACHE_MB = 0
    caching.vectors.cache_clear()

    answer = api("PUT", CACHE, {"enabled": True})

    assert answer.status_code == 409
    assert "CONSOLE_CACHE_MB" in told(answer)["error"]["reason"]


def test_room_that_was_taken_away_is_not_used(
    api: Api, world: World, cached: None, settings: Settings
) -> None:
    settings.CACHE_MB = 0
    caching.vectors.cache_clear()

    ask(api, "a")
    ask(api, "a")

    assert asked(world) == [("a",), ("a",)]


def test_vectors_of_which_nobody_knows_what_they_depend_on_are_not_cached(
    api: Api, vectors: None
) -> None:
    Endpoint.objects.update(fingerprint="")

    assert api("PUT", CACHE, {"enabled": True}).status_code == 409
    assert not Endpoint.objects.get(inference_id="e1").is_cached


@pytest.mark.parametrize(
    "body", [None, {}, {"enabled": 1}, {"enabled": "true"}, {"enabled": None}, {"on": True}, []]
)
def test_a_bad_body_changes_nothing(api: Api, vectors: None, body: Any) -> None:
    status, _ = refused(api("PUT", CACHE, body))

    assert status == 400
    assert told(api("GET", CACHE)) == OFF


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_endpoint_that_is_not_there_has_no_cache(api: Api, method: str) -> None:
    assert refused(api(method, CACHE, {"enabled": True})) == (404, "resource_not_found_exception")


def test_the_settings_of_an_endpoint_do_not_show_its_cache(api: Api, vectors: None) -> None:
    before = told(api("GET", VECTORS))

    api("PUT", CACHE, {"enabled": True})

    assert told(api("GET", VECTORS)) == before


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        (["inference_user"], {"GET"}),
        (["inference_admin"], {"GET", "PUT", "DELETE"}),
        (["machine_learning_admin"], set()),
        ([], set()),
    ],
)
def test_who_may_see_it_and_who_may_switch_and_purge_it(
    api: Api, vectors: None, roles: list[str], allowed: set[str]
) -> None:
    User.objects.create_user("bob", password=PASSWORD, roles=roles)
    bobs = Api(basic("bob", PASSWORD))

    for method in ("GET", "PUT", "DELETE"):
        status = bobs(method, CACHE, {"enabled": True}).status_code
        assert status == (200 if method in allowed else 403)

    assert Endpoint.objects.get(inference_id="e1").is_cached == ("PUT" in allowed)


def test_who_may_not_purge_leaves_everything_as_it_is(api: Api, cached: None) -> None:
    User.objects.create_user("bob", password=PASSWORD, roles=["inference_user"])
    before = Endpoint.objects.get(inference_id="e1").cache_generation

    for method in ("PUT", "DELETE"):
        Api(basic("bob", PASSWORD))(method, CACHE, {"enabled": False})

    assert Endpoint.objects.get(inference_id="e1").cache_generation == before


def test_a_purge_of_what_is_not_cached_does_not_switch_it_on(api: Api, vectors: None) -> None:
    assert api("DELETE", CACHE).status_code == 200

    assert told(api("GET", CACHE)) == OFF


def test_switched_on_twice_it_keeps_what_it_has(api: Api, world: World, cached: None) -> None:
    ask(api, "a")

    api("PUT", CACHE, {"enabled": True})

    ask(api, "a")
    assert asked(world) == [("a",)]


def test_strangers_see_nothing(api: Api, vectors: None) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert Api("")(method, CACHE, {"enabled": True}).status_code == 401
