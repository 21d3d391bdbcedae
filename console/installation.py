"""What must be in place before anything can start: tables, static files, a first administrator."""

import ipaddress
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.management.commands.collectstatic import Command as CollectStatic
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from console.env import BadSetting
from endpoints import actions
from endpoints.models import Heartbeat, User
from endpoints.preconfigured import ensure_preconfigured


def prepare_database() -> None:
    """Make ready for a start. Raises BadSetting when the database cannot be used."""
    prepare_tables()
    # Signs of life from an earlier run on this machine would say "ready" too soon.
    Heartbeat.objects.all().delete()


def prepare_tables() -> None:
    """Bring the tables up to date. Raises BadSetting when the database cannot be used."""
    try:
        if not are_tables_ready():
            call_command("migrate", verbosity=0, interactive=False)
        ensure_preconfigured()
    except DatabaseError as exc:
        name = connection.settings_dict["NAME"]
        raise BadSetting(
            f"the database {name} cannot be used ({str(exc).strip()}). Restore it from a backup, "
            "move it away to start afresh, or set DATABASE_URL to another one."
        ) from exc


def are_tables_ready() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def collect_static() -> None:
    """Gather the pages' files for the web server, if any has changed since the last time."""
    sources = Path(settings.BASE_DIR, "static").rglob("*")
    stamp = Path(settings.STATIC_ROOT, "staticfiles.json")
    newest = max((path.stat().st_mtime for path in sources), default=0.0)
    if not stamp.exists() or stamp.stat().st_mtime < newest:
        call_command(CollectStatic(), interactive=False, verbosity=0, clear=True)


def open_access_warning() -> str:
    """What whoever starts the server must know while security is off; nothing otherwise."""
    if settings.SECURITY:
        return ""
    who = "every program on this machine"
    if not is_loopback(settings.HOST):
        who = f"EVERYBODY WHO REACHES THIS MACHINE on {settings.HOST}"
    return f"WARNING: CONSOLE_SECURITY is false: {who} can read and change everything, unasked."


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def ensure_administrator() -> tuple[str, str] | None:
    """Create the first administrator; returns name and password if a password was made up."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    username = settings.ADMIN_USERNAME
    password = settings.ADMIN_PASSWORD or secrets.token_urlsafe(12)
    actions.create_administrator(username, password)
    return None if settings.ADMIN_PASSWORD else (username, password)
