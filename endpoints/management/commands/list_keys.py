"""`manage.py list_keys`: which API keys there are, from the shell."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from endpoints.models import ApiKey
from endpoints.models.base import iso


class Command(BaseCommand):
    help = "List API keys with their owners: a line each. Their secrets are known to nobody."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", help="only of this person")
        parser.add_argument("--json", action="store_true", help="write a JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = ApiKey.objects.select_related("user", "team")
        if options["owner"]:
            keys = keys.filter(user__username=options["owner"])
        for key in keys:
            told = {
                "id": key.key_id,
                "name": key.name,
                "owner": key.user.username,
                "team": key.team and key.team.name,
                "state": state_of(key),
                "expires_at": key.expires_at and iso(key.expires_at),
            }
            self.stdout.write(json.dumps(told) if options["json"] else in_words(told))


def state_of(key: ApiKey) -> str:
    if key.invalidated_at:
        return "revoked"
    return "works" if key.is_valid else "expired"


def in_words(told: dict[str, Any]) -> str:
    """A line of the list."""
    where = f" in team {told['team']}" if told["team"] else ""
    end = f", until {told['expires_at']}" if told["expires_at"] else ""
    return f"{told['id']}: {told['name']}, of {told['owner']}{where}: {told['state']}{end}"
