"""Roles that are changed in the shell hold at once in every process of the web part."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.product.running import PROJECT, environment, free_port, start_and_wait

PASSWORD = "a-long-one-4-bob"
CALLS = 20  # enough that each of the processes gets some


def test_a_role_is_given_and_taken_in_every_process(tmp_path: Path) -> None:
    product = start_and_wait(tmp_path, CONSOLE_WEB_WORKERS="2")
    try:
        shell = in_the_shell(tmp_path)
        shell("create_user", "bob", "--role", "inference_user", "--password-stdin")
        assert statuses(product.url) == {200}
        shell("set_roles", "bob", "machine_learning_user")
        assert statuses(product.url) == {403}
        shell("set_roles", "bob", "inference_admin")
        assert statuses(product.url) == {200}
    finally:
        product.end()


def in_the_shell(data_dir: Path) -> Callable[..., None]:
    def run(*arguments: str) -> None:
        subprocess.run(  # noqa: S603 - our own command
            [".venv/bin/python", "manage.py", *arguments],
            cwd=PROJECT,
            env=environment(data_dir, free_port()),
            input=PASSWORD,
            text=True,
            check=True,
        )

    return run


def statuses(url: str) -> set[int]:
    """What bob is told, each time over a connection of its own."""
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(auth=("bob", PASSWORD), limits=alone, timeout=30) as client:
        return {client.get(f"{url}/_inference").status_code for _ in range(CALLS)}
