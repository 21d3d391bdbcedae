"""Texts that no field can hold, in the bodies about people, teams and keys."""

import json
from typing import Any

import pytest
from django.db import connection

from endpoints.models import ApiKey, Invitation, Team, User
from tests.attacks.test_odd_ids import as_postgresql
from tests.endpoints.conftest import Api, basic, refused
from tests.factories import PASSWORD, make_user

FIELDS = {
    "PUT /_console/teams/search": ["description"],
    "PUT /_console/teams/search/members/ann": ["role"],
    "POST /_console/people/_invitations": ["username", "email", "team", "team_role", "roles"],
    "PUT /_console/people/ann/roles": ["roles"],
    "POST /_console/people/ann/_deactivate": ["keys", "hand_over_to"],
    "POST /_security/api_key": ["name", "expiration", "role_descriptors", "metadata"],
}
ODD: dict[str, Any] = {
    "a NUL": "a\0b",
    "half a character": "\ud800",
    "a megabyte": "x" * 1_000_000,
    "ten thousand": ["superuser?"] * 10_000,
    "a command": {"$ne": 1},
    "a number": 10**300,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_a_text_that_cannot_be_is_refused_and_changes_nothing(
    admin: User, search: Team, value: Any
) -> None:
    make_user("ann")
    caller = Api(basic("elastic", PASSWORD))
    with connection.execute_wrapper(as_postgresql):
        for route, fields in FIELDS.items():
            method, path = route.split()
            for field in fields:
                if field == "metadata" and isinstance(value, dict):
                    continue  # whatever is in there is the caller's own
                answer = caller(method, path, json.dumps({field: value}).encode())
                assert 400 <= refused(answer)[0] < 500, (route, field)
    assert not ApiKey.objects.exists()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"roles":' * 50_000], ids=["lists", "objects"])
def test_a_body_without_a_floor_is_refused(admin: User, search: Team, body: bytes) -> None:
    make_user("ann")
    caller = Api(basic("elastic", PASSWORD))
    for route in FIELDS:
        method, path = route.split()
        assert refused(caller(method, path, body))[0] == 400
