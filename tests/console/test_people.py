"""The pages about people, as administrators see them."""

import html
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from endpoints import people, teams
from endpoints.models import AuditEntry, Invitation, Membership, Team, TeamRole, User
from tests.console.conftest import HTMX, browser_of, text
from tests.console.proving import add_app, factors_of, is_in, password
from tests.factories import make_endpoint, make_user

PEOPLE, INVITE, BOB = "/console/people", "/console/people/_invite", "/console/people/bob"
LINK = re.compile(r'<code id="link">([^<]+)</code>')


@pytest.fixture
def search(db: None) -> Team:
    return teams.create_team("search")


@pytest.fixture
def bob(search: Team) -> User:
    user = make_user("bob")
    User.objects.filter(pk=user.pk).update(email="bob@example.org")
    teams.put_member(search, user, TeamRole.INFERENCE_USER)
    return user


@pytest.fixture
def boss(search: Team) -> Client:
    """The browser of the administrator of the team [search]."""
    user = make_user("boss")
    teams.put_member(search, user, TeamRole.TEAM_ADMIN)
    return browser_of(user)


def problems(page: str) -> list[str]:
    found = re.findall(r'<p class="problem" id="\w+_error">([^<]*)</p>', page)
    return [html.unescape(one).strip() for one in found]


def link_in(page: str) -> str:
    (link,) = LINK.findall(page)
    return str(link)


def test_the_list_tells_who_is_where_and_when_they_came(
    console: Client, admin: User, bob: User
) -> None:
    people.set_roles("bob", ["inference_user"])
    User.objects.filter(username="elastic").update(last_login=timezone.now())

    page = text(console.get(PEOPLE))

    for words in ("2 people", "bob@example.org", "search", "(user)", "inference user"):
        assert words in page
    assert "Never signed in" in page
    assert "just now" in page


def test_the_list_narrows_by_name_and_state(console: Client, bob: User) -> None:
    page = text(console.get(f"{PEOPLE}?q=BO", headers=HTMX))
    assert "<html" not in page
    assert f'href="{BOB}"' in page
    assert "elastic" not in page

    User.objects.filter(pk=bob.pk).update(is_active=False)
    page = text(console.get(f"{PEOPLE}?state=deactivated"))
    assert f'href="{BOB}"' in page
    assert "1 person" in page
    assert "Nobody found for “zz”" in text(console.get(f"{PEOPLE}?q=zz"))


def test_who_is_alone_is_told_how_others_come(console: Client) -> None:
    assert "Nobody else is here yet" in text(console.get(PEOPLE))


