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

    how_many = forms.ChoiceField(
        choices=[(FIXED, "A fixed number"), (ADAPTIVE, "As many as the calls need")],
        initial=FIXED,
        error_messages={
            "required": "Choose one of the two.",
            "invalid_choice": "There is no way [%(value)s]. Choose one of the two.",
        },
        widget=forms.RadioSelect,
    )
    number_of_allocations = forms.IntegerField(
        label="Number",
        required=False,
        initial=1,
        min_value=1,
        max_value=MAX_ALLOCATIONS,
        help_text="More copies answer more calls at once; they share the model's memory.",
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

    @classmethod
    def of(cls, deployment: Deployment, data: Any = None) -> "AllocationsForm":
        """The form to change one that there is."""
        bounds = deployment.adaptive_allocations or {}
        initial = {name: bounds.get(name) for name in BOUNDS}
        initial["how_many"] = ADAPTIVE if deployment.is_adaptive else FIXED
        return cls(
            data, initial=initial | {"number_of_allocations": deployment.num_allocations or 1}
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        # What belongs to the other way is hidden, right or not.
        for name in ("number_of_allocations",) if self.is_adaptive else BOUNDS:
            self.errors.pop(name, None)
            cleaned[name] = None
        if cleaned.get("how_many") == FIXED and cleaned.get("number_of_allocations", 0) is None:
            self.add_error("number_of_allocations", WHOLE_NUMBER["required"])
        least, most = (cleaned.get(name) for name in BOUNDS)
        if least is not None and most is not None and least > most:
            self.add_error(BOUNDS[0], f"This is more than the {most} there may be at most.")
        return cleaned

    def named_in(self, problem: str) -> str | None:
        """The API calls the number of an endpoint by another name."""
        if "[num_allocations]" in problem:
            return "number_of_allocations"
        return super().named_in(problem)

    @property
    def is_adaptive(self) -> bool:
        """What is chosen now."""
        return bool(self["how_many"].value() == ADAPTIVE)

    @property
    def allocations(self) -> int | None:
        """The fixed number of a valid form; None where it follows the load."""
        return None if self.is_adaptive else self.cleaned_data["number_of_allocations"]

    @property
    def bounds(self) -> dict[str, Any] | None:
        """Those of a valid form, as a new deployment takes them; None where the number is fixed."""
        if not self.is_adaptive:
            return None
        given = {name: self.cleaned_data[name] for name in BOUNDS}
        return {"enabled": True, **{name: one for name, one in given.items() if one is not None}}

    @property
    def changes(self) -> dict[str, Any] | None:
        """What becomes of the bounds of one that there is; None where nothing does.

        A bound that is None is taken away.
        """
        if self.is_adaptive:
            return {"enabled": True, **{name: self.cleaned_data[name] for name in BOUNDS}}
        return {"enabled": False} if self.initial["how_many"] == ADAPTIVE else None

    @property
    def service_settings(self) -> dict[str, Any]:
        """The same for an endpoint that has a deployment of its own."""
        wished = {"num_allocations": self.allocations, "adaptive_allocations": self.changes}
        return {name: value for name, value in wished.items() if value is not None}

    @property
    def update(self) -> dict[str, Any]:
        """The arguments of an update of a deployment that a valid form asks for."""
        return {"allocations": self.allocations, "adaptive_changes": self.changes}

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
