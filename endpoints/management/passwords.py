"""How a command that sets a password gets it."""

import getpass
import secrets
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

GENERATED_BYTES = 12


def add_arguments(parser: CommandParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--password-file", type=Path, metavar="F", help="its first line is the password"
    )
    source.add_argument(
        "--generate", action="store_true", help="make a password up, and show it this once"
    )


def is_given(options: dict[str, Any]) -> bool:
    return bool(options["password_file"] or options["generate"])


def password_by(options: dict[str, Any]) -> str:
    """The password of a file, a new one, or what somebody types. Raises CommandError."""
    if path := options["password_file"]:
        return first_line(path)
    if options["generate"]:
        return secrets.token_urlsafe(GENERATED_BYTES)
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to ask for the password: use --password-file or --generate"
        )
    return asked_twice()


def asked_twice() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password again: ") != password:
        raise CommandError("The two passwords differ.")
    return password


def first_line(path: Path) -> str:
    """What a file holds that is kept for one secret. Raises CommandError."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"[{path}] cannot be read: {exc}") from exc
    if not lines or not lines[0]:
        raise CommandError(f"The first line of [{path}] is empty")
    return lines[0]
