"""What the pages about endpoints accept. What an endpoint may be is for the actions to say."""

from typing import Any

from django import forms

from console.forms.refusable import RefusableForm
from endpoints.teams import Owners
from inference.errors import InferenceError, ModelDiffers
from inference.runner.catalogue import OFFERED_MODELS
from inference.runner.precision.report import Precision, missing_for
from inference.services.elasticsearch import MAX_THREADS
from inference.types import TaskType

SERVICE = "elasticsearch"
DEFAULT_MODEL = next(iter(OFFERED_MODELS))
THREADS = [2**power for power in range(MAX_THREADS.bit_length())]
PRECISIONS = {
    "": "Full",
    Precision.AUTO: "The fastest without a visible loss",
    Precision.INT8: "Bytes (int8)",
    Precision.MIXED: "Bytes but for the attention (mixed)",
    Precision.BF16: "Half (bf16)",
}
WHOLE_NUMBER = {"required": "Write a whole number.", "invalid": "Write a whole number."}

# For what is no prose: nothing corrects it, and nothing is offered from before.
CODE = {
    "class": "form-control font-monospace",
    "autocapitalize": "none",
    "autocomplete": "off",
    "autocorrect": "off",
    "spellcheck": "false",
}


def offered_precisions() -> list[tuple[str, str]]:
    """Those that this machine can compute in."""
    return [(name, words) for name, words in PRECISIONS.items() if not missing_for(name)]


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
        if len(owners.names) < 2:
            return
        choices = [(name, name) for name in owners.names]
        if not owners.obvious:
            choices.insert(0, ("", "Choose a team"))
        self.fields["owner"] = forms.ChoiceField(
            label="Team",
            choices=choices,
            initial=owners.obvious,
            required=not owners.obvious,
            help_text="Its members see the endpoint, and may share it with others later.",
            error_messages={
                "required": "Choose the team that it is to belong to.",
                "invalid_choice": "You may create nothing in a team [%(value)s].",
            },
            widget=forms.Select(attrs={"class": "form-select"}),
        )

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


class CreateEndpointForm(NamedForm):
    model_id = forms.ChoiceField(
        choices=[(model_id, model_id) for model_id in OFFERED_MODELS],
        error_messages={
            "required": "Choose a model.",
            "invalid_choice": "There is no model [%(value)s]. Choose one of these.",
        },
    )
    num_allocations = forms.IntegerField(
        label="Allocations",
        initial=1,
        help_text="Copies of the model at work. More copies answer more calls at once; "
        "they share the model's memory.",
        error_messages=WHOLE_NUMBER,
        widget=forms.NumberInput(attrs={"class": "form-control", "min": 1}),
    )
    num_threads = forms.IntegerField(
        label="Threads",
        initial=1,
        help_text="Processor threads of each copy. More threads answer a single call sooner.",
        error_messages=WHOLE_NUMBER,
        widget=forms.Select(
            attrs={"class": "form-select"}, choices=[(count, str(count)) for count in THREADS]
        ),
    )

    precision = forms.ChoiceField(
        label="Precision",
        required=False,
        choices=offered_precisions,
        help_text="Less precision can be twice as fast. It is compared with full precision on this "
        "machine first, and not used where it loses too much. It cannot be changed later.",
        error_messages={"invalid_choice": "This machine cannot compute in [%(value)s]."},
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    @property
    def chosen_model(self) -> str:
        """The model that is picked now, right or not yet."""
        value = str(self["model_id"].value() or DEFAULT_MODEL)
        return value if value in OFFERED_MODELS else DEFAULT_MODEL

    @property
    def task_type(self) -> TaskType:
        return OFFERED_MODELS[self.chosen_model].task_type

    @property
    def config(self) -> dict[str, Any]:
        """The body of the request that would create this endpoint, less service and task type.

        A number that cannot be read yet is shown as its default.
        """
        numbers = {name: self._number(name) for name in ("num_allocations", "num_threads")}
        return {"service_settings": {"model_id": self.chosen_model, **numbers, **self.extras}}

    @property
    def extras(self) -> dict[str, str]:
        """The precision, where one is chosen that can be had."""
        value = str(self["precision"].value() or "")
        return {"precision": value} if value in dict(offered_precisions()) and value else {}

    @property
    def is_unusual(self) -> bool:
        """Whether one of the folded options is worth seeing."""
        usual = {"num_allocations": "1", "num_threads": "1", "precision": ""}
        return any(
            self[name].errors or str(self[name].value() or "") != value
            for name, value in usual.items()
        )

    def _number(self, name: str) -> Any:
        try:
            return int(self[name].value())
        except (TypeError, ValueError):
            return self.fields[name].initial
