"""`manage.py up`: set everything up and run all parts until told to stop."""

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from console import installation
from console.management.commands import web
from console.supervisor import check_port, claim


class Command(BaseCommand):
    help = "Set up what is missing and run web, runner and worker under one supervisor."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def handle(self, *args: Any, **options: Any) -> None:
        with claim(settings.DATA_DIR):
            check_port(settings.HOST, settings.PORT)
            installation.prepare_database()
            installation.collect_static()
            self._show_administrator(installation.ensure_administrator())
            if warning := installation.open_access_warning():
                self.stderr.write(warning)
            self._turn_into_supervisor()

    def _show_administrator(self, made: tuple[str, str] | None) -> None:
        if made:
            self.stdout.write(
                "\n  First administrator (shown only this once):\n"
                f"    name      {made[0]}\n    password  {made[1]}\n"
            )
            self.stdout.flush()

    @staticmethod
    def _turn_into_supervisor() -> None:
        host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        address = f"http://{host}:{settings.PORT}"
        parts = {
            "web": web.command(),
            "runner": [sys.executable, "manage.py", "runner"],
            "worker": [sys.executable, "manage.py", "worker"],
        }
        arguments = [str(settings.LOG_DIR), address, json.dumps(parts)]
        os.chdir(settings.BASE_DIR)
        os.execv(  # noqa: S606 - the very interpreter that runs now
            sys.executable, [sys.executable, "-m", "console.supervisor", *arguments]
        )