def test_a_list_costs_the_same_for_many(
    console: Client, bob: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        teams.put_member(Team.objects.get(), make_user(f"p{number}"), TeamRole.INFERENCE_USER)

    console.get("/console/api")  # the first page of a session writes it down
    with django_assert_max_num_queries(8):
        console.get(PEOPLE)


def test_the_way_there_is_shown_to_those_who_may_go(
    console: Client, boss: Client, plain: Client
) -> None:
    way = f'href="{PEOPLE}"'
    assert way in text(console.get("/console/"))
    assert way in text(boss.get("/console/"))
    assert way not in text(plain.get("/console/"))


@pytest.mark.parametrize(
    "path", ["", "/_invite", "/bob", "/bob/roles", "/bob/reset", "/bob/deactivate"]
)
def test_others_are_not_let_in(plain: Client, bob: User, path: str) -> None:
    assert plain.get(PEOPLE + path).status_code == 403
    assert Client().get(PEOPLE + path).status_code == 302


def test_who_administers_a_team_sees_it_and_less_of_each(
    boss: Client, bob: User, admin: User
) -> None:
    people.set_roles("bob", ["machine_learning_user"])

    page = text(boss.get(PEOPLE))
    assert f'href="{BOB}"' in page
    assert "elastic" not in page
    page += text(boss.get(BOB))
    for hidden in (
        "bob@example.org",
        "machine learning user",
        "Last sign-in",
        "Change roles",
        f"{BOB}/sessions",
        "Never signed in",
    ):
        assert hidden not in page
    assert boss.get(f"{PEOPLE}/elastic").status_code == 404
    for path in ("/roles", "/reset", "/deactivate"):
        assert boss.get(BOB + path).status_code == 403
    assert boss.post(f"{BOB}/activate").status_code == 403


def test_an_invitation_shows_its_link_once(console: Client, search: Team) -> None:
    sent = {"team": "search", "team_role": "inference_admin", "username": "ann"}

    page = text(console.post(INVITE, sent))

    assert "An invitation for ann" in page
    assert link_in(page).startswith("http://testserver/console/join/")
    listed = text(console.get(PEOPLE))
    assert "Invited, not here yet" in listed
    assert "ann" in listed
    assert link_in(page) not in listed


def test_an_invitation_goes_out_by_mail(console: Client, search: Team) -> None:
    sent = {
        "team": "search",
        "team_role": "inference_user",
        "email": "ann@example.org",
        "send": "on",
    }

    assert console.post(INVITE, sent)["Location"] == PEOPLE
    assert "/console/join/" in mail.outbox[0].body
    assert "on its way to ann@example.org" in text(console.get(PEOPLE))


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose a team, or a role everywhere."),
        ({"team": "search", "send": "on"}, "Write where to send the link."),
        ({"team": "search", "email": "x\nBcc: y@z.org"}, "Is no e-mail address."),
        ({"team": "search", "username": "a b"}, "Is no valid username"),
        ({"team": "search", "username": "BOB"}, "looks too much like one"),
        ({"team": "nobody"}, "Select a valid choice"),
        ({"team": "search", "team_role": "owner"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(
    console: Client, bob: User, sent: dict[str, str], words: str
) -> None:
    page = text(console.post(INVITE, sent))

    told = [*problems(page), *re.findall(r'role="alert">.*?<span>([^<]*)</span>', page)]
    assert len(told) == 1
    assert words in html.unescape(told[0])
    assert not Invitation.objects.exists()
    if sent.get("username") == "a b":
        assert 'value="a b"' in page


def test_who_is_here_joins_the_team_at_once(boss: Client) -> None:
    make_user("ann")

    answer = boss.post(
        INVITE, {"team": "search", "team_role": "inference_admin", "username": "ann"}
    )

    assert answer["Location"] == PEOPLE
    assert Membership.objects.get(user__username="ann").role == "inference_admin"
    assert "ann is in search now." in text(boss.get(PEOPLE))


def test_a_team_gives_no_roles_of_the_site_however_they_are_sent(boss: Client) -> None:
    page = text(boss.get(INVITE))
    assert "superuser" not in page
    assert "No team" not in page

    sent = {"team": "search", "team_role": "inference_user", "roles": "superuser"}
    boss.post(INVITE, sent)
    assert Invitation.objects.get().roles == []
    boss.post(INVITE, {"roles": "superuser"})
    assert Invitation.objects.count() == 1


def test_an_invitation_is_withdrawn_after_a_question(console: Client, search: Team) -> None:
    console.post(INVITE, {"team": "search", "team_role": "inference_user"})
    path = f"{PEOPLE}/_invitations/{Invitation.objects.get().link_id}/withdraw"

    assert "The link lets nobody in any more." in text(console.get(path))
    assert console.post(path)["Location"] == PEOPLE

    assert "Invited, not here yet" not in text(console.get(PEOPLE))
    assert Invitation.objects.get().state == "withdrawn"


def test_a_new_link_takes_the_place_of_the_old(console: Client, search: Team) -> None:
    first = link_in(text(console.post(INVITE, {"team": "search", "team_role": "inference_user"})))
    path = f"{PEOPLE}/_invitations/{Invitation.objects.get().link_id}/renew"

    second = link_in(text(console.post(path)))

    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 302


def test_roles_are_changed_with_words_for_each(console: Client, bob: User) -> None:
    page = text(console.get(f"{BOB}/roles"))
    assert "For those who run this installation." in page

    assert console.post(f"{BOB}/roles", {"roles": ["inference_admin"]})["Location"] == BOB

    bob.refresh_from_db()
    assert bob.role_names == ["inference_admin"]
    assert console.post(f"{BOB}/roles", {})["Location"] == BOB
    bob.refresh_from_db()
    assert bob.role_names == []


def test_the_last_administrator_cannot_step_down(console: Client, admin: User) -> None:
    page = text(console.post(f"{PEOPLE}/elastic/roles", {}))

    assert "is the last one with the role" in page
    admin.refresh_from_db()
    assert admin.is_superuser


def test_a_person_is_shown_with_what_is_theirs(console: Client, bob: User) -> None:
    made = make_endpoint()
    made.created_by = bob
    made.save()

    page = text(console.get(BOB))

    for words in ("bob@example.org", "1 endpoint", "/console/endpoints/my-endpoint", "search"):
        assert words in page
    assert f'href="{BOB}/sessions"' in page


def test_a_link_to_a_new_password_is_shown_after_a_question(console: Client, bob: User) -> None:
    assert "It works once, for 24 hours" in text(console.get(f"{BOB}/reset"))

    page = text(console.post(f"{BOB}/reset"))

    assert link_in(page).startswith("http://testserver/console/new-password/")


def test_an_account_is_deactivated_after_a_question_and_comes_back(
    console: Client, bob: User
) -> None:
    assert "its sessions end at once" in text(console.get(f"{BOB}/deactivate"))

    assert console.post(f"{BOB}/deactivate", {"keys": "revoke"})["Location"] == BOB

    page = text(console.get(BOB))
    assert "bob is deactivated." in page
    assert "Deactivated" in page
    assert console.post(f"{BOB}/activate")["Location"] == BOB
    assert User.objects.get(pk=bob.pk).is_active


def test_a_team_is_handed_over_on_the_way(console: Client, boss: Client) -> None:
    path = f"{PEOPLE}/boss/deactivate"
    assert "Nobody else administers search" in text(console.get(path))

    page = text(console.post(path, {"keys": "revoke"}))
    assert "name who takes over" in html.unescape(page)
    page = text(console.post(path, {"keys": "revoke", "hand_over_to": "nobody"}))
    assert problems(page) == ["There is no user [nobody]."]
    assert 'value="nobody"' in page

    console.post(path, {"keys": "revoke", "hand_over_to": "elastic"})
    assert Membership.objects.get(user__username="elastic").role == "team_admin"


def test_ones_own_account_asks_for_its_name(console: Client, admin: User) -> None:
    User.objects.create_superuser("second", password="x")
    path = f"{PEOPLE}/elastic/deactivate"

    assert problems(text(console.post(path, {"keys": "revoke", "own_name": "bob"})))
    assert User.objects.get(pk=admin.pk).is_active

    answer = console.post(path, {"keys": "revoke", "own_name": "elastic"})
    assert answer["Location"] == "/console/sign-in"
    assert console.get("/console/").status_code == 302


def test_names_of_people_are_shown_as_they_are_written(console: Client, search: Team) -> None:
    User.objects.filter(username=make_user("x").username).update(email="<b>@example.org")

    assert "<b>@" not in text(console.get(PEOPLE))


# Second factors, sessions, and what groups give.


def test_the_list_tells_who_has_a_second_factor(console: Client, bob: User) -> None:
    add_app(bob)

    page = text(console.get(PEOPLE))

    assert page.count('class="list-service">second factor<') == 1
    assert page.count('class="list-service">no second factor<') == 1
    assert f'href="{BOB}/sessions"' in text(console.get(BOB))


def test_who_lost_their_phone_gets_in_with_the_password_again(console: Client, bob: User) -> None:
    add_app(bob)
    theirs = browser_of(bob)
    assert f'href="{BOB}/second-factor"' in text(console.get(BOB))
    assert "The password alone opens the account" in text(console.get(f"{BOB}/second-factor"))
    assert factors_of(bob) == ["totp"]

    answer = console.post(f"{BOB}/second-factor")

    assert answer["Location"] == BOB
    assert factors_of(bob) == []
    assert not is_in(theirs)
    assert password(Client(), "bob") == "/console/"
    entry = AuditEntry.objects.get(verb="factor.reset")
    assert (entry.subject, entry.actor_name) == ("bob", "elastic")
    assert "second-factor" not in text(console.get(BOB))


def test_who_resets_their_own_second_factor_is_signed_out(console: Client, admin: User) -> None:
    add_app(admin)
    assert "This is you" in text(console.get(f"{PEOPLE}/elastic/second-factor"))

    assert console.post(f"{PEOPLE}/elastic/second-factor")["Location"] == "/console/sign-in"
    assert not is_in(console)


def test_a_team_resets_no_second_factor(boss: Client, bob: User) -> None:
    add_app(bob)

    assert boss.post(f"{BOB}/second-factor").status_code == 403
    assert boss.get(f"{BOB}/sessions").status_code == 403
    assert boss.post(f"{PEOPLE}/elastic/second-factor").status_code == 404
    assert factors_of(bob) == ["totp"]
    assert "second-factor" not in text(boss.get(BOB))


def test_what_groups_give_is_told_where_it_is_shown_and_changed(
    console: Client, bob: User, settings: Settings
) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://sso.example.org", "Acme SSO"
    Membership.objects.filter(user=bob).update(is_managed=True)
    User.objects.filter(pk=bob.pk).update(
        roles=["inference_user"], managed_roles=["inference_user"]
    )

    given, again = "by the groups of Acme SSO", "give it again at the next sign-in"

    assert text(console.get(BOB)).count(given) == 2
    assert given in text(console.get("/console/teams/search"))
    assert again in text(console.get(f"{BOB}/roles"))
    assert again in text(console.get("/console/teams/search/members/bob/remove"))
    changed = {"username": "bob", "role": "inference_admin"}
    page = console.post("/console/teams/search/members", changed, follow=True)
    assert "set it again next time" in text(page)


def test_of_what_was_given_by_hand_nothing_of_the_kind_is_told(console: Client, bob: User) -> None:
    for path in (BOB, f"{BOB}/roles", "/console/teams/search"):
        page = text(console.get(path))
        assert "by the groups" not in page
        assert "next sign-in" not in page
