"""The sections of the console, in the order in which the side of each page names them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from endpoints.access import may
from endpoints.models import User
from endpoints.permissions import Action

PEOPLE = True  # of no use where nobody signs in


@dataclass(frozen=True)
class Section:
    """One place to go to. keys: what leads there when it is typed, a letter after the other.

    owns: how the names of the addresses begin that belong to it. action: what somebody must be
    allowed to do to be led there; None for everybody. words: by which it is found as well.
    """

    label: str
    url_name: str
    icon: str
    keys: str = ""
    owns: tuple[str, ...] = ()
    action: Action | None = None
    needs_security: bool = False
    words: str = ""

    def is_for(self, user: User) -> bool:
        if self.needs_security and not settings.SECURITY:
            return False
        return self.action is None or may(user, self.action)


@dataclass(frozen=True)
class Command:
    """What a page does at once. presses: the button that does it, as CSS selects it."""

    label: str
    icon: str
    presses: str
    keys: str = ""
    needs_security: bool = False
    words: str = ""

    @property
    def is_there(self) -> bool:
        return settings.SECURITY or not self.needs_security


@dataclass(frozen=True)
class Group:
    """label: empty for the sections that need no word above them."""

    label: str
    sections: tuple[Section, ...]


GROUPS = (
    Group(
        "",
        (
            Section(
                "Overview",
                "overview",
                "home",
                "g o",
                ("overview",),
                words="home dashboard start needs attention usage statistics",
            ),
            Section(
                "Endpoints",
                "endpoint-list",
                "server",
                "g e",
                ("endpoint", "cache-"),
                words="inference",
            ),
            Section(
                "Models",
                "model-list",
                "package",
                "g m",
                ("model", "deployment"),
                Action.MODEL_GET,
                words="catalogue downloads",
            ),
            Section(
                "Lab", "lab", "flask", "g l", ("lab",), Action.CHUNK, words="chunking documents"
            ),
            Section(
                "References",
                "reference-indices",
                "sitemap",
                "g r",
                ("reference-", "cluster"),
                Action.CLUSTER_GET,
                words="indices pipelines clusters",
            ),
        ),
    ),
    Group(
        "Access",
        (
            Section(
                "Keys",
                "key-list",
                "key",
                "g k",
                ("key-",),
                Action.API_KEY_GET,
                PEOPLE,
                words="API tokens",
            ),
            Section(
                "Teams", "team-list", "users", "g t", ("team", "member", "roles"), Action.TEAM_GET
            ),
            Section(
                "People", "person-list", "user", "g p", ("person", "invit"), Action.TEAM_PEOPLE
            ),
            Section(
                "Audit",
                "audit-list",
                "history",
                "g u",
                ("audit",),
                Action.AUDIT_GET,
                words="logs history changes",
            ),
        ),
    ),
    Group(
        "Programs",
        (
            Section(
                "API",
                "api-reference",
                "book",
                "g a",
                ("api-",),
                words="reference OpenAPI documentation help",
            ),
        ),
    ),
)

# Pages below those, which are found by their names only.
INNER = (
    Section(
        "Deployments", "deployment-list", "cpu", action=Action.MODEL_STATS, words="allocations"
    ),
    Section("Indices", "reference-indices", "table", action=Action.INDEX_GET, words="mappings"),
    Section(
        "Pipelines", "reference-pipelines", "route", action=Action.PIPELINE_GET, words="ingest"
    ),
    Section("Clusters", "cluster-list", "sitemap", action=Action.CLUSTER_GET, words="scans"),
    Section(
        "Service accounts",
        "key-accounts",
        "key",
        action=Action.ACCOUNT_GET,
        needs_security=PEOPLE,
        words="programs robots",
    ),
    Section("Roles explained", "roles-explained", "users", words="rights permissions abilities"),
)

# What one can do at once from any page.
DEEDS = (
    Section("Create endpoint", "endpoint-create", "plus", "c", (), Action.PUT, words="new add"),
    Section(
        "Add a model",
        "model-add",
        "upload",
        action=Action.MODEL_PUT,
        words="new upload download hub",
    ),
    Section("Try a document in the lab", "lab", "flask", "", (), Action.CHUNK),
    Section("Register an index", "reference-new-index", "table", "", (), Action.INDEX_CREATE),
    Section("Register a pipeline", "reference-new-pipeline", "route", "", (), Action.PIPELINE_PUT),
    Section("Connect a cluster", "cluster-connect", "plug", "", (), Action.CLUSTER_PUT),
    Section("Create a key", "key-create", "key", "", (), Action.API_KEY_CREATE, PEOPLE),
    Section("Create a team", "team-create", "users", "", (), Action.TEAM_CREATE),
    Section("Invite somebody", "person-invite", "user", "", (), Action.TEAM_PEOPLE),
    Section("Deleted endpoints", "endpoint-deleted", "restore", "", (), Action.DELETED_GET),
    Section(
        "Your profile", "profile", "user-circle", needs_security=PEOPLE, words="account e-mail name"
    ),
    Section(
        "Your password and second factors",
        "mfa_index",
        "lock",
        needs_security=PEOPLE,
        words="security passkeys authenticator codes",
    ),
    Section(
        "Change your password",
        "account_change_password",
        "lock",
        needs_security=PEOPLE,
    ),
    Section(
        "Where you are signed in",
        "usersessions_list",
        "world",
        needs_security=PEOPLE,
        words="sessions browsers devices",
    ),
)


COMMANDS = (
    Command(
        "Dark or light colours", "moon", "[data-theme-toggle]", words="theme colors night day mode"
    ),
    Command("Keyboard shortcuts", "keyboard", "[data-opens-shortcuts]", "?", words="help keys"),
    Command(
        "Sign out", "logout", "#sign-out button", "", PEOPLE, words="log out leave end session"
    ),
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


def all_sections() -> list[Section]:
    return [section for group in GROUPS for section in group.sections]


def sections(request: HttpRequest) -> Mapping[str, Any]:
    """What every template knows; worked out by those that use it."""
    return {
        "navigation": lambda: groups_for(request),
        "shortcuts": lambda: [
            section for section in allowed([*all_sections(), *DEEDS], request) if section.keys
        ],
    }
