"""A model that somebody adds by name, from its folder to its vectors."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import onnxruntime as ort
import pytest

from inference.arrays import FloatArray
from inference.runner.graph import build_graph
from inference.runner.packing import pack
from inference.runner.session import EncoderSession, laid_out
from inference.runner.tokenizer import TextTokenizer
from tests.inference.runner.checkpoints import WINDOW
from tests.inference.runner.hub import running_hub
from tests.inference.runner.published import (
    COMMIT,
    REPOSITORY,
    publish,
    write_published,
    write_shipped,
)
from tests.product.running import Product, start_and_wait, wait_for

TEXTS = ["the cat sat on the port", "a dog ran", "the blue sky at night"]
AUTH = ("elastic", "a password for tests")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the installation may add models from."""
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def adding(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running_hub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")
        publish(hub, write_published(root / "hub"), "main", COMMIT)
        hub.commit = COMMIT
        product = start_and_wait(
            tmp_path_factory.mktemp("product"),
            CONSOLE_ADMIN_PASSWORD=AUTH[1],
            CONSOLE_MODEL_FOLDERS=str(root),
            CONSOLE_MODEL_MIRROR=hub.url,
        )
        yield product
        product.end()


def vectors_of(product: Product, model_id: str, source: dict[str, str]) -> FloatArray:
    """Add a model, wait for it, make an endpoint of it, and ask that."""
    with httpx.Client(base_url=product.url, auth=AUTH, timeout=60) as client:
        path = f"/_console/models/{model_id}"
        added = client.put(path, json={"source": source})
        assert added.status_code == 200, added.text
        wait_for("its files", lambda: client.get(path).json()["state"] in ("ready", "failed"))
        assert client.get(path).json()["state"] == "ready", client.get(path).text
        settings = {"model_id": model_id, "num_allocations": 1, "num_threads": 1}
        body = {"service": "elasticsearch", "service_settings": settings}
        endpoint = f"/_inference/text_embedding/{model_id}-vectors"
        created = client.put(endpoint, json=body)
        assert created.status_code == 200, created.text
        answer = client.post(endpoint, json={"input": TEXTS}).json()
        return np.array([row["embedding"] for row in answer["text_embedding"]], np.float32)


def normalized(states: FloatArray) -> FloatArray:
    mean = states.mean(axis=0)
    vector: FloatArray = mean / np.linalg.norm(mean)
    return vector


def test_weights_of_the_hub_give_the_vectors_of_their_graph(
    adding: Product, tmp_path: Path
) -> None:
    found = vectors_of(adding, "from-hub", {"repository": REPOSITORY})

    folder = write_published(tmp_path)
    encoder = EncoderSession(laid_out(build_graph(folder)), threads=1)
    texts = TextTokenizer(folder, WINDOW).tokenize(TEXTS)
    expected = [normalized(encoder.run(pack([text]))[0]) for text in texts]
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-5)


def test_a_graph_in_a_folder_gives_its_own_vectors(adding: Product, root: Path) -> None:
    folder = write_shipped(root / "shipped")

    found = vectors_of(adding, "from-folder", {"folder": str(folder)})

    direct = ort.InferenceSession(folder / "onnx" / "model.onnx")
    texts = TextTokenizer(folder, WINDOW).tokenize(TEXTS)
    expected = [
        normalized(
            direct.run(
                None,
                {
                    "input_ids": text.ids[None].astype(np.int64),
                    "attention_mask": np.ones((1, len(text.ids)), np.int64),
                },
            )[0][0]
        )
        for text in texts
    ]
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-5)
