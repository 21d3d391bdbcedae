"""`manage.py rotate_secrets`: encrypt what is stored with the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from endpoints.rotation import rotate


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret with the first key of CONSOLE_SECRET_KEYS. May be "
        "interrupted and started again; when it has ended well, the older keys can be removed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        seen = changed = unreadable = 0
        for row in rotate():
            seen += 1
            changed += row.is_changed
            if row.problem:
                unreadable += 1
                self.stderr.write(f"{row.kind} [{row.name}]: {row.problem}")
        self.stdout.write(f"{seen} secrets looked at, {changed} encrypted anew.")
        if unreadable:
            raise CommandError(f"{unreadable} could not be read; keep the older keys.")
