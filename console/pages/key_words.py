"""Keys in words: whether they work, and what they may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from console.forms.keys import ALL, RIGHTS
from console.templatetags.times import span
from endpoints.keys import PRESETS
from endpoints.models import ApiKey
from endpoints.privileges import is_empty

SOON = timedelta(days=7)


@dataclass(frozen=True)
class KeyState:
    """kind: works, idle, ending or over."""

    kind: str
    words: str


def state_of(key: ApiKey, now: datetime | None = None) -> KeyState:
    now = now or timezone.now()
    if key.invalidated_at:
        return KeyState("over", "Revoked")
    if key.expires_at and key.expires_at <= now:
        return KeyState("over", "Expired")
    if key.expires_at and key.expires_at - now <= SOON:
        return KeyState("ending", f"Expires in {span(key.expires_at - now) or 'a minute'}")
    if key.last_used_at is None:
        return KeyState("idle", "Never used")
    return KeyState("works", "Works")


def rights_in_words(key: ApiKey) -> str:
    if not key.role_descriptors:
        return RIGHTS[ALL][0]
    if all(is_empty(role) for role in key.role_descriptors.values()):
        return "Nothing"
    held = [role.get("cluster", ()) for role in key.role_descriptors.values()]
    for name, preset in PRESETS.items():
        if held == [role["cluster"] for role in preset.values()]:
            return RIGHTS[name][0]
    privileges = sorted({privilege for role in held for privilege in role})
    return ", ".join(privileges) or "Only what concerns indices"


@dataclass(frozen=True)
class KeyRow:
    key: ApiKey
    state: KeyState
    rights: str

    @classmethod
    def of(cls, key: ApiKey) -> "KeyRow":
        return cls(key, state_of(key), rights_in_words(key))
