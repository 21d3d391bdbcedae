"""`manage.py unlock`: let somebody try again who tried too many passwords."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from endpoints.lockout import unlock


class Command(BaseCommand):
    help = "Forget failed sign-ins of a user, from an address, or, without either, of everybody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="")
        parser.add_argument("--address", default="", help="where the attempts came from")

    def handle(self, *args: Any, username: str, address: str, **options: Any) -> None:
        try:
            count = unlock(username=username, address=address)
        except ValueError as exc:
            raise CommandError(f"[{address}] is no address") from exc
        some = "1 record" if count == 1 else f"{count} records"
        self.stdout.write(f"{some} of failed sign-ins forgotten.")
