"""What the pages about people accept. Who may become what is for the actions to say."""

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from console.forms.endpoints import CODE
from console.forms.refusable import RefusableForm
from endpoints.invitations import Wish
from endpoints.leaving import Keys
from endpoints.models import Team, TeamRole, User
from endpoints.people import check_password, free_name
from endpoints.roles import ON_THE_SITE
from inference.errors import InferenceError

SELECT = {"class": "form-select"}
NEW_PASSWORD = {"class": "form-control", "autocomplete": "new-password"}


def role_choices(names: Iterable[str]) -> list[tuple[str, str]]:
    """Roles of the site with what they are called, in the order in which they are explained."""
    known = set(names)
    return [(name, label) for name, (label, _) in ON_THE_SITE.items() if name in known]


class PeopleForm(RefusableForm):
    def add_error(self, field: str | None, error: Any) -> None:
        """Beside its field a problem need not name it."""
        super().add_error(field, told(error, field) if field and isinstance(error, str) else error)


def told(problem: str, name: str) -> str:
    """A problem as it is told beside its field, whose name it need not repeat."""
    words = problem.removeprefix(f"[{name}] ")
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


class InviteForm(PeopleForm):
    """roles are offered to who may give any; no team only to who may invite to none."""

    team = forms.ChoiceField(
        label="Team",
        required=False,
        widget=forms.Select(attrs=SELECT),
        help_text="What belongs to the team is what they see.",
    )
    team_role = forms.ChoiceField(
        label="Role in the team",
        choices=[(role.value, role.label.capitalize()) for role in TeamRole],
        required=False,
        widget=forms.Select(attrs=SELECT),
        help_text="A user calls its endpoints, a manager also creates, changes and deletes them, "
        "an administrator also invites people.",
    )
    username = forms.CharField(
        label="Name",
        required=False,
        widget=forms.TextInput(attrs=CODE | {"maxlength": 150}),
        help_text="Suggested to them; they may choose another. Who has an account with this name "
        "already joins the team at once.",
    )
    email = forms.CharField(
        label="E-mail address",
        required=False,
        widget=forms.TextInput(attrs=CODE | {"inputmode": "email", "maxlength": 254}),
    )
    send = forms.BooleanField(
        label="Send the link there. Otherwise it is shown to you, to pass on.", required=False
    )
    roles = forms.MultipleChoiceField(
        label="Everywhere, in all teams",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, data: Any, *, teams: Iterable[Team], roles: Collection[str], may_be_in_none: bool
    ) -> None:
        names = [(team.name, team.name) for team in teams]
        super().__init__(data, initial={"team": names[0][0] if names else ""})
        none = [("", "No team")] if may_be_in_none else []
        self.fields["team"].choices = names + none  # type: ignore[attr-defined]  # a choice field
        if roles:
            self.fields["roles"].choices = role_choices(roles)  # type: ignore[attr-defined]
        else:
            del self.fields["roles"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("send") and not found.get("email") and "email" not in self.errors:
            self.add_error("email", "Write where to send the link.")
        if not (found.get("team") or found.get("roles") or self.errors):
            self.add_error("team", "Choose a team, or a role everywhere.")
        return found

    @property
    def wish(self) -> Wish:
        """What a valid form asks for."""
        found = self.cleaned_data
        team = found["team"]
        return Wish(
            username=found["username"],
            email=found["email"],
            team=team,
            team_role=(found["team_role"] or TeamRole.INFERENCE_USER) if team else "",
            roles=tuple(found.get("roles", ())),
        )


class RolesForm(PeopleForm):
    roles = forms.MultipleChoiceField(
        label="Roles", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any, person: User, roles: Iterable[str]) -> None:
        super().__init__(data, initial={"roles": person.role_names})
        self.fields["roles"].choices = role_choices(roles)  # type: ignore[attr-defined]


class DeactivateForm(PeopleForm):
    """is_own: the account of who fills in the form, which is only meant with its name."""

    keys = forms.ChoiceField(
        label="API keys",
        choices=[
            (Keys.REVOKE, "Revoke them for good"),
            (Keys.KEEP, "Let them rest: they work again when the account is activated"),
        ],
        initial=Keys.REVOKE,
        widget=forms.RadioSelect,
    )
    hand_over_to = forms.CharField(
        label="Who takes over",
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="The name of somebody who then administers these teams.",
    )
    own_name = forms.CharField(
        label="This is your own account. Write its name to deactivate it",
        required=False,
        widget=forms.TextInput(attrs=CODE),
    )

    def __init__(self, data: Any, person: User, *, is_own: bool, is_missed: bool) -> None:
        super().__init__(data)
        self.person = person
        if not is_own:
            del self.fields["own_name"]
        if not is_missed:
            del self.fields["hand_over_to"]

    def clean_own_name(self) -> str:
        name: str = self.cleaned_data["own_name"]
        if name != self.person.username:
            raise forms.ValidationError("Write your name exactly as it stands above.")
        return name

    @property
    def is_meant(self) -> bool:
        return bool(self.cleaned_data.get("own_name"))


class NewPasswordForm(PeopleForm):
    """user: whose password it is to be; it must not be like their name."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=4096,
        error_messages={"required": "Write a password."},
        widget=forms.PasswordInput(attrs=NEW_PASSWORD),
    )
    again = forms.CharField(
        label="The same again",
        strip=False,
        error_messages={"required": "Write it again."},
        widget=forms.PasswordInput(attrs=NEW_PASSWORD),
    )

    def __init__(self, data: Any = None, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.user = user or User()
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        password, again = found.get("password"), found.get("again")
        if password:
            try:
                check_password(password, self.user)
            except InferenceError as exc:
                self.add_error("password", str(exc))
        if password and again and password != again:
            self.add_error("again", "The two passwords differ.")
        return found


class JoinForm(NewPasswordForm):
    username = forms.CharField(
        label="Name",
        max_length=150,
        error_messages={"required": "Choose a name."},
        help_text="You sign in with it, and others see it.",
        widget=forms.TextInput(attrs=CODE | {"autocomplete": "username"}),
    )

    field_order = ("username", "password", "again")

    def clean_username(self) -> str:
        try:
            name = free_name(self.cleaned_data["username"])
        except InferenceError as exc:
            raise forms.ValidationError(told(str(exc), "username")) from exc
        self.user = User(username=name)
        return name
