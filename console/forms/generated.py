"""Forms made of what a service declares: one field for each setting, and nothing by hand."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any

from django import forms
from django.forms import BoundField

from console.forms.chunking import (
    CHUNKING,
    KNOWN,
    chunking_entries,
    chunking_of,
    strategies_for,
)
from console.forms.endpoints import CODE, NamedForm
from console.forms.refusable import RefusableForm
from console.forms.rows import Rows
from console.forms.settings import Entry, Kind, entries_of, found_at, nested
from endpoints.api.bodies import check_storable
from inference.errors import InferenceError
from inference.services.base import Service
from inference.services.remote import RemoteService
from inference.services.remote_settings import RemoteSettings
from inference.types import TaskType
from inference.upstream.errors import UpstreamError

SERVICE_SETTINGS, TASK_SETTINGS = "service_settings", "task_settings"
SCOPES = (SERVICE_SETTINGS, TASK_SETTINGS, CHUNKING)
# What providers answer where a key is to blame.
OF_CREDENTIALS = (401, 403)
REFUSED_VALUE = re.compile(r"[Vv]alue \[.*?\]")
NAMED = re.compile(r"\[([^\[\]]*)\]")
MISSING = re.compile(r"\[\w+\] does not contain (?:the|one of the) required settings? \[(.*)\]")
# Says nothing to who looks at the field: which part of a request it would be in.
PART = re.compile(rf"\[({'|'.join(SCOPES)})\] (?=[A-Z])")

# The id of the models that a provider lists, offered at the field of the model.
MODEL_LIST = "model-list"
TO_WRITE_AGAIN = "Write it again: a secret never comes back to the page."


@cache
def entries_for(service: Service, task_type: TaskType) -> tuple[Entry, ...]:
    """Every setting of an endpoint of this service and task, what all providers have last."""
    found = entries_of(service.settings, SERVICE_SETTINGS, task_type, service.defaults(task_type))
    common = RemoteSettings.model_fields
    return (
        *(entry for entry in found if entry.path[0] not in common),
        *(entry for entry in found if entry.path[0] in common),
        *entries_of(service.task_settings[task_type], TASK_SETTINGS, task_type, {}),
        *(chunking_entries() if task_type.is_chunked else ()),
    )


def texts_of(config: Mapping[str, Any], entries: Iterable[Entry]) -> dict[str, str]:
    """The settings of an endpoint as they would be written, by the names of their fields."""
    return {
        entry.name: entry.text_of(found_at(config.get(entry.scope) or {}, entry.path))
        for entry in entries
        if not entry.is_secret
    }


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
            if not self.is_asked(entry):
                continue
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

    def is_asked(self, entry: Entry) -> bool:
        """Whether the setting means something beside the others: the page hides what does not."""
        if entry.scope != CHUNKING or entry.path == ("strategy",):
            return True
        strategy = self[f"{CHUNKING}.strategy"].value()
        return strategy not in KNOWN or entry.path[0] in KNOWN[strategy]

    @property
    def chunking_config(self) -> dict[str, Any]:
        """How texts are cut, as a request would say it; empty where nothing is written."""
        entries = self.in_scope(CHUNKING)
        return chunking_of(nested({entry.path: self.value(entry) for entry in entries}))

    def tell_lost_secrets(self) -> None:
        """Say at each secret that was written that it is to be written again."""
        for name, entry in self.entries.items():
            if entry.is_secret and self.text(entry):
                self[name].help_text = TO_WRITE_AGAIN

    def note(self, exc: InferenceError) -> None:
        """What a provider refuses stands at the field to blame, too, where its status tells it."""
        super().note(exc)
        if isinstance(exc, UpstreamError) and (name := self.blamed_for(exc.upstream_status)):
            self.add_error(name, exc.explanation.cause)

    def at_its_field(self, problem: str) -> str:
        if missing := MISSING.fullmatch(problem):
            names = missing[1].split(", ")
            labels = {entry.path[-1]: entry.label for entry in self.entries.values()}
            ways = ["Fill this in", *(labels.get(name, name) for name in names[1:])]
            return f"{', or '.join(ways)}: nothing works without it."
        return PART.sub("", problem, count=1)

    def blamed_for(self, status: int | None) -> str | None:
        """The field that a provider's status speaks of; None where it may be any."""
        if status not in OF_CREDENTIALS:
            return None
        written = (name for name, one in self.entries.items() if one.is_secret and self.text(one))
        return next(written, None)

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
        return super().named_in(problem)

    def config_of(self, values: Mapping[Entry, Any]) -> dict[str, Any]:
        """Values as the body of a request; of the scopes but the first only what is not empty."""
        settings, own = (
            nested({entry.path: values[entry] for entry in self.in_scope(scope)})
            for scope in (SERVICE_SETTINGS, TASK_SETTINGS)
        )
        others = {TASK_SETTINGS: own, CHUNKING: self.chunking_config}
        return {SERVICE_SETTINGS: settings} | {name: one for name, one in others.items() if one}

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
    def chunking(self) -> list[tuple[BoundField, str]]:
        """Each field, with the strategies that know it."""
        return [(self[entry.name], strategies_for(entry)) for entry in self.in_scope(CHUNKING)]

    @property
    def is_unusual(self) -> bool:
        """Whether a folded field is worth seeing."""
        return any(map(self._is_worth_seeing, self.folded))

    @property
    def is_cut_unusually(self) -> bool:
        return any(self._is_worth_seeing(field) for field, _ in self.chunking)

    @cached_property
    def _in_sight(self) -> list[Entry]:
        return needed(self.entries.values())

    def _is_worth_seeing(self, field: BoundField) -> bool:
        return bool(
            field.errors or field.value() not in (None, "", usual(self.entries[field.name]))
        )


def needed(entries: Iterable[Entry]) -> list[Entry]:
    """What is required, with the first secret where none is: most providers want one."""
    listed = [entry for entry in entries if entry.is_listed]
    secrets = [entry for entry in listed if entry.is_secret]
    first = [] if any(entry.is_required for entry in secrets) else secrets[:1]
    return [entry for entry in listed if entry.is_required or entry in first]


class CreateRemoteForm(NamedForm, SettingsForm):
    """A new endpoint of a provider."""

    def __init__(
        self, service: RemoteService, task_type: TaskType, data: Any = None, **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.task_type = task_type
        self.add_entries(entries_for(service, task_type))
        self.model_name = f"{SERVICE_SETTINGS}.{service.model_setting}"
        if service.lists_models and self.model_name in self.fields:
            self.fields[self.model_name].widget.attrs["list"] = MODEL_LIST

    @property
    def config(self) -> dict[str, Any]:
        """The body of the request that would create this endpoint, less service and task type.

        Raises InvalidArgument for what cannot be stored.
        """
        config = self.config_of({entry: self.value(entry) for entry in self.entries.values()})
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
        return self.config_of(shown)


def field_of(entry: Entry, *, is_kept: bool = False) -> forms.Field:
    """A field that takes anything: what is wrong with it the service tells."""
    return forms.CharField(
        label=entry.label,
        required=False,
        help_text=hint_for(entry),
        widget=widget_of(entry, is_kept=is_kept),
    )


def hint_for(entry: Entry) -> str:
    how = "As JSON." if entry.kind == Kind.JSON else ""
    return " ".join(filter(None, (entry.description, how)))


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
    if entry.kind in (Kind.LINES, Kind.PAIRS):
        has_names = entry.kind == Kind.PAIRS
        return Rows(attrs, entry.label, has_names=has_names, is_secret=entry.is_secret)
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
