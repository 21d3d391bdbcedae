"""Starts the product as a person does, and looks after its processes."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil

from tests.weights import MIRROR

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
PASSWORD = re.compile(r"password\s+(\S+)")
# Asks again and again whether a product is ready: a client of its own would cost each time.
ASKER = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(data_dir: Path, port: int, **more: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CONSOLE_", "DJANGO_"))}
    own = {
        "CONSOLE_DATA_DIR": str(data_dir),
        "CONSOLE_PORT": str(port),
        "CONSOLE_MODEL_MIRROR": str(MIRROR),
        "CONSOLE_MODEL_SOURCES": "mirror",
    }
    return clean | own | more


def wait_for(what: str, is_so: Callable[[], bool]) -> None:
    """Look again and again until it is so. Fails when it is not so after PATIENCE_S."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, f"gave up waiting for {what}"
        threading.Event().wait(0.05)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@dataclass
class Product:
    """A running `make serve`."""

    process: subprocess.Popen[str]
    data_dir: Path
    port: int
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self.read, daemon=True)

    def read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            self.lines.extend(stream)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def password(self) -> str:
        found = PASSWORD.search(self.output)
        assert found, self.output
        return found[1]

    @property
    def processes(self) -> list[psutil.Process]:
        """Everything that belongs to it, `make` first."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def part(self, words: str) -> psutil.Process | None:
        """The living process whose command line holds these words."""
        return next((p for p in self.processes if words in command_line(p)), None)

    def is_ready(self) -> bool:
        try:
            return ASKER.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            assert self.process.poll() is None, self.output
            return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send a signal to `make` and wait for the end; returns the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return time.monotonic() - started


# As the first steps of a start do it, so that the start finds nothing left to do.
PREPARE = """
import django
from django.core.management import call_command
django.setup()
from console.installation import collect_static
call_command("migrate", verbosity=0, interactive=False)
collect_static()
"""


@cache
def prepared() -> "TemporaryDirectory[str]":
    """A data folder with empty tables and the pages' files, made once for all that start anew."""
    folder = TemporaryDirectory()
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", PREPARE],
        cwd=PROJECT,
        env=environment(Path(folder.name), free_port())
        | {"DJANGO_SETTINGS_MODULE": "console.settings"},
        check=True,
    )
    return folder


def furnish(data_dir: Path) -> None:
    """Spare a start in an empty folder what takes it longest. Others show that it does without."""
    for name in ("console.sqlite3", "static"):
        source, target = Path(prepared().name, name), data_dir / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


def start(
    data_dir: Path, port: int | None = None, make: tuple[str, ...] = (), **more: str
) -> Product:
    """make: variables of the Makefile, as `NAME=value`. more: of the environment."""
    port = port or free_port()
    if "DATABASE_URL" not in more and data_dir.is_dir() and not any(data_dir.iterdir()):
        furnish(data_dir)
    process = subprocess.Popen(  # noqa: S603 - the one of this machine
        ["make", "--no-print-directory", *make, "serve"],  # noqa: S607
        cwd=PROJECT,
        env=environment(data_dir, port, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    product = Product(process, data_dir, port)
    product.reader.start()
    return product


def start_and_wait(
    data_dir: Path, port: int | None = None, make: tuple[str, ...] = (), **more: str
) -> Product:
    product = start(data_dir, port, make, **more)
    try:
        wait_for("the product to be ready", product.is_ready)
    except AssertionError:
        product.end()
        raise
    return product


def vectors_config(allocations: int = 1) -> dict[str, Any]:
    """The body that creates an endpoint for vectors."""
    settings = {
        "model_id": ".all-minilm-l6-v2",
        "num_allocations": allocations,
        "num_threads": 1,
    }
    return {"service": "elasticsearch", "service_settings": settings}
