"""Before dangerous things people prove again that it is them, and then go on where they were."""

import time
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from pytest_django import Settings

from console.sign_in.freshness import OPEN_S, SEND_S
from endpoints import invitations, teams
from endpoints.accounts import create_account
from endpoints.invitations import Wish
from endpoints.keys import create_api_key
from endpoints.models import (
    ApiKey,
    Cluster,
    Endpoint,
    Invitation,
    Membership,
    TeamRole,
    User,
)
from tests.console.conftest import HTMX, browser_of, text
from tests.console.proving import CODE, add_app, code_of, password
from tests.factories import PASSWORD, make_cluster, make_endpoint, make_index, make_user

REMOVE = "/console/clusters/prod/remove"
CONFIRM = "/console/account/confirm"
TO_CONFIRM = f"{CONFIRM}?next=%2Fconsole%2Fclusters%2Fprod%2Fremove"


@pytest.fixture
def stale(admin: User) -> Client:
    """A browser whose sign-in is older than what dangerous pages ask for."""
    make_cluster()
    return browser_of(admin, OPEN_S + 1)


def led(answer: Any) -> Any:
    """The page that somebody comes back to, after they proved that it is them."""
    address, _, query = answer["Location"].partition("?")
    assert address == CONFIRM
    return parse_qs(query)["next"][0]


def test_who_signed_in_long_ago_is_asked_and_comes_back(stale: Client) -> None:
    asked = stale.get(REMOVE)
    assert asked["Location"] == TO_CONFIRM
    page = text(stale.get(asked["Location"]))
    assert f'name="next" value="{REMOVE}"' in page

    answer = stale.post(CONFIRM, {"password": PASSWORD, "next": REMOVE})

    assert answer["Location"] == REMOVE
    assert stale.get(REMOVE).status_code == 200
    assert stale.post(REMOVE).status_code == 302
    assert not Cluster.objects.exists()


def test_a_wrong_password_proves_nothing(stale: Client) -> None:
    answer = stale.post(CONFIRM, {"password": "wrong", "next": REMOVE})

    assert "This is not your password" in text(answer)
    assert stale.get(REMOVE)["Location"] == TO_CONFIRM


def test_a_code_proves_it_as_well(admin: User, stale: Client) -> None:
    secret = add_app(admin)
    assert "Use a code" in text(stale.get(TO_CONFIRM))

    answer = stale.post(f"{CONFIRM}/code", {"code": code_of(secret), "next": REMOVE})

    assert answer["Location"] == REMOVE
    assert stale.get(REMOVE).status_code == 200


def test_a_form_that_was_opened_in_time_may_take_a_while(admin: User) -> None:
    make_cluster()

    assert browser_of(admin, SEND_S + 1).post(REMOVE)["Location"] == TO_CONFIRM
    assert Cluster.objects.exists()
    assert browser_of(admin, SEND_S - 60).post(REMOVE).status_code == 302
    assert not Cluster.objects.exists()


@pytest.fixture
def team(admin: User) -> None:
    """A team with everything that belongs to others, as seen from the administrator."""
    search = teams.create_team("search")
    ann = make_user("ann")
    teams.put_member(search, ann, TeamRole.TEAM_ADMIN)
    teams.put_member(search, make_user("bob"), TeamRole.INFERENCE_USER)
    create_account(admin, "robot", TeamRole.INFERENCE_USER, team="search")
    create_api_key(ann, "hers", role_descriptors={}, team="search")
    make_endpoint()


@pytest.mark.parametrize(
    "page",
    [
        "people/_invite",
        "people/bob/roles",
        "people/bob/reset",
        "people/bob/second-factor",
        "people/bob/deactivate",
        "people/bob/sessions",
        "teams/search/delete",
        "teams/search/members/bob/remove",
        "keys/_new",
        "keys/_accounts/search/robot",
        "keys/_accounts/search/robot/remove",
        "endpoints/my-endpoint/move",
    ],
)
def test_what_gives_or_takes_the_rights_of_others_wants_a_proof(
    stale: Client, team: None, page: str
) -> None:
    path = f"/console/{page}"

    assert led(stale.get(path)) == path
    assert browser_of(User.objects.get(username="elastic")).get(path).status_code == 200


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_the_keys_of_others_are_not_touched_without_a_proof(
    stale: Client, team: None, what: str
) -> None:
    elastic = User.objects.get(username="elastic")
    key, _ = create_api_key(elastic, "robots", account="search/robot")
    path = f"/console/keys/{key.key_id}/{what}"

    assert led(stale.get(path)) == path


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_who_does_so_with_a_key_of_their_own_is_not_asked(team: None, what: str) -> None:
    path = f"/console/keys/{ApiKey.objects.get(name='hers').key_id}/{what}"

    ann = browser_of(User.objects.get(username="ann"), OPEN_S + 1)
    assert ann.get(path).status_code == 200


