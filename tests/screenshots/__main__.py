"""`make screenshots`: pictures of every page, wide and narrow, light and dark.

The product is started as by `make serve`, with the sandbox in the place of the providers, and
filled; then every page that links lead to is opened. The pictures stand in build/screenshots.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import django
from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"desktop": (1440, 900), "laptop": (1024, 768), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
OUT = Path(__file__).parents[2] / "build" / "screenshots"


def main() -> None:
    from inference.sandbox import make_sandbox
    from inference.sandbox.server import serving
    from tests.conftest import ARGUMENTS, CHROMIUM
    from tests.product.running import start_and_wait
    from tests.screenshots.installation import Installation

    sandbox = make_sandbox()
    with tempfile.TemporaryDirectory() as folder, serving(sandbox) as server:
        origins = json.dumps(sandbox.origin_map(server.place))
        product = start_and_wait(Path(folder), CONSOLE_UPSTREAM_MAP=origins)
        try:
            Installation(product).fill()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                pictures = take(browser, product.url, product.password)
                browser.close()
        finally:
            product.end()
    print(f"{pictures} pictures in {OUT}")  # noqa: T201 - a command


def take(browser: Browser, url: str, password: str) -> int:
    """Returns how many pictures were taken."""
    from django.urls import resolve

    from tests.console.browser.crawling import Crawler

    page = browser.new_context(base_url=url, reduced_motion="reduce").new_page()
    shoot(page, "sign-in", "/console/sign-in")
    page.get_by_label("Name or e-mail").fill("elastic")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/console/")
    count = 1
    for path in Crawler(page, url, most_pages=1).pages("/console/"):
        name = resolve(unquote(path)).view_name
        if name != "sign-in":
            shoot(page, name)
            count += 1
    return count * len(SIZES) * len(SCHEMES)


def shoot(page: Page, name: str, path: str = "") -> None:
    """Of the page that is open, unless a path is given."""
    OUT.mkdir(parents=True, exist_ok=True)
    if path:
        page.goto(path)
    page.wait_for_load_state("networkidle")
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=OUT / f"{name}-{size}-{scheme}.png", full_page=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop on this thread
    django.setup()
    main()
