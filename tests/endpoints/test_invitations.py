"""Who may invite whom to what, and what a link gives to whoever comes by it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from endpoints import invitations, people, teams
from endpoints.access import Forbidden
from endpoints.invitations import LinkUnusable, Wish
from endpoints.models import (
    AuditEntry,
    Invitation,
    LinkState,
    Membership,
    Team,
    TeamRole,
    User,
)
from endpoints.models.link import digest
from inference.errors import Conflict, InvalidArgument, NotFound
from tests.factories import make_admin, make_user

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a-long-one-4-bob"
TO_SEARCH = Wish(team="search", team_role="inference_user")


@pytest.fixture
def search() -> Team:
    return teams.create_team("search")


@pytest.fixture
def admin() -> User:
    return make_admin()


@pytest.fixture
def boss(search: Team) -> User:
    """The administrator of the team [search]."""
    user = make_user("boss")
    teams.put_member(search, user, TeamRole.TEAM_ADMIN)
    return user


def joined(token: str, name: str = "bob") -> User:
    return invitations.join(digest(token), name, NEW_PASSWORD)


def unusable(token: str) -> LinkState | None:
    with pytest.raises(LinkUnusable) as refusal:
        joined(token, "somebody-else")
    return refusal.value.state


def test_who_comes_by_the_link_is_in_the_team_with_the_role(admin: User, search: Team) -> None:
    wish = Wish("robert", "bob@example.org", "search", "inference_admin", ("inference_user",))
    invitation, token = invitations.invite(admin, wish)

    bob = joined(token)

    assert bob.check_password(NEW_PASSWORD)
    assert (bob.username, bob.email, bob.role_names) == ("bob", wish.email, ["inference_user"])
    assert Membership.objects.get().role == TeamRole.INFERENCE_ADMIN
    invitation.refresh_from_db()
    assert (invitation.state, invitation.used_by) == (LinkState.USED, bob)


def test_a_link_works_once(admin: User, search: Team) -> None:
    _, token = invitations.invite(admin, TO_SEARCH)
    joined(token)

    assert unusable(token) == LinkState.USED
    assert User.objects.count() == 2


def test_a_link_ends_after_a_week(admin: User, search: Team) -> None:
    invitation, token = invitations.invite(admin, TO_SEARCH)
    left = invitation.expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    Invitation.objects.update(expires_at=timezone.now())

    assert unusable(token) == LinkState.EXPIRED

    fresh = invitations.renew(admin, invitation)
    assert unusable(token) is None
    assert joined(fresh).username == "bob"


def test_a_link_that_is_withdrawn_lets_nobody_in(admin: User, search: Team) -> None:
    invitation, token = invitations.invite(admin, TO_SEARCH)
    invitations.withdraw(invitation)
    invitations.withdraw(invitation)

    assert unusable(token) == LinkState.WITHDRAWN
    with pytest.raises(Conflict, match="withdrawn"):
        invitations.renew(admin, invitation)


def test_what_was_used_can_be_neither_withdrawn_nor_renewed(admin: User, search: Team) -> None:
    invitation, token = invitations.invite(admin, TO_SEARCH)
    joined(token)

    with pytest.raises(Conflict, match="used"):
        invitations.withdraw(invitation)
    with pytest.raises(Conflict, match="used"):
        invitations.renew(admin, invitation)


def test_a_token_that_was_never_given_is_no_link(admin: User, search: Team) -> None:
    invitation, token = invitations.invite(admin, TO_SEARCH)

    for guess in ("", "x", invitation.link_id, invitation.token_sha256, token[:-1], token.lower()):
        assert unusable(guess) is None


def test_the_database_learns_nothing_but_digests(admin: User, search: Team) -> None:
    """So neither a look-up nor the time it takes tells anything about a token."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        _, token = invitations.invite(admin, TO_SEARCH)
        joined(token)

    assert digest(token) in str(asked.captured_queries)
    assert token not in str(asked.captured_queries)
    assert token not in str([entry.to_response() for entry in AuditEntry.objects.all()])


