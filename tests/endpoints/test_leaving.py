"""Accounts that are switched off and on, and new passwords by a link."""

import base64
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from endpoints import invitations, leaving, password_resets, people, teams
from endpoints.access import Forbidden
from endpoints.access_to_people import get_person
from endpoints.invitations import LinkUnusable, Wish
from endpoints.leaving import Keys
from endpoints.models import (
    ApiKey,
    AuditEntry,
    Endpoint,
    LinkState,
    Membership,
    PasswordReset,
    Team,
    TeamRole,
    User,
)
from endpoints.models.link import digest
from endpoints.permissions import Action
from endpoints.scopes import layers_of
from inference.errors import Conflict, InvalidArgument, NotFound
from tests.endpoints.conftest import Api, basic
from tests.factories import PASSWORD, make_admin, make_endpoint, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
NEW_PASSWORD = "a-long-one-4-bob"


@pytest.fixture
def admin() -> User:
    return make_admin()


@pytest.fixture
def bob() -> User:
    make_user("bob")
    return people.set_roles("bob", ["inference_user"])


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


def key_of(user: User, **roles: object) -> tuple[ApiKey, Api]:
    granted = {"r": {"cluster": ["monitor_inference"], "indices": []}}
    key, secret = ApiKey.issue(
        user, "k", limited_by=granted, role_descriptors={}, metadata={}, expires_at=None
    )
    encoded = base64.b64encode(f"{key.key_id}:{secret}".encode()).decode()
    return key, Api(f"ApiKey {encoded}")


def test_the_api_and_the_pages_refuse_at_once(admin: User, bob: User) -> None:
    api, browser = Api(basic("bob", PASSWORD)), Client()
    _, by_key = key_of(bob)
    browser.force_login(bob)
    assert api("GET", "/_inference").status_code == 200
    assert by_key("GET", "/_inference").status_code == 200
    assert browser.get("/console/").status_code == 200

    leaving.deactivate(admin, bob)

    assert api("GET", "/_inference").status_code == 401
    assert by_key("GET", "/_inference").status_code == 401
    assert browser.get("/console/").status_code == 302
    assert not Client().login(username="bob", password=PASSWORD)


def test_no_session_from_before_comes_back(admin: User, bob: User) -> None:
    browser = Client()
    browser.force_login(bob)
    leaving.deactivate(admin, bob)

    leaving.activate(bob)

    assert browser.get("/console/").status_code == 302
    assert Client().login(username="bob", password=PASSWORD)
    assert Api(basic("bob", PASSWORD))("GET", "/_inference").status_code == 200


def test_sessions_outlive_what_does_not_end_them(bob: User) -> None:
    browser = Client()
    browser.force_login(bob)

    people.set_roles("bob", ["inference_admin"])

    assert browser.get("/console/").status_code == 200


@pytest.mark.parametrize(("keys", "status"), [(Keys.REVOKE, 401), (Keys.KEEP, 200)])
def test_keys_end_or_rest_until_the_owner_is_back(
    admin: User, bob: User, keys: Keys, status: int
) -> None:
    _, by_key = key_of(bob)

    leaving.deactivate(admin, bob, keys=keys)
    assert by_key("GET", "/_inference").status_code == 401
    leaving.activate(bob)

    assert by_key("GET", "/_inference").status_code == status


def test_what_somebody_made_stays_with_its_history(admin: User, bob: User, search: Team) -> None:
    made = make_endpoint()
    Endpoint.objects.filter(pk=made.pk).update(created_by=bob, team=search)
    assert [one.pk for one in leaving.belongings_of(bob).endpoints] == [made.pk]

    leaving.deactivate(admin, bob)

    made.refresh_from_db()
    assert (made.created_by, made.team) == (bob, search)


