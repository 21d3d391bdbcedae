"""Many callers create, change, call and delete the same few endpoints at once."""

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import orjson
import psycopg
import pytest

from tests.product.postgres import running_postgres
from tests.product.running import (
    PATIENCE_S,
    Product,
    command_line,
    start_and_wait,
    vectors_config,
    wait_for,
)

PASSWORD = "all at once"
CALLERS, DELETERS, SECONDS = 48, 2, 9.0
# Both delete the same at the same time, and leave models this long to load in between.
PAUSE_S, LONGEST_PAUSE_S = 2.0, 10.0
IDS = ("one", "two", "three")
KINDS = {"create": 1, "update": 1, "infer": 8}
CHUNKING = [{"strategy": "none"}, {"strategy": "sentence", "max_chunk_size": 100}]
HOST = "inference.runner.host"
POLICY = "/_inference/_region_policy"
EXISTS = "resource_already_exists_exception"


class Installation:
    """A product that runs, and a look into its database beside it."""

    def __init__(self, product: Product, postgres_url: str = "") -> None:
        self.product, self.postgres_url = product, postgres_url

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.product.url}/_inference/text_embedding",
            auth=("elastic", PASSWORD),
            timeout=60,
            trust_env=False,
        )

    def rows(self, sql: str) -> list[Any]:
        if self.postgres_url:
            with psycopg.connect(self.postgres_url) as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(self.product.data_dir / "console.sqlite3")) as connection:
            return connection.execute(sql).fetchall()

    @property
    def endpoints(self) -> dict[str, str | None]:
        """The deployment of each endpoint."""
        found = dict(self.rows("SELECT inference_id, deployment_id FROM endpoints_endpoint"))
        return {name: deployment for name, deployment in found.items() if name in IDS}

    @property
    def deployments(self) -> list[str]:
        return sorted(
            name for (name,) in self.rows("SELECT deployment_id FROM endpoints_deployment")
        )

    @property
    def hosts(self) -> list[str]:
        """The deployments that a process works for."""
        lines = [command_line(process) for process in self.product.processes]
        specs = [line.partition(f"{HOST} ")[2] for line in lines if HOST in line]
        return sorted(orjson.loads(spec)["deployment_id"] for spec in specs)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        product = start_and_wait(folder, CONSOLE_ADMIN_PASSWORD=PASSWORD)
        yield Installation(product)
        product.end()
        return
    with running_postgres() as url:
        product = start_and_wait(folder, CONSOLE_ADMIN_PASSWORD=PASSWORD, DATABASE_URL=url)
        yield Installation(product, url)
        product.end()


def act(
    client: httpx.Client, kind: str, inference_id: str, choice: random.Random
) -> httpx.Response:
    path, limit = f"/{inference_id}", {"timeout": "5s"}
    match kind:
        case "create":
            return client.put(path, json=vectors_config(), params=limit)
        case "update":
            body = {"chunking_settings": choice.choice(CHUNKING)}
            return client.put(f"{path}/_update", json=body)
        case "delete":
            return client.delete(path)
        case _:
            return client.post(path, json={"input": "hello there"}, params=limit)


def test_nothing_breaks_and_nothing_is_left_over(installation: Installation) -> None:
    answers: Counter[tuple[str, int]] = Counter()
    faults: list[str] = []
    started = time.monotonic()

    def is_over() -> bool:
        """A slow machine goes on until each kind of call went well."""
        seconds = time.monotonic() - started
        went_well = all(answers[kind, 200] for kind in (*KINDS, "delete"))
        return seconds > (SECONDS if went_well else PATIENCE_S)

    def pause() -> None:
        """Until something was created meanwhile, so that there is something to delete."""
        created, until = answers["create", 200], time.monotonic() + LONGEST_PAUSE_S
        threading.Event().wait(PAUSE_S)
        while answers["create", 200] == created and time.monotonic() < until and not is_over():
            threading.Event().wait(0.05)

    def call(number: int) -> None:
        is_deleter = number < 0
        seed = -1 if is_deleter else number
        choice = random.Random(seed)  # noqa: S311 - to mix calls, and the same mix each time
        with installation.client() as client:
            while not is_over():
                if is_deleter:
                    pause()
                kinds = {"delete": 1} if is_deleter else KINDS
                (kind,) = choice.choices(list(kinds), list(kinds.values()))
                response = act(client, kind, choice.choice(IDS), choice)
                answers[kind, response.status_code] += 1
                if response.status_code >= 500:
                    faults.append(f"{kind}: {response.text}")

    with ThreadPoolExecutor(CALLERS + DELETERS) as callers:
        list(callers.map(call, range(-DELETERS, CALLERS)))

    assert not faults, (answers, faults[:5], installation.product.output[-5000:])
    for kind in (*KINDS, "delete"):
        assert answers[kind, 200], answers
    endpoints = installation.endpoints
    assert endpoints == {name: name for name in endpoints}
    assert installation.deployments == sorted(endpoints)
    wait_for("one host for each deployment", lambda: installation.hosts == sorted(endpoints))
    with installation.client() as client:
        for name in endpoints:
            answer = client.post(f"/{name}", json={"input": "still there?"})
            assert answer.status_code == 200, answer.text
            assert client.delete(f"/{name}").status_code == 200
    assert installation.deployments == []
    wait_for("no host without a deployment", lambda: installation.hosts == [])


def test_of_policies_at_once_one_stays(installation: Installation) -> None:
    together = threading.Barrier(8)

    def put(number: int) -> int:
        policy = {"region_policy": {"allowed_geos": [f"geo-{number}"]}}
        with installation.client() as client:
            together.wait(60)
            return client.put(f"{installation.product.url}{POLICY}", json=policy).status_code

    with ThreadPoolExecutor(together.parties) as callers, installation.client() as client:
        for _ in range(5):
            outcomes = Counter(callers.map(put, range(together.parties)))

            assert outcomes[200]
            assert set(outcomes) <= {200, 409}
            removed = client.delete(f"{installation.product.url}{POLICY}")
            assert removed.status_code == 200


def test_of_creates_at_once_one_wins(installation: Installation) -> None:
    together = threading.Barrier(8)

    def create(inference_id: str) -> tuple[int, str]:
        with installation.client() as client:
            together.wait(60)
            answer = client.put(f"/{inference_id}", json=vectors_config())
        return answer.status_code, answer.json().get("error", {}).get("type", "")

    with ThreadPoolExecutor(together.parties) as callers, installation.client() as client:
        for inference_id in ("first", "second"):
            outcomes = Counter(callers.map(create, [inference_id] * together.parties))

            assert outcomes == {(200, ""): 1, (400, EXISTS): together.parties - 1}
            assert client.delete(f"/{inference_id}").status_code == 200
