"""`manage.py sandbox`: play the providers on this machine."""

import json
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inference.sandbox import make_sandbox
from inference.sandbox.server import serving, serving_untrusted


class Command(BaseCommand):
    help = "Play every provider, so that endpoints can be tried without a key."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9901, help="the one above it speaks TLS")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        sandbox = make_sandbox()
        try:
            with (
                serving(sandbox, host, port) as plain,
                serving_untrusted(sandbox, host, port + 1),
            ):
                self._tell(plain.place, json.dumps(sandbox.origin_map(plain.place)), port + 1)
                Event().wait()
        except KeyboardInterrupt:
            pass
        except OSError as exc:
            raise CommandError(
                f"{host}:{port} or the port above it cannot be used ({exc.strerror}); "
                "choose another with --port"
            ) from exc

    def _tell(self, place: str, origins: str, tls_port: int) -> None:
        self.stdout.write(
            f"\nThe sandbox plays the providers at {place}. Start the product with\n\n"
            f"  CONSOLE_UPSTREAM_MAP='{origins}' make serve\n\n"
            "Any key is right, but for those with [wrong] (401) or [forbidden] (403) in them.\n"
            "Faults: status, slow, cut, error, bad_json, empty, enormous, html. For example\n\n"
            f"  curl -X PUT {place}/_faults/openai "
            """-d '{"kind": "status", "status": 429, "retry_after": 2, "times": 1}'\n"""
            f"  curl -X DELETE {place}/_faults/openai\n\n"
            f"Port {tls_port} is the same behind TLS, with a certificate that nobody trusts.\n"
            "Ctrl-C ends it.\n"
        )
        self.stdout.flush()
