"""What holds for people in every process of the web part, of whom two may do the same at once."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from tests.product.postgres import running_postgres
from tests.product.running import PROJECT, Product, environment, free_port, start_and_wait

PASSWORD = "all at once"
CALLS = 20  # enough that each of the processes gets some
ANN, BOB = ("elastic", PASSWORD), ("bob", "a-long-one-4-bob")
PEOPLE, TOKEN = "/_console/people", re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    start = partial(
        start_and_wait, folder, CONSOLE_ADMIN_PASSWORD=PASSWORD, CONSOLE_WEB_WORKERS="2"
    )
    if request.param == "sqlite":
        product = start()
        yield product
        product.end()
        return
    with running_postgres() as url:
        product = start(DATABASE_URL=url)
        yield product
        product.end()


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
    barrier = Barrier(len(deeds))

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


@pytest.mark.parametrize("product", ["sqlite"], indirect=True)
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