def test_a_refused_name_or_password_leaves_the_link_as_it_was(admin: User, search: Team) -> None:
    _, token = invitations.invite(admin, TO_SEARCH)

    with pytest.raises(Conflict):
        joined(token, "elastic")
    with pytest.raises(InvalidArgument, match="too short"):
        invitations.join(digest(token), "bob", "short")
    assert joined(token).username == "bob"


def test_the_administrator_of_a_team_invites_into_it(boss: User) -> None:
    for number, role in enumerate(TeamRole.values):
        _, token = invitations.invite(boss, Wish(team="search", team_role=role))
        joined(token, f"person-{number}")

    assert Membership.objects.filter(team__name="search").count() == 4


@pytest.mark.parametrize(
    "wish",
    [
        Wish(roles=("superuser",)),
        Wish(roles=("inference_user",)),
        Wish(team="search", team_role="inference_user", roles=("superuser",)),
        Wish(),
    ],
)
def test_the_administrator_of_a_team_gives_nothing_of_the_site(boss: User, wish: Wish) -> None:
    with pytest.raises(Forbidden, match="cluster:admin/console/person/invite"):
        invitations.invite(boss, wish)
    assert not Invitation.objects.exists()


def test_nobody_invites_into_a_team_that_is_not_theirs(boss: User) -> None:
    teams.create_team("other")

    for name in ("other", "nobody", "a\0b"):
        with pytest.raises(NotFound):
            invitations.invite(boss, Wish(team=name, team_role="inference_user"))


@pytest.mark.parametrize("role", [TeamRole.INFERENCE_USER, TeamRole.INFERENCE_ADMIN])
def test_a_member_who_is_no_administrator_is_told_who_is(
    boss: User, search: Team, role: TeamRole
) -> None:
    teams.put_member(search, make_user("plain"), role)

    with pytest.raises(Forbidden, match=r"its administrators are \[boss\]"):
        invitations.invite(User.objects.get(username="plain"), TO_SEARCH)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Wish(), "Name a"),
        (Wish(roles=("owner",)), "Unknown roles"),
        (Wish(team="search", team_role="owner"), "team_role"),
        (Wish(team="search"), "team_role"),
        (Wish(team_role="team_admin", roles=("inference_user",)), "needs a"),
        (Wish("a b", team="search", team_role="team_admin"), "username"),
        (Wish(email="nobody", team="search", team_role="team_admin"), "email"),
        (Wish(email="a@b.org\nBcc: c@d.org", team="search", team_role="team_admin"), "email"),
        (Wish(email="a@b.org\r\n\r\nhi", team="search", team_role="team_admin"), "email"),
        (Wish(email="a" * 250 + "@b.org", team="search", team_role="team_admin"), "email"),
    ],
)
def test_what_cannot_be_is_refused(admin: User, search: Team, wish: Wish, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told):
        invitations.invite(admin, wish)
    assert not Invitation.objects.exists()


def test_a_link_gives_no_more_than_who_made_it_could_give_by_then(
    admin: User, boss: User, search: Team
) -> None:
    _, by_boss = invitations.invite(boss, TO_SEARCH)
    teams.put_member(search, make_user("heir"), TeamRole.TEAM_ADMIN)
    teams.put_member(search, boss, TeamRole.INFERENCE_USER)
    assert unusable(by_boss) == LinkState.WITHDRAWN

    second = User.objects.create_superuser("second", password=NEW_PASSWORD)
    _, by_second = invitations.invite(second, Wish(roles=("superuser",)))
    people.set_roles("second", ["inference_admin"])
    assert unusable(by_second) == LinkState.WITHDRAWN

    _, by_admin = invitations.invite(admin, TO_SEARCH)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert unusable(by_admin) == LinkState.WITHDRAWN


def test_somebody_who_is_here_accepts_beside_what_they_have(admin: User, search: Team) -> None:
    ann = make_user("ann")
    people.set_roles("ann", ["machine_learning_user"])
    wish = Wish(team="search", team_role="inference_user", roles=("inference_user",))
    _, token = invitations.invite(admin, wish)

    invitations.accept(digest(token), User.objects.get(pk=ann.pk))

    ann.refresh_from_db()
    assert ann.role_names == ["inference_user", "machine_learning_user"]
    assert Membership.objects.get(user=ann).role == TeamRole.INFERENCE_USER
    assert unusable(token) == LinkState.USED


