"""People at a real browser, on a real server."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from endpoints.models import Team, User
from tests.console.browser.furnished import furnish_all
from tests.factories import PASSWORD, make_admin

DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


def new_context(browser: Browser, url: str, **options: Any) -> BrowserContext:
    return browser.new_context(
        base_url=url, **{"viewport": DESKTOP, "reduced_motion": "reduce"} | options
    )


class Tabs:
    """A window that stays from test to test, empty for each: a new one costs a second of work.

    Its first page opens the others, which so share one process.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.context = new_context(browser, url)
        self._first = self.context.new_page()
        self._first.goto("/console/sign-in")

    def open(self) -> Page:
        with self._first.expect_popup() as opened:
            self._first.evaluate("() => void open('about:blank')")
        return opened.value

    def clear(self) -> None:
        for page in self.context.pages:
            if page != self._first:
                page.close()
        self.context.clear_cookies()
        self._first.evaluate("localStorage.clear()")


class Visitor:
    """Opens browser windows, and notes what the pages complain about.

    tabs: the window of who comes first and asks for none of their own.
    """

    def __init__(self, browser: Browser, url: str, tabs: Tabs | None = None) -> None:
        self._browser, self._tabs = browser, tabs
        self._contexts: list[BrowserContext] = []
        self.url = url
        self.complaints: list[str] = []

    def window(self, **options: Any) -> Page:
        page = self._blank(options)
        page.context.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        return page

    def _blank(self, options: dict[str, Any]) -> Page:
        if self._tabs and not self._contexts and options.keys() <= {"viewport"}:
            self._contexts.append(self._tabs.context)
            page = self._tabs.open()
            page.set_viewport_size(options.get("viewport", DESKTOP))
            return page
        self._contexts.append(new_context(self._browser, self.url, **options))
        return self._contexts[-1].new_page()

    def signed_in(
        self, username: str = "elastic", at: str = "/console/endpoints", **options: Any
    ) -> Page:
        """Somebody whose answer to the first form was sent without a window."""
        page = self.window(**options)
        program = Client(HTTP_USER_AGENT=page.evaluate("navigator.userAgent"))
        answer = program.post("/console/sign-in", {"login": username, "password": PASSWORD})
        assert answer.status_code == HTTPStatus.FOUND, answer.content
        page.context.add_cookies(
            [
                {"name": name, "value": cookie.value, "url": self.url}
                for name, cookie in program.cookies.items()
            ]
        )
        page.goto(at)
        return page

    @classmethod
    def sign_in(cls, page: Page, username: str = "elastic") -> None:
        """Fill in the first form and send it."""
        page.goto("/console/")
        cls.answer(page, username)

    @staticmethod
    def answer(page: Page, username: str = "elastic") -> None:
        """Say who it is on the page that asks for it."""
        page.get_by_label("Name or e-mail").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()

    def leave(self) -> None:
        for context in self._contexts:
            if self._tabs and context is self._tabs.context:
                self._tabs.clear()
            else:
                context.close()


@pytest.fixture(scope="session")
def kept_tabs() -> list[Tabs]:
    """The window that stays, once there is one."""
    return []


@pytest.fixture
def visitor(live_server: LiveServer, chromium: Browser, kept_tabs: list[Tabs]) -> Iterator[Visitor]:
    if not kept_tabs:
        kept_tabs.append(Tabs(chromium, live_server.url))
    visitor = Visitor(chromium, live_server.url, kept_tabs[0])
    yield visitor
    visitor.leave()
    assert visitor.complaints == []


@pytest.fixture
def admin(transactional_db: None) -> User:
    cache.clear()  # its table is no model's, so nobody empties it between tests
    return make_admin()


@pytest.fixture
def world(admin: User, settings: Settings) -> Team:
    """Something of everything."""
    return furnish_all(admin, settings)
