"""How soon a browser shows pages of an installation that `bench.filling` filled, and what it loads.

A browser that was never here gets everything; after that its files are from its own cache.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path

import django

django.setup()

# ruff: noqa: E402 - they need the apps to be loaded
import httpx
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright

from bench.page_times import AIM_BYTES, signed_in
from endpoints.models import Endpoint, User
from tests.conftest import ARGUMENTS, CHROMIUM
from tests.product.running import free_port, wait_for

HOME = Path(__file__).resolve().parent.parent
AIM_MS = 1000.0
# The first paint with something in it, and of all that came: how much there is, and its bytes.
SEEN = """async () => {
  const paint = await new Promise((done) => {
    const watch = (list) => {
      const found = list.getEntriesByName("first-contentful-paint")[0];
      if (found) done(found.startTime);
    };
    new PerformanceObserver(watch).observe({ type: "paint", buffered: true });
  });
  const came = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
  const bytes = came.map((one) => one.transferSize);
  return [paint, bytes.filter(Boolean).length, bytes.reduce((sum, size) => sum + size, 0)];
}"""


@dataclass(frozen=True)
class Loaded:
    """paint_ms: until the first paint. requests, size_bytes: of what came over the network."""

    paint_ms: float
    requests: int
    size_bytes: int

    @classmethod
    def by(cls, page: Page, address: str) -> "Loaded":
        page.goto(address, wait_until="networkidle")
        return cls(*page.evaluate(SEEN))


def main(repeats: int) -> None:
    cookies = SimpleCookie(signed_in(User.objects.get(username="elastic")))
    endpoint = Endpoint.objects.own().first()
    assert endpoint
    addresses = [
        reverse("overview"),
        reverse("endpoint-list"),
        reverse("endpoint-detail", args=[endpoint.inference_id]),
    ]
    print(f"{'page':<40}{'first paint':>14}{'requests':>10}{'bytes':>12}{'the next time':>26}")
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for address in addresses:
            times = [visits(browser, url, address, cookies) for _ in range(repeats)]
            report(address, *zip(*times, strict=True))
        browser.close()


@contextmanager
def serving() -> Iterator[str]:
    """The web server alone: no models run, so that they take nothing from it."""
    port = free_port()
    command = [sys.executable, "-m", "console.webserver", "127.0.0.1", str(port), "1", "4"]
    server = subprocess.Popen(command, cwd=HOME, env=os.environ)  # noqa: S603 - ours
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/console/sign-in").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_for("the web server", answers)
        yield url
    finally:
        server.terminate()
        server.wait()


def visits(
    browser: Browser, url: str, address: str, cookies: SimpleCookie
) -> tuple[Loaded, Loaded]:
    """By a browser that was never here, and again by the same."""
    context = browser.new_context(base_url=url)
    context.add_cookies(
        [{"name": name, "value": one.value, "url": url} for name, one in cookies.items()]
    )
    page = context.new_page()
    first, again = Loaded.by(page, address), Loaded.by(page, address)
    context.close()
    return first, again


def report(address: str, first: tuple[Loaded, ...], again: tuple[Loaded, ...]) -> None:
    paint_ms = statistics.median(one.paint_ms for one in first)
    again_ms = statistics.median(one.paint_ms for one in again)
    most = max(first, key=lambda one: one.size_bytes)
    shown = f"{paint_ms:>11.0f} ms{most.requests:>10}{most.size_bytes / 1000:>9.0f} kB"
    later = f"{again_ms:>10.0f} ms, {again[0].requests} request{'s' * (again[0].requests != 1)}"
    over = "  over the aim" if paint_ms > AIM_MS or most.size_bytes > AIM_BYTES else ""
    print(f"{address:<40}{shown}{later:>26}{over}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
