"""`manage.py create_user NAME --role ROLE`: somebody who may sign in and call, from the shell."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints import people
from endpoints.management.passwords import asked_twice
from endpoints.privileges import BUILTIN_ROLES
from inference.errors import InferenceError


class Command(BaseCommand):
    help = "Create a user with these roles. The password is asked for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument(
            "--role",
            action="append",
            required=True,
            metavar="ROLE",
            help=f"one of {', '.join(sorted(BUILTIN_ROLES))}; may be given several times",
        )
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of the standard input",
        )

    def handle(
        self, *args: Any, name: str, role: list[str], password_stdin: bool, **options: Any
    ) -> None:
        try:
            people.check_roles(role)  # before anybody types a password in vain
            password = sys.stdin.readline().rstrip("\r\n") if password_stdin else asked_twice()
            user = people.create_user(name, password, role)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"Created [{user.username}] with {', '.join(user.role_names)}.")
