"""A real browser on a real server. A browser that is missing is a failure, never a skip."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from endpoints.models import User
from tests.factories import PASSWORD, make_admin

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop on this thread; Django would refuse the database beside it.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


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
        context.set_default_timeout(10_000)
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

    def signed_in(self, **options: Any) -> Page:
        page = self.window(**options)
        self.sign_in(page)
        page.wait_for_url("**/console/")
        return page

    @staticmethod
    def sign_in(page: Page, username: str = "elastic") -> None:
        """Fill in the first form and send it."""
        page.goto("/console/")
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
