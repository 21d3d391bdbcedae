"""`manage.py create_api_key NAME`: a key for a program, from the shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints import keys
from endpoints.models import User
from inference.errors import InferenceError


class Command(BaseCommand):
    help = "Issue an API key. Its secret is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the key is for")
        parser.add_argument("--user", required=True, help="whose rights it carries")
        parser.add_argument("--team", help="where it works")

    def handle(self, *args: Any, name: str, user: str, team: str | None, **options: Any) -> None:
        owner = User.objects.filter(username=user, is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active user [{user}].")
        try:
            key, secret = keys.create_api_key(owner, name, team=team)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(key.encoded(secret))
