"""What the way to a provider adds: beside calling a stub provider directly, and beside LiteLLM.

All three are asked in turns, in one run. The product checks a password with every request.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.litellm import LiteLLM
from bench.load import Connection, Throughput, drive, request_bytes
from bench.peer import PeerUnavailable
from bench.serving import PASSWORD, report
from bench.stub import BETWEEN_S, DELTAS
from tests.product.running import PROJECT, Product, free_port, start_and_wait, wait_for

AUTH = ("elastic", PASSWORD)
# Made once: it takes longer than a call.
TRUST = httpx.create_ssl_context()
ROUNDS = 4
SECONDS = 4.0
STREAMS, STREAM_ROUNDS = 200, 5
MESSAGES = [{"role": "user", "content": "Hello"}]
TASKS = {"text_embedding": "text-embedding-3-small", "chat_completion": "gpt-4o"}


@dataclass(frozen=True)
class Side:
    """Who is asked, where, and with which request for each task."""

    name: str
    port: int
    requests: dict[str, bytes]


def main() -> None:
    with running_stub() as port, tempfile.TemporaryDirectory() as folder:
        stub = f"http://127.0.0.1:{port}"
        product = start_and_wait(
            Path(folder),
            CONSOLE_ADMIN_PASSWORD=PASSWORD,
            CONSOLE_UPSTREAM_MAP=json.dumps({"https://api.openai.com": stub}),
        )
        try:
            create_endpoints(product)
            sides = [direct(port), ours(product)]
            with running_litellm(stub) as peer:
                sides += [peer] if peer else []
                print(f"load of the machine before the first round: {os.getloadavg()[0]:.1f}")
                for task in TASKS:
                    compare(task, sides)
            streams(product, port)
        finally:
            product.end()


@contextmanager
def running_stub() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-m", "bench.stub", str(port)], cwd=PROJECT
    )
    try:
        wait_for("the stub", lambda: is_up(port))
        yield port
    finally:
        process.terminate()
        process.wait(20)


def is_up(port: int) -> bool:
    try:
        return httpx.post(f"http://127.0.0.1:{port}/v1/embeddings", content=b"{}").is_success
    except httpx.TransportError:
        return False


@contextmanager
def running_litellm(stub: str) -> Iterator[Side | None]:
    """None where it cannot be had here."""
    with ExitStack() as stack:
        try:
            peer = LiteLLM(stub, tuple(TASKS.values()))
            stack.callback(peer.end)
            peer.wait()
            side = Side("LiteLLM", peer.port, openai_requests(peer.port))
        except PeerUnavailable as exc:
            print(f"SKIPPED the comparison with LiteLLM: {exc}", flush=True)
            side = None
        yield side


def create_endpoints(product: Product) -> None:
    for task, model in TASKS.items():
        settings = {
            "api_key": "none",
            "model_id": model,
            "rate_limit": {"requests_per_minute": 100_000_000},
        }
        body = {"service": "openai", "service_settings": settings}
        url = f"{product.url}/_inference/{task}/bench-{task.replace('_', '-')}"
        httpx.put(url, json=body, auth=AUTH, timeout=60).raise_for_status()


def direct(port: int) -> Side:
    return Side("direct", port, openai_requests(port))


def openai_requests(port: int) -> dict[str, bytes]:
    embed = {"model": TASKS["text_embedding"], "input": ["Hello"], "encoding_format": "float"}
    chat = {"model": TASKS["chat_completion"], "messages": MESSAGES}
    return {
        "text_embedding": request_bytes(port, "/v1/embeddings", embed),
        "chat_completion": request_bytes(port, "/v1/chat/completions", chat),
    }


def ours(product: Product) -> Side:
    bodies = {"text_embedding": {"input": ["Hello"]}, "chat_completion": {"messages": MESSAGES}}
    return Side(
        "Inference Console",
        product.port,
        {
            task: request_bytes(
                product.port,
                f"/_inference/{task}/bench-{task.replace('_', '-')}",
                body,
                PASSWORD,
            )
            for task, body in bodies.items()
        },
    )


def compare(task: str, sides: list[Side]) -> None:
    """Rounds in which all have their turn, after one that does not count."""
    for side in sides:
        Connection(side.port).call(side.requests[task])  # some take seconds over the first
    for clients in (1, 16):
        found: dict[str, list[Throughput]] = {side.name: [] for side in sides}
        for number in range(ROUNDS + 1):
            for side in sides:
                load = drive(side.port, [side.requests[task]], clients, SECONDS)
                if number:
                    found[side.name].append(load)
        print(f"\n{task}, {clients} client{'s' * (clients > 1)}")
        report("", "p50", "p99", "requests/s")
        rates = {name: median(loads, "requests_per_s") for name, loads in found.items()}
        for name, loads in found.items():
            p50, p99 = (
                statistics.median(1e3 * load.percentile_s(percent) for load in loads)
                for percent in (50, 99)
            )
            report(name, f"{p50:.2f} ms", f"{p99:.2f} ms", f"{rates[name]:.0f}")
        added = [
            1e3 * (mine.percentile_s(50) - bare.percentile_s(50))
            for mine, bare in zip(found["Inference Console"], found["direct"], strict=True)
        ]
        print(f"  adds {statistics.median(added):.2f} ms p50 to a direct call")
        if "LiteLLM" in rates:
            print(f"  {rates['Inference Console'] / rates['LiteLLM']:.1f} x LiteLLM's requests/s")


def median(loads: list[Throughput], figure: str) -> float:
    figures: list[float] = [getattr(load, figure) for load in loads]
    return statistics.median(figures)


def streams(product: Product, stub_port: int) -> None:
    """The time to the first delta beside a direct call, then many streams at once, repeatedly."""
    ours_url = f"{product.url}/_inference/chat_completion/bench-chat-completion/_stream"
    stub_url = f"http://127.0.0.1:{stub_port}/v1/chat/completions"
    with a_client() as client:
        firsts = [
            (first_delta_s(client, ours_url), first_delta_s(client, stub_url, stream=True))
            for _ in range(20)
        ]
    mine, bare = (1e3 * statistics.median(found) for found in zip(*firsts, strict=True))
    print(f"\ntime to the first delta: {mine:.1f} ms, direct {bare:.1f} ms")
    print(f"memory of the web server: {resident_mb(product)} MB")
    report(f"{STREAMS} streams at once", "first delta p50", "all done", "memory: most", "after")
    for number in range(STREAM_ROUNDS):
        many_streams(f"round {number + 1}", product, ours_url)
    print(f"the stub takes {DELTAS * BETWEEN_S:.1f} s for each")


def a_client() -> httpx.Client:
    return httpx.Client(auth=AUTH, timeout=60, verify=TRUST)


def many_streams(name: str, product: Product, url: str) -> None:
    most, done = [resident_mb(product)], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            most.append(resident_mb(product))

    def follow(_: int) -> float:
        with a_client() as client:
            return first_delta_s(client, url, whole=True)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    with ThreadPoolExecutor(STREAMS) as pool:
        begun = sorted(pool.map(follow, range(STREAMS)))
    took_s = time.perf_counter() - started
    done.set()
    watcher.join()
    first_ms = 1e3 * begun[STREAMS // 2]
    after = resident_mb(product)
    report(name, f"{first_ms:.0f} ms", f"{took_s:.1f} s", f"{max(most)} MB", f"{after} MB")


def first_delta_s(
    client: httpx.Client, url: str, *, whole: bool = False, stream: bool = False
) -> float:
    body = {"messages": MESSAGES} | ({"stream": True, "model": "gpt-4o"} if stream else {})
    started = time.perf_counter()
    with client.stream("POST", url, json=body) as response:
        lines = response.iter_lines()
        while not next(lines).startswith("data:"):
            continue
        first = time.perf_counter() - started
        if whole:
            last = [line for line in lines if line.startswith("data:")][-1]
            if "[DONE]" not in last:
                raise RuntimeError(f"a stream ended in {last}")
    return first


def resident_mb(product: Product) -> int:
    """Of the web server's processes; a page shared by n processes counts 1/n."""
    top = product.part("console.webserver")
    if top is None:
        return 0
    family: list[psutil.Process] = [top, *top.children(recursive=True)]
    return sum(process.memory_full_info().pss for process in family) >> 20


if __name__ == "__main__":
    main()
