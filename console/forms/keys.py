"""What the pages about keys accept. What a key may be is for the actions to say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django import forms

from console.forms.endpoints import CODE
from console.forms.refusable import RefusableForm
from console.templatetags.console import task_label
from endpoints.keys import PRESETS, Narrowing
from endpoints.models import TeamRole, User
from endpoints.privileges import Roles
from inference.types import TaskType

ME, ACCOUNT = "me:", "account:"
CALL, MANAGE, ALL = "call", "manage", "same"
RIGHTS = {
    CALL: ("Call endpoints", "See them and call them, nothing else. Right for most programs."),
    MANAGE: ("Manage endpoints", "Create, change and delete them, too. For deployment scripts."),
    ALL: ("The same as its owner", "Everything that its owner may do where the key works."),
}
LIFETIMES = {
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "1 year",
    "": "Until it is revoked",
}
OVERLAPS = {"0": "At once", "1": "In 1 hour", "24": "In 24 hours", "168": "In 7 days"}
ROLES = {
    TeamRole.INFERENCE_USER: "User: sees and calls the endpoints of the team",
    TeamRole.INFERENCE_ADMIN: "Manager: creates, changes and deletes them, too",
}
SELECT = {"class": "form-select"}
BETWEEN = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class Owner:
    """Whose a key is to be: a service account's, else one's own. team: None for everywhere."""

    account: str | None = None
    team: str | None = None

    @property
    def value(self) -> str:
        return f"{ACCOUNT}{self.account}" if self.account else f"{ME}{self.team or ''}"

    @property
    def words(self) -> str:
        if self.account:
            return f"The service account {self.account}"
        return f"Me, in team {self.team}" if self.team else "Me, everywhere"


class KeyForm(RefusableForm):
    name = forms.CharField(
        label="What is it for?",
        error_messages={"required": "Give the key a name that says what it is for."},
        help_text="For example the program and where it runs: web-shop, production.",
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    owner = forms.ChoiceField(
        label="Whose is it?",
        help_text="A key of yours ends when you leave the team. One of a service account stays.",
        error_messages={"invalid_choice": "Choose one of these."},
        widget=forms.Select(attrs=SELECT),
    )
    days = forms.ChoiceField(
        label="How long does it work?",
        required=False,
        choices=list(LIFETIMES.items()),
        initial="90",
        widget=forms.Select(attrs=SELECT),
    )
    rights = forms.ChoiceField(
        label="What may it do?",
        choices=[(name, words) for name, (words, _) in RIGHTS.items()],
        initial=CALL,
        error_messages={"required": "Choose what the key may do."},
    )
    tasks = forms.MultipleChoiceField(
        label="Only these tasks",
        required=False,
        choices=[(str(task), task_label(task)) for task in TaskType],
    )
    endpoints = forms.CharField(
        label="Only these endpoints",
        required=False,
        help_text="Ids, or patterns such as products-*. All that it may see where nothing stands "
        "here.",
        widget=forms.Textarea(attrs=CODE | {"rows": 2, "placeholder": "products-*"}),
    )
    requests_per_minute = forms.IntegerField(
        label="Requests a minute",
        required=False,
        help_text="It is told to wait when it calls more often. Empty: no limit.",
        error_messages={"invalid": "Write a whole number."},
        widget=forms.NumberInput(attrs={"class": "form-control", "min": 1}),
    )

    def __init__(self, owners: Iterable[Owner], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self._owners = {owner.value: owner for owner in owners}
        field = cast(forms.ChoiceField, self.fields["owner"])
        field.choices = [(value, owner.words) for value, owner in self._owners.items()]

    @property
    def chosen_owner(self) -> Owner:
        """Whose it is by what is chosen now, right or not yet."""
        value = str(self["owner"].value() or "")
        return self._owners.get(value) or next(iter(self._owners.values()), Owner())

    @property
    def roles(self) -> Roles:
        return PRESETS.get(self.cleaned_data["rights"], {})

    @property
    def lifetime(self) -> timedelta | None:
        days = self.cleaned_data["days"]
        return timedelta(days=int(days)) if days else None

    @property
    def narrowing(self) -> Narrowing:
        """By what is written now; numbers only of a valid form."""
        written = str(self["endpoints"].value() or "")
        patterns = tuple(part for part in BETWEEN.split(written) if part)
        limit = getattr(self, "cleaned_data", {}).get("requests_per_minute")
        return Narrowing(tuple(self["tasks"].value() or ()), patterns, limit)

    @property
    def rights_choices(self) -> list[tuple[str, str, str]]:
        """Value, words and explanation."""
        return [(name, words, gist) for name, (words, gist) in RIGHTS.items()]

    def named_in(self, problem: str) -> str | None:
        return "name" if problem.startswith("api key name") else super().named_in(problem)


class RotateForm(RefusableForm):
    overlap = forms.ChoiceField(
        label="When does the old key end?",
        choices=list(OVERLAPS.items()),
        initial="24",
        help_text="Until then both work, so that the program can change over.",
        widget=forms.Select(attrs=SELECT),
    )

    @property
    def duration(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class AccountForm(RefusableForm):
    """Changes an account. Its name stays."""

    role = forms.ChoiceField(
        label="What may it do in the team?",
        choices=list(ROLES.items()),
        widget=forms.Select(attrs=SELECT),
    )
    description = forms.CharField(
        label="What is it for?",
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    @classmethod
    def of(cls, account: User, data: Any = None) -> "AccountForm":
        initial = {"role": account.service_role, "description": account.description}
        return cls(data, initial=initial)


class NewAccountForm(AccountForm):
    """Where there is no team yet, none is asked for: the first one comes with the account."""

    team = forms.ChoiceField(
        label="Team",
        error_messages={"invalid_choice": "Choose one of these teams."},
        widget=forms.Select(attrs=SELECT),
    )
    name = forms.CharField(
        label="Name",
        error_messages={"required": "Give the account a name."},
        help_text="Lowercase letters, digits, hyphens, underscores and dots. It stands behind that "
        "of the team, as in search/web-shop, and cannot be changed later.",
        widget=forms.TextInput(attrs=CODE),
    )

    field_order = ("team", "name")

    def __init__(self, teams: Iterable[str], data: Any = None) -> None:
        super().__init__(data)
        choices = [(name, name) for name in teams]
        cast(forms.ChoiceField, self.fields["team"]).choices = choices
        if not choices:
            del self.fields["team"]

    def named_in(self, problem: str) -> str | None:
        return "name" if "already" in problem else super().named_in(problem)
