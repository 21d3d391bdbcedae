"""A PostgreSQL of our own: a fresh cluster in a folder of its own, gone with the test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.product.running import free_port, wait_for

DEBIAN = Path("/usr/lib/postgresql")
NOBODY = "nobody"


def binaries() -> Path:
    """The folder of `initdb` and `postgres`. Without one the test is skipped; on CI it fails."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    if versions := sorted(DEBIAN.glob("*/bin/initdb")):
        return versions[-1].parent
    reason = "PostgreSQL is not installed here (Debian: apt install postgresql)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def unprivileged() -> dict[str, Any]:
    """How to start a process as somebody whom PostgreSQL serves: it refuses to run as root."""
    if os.getuid() != 0:
        return {}
    return {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid, "extra_groups": []}


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of an empty database."""
    programs, who, port = binaries(), unprivileged(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="console-postgres-"))
    try:
        if who:
            os.chown(folder, pwd.getpwnam(NOBODY).pw_uid, who["group"])
        data = folder / "data"
        subprocess.run(  # noqa: S603 - the one of this machine
            [programs / "initdb", "-D", data, "-U", "console", "-A", "trust", "-E", "UTF8", "-N"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **who,
        )
        server = subprocess.Popen(  # noqa: S603 - the one of this machine
            [programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder],
            cwd=folder,
            stderr=subprocess.DEVNULL,
            **who,
        )
        url = f"postgresql://console@127.0.0.1:{port}/postgres"
        try:
            wait_for("PostgreSQL to answer", lambda: answers(url))
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # ends it without waiting for who is connected
            server.wait(60)
    finally:
        shutil.rmtree(folder)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
