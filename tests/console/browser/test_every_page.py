"""What holds for each page of the console, whatever it is about."""

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page, Request

from tests.console.browser.conftest import Visitor
from tests.console.browser.crawling import Crawler

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("world")]

WIDTHS = (1440, 1024, 390)
HEIGHT = 900
AXE = AXE_FILE_PATH.read_text()
SCHEMES: tuple[tuple[Literal["light", "dark"], dict[str, list[str]]], ...] = (
    ("dark", {"runOnly": ["color-contrast"]}),
    ("light", {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}),
)
SERIOUS = ("serious", "critical")
# What axe found, a line each: what is wrong, and with which elements.
LOOK = """
async options => (await axe.run(document, options)).violations.map(one => [
  one.impact, `${one.id}: ${one.nodes.slice(0, 3).map(each => each.html.slice(0, 150))}`,
])
"""
WIDER = """
() => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.outerHTML.slice(0, 120)).slice(0, 3)
"""


def test_every_page_can_be_read_by_everybody_and_fits(visitor: Visitor) -> None:
    page = visitor.signed_in(at="/console/")
    page.add_init_script(AXE)
    asked_elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((visitor.url, "data:")):
            asked_elsewhere.append(request.url)

    page.on("request", note)
    found, opened = [], 0
    for path in Crawler(page, visitor.url, most_pages=1).pages("/console/"):
        found += [f"{path}: {problem}" for problem in problems(page)]
        opened += 1

    assert opened > 40
    assert found == [], "\n".join(found)
    assert asked_elsewhere == []


def problems(page: Page) -> Iterator[str]:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            yield f"wider than {width}: {page.evaluate(WIDER)}"
    page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    for scheme, rules in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for impact, words in page.evaluate(LOOK, rules):
            if impact in SERIOUS:
                yield f"{scheme}: {words}"
