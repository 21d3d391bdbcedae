"""The pages about teams and their members."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from endpoints import roles, teams
from endpoints.models import Endpoint, Team, TeamRole
from tests.console.conftest import member, text
from tests.factories import make_cluster, make_user

TEAMS = "/console/teams"
SEARCH, MEMBERS = f"{TEAMS}/search", f"{TEAMS}/search/members"


def test_without_teams_the_page_says_what_they_are_for(console: Client) -> None:
    page = text(console.get(TEAMS))

    assert "No teams yet" in page
    assert f'href="{TEAMS}/_new"' in page


def test_each_team_is_listed_with_its_size_and_the_own_role(
    boss: Client, search: Team, other: Team, endpoint: Endpoint
) -> None:
    page = text(boss.get(TEAMS))

    for words in ("All about &lt;search&gt;.", "1 member", "1 endpoint", "Team administrator"):
        assert words in page
    assert f"{TEAMS}/other" not in page
    assert f"{TEAMS}/_new" not in page


def test_a_team_is_created(console: Client) -> None:
    answer = console.post(f"{TEAMS}/_new", {"name": "search", "description": "Finds."})

    assert answer["Location"] == SEARCH
    page = text(console.get(SEARCH))
    assert "search is created." in page
    assert "Finds." in page
    assert "Nobody is in this team yet" in page


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Give the team a name."),
        ({"name": "Search"}, "must be lowercase"),
        ({"name": "taken"}, "There is a team [taken] already"),
        ({"name": "a", "description": "b" * 1001}, "must not be longer than 1000"),
    ],
)
def test_a_team_that_cannot_be_is_told_at_its_field(
    console: Client, sent: dict[str, str], words: str
) -> None:
    teams.create_team("taken")

    page = text(console.post(f"{TEAMS}/_new", sent))

    assert page.count('<p class="problem"') == 1
    assert words in page
    assert all(value in page for value in sent.values())
    assert Team.objects.count() == 1


def test_a_team_is_described_anew(boss: Client, search: Team) -> None:
    assert "All about &lt;search&gt;." in text(boss.get(f"{SEARCH}/edit"))

    assert boss.post(f"{SEARCH}/edit", {"description": ""})["Location"] == SEARCH
    search.refresh_from_db()
    assert search.description == ""


def test_members_are_shown_to_members_and_changed_by_administrators(
    boss: Client, search: Team
) -> None:
    plain = text(member(search, TeamRole.INFERENCE_USER, "ana").get(SEARCH))
    assert "ana" in plain
    assert "boss" in plain
    assert "Team administrator" in plain
    assert "Add a member" not in plain
    assert f"{MEMBERS}/boss/remove" not in plain
    assert f"{MEMBERS}/ana/remove" in plain  # to leave

    page = text(boss.get(SEARCH))
    assert "Add a member" in page
    assert f"{MEMBERS}/ana/remove" in page


def test_somebody_is_added_and_gets_another_role(boss: Client, search: Team) -> None:
    make_user("ana")
    for role in (TeamRole.INFERENCE_USER, TeamRole.INFERENCE_ADMIN):
        assert boss.post(MEMBERS, {"username": "ana", "role": role})["Location"] == SEARCH
        assert teams.roles_in(search)["ana"] == role
    assert "ana is in search as manager." in text(boss.get(SEARCH))


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"username": "", "role": "inference_user"}, "Write the name that the person signs in"),
        ({"username": "nobody", "role": "inference_user"}, "There is no user [nobody]"),
        ({"username": "ana", "role": "superuser"}, "A team has no role [superuser]."),
        ({"username": "boss", "role": "inference_user"}, "is the last administrator of team"),
    ],
)
def test_a_member_who_cannot_be_is_told_where_it_was_written(
    boss: Client, search: Team, sent: dict[str, str], words: str
) -> None:
    make_user("ana")

    page = text(boss.post(MEMBERS, sent))

    assert page.count('<p class="problem"') == 1
    assert words in page
    assert teams.roles_in(search) == {"boss": "team_admin"}


def test_a_role_that_is_refused_stays_chosen(boss: Client, search: Team) -> None:
    page = text(boss.post(MEMBERS, {"username": "boss", "role": "inference_admin"}))

    row = page.partition('aria-label="Role of boss"')[2].partition("</select>")[0]
    assert '<option value="inference_admin" selected>' in row
    assert row.count("selected") == 1


def test_who_is_removed_is_asked_about_first(boss: Client, search: Team) -> None:
    member(search, TeamRole.INFERENCE_USER, "ana")

    assert "Remove ana from team" in text(boss.get(f"{MEMBERS}/ana/remove"))
    assert "ana" in teams.roles_in(search)
    assert boss.post(f"{MEMBERS}/ana/remove")["Location"] == SEARCH
    assert "ana" not in teams.roles_in(search)
    assert boss.get(f"{MEMBERS}/ana/remove").status_code == 404


def test_anybody_leaves_but_the_last_administrator(boss: Client, search: Team) -> None:
    ana = member(search, TeamRole.INFERENCE_USER, "ana")
    assert "Leave team" in text(ana.get(f"{MEMBERS}/ana/remove"))
    assert ana.post(f"{MEMBERS}/boss/remove").status_code == 403

    answer = ana.post(f"{MEMBERS}/ana/remove", follow=True)
    assert "You left search." in text(answer)
    assert ana.get(SEARCH).status_code == 403

    answer = boss.post(f"{MEMBERS}/boss/remove", follow=True)
    assert "is the last administrator of team [search]" in text(answer)
    assert teams.roles_in(search) == {"boss": "team_admin"}


def test_what_a_team_has_is_counted(boss: Client, search: Team, endpoint: Endpoint) -> None:
    make_cluster(team=search)

    page = text(boss.get(SEARCH))

    assert '<a href="/console/endpoints?team=search">1</a>' in page
    assert '<a href="/console/clusters">1</a>' in page


def test_a_team_that_has_something_says_so_and_goes_when_that_has_a_place(
    console: Client, other: Team, endpoint: Endpoint
) -> None:
    assert "It still has" in text(console.get(f"{SEARCH}/delete"))
    page = text(console.post(f"{SEARCH}/delete", {"move_to": ""}))
    assert "still has endpoints [my-endpoint]" in page
    page = text(console.post(f"{SEARCH}/delete", {"move_to": "nowhere"}))
    assert "There is no other team [nowhere]." in page

    assert console.post(f"{SEARCH}/delete", {"move_to": "other"})["Location"] == TEAMS
    assert not Team.objects.filter(name="search").exists()
    endpoint.refresh_from_db()
    assert endpoint.team == other


def test_only_the_site_deletes_a_team(boss: Client, search: Team) -> None:
    assert f"{SEARCH}/delete" not in text(boss.get(SEARCH))
    assert boss.post(f"{SEARCH}/delete").status_code == 403
    assert boss.post(f"{TEAMS}/_new", {"name": "mine"}).status_code == 403
    assert Team.objects.get() == search


@pytest.mark.parametrize("tail", ["", "/edit", "/delete", "/members/boss/remove"])
def test_the_pages_of_another_team_do_not_exist(boss: Client, other: Team, tail: str) -> None:
    there, nowhere = (boss.get(f"{TEAMS}/{name}{tail}") for name in ("other", "nowhere"))

    assert there.status_code == nowhere.status_code == 404
    token = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert token.sub("", text(there)) == token.sub("", text(nowhere))


@pytest.mark.parametrize(
    ("table", "abilities", "explained"),
    [
        (0, roles.in_teams(), roles.team_roles()),
        (1, roles.on_the_site(), roles.site_roles()),
    ],
)
def test_everybody_may_read_what_each_role_can_do_and_what_not(
    plain: Client, table: int, abilities: list[str], explained: list[roles.RoleExplained]
) -> None:
    page = text(plain.get("/console/roles"))

    rows = page.split("<tbody>")[table + 1].split("</tbody>")[0].split("</tr>")
    for words, row in zip(abilities, rows, strict=False):
        assert f'<th scope="row">{words}</th>' in row
        told = re.findall(r'<span class="visually-hidden">(yes|no)</span>', row)
        assert told == ["yes" if words in role.can else "no" for role in explained]
    assert all(role.name in page for role in explained)


def test_strangers_do_not_read_what_the_roles_can_do(client: Client) -> None:
    assert client.get("/console/roles").status_code == 302


def test_a_team_says_what_its_roles_can_do_in_the_same_words(boss: Client) -> None:
    page = text(boss.get(SEARCH))

    for words in roles.team_roles()[-1].can:
        assert page.count(f"<li>{words}</li>") == 1


def test_more_members_take_no_more_queries(
    boss: Client, search: Team, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(20):
        teams.put_member(search, make_user(f"u{number}"), TeamRole.INFERENCE_USER)
    boss.get("/console/api")  # the first page of a session writes it down
    with django_assert_max_num_queries(14):
        boss.get(SEARCH)
    with django_assert_max_num_queries(9):
        boss.get(TEAMS)
