"""Which methods a route has, and who may use them."""

import pytest

from endpoints.models import User
from tests.endpoints.api.rows import CALL, KEYS, NEW, PIPELINE, SIMULATE, UPDATE
from tests.endpoints.conftest import PASSWORD, Api, basic, told


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/_inference", "GET, HEAD, OPTIONS"),
        ("PATCH", "/_inference/vectors", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("GET", "/_inference/vectors/_update", "OPTIONS, POST, PUT"),
        ("PUT", "/_inference/_services", "GET, HEAD, OPTIONS"),
        ("POST", "/_inference/_region_policy", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("PATCH", KEYS, "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("DELETE", "/_security/_authenticate", "GET, HEAD, OPTIONS"),
        ("POST", PIPELINE, "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("DELETE", "/books/_mapping", "GET, HEAD, OPTIONS, POST, PUT"),
        ("POST", "/books", "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_a_wrong_method_is_told_with_the_right_ones(
    api: Api, method: str, path: str, allowed: str
) -> None:
    response = api(method, path)

    assert response.status_code == 405
    assert response["Allow"] == allowed
    assert told(response) == {
        "error": f"Incorrect HTTP method for uri [{path}] and method [{method}], "
        f"allowed: [{allowed}]",
        "status": 405,
    }
    assert api("OPTIONS", path)["Allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/_inference",
        "/_inference/vectors",
        "/_inference/nobody",
        "/_inference/_services",
        "/_inference/_region_policy",
        "/_security/_authenticate",
        KEYS,
        "/_ingest/pipeline",
        "/_ingest/pipeline/kept",
        "/_mapping",
        "/books",
        "/books/_mapping",
        "/_nowhere",
    ],
)
def test_a_head_is_a_get_without_its_body(furnished: Api, path: str) -> None:
    got, head = furnished("GET", path), furnished("HEAD", path)

    assert (head.status_code, head["Content-Type"]) == (got.status_code, got["Content-Type"])
    assert head.content == b""


def test_every_route_is_closed_to_strangers_and_to_the_powerless(furnished: Api) -> None:
    User.objects.create_user("bob", password=PASSWORD)
    bob, stranger = Api(basic("bob", PASSWORD)), Api("")

    for method, path in (
        ("PUT", NEW),
        ("PUT", UPDATE),
        ("GET", "/_inference"),
        ("GET", "/_inference/nobody"),
        ("POST", CALL),
        ("POST", f"{CALL}/_stream"),
        ("DELETE", "/_inference/nobody"),
        ("GET", "/_inference/_services"),
        ("GET", "/_inference/_region_policy"),
        ("PUT", "/_inference/_region_policy"),
        ("POST", KEYS),
        ("PUT", PIPELINE),
        ("POST", SIMULATE),
        ("PUT", "/new"),
        ("GET", "/nowhere"),
        ("PUT", "/nowhere/_mapping"),
    ):
        for caller, status in ((stranger, 401), (bob, 403)):
            response = caller(method, path, b"not json")
            assert response.status_code == status, (method, path)
            assert b"security_exception" in response.content
