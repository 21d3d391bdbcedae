"""`manage.py issue_key OWNER --name NAME`: a key for a program, from the shell."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from endpoints import keys
from endpoints.api.params import parse_duration_s
from endpoints.api.security.keys import RoleDescriptor, epoch_ms
from endpoints.models import User
from inference.errors import InferenceError, InvalidArgument

ROLE = "shell"


class Command(BaseCommand):
    help = (
        "Issue an API key that can do what its owner can do, or less. Its secret is shown only "
        "now: `encoded` is what a client sends."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("owner", help="whose rights it carries")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument("--team", help="where it works; everywhere, where its owner's roles do")
        parser.add_argument("--expires", metavar="30d", help="after so long: 90m, 12h, 30d")
        parser.add_argument(
            "--privileges",
            nargs="+",
            metavar="PRIVILEGE",
            help="less than all that its owner has, monitor_inference for example",
        )
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def handle(self, *args: Any, owner: str, name: str, **options: Any) -> None:
        user = User.objects.filter(username=owner, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user [{owner}].")
        privileges = options["privileges"]
        role = RoleDescriptor(cluster=privileges) if privileges else None
        try:
            key, secret = keys.create_api_key(
                user,
                name,
                role_descriptors={ROLE: role.model_dump(exclude_none=True)} if role else {},
                expires_at=moment_in(options["expires"]),
                team=options["team"],
            )
        except InferenceError as exc:
            raise CommandError(str(exc)) from exc
        answer: dict[str, Any] = {"id": key.key_id, "name": key.name, "api_key": secret}
        answer["encoded"] = base64.b64encode(f"{key.key_id}:{secret}".encode()).decode()
        if key.expires_at:
            answer["expiration"] = epoch_ms(key.expires_at)
        if options["json"]:
            self.stdout.write(json.dumps(answer))
            return
        for what in ("id", "api_key", "encoded"):
            self.stdout.write(f"{what:8} {answer[what]}")
        self.stderr.write("The key is shown only this once.", str)


def moment_in(duration: str | None) -> datetime | None:
    """Raises InvalidArgument."""
    if duration is None:
        return None
    try:
        return timezone.now() + timedelta(seconds=parse_duration_s(duration, "expires"))
    except OverflowError:
        raise InvalidArgument(f"[expires] with [{duration}] is too far away") from None
