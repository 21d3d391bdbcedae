from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from tests.product.running import Product, start_and_wait


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("product")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = start_and_wait(tmp_path_factory.mktemp("product"))
    yield product
    product.end()


@pytest.fixture(scope="module")
def client(product: Product) -> Iterator[Elasticsearch]:
    with Elasticsearch(
        product.url, basic_auth=("elastic", product.password), request_timeout=60
    ) as client:
        yield client
