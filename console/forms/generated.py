"""Forms made of what a service declares: one field for each setting, and nothing by hand."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.forms import BoundField

from console.forms.endpoints import CODE, NamedForm
from console.forms.refusable import RefusableForm
from console.forms.settings import (
    CHUNKING,
    Entry,
    Kind,
    chunking_entries,
    entries_of,
    found_at,
    nested,
)
from endpoints.api.bodies import check_storable
from endpoints.models import Endpoint
from inference.services.remote import RemoteService
from inference.services.remote_settings import RemoteSettings
from inference.types import TaskType

SERVICE_SETTINGS, TASK_SETTINGS = "service_settings", "task_settings"
REMOVE = "remove."
SCOPES = (SERVICE_SETTINGS, TASK_SETTINGS, CHUNKING)
REFUSED_VALUE = re.compile(r"[Vv]alue \[.*?\]")
NAMED = re.compile(r"\[([^\[\]]*)\]")


def entries_for(service: RemoteService, task_type: TaskType) -> tuple[Entry, ...]:
    """Every setting of an endpoint of this service and task, what all providers have last."""
    found = entries_of(service.settings, SERVICE_SETTINGS, task_type, service.defaults(task_type))
    common = RemoteSettings.model_fields
    return (
        *(entry for entry in found if entry.path[0] not in common),
        *(entry for entry in found if entry.path[0] in common),
        *entries_of(service.task_settings[task_type], TASK_SETTINGS, task_type, {}),
        *(chunking_entries() if task_type.is_chunked else ()),
    )


class SettingsForm(RefusableForm):
    """Settings as fields. Whether they are right is for the service to say; see `note`."""

    def add_entries(self, entries: Iterable[Entry], kept_secrets: Iterable[str] = ()) -> None:
        """kept_secrets: those that are stored, and stay where nothing is written."""
        self.entries = {entry.name: entry for entry in entries}
        kept = set(kept_secrets)
        for name, entry in self.entries.items():
            self.fields[name] = field_of(entry, is_kept=entry.path[0] in kept)

    def clean(self) -> dict[str, Any]:
        for name, entry in self.entries.items():
            try:
                entry.value_of(self.cleaned_data.get(name, ""))
            except ValueError as exc:
                self.add_error(name, str(exc))
        return self.cleaned_data

    def text(self, entry: Entry) -> str:
        """What is written in a field now, right or not."""
        return str(self[entry.name].value() or "").strip()

    def value(self, entry: Entry) -> Any:
        """The same as JSON; None for what cannot be read."""
        try:
            return entry.value_of(self.text(entry))
        except ValueError:
            return None

    def in_scope(self, scope: str) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.scope == scope]

    def named_in(self, problem: str) -> str | None:
        """The field that a problem speaks of."""
        said = REFUSED_VALUE.sub("", problem)
        named = [name for group in NAMED.findall(said) for name in group.split(", ")]
        scopes = [name for name in named if name in SCOPES] or SCOPES
        for name in named:
            for entry in self.entries.values():
                if name == entry.path[-1] and entry.scope in scopes:
                    return entry.name
        if "chunk" in problem and f"{CHUNKING}.strategy" in self.fields:
            return f"{CHUNKING}.strategy"
        return None

    @property
    def shown_first(self) -> list[BoundField]:
        return [self[entry.name] for entry in self._in_sight]

    @property
    def folded(self) -> list[BoundField]:
        """Everything that most people leave as it is."""
        return [
            self[name]
            for name, entry in self.entries.items()
            if entry not in self._in_sight and entry.scope != CHUNKING
        ]

    @property
    def chunking(self) -> list[BoundField]:
        return [self[entry.name] for entry in self.in_scope(CHUNKING)]

    @property
    def is_unusual(self) -> bool:
        """Whether a folded field is worth seeing."""
        return any(map(self._is_worth_seeing, self.folded))

    @property
    def is_cut_unusually(self) -> bool:
        return any(map(self._is_worth_seeing, self.chunking))

    @cached_property
    def _in_sight(self) -> list[Entry]:
        """What is required, with the first secret where none is: most providers want one."""
        listed = [entry for entry in self.entries.values() if entry.is_listed]
        secrets = [entry for entry in listed if entry.is_secret]
        first = [] if any(entry.is_required for entry in secrets) else secrets[:1]
        return [entry for entry in listed if entry.is_required or entry in first]

    def _is_worth_seeing(self, field: BoundField) -> bool:
        return bool(field.errors or field.value())


class CreateRemoteForm(NamedForm, SettingsForm):
    """A new endpoint of a provider."""

    def __init__(
        self, service: RemoteService, task_type: TaskType, data: Any = None, **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.task_type = task_type
        self.add_entries(entries_for(service, task_type))

    @property
    def config(self) -> dict[str, Any]:
        """The body of the request that would create this endpoint, less service and task type.

        Raises InvalidArgument for what cannot be stored.
        """
        config = self._config({entry: self.value(entry) for entry in self.entries.values()})
        check_storable(config)
        return config

    @property
    def config_to_show(self) -> dict[str, Any]:
        """The same with words in the place of secrets, and of what is still to be written."""
        shown = {entry: self.value(entry) for entry in self.entries.values()}
        for entry, value in shown.items():
            if entry.is_secret and isinstance(value, dict):
                shown[entry] = {name: f"<{name}>" for name in value}
            elif entry in self._in_sight if value is None else entry.is_secret:
                shown[entry] = f"<{entry.label}>"
        return self._config(shown)

    def _config(self, values: Mapping[Entry, Any]) -> dict[str, Any]:
        scopes = {
            scope: nested({entry.path: values[entry] for entry in self.in_scope(scope)})
            for scope in SCOPES
        }
        always = {SERVICE_SETTINGS: scopes.pop(SERVICE_SETTINGS)}
        return always | {scope: settings for scope, settings in scopes.items() if settings}


class EditRemoteForm(SettingsForm):
    """The settings of an endpoint that can be changed; an empty secret stays as it is."""

    def __init__(
        self,
        service: RemoteService,
        endpoint: Endpoint,
        kept_secrets: Iterable[str],
        data: Any = None,
    ) -> None:
        self.stored = endpoint.config
        entries = [
            entry
            for entry in entries_for(service, endpoint.task)
            if entry.is_updatable or entry.scope == TASK_SETTINGS
        ]
        initial = {entry.name: entry.text_of(self._stored(entry)) for entry in entries}
        super().__init__(data, initial=initial)
        kept = set(kept_secrets)
        self.add_entries(entries, kept)
        for entry in entries:
            if entry.is_secret and entry.path[0] in kept and not entry.is_required:
                label = f"Remove the stored {entry.label}"
                self.fields[REMOVE + entry.name] = forms.BooleanField(label=label, required=False)

    def _stored(self, entry: Entry) -> Any:
        return found_at(self.stored.get(entry.scope) or {}, entry.path)

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
        whole = nested({entry.path: self.value(entry) for entry in entries})
        if scope == CHUNKING:
            return whole if changed else {}
        return {name: whole.get(name) for name in sorted(changed)}

    def _is_changed(self, entry: Entry) -> bool:
        if entry.is_secret:
            return bool(self.text(entry) or self.cleaned_data.get(REMOVE + entry.name))
        return bool(self.value(entry) != self._stored(entry))

    @property
    def removals(self) -> list[BoundField]:
        """The ticks that take a stored secret away."""
        return [self[name] for name in self.fields if name.startswith(REMOVE)]

    def _is_worth_seeing(self, field: BoundField) -> bool:
        return bool(field.errors)

    @property
    def folded(self) -> list[BoundField]:
        return []

    @property
    def shown_first(self) -> list[BoundField]:
        return [self[name] for name, entry in self.entries.items() if entry.scope != CHUNKING]


def field_of(entry: Entry, *, is_kept: bool = False) -> forms.CharField:
    """A field that takes anything: what is wrong with it the service tells."""
    return forms.CharField(
        label=entry.label,
        required=False,
        help_text=hint_for(entry),
        widget=widget_of(entry, is_kept=is_kept),
    )


def hint_for(entry: Entry) -> str:
    how = {Kind.LINES: "One on each line.", Kind.PAIRS: "name=value, one on each line."}
    how[Kind.JSON] = "As JSON."
    return " ".join(filter(None, (entry.description, how.get(entry.kind))))


def widget_of(entry: Entry, *, is_kept: bool) -> forms.Widget:
    default = usual(entry)
    empty = f"As usual: {default}" if default else entry.example
    if is_kept:
        empty = "Stored; stays if left empty"
    attrs: dict[str, Any] = CODE | {"placeholder": empty}
    if entry.is_required and not is_kept:
        attrs["aria-required"] = "true"
    if entry.kind in (Kind.SWITCH, Kind.CHOICE):
        return forms.Select({"class": "form-select"}, choices=choices_of(entry))
    if entry.is_long:
        area = SecretArea if entry.is_secret else forms.Textarea
        return area(attrs | {"rows": 3})
    if entry.is_secret:
        return forms.PasswordInput(attrs | {"autocomplete": "new-password"})
    if entry.kind in (Kind.INTEGER, Kind.NUMBER):
        bounds = {"min": entry.least, "max": entry.most}
        step = "1" if entry.kind == Kind.INTEGER else "any"
        known = {name: f"{bound:g}" for name, bound in bounds.items() if bound is not None}
        return forms.NumberInput(attrs | known | {"class": "form-control", "step": step})
    return forms.TextInput(attrs)


class SecretArea(forms.Textarea):
    """A long secret; what was written is never sent back."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


def usual(entry: Entry) -> str:
    """What holds where nothing is written."""
    if entry.default is None or entry.default == {} or entry.is_secret:
        return ""
    return entry.text_of(entry.default)


def choices_of(entry: Entry) -> list[tuple[str, str]]:
    words = {"true": "Yes", "false": "No"} if entry.kind == Kind.SWITCH else {}
    default = usual(entry)
    empty = "Choose one" if entry.is_required else "As usual"
    if default:
        empty = f"As usual ({words.get(default, default)})"
    choices = list(words) or list(entry.choices)
    return [("", empty), *((one, words.get(one, one)) for one in choices)]
