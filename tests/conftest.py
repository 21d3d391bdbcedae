"""What every test may rely on: no way out of this machine, no thread behind its back."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models.signals import post_save
from xdist.scheduler import LoadFileScheduling

from endpoints import attempts, audit, caching, key_limits, key_use, usage
from endpoints.flushing import Flusher
from endpoints.models import ApiKey, AuditEntry, User
from endpoints.models.link import OneTimeLink
from tests.elastic import API_KEY, Elastic, running_elastic
from tests.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The build without windows opens a page with a quarter of the work.
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The files that take longest, as measured: what is begun last decides when everything ends.
LONGEST = (
    "product/test_concurrency.py",
    "console/browser/test_every_page.py",
    "product/console/test_console.py",
    "product/test_moving_house.py",
    "product/test_openapi.py",
    "console/browser/test_planted_scripts.py",
    "product/shared/test_bad_input.py",
    "product/test_survival.py",
    "console/browser/test_every_state.py",
    "product/test_trained_models.py",
    "product/test_audit.py",
)
SHARED = "tests/product/shared/"
# Nothing is slow here, but the machine may be.
PATIENCE_MS = 30_000
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; all others keep their order."""
    here = Path(__file__).parent
    order = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


class ByFile(LoadFileScheduling):  # type: ignore[misc] # it carries no types
    """Gives each process a file at a time; the files that share a product go together."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return SHARED if file.startswith(SHARED) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise OSError(f"tests must not connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _nothing_is_counted_behind_the_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls and refusals are noted for this test alone, and written when it says so."""
    monkeypatch.setattr(usage, "counter", usage.UsageCounter())
    monkeypatch.setattr(key_use, "last_uses", key_use.LastUses())
    monkeypatch.setattr(attempts, "waiting", attempts.Attempts())
    monkeypatch.setattr(Flusher, "ensure_started", lambda self: None)


@pytest.fixture(autouse=True)
def _nobody_acts() -> Iterator[None]:
    """Whoever came last on this thread is gone with the test."""
    with audit.acting(audit.shell):
        yield


@pytest.fixture(autouse=True)
def _no_secret_is_written_down(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test makes happen, no secret of its making stands in the audit log after it."""
    known, entries = {API_KEY, PASSWORD}, list[str]()
    issue, fresh_token = ApiKey.issue, OneTimeLink.fresh_token

    def issued(*args: Any, **columns: Any) -> tuple[ApiKey, str]:
        key, secret = issue(*args, **columns)
        known.update((secret, key.secret_sha256))
        return key, secret

    def tokened(link: OneTimeLink) -> str:
        token = fresh_token(link)
        known.update((token, link.token_sha256))
        return token

    def note(instance: AuditEntry, **_: Any) -> None:
        entries.append(str(instance.to_response()))

    def plant(instance: User, **_: Any) -> None:
        known.add(instance.password)

    monkeypatch.setattr(ApiKey, "issue", issued)
    monkeypatch.setattr(OneTimeLink, "fresh_token", tokened)
    post_save.connect(note, sender=AuditEntry)
    post_save.connect(plant, sender=User)
    yield
    post_save.disconnect(note, sender=AuditEntry)
    post_save.disconnect(plant, sender=User)
    told = [entry for entry in entries if any(one and one in entry for one in known)]
    assert not told


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """A rolled back test leaves vectors of endpoints that were never there."""
    caching.vectors.cache_clear()
    key_limits.turns.cache_clear()


@pytest.fixture
def elastic() -> Iterator[Elastic]:
    """A cluster on this machine."""
    with running_elastic() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A real browser. One that is missing is a failure, never a skip.

    It stands here because a thread can have but one, whoever asks for it.
    """
    from playwright.sync_api import expect, sync_playwright  # most tests need none of it

    expect.set_options(timeout=PATIENCE_MS)
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
