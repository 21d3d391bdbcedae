"""What the audit log is searched by. What a filter may be is for the search itself to say."""

from typing import Any

from django import forms

from endpoints.models import Outcome

CONTROL = {"class": "form-control", "autocomplete": "off"}
# Each with the name of the list of what there is to choose from.
TEXTS = {
    "who": ("Who", "seen-who"),
    "verb": ("What was done", "seen-verb"),
    "thing": ("To which thing", ""),
    "team": ("Team", "seen-team"),
}
DAYS = {"from": "From", "to": "To"}


class AuditForm(forms.Form):
    """A form of links: it is sent as a part of the address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, known) in TEXTS.items():
            attrs = CONTROL | ({"list": known} if known else {})
            widget = forms.TextInput(attrs=attrs)
            self.fields[name] = forms.CharField(label=label, required=False, widget=widget)
        outcomes = [("", "Any"), *((one.value, one.label.capitalize()) for one in Outcome)]
        self.fields["outcome"] = forms.ChoiceField(
            label="Outcome",
            choices=outcomes,
            required=False,
            widget=forms.Select(attrs={"class": "form-select"}),
        )
        for name, label in DAYS.items():
            day = forms.DateInput(attrs=CONTROL | {"type": "date"})
            self.fields[name] = forms.CharField(label=label, required=False, widget=day)
