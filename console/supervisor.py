"""Runs the parts of the product side by side: restarts what dies, stops all together.

`manage.py up` turns into this program (`python -m console.supervisor`) once everything is set up:
it needs nothing of Django, and so it is small.
"""

import errno
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from console import lifeline
from console.env import BadSetting

STOP_TIMEOUT_S = 3.5
FIRST_RETRY_S, LONGEST_RETRY_S, STABLE_AFTER_S = 0.5, 30.0, 30.0
LOG_BYTES, LOG_FILES = 10 * 1024 * 1024, 3
COLOURS = {"web": 36, "runner": 35, "worker": 33, "console": 32}


@dataclass
class Part:
    """One part and its process. A part leads a process group, so that all of it can be ended."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    next_start_at: float = 0.0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.process:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Supervisor:
    def __init__(self, parts: Sequence[Part], log_dir: Path, address: str) -> None:
        self._parts, self._address = parts, address
        self._logs = {name: _log_file(log_dir, name) for name in COLOURS}
        self._print_lock = threading.Lock()
        self._is_asked_to_stop = False
        self._is_stopping = threading.Event()
        # Nobody writes to this pipe: its reading ends see it close when this process ends.
        self._lifeline, self._own_end = os.pipe()

    def run(self) -> None:
        """Run until SIGINT or SIGTERM; then every process is gone when this returns."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        threading.Thread(target=self._announce, daemon=True).start()
        try:
            while not self._is_asked_to_stop:
                for part in self._parts:
                    self._keep_running(part)
                time.sleep(0.1)
        finally:
            self._is_stopping.set()
            self._stop()

    def _ask_to_stop(self, *_: object) -> None:
        """Only note it: this thread may hold the lock of an event, and would wait for itself."""
        self._is_asked_to_stop = True

    def say(self, text: str, name: str = "console") -> None:
        self._logs[name].info(text)
        label = f"{name:<7} |"
        if sys.stdout.isatty():
            label = f"\033[{COLOURS[name]}m{label}\033[0m"
        with self._print_lock:
            print(label, text, flush=True)  # noqa: T201 - the stream that a person reads

    def _keep_running(self, part: Part) -> None:
        if part.is_running:
            return
        now = time.monotonic()
        if part.process is not None:
            self._note_end(part, now)
        if now >= part.next_start_at:
            self._start(part, now)

    def _note_end(self, part: Part, now: float) -> None:
        assert part.process  # noqa: S101 - only called for a part that ran
        code = part.process.returncode
        how = f"status {code}" if code >= 0 else signal.Signals(-code).name
        part.signal(signal.SIGKILL)  # what the part itself had started must not linger
        part.failures = 1 if now - part.started_at > STABLE_AFTER_S else part.failures + 1
        delay_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (part.failures - 1))
        part.next_start_at, part.process = now + delay_s, None
        self.say(f"{part.name} ended ({how}); starting it again in {delay_s:g} s")

    def _start(self, part: Part, now: float) -> None:
        part.started_at = now
        part.process = subprocess.Popen(  # noqa: S603 - our own commands
            part.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[self._lifeline],
            env=os.environ | {lifeline.VARIABLE: str(self._lifeline), "PYTHONUNBUFFERED": "1"},
        )
        assert part.process.stdout  # noqa: S101 - asked for above
        threading.Thread(
            target=self._relay, args=(part.name, part.process.stdout), daemon=True
        ).start()

    def _relay(self, name: str, lines: IO[bytes]) -> None:
        for line in lines:
            self.say(line.decode(errors="replace").rstrip(), name)

    def _announce(self) -> None:
        """Say where the console is as soon as all parts answer."""
        while not self._is_stopping.wait(0.1):
            try:
                with urllib.request.urlopen(f"{self._address}/readyz", timeout=2):  # noqa: S310
                    break
            except (urllib.error.URLError, OSError):
                continue
        if not self._is_stopping.is_set():
            self.say(f"ready: open {self._address} in a browser; Ctrl-C stops everything")

    def _stop(self) -> None:
        """Ask every part to end, then end what did not. Takes STOP_TIMEOUT_S at most."""
        self.say("stopping")
        for part in self._parts:
            part.signal(signal.SIGTERM)
        until = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < until and any(part.is_running for part in self._parts):
            time.sleep(0.02)
        for part in self._parts:
            part.signal(signal.SIGKILL)
            if part.process:
                part.process.wait()
        self.say("stopped")


def check_port(host: str, port: int) -> None:
    """Raises BadSetting if the address cannot be listened on."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise BadSetting(
                f"port {port} on {host} is taken by another program. Stop that program, "
                f"or choose another port, for example CONSOLE_PORT={port % 65535 + 1}."
            ) from exc
        raise BadSetting(
            f"cannot listen on {host}:{port} ({exc.strerror or exc}). "
            "Check CONSOLE_HOST and CONSOLE_PORT."
        ) from exc


def claim(data_dir: Path) -> IO[str]:
    """Hold the data folder for this process alone, and for the program that it turns into.

    It is free again when the returned file is closed.
    """
    file = (data_dir / "supervisor.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        file.seek(0)
        raise BadSetting(
            f"the console is already running on {data_dir} (process {file.read().strip()}). "
            "Stop it first, or set CONSOLE_DATA_DIR to another folder."
        ) from exc
    os.set_inheritable(file.fileno(), True)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def main() -> None:
    """Arguments: the log folder, the address of the web part, and name to command as JSON."""
    log_dir, address, commands = sys.argv[1:]
    parts = [Part(name, command) for name, command in json.loads(commands).items()]
    Supervisor(parts, Path(log_dir), address).run()


def _log_file(folder: Path, name: str) -> logging.Logger:
    logger = logging.getLogger(f"supervisor.{name}")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.handlers = [
        RotatingFileHandler(folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    ]
    return logger


if __name__ == "__main__":
    main()
