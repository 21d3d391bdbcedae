"""The pages about teams, their members, and what is shared."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from console.forms import endpoints as forms
from endpoints import roles, sharing, tasks, teams
from endpoints.models import Endpoint, EndpointShare, ShareLevel, Team, TeamRole, User
from tests.console.conftest import HTMX, text
from tests.factories import make_cluster, make_endpoint, make_user

TEAMS = "/console/teams"
SEARCH, MEMBERS = f"{TEAMS}/search", f"{TEAMS}/search/members"
HERE = "/console/endpoints/my-endpoint"
NEW = "/console/endpoints/_new"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.fetch_artifact, "delay_on_commit", lambda *args: None)


@pytest.fixture
def search(db: None) -> Team:
    return teams.create_team("search", "All about <search>.")


@pytest.fixture
def other(db: None) -> Team:
    return teams.create_team("other")


@pytest.fixture
def endpoint(search: Team) -> Endpoint:
    return of_team(search, "my-endpoint")


def of_team(team: Team, inference_id: str) -> Endpoint:
    made = make_endpoint(inference_id)
    made.team = team
    made.save()
    return made


def member(team: Team, role: TeamRole, name: str = "somebody") -> Client:
    """The browser of somebody with this role in a team."""
    user = User.objects.filter(username=name).first() or make_user(name)
    teams.put_member(team, user, role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss(search: Team) -> Client:
    return member(search, TeamRole.TEAM_ADMIN, "boss")


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

    assert '<a href="/console/?team=search">1</a>' in page
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


def test_everybody_may_read_what_the_roles_can_do(plain: Client, client: Client) -> None:
    page = text(plain.get("/console/roles"))

    for role in (*roles.team_roles(), *roles.site_roles()):
        assert role.name in page
        for words in (*role.can, *role.cannot):
            assert f"<li>{words}</li>" in page
    assert client.get("/console/roles").status_code == 302


def test_a_team_says_what_its_roles_can_do_in_the_same_words(boss: Client) -> None:
    page = text(boss.get(SEARCH))

    for words in roles.team_roles()[-1].can:
        assert page.count(f"<li>{words}</li>") == 1


# Sharing


def test_an_endpoint_is_shared_from_its_page_and_taken_back(
    boss: Client, other: Team, endpoint: Endpoint
) -> None:
    page = text(boss.get(HERE))
    assert "Team and sharing" in page
    assert "Nobody else sees it." in page

    boss.post(f"{HERE}/shares", {"team": "other", "level": "use"})
    boss.post(f"{HERE}/shares", {"with_everyone": "on", "level": "manage"})
    shared = {(one.team, one.level) for one in EndpointShare.objects.all()}
    assert shared == {(other, ShareLevel.USE), (None, ShareLevel.MANAGE)}
    page = text(boss.get(HERE))
    assert 'Everyone <span class="gist">may use and manage</span>' in page

    for name in ("other", "_everyone"):
        assert "Take" in text(boss.get(f"{HERE}/shares/{name}/remove"))
        assert boss.post(f"{HERE}/shares/{name}/remove")["Location"] == HERE
        assert boss.get(f"{HERE}/shares/{name}/remove").status_code == 404
    assert not EndpointShare.objects.exists()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"level": "use"}, "Write the name of a team, or choose everyone."),
        ({"level": "use", "team": "nobody"}, "There is no team [nobody]"),
        ({"level": "use", "team": "search"}, "belongs to team [search] already"),
        ({"level": "own", "team": "other"}, "There is no [own]."),
    ],
)
def test_a_share_that_cannot_be_is_told_at_its_field(
    boss: Client, other: Team, endpoint: Endpoint, sent: dict[str, str], words: str
) -> None:
    page = text(boss.post(f"{HERE}/shares", sent))

    assert page.count('<p class="problem"') == 1
    assert words in page
    assert sent.get("team", "") in page
    assert not EndpointShare.objects.exists()


def test_the_others_see_whose_it_is_and_not_with_whom_it_is_shared(
    search: Team, other: Team, endpoint: Endpoint
) -> None:
    sharing.share(endpoint, other, ShareLevel.MANAGE)
    sharing.share(endpoint, teams.create_team("secret"), ShareLevel.USE)
    theirs = member(other, TeamRole.TEAM_ADMIN)

    page = text(theirs.get(HERE))

    assert "<dt>Team</dt> <dd> search </dd>" in page
    assert "Team and sharing" not in page
    assert "secret" not in page
    for tail in ("shares/other/remove", "shares/secret/remove", "move"):
        assert theirs.post(f"{HERE}/{tail}", {"team": "other"}).status_code == 403
    assert theirs.post(f"{HERE}/shares", {"team": "x", "level": "use"}).status_code == 403


def test_a_manager_sees_the_shares_and_changes_none(
    search: Team, other: Team, endpoint: Endpoint
) -> None:
    sharing.share(endpoint, other, ShareLevel.USE)

    page = text(member(search, TeamRole.INFERENCE_ADMIN).get(HERE))

    assert "may use</span>" in page
    for words in ("Take back", "Share it", "Give it to another team"):
        assert words not in page


def test_an_endpoint_is_given_to_another_team(
    boss: Client, other: Team, endpoint: Endpoint
) -> None:
    assert "There is no other team in which you may create" in text(boss.get(f"{HERE}/move"))
    assert "There is no other team" in text(boss.post(f"{HERE}/move", {"team": "other"}))
    endpoint.refresh_from_db()
    assert endpoint.team != other

    member(other, TeamRole.INFERENCE_ADMIN, "boss")
    assert '<option value="other">' in text(boss.get(f"{HERE}/move"))
    assert boss.post(f"{HERE}/move", {"team": "other"})["Location"] == HERE
    endpoint.refresh_from_db()
    assert endpoint.team == other


# The team that somebody works in


@pytest.fixture
def both(search: Team, other: Team) -> Client:
    """Somebody who sets up endpoints in two teams, each of which has one."""
    of_team(search, "of-search")
    of_team(other, "of-other")
    member(search, TeamRole.INFERENCE_ADMIN, "both")
    return member(other, TeamRole.INFERENCE_ADMIN, "both")


def switch(client: Client, team: str, **more: str) -> Any:
    return client.post(f"{TEAMS}/_switch", {"team": team, **more})


def listed(client: Client, **query: str) -> list[str]:
    page = text(client.get("/console/", query))
    return [name for name in ("of-search", "of-other", "of-third") if f"endpoints/{name}" in page]


def test_who_is_in_several_teams_chooses_one_and_sees_what_it_has(both: Client) -> None:
    page = text(both.get("/console/"))
    assert "All teams" in page
    assert '<td role="cell" class="list-team">search</td>' in page
    assert listed(both) == ["of-search", "of-other"]

    assert switch(both, "search")["Location"] == "/console/"
    assert listed(both) == ["of-search"]
    assert listed(both, team="other") == ["of-other"]
    assert "of team search, or for it to use" in text(both.get("/console/", headers=HTMX))

    switch(both, "")
    assert listed(both) == ["of-search", "of-other"]


def test_what_is_shared_with_the_team_is_listed_with_it(both: Client, search: Team) -> None:
    third = of_team(teams.create_team("third"), "of-third")
    assert "of-third" not in listed(both)
    sharing.share(third, search, ShareLevel.USE)

    switch(both, "search")
    assert listed(both) == ["of-search", "of-third"]
    switch(both, "other")
    assert listed(both) == ["of-other"]


@pytest.mark.usefixtures("both")
def test_who_sees_all_endpoints_by_a_role_of_the_site_sees_whose_they_are(client: Client) -> None:
    everywhere = make_user("everywhere")
    everywhere.roles = ["inference_user"]
    everywhere.save()
    client.force_login(everywhere)

    page = text(client.get("/console/"))

    assert '<td role="cell" class="list-team">search</td>' in page
    assert "_switch" not in page


def test_who_is_in_one_team_has_nothing_to_choose(boss: Client, endpoint: Endpoint) -> None:
    page = text(boss.get("/console/"))

    assert "_switch" not in page
    assert "list-team" not in page


def test_an_administrator_of_the_site_chooses_among_all(console: Client, both: Client) -> None:
    switch(console, "other")

    assert listed(console) == ["of-other"]


@pytest.mark.parametrize("name", ["third", "nowhere", "1", "a\0b"])
def test_nobody_works_in_a_team_that_is_not_theirs(both: Client, name: str) -> None:
    of_team(teams.create_team("third"), "of-third")

    assert switch(both, name).status_code == 404
    assert both.get("/console/", {"team": name}).status_code == 404
    assert listed(both) == ["of-search", "of-other"]


@pytest.mark.parametrize("forged", ["third", "x", None, 10**30])
def test_a_session_that_names_another_team_shows_nothing_of_it(both: Client, forged: Any) -> None:
    third = teams.create_team("third")
    of_team(third, "of-third")
    session = both.session
    session["team"] = third.pk if forged == "third" else forged
    session.save()

    assert listed(both) == ["of-search", "of-other"]


def test_a_team_that_somebody_left_is_worked_in_no_more(both: Client, search: Team) -> None:
    switch(both, "search")
    teams.remove_member(search, User.objects.get(username="both"))

    assert listed(both) == ["of-other"]


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/console/clusters?page=2", "/console/clusters?page=2"),
        ("https://evil.example/", "/console/"),
        ("//evil.example/", "/console/"),
        ("javascript:alert(1)", "/console/"),
        ("", "/console/"),
    ],
)
def test_the_switch_leads_back_and_to_no_other_host(
    both: Client, target: str, leads_to: str
) -> None:
    assert switch(both, "search", next=target)["Location"] == leads_to


def new(client: Client, **more: str) -> Any:
    return client.post(
        NEW,
        {"model_id": forms.DEFAULT_MODEL, "inference_id": "new", **more}
        | {"num_allocations": "1", "num_threads": "1"},
    )


def owner_of_new() -> str:
    team = Endpoint.objects.get(inference_id="new").team
    return team.name if team else ""


def test_who_is_in_several_teams_says_whose_a_new_endpoint_is(both: Client) -> None:
    assert "Whose should it be?" in text(both.get(NEW))
    page = text(new(both))
    assert "Choose the team that it is to belong to." in page
    assert 'value="new"' in page

    assert new(both, owner="other").status_code == 302
    assert owner_of_new() == "other"


def test_a_new_endpoint_belongs_to_the_team_that_is_worked_in(both: Client) -> None:
    switch(both, "search")

    page = text(both.get(NEW))
    assert '<option value="search" selected>' in page
    assert "team=search" in page  # in the request beside the form
    assert new(both).status_code == 302
    assert owner_of_new() == "search"


@pytest.mark.parametrize("owner", ["third", "nowhere"])
def test_nothing_is_made_for_a_team_that_is_not_theirs(both: Client, owner: str) -> None:
    teams.create_team("third")

    page = text(new(both, owner=owner))

    assert f"You may create nothing in a team [{owner}]." in page
    assert not Endpoint.objects.filter(inference_id="new").exists()


def test_a_team_in_which_somebody_may_only_use_things_gets_none(search: Team, other: Team) -> None:
    member(search, TeamRole.INFERENCE_USER)
    client = member(other, TeamRole.INFERENCE_ADMIN)
    switch(client, "search")

    assert 'It will belong to team <span class="font-monospace">other</span>.' in text(
        client.get(NEW)
    )
    assert new(client, owner="search").status_code == 302
    assert owner_of_new() == "other"


def test_an_administrator_of_the_site_makes_things_for_any_team(
    console: Client, search: Team
) -> None:
    assert '<option value="default" selected>' in text(console.get(NEW))
    assert new(console, owner="search").status_code == 302
    assert owner_of_new() == "search"


@pytest.mark.usefixtures("search")
def test_the_default_team_is_made_when_something_is_to_belong_to_it(console: Client) -> None:
    assert not Team.objects.filter(name="default").exists()
    assert new(console, owner="default").status_code == 302
    assert owner_of_new() == "default"


def test_the_form_of_a_provider_asks_the_same(both: Client) -> None:
    path = f"{NEW}/openai?task=completion"
    assert "Whose should it be?" in text(both.get(path))
    page = text(both.post(path, {"inference_id": "new", "owner": "nowhere"}))
    assert "You may create nothing in a team [nowhere]." in page
    page = text(both.post(f"{NEW}/openai/request?task=completion", {"owner": "other"}))
    assert "team=other" in page


def test_more_members_take_no_more_queries(
    boss: Client, search: Team, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(20):
        teams.put_member(search, make_user(f"u{number}"), TeamRole.INFERENCE_USER)
    with django_assert_max_num_queries(14):
        boss.get(SEARCH)
    with django_assert_max_num_queries(9):
        boss.get(TEAMS)
