"""`manage.py web`: the web server alone."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from console import installation


class Command(BaseCommand):
    help = "Serve the pages and the API."

    def handle(self, *args: Any, **options: Any) -> None:
        if warning := installation.open_access_warning():
            self.stderr.write(warning)
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, command())  # noqa: S606 - the very interpreter that runs now


def command() -> list[str]:
    """The program that serves, as the settings want it."""
    numbers = map(str, (settings.PORT, settings.WEB_WORKERS, settings.WEB_THREADS))
    return [sys.executable, "-m", "console.webserver", settings.HOST, *numbers]
