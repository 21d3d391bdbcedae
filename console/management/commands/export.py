"""`manage.py export FILE`: everything of this installation as one file."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.installation import are_tables_ready
from endpoints.archive.manifest import Manifest
from endpoints.archive.writing import Choice, write_archive
from endpoints.management.passwords import first_line
from inference.errors import InferenceError

STANDARD_OUTPUT = "-"


class Command(BaseCommand):
    help = (
        "Write everything of this installation to one file: for a backup, or to move house. "
        "Secrets go with it only behind a passphrase; the files of models only where asked for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file that is not there yet, or - for the output")
        parser.add_argument(
            "--passphrase-file",
            type=Path,
            metavar="F",
            help="its first line seals passwords, API keys and the keys of providers and clusters",
        )
        parser.add_argument("--with-audit", action="store_true", help="the audit log, too")
        parser.add_argument(
            "--with-files", action="store_true", help="the files of uploaded models, too"
        )

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        if not are_tables_ready():
            raise CommandError("The database is that of an earlier version: start the product once")
        named = options["passphrase_file"]
        choice = Choice(
            first_line(named) if named else "", options["with_audit"], options["with_files"]
        )
        try:
            manifest = self._write(file, choice)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"[{file}] cannot be written: {exc.strerror}") from exc
        for what in manifest.unreadable:
            self.stderr.write(f"{what}: its secrets cannot be read, and were left out.", str)
        if not choice.passphrase:
            self.stderr.write(
                "Without --passphrase-file, passwords, API keys and the keys of providers and "
                "clusters were left out.",
                str,
            )
        self.stderr.write(f"Wrote {sum(manifest.rows.values()):,} records.", str)

    def _write(self, file: str, choice: Choice) -> Manifest:
        if file == STANDARD_OUTPUT:
            if sys.stdout.isatty():
                raise CommandError("An archive is not for a terminal: name a file")
            return write_archive(sys.stdout.buffer, choice, self._say)
        target = Path(file)
        if target.exists():
            raise CommandError(f"[{target}] is there already")
        # Readable for nobody else, and without the name until all of it is on the disk.
        draft = target.with_name(f".{target.name}.part")
        with suppress(FileNotFoundError):
            draft.unlink()
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as opened:
                manifest = write_archive(opened, choice, self._say)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
        return manifest

    def _say(self, text: str) -> None:
        self.stderr.write(text, str)  # how far it is, which is no error
