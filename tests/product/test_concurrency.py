"""Many do the same at once, in several processes of the web part and in either database.

They create, change, call and delete the same few endpoints, and they let people in and out.
"""

import random
import re
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest

from tests.product.postgres import running_postgres
from tests.product.running import (
    PATIENCE_S,
    PROJECT,
    Product,
    command_line,
    environment,
    free_port,
    start_and_wait,
    vectors_config,
    wait_for,
)

PASSWORD = "all at once"
CALLERS, DELETERS, SECONDS = 48, 2, 6.0
# Both delete the same at the same time, and leave models this long to load in between.
PAUSE_S, LONGEST_PAUSE_S = 2.0, 10.0
IDS = ("one", "two", "three")
KINDS = {"create": 1, "update": 1, "infer": 8}
CHUNKING = [{"strategy": "none"}, {"strategy": "sentence", "max_chunk_size": 100}]
HOST = "inference.runner.host"
POLICY = "/_inference/_region_policy"
EXISTS = "resource_already_exists_exception"
CALLS = 20  # enough that each of the processes gets some
ANN, BOB = ("elastic", PASSWORD), ("bob", "a-long-one-4-bob")
PEOPLE, TOKEN = "/_console/people", re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


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
    settings = {"CONSOLE_ADMIN_PASSWORD": PASSWORD, "CONSOLE_WEB_WORKERS": "2"}
    with ExitStack() as running:
        url = ""
        if request.param == "postgresql":
            url = settings["DATABASE_URL"] = running.enter_context(running_postgres())
        product = start_and_wait(folder, None, (), **settings)
        yield Installation(product, url)
        product.end()


@pytest.fixture
def product(installation: Installation) -> Product:
    return installation.product


def act(
    client: httpx.Client, kind: str, inference_id: str, choice: random.Random
) -> httpx.Response:
    path = f"/{inference_id}"
    match kind:
        case "create":
            return client.put(path, json=vectors_config(), params={"timeout": "30s"})
        case "update":
            body = {"chunking_settings": choice.choice(CHUNKING)}
            return client.put(f"{path}/_update", json=body)
        case "delete":
            return client.delete(path)
        case _:
            return client.post(path, json={"input": "hello there"}, params={"timeout": "5s"})


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


def client(product: Product, auth: tuple[str, str] | None = None) -> httpx.Client:
    return httpx.Client(base_url=product.url, auth=auth, timeout=60, trust_env=False)


def invitation(product: Product, **body: object) -> str:
    with client(product, ANN) as admin:
        answer = admin.post(f"{PEOPLE}/_invitations", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])


def joining(product: Product, link: str, name: str) -> tuple[httpx.Client, dict[str, str]]:
    """Somebody who has opened the link and is about to send the form."""
    guest = client(product)
    page = guest.get(link, follow_redirects=True)
    found = TOKEN.search(page.text)
    assert found, page.text
    words = {"username": name, "password": BOB[1], "again": BOB[1]}
    return guest, words | {"csrfmiddlewaretoken": found[1]}


def at_once(*deeds: Callable[[], int]) -> Counter[int]:
    barrier = threading.Barrier(len(deeds))

    def run(deed: Callable[[], int]) -> int:
        barrier.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return Counter(pool.map(run, deeds))


def join_as(product: Product, link: str, name: str) -> Callable[[], int]:
    guest, words = joining(product, link, name)

    def join() -> int:
        with closing(guest):
            return guest.post("/console/join", data=words).status_code

    return join


def test_of_two_who_use_a_link_at_once_one_comes_in(product: Product) -> None:
    link = invitation(product, roles=["inference_user"])
    guests = [join_as(product, link, f"guest{number}") for number in range(3)]
    assert at_once(*guests) == {302: 1, 410: 2}
    with client(product, ANN) as admin:
        assert admin.get(PEOPLE, params={"q": "guest"}).json()["count"] == 1


def test_of_two_who_choose_one_name_at_once_one_gets_it(product: Product) -> None:
    names = ("same", "SAME")
    links = [invitation(product, roles=["inference_user"]) for _ in names]
    pairs = zip(links, names, strict=True)
    assert at_once(*(join_as(product, link, name) for link, name in pairs)) == {302: 1, 200: 1}


def test_two_who_can_do_everything_do_not_switch_each_other_off(product: Product) -> None:
    join_as(product, invitation(product, roles=["superuser"]), BOB[0])()
    with client(product, ANN) as ann, client(product, BOB) as bob:
        for one in (ann, bob):
            assert one.get(PEOPLE).status_code == 200

        def switch_off(by: httpx.Client, name: str) -> Callable[[], int]:
            return lambda: by.post(f"{PEOPLE}/{name}/_deactivate").status_code

        def step_down(by: httpx.Client, name: str) -> Callable[[], int]:
            return lambda: by.put(f"{PEOPLE}/{name}/roles", json={"roles": []}).status_code

        for deed in (switch_off, step_down):
            found = at_once(deed(ann, "bob"), deed(bob, "elastic"))
            # Who comes second is no administrator any more, or is the last one.
            assert found[200] == 1, found
            assert set(found) <= {200, 401, 403, 409}, found
            mend(ann, bob)


def mend(*both: httpx.Client) -> None:
    """Whoever is still an administrator makes the other one, too."""
    left = next(one for one in both if one.get(PEOPLE).status_code == 200)
    for name in ("elastic", "bob"):
        left.post(f"{PEOPLE}/{name}/_activate")
        left.put(f"{PEOPLE}/{name}/roles", json={"roles": ["superuser"]})


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_role_is_given_and_taken_in_the_shell_for_every_process(product: Product) -> None:
    shell = in_the_shell(product.data_dir)
    shell("create_user", "carl", "--role", "inference_user", "--password-stdin")
    assert statuses(product) == {200}
    shell("set_roles", "carl", "machine_learning_user")
    assert statuses(product) == {403}
    shell("set_roles", "carl", "inference_admin")
    assert statuses(product) == {200}


def in_the_shell(data_dir: Path) -> Callable[..., None]:
    def run(*arguments: str) -> None:
        subprocess.run(  # noqa: S603 - our own command
            [".venv/bin/python", "manage.py", *arguments],
            cwd=PROJECT,
            env=environment(data_dir, free_port()),
            input=BOB[1],
            text=True,
            check=True,
        )

    return run


def statuses(product: Product) -> set[int]:
    """What carl is told, each time over a connection of its own."""
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(auth=("carl", BOB[1]), limits=alone, timeout=30, trust_env=False) as carl:
        return {carl.get(f"{product.url}/_inference").status_code for _ in range(CALLS)}
