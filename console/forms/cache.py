"""The switch of an endpoint's cache."""

from django import forms


class CacheForm(forms.Form):
    enabled = forms.ChoiceField(choices=[("true", "On"), ("false", "Off")])

    @property
    def is_on(self) -> bool:
        return bool(self.cleaned_data["enabled"] == "true")
