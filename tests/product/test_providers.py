"""Providers as a user meets them: the real client, the real server, and the sandbox on loopback."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError

from inference.sandbox import make_sandbox
from inference.sandbox.app import Fault, Sandbox
from inference.sandbox.server import SandboxServer, serving
from tests.product.gated import GatedOpenAI
from tests.product.running import Product, start_and_wait

SECRET = "sk-planted-" + "secret"
SETTINGS = {
    "api_key": SECRET,
    "model_id": "gpt-4o",
    "rate_limit": {"requests_per_minute": 1_000_000},
}
STREAMS = 200


@pytest.fixture(scope="module")
def openai() -> GatedOpenAI:
    return GatedOpenAI()


@pytest.fixture(scope="module")
def server(openai: GatedOpenAI) -> Iterator[SandboxServer]:
    sandbox = make_sandbox()
    with serving(Sandbox({**sandbox.providers, "openai": openai})) as server:
        yield server


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, server: SandboxServer) -> Iterator[Product]:
    origins = server.sandbox.origin_map(server.place)
    product = start_and_wait(
        tmp_path_factory.mktemp("providers"), CONSOLE_UPSTREAM_MAP=json.dumps(origins)
    )
    yield product
    product.end()


@pytest.fixture(autouse=True)
def _no_fault(server: SandboxServer) -> None:
    server.sandbox.faults.clear()


@pytest.fixture(scope="module")
def endpoints(client: Elasticsearch) -> None:
    client.inference.put_openai(
        task_type="text_embedding",
        openai_inference_id="vectors",
        service="openai",
        service_settings=SETTINGS | {"model_id": "text-embedding-3-small"},
    )
    for task in ("completion", "chat_completion"):
        client.inference.put(
            task_type=task,
            inference_id=task.replace("_", "-"),
            inference_config={"service": "openai", "service_settings": SETTINGS},
        )


@pytest.mark.usefixtures("endpoints")
def test_the_real_client_calls_a_provider(client: Elasticsearch) -> None:
    vectors = client.inference.text_embedding(inference_id="vectors", input=["a", "b"])
    written = client.inference.completion(inference_id="completion", input="Hello")
    chat = client.perform_request(
        "POST",
        "/_inference/chat_completion/chat-completion",
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        body={"messages": [{"role": "user", "content": "Hello"}]},
    )

    assert len(vectors["text_embedding"]) == 2
    assert written["completion"] == [{"result": "The sandbox heard: Hello"}]
    assert chat["choices"][0]["message"]["content"] == "The sandbox heard: Hello"


def stream(product: Product, text: str = "Hello") -> Any:
    return httpx.stream(
        "POST",
        f"{product.url}/_inference/chat_completion/chat-completion/_stream",
        json={"messages": [{"role": "user", "content": text}]},
        auth=("elastic", product.password),
        timeout=60,
    )


def messages(response: httpx.Response) -> Iterator[str]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line.removeprefix("data: ")


@pytest.mark.usefixtures("endpoints")
def test_a_delta_arrives_while_the_provider_still_writes(
    product: Product, openai: GatedOpenAI
) -> None:
    openai.gate.clear()
    try:
        with stream(product) as response:
            told = messages(response)
            assert "content" in next(told)
            assert '"The"' in next(told)
            openai.gate.set()
            assert list(told)[-1] == "[DONE]"
    finally:
        openai.gate.set()


@pytest.mark.usefixtures("endpoints")
def test_many_streams_run_at_once(product: Product, openai: GatedOpenAI) -> None:
    openai.gate.clear()
    begun, all_begun = threading.Semaphore(0), threading.Event()

    def follow(number: int) -> str:
        with stream(product) as response:
            told = messages(response)
            next(told)
            begun.release()
            return list(told)[-1]

    with ThreadPoolExecutor(STREAMS) as pool:
        try:
            futures = [pool.submit(follow, number) for number in range(STREAMS)]
            for _ in range(STREAMS):
                assert begun.acquire(timeout=60)
            all_begun.set()
        finally:
            openai.gate.set()
        assert {future.result(60) for future in futures} == {"[DONE]"}
    assert all_begun.is_set()


@pytest.mark.usefixtures("endpoints")
def test_a_client_who_leaves_ends_the_stream_of_the_provider(
    product: Product, openai: GatedOpenAI
) -> None:
    openai.gate.clear()
    openai.left.clear()
    try:
        with stream(product, "word " * 200_000) as response:
            next(messages(response))
    finally:
        openai.gate.set()

    assert openai.left.wait(60)


@pytest.mark.usefixtures("endpoints")
def test_a_provider_that_is_gone_for_a_moment_is_asked_again(
    client: Elasticsearch, server: SandboxServer
) -> None:
    server.sandbox.faults["openai"] = Fault(kind="status", status=503, times=1)

    assert client.inference.completion(inference_id="completion", input="a")["completion"]


@pytest.mark.parametrize(
    "inward",
    [{"url": "http://localhost:1/v1/chat/completions"}, {"proxy": "http://localhost:1"}],
)
def test_a_way_to_this_machine_is_refused(client: Elasticsearch, inward: dict[str, str]) -> None:
    with pytest.raises(BadRequestError, match="CONSOLE_PRIVATE_UPSTREAMS"):
        client.inference.put(
            task_type="completion",
            inference_id="inward",
            inference_config={
                "service": "openai",
                "service_settings": SETTINGS | inward,
            },
        )
    with pytest.raises(NotFoundError):
        client.inference.get(inference_id="inward")


@pytest.mark.usefixtures("endpoints")
def test_a_secret_is_nowhere_to_be_found(
    client: Elasticsearch, product: Product, server: SandboxServer
) -> None:
    told = []
    for fault in (
        Fault(kind="status", status=401),
        Fault(kind="status", status=400),
        Fault(kind="bad_json"),
        Fault(kind="cut"),
        Fault(kind="enormous"),
    ):
        server.sandbox.faults["openai"] = fault
        with pytest.raises(ApiError) as failure:
            client.options(max_retries=0).inference.completion(
                inference_id="completion", input="a", timeout="3s"
            )
        told.append(str(failure.value.body))
        with stream(product) as response:
            told.append(response.read().decode())
    server.sandbox.faults.clear()
    for body in (
        {"service_settings": SETTINGS | {"api_key": [SECRET]}},
        {"service_settings": SETTINGS | {"apikey": SECRET}},
        {"service_settings": SETTINGS | {"client_secret": SECRET}},
        {"service_settings": SETTINGS, "secret": SECRET},
    ):
        with pytest.raises(ApiError) as failure:
            client.options(headers={"accept": "application/json"}).perform_request(
                "PUT",
                "/_inference/completion/refused",
                params={"error_trace": "true"},
                headers={"Accept": "application/json", "Content-Type": "application/json"},
                body={"service": "openai"} | body,
            )
        told.append(str(failure.value.body))
    told.append(str(client.inference.get()))

    told.append(product.output)
    told += [path.read_text() for path in Path(product.data_dir, "logs").iterdir()]
    with sqlite3.connect(product.data_dir / "console.sqlite3") as database:
        told += database.iterdump()
    database.close()

    assert not [text for text in told if SECRET in text]
