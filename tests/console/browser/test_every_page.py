"""What holds for each page of the console, whatever it is about."""

from collections import defaultdict

import pytest
from playwright.sync_api import Request

from tests.console.browser.conftest import Visitor
from tests.console.browser.crawling import Crawler
from tests.console.browser.keyboard import stumbles
from tests.console.browser.looking import AXE, problems

pytestmark = pytest.mark.usefixtures("world")


def test_every_page_can_be_read_and_used_by_everybody_and_fits(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/")
    page.add_init_script(AXE)
    asked_elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((visitor.url, "data:")):
            asked_elsewhere.append(request.url)

    page.on("request", note)
    found: list[str] = []
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for path in Crawler(page, visitor.url, most_pages=1).pages("/console/"):
        found += [f"{path}: {problem}" for problem in (*problems(page), *stumbles(page))]
        titles[page.title()].add(page.url)

    assert len(titles) > 40
    assert [urls for urls in titles.values() if len(urls) > 1] == []
    assert found == [], "\n".join(found)
    assert asked_elsewhere == []
