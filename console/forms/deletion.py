"""What is written before something is deleted that somebody may miss."""

from typing import Any

from django import forms

from console.forms.endpoints import CODE


class DeleteEndpointForm(forms.Form):
    """Whoever deletes an endpoint that may be in use writes its id."""

    inference_id = forms.CharField(
        error_messages={"required": "Write the id, or leave the endpoint as it is."},
        widget=forms.TextInput(attrs=CODE),
    )

    def __init__(self, expected: str, data: Any = None) -> None:
        super().__init__(data)
        self._expected = expected
        self.fields["inference_id"].label = f"To delete it all the same, write its id: {expected}"

    def clean_inference_id(self) -> str:
        written: str = self.cleaned_data["inference_id"]
        if written != self._expected:
            raise forms.ValidationError("This is not its id. Nothing was deleted.")
        return written


class DeleteManyForm(forms.Form):
    """Whoever deletes several of which one may be in use writes how many."""

    count = forms.IntegerField(
        label="Some of these may be in use. To delete them, write how many you delete in all",
        error_messages={
            "required": "Write how many endpoints you delete. Nothing was deleted.",
            "invalid": "Write a whole number. Nothing was deleted.",
        },
        widget=forms.TextInput(attrs=CODE | {"inputmode": "numeric"}),
    )

    def __init__(self, expected: int, data: Any = None) -> None:
        super().__init__(data)
        self._expected = expected

    def clean_count(self) -> int:
        written: int = self.cleaned_data["count"]
        if written != self._expected:
            raise forms.ValidationError(
                f"You chose {self._expected}, not {written}. Nothing was deleted."
            )
        return written
