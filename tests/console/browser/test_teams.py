"""Two people in two teams: what one shares, the other sees."""

import re

import pytest
from playwright.sync_api import Page, expect

from endpoints import tasks, teams
from endpoints.models import Endpoint, TeamRole, User
from tests.console.browser.conftest import PHONE, Visitor
from tests.factories import make_endpoint, make_user

pytestmark = pytest.mark.usefixtures("admin", "_two_teams")


@pytest.fixture
def _two_teams(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana administers [search] and sets up [marketing], which Dan uses; each has an endpoint."""
    monkeypatch.setattr(tasks.fetch_artifact, "delay_on_commit", lambda *args: None)
    search, marketing = teams.create_team("search"), teams.create_team("marketing")
    ana, dan = make_user("ana"), make_user("dan")
    teams.put_member(search, ana, TeamRole.TEAM_ADMIN)
    teams.put_member(marketing, ana, TeamRole.INFERENCE_ADMIN)
    teams.put_member(marketing, dan, TeamRole.INFERENCE_USER)
    for name, team in (("products", search), ("slogans", marketing)):
        make_endpoint(name)
        Endpoint.objects.filter(inference_id=name).update(team=team)


def choose_team(page: Page, name: str) -> None:
    page.locator("summary[aria-label^=Team]").click()
    page.get_by_role("button", name=name, exact=True).click()


def test_the_team_chosen_above_filters_the_list_and_gets_what_is_new(visitor: Visitor) -> None:
    page = visitor.signed_in("ana")
    expect(page.get_by_role("link", name="products")).to_be_visible()
    expect(page.get_by_role("link", name="slogans")).to_be_visible()

    choose_team(page, "search")

    expect(page.get_by_role("link", name="products")).to_be_visible()
    expect(page.get_by_role("link", name="slogans")).to_have_count(0)
    page.get_by_role("searchbox").press_sequentially("s")
    expect(page).to_have_url(re.compile(r"\?q=s$"))
    expect(page.get_by_role("link", name="slogans")).to_have_count(0)

    page.get_by_role("link", name="Create endpoint").first.click()
    page.get_by_role("link", name="Use the built-in model").click()
    expect(page.get_by_label("Whose should it be?")).to_have_value("search")
    page.get_by_label("What should it be called?").fill("mine")
    page.get_by_role("button", name="Create endpoint").click()
    page.wait_for_url("**/console/endpoints/mine")
    team = Endpoint.objects.get(inference_id="mine").team
    assert team
    assert team.name == "search"


def test_what_one_shares_the_other_sees_until_it_is_taken_back(visitor: Visitor) -> None:
    dan, ana = visitor.signed_in("dan", viewport=PHONE), visitor.signed_in("ana")
    expect(dan.get_by_role("link", name="slogans")).to_be_visible()
    expect(dan.get_by_role("link", name="products")).to_have_count(0)

    ana.goto("/console/endpoints/products/sharing")
    ana.get_by_text("Share it").click()
    ana.get_by_label("Team", exact=True).fill("marketting")
    ana.get_by_role("button", name="Share", exact=True).click()
    expect(ana.get_by_text("There is no team [marketting]")).to_be_visible()
    ana.get_by_label("Team", exact=True).fill("marketing")
    ana.get_by_role("button", name="Share", exact=True).click()
    expect(ana.get_by_text("products is shared with team marketing.")).to_be_visible()

    dan.reload()
    dan.get_by_role("link", name="products").click()
    expect(dan.get_by_role("heading", name="products")).to_be_visible()
    expect(dan.get_by_text("Team and sharing")).to_have_count(0)

    ana.get_by_role("link", name="Take back from marketing").click()
    ana.get_by_role("button", name="Take back").click()
    expect(ana.get_by_text("Nobody else sees it.")).to_be_visible()
    dan.goto("/console/endpoints")
    expect(dan.get_by_role("link", name="slogans")).to_be_visible()
    expect(dan.get_by_role("link", name="products")).to_have_count(0)
    expect(dan.locator("html")).to_have_js_property("scrollWidth", PHONE["width"])


def test_a_team_is_run_without_scripts(visitor: Visitor) -> None:
    make_user("eve")
    page = visitor.signed_in("ana", java_script_enabled=False)
    page.get_by_role("link", name="Teams").click()
    page.get_by_role("link", name="search").click()

    page.get_by_label("Name").fill("eve")
    page.get_by_label("Role", exact=True).select_option("Manager")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("eve is in search as manager.")).to_be_visible()

    page.get_by_label("Role of ana", exact=True).select_option("User")
    page.get_by_role("button", name="Change the role of ana").click()
    expect(page.get_by_text("[ana] is the last administrator of team [search]")).to_be_visible()

    page.get_by_role("link", name="Remove eve").click()
    page.get_by_role("button", name="Remove member").click()
    expect(page.get_by_text("eve is no longer in search.")).to_be_visible()
    assert User.objects.get(username="eve").memberships.count() == 0
