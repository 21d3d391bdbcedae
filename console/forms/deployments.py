"""What the pages about deployments accept. Whether there is room is for the actions to say."""

from typing import Any

from django import forms

from console.forms.endpoints import CODE
from console.forms.local import THREADS, WHOLE_NUMBER, offered_precisions
from console.forms.refusable import RefusableForm
from endpoints.model_deployments import PRIORITIES, Wish
from endpoints.models import Deployment
from endpoints.teams import Owners

SELECT = {"class": "form-select"}
NUMBER = {"class": "form-control", "min": 1}
FIXED, ADAPTIVE = "fixed", "adaptive"
HOW_MANY = {FIXED: "A fixed number", ADAPTIVE: "As many as the calls need"}


class AllocationsForm(RefusableForm):
    """How many copies of a model there are to be."""

    how_many = forms.ChoiceField(
        label="Allocations",
        choices=list(HOW_MANY.items()),
        initial=FIXED,
        widget=forms.RadioSelect,
    )
    number_of_allocations = forms.IntegerField(
        label="Number",
        required=False,
        initial=1,
        help_text="Copies of the model at work. More answer more calls at once; they share the "
        "model's memory.",
        error_messages=WHOLE_NUMBER,
        widget=forms.NumberInput(attrs=NUMBER),
    )
    min_number_of_allocations = forms.IntegerField(
        label="At least",
        required=False,
        help_text="0 lets it rest and give its memory back when nobody calls for long.",
        error_messages=WHOLE_NUMBER,
        widget=forms.NumberInput(attrs=NUMBER | {"min": 0}),
    )
    max_number_of_allocations = forms.IntegerField(
        label="At most",
        required=False,
        help_text="Empty: as many as the processors are good for.",
        error_messages=WHOLE_NUMBER,
        widget=forms.NumberInput(attrs=NUMBER),
    )

    @classmethod
    def of(cls, deployment: Deployment, data: Any = None) -> "AllocationsForm":
        """The form to change one that runs."""
        bounds = deployment.adaptive_allocations or {}
        initial = {name: bounds.get(name) for name in BOUNDS}
        initial["how_many"] = ADAPTIVE if deployment.is_adaptive else FIXED
        return cls(data, initial=initial | {"number_of_allocations": deployment.num_allocations})

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        is_written = "number_of_allocations" in given
        if is_written and not self.is_adaptive and given["number_of_allocations"] is None:
            self.add_error("number_of_allocations", WHOLE_NUMBER["required"])
        return given

    @property
    def is_adaptive(self) -> bool:
        return str(self["how_many"].value()) == ADAPTIVE

    @property
    def allocations(self) -> int | None:
        """The fixed number of a valid form; None where it adapts."""
        number: int = self.cleaned_data["number_of_allocations"]
        return None if self.is_adaptive else number

    @property
    def bounds(self) -> dict[str, Any] | None:
        """Those of a valid form, as the API takes them; None where the number is fixed."""
        if not self.is_adaptive:
            return None
        given = {name: self.cleaned_data[name] for name in BOUNDS}
        return {"enabled": True, **{name: one for name, one in given.items() if one is not None}}

    @property
    def changes(self) -> dict[str, Any] | None:
        """What becomes of the bounds of one that runs; None takes one away, or changes nothing."""
        if not self.is_adaptive:
            return {"enabled": False} if self.initial["how_many"] == ADAPTIVE else None
        return {"enabled": True, **{name: self.cleaned_data[name] for name in BOUNDS}}

    def number(self, name: str, default: int) -> int:
        """What is written now, right or not yet."""
        try:
            return max(0, int(self[name].value()))
        except (TypeError, ValueError):
            return default

    @property
    def most_allocations(self) -> int:
        """As many as there are at first, or at the most where that is said."""
        if not self.is_adaptive:
            return max(1, self.number("number_of_allocations", 1))
        least = self.number("min_number_of_allocations", 1)
        return max(1, least, self.number("max_number_of_allocations", 1))


BOUNDS = ("min_number_of_allocations", "max_number_of_allocations")


class StartForm(AllocationsForm):
    deployment_id = forms.CharField(
        label="Id",
        max_length=256,
        error_messages={"required": "Give the deployment an id."},
        help_text="What programs call, and what endpoints can be made to run on.",
        widget=forms.TextInput(attrs=CODE),
    )
    threads_per_allocation = forms.TypedChoiceField(
        label="Threads",
        coerce=int,
        initial=1,
        choices=[(count, str(count)) for count in THREADS],
        help_text="Processor threads of each copy. More answer a single call sooner.",
        widget=forms.Select(attrs=SELECT),
    )
    precision = forms.ChoiceField(
        label="Precision",
        required=False,
        choices=offered_precisions,
        help_text="Less precision can be twice as fast. It is compared with full precision on this "
        "machine first, and not used where it loses too much.",
        error_messages={"invalid_choice": "This machine cannot compute in [%(value)s]."},
        widget=forms.Select(attrs=SELECT),
    )
    queue_capacity = forms.IntegerField(
        label="Queue",
        initial=10_000,
        help_text="How many texts may wait; more are refused.",
        error_messages=WHOLE_NUMBER,
        widget=forms.NumberInput(attrs=NUMBER),
    )
    priority = forms.ChoiceField(
        label="Priority",
        initial=PRIORITIES[0],
        choices=[(name, name.capitalize()) for name in PRIORITIES],
        help_text="Low allows one allocation on one thread.",
        widget=forms.Select(attrs=SELECT),
    )

    def offer(self, owners: Owners) -> None:
        """Ask whose it is to be, where it may belong to one of several teams."""
        if len(owners.names) < 2:
            return
        choices = [(name, name) for name in owners.names]
        if not owners.obvious:
            choices.insert(0, ("", "Choose a team"))
        self.fields["team"] = forms.ChoiceField(
            label="Team",
            choices=choices,
            initial=owners.obvious,
            required=not owners.obvious,
            help_text="Its members see the deployment, and may scale and stop it.",
            error_messages={"required": "Choose the team that it is to belong to."},
            widget=forms.Select(attrs=SELECT),
        )

    @property
    def team_field(self) -> forms.BoundField | None:
        return self["team"] if "team" in self.fields else None

    @property
    def team(self) -> str | None:
        """The team that was chosen; None where there was nothing to choose."""
        return self.cleaned_data.get("team") or None

    @property
    def wish(self) -> Wish:
        """What a valid form asks for."""
        given = self.cleaned_data
        return Wish(
            deployment_id=given["deployment_id"],
            number_of_allocations=self.allocations,
            threads_per_allocation=given["threads_per_allocation"],
            queue_capacity=given["queue_capacity"],
            priority=given["priority"],
            precision=given.get("precision", ""),
            adaptive_allocations=self.bounds,
        )

    def named_in(self, problem: str) -> str | None:
        if "existing deployment" in problem or "model IDs" in problem:
            return "deployment_id"
        if "Deployment id [" in problem:
            return "deployment_id"
        return super().named_in(problem)
