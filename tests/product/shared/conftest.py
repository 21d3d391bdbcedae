"""One product for all files of this folder, which leave it as they found it.

Each has endpoints of its own.
"""

from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from tests.product.running import Product, start_and_wait


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = start_and_wait(tmp_path_factory.mktemp("product"))
    yield product
    product.end()


@pytest.fixture(scope="module", autouse=True)
def _no_endpoint_stays(client: Elasticsearch) -> Iterator[None]:
    yield
    for endpoint in client.inference.get()["endpoints"]:
        inference_id = endpoint["inference_id"]
        if not inference_id.startswith("."):
            client.inference.delete(inference_id=inference_id, force=True)
