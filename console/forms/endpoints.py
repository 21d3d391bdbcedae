"""What the pages about endpoints accept. What an endpoint may be is for the actions to say."""

from django import forms

from console.forms.owned import team_choice
from console.forms.refusable import RefusableForm
from endpoints.teams import Owners
from inference.errors import InferenceError, ModelDiffers

# For what is no prose: nothing corrects it, and nothing is offered from before.
CODE = {
    "class": "form-control font-monospace",
    "autocapitalize": "none",
    "autocomplete": "off",
    "autocorrect": "off",
    "spellcheck": "false",
}


class NamedForm(RefusableForm):
    """What every new endpoint needs: an id, and a way to insist on it."""

    inference_id = forms.CharField(
        label="Id",
        max_length=256,
        error_messages={
            "required": "Give the endpoint an id.",
            "max_length": "An id has at most 256 characters.",
        },
        widget=forms.TextInput(attrs=CODE | {"aria-describedby": "id_inference_id_error id-hint"}),
    )

    # The id that is to stand for another model than before; a tick for one id holds for no other.
    force = forms.CharField(required=False)

    # Whose it may be; nobody is asked where that is clear.
    owners = Owners([], "")

    # Whether the id was refused, but may be forced.
    is_refused_unforced = False

    def offer(self, owners: Owners) -> None:
        """Ask whose it is to be, where it may belong to one of several teams."""
        self.owners = owners
        field = team_choice(
            owners,
            "Its members see the endpoint, and may share it with others later.",
            invalid_choice="You may create nothing in a team [%(value)s].",
        )
        if field:
            self.fields["owner"] = field

    @property
    def owner_field(self) -> forms.BoundField | None:
        return self["owner"] if "owner" in self.fields else None

    @property
    def owner(self) -> str | None:
        """The team that is chosen now; None where nothing was asked."""
        if self.owner_field is None:
            return None
        return str(self.owner_field.value() or "") or self.owners.obvious or None

    def note(self, exc: InferenceError) -> None:
        self.is_refused_unforced = isinstance(exc, ModelDiffers)
        super().note(exc)

    def named_in(self, problem: str) -> str | None:
        is_about_id = "inference_id" in problem or "endpoint ID" in problem
        if is_about_id or "already exists" in problem:
            return "inference_id"
        return super().named_in(problem)

    @property
    def is_forced(self) -> bool:
        return bool(self["force"].value() == self.wished_id)

    @property
    def offers_force(self) -> bool:
        """Whether to ask if the endpoint is to be created anyway."""
        return self.is_refused_unforced or (self.is_bound and self.is_forced)

    @property
    def wished_id(self) -> str:
        return str(self["inference_id"].value() or "").strip()
