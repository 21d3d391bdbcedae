"""People whom a directory vouches for, and what their groups give them and take away."""

import logging
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from pytest_django import Settings

from endpoints import directory, people, teams
from endpoints.directory import Identity, NotAdmitted, admit, give, link, unlink
from endpoints.groups import NOTHING, Granted
from endpoints.models import ApiKey, AuditEntry, Membership, Team, TeamRole, User
from endpoints.privileges import BUILTIN_ROLES
from inference.errors import Conflict
from tests.factories import make_admin, make_user

pytestmark = pytest.mark.django_db
ISSUER = "https://sso.acme.test"


@pytest.fixture(autouse=True)
def _everybody_may_come(settings: Settings) -> None:
    settings.OIDC_CREATE = "true"


def identity(subject: str = "s1", username: str = "anna", **more: Any) -> Identity:
    return Identity(ISSUER, subject, username, **more)


def in_teams(**roles: str) -> Granted:
    return Granted(roles, frozenset())


def on_site(*roles: str) -> Granted:
    return Granted({}, frozenset(roles))


def held(user: User) -> dict[str, str]:
    return dict(Membership.objects.filter(user=user).values_list("team__name", "role"))


def a_key(user: User, team: Team | None, *roles: str) -> ApiKey:
    key = ApiKey.issue(
        user,
        "k",
        limited_by={role: BUILTIN_ROLES[role] for role in roles},
        role_descriptors={},
        metadata={},
        expires_at=None,
    )[0]
    ApiKey.objects.filter(pk=key.pk).update(team=team)
    return key


def is_valid(key: ApiKey) -> bool:
    return ApiKey.objects.valid().filter(pk=key.pk).exists()


def test_a_team_of_the_mapping_is_made_with_its_first_member() -> None:
    user = make_user()

    give(user, in_teams(search="inference_user"))

    assert held(user) == {"search": "inference_user"}


@pytest.mark.parametrize(
    ("before", "after"),
    [("inference_user", "inference_admin"), ("inference_admin", "inference_user")],
)
def test_the_group_decides_about_the_role_in_its_team(before: str, after: str) -> None:
    user = make_user()
    teams.put_member(teams.create_team("search"), user, TeamRole(before))

    give(user, in_teams(search=after))

    assert held(user) == {"search": after}


def test_what_was_given_by_hand_in_other_teams_stays() -> None:
    user = make_user()
    teams.put_member(teams.create_team("ranking"), user, TeamRole.INFERENCE_USER)
    give(user, in_teams(search="inference_user"))

    give(user, NOTHING)

    assert held(user) == {"ranking": "inference_user"}


def test_keys_in_a_team_end_with_the_group() -> None:
    user = make_user()
    give(user, in_teams(search="inference_user", ranking="inference_user"))
    gone = a_key(user, Team.objects.get(name="search"), "inference_user")
    stays = a_key(user, Team.objects.get(name="ranking"), "inference_user")

    give(user, in_teams(ranking="inference_user"))

    assert (is_valid(gone), is_valid(stays)) == (False, True)


@pytest.mark.parametrize("then", [NOTHING, in_teams(search="inference_user")])
def test_the_last_administrator_of_a_team_stays_and_it_is_told(
    then: Granted, caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user("boss")
    give(user, in_teams(search="team_admin"))

    with caplog.at_level(logging.WARNING):
        give(user, then)

    assert held(user) == {"search": "team_admin"}
    assert "last administrator of team [search]" in caplog.text
    entry = AuditEntry.objects.filter(outcome="failed").get()
    assert (entry.subject, entry.team_name) == ("boss", "search")
    # Somebody else administers it now.
    teams.put_member(Team.objects.get(), make_user("other"), TeamRole.TEAM_ADMIN)
    give(user, then)
    assert held(user) == dict(then.teams)


def test_a_site_role_comes_and_goes_with_its_group() -> None:
    make_admin()
    user = make_user()
    people.set_roles(user.username, ["inference_user"])

    give(user, on_site("superuser", "inference_user"))
    user.refresh_from_db()
    assert user.role_names == ["inference_user", "superuser"]

    give(user, NOTHING)
    user.refresh_from_db()
    assert user.role_names == ["inference_user"]  # given by hand


def test_a_key_of_the_site_ends_with_the_role_that_it_has() -> None:
    make_admin()
    user = make_user()
    give(user, on_site("superuser", "inference_user"))
    gone, stays = a_key(user, None, "superuser"), a_key(user, None, "inference_user")

    give(user, on_site("inference_user"))

    assert (is_valid(gone), is_valid(stays)) == (False, True)
    assert AuditEntry.objects.filter(verb="key.revoke", subject=gone.key_id).exists()


def test_the_last_administrator_of_the_site_stays_and_it_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    user = make_user()
    give(user, on_site("superuser"))

    with caplog.at_level(logging.WARNING):
        give(user, on_site("inference_user"))

    user.refresh_from_db()
    assert user.role_names == ["inference_user", "superuser"]
    assert "is the last one with the role [superuser]" in caplog.text
    make_admin()
    give(user, NOTHING)
    user.refresh_from_db()
    assert user.role_names == []


def test_nothing_is_written_where_nothing_changes(django_assert_num_queries: Any) -> None:
    user = make_user()
    give(user, in_teams(search="inference_user"))

    with django_assert_num_queries(4):  # the person and the memberships, within a savepoint
        give(user, in_teams(search="inference_user"))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("anna", "anna"),
        ("ACME\\anna smith", "ACME-anna-smith"),
        ("Zoë", "Zoe"),
        ("Анна", "person"),
        ("", "person"),
        ("\u0435lastic", "lastic"),  # its first letter is Cyrillic
        ("elastic", "elastic-2"),
        ("Shell", "Shell-2"),
        ("directory", "directory-2"),
        ("TAKEN", "TAKEN-2"),
        ("<script>", "script"),
        ("n" * 300, "n" * 64),
    ],
)
def test_somebody_new_gets_a_name_that_nobody_has(asked: str, given: str) -> None:
    make_user("taken")

    assert admit(identity(username=asked)).username == given


