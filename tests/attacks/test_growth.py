"""Nobody comes to more than they have: not by a key, a link, a share, a form or a second try."""

from typing import Any

import pytest

from endpoints import password_resets, people, teams
from endpoints.invitations import LinkUnusable
from endpoints.models import ApiKey, Membership, Team, TeamRole, User
from endpoints.models.link import digest
from tests.console.conftest import browser_of
from tests.endpoints.conftest import told
from tests.endpoints.teamwork import keyed
from tests.factories import make_admin, make_user

EVERYTHING = {"r": {"cluster": ["all"], "indices": []}}


@pytest.fixture
def boss(search: Team) -> User:
    user = make_user("boss")
    teams.put_member(search, user, TeamRole.TEAM_ADMIN)
    return user


def role_of(name: str) -> str | None:
    return Membership.objects.filter(user__username=name).values_list("role", flat=True).first()


def test_a_key_gives_no_role_that_allows_more_than_itself(boss: User, search: Team) -> None:
    make_user("accomplice")
    cluster = ["cluster:*/console/team/*", "monitor_inference", "monitor_ml"]
    own = ["manage_own_api_key", "cluster:monitor/console/*"]
    key = keyed(boss, EVERYTHING, search, cluster=[*cluster, *own])
    path = "/_console/teams/search/members/accomplice"

    refused = [key("PUT", path, {"role": role}) for role in ("team_admin", "inference_admin")]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert role_of("accomplice") is None
    assert key("PUT", path, {"role": "inference_user"}).status_code == 200


def test_a_link_to_a_new_password_ends_with_the_right_to_make_it(admin: User) -> None:
    left = make_admin("left")
    _, token = password_resets.offer_reset(left, admin)
    people.set_roles("left", ["inference_user"])

    with pytest.raises(LinkUnusable):
        password_resets.reset_password(digest(token), "another good password")


def test_nobody_takes_over_who_was_given_more_since(admin: User, search: Team) -> None:
    ann = make_user("ann")
    _, token = password_resets.offer_reset(make_admin("left"), ann)
    people.set_roles("left", ["inference_admin"])
    people.set_roles("ann", ["superuser"])

    with pytest.raises(LinkUnusable):
        password_resets.reset_password(digest(token), "another good password")


@pytest.mark.parametrize("what", ["roles", "reset", "deactivate", "activate", "sessions"])
def test_who_administers_a_team_does_nothing_to_the_site_s_administrators_in_it(
    admin: User, boss: User, search: Team, what: str
) -> None:
    teams.put_member(search, admin, TeamRole.INFERENCE_USER)
    sent = {"roles": "inference_user", "keys": "revoke"}
    before = User.objects.filter(username="elastic").values().get()

    answer = browser_of(boss).post(f"/console/people/elastic/{what}", sent)

    assert answer.status_code == 403
    assert User.objects.filter(username="elastic").values().get() == before


SENT_ALONG = {
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "",
    "roles": "superuser",
    "owner": "elastic",
    "user": "1",
    "made_by": "1",
    "created_by": "1",
    "limited_by": '{"r": {"cluster": ["all"]}}',
    "service_role": "team_admin",
    "has_second_factor": "on",
}
FORMS: dict[str, dict[str, str]] = {
    "account": {"full_name": "The Boss"},
    "teams/search/edit": {"description": "Mine."},
    "teams/search/members": {"username": "ann", "role": "inference_user"},
    "keys/_new": {"name": "k", "access": "call", "preset": "call", "team": "search"},
    "keys/_accounts/_new": {"name": "bot", "role": "inference_user", "team": "search"},
    "people/_invite": {"team": "search", "team_role": "inference_user"},
}


@pytest.mark.parametrize("page", FORMS)
def test_nothing_can_be_sent_along_with_a_form(
    admin: User, boss: User, search: Team, page: str
) -> None:
    make_user("ann")
    browser_of(boss).post(f"/console/{page}", {**SENT_ALONG, **FORMS[page]})

    assert list(User.objects.filter(is_superuser=True)) == [admin]
    assert not User.objects.exclude(roles=[])
    assert not User.objects.filter(is_active=False)
    assert not User.objects.filter(has_second_factor=True)
    assert {key.user for key in ApiKey.objects.all()} <= {boss}
    assert not User.objects.filter(service_role="team_admin")
    assert role_of("boss") == "team_admin"


BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "/_console/teams/search": ("PUT", {"description": "Mine."}),
    "/_console/teams/search/members/ann": ("PUT", {"role": "inference_user"}),
    "/_console/people/_invitations": ("POST", {"team": "search", "team_role": "inference_user"}),
    "/_console/people/ann/roles": ("PUT", {"roles": []}),
    "/_security/api_key": ("POST", {"name": "k"}),
}


@pytest.mark.parametrize("field", sorted({*SENT_ALONG} - {"roles"}))
def test_a_body_with_a_field_that_nobody_offers_is_refused(
    admin: User, boss: User, search: Team, field: str
) -> None:
    make_user("ann")
    everything = keyed(admin, EVERYTHING)
    for path, (method, body) in BODIES.items():
        answer = everything(method, path, body | {field: SENT_ALONG[field]})
        assert answer.status_code == 400, path
        assert field in str(told(answer)), path
    assert not Membership.objects.filter(user__username="ann")
    assert ApiKey.objects.count() == 1