def test_who_makes_a_key_for_their_own_work_is_not_asked(team: None) -> None:
    bob = browser_of(User.objects.get(username="bob"), SEND_S + 1)
    sent = {"name": "mine", "owner": "me:search", "rights": "inherit", "endpoints": "all"}

    assert bob.get("/console/keys/_new").status_code == 200
    assert bob.post("/console/keys/_new", sent).status_code == 200


@pytest.mark.parametrize(
    ("path", "back_to"),
    [
        ("people/bob/activate", "people/bob"),
        ("teams/search/members", "teams/search"),
    ],
)
def test_who_sends_too_late_comes_back_to_the_form_and_is_told(
    admin: User, team: None, path: str, back_to: str
) -> None:
    User.objects.filter(username="bob").update(is_active=False)
    late = browser_of(admin, SEND_S + 1)
    sent = {"username": "bob", "role": TeamRole.TEAM_ADMIN}

    answer = late.post(f"/console/{path}", sent)

    assert led(answer) == f"/console/{back_to}"
    assert "Nothing is changed yet." in text(late.get(answer["Location"]))
    bob = User.objects.get(username="bob")
    assert not bob.is_active
    assert bob.memberships.get().role == TeamRole.INFERENCE_USER
    assert late.get(f"/console/{back_to}").status_code == 200


def test_a_new_link_for_an_invitation_wants_a_proof(admin: User, team: None) -> None:
    wish = Wish(team="search", team_role=TeamRole.INFERENCE_USER)
    invitation, _ = invitations.invite(admin, wish)
    late = browser_of(admin, SEND_S + 1)

    answer = late.post(f"/console/people/_invitations/{invitation.link_id}/renew")

    assert led(answer) == "/console/people"
    assert Invitation.objects.get().token_sha256 == invitation.token_sha256


def test_a_log_that_is_taken_along_wants_a_proof_and_leads_back_to_its_entries(
    stale: Client,
) -> None:
    answer = stale.get("/console/audit/export.csv?verb=key.create")

    assert led(answer) == "/console/audit?verb=key.create"


def test_who_leaves_a_team_takes_nothing_from_others(team: None) -> None:
    bob = browser_of(User.objects.get(username="bob"), SEND_S + 1)

    assert bob.post("/console/teams/search/members/bob/remove").status_code == 302
    assert not Membership.objects.filter(user__username="bob").exists()


def test_confirming_leads_to_no_other_site(stale: Client) -> None:
    answer = stale.post(CONFIRM, {"password": PASSWORD, "next": "https://example.org/"})

    assert answer["Location"] == "/console/"


def test_a_fragment_leads_the_whole_page_to_the_question(stale: Client) -> None:
    here = {"HX-Current-URL": f"http://testserver{REMOVE}"}

    assert stale.get(REMOVE, headers=HTMX | here)["HX-Redirect"] == TO_CONFIRM


def test_what_is_in_use_is_deleted_by_who_proved_it_alone(admin: User) -> None:
    make_endpoint()
    path = "/console/endpoints/my-endpoint/delete"
    stale = browser_of(admin, SEND_S + 1)
    assert stale.get(path).status_code == 200

    make_index("books", "my-endpoint")
    assert stale.get(f"{path}?look=1")["Location"].startswith(CONFIRM)
    assert stale.get(f"{path}?look=1", headers=HTMX)["HX-Redirect"].startswith(CONFIRM)
    assert stale.post(path, {"inference_id": "my-endpoint"})["Location"].startswith(CONFIRM)
    assert Endpoint.objects.filter(inference_id="my-endpoint").exists()

    assert browser_of(admin).post(path, {"inference_id": "my-endpoint"}).status_code == 302
    assert not Endpoint.objects.filter(inference_id="my-endpoint").exists()


@pytest.mark.parametrize(
    "page",
    [
        "email",
        "security/app",
        "security/app/remove",
        "security/codes",
        "security/codes/new",
        "security/passkeys/_new",
        "security/passkeys/1",
        "security/passkeys/1/remove",
    ],
)
def test_ones_own_keys_to_the_door_want_it_too(stale: Client, page: str) -> None:
    answer = stale.get(f"/console/account/{page}")

    assert answer["Location"].startswith(CONFIRM)


def test_signing_in_counts_as_a_proof(admin: User, client: Client) -> None:
    make_cluster()
    secret = add_app(admin)
    password(client, "elastic")
    client.post(CODE, {"code": code_of(secret, time.time() - 30)})

    assert client.get(REMOVE).status_code == 200


def test_who_has_nothing_to_prove_it_with_signs_in_again(admin: User, stale: Client) -> None:
    admin.set_unusable_password()
    admin.save()
    stale = browser_of(admin, OPEN_S + 1)

    asked = stale.get(REMOVE)["Location"]
    page = text(stale.get(asked))

    assert asked.startswith(f"{CONFIRM}/again?next=")
    assert 'value="/console/sign-in?next=%2Fconsole%2Fclusters%2Fprod%2Fremove"' in page


def test_with_security_off_there_is_nobody_to_ask(settings: Settings, admin: User) -> None:
    make_cluster()
    settings.SECURITY = False

    assert Client().post(REMOVE)["Location"] == "/console/clusters"
