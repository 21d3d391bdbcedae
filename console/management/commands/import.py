"""`manage.py import FILE`: bring in what `manage.py export` wrote."""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.installation import prepare_tables
from endpoints.archive.reading import Archive, Secrets, opened
from endpoints.archive.restoring import Merge, Refused, Report, Wish, restore
from endpoints.archive.sealing import Seal
from endpoints.management.passwords import first_line
from inference.errors import InferenceError


class Command(BaseCommand):
    help = (
        "Restore an archive into this installation: all of it, or nothing. One that is not empty "
        "is left alone unless --merge says what becomes of what is there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what export wrote")
        parser.add_argument(
            "--passphrase-file", type=Path, metavar="F", help="its first line opens the secrets"
        )
        parser.add_argument(
            "--without-secrets", action="store_true", help="leave what is sealed where it is"
        )
        parser.add_argument(
            "--merge",
            choices=[str(merge) for merge in Merge],
            help="records that are here already: keep them, or overwrite them",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, and change nothing"
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        merge, is_rehearsal = options["merge"], options["dry_run"]
        try:
            with opened(file) as archive:
                secrets = self._secrets(
                    archive, options["passphrase_file"], options["without_secrets"]
                )
                prepare_tables()
                wish = Wish(secrets, Merge(merge) if merge else None, is_rehearsal)
                report = restore(archive, wish, self._say)
        except Refused as exc:
            for problem in exc.problems:
                self.stderr.write(problem)
            raise CommandError("The archive cannot be restored; nothing was changed.") from exc
        except InferenceError as exc:
            raise CommandError(f"{exc}. Nothing was changed.") from exc
        self._tell(report, is_rehearsal=is_rehearsal)

    def _secrets(self, archive: Archive, named: Path | None, without: bool) -> Secrets | None:
        sealing = archive.manifest.sealing
        if sealing is None and named:
            self._say("The archive holds no secrets: the passphrase opens nothing.")
        if sealing is None or without:
            return None
        if named:
            passphrase = first_line(named)
        elif sys.stdin.isatty():
            passphrase = getpass.getpass("Passphrase: ")
        else:
            raise CommandError(
                "The archive holds sealed secrets: open them with --passphrase-file, or leave "
                "them with --without-secrets"
            )
        return archive.secrets(Seal.of(passphrase, sealing))

    def _tell(self, report: Report, *, is_rehearsal: bool) -> None:
        told = {
            "created": report.created,
            "replaced": report.replaced,
            "unchanged": report.unchanged,
            "skipped": report.skipped,
        }
        names = {name: None for counts in told.values() for name in counts}
        for name in names:
            done = ", ".join(
                f"{counts[name]} {what}" for what, counts in told.items() if counts[name]
            )
            if done:
                self.stdout.write(f"{name}: {done}")
        for note in report.notes:
            self._say(note)
        self.stdout.write("Nothing was changed." if is_rehearsal else "Restored.")

    def _say(self, text: str) -> None:
        self.stderr.write(text, str)  # how far it is, which is no error
