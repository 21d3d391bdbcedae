"""What the way through HTTP, Django and the runner costs, beside the bare model in the same run."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.bare import BareModel
from bench.load import Connection, drive, request_bytes
from tests.product.running import Product, start_and_wait, vectors_config

PASSWORD = "bench and nothing else"  # noqa: S105 - of a server that lives for a minute
ENDPOINT = "bench"
PATH = f"/_inference/text_embedding/{ENDPOINT}"
SHORT = ["how do I reset my password", "port of hamburg at night", "list files in a folder"]
SENTENCE = "Approximate nearest neighbour search trades a little recall for a lot of speed. "
LONG = [f"Number {number}: {SENTENCE * 5}" for number in range(32)]
ROUNDS = 5
CREATE_S = 200  # a precision of less than 32 bits is made and tried first


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        product = start_and_wait(Path(folder), CONSOLE_ADMIN_PASSWORD=PASSWORD)
        try:
            create_endpoint(product)
            bare = BareModel(next(Path(folder, "models").glob("*MiniLM*")))
            one_short_text(product, bare)
            one_cached_text(product)
            one_large_request(product, bare)
            many_clients(product, bare)
            memory(product)
        finally:
            product.end()
        time_to_first_vector(Path(folder))


def create_endpoint(product: Product, path: str = PATH, precision: str = "fp32") -> None:
    body = vectors_config(allocations=2)
    body["service_settings"]["precision"] = precision
    httpx.put(
        product.url + path,
        params={"timeout": f"{CREATE_S}s"},
        json=body,
        auth=("elastic", PASSWORD),
        timeout=CREATE_S + 10,
    ).raise_for_status()


def delete_endpoint(product: Product, path: str) -> None:
    answer = httpx.delete(product.url + path, auth=("elastic", PASSWORD), timeout=60)
    answer.raise_for_status()


def one_short_text(product: Product, bare: BareModel) -> None:
    connection = Connection(product.port)
    request = request_bytes(product.port, PATH, {"input": SHORT[0]}, PASSWORD)
    served, limit = in_turns(
        lambda: connection.call(request), lambda: bare.embed(SHORT[:1]), repeats=100
    )
    report(
        "one short text, one client, p50",
        f"{served * 1e3:.2f} ms",
        f"{limit * 1e3:.2f} ms",
        f"{served / limit:.2f} x (aim: below 1.6)",
    )


def one_cached_text(product: Product) -> None:
    """Beside an endpoint that is not cached, on the same deployment."""
    path, auth = "/_inference/text_embedding/bench-cached", ("elastic", PASSWORD)
    body = {"service": "elasticsearch", "service_settings": {"deployment_id": ENDPOINT}}
    switch = "/_console/endpoints/bench-cached/cache"
    httpx.put(product.url + path, json=body, auth=auth, timeout=120).raise_for_status()
    httpx.put(product.url + switch, json={"enabled": True}, auth=auth).raise_for_status()
    connection = Connection(product.port)
    cached, plain = (
        request_bytes(product.port, at, {"input": SHORT[0]}, PASSWORD) for at in (path, PATH)
    )
    hit, miss = in_turns(
        lambda: connection.call(cached), lambda: connection.call(plain), repeats=100
    )
    report(
        "the same from the cache",
        f"{hit * 1e3:.2f} ms",
        f"{miss * 1e3:.2f} ms",
        f"{hit / miss:.2f} x of not cached",
    )


def one_large_request(product: Product, bare: BareModel) -> None:
    connection = Connection(product.port)
    request = request_bytes(product.port, PATH, {"input": LONG}, PASSWORD)
    tokens = bare.count_tokens(LONG)
    served, limit = in_turns(lambda: connection.call(request), lambda: bare.embed(LONG), repeats=3)
    report(
        f"32 texts of {tokens / len(LONG):.0f} tokens, one request",
        f"{tokens / served:.0f} tokens/s",
        f"{tokens / limit:.0f} tokens/s",
        f"{limit / served:.2f} (aim: 0.85 or more)",
    )


def many_clients(product: Product, bare: BareModel) -> None:
    requests = [request_bytes(product.port, PATH, {"input": text}, PASSWORD) for text in SHORT]
    rates, p99s, limits = [], [], []
    for _ in range(ROUNDS):
        load = drive(product.port, requests, clients=16, seconds=3)
        rates.append(load.requests_per_s)
        p99s.append(load.percentile_s(99))
        started = time.perf_counter()
        for number in range(200):
            bare.embed([SHORT[number % len(SHORT)]])
        limits.append(200 / (time.perf_counter() - started))
    rate, limit = statistics.median(rates), statistics.median(limits)
    report(
        "16 clients with short texts",
        f"{rate:.0f} requests/s",
        f"{limit:.0f} requests/s",
        f"{rate / limit:.2f} (aim: 0.6 or more); p99 {statistics.median(p99s) * 1e3:.1f} ms",
    )


def in_turns(
    served: Callable[[], object], limit: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Median seconds of both, measured block by block in turn, so that noise hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for call, taken in zip((served, limit), times, strict=True):
            time.sleep(0.05)  # lets the other side's threads stop spinning
            for _ in range(repeats):
                started = time.perf_counter()
                call()
                taken.append(time.perf_counter() - started)
    first_served, first_limit = (statistics.median(taken[repeats:]) for taken in times)
    return first_served, first_limit


PARTS = {
    "console.supervisor": "supervisor",
    "console.webserver": "web server",
    "manage.py runner": "runner",
    "manage.py worker": "worker",
    "inference.runner.host": "model host",
}


def memory(product: Product) -> None:
    """Resident and proportional memory: the second counts a page shared by n processes 1/n.

    The web server is two processes: a small one that watches the one that works.
    """
    for process in product.processes:
        line = " ".join(process.cmdline())
        if name := next((name for words, name in PARTS.items() if words in line), None):
            used = process.memory_full_info()
            resident, share = f"{used.rss >> 20} MB resident", f"{used.pss >> 20} MB proportional"
            report(f"memory of the {name}", resident, share)


def time_to_first_vector(folder: Path) -> None:
    started = time.perf_counter()
    product = start_and_wait(folder)
    ready = time.perf_counter() - started
    httpx.post(
        product.url + PATH, json={"input": SHORT[0]}, auth=("elastic", PASSWORD), timeout=60
    ).raise_for_status()
    first = time.perf_counter() - started
    stopped = product.end()
    report(
        "second start",
        f"ready after {ready:.1f} s",
        f"first vector after {first:.1f} s",
        f"stopped in {stopped:.1f} s",
    )


def report(what: str, *figures: str) -> None:
    print(f"{what:<38}", *(f"{figure:<22}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
