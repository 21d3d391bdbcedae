"""Turns that several processes share through a Redis, and what happens when it is gone."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from elasticsearch import Elasticsearch

from inference.sandbox import make_sandbox
from inference.sandbox.server import serving
from inference.upstream import limiting
from inference.upstream.limiting import REDIS_PAUSE_S, Group, MemoryTurns, RedisTurns
from tests.product.redis_server import RedisServer, running_redis
from tests.product.running import PROJECT, start_and_wait

# One turn in ten seconds, and none ahead of the time.
GROUP = Group("openai", ("model", "sk-planted"), 6)
TAKE_THREE = """
import sys
from inference.upstream.limiting import Group, RedisTurns
turns = RedisTurns(sys.argv[1])
print([turns.take(Group("openai", ("model", "sk-planted"), 6), 1e9) for _ in range(3)])
"""


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def waits(turns: RedisTurns | MemoryTurns, count: int) -> list[Any]:
    """Seconds until each of the next turns comes; a test itself may take a few of them."""
    return [pytest.approx(turns.take(GROUP, 1e9), abs=5) for _ in range(count)]


def test_processes_share_their_turns(server: RedisServer) -> None:
    turns = RedisTurns(server.url)
    assert waits(turns, 1) == [0]

    other = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", TAKE_THREE, server.url],
        cwd=PROJECT,
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert json.loads(other.stdout) == [pytest.approx(wait, abs=5) for wait in (10, 20, 30)]
    assert waits(turns, 1) == [40]


def test_the_same_turns_are_given_out_as_from_memory(server: RedisServer) -> None:
    group = Group("openai", ("model", "key"), 60)
    turns, memory = RedisTurns(server.url), MemoryTurns(lambda: 1000.0)

    for _ in range(15):
        expected = memory.take(group, 2.5)
        assert turns.take(group, 2.5) == pytest.approx(expected, abs=0.5)


def test_keys_end_by_themselves_and_show_no_secret(server: RedisServer) -> None:
    RedisTurns(server.url).take(GROUP, 1e9)

    (key,) = server.key_names()
    assert "planted" not in key
    with redis.Redis.from_url(server.url) as client:
        assert 0 < client.pttl(key) <= 11_000


def test_without_a_redis_each_process_goes_on_by_itself(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    turns = RedisTurns(server.url)
    assert waits(turns, 2) == [0, 10]

    server.end()

    assert waits(turns, 3) == [0, 10, 20]
    assert len(caplog.records) == 1
    assert "REDIS_URL" in caplog.text


def test_a_redis_that_is_back_is_asked_again(server: RedisServer) -> None:
    clock = Clock()
    turns = RedisTurns(server.url, clock)
    server.end()
    assert waits(turns, 2) == [0, 10]
    server.start()

    assert waits(turns, 1) == [20]
    clock.now += REDIS_PAUSE_S
    assert waits(turns, 2) == [0, 10]
    assert server.key_names()


def test_a_redis_that_does_not_answer_holds_up_one_call_alone(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "REDIS_TIMEOUT_S", 0.2)
    turns = RedisTurns(server.url)
    waits(turns, 1)
    server.freeze()

    started = time.monotonic()
    waits(turns, 100)

    assert time.monotonic() - started < 5


def test_calls_to_providers_go_on_without_it(server: RedisServer, tmp_path: Path) -> None:
    with serving(make_sandbox()) as provider:
        origins = provider.sandbox.origin_map(provider.place)
        product = start_and_wait(
            tmp_path, CONSOLE_UPSTREAM_MAP=json.dumps(origins), REDIS_URL=server.url
        )
        try:
            with Elasticsearch(
                product.url, basic_auth=("elastic", product.password), request_timeout=60
            ) as client:
                client.inference.put(
                    task_type="completion",
                    inference_id="writes",
                    inference_config={
                        "service": "openai",
                        "service_settings": {"api_key": "sk-planted", "model_id": "gpt-4o"},
                    },
                )
                assert [key for key in server.key_names() if key.startswith("console:turns:")]
                server.end()
                for _ in range(2):
                    answer = client.inference.completion(inference_id="writes", input="Hello")
                    assert answer["completion"]
        finally:
            product.end()
        assert "Traceback" not in product.output
