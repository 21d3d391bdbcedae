"""The sections of the console, in the order in which the side of each page names them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from endpoints.access import may
from endpoints.models import User
from endpoints.permissions import Action


@dataclass(frozen=True)
class Section:
    """One entry. owns: how the names of the addresses begin that belong to it.

    action: what somebody must be allowed to do to be led there; None for everybody.
    """

    label: str
    url_name: str
    icon: str
    owns: tuple[str, ...]
    action: Action | None = None
    needs_security: bool = False

    def is_for(self, user: User) -> bool:
        if self.needs_security and not settings.SECURITY:
            return False
        return self.action is None or may(user, self.action)


@dataclass(frozen=True)
class Group:
    """label: empty for the sections that need no word above them."""

    label: str
    sections: tuple[Section, ...]


GROUPS = (
    Group(
        "",
        (
            Section("Overview", "overview", "home", ("overview",)),
            Section("Endpoints", "endpoint-list", "server", ("endpoint", "cache-")),
            Section("Models", "model-list", "package", ("model", "deployment"), Action.MODEL_GET),
            Section("Clusters", "cluster-list", "sitemap", ("cluster",), Action.CLUSTER_GET),
        ),
    ),
    Group(
        "Access",
        (
            Section("Keys", "key-list", "key", ("key-",), Action.API_KEY_GET, needs_security=True),
            Section("Teams", "team-list", "users", ("team", "member", "roles"), Action.TEAM_GET),
            Section("People", "person-list", "user", ("person", "invit"), Action.TEAM_PEOPLE),
            Section("Audit", "audit-list", "history", ("audit",), Action.AUDIT_GET),
        ),
    ),
    Group("Programs", (Section("API", "api-reference", "book", ("api-",)),)),
)


@dataclass(frozen=True)
class Entry:
    section: Section
    is_here: bool


def groups_for(request: HttpRequest) -> list[tuple[str, list[Entry]]]:
    """The groups that have anything for who asks: a group's label, and its entries."""
    match = request.resolver_match
    here = (match.url_name or "") if match else ""
    shown = (
        (
            group.label,
            [Entry(each, here.startswith(each.owns)) for each in allowed(group.sections, request)],
        )
        for group in GROUPS
    )
    return [(label, entries) for label, entries in shown if entries]


def allowed(sections: Iterable[Section], request: HttpRequest) -> list[Section]:
    user = request.user
    if not isinstance(user, User):
        return []
    return [section for section in sections if section.is_for(user)]


def sections(request: HttpRequest) -> Mapping[str, Any]:
    """What every template knows; worked out by those that use it."""
    return {"navigation": lambda: groups_for(request)}
