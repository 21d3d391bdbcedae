"""What an endpoint's page tells of its team, and how it is shared and given away."""

import pytest
from django.test import Client

from endpoints import sharing, teams
from endpoints.models import Endpoint, EndpointShare, ShareLevel, Team, TeamRole
from tests.console.conftest import member, text

HERE = "/console/endpoints/my-endpoint"


def test_an_endpoint_is_shared_from_its_page_and_taken_back(
    boss: Client, other: Team, endpoint: Endpoint
) -> None:
    page = text(boss.get(f"{HERE}/sharing"))
    assert "Team and sharing" in page
    assert "Nobody else sees it." in page

    boss.post(f"{HERE}/shares", {"team": "other", "level": "use"})
    boss.post(f"{HERE}/shares", {"with_everyone": "on", "level": "manage"})
    shared = {(one.team, one.level) for one in EndpointShare.objects.all()}
    assert shared == {(other, ShareLevel.USE), (None, ShareLevel.MANAGE)}
    page = text(boss.get(f"{HERE}/sharing"))
    assert 'Everyone <span class="gist">may use and manage</span>' in page

    for name in ("other", "_everyone"):
        assert "Take" in text(boss.get(f"{HERE}/shares/{name}/remove"))
        assert boss.post(f"{HERE}/shares/{name}/remove")["Location"] == f"{HERE}/sharing"
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
    assert f'href="{HERE}/sharing"' not in page
    assert theirs.get(f"{HERE}/sharing").status_code == 403
    assert "secret" not in page
    for tail in ("shares/other/remove", "shares/secret/remove", "move"):
        assert theirs.post(f"{HERE}/{tail}", {"team": "other"}).status_code == 403
    assert theirs.post(f"{HERE}/shares", {"team": "x", "level": "use"}).status_code == 403


def test_a_manager_sees_the_shares_and_changes_none(
    search: Team, other: Team, endpoint: Endpoint
) -> None:
    sharing.share(endpoint, other, ShareLevel.USE)

    page = text(member(search, TeamRole.INFERENCE_ADMIN).get(f"{HERE}/sharing"))

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