def test_nobody_sees_what_is_outside_of_their_teams(bob: User, search: Team) -> None:
    key, _ = key_of(bob)
    for number, team in enumerate((None, search, teams.create_team("other"))):
        made = make_endpoint(f"e{number}")
        Endpoint.objects.filter(pk=made.pk).update(created_by=bob, team=team)

    left = leaving.belongings_of(bob, Team.objects.filter(pk=search.pk))

    assert [one.inference_id for one in left.endpoints] == ["e1"]
    assert left.keys == ()
    ApiKey.objects.filter(pk=key.pk).update(team=search)
    assert leaving.belongings_of(bob, Team.objects.filter(pk=search.pk)).keys == (key,)


def test_the_last_administrator_of_a_team_hands_it_over(
    admin: User, bob: User, search: Team
) -> None:
    teams.put_member(search, bob, TeamRole.TEAM_ADMIN)
    assert leaving.belongings_of(bob).left_alone == (search,)

    with pytest.raises(Conflict, match=r"teams \[search\].*\[hand_over_to\]"):
        leaving.deactivate(admin, bob)
    with pytest.raises(NotFound, match=r"\[nobody\]"):
        leaving.deactivate(admin, bob, hand_over_to="nobody")
    with pytest.raises(InvalidArgument, match="somebody else"):
        leaving.deactivate(admin, bob, hand_over_to="bob")
    bob.refresh_from_db()
    assert bob.is_active

    make_user("heir")
    leaving.deactivate(admin, bob, hand_over_to="heir")

    assert Membership.objects.get(user__username="heir").role == TeamRole.TEAM_ADMIN
    entry = AuditEntry.objects.filter(verb="person.deactivate").get()
    assert entry.after == {
        "keys": "revoke",
        "hand_over_to": "heir",
        "teams": ["search"],
    }


def test_an_heir_is_somebody_who_is_active(admin: User, bob: User, search: Team) -> None:
    teams.put_member(search, bob, TeamRole.TEAM_ADMIN)
    make_user("gone")
    User.objects.filter(username="gone").update(is_active=False)

    with pytest.raises(InvalidArgument, match="active"):
        leaving.deactivate(admin, bob, hand_over_to="gone")


def test_an_administrator_who_is_deactivated_does_not_count_for_a_team(
    admin: User, bob: User, search: Team
) -> None:
    ann = make_user("ann")
    for user in (bob, ann):
        teams.put_member(search, user, TeamRole.TEAM_ADMIN)
    leaving.deactivate(admin, bob)

    with pytest.raises(Conflict, match="last administrator"):
        teams.remove_member(search, ann)
    assert leaving.belongings_of(ann).left_alone == (search,)


def test_the_last_who_can_do_everything_stays(admin: User, bob: User) -> None:
    with pytest.raises(Conflict, match="last one with the role"):
        leaving.deactivate(admin, admin, is_meant=True)

    people.set_roles("bob", ["superuser"])
    leaving.deactivate(bob, admin)
    with pytest.raises(Conflict, match="last one with the role"):
        leaving.deactivate(bob, bob, is_meant=True)


def test_nobody_deactivates_themselves_by_accident(admin: User, bob: User) -> None:
    people.set_roles("bob", ["superuser"])

    with pytest.raises(InvalidArgument, match="your own account"):
        leaving.deactivate(bob, bob)
    assert not leaving.deactivate(bob, bob, is_meant=True).is_active


def test_links_that_somebody_made_end_with_the_account(admin: User, search: Team) -> None:
    second = User.objects.create_superuser("second", password=PASSWORD)
    ann = make_user("ann")
    invitation, _ = invitations.invite(second, Wish(team="search", team_role="team_admin"))
    reset, _ = password_resets.offer_reset(second, ann)

    leaving.deactivate(admin, second)

    for link in (invitation, reset):
        link.refresh_from_db()
        assert link.state == LinkState.WITHDRAWN


