"""What must hold for all that a page shows: everybody can read it, and it fits its window."""

from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

WIDTHS = (390, 1024, 1440)
HEIGHT = 900
AXE = AXE_FILE_PATH.read_text()
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "rules": {"color-contrast": {"enabled": False}},
}
SERIOUS = ("serious", "critical")
# What axe finds, a line each: what is wrong, and with which elements.
FOUND = """
const lines = found => found.violations.map(one => [
  one.impact, `${one.id}: ${one.nodes.slice(0, 3).map(each => each.html.slice(0, 150))}`,
]);
"""
LOOK = f"""
async options => {{
  {FOUND}
  return lines(await axe.run(document, {{ ...options, resultTypes: ["violations"] }}));
}}
"""
# The contrast takes axe longer than all the rest: it is asked of texts that look like none that it
# found good before. What lies over others must be of one class, too, to look the same. Of a select
# it can tell nothing, as its arrow is an image.
CONTRAST = f"""
async before => {{
  {FOUND}
  const isText = one =>
    one.matches("input:not([type=checkbox], [type=radio]), textarea") ||
    [...one.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.trim());
  const look = one => {{
    const own = getComputedStyle(one);
    const parts = [own.color, own.fill, own.fontSize, own.fontWeight, own.textShadow];
    for (let each = one; each; each = each.parentElement) {{
      const style = getComputedStyle(each);
      parts.push(style.backgroundColor, style.backgroundImage, style.opacity, style.filter);
      if (["absolute", "fixed", "sticky"].includes(style.position)) parts.push(each.className);
    }}
    return parts.filter(one => !["none", "rgba(0, 0, 0, 0)", "1"].includes(one)).join("; ");
  }};
  const isShown = one =>
    one.checkVisibility({{ visibilityProperty: true }}) && one.getBoundingClientRect().bottom > 0;
  const texts = [...document.querySelectorAll("body *")].filter(
    one => isText(one) && isShown(one),
  );
  const unknown = texts.filter(one => !before.includes(look(one)));
  if (!unknown.length) return [[], []];
  const options = {{ runOnly: ["color-contrast"], elementRef: true }};
  const found = await axe.run({{ include: unknown }}, options);
  const good = found.passes.flatMap(one => one.nodes.map(each => look(each.element)));
  return [lines(found), [...new Set(good)]];
}}
"""
# The looks, of all pages that this process opens.
found_good: dict[str, set[str]] = {scheme: set() for scheme in SCHEMES}
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
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        wrong, good = page.evaluate(CONTRAST, list(found_good[scheme]))
        found_good[scheme].update(good)
        yield from serious(wrong, scheme)
    yield from serious(page.evaluate(LOOK, RULES), SCHEMES[-1])


def serious(wrong: Any, scheme: str) -> Iterator[str]:
    return (f"{scheme}: {words}" for impact, words in wrong if impact in SERIOUS)
