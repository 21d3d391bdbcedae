"""Where somebody is signed in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.db import transaction

from endpoints import audit
from endpoints.models import User

# The first that occurs counts: browsers name each other.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    (r"iPhone|iPad", "iOS"),
    (r"Android", "Android"),
    (r"Windows", "Windows"),
    (r"Mac OS X", "macOS"),
    (r"CrOS", "ChromeOS"),
    (r"Linux", "Linux"),
)


@dataclass(frozen=True)
class SignedIn:
    session: UserSession
    device: str
    is_this: bool


def sessions_of(user: User, this_key: str | None) -> list[SignedIn]:
    """Those that still hold, the last used first; this_key: of the browser that asks."""
    kept = UserSession.objects.purge_and_list(user)
    kept.sort(key=lambda one: (one.session_key == this_key, one.last_seen_at), reverse=True)
    return [SignedIn(one, device(one.user_agent), one.session_key == this_key) for one in kept]


@transaction.atomic
def end(user: User, sessions: Iterable[SignedIn]) -> int:
    """End these from their next request on; returns how many there were."""
    ended = list(sessions)
    for one in ended:
        one.session.end()
    if ended:
        where = [f"{one.device}, {one.session.ip}" for one in ended]
        audit.record("session.end", user.username, before={"sessions": where})
    return len(ended)


def device(user_agent: str) -> str:
    """A browser in words: Firefox on Windows."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in SYSTEMS if re.search(mark, user_agent)), "")
    return f"{browser} on {system}" if system else browser
