"""What a deployment is to compute in. Whether it may is for the actions to say."""

from typing import Any

from django import forms

from console.forms.refusable import RefusableForm
from endpoints.models import Deployment
from endpoints.precision import wished_by
from inference.runner.precision.report import Precision


class PrecisionForm(RefusableForm):
    precision = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Precision],
        error_messages={
            "required": "Choose a precision.",
            "invalid_choice": "There is no precision [%(value)s]. Choose one of these.",
        },
    )

    @classmethod
    def of(cls, deployment: Deployment, data: Any = None) -> "PrecisionForm":
        """The form to change that of one that there is."""
        return cls(data, initial={"precision": wished_by(deployment)})

    def clean_precision(self) -> str:
        chosen: str = self.cleaned_data["precision"]
        if chosen == self.initial["precision"]:
            raise forms.ValidationError("This is what it is to compute in already.")
        return chosen

    @property
    def wished(self) -> str:
        """What a valid form asks for."""
        wished: str = self.cleaned_data["precision"]
        return wished

    @property
    def update(self) -> dict[str, Any]:
        """The arguments of an update of a deployment that a valid form asks for."""
        return {"allocations": None, "adaptive_changes": None, "precision": self.wished}

    @property
    def service_settings(self) -> dict[str, Any]:
        """The same for an endpoint that has a deployment of its own."""
        return {"precision": self.wished}

    @property
    def chosen(self) -> str:
        """What is chosen now, right or not."""
        return str(self["precision"].value() or "")


def precision_form(deployment: Deployment) -> PrecisionForm | None:
    """None for an upload, which runs as it came."""
    return None if deployment.model.is_uploaded else PrecisionForm.of(deployment)
