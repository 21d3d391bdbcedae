"""The audit log of several processes that write at once: one chain, whatever the database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.product.postgres import running_postgres
from tests.product.running import furnish

ROOT = Path(__file__).parents[2]
MANAGE = [sys.executable, "manage.py"]
PROCESSES, THREADS, ENTRIES = 3, 4, 25
# Some are refusals, which a process writes when it ends.
WRITE = f"""
import threading
import django
django.setup()
from django.db import connection
from endpoints import attempts, audit

def write(name):
    for number in range({ENTRIES}):
        changed = {{"a": number, "big": 1e22, "small": 1e-9, "nul": "a\\0b", "text": "\u6f22"}}
        audit.record("endpoint.update", name, before={{"a": None}}, after=changed)
    connection.close()

attempts.note_sign_in_refused("eve", "wrong", "10.0.0.7")
threads = [threading.Thread(target=write, args=(f"e{{n}}",)) for n in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    with ExitStack() as running:
        own = {"CONSOLE_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "console.settings"}
        if request.param == "postgres":
            own["DATABASE_URL"] = running.enter_context(running_postgres())
            migrate = [*MANAGE, "migrate", "-v0"]
            subprocess.run(migrate, cwd=ROOT, env=os.environ | own, check=True)  # noqa: S603
        else:
            furnish(tmp_path)
        yield os.environ | own


def test_processes_that_record_at_once_keep_one_chain(environment: dict[str, str]) -> None:
    writing = [
        subprocess.Popen([sys.executable, "-c", WRITE], cwd=ROOT, env=environment)  # noqa: S603
        for _ in range(PROCESSES)
    ]

    assert [process.wait(120) for process in writing] == [0] * PROCESSES
    verified = subprocess.run(  # noqa: S603
        [*MANAGE, "verify_audit"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert verified.stderr == ""
    count = PROCESSES * (THREADS * ENTRIES + 1)
    assert f"whole: {count} entries" in verified.stdout
