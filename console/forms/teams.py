"""What the pages about teams and shares accept. Whether it can be is for the actions to say."""

from typing import Any

from django import forms

from console.forms.endpoints import CODE
from console.forms.refusable import RefusableForm
from endpoints.models import ShareLevel, TeamRole
from endpoints.teams import EVERYONE

SELECT = {"class": "form-select"}


def labelled(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(value, label[:1].upper() + label[1:]) for value, label in choices]


class TeamForm(RefusableForm):
    description = forms.CharField(
        label="Description",
        required=False,
        help_text="What the team does, or whom to ask.",
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
    )


class CreateTeamForm(TeamForm):
    name = forms.CharField(
        label="Name",
        error_messages={"required": "Give the team a name."},
        help_text="Lower-case letters, digits, hyphens and dots. It cannot be changed later.",
        widget=forms.TextInput(attrs=CODE),
    )

    field_order = ("name",)

    def named_in(self, problem: str) -> str | None:
        return super().named_in(problem) or "name"


class DeleteTeamForm(RefusableForm):
    move_to = forms.ChoiceField(
        label="Give what it has to",
        required=False,
        error_messages={"invalid_choice": "There is no other team [%(value)s]."},
        widget=forms.Select(attrs=SELECT),
    )

    def __init__(self, others: list[str], data: Any = None) -> None:
        super().__init__(data)
        nowhere = ("", "No other team")
        self.fields["move_to"].choices = [  # type: ignore[attr-defined]  # of a choice field
            nowhere,
            *((name, name) for name in others),
        ]


class MemberForm(RefusableForm):
    username = forms.CharField(
        label="Name",
        error_messages={"required": "Write the name that the person signs in with."},
        widget=forms.TextInput(attrs=CODE),
    )
    role = forms.ChoiceField(
        label="Role",
        choices=labelled(TeamRole.choices),
        error_messages={
            "required": "Choose a role.",
            "invalid_choice": "A team has no role [%(value)s]. Choose one of these.",
        },
        widget=forms.Select(attrs=SELECT),
    )

    def named_in(self, problem: str) -> str | None:
        return "username" if "There is no user" in problem else "role"


class ShareForm(RefusableForm):
    team = forms.CharField(
        label="Team",
        required=False,
        help_text="Its exact name: teams that you are not in are not listed.",
        widget=forms.TextInput(attrs=CODE),
    )
    with_everyone = forms.BooleanField(label="Everyone on this installation", required=False)
    level = forms.ChoiceField(
        label="They may",
        choices=labelled(ShareLevel.choices),
        error_messages={
            "required": "Choose what they may do.",
            "invalid_choice": "There is no [%(value)s]. Choose one of these.",
        },
        widget=forms.Select(attrs=SELECT),
    )

    def clean(self) -> dict[str, Any]:
        if not (self.cleaned_data.get("team") or self.cleaned_data.get("with_everyone")):
            self.add_error("team", "Write the name of a team, or choose everyone.")
        return self.cleaned_data

    @property
    def whom(self) -> str:
        """The name of what a valid form shares with."""
        is_all = self.cleaned_data["with_everyone"]
        return EVERYONE if is_all else str(self.cleaned_data["team"]).strip()

    def named_in(self, problem: str) -> str | None:
        return "team"


class MoveForm(RefusableForm):
    team = forms.ChoiceField(
        label="To",
        error_messages={
            "required": "Choose a team.",
            "invalid_choice": "You may create nothing in a team [%(value)s].",
        },
        widget=forms.Select(attrs=SELECT),
    )

    def __init__(self, others: list[str], data: Any = None) -> None:
        super().__init__(data)
        self.fields["team"].choices = [  # type: ignore[attr-defined]  # of a choice field
            (name, name) for name in others
        ]

    def named_in(self, problem: str) -> str | None:
        return "team"
