"""With security off everybody is the administrator."""

import pytest
from pytest_django import Settings

from endpoints.models import User
from tests.endpoints.conftest import Api, World, basic, refused, told


@pytest.fixture(autouse=True)
def security_off(settings: Settings) -> None:
    settings.SECURITY = False


HEADERS = ("", basic("elastic", "wrong"), basic("nobody", "x"), "ApiKey !", "Bearer x", "Basic")


@pytest.mark.parametrize("authorization", HEADERS)
def test_every_request_is_allowed_whatever_it_says_of_itself(
    admin: User, world: World, authorization: str
) -> None:
    api = Api(authorization)

    assert told(api("GET", "/"))["tagline"] == "You Know, for Search"
    assert api("HEAD", "/").status_code == 200
    assert told(api("GET", "/_inference")) == {"endpoints": []}
    assert api("PUT", "/_ingest/pipeline/p", {"processors": []}).status_code == 200
    assert refused(api("DELETE", "/_inference/gone"))[0] == 404


def test_nobody_need_have_been_made_an_administrator(db: None, world: World) -> None:
    assert told(Api("")("GET", "/_inference")) == {"endpoints": []}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_security/_authenticate"),
        ("POST", "/_security/api_key"),
        ("GET", "/_security/api_key"),
        ("DELETE", "/_security/api_key"),
        ("GET", "/_security/user/_has_privileges"),
        ("GET", "/_security/role"),
    ],
)
def test_what_needs_security_says_that_it_is_off(admin: User, method: str, path: str) -> None:
    answer = Api(basic("elastic", "wrong"))(method, path, {"name": "k"})

    assert refused(answer) == (400, "status_exception")
    assert b"Security must be explicitly enabled" in answer.content
    assert "WWW-Authenticate" not in answer


def test_with_security_on_nothing_of_this_holds(
    admin: User, world: World, settings: Settings
) -> None:
    settings.SECURITY = True

    assert refused(Api("")("GET", "/_inference"))[0] == 401
    assert refused(Api("")("GET", "/_security/_authenticate"))[0] == 401
