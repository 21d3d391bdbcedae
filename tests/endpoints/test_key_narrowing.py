"""A key that is narrowed works for some endpoints, and for nothing beside."""

from typing import Any

import pytest

from endpoints import teams
from endpoints.models import ApiKey, Endpoint, Team
from inference.types import TaskType
from tests.endpoints.conftest import SETTINGS, Api, refused, told
from tests.endpoints.having_keys import KEYS, call, change, made, made_here, using
from tests.factories import make_endpoint, make_remote_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

PATH = "/_inference/text_embedding/my-endpoint"
FORBIDDEN = (403, "security_exception")
BAD_ARGUMENT = (400, "illegal_argument_exception")


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


@pytest.fixture
def endpoint(search: Team) -> Endpoint:
    """An endpoint of the team [search]."""
    made = make_endpoint()
    Endpoint.objects.filter(pk=made.pk).update(team=search)
    return made


@pytest.mark.parametrize(
    "console",
    [
        {"tasks": ["fly"]},
        {"endpoints": ["Products"]},
        {"endpoints": [""]},
        {"endpoints": ["a"] * 101},
        {"requests_per_minute": 0},
        {"requests_per_minute": 10_000_000},
    ],
)
def test_a_narrowing_that_makes_no_sense_is_refused(api: Api, console: dict[str, Any]) -> None:
    response = api("POST", KEYS, {"name": "k", "metadata": {"console": console}})

    assert refused(response) == BAD_ARGUMENT
    assert f"[{next(iter(console))}]" in told(response)["error"]["reason"]
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "console",
    [{"colour": "red"}, {"tasks": "rerank"}, {"requests_per_minute": "5"}, {"team": 1}, "x", None],
)
def test_settings_of_ours_are_read_strictly(api: Api, console: Any) -> None:
    response = api("POST", KEYS, {"name": "k", "metadata": {"console": console}})

    assert refused(response) == (400, "x_content_parse_exception")
    assert "[metadata" in told(response)["error"]["reason"]


def test_what_was_asked_for_is_shown_again(api: Api, search: Team) -> None:
    asked = {
        "team": "search",
        "tasks": ["text_embedding"],
        "endpoints": ["products-*"],
        "requests_per_minute": 60,
    }
    key = made(api, metadata={"app": "shop", "console": asked})

    (found,) = told(api("GET", f"{KEYS}?id={key['id']}"))["api_keys"]

    assert found["metadata"] == {"app": "shop", "console": asked}


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("console", "is_there"),
    [
        ({"endpoints": ["my-*"]}, True),
        ({"endpoints": ["products-*", "my-endpoin?"]}, True),
        ({"endpoints": ["products-*"]}, False),
        ({"tasks": ["text_embedding", "rerank"]}, True),
        ({"tasks": ["rerank"]}, False),
        ({"tasks": ["text_embedding"], "endpoints": ["products-*"]}, False),
    ],
)
def test_outside_of_its_narrowing_nothing_exists_for_a_key(
    api: Api, console: dict[str, Any], is_there: bool
) -> None:
    key = using(made_here(api, **console))
    listed = [one["inference_id"] for one in told(key("GET", "/_inference"))["endpoints"]]

    assert listed == (["my-endpoint"] if is_there else [])
    assert call(key) == key("GET", PATH).status_code == (200 if is_there else 404)
    assert key("GET", "/_console/endpoints/my-endpoint/cache").status_code == (
        200 if is_there else 404
    )
    assert change(key) == (200 if is_there else 404)
    assert key("DELETE", PATH).status_code == (200 if is_there else 404)
    assert Endpoint.objects.exists() != is_there


def test_a_stream_outside_of_the_narrowing_does_not_exist(api: Api) -> None:
    chat = {"model_id": "gpt-4o", "api_key": "sk"}
    make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, chat)
    key = using(made_here(api, endpoints=["products-*"]))
    body = {"messages": [{"role": "user", "content": "a"}]}

    answer = key("POST", "/_inference/chat_completion/my-endpoint/_stream", body)

    assert answer.status_code == 404


def test_a_narrowed_key_makes_only_endpoints_that_it_then_sees(api: Api) -> None:
    key = using(made_here(api, endpoints=["products-*"], tasks=["text_embedding"]))
    body = {"service": "elasticsearch", "service_settings": SETTINGS}

    assert refused(key("PUT", "/_inference/text_embedding/else", body)) == FORBIDDEN
    assert refused(key("PUT", "/_inference/rerank/products-a", body)) == FORBIDDEN
    assert key("PUT", "/_inference/text_embedding/products-a", body).status_code == 200
    assert list(Endpoint.objects.values_list("inference_id", flat=True)) == ["products-a"]


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_ml/trained_models/my-endpoint/_infer"),
        ("GET", "/_ml/trained_models"),
        ("GET", "/_ingest/pipeline"),
        ("POST", "/_ingest/pipeline/_simulate"),
        ("GET", "/_console/clusters"),
        ("GET", "/_console/service_accounts"),
        ("GET", "/_mapping"),
        ("GET", KEYS),
        ("POST", KEYS),
        ("DELETE", KEYS),
        ("PUT", "/_inference/_region_policy"),
    ],
)
def test_a_narrowed_key_does_nothing_beside(api: Api, method: str, path: str) -> None:
    key = using(made_here(api, endpoints=["my-*"]))

    assert refused(key(method, path, {})) == FORBIDDEN
