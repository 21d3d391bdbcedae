"""What must hold for all that a page shows: whoever goes by keyboard gets there and sees it."""

from collections.abc import Iterator

from playwright.sync_api import Page

# Walks over all that takes the focus, in the order of the page, and returns what is wrong: a line
# each. Targets may be smaller than 24 pixels among other words, or where a circle of that size
# around them touches no other (WCAG 2.2, 2.5.8).
WALK = """
() => {
  const STOPS = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const LEAST = 24;
  const wrong = [];
  const tell = (what, one) => wrong.push(`${what}: ${one.outerHTML.slice(0, 120)}`);
  const isStop = one =>
    one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.ariaHidden;
  const stops = [...document.querySelectorAll(STOPS)].filter(isStop);

  // What people see of it: a radio button or a check box is its label, too.
  const seen = one => (one.matches("[type=radio], [type=checkbox]") && one.labels[0]) || one;
  const middle = box => [box.x + box.width / 2, box.y + box.height / 2];
  const places = stops.map(one => {
    const box = seen(one).getBoundingClientRect();
    return { one, box, isSmall: box.width < LEAST || box.height < LEAST };
  });
  const isAmongWords = one =>
    getComputedStyle(one).display === "inline" &&
    [...one.parentElement.childNodes].some(each => each !== one && each.textContent.trim());
  const touches = (small, other) => {
    const [x, y] = middle(small.box);
    const { left, right, top, bottom } = other.box;
    const [otherX, otherY] = middle(other.box);
    const off = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
    const apart = Math.hypot(otherX - x, otherY - y);
    return off < LEAST / 2 || (other.isSmall && apart < LEAST);
  };
  for (const small of places) {
    if (!small.isSmall || small.one.matches(".skip") || isAmongWords(small.one)) continue;
    if (places.some(other => other !== small && touches(small, other))) tell("small", small.one);
  }

  const rings = one => {
    const around = [one, seen(one), one.nextElementSibling, one.closest("label")];
    return around.some(each => each && getComputedStyle(each).outlineStyle !== "none");
  };
  let before = null;
  for (const one of stops) {
    document.activeElement.blur();
    if (rings(one)) tell("as if it had the focus", one);
    one.focus();
    if (document.activeElement !== one || one.tabIndex !== 0) {
      if (one.getAttribute("role") !== "option") tell("out of reach", one);
      continue;
    }
    if (!rings(one)) tell("does not show the focus", one);
    const box = seen(one).getBoundingClientRect();
    const top = document.elementFromPoint(...middle(box));
    if (!seen(one).contains(top) && !top?.contains(one)) tell("hidden", one);
    const at = { bottom: box.bottom + scrollY, top: box.top + scrollY, left: box.left };
    if (before && one.closest("main") && at.bottom < before.top && at.left <= before.left) {
      tell("comes after what stands below it", one);
    }
    before = one.closest("main") ? at : null;
  }
  for (const head of document.querySelectorAll("th:not([scope])")) tell("no scope", head);
  document.activeElement.blur();
  scrollTo(0, 0);
  return wrong;
}
"""


def stumbles(page: Page) -> Iterator[str]:
    """What is wrong for whoever goes by keyboard. The page fades nothing in or out."""
    page.keyboard.press("Tab")  # by pointer, the focus would not show
    yield from page.evaluate(WALK)
