"""One product for all journeys: a provider that can be held, and a hub that can be slow."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from playwright.sync_api import Browser, Page, StorageState

from inference.sandbox import make_sandbox
from inference.sandbox.app import Sandbox
from inference.sandbox.server import SandboxServer, serving
from tests.console.browser.conftest import Visitor
from tests.factories import PASSWORD
from tests.inference.runner.hub import Hub, running_hub
from tests.inference.runner.published import publish_weights
from tests.product.gated import GatedOpenAI
from tests.product.running import Product, start_and_wait


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        publish_weights(hub)
        yield hub


@pytest.fixture(scope="module")
def openai() -> GatedOpenAI:
    return GatedOpenAI()


@pytest.fixture(scope="module")
def server(openai: GatedOpenAI) -> Iterator[SandboxServer]:
    with serving(Sandbox({**make_sandbox().providers, "openai": openai})) as server:
        yield server


@pytest.fixture(scope="module")
def product(
    tmp_path_factory: pytest.TempPathFactory, server: SandboxServer, hub: Hub
) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")
        product = start_and_wait(
            tmp_path_factory.mktemp("console"),
            CONSOLE_ADMIN_PASSWORD=PASSWORD,
            CONSOLE_MODEL_MIRROR=hub.url,
            CONSOLE_UPSTREAM_MAP=json.dumps(server.sandbox.origin_map(server.place)),
        )
    yield product
    product.end()


@pytest.fixture(scope="module")
def client(product: Product) -> Iterator[Elasticsearch]:
    with Elasticsearch(product.url, basic_auth=("elastic", PASSWORD), request_timeout=60) as client:
        yield client


class Guest(Visitor):
    """Somebody who is signed in already."""

    session: StorageState | None = None

    def window(self, **options: Any) -> Page:
        return super().window(**{"storage_state": self.session} | options)

    def opens(self, path: str, **options: Any) -> Page:
        page = self.window(**options)
        page.goto(path)
        return page


@pytest.fixture(scope="module")
def session(product: Product, chromium: Browser) -> StorageState:
    visitor = Guest(chromium, product.url)
    page = visitor.window()
    visitor.sign_in(page)
    page.wait_for_url("**/console/")
    state = page.context.storage_state()
    visitor.leave()
    return state


@pytest.fixture
def visitor(product: Product, chromium: Browser, session: StorageState) -> Iterator[Guest]:
    visitor = Guest(chromium, product.url)
    visitor.session = session
    yield visitor
    visitor.leave()
    assert visitor.complaints == []


@pytest.fixture
def slow_hub(hub: Hub) -> Iterator[Hub]:
    hub.is_fast.clear()
    yield hub
    hub.is_fast.set()
