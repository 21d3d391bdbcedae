"""Where a passphrase comes from."""

from pathlib import Path

from django.core.management.base import CommandError


def read_passphrase(path: Path) -> str:
    """The first line of a file. Raises CommandError."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"The passphrase cannot be read from [{path}]: {exc}") from exc
    if not lines or not lines[0]:
        raise CommandError(f"The first line of [{path}] holds no passphrase")
    return lines[0]
