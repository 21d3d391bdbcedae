"""What must hold for all that a page shows: everybody can read it, and it fits its window."""

from collections.abc import Iterator
from typing import Literal

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

WIDTHS = (390, 1024, 1440)
HEIGHT = 900
AXE = AXE_FILE_PATH.read_text()
SCHEMES: tuple[tuple[Literal["light", "dark"], dict[str, list[str]]], ...] = (
    ("dark", {"runOnly": ["color-contrast"]}),
    ("light", {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}),
)
SERIOUS = ("serious", "critical")
# What axe found, a line each: what is wrong, and with which elements.
LOOK = """
async options => {
  const found = await axe.run(document, { ...options, resultTypes: ["violations"] });
  return found.violations.map(one => [
    one.impact, `${one.id}: ${one.nodes.slice(0, 3).map(each => each.html.slice(0, 150))}`,
  ]);
}
"""
WIDER = """
() => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.outerHTML.slice(0, 120)).slice(0, 3)
"""


def problems(page: Page, widths: tuple[int, ...] = WIDTHS) -> Iterator[str]:
    """What is wrong with what a page shows now; axe looks at the last of the widths.

    The page has AXE as a script of its own.
    """
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            yield f"wider than {width}: {page.evaluate(WIDER)}"
    for scheme, rules in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for impact, words in page.evaluate(LOOK, rules):
            if impact in SERIOUS:
                yield f"{scheme}: {words}"
