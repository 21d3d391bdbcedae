"""A Redis of our own, that keeps nothing and is gone with the test."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import redis

from tests.product.running import free_port, wait_for


@dataclass
class RedisServer:
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - the one of this machine
            [program(), "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        wait_for("Redis to answer", self.answers)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def key_names(self) -> list[str]:
        with redis.Redis.from_url(self.url, decode_responses=True) as client:
            return [str(key) for key in client.scan_iter()]

    def freeze(self) -> None:
        """From now on it takes what is sent, and never answers."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def end(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(60)
            self.process = None


def program() -> str:
    """Where `redis-server` is. Without one the test is skipped; on CI it fails."""
    if found := shutil.which("redis-server"):
        return found
    reason = "Redis is not installed here (Debian: apt install redis-server)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.end()
