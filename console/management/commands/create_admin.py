"""`manage.py create_admin NAME`: somebody who may do everything, from the shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.installation import prepare_tables
from endpoints import recovery
from endpoints.management import passwords
from endpoints.models import User
from inference.errors import InferenceError


class Command(BaseCommand):
    help = (
        "Make somebody an administrator of the installation. Who is new gets a password, which is "
        "asked for unless an option tells it; who is known is activated, too, and keeps theirs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        passwords.add_arguments(parser)

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        prepare_tables()
        is_new = not User.objects.filter(username=name).exists()
        password = None
        if is_new or passwords.is_given(options):
            password = passwords.password_by(options)
        try:
            recovery.make_administrator(name, password)
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        self.stderr.write(f"[{name}] is an administrator.", str)
        if password and options["generate"]:
            self.stdout.write(password)
