"""`manage.py verify_audit`: whether the audit log is as it was written."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from endpoints.audit import Break, verify


class Command(BaseCommand):
    help = "Follow the chain of the audit log, and tell where entries were changed or removed."

    def handle(self, *args: Any, **options: Any) -> None:
        held, breaks = 0, 0
        for found in verify():
            if isinstance(found, Break):
                breaks += 1
                self.stderr.write(f"entry {found.number}: {found.what}")
            else:
                held += 1
        if breaks:
            raise CommandError(f"The audit log is broken in {breaks} places; {held} entries hold.")
        self.stdout.write(f"The audit log is whole: {held} entries.")
