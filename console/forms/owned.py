"""Whose a new thing is to be, where it may belong to one of several teams."""

from django import forms

from endpoints.teams import Owners


def team_choice(owners: Owners, help_text: str, **error_messages: str) -> forms.ChoiceField | None:
    """The field that asks for the team; None where there is nothing to choose."""
    if len(owners.names) < 2:
        return None
    choices = [(name, name) for name in owners.names]
    if not owners.obvious:
        choices.insert(0, ("", "Choose a team"))
    return forms.ChoiceField(
        label="Team",
        choices=choices,
        initial=owners.obvious,
        required=not owners.obvious,
        help_text=help_text,
        error_messages={"required": "Choose the team that it is to belong to.", **error_messages},
        widget=forms.Select(attrs={"class": "form-select"}),
    )


class OfTeamForm(forms.Form):
    """A form that asks for the team. seen_by: what its members may do, for who chooses."""

    seen_by = ""
    owners = Owners([], "")

    def offer(self, owners: Owners) -> None:
        """Ask whose it is to be, where that is not clear."""
        self.owners = owners
        if field := team_choice(owners, self.seen_by):
            self.fields["team"] = field

    @property
    def team_field(self) -> forms.BoundField | None:
        return self["team"] if "team" in self.fields else None

    @property
    def team(self) -> str | None:
        """The team that was chosen; None where there was nothing to choose."""
        return self.cleaned_data.get("team") or None
