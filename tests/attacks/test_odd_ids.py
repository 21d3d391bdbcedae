"""Ids that no thing can have, at every address."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from endpoints.models import User
from tests.attacks.doors import filled, routes
from tests.console.conftest import browser_of
from tests.matrix.world import World

ODD = {
    "a NUL": "a%00b",
    "a way out": "..%2F..%2Fetc%2Fpasswd",
    "half a character": "%ED%A0%80",
    "a header": "%0D%0ASet-Cookie:a",
    "no end": "a" * 5000,
}


def as_postgresql(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
    """It refuses a statement with a NUL or half a character in it; SQLite takes the first."""
    for param in params or ():
        if isinstance(param, str) and ("\0" in param or not param.isascii()):
            param.encode()
            assert "\0" not in param, sql
    return execute(sql, params, *rest)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_id_that_cannot_be_is_refused_everywhere(everything: World, text: str) -> None:
    browser = browser_of(User.objects.get(username="superuser"))
    caller = Client(headers=everything.headers["superuser"])
    with connection.execute_wrapper(as_postgresql):
        for route in filter(lambda one: "<" in one, routes()):
            client = browser if route.startswith("/console/") else caller
            for method in ("GET", "POST", "PUT", "DELETE"):
                answer = client.generic(method, filled(route, text))
                assert answer.status_code < 500, f"{method} {route}"
                assert "Set-Cookie" not in answer.headers
