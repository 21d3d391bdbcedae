"""`manage.py set_roles NAME ROLE...`: what somebody may do from now on, from the shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints import people
from endpoints.privileges import BUILTIN_ROLES
from inference.errors import InferenceError


class Command(BaseCommand):
    help = "Give a user these roles instead of those they have, from their next request on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="whose roles")
        parser.add_argument(
            "role",
            nargs="*",
            help=f"any of {', '.join(sorted(BUILTIN_ROLES))}; none takes every right away",
        )

    def handle(self, *args: Any, name: str, role: list[str], **options: Any) -> None:
        try:
            user = people.set_roles(name, role)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"[{user.username}] has {', '.join(user.role_names) or 'no role'}.")
