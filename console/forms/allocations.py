"""How many allocations a deployment is to have. What it may have is for the actions to say."""

from typing import Any

from django import forms

from console.forms.local import WHOLE_NUMBER
from console.forms.refusable import RefusableForm
from endpoints.models import Deployment
from inference.services.elasticsearch import MAX_ALLOCATIONS

ONE_OR_MORE = WHOLE_NUMBER | {"min_value": "Write 1 or more."}
FIXED, ADAPTIVE = "fixed", "adaptive"
BOUNDS = ("min_number_of_allocations", "max_number_of_allocations")
NUMBER = {"class": "form-control", "inputmode": "numeric"}


class AllocationsForm(RefusableForm):
    """A number, or bounds between which it follows the load; what is empty is no bound."""

    way = forms.ChoiceField(
        choices=[(FIXED, "A fixed number"), (ADAPTIVE, "As many as the load needs")],
        error_messages={
            "required": "Choose one of the two.",
            "invalid_choice": "There is no way [%(value)s]. Choose one of the two.",
        },
        widget=forms.RadioSelect,
    )
    num_allocations = forms.IntegerField(
        label="Allocations",
        required=False,
        min_value=1,
        max_value=MAX_ALLOCATIONS,
        error_messages=ONE_OR_MORE | {"max_value": "There is room for %(limit_value)s at most."},
        widget=forms.NumberInput(attrs=NUMBER),
    )
    min_number_of_allocations = forms.IntegerField(
        label="At least",
        required=False,
        min_value=0,
        help_text="With 0 or nothing it rests when nobody calls for long; the next call wakes it.",
        error_messages=WHOLE_NUMBER | {"min_value": "Write 0 or more, or nothing."},
        widget=forms.NumberInput(attrs=NUMBER),
    )
    max_number_of_allocations = forms.IntegerField(
        label="At most",
        required=False,
        min_value=1,
        help_text="Never more than the processors of this machine can run at a time.",
        error_messages=ONE_OR_MORE,
        widget=forms.NumberInput(attrs=NUMBER),
    )

    def __init__(self, deployment: Deployment, data: Any = None) -> None:
        stored = deployment.adaptive_allocations or {}
        super().__init__(
            data,
            initial={
                "way": ADAPTIVE if deployment.is_adaptive else FIXED,
                "num_allocations": deployment.num_allocations or 1,
                **{name: stored.get(name) for name in BOUNDS},
            },
        )
        self._knows_bounds = deployment.adaptive_allocations is not None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        # What belongs to the other way is hidden, right or not.
        for name in ("num_allocations",) if self.is_adaptive else BOUNDS:
            self.errors.pop(name, None)
            cleaned[name] = None
        if cleaned.get("way") == FIXED and cleaned.get("num_allocations", 0) is None:
            self.add_error("num_allocations", WHOLE_NUMBER["required"])
        least, most = (cleaned.get(name) for name in BOUNDS)
        if least is not None and most is not None and least > most:
            self.add_error(BOUNDS[0], f"This is more than the {most} there may be at most.")
        return cleaned

    def named_in(self, problem: str) -> str | None:
        """The API's other route calls the number by another name."""
        if "[number_of_allocations]" in problem:
            return "num_allocations"
        return super().named_in(problem)

    @property
    def is_adaptive(self) -> bool:
        """What is chosen now."""
        return bool(self["way"].value() == ADAPTIVE)

    @property
    def number(self) -> int | None:
        """The fixed number; None where it follows the load."""
        return None if self.is_adaptive else self.cleaned_data["num_allocations"]

    @property
    def bounds(self) -> dict[str, Any] | None:
        """What changes of the bounds; None where there are none, and none are wanted."""
        if self.is_adaptive:
            return {"enabled": True, **{name: self.cleaned_data[name] for name in BOUNDS}}
        return {"enabled": False} if self._knows_bounds else None

    @property
    def service_settings(self) -> dict[str, Any]:
        """The same for an endpoint that has a deployment of its own."""
        wished = {"num_allocations": self.number, "adaptive_allocations": self.bounds}
        return {name: value for name, value in wished.items() if value is not None}
