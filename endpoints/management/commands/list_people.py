"""`manage.py list_people`: who there is, from the shell."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from endpoints.models import User
from endpoints.models.base import iso


class Command(BaseCommand):
    help = "List people with their roles and teams: a line each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="write a JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        people = User.objects.prefetch_related("memberships__team").order_by("username")
        for user in people:
            told = {
                "name": user.username,
                "is_active": user.is_active,
                "roles": user.role_names,
                "teams": {one.team.name: one.role for one in user.memberships.all()},
                "has_second_factor": user.has_second_factor,
                "last_login": user.last_login and iso(user.last_login),
            }
            self.stdout.write(json.dumps(told) if options["json"] else in_words(told))


def in_words(told: dict[str, Any]) -> str:
    """A line of the list."""
    parts = [", ".join(told["roles"]) or "no role"]
    parts += [f"{role} in {team}" for team, role in told["teams"].items()]
    if not told["is_active"]:
        parts.append("deactivated")
    if told["has_second_factor"]:
        parts.append("second factor")
    seen = f"last sign-in {told['last_login']}" if told["last_login"] else "never signed in"
    return f"{told['name']}: {'; '.join([*parts, seen])}"
