"""Opens every page of the console, one after the other, as its links lead there."""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from django.urls import resolve
from playwright.sync_api import Page

# What ends the session or leads to another host, and what is no page.
LEAVES, FILES = ("sign-out", "sign-in/service"), (".csv", ".json", ".ndjson")
# Of those that one view shows, such as the forms of the providers and the entries of the log.
MOST_PAGES = 2


class Crawler:
    """Opens every page that can be reached by links."""

    def __init__(self, page: Page, root: str, most_pages: int = MOST_PAGES) -> None:
        self.page, self._root, self._most_pages = page, root, most_pages

    def pages(self, *starts: str) -> Iterator[str]:
        """Each path, while its page is open."""
        waiting, seen, opened = deque(starts), set(starts), Counter[str]()
        while waiting:
            path = waiting.popleft()
            view = resolve(unquote(path)).view_name
            opened[view] += 1
            if opened[view] > self._most_pages:
                continue
            self.open(path)
            links = self._links()
            yield path
            waiting.extend(link for link in links if link not in seen)
            seen.update(links)

    def open(self, path: str) -> None:
        """Open a page and wait for what it fetches for itself."""
        answer = self.page.goto(path, wait_until="domcontentloaded")
        self.page.wait_for_function("() => !document.querySelector('[aria-busy=true][hx-get]')")
        self.check(answer.status if answer else 0, path)

    def check(self, status: int, path: str) -> None:
        assert 0 < status < 400, f"{path} answers with {status}"

    def _links(self) -> list[str]:
        found = self.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
        return list(dict.fromkeys(link for link in map(self._path_of, found) if link))

    def _path_of(self, link: str) -> str | None:
        parts = urlsplit(link)
        if f"{parts.scheme}://{parts.netloc}" != self._root:
            return None
        if not parts.path.startswith("/console/") or parts.path.endswith((*LEAVES, *FILES)):
            return None
        return parts.path
