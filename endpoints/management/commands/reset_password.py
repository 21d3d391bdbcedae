"""`manage.py reset_password NAME`: another password for somebody who lost theirs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints import recovery
from endpoints.management import passwords
from inference.errors import InferenceError


class Command(BaseCommand):
    help = "Give somebody another password, and sign them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="whose password")
        passwords.add_arguments(parser)

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            recovery.get_person(name)  # before anybody types a password in vain
            password = passwords.password_by(options)
            recovery.reset_password(name, password)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        self.stderr.write(f"[{name}] has another password, and was signed out everywhere.", str)
        if options["generate"]:
            self.stdout.write(password)
