"""Parts are killed while they are needed; nothing hangs, nothing is lost, nothing is left."""

import json
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.product.running import (
    PATIENCE_S,
    PROJECT,
    Product,
    environment,
    free_port,
    is_alive,
    start,
    start_and_wait,
    vectors_config,
    wait_for,
)

RETRIABLE = {408, 429, 502, 503, 504}
ENDPOINT, PASSWORD = "my-vectors", "from the environment"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A new installation, whose endpoint was called three times."""
    first = start_and_wait(tmp_path_factory.mktemp("survival"), CONSOLE_ADMIN_PASSWORD=PASSWORD)
    with asking(first) as client:
        client.inference.put(
            task_type="text_embedding",
            inference_id=ENDPOINT,
            inference_config=vectors_config(),
        )
        for _ in range(3):
            client.inference.text_embedding(inference_id=ENDPOINT, input=["hello", "there"])
    yield first
    first.end()


@pytest.fixture(scope="module")
def product(first: Product) -> Iterator[Product]:
    """The same installation, started again."""
    first.end()
    product = start_and_wait(first.data_dir, first.port)
    yield product
    product.end()


@pytest.fixture(scope="module")
def client(product: Product) -> Iterator[Elasticsearch]:
    with asking(product) as client:
        yield client


def asking(product: Product) -> Elasticsearch:
    return Elasticsearch(product.url, basic_auth=("elastic", PASSWORD), request_timeout=60)


def counted(data_dir: Path) -> tuple[int, int]:
    """The requests and inputs of all endpoints."""
    with closing(sqlite3.connect(data_dir / "console.sqlite3")) as database:
        statement = "SELECT SUM(requests), SUM(inputs) FROM endpoints_usagehour"
        found: tuple[int, int] = database.execute(statement).fetchone()
        return found


def test_an_end_leaves_nothing_behind(first: Product) -> None:
    assert "password" not in first.output

    everything = first.processes
    first.end(signal.SIGTERM)
    assert not [process for process in everything if is_alive(process)]
    assert counted(first.data_dir) == (3, 6), "what was counted last is written at the end"


def test_models_come_back_after_a_restart(client: Elasticsearch) -> None:
    answer = client.inference.text_embedding(inference_id=ENDPOINT, input="hello")
    assert len(answer["text_embedding"][0]["embedding"]) == 384


class Callers:
    """Four clients that ask again and again; every answer is counted."""

    def __init__(self, client: Elasticsearch) -> None:
        self.client = client
        self.is_over = threading.Event()
        self.successes = 0
        self.failures: list[int] = []
        self.threads = [threading.Thread(target=self.call, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def call(self) -> None:
        while not self.is_over.is_set():
            try:
                self.client.inference.text_embedding(inference_id=ENDPOINT, input="hello there")
            except ApiError as exc:
                self.failures.append(exc.status_code)
            else:
                self.successes += 1

    def wait_for_successes(self, more: int) -> None:
        enough = self.successes + more
        wait_for(f"{more} more answers", lambda: self.successes >= enough)

    def end(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a call hangs"


@pytest.mark.parametrize("part", ["manage.py runner", "inference.runner.host", "manage.py worker"])
def test_a_killed_part_is_back_by_itself(
    product: Product, client: Elasticsearch, part: str
) -> None:
    callers = Callers(client)
    callers.wait_for_successes(20)
    victim = product.part(part)
    assert victim

    victim.send_signal(signal.SIGKILL)

    wait_for(f"[{part}] to be gone", lambda: not is_alive(victim))
    callers.wait_for_successes(20)
    callers.end()
    assert set(callers.failures) <= RETRIABLE
    wait_for(f"[{part}] to be back", lambda: product.part(part) not in (None, victim))
    wait_for("everything to be ready again", product.is_ready)


def test_nobody_notices_when_a_host_is_replaced(product: Product, client: Elasticsearch) -> None:
    callers = Callers(client)
    callers.wait_for_successes(20)
    before = product.part("inference.runner.host")
    assert before

    ask_for_a_fresh_start(product.data_dir)

    wait_for("the host of before to end", lambda: not is_alive(before))
    callers.wait_for_successes(20)
    callers.end()
    assert callers.failures == []
    events = client.perform_request(
        "GET", f"/_console/deployments/{ENDPOINT}/events", headers={"accept": "application/json"}
    )
    assert [event["state"] for event in events.body["events"][:2]] == ["serving", "recycling"]


def ask_for_a_fresh_start(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "console.sqlite3", timeout=20)) as database:
        database.execute("UPDATE endpoints_deployment SET generation = generation + 1")
        database.commit()


def test_logs_are_kept_for_each_part(product: Product) -> None:
    logs = product.data_dir / "logs"

    assert {log.stem for log in logs.glob("*.log")} >= {"console", "web", "runner", "worker"}
    assert "[my-vectors] started" in (logs / "runner.log").read_text()


def refusal(product: Product) -> str:
    """The one line that a start which cannot work ends with."""
    assert product.process.wait(PATIENCE_S) != 0
    product.reader.join(PATIENCE_S)
    assert "Traceback" not in product.output
    (line,) = [line for line in product.lines if line.startswith("Cannot start: ")]
    return line


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        line = refusal(start(tmp_path, port))

    assert f"port {port} on 127.0.0.1 is taken" in line
    assert "CONSOLE_PORT" in line


def test_a_data_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    line = refusal(start(tmp_path / "file" / "data"))

    assert str(tmp_path / "file" / "data") in line
    assert "CONSOLE_DATA_DIR" in line


def test_a_broken_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "console.sqlite3").write_bytes(b"this is no database " * 100)

    line = refusal(start(tmp_path))

    assert "console.sqlite3" in line
    assert "DATABASE_URL" in line


def test_a_setting_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    assert "CONSOLE_WEB_THREADS" in refusal(start(tmp_path, CONSOLE_WEB_THREADS="many"))
    assert "CONSOLE_MODEL_SOURCES" in refusal(start(tmp_path, CONSOLE_MODEL_SOURCES="moon"))


def test_a_second_start_on_the_same_folder_is_told(product: Product) -> None:
    assert "already running" in refusal(start(product.data_dir))


def test_a_key_made_in_the_shell_works(product: Product, client: Elasticsearch) -> None:
    made = subprocess.run(
        [".venv/bin/python", "manage.py", "issue_key", "elastic", "--name", "tests", "--json"],
        cwd=PROJECT,
        env=environment(product.data_dir, free_port()),
        capture_output=True,
        text=True,
        check=True,
    )

    with Elasticsearch(product.url, api_key=json.loads(made.stdout)["encoded"]) as program:
        assert program.inference.get()["endpoints"] is not None


def test_nothing_outlives_a_killed_supervisor(product: Product) -> None:
    everything, supervisor = product.processes, product.part("console.supervisor")
    assert supervisor

    supervisor.send_signal(signal.SIGKILL)

    wait_for("all parts to end", lambda: not [p for p in everything if is_alive(p)])
    product.process.wait(PATIENCE_S)