def test_an_address_that_somebody_has_is_not_taken_over() -> None:
    User.objects.create_user("local", email="a@acme.test")

    assert admit(identity(email="A@acme.test")).email == ""
    assert admit(identity("s2", "bob", email="b@acme.test")).email == "b@acme.test"


def test_who_comes_for_the_first_time_is_written_down() -> None:
    admit(identity())

    entry = AuditEntry.objects.get(verb="person.join")
    assert (entry.subject, entry.after) == ("anna", {"issuer": ISSUER, "subject": "s1"})


def test_the_deactivated_are_not_admitted_and_given_nothing(settings: Settings) -> None:
    user = admit(identity())
    User.objects.filter(pk=user.pk).update(is_active=False)
    settings.OIDC_GROUPS = {}

    with pytest.raises(NotAdmitted, match="switched off"):
        admit(identity(groups=frozenset({"ops"})))
    assert not held(user)


@pytest.mark.parametrize("creates", ["mapped", "false"])
def test_who_is_invited_gets_an_account_all_the_same(creates: str, settings: Settings) -> None:
    settings.OIDC_CREATE = creates
    with pytest.raises(NotAdmitted, match="Nobody gave you access"):
        admit(identity())

    assert admit(identity(), is_invited=True) == User.objects.get()


def test_an_account_can_be_linked_and_is_known_then() -> None:
    user = make_user()

    link(user, identity())
    link(user, identity())  # twice is once

    assert admit(identity()) == user


def test_what_is_linked_is_not_linked_to_another() -> None:
    link(make_user("one"), identity("s1"))
    two = make_user("two")
    link(two, identity("s2"))

    with pytest.raises(Conflict, match="Another account here"):
        link(two, identity("s1"))
    with pytest.raises(Conflict, match="Unlink that one first"):
        link(two, identity("s3"))
    assert SocialAccount.objects.count() == 2


def test_unlinking_takes_what_the_groups_gave() -> None:
    user = make_user()
    link(user, identity())
    give(user, in_teams(search="inference_user"))

    unlink(user)
    unlink(user)  # twice is once

    assert held(user) == {}
    assert not SocialAccount.objects.exists()
    assert [entry.verb for entry in AuditEntry.objects.filter(verb__startswith="person.")] == [
        "person.unlink",
        "person.link",
    ]


def test_nobody_unlinks_the_only_way_in(settings: Settings) -> None:
    newcomer = admit(identity())
    with pytest.raises(Conflict, match="Nothing else would open your account"):
        unlink(newcomer)

    local = make_user()
    link(local, identity("s2"))
    settings.OIDC_ONLY = True
    with pytest.raises(Conflict, match="Nothing else would open your account"):
        unlink(local)
    assert SocialAccount.objects.count() == 2


def test_two_first_sign_ins_at_once_make_one_person(monkeypatch: pytest.MonkeyPatch) -> None:
    known = directory.person_known_as

    def looked_a_moment_too_early(who: Identity) -> None:
        monkeypatch.setattr(directory, "person_known_as", known)
        admit(identity())  # the other one is faster

    monkeypatch.setattr(directory, "person_known_as", looked_a_moment_too_early)

    assert admit(identity()) == User.objects.get()
