"""What the audit log keeps of a change: no secret, nothing endless, and nothing that would read
otherwise when it comes back from a database.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from inference.services import SERVICES
from inference.services.settings import names_marked

MASK = "********"
LONGEST_TEXT = 4_000
MOST_BYTES = 64_000
# Beside those that a service calls so.
SECRET_NAMES = ("authorization", "password", "secret", "token")
# From here on a database may write a number without its fraction.
WHOLE_FROM, INTEGER_TO = 1e15, 1 << 63


def kept(value: Mapping[str, Any] | None) -> Any:
    """before or after of an entry."""
    if value is None:
        return None
    found = _kept(value)
    size_bytes = len(orjson.dumps(found))
    return found if size_bytes <= MOST_BYTES else {"not_kept": f"{size_bytes} bytes"}


def short(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text that fits into a column; PostgreSQL refuses a NUL."""
    text = text.replace("\0", "")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _kept(value: Any) -> Any:
    match value:
        case str():
            return short(value)
        case bool() | None:
            return value
        case int():
            return value if abs(value) < INTEGER_TO else str(value)
        case float():
            if not value.is_integer() or 0 < abs(value) < WHOLE_FROM:
                return value
            return _kept(int(value))
        case Mapping():
            return {
                short(str(name)): MASK if _is_secret(name, one) else _kept(one)
                for name, one in value.items()
            }
        case Sequence():
            return [_kept(one) for one in value]
    return short(str(value))


def _is_secret(name: Any, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and str(name).lower() in _secret_names()


@cache
def _secret_names() -> frozenset[str]:
    of_services = (names_marked("sensitive", service.settings) for service in SERVICES.values())
    return frozenset(SECRET_NAMES).union(*of_services)
