"""Changing an endpoint: what can be, what was, and what others changed meanwhile."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.core import signing
from django.forms import BoundField

from console.forms.chunking import CHUNKING
from console.forms.generated import (
    SCOPES,
    SERVICE_SETTINGS,
    TASK_SETTINGS,
    SettingsForm,
    entries_for,
    needed,
    texts_of,
)
from console.forms.settings import Entry, found_at, nested
from endpoints.api.bodies import check_storable
from endpoints.models import Endpoint
from inference.services.base import Service

REMOVE = "remove."
SALT = "console.endpoint-edit"
STORED, WRITTEN, REMOVED = "stored", "a new one", "removed"


@dataclass(frozen=True)
class Version:
    """An endpoint as somebody saw it when they began to change it.

    config: its settings, less secrets. secrets: a digest of what is stored encrypted.
    """

    config: dict[str, Any]
    updated_at: str
    secrets: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> "Version":
        digest = hashlib.sha256(endpoint.encrypted_secrets.encode()).hexdigest()
        return cls(endpoint.config, endpoint.updated_at.isoformat(), digest)

    @classmethod
    def read(cls, text: str) -> "Version | None":
        """None for what was not written by `signed`."""
        try:
            return cls(**signing.loads(text, salt=SALT))
        except signing.BadSignature:
            return None

    def signed(self) -> str:
        return signing.dumps(vars(self), salt=SALT, compress=True)

    def is_like(self, other: "Version") -> bool:
        return (self.config, self.secrets) == (other.config, other.secrets)


@dataclass(frozen=True)
class Change:
    """One setting before and after, as text; empty where there is none."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Meanwhile:
    """A setting that somebody else changed. mine: what is in the form; None where it is theirs."""

    label: str
    before: str
    theirs: str
    mine: str | None


class EditForm(SettingsForm):
    """The settings of an endpoint that can be changed; an empty secret stays as it is.

    version: what the endpoint was when the form was opened.
    """

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        service: Service,
        endpoint: Endpoint,
        kept_secrets: Iterable[str],
        data: Any = None,
    ) -> None:
        self.stored = endpoint.config
        self.now = Version.of(endpoint)
        entries = [
            entry
            for entry in entries_for(service, endpoint.task)
            if entry.is_updatable or entry.scope == TASK_SETTINGS
            # An upload runs as it came.
            if not (entry.path == ("precision",) and is_uploaded(endpoint))
        ]
        initial = texts_of(self.stored, entries) | {"version": self.now.signed()}
        super().__init__(data, initial=initial)
        kept = set(kept_secrets)
        self.add_entries(entries, kept)
        for entry in entries:
            if entry.is_secret and entry.path[0] in kept and not entry.is_required:
                label = f"Remove the stored {entry.label}"
                self.fields[REMOVE + entry.name] = forms.BooleanField(label=label, required=False)

    def _stored(self, entry: Entry) -> Any:
        return found_at(self.stored.get(entry.scope) or {}, entry.path)

    # ------------------------------------------------------------------ what is changed

    @property
    def changes(self) -> dict[str, Any]:
        """What an update would be asked; empty where all is as it was.

        What was emptied is null, which takes it away. Raises InvalidArgument.
        """
        found = {scope: self._changes_in(scope) for scope in SCOPES}
        changes = {scope: settings for scope, settings in found.items() if settings}
        check_storable(changes)
        return changes

    def _changes_in(self, scope: str) -> dict[str, Any]:
        entries = self.in_scope(scope)
        changed = {entry.path[0] for entry in entries if self._is_changed(entry)}
        if scope == CHUNKING:
            return self.chunking_config if changed else {}
        whole = nested({entry.path: self.value(entry) for entry in entries})
        return {name: whole.get(name) for name in sorted(changed)}

    def _is_changed(self, entry: Entry) -> bool:
        if entry.is_secret:
            return bool(self.text(entry) or self._is_removed(entry))
        return self.is_asked(entry) and bool(self.value(entry) != self._stored(entry))

    def _is_removed(self, entry: Entry) -> bool:
        name = REMOVE + entry.name
        return name in self.fields and bool(self[name].value())

    @property
    def listed_changes(self) -> list[Change]:
        """Before and after of what would be saved; of secrets only that they change."""
        return [self._change(entry) for entry in self.entries.values() if self._is_changed(entry)]

    def _change(self, entry: Entry) -> Change:
        if entry.is_secret:
            return Change(entry.label, STORED, WRITTEN if self.text(entry) else REMOVED)
        return Change(entry.label, entry.text_of(self._stored(entry)), self.text(entry))

    # ------------------------------------------------------------------ what others changed

    @property
    def opened(self) -> Version:
        """What the endpoint was when the form was opened; as it is now where nothing says it."""
        return Version.read(str(self["version"].value() or "")) or self.now

    @property
    def is_stale(self) -> bool:
        """Whether somebody else changed the endpoint since the form was opened."""
        return not self.opened.is_like(self.now)

    def catch_up(self) -> list[Meanwhile]:
        """Bring a stale form up to date, and tell what others changed.

        What was not touched here becomes theirs; what was written here stays, to be saved over
        theirs knowingly.
        """
        opened, told = self.opened, []
        for entry in self.entries.values():
            if entry.is_secret:
                continue
            before = found_at(opened.config.get(entry.scope) or {}, entry.path)
            theirs, mine = self._stored(entry), self.value(entry)
            if theirs != before:
                is_mine = self.is_asked(entry) and mine not in (before, theirs)
                now = entry.text_of(theirs)
                own = self.text(entry) if is_mine else None
                told.append(Meanwhile(entry.label, entry.text_of(before), now, own))
                if not is_mine:
                    self.write(entry.name, now)
        if opened.secrets != self.now.secrets:
            told.append(Meanwhile("Secrets", STORED, "changed", None))
        self.write("version", self.now.signed())
        return told

    # ------------------------------------------------------------------ what is shown

    @property
    def removals(self) -> list[BoundField]:
        """The ticks that take a stored secret away."""
        return [self[name] for name in self.fields if name.startswith(REMOVE)]

    @cached_property
    def _in_sight(self) -> list[Entry]:
        """What the endpoint has, and what it needs; the rest is folded away."""
        entries = [entry for entry in self.entries.values() if entry.scope != CHUNKING]
        always = needed(entries)
        return [one for one in entries if one in always or self._stored(one) is not None]

    @property
    def is_cut_unusually(self) -> bool:
        """Whether something is to be put right there: an endpoint always has these settings."""
        return any(field.errors for field, _ in self.chunking)


def update_of(changes: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """An update as it may be shown: with words in the place of secrets."""
    names = set(secrets)
    settings = {
        name: f"<{name}>" if name in names and value is not None else value
        for name, value in (changes.get(SERVICE_SETTINGS) or {}).items()
    }
    return {**changes, **({SERVICE_SETTINGS: settings} if settings else {})}


def is_uploaded(endpoint: Endpoint) -> bool:
    return endpoint.deployment is not None and endpoint.deployment.model.is_uploaded
