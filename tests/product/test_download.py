"""The weights on their way: shown, interrupted, gone on with."""

import signal
from pathlib import Path

import httpx
import pytest

from inference.runner.catalogue import ALL_MINILM_L6_V2
from tests.inference.runner.hub import running_hub
from tests.inference.runner.published import publish_weights
from tests.product.running import is_alive, start_and_wait, vectors_config, wait_for

HALF = 40_000_000
AUTH = ("elastic", "download")
PATH = "/_inference/text_embedding/my-vectors"


def test_a_download_goes_on_where_a_killed_worker_left_it(tmp_path: Path) -> None:
    weights = ALL_MINILM_L6_V2
    with running_hub() as hub:
        publish_weights(hub)
        small_ones = [file.size_bytes for file in weights.files[:-1]]
        product = start_and_wait(
            tmp_path, CONSOLE_ADMIN_PASSWORD=AUTH[1], CONSOLE_MODEL_MIRROR=hub.url
        )
        # The large file stops half-way and stays there as long as the first worker lives.
        hub.holds = [*small_ones, HALF]
        created = httpx.put(
            f"{product.url}{PATH}?timeout=1s", json=vectors_config(), auth=AUTH, timeout=30
        )
        assert created.status_code == 408
        wait_for(
            "a part of the large file", lambda: any(tmp_path.glob("models/*/*.safetensors.part"))
        )
        (part,) = tmp_path.glob("models/*/model.safetensors.part")
        wait_for("half of it to arrive", lambda: part.stat().st_size > HALF * 0.9)

        worker = product.part("manage.py worker")
        assert worker
        worker.send_signal(signal.SIGKILL)

        wait_for("the worker to be gone", lambda: not is_alive(worker))
        wait_for("the first vector", lambda: asks_for_a_vector(product.url))
        product.end()
    resumed = hub.ranges[-1]
    assert resumed
    assert int(resumed.removeprefix("bytes=").removesuffix("-")) > HALF * 0.9


def asks_for_a_vector(url: str) -> bool:
    answer = httpx.post(f"{url}{PATH}", json={"input": "hello"}, auth=AUTH, timeout=60)
    return answer.status_code == 200


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