def test_deactivated_or_active_already_is_success(admin: User, bob: User) -> None:
    leaving.deactivate(admin, bob)
    leaving.deactivate(admin, bob)
    leaving.activate(bob)
    leaving.activate(bob)

    verbs = AuditEntry.objects.filter(subject="bob").values_list("verb", flat=True)
    assert sorted(verbs) == ["person.activate", "person.deactivate", "person.roles"]


def reset(token: str, password: str = NEW_PASSWORD) -> User:
    return password_resets.reset_password(digest(token), password)


def test_a_new_password_ends_sessions_and_what_the_api_remembers(admin: User, bob: User) -> None:
    api, browser = Api(basic("bob", PASSWORD)), Client()
    browser.force_login(bob)
    _, token = password_resets.offer_reset(admin, bob)
    assert api("GET", "/_inference").status_code == 200
    assert browser.get("/console/").status_code == 200

    reset(token)

    assert api("GET", "/_inference").status_code == 401
    assert browser.get("/console/").status_code == 302
    assert Api(basic("bob", NEW_PASSWORD))("GET", "/_inference").status_code == 200


def test_a_link_to_a_new_password_works_once_and_for_a_day(admin: User, bob: User) -> None:
    offered, token = password_resets.offer_reset(admin, bob)
    assert offered.expires_at - timezone.now() <= timedelta(hours=24)
    with pytest.raises(InvalidArgument, match="too short"):
        reset(token, "short")
    reset(token)

    with pytest.raises(LinkUnusable) as refusal:
        reset(token)
    assert refusal.value.state == LinkState.USED

    _, token = password_resets.offer_reset(admin, bob)
    PasswordReset.objects.update(expires_at=timezone.now())
    with pytest.raises(LinkUnusable):
        reset(token)


def test_a_second_link_ends_the_first(admin: User, bob: User) -> None:
    _, first = password_resets.offer_reset(admin, bob)
    _, second = password_resets.offer_reset(admin, bob)

    with pytest.raises(LinkUnusable):
        reset(first)
    reset(second)


def test_who_is_deactivated_gets_no_new_password(admin: User, bob: User) -> None:
    _, token = password_resets.offer_reset(admin, bob)
    leaving.deactivate(admin, bob)

    with pytest.raises(LinkUnusable):
        reset(token)
    with pytest.raises(Conflict, match="deactivated"):
        password_resets.offer_reset(admin, User.objects.get(username="bob"))
    leaving.activate(bob)
    with pytest.raises(LinkUnusable):
        reset(token)


def test_nobody_takes_over_who_may_do_more(admin: User, bob: User, search: Team) -> None:
    """A key that may manage people, and nothing else, resets and changes only who has less."""
    key, _ = key_of(admin)
    key.limited_by = {"r": {"cluster": ["manage_security"], "indices": []}}
    assert layers_of(key) == (key.limited_by,)
    admin.acting_key = key
    make_user("plain")
    assert get_person(admin, "plain", to=Action.PERSON_RESET)

    for name in ("elastic", "bob"):
        with pytest.raises(Forbidden, match="allow more"):
            get_person(admin, name, to=Action.PERSON_RESET)
    teams.put_member(search, User.objects.get(username="plain"), TeamRole.INFERENCE_USER)
    with pytest.raises(Forbidden, match="may do more"):
        get_person(admin, "plain", to=Action.PERSON_RESET)
    with pytest.raises(Forbidden, match="allow more"):
        invitations.invite(admin, Wish(roles=("superuser",)))


def test_each_key_that_ends_with_its_owner_tells_so(admin: User, bob: User) -> None:
    ended = {key_of(bob)[0].key_id, key_of(bob)[0].key_id}
    leaving.deactivate(admin, bob)

    entries = AuditEntry.objects.filter(verb="key.revoke")
    assert sorted(one.subject for one in entries) == sorted(ended)
    assert {one.reason for one in entries} == {"its owner was deactivated"}
    assert AuditEntry.objects.filter(verb="person.deactivate").count() == 1
