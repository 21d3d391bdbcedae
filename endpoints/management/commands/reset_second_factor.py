"""`manage.py reset_second_factor NAME`: for somebody who lost their phone and their codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints import recovery
from inference.errors import InferenceError


class Command(BaseCommand):
    help = "Forget the second factors of somebody, and sign them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="whose second factors")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            count = recovery.reset_second_factor(name)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        had = f"Second factors that went: {count}" if count else "There was no second factor"
        self.stderr.write(f"{had}. [{name}] was signed out everywhere.", str)
