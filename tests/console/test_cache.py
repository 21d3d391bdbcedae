"""The cache of an endpoint, on its page."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from endpoints import caching
from endpoints.models import Endpoint, UsageHour, User
from tests.console.conftest import text
from tests.factories import make_endpoint

PAGE = "/console/endpoints/my-endpoint"
SETTINGS = f"{PAGE}/settings"


def make_cached(**columns: str) -> Endpoint:
    endpoint = make_endpoint()
    Endpoint.objects.update(fingerprint="known", **columns)
    endpoint.refresh_from_db()
    return endpoint


def test_a_cache_is_off_and_can_be_turned_on_and_off(console: Client) -> None:
    endpoint = make_cached()
    assert "Every text goes through the model" in text(console.get(SETTINGS))

    for is_on in ("true", "false"):
        answer = console.post(f"{PAGE}/cache", {"enabled": is_on})

        assert answer["Location"] == SETTINGS
        endpoint.refresh_from_db()
        assert endpoint.is_cached == (is_on == "true")

    page = text(console.get(SETTINGS))
    assert "my-endpoint is answered from memory where it can be." in page
    assert "my-endpoint is no longer cached." in page


def test_a_cache_that_is_on_tells_what_it_saves_and_holds(console: Client) -> None:
    endpoint = make_cached(cache_generation="first")
    assert "no inputs yet" in text(console.get(SETTINGS))
    UsageHour.objects.create(
        endpoint=endpoint, hour=timezone.now(), looked_up_inputs=4000, cached_inputs=3000
    )

    page = text(console.get(SETTINGS))

    assert "75% (3,000 of 4,000 inputs)" in page
    assert "All endpoints share 256.0 MB" in page


def test_a_cache_can_be_emptied(console: Client) -> None:
    endpoint = make_cached(cache_generation="first")

    answer = console.post(f"{PAGE}/cache/purge")

    assert answer["Location"] == SETTINGS
    assert "The cache of my-endpoint is empty." in text(console.get(SETTINGS))
    endpoint.refresh_from_db()
    assert endpoint.is_cached
    assert endpoint.cache_generation != "first"


@pytest.mark.parametrize("data", [{}, {"enabled": ""}, {"enabled": "maybe"}])
def test_a_switch_that_says_nothing_changes_nothing(console: Client, data: dict[str, str]) -> None:
    endpoint = make_cached(cache_generation="first")

    console.post(f"{PAGE}/cache", data)

    assert "Nothing was changed" in text(console.get(SETTINGS))
    endpoint.refresh_from_db()
    assert endpoint.is_cached


def test_a_refusal_is_told_on_the_page(console: Client) -> None:
    make_endpoint()  # without a fingerprint

    console.post(f"{PAGE}/cache", {"enabled": "true"})

    assert "cannot be cached" in text(console.get(SETTINGS))


def test_without_room_there_is_no_switch(console: Client, settings: Settings) -> None:
    settings.CACHE_MB = 0
    caching.vectors.cache_clear()
    make_cached()

    page = text(console.get(SETTINGS))

    assert "This installation caches nothing" in page
    assert "Turn the cache" not in page


def test_an_order_of_documents_has_no_cache(console: Client) -> None:
    make_endpoint(model_id=".minilm-rerank-v1")

    assert "cache-title" not in text(console.get(SETTINGS))


@pytest.mark.django_db
def test_who_may_only_use_an_endpoint_sees_no_switch_and_has_none(client: Client) -> None:
    endpoint = make_cached(cache_generation="first")
    client.force_login(User.objects.create_user("bob", roles=["inference_user"]))

    page = text(client.get(SETTINGS))

    assert "answered from memory" in page
    assert "Turn the cache" not in page
    assert client.post(f"{PAGE}/cache", {"enabled": "false"}).status_code == 403
    assert client.post(f"{PAGE}/cache/purge").status_code == 403
    endpoint.refresh_from_db()
    assert endpoint.cache_generation == "first"
