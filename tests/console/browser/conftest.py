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
from tests.conftest import PATIENCE_MS
from tests.console.browser.furnished import furnish_all
from tests.factories import PASSWORD, make_admin

DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


class Visitor:
    """Opens browser windows, and notes what the pages complain about."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.url = url
        self.complaints: list[str] = []

    def window(self, **options: Any) -> Page:
        context = self._browser.new_context(
            base_url=self.url, **{"viewport": DESKTOP, "reduced_motion": "reduce"} | options
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
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
            context.close()


@pytest.fixture
def visitor(live_server: LiveServer, chromium: Browser) -> Iterator[Visitor]:
    visitor = Visitor(chromium, live_server.url)
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