def test_nobody_loses_a_role_by_accepting_a_lower_one(admin: User, boss: User) -> None:
    _, token = invitations.invite(admin, TO_SEARCH)

    invitations.accept(digest(token), boss)

    assert Membership.objects.get(user=boss).role == TeamRole.TEAM_ADMIN


def test_who_is_here_is_added_by_name(boss: User) -> None:
    make_user("ann")
    wish = Wish("ann", team="search", team_role="inference_admin")

    added = invitations.add_member(boss, wish)

    assert added
    assert (added.user.username, added.role) == ("ann", "inference_admin")
    with pytest.raises(Conflict, match="already"):
        invitations.add_member(boss, wish)
    assert invitations.add_member(boss, Wish("new", team="search", team_role="team_admin")) is None


def test_nobody_changes_a_role_by_adding_who_is_in(boss: User, search: Team) -> None:
    with pytest.raises(Conflict, match="already"):
        invitations.add_member(boss, Wish("boss", team="search", team_role="inference_user"))
    assert Membership.objects.get().role == TeamRole.TEAM_ADMIN


def test_an_address_that_somebody_has_is_given_to_nobody_else(admin: User, search: Team) -> None:
    User.objects.filter(pk=admin.pk).update(email="Admin@example.org")
    wish = Wish(email="admin@example.org", team="search", team_role="inference_user")
    _, token = invitations.invite(admin, wish)

    assert joined(token).email == ""


def test_nobody_makes_more_than_so_many_a_day(
    admin: User, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 1)
    invitation, _ = invitations.invite(admin, TO_SEARCH)
    invitations.withdraw(invitation)

    with pytest.raises(Conflict, match="wait until tomorrow"):
        invitations.invite(admin, TO_SEARCH)
    invitations.invite(boss, TO_SEARCH)
    Invitation.objects.update(created_at=timezone.now() - timedelta(days=1))
    invitations.invite(admin, TO_SEARCH)


def test_each_step_is_written_down(admin: User, search: Team) -> None:
    invitation, _ = invitations.invite(admin, TO_SEARCH)
    token = invitations.renew(admin, invitation)
    joined(token)
    other, _ = invitations.invite(admin, TO_SEARCH)
    invitations.withdraw(other)

    verbs = list(AuditEntry.objects.order_by("number").values_list("verb", "actor_name"))
    mine: list[Any] = [one for one in verbs if one[0].startswith("person.")]
    assert mine == [
        ("person.invite", "shell"),
        ("person.invite", "shell"),
        ("person.join", "bob"),
        ("person.invite", "shell"),
        ("person.uninvite", "shell"),
    ]


def test_who_joins_is_told_in_one_entry_with_all_that_they_have(admin: User, search: Team) -> None:
    _, token = invitations.invite(admin, TO_SEARCH)
    invitations.join(digest(token), "bob", NEW_PASSWORD)

    (entry,) = AuditEntry.objects.filter(actor_name="bob")
    told: Any = entry.after
    assert (entry.verb, entry.subject, entry.team) == ("person.join", "bob", search)
    assert told["team_role"] == Membership.objects.get(user__username="bob").role
    assert told["invited_by"] == admin.username


def test_who_was_here_is_told_with_what_they_had_before(admin: User, search: Team) -> None:
    bob = make_user("bob")
    wish = Wish(team="search", team_role="inference_admin", roles=("machine_learning_user",))
    _, token = invitations.invite(admin, wish)
    known = AuditEntry.objects.count()
    invitations.accept(digest(token), bob)

    (entry,) = AuditEntry.objects.order_by("number")[known:]
    told: Any = entry.after
    assert entry.before == {"roles": [], "team_role": None}
    assert (told["roles"], told["team_role"]) == (["machine_learning_user"], "inference_admin")
