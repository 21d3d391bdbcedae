"""The team that somebody works in: what it shows, and what new things belong to."""

from typing import Any

import pytest
from django.test import Client

from console.forms import local as forms
from endpoints import sharing, tasks, teams
from endpoints.models import Endpoint, ShareLevel, Team, TeamRole, User
from tests.console.conftest import HTMX, member, of_team, text
from tests.factories import make_user

TEAMS, NEW = "/console/teams", "/console/endpoints/_new/elasticsearch"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.fetch_artifact, "delay_on_commit", lambda *args: None)


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
    page = text(client.get("/console/endpoints", query))
    return [name for name in ("of-search", "of-other", "of-third") if f"endpoints/{name}" in page]


def test_who_is_in_several_teams_chooses_one_and_sees_what_it_has(both: Client) -> None:
    page = text(both.get("/console/endpoints"))
    assert "All teams" in page
    assert '<span class="visually-hidden">team</span> search</span>' in page
    assert listed(both) == ["of-search", "of-other"]

    assert switch(both, "search")["Location"] == "/console/"
    assert listed(both) == ["of-search"]
    assert listed(both, team="other") == ["of-other"]
    assert "of team search, or for it to use" in text(both.get("/console/endpoints", headers=HTMX))

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

    page = text(client.get("/console/endpoints"))

    assert '<span class="visually-hidden">team</span> search</span>' in page
    assert "_switch" not in page


def test_who_is_in_one_team_has_nothing_to_choose(boss: Client, endpoint: Endpoint) -> None:
    page = text(boss.get("/console/endpoints"))

    assert "_switch" not in page
    assert 'class="owner"' not in page


def test_an_administrator_of_the_site_chooses_among_all(console: Client, both: Client) -> None:
    switch(console, "other")

    assert listed(console) == ["of-other"]


@pytest.mark.parametrize("name", ["third", "nowhere", "1", "a\0b"])
def test_nobody_works_in_a_team_that_is_not_theirs(both: Client, name: str) -> None:
    of_team(teams.create_team("third"), "of-third")

    assert switch(both, name).status_code == 404
    assert listed(both, team=name) == []
    assert "Nothing found" in text(both.get("/console/endpoints", {"team": name}))
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
    path = "/console/endpoints/_new/openai?task=completion"
    assert "Whose should it be?" in text(both.get(path))
    page = text(both.post(path, {"inference_id": "new", "owner": "nowhere"}))
    assert "You may create nothing in a team [nowhere]." in page
    page = text(
        both.post("/console/endpoints/_new/openai/request?task=completion", {"owner": "other"})
    )
    assert "team=other" in page


def test_who_is_alone_reads_nothing_of_teams_until_there_is_a_second(console: Client) -> None:
    of_team(teams.create_team("default"), "mine")
    words = ("It will belong to team", ">Sharing</a>", "<dt>Team</dt>", 'class="owner"')

    def told() -> list[str]:
        pages = [
            text(console.get(path))
            for path in ("/console/endpoints", NEW, "/console/endpoints/mine")
        ]
        return [one for one in words if any(one in page for page in pages)]

    assert told() == []

    teams.create_team("other")
    assert {">Sharing</a>", 'class="owner"'} <= set(told())


def test_a_share_is_told_even_where_there_is_one_team(console: Client) -> None:
    mine = of_team(teams.create_team("default"), "mine")
    sharing.share(mine, None, ShareLevel.USE)

    assert ">Sharing</a>" in text(console.get("/console/endpoints/mine"))
    assert "Team and sharing" in text(console.get("/console/endpoints/mine/sharing"))


def test_who_is_in_the_only_team_reads_whose_things_are(endpoint: Endpoint, boss: Client) -> None:
    """There may be other teams that they do not see."""
    assert ">Sharing</a>" in text(boss.get("/console/endpoints/my-endpoint"))
