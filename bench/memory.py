"""What a model host takes: by allocations, from a cold start, after a rest, and over time.

    python -m bench.memory --minutes 60

Proportional memory counts a page that n processes share as 1/n; private memory leaves out what is
mapped from files, the weights before all.
"""

import argparse
import random
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx

from bench.load import Connection, drive, request_bytes
from bench.serving import ENDPOINT, PASSWORD, PATH, SHORT, create_endpoint, report
from inference.runner.memory import MB, MemoryUse, memory_of
from tests.product.running import Product, start_and_wait, wait_for

HOST = "inference.runner.host"
ALLOCATIONS = (1, 2, 4)
CLIENTS = 8
WORDS = "the port of hamburg lies quiet at night while trains of grain roll towards its silos"
SPAN_S = 5.0


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0, help="of mixed load, for growth")
    minutes = parser.parse_args(arguments).minutes
    with tempfile.TemporaryDirectory() as folder:
        product = start_and_wait(Path(folder), CONSOLE_ADMIN_PASSWORD=PASSWORD)
        try:
            create_endpoint(product)  # the files are here from now on
            cold_start(product)
            by_allocations(product)
            wake_from_nothing(product)
            growth(product, minutes)
        finally:
            product.end()


def cold_start(product: Product) -> None:
    """From a host that is gone to the first vector, by the way that every restart takes."""
    host = product.part(HOST)
    assert host
    connection, request = Connection(product.port), short_request(product)
    host.kill()
    report("cold start to the first vector", f"{timed(connection, request):.2f} s")


def wake_from_nothing(product: Product) -> None:
    statement = "UPDATE endpoints_deployment SET num_allocations = 0"
    with closing(sqlite3.connect(product.data_dir / "console.sqlite3", timeout=20)) as database:
        database.execute(statement)
        database.commit()
    wait_for("the host to end", lambda: product.part(HOST) is None)
    taken = timed(Connection(product.port), short_request(product))
    report("wake from no allocations", f"{taken:.2f} s to the first vector")


def by_allocations(product: Product) -> None:
    """After each of a hundred requests of all sizes was answered, several at a time."""
    requests = mixed_requests(product)
    first = None
    for count in ALLOCATIONS:
        allocate(product, count)
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda request: Connection(product.port).call(request), requests))
        used = host_memory(product)
        first = first or used
        report(
            f"host with {count} allocation{'s' if count > 1 else ''}",
            f"{used.shared // MB} MB proportional",
            f"{used.private // MB} MB private",
            f"{used.shared / first.shared:.2f} x one (aim for two: 1.2 or less)",
        )
    allocate(product, 2)


def growth(product: Product, minutes: float) -> None:
    requests = mixed_requests(product)
    drive(product.port, requests, CLIENTS, SPAN_S)
    first = last = host_memory(product).private
    report("mixed load begins", f"{first // MB} MB private")
    began, count, most, told = time.monotonic(), 0.0, first, 0
    while (past_min := (time.monotonic() - began) / 60) < minutes:
        count += SPAN_S * drive(product.port, requests, CLIENTS, SPAN_S).requests_per_s
        last = host_memory(product).private
        most = max(most, last)
        if int(past_min) > told:
            told = int(past_min)
            report(f"after {told} min", f"{last // MB} MB private", f"{count:.0f} requests")
    report(
        f"{minutes:g} min of mixed load",
        f"{first // MB} to {last // MB} MB private",
        f"{most // MB} MB at most",
        f"{count:.0f} requests, {(last - first) / max(count, 1):.0f} bytes each",
    )


def host_memory(product: Product) -> MemoryUse:
    host = product.part(HOST)
    assert host
    used = memory_of(host.pid)
    assert used, "the system does not tell how much memory a process takes"
    return used


def allocate(product: Product, count: int) -> None:
    httpx.put(
        f"{product.url}/_inference/{ENDPOINT}/_update",
        json={"service_settings": {"num_allocations": count}},
        auth=("elastic", PASSWORD),
        timeout=60,
    ).raise_for_status()


def short_request(product: Product) -> bytes:
    return request_bytes(product.port, PATH, {"input": SHORT[0]}, PASSWORD)


def mixed_requests(product: Product) -> list[bytes]:
    """From one text to 16, from a few tokens to more than the model reads."""
    chance = random.Random(7)  # noqa: S311 - the same texts in every run
    words = WORDS.split()
    return [
        request_bytes(
            product.port,
            PATH,
            {
                "input": [
                    " ".join(chance.choices(words, k=chance.randint(3, 300)))
                    for _ in range(chance.choice((1, 1, 1, 4, 16)))
                ]
            },
            PASSWORD,
        )
        for _ in range(100)
    ]


def timed(connection: Connection, request: bytes) -> float:
    started = time.perf_counter()
    connection.call(request)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
