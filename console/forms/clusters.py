"""What the pages about clusters accept. What a connection may be is for itself to say."""

from collections.abc import Iterable
from typing import Any

from django import forms
from pydantic import SecretStr

from console.forms.endpoints import CODE
from endpoints.models import DEFAULT_TEAM, Cluster, Team
from inference.errors import InferenceError, ProblemList
from inference.references.connection import Connection


class ConnectionForm(forms.Form):
    """How a cluster is reached. The stored key is not shown; an empty field keeps it."""

    url = forms.CharField(
        label="Address",
        error_messages={"required": "Write the address of the cluster."},
        help_text="As a client would use it, for example https://es.example.org:9200. "
        "Private addresses are fine.",
        widget=forms.TextInput(attrs=CODE | {"inputmode": "url"}),
    )
    api_key = forms.CharField(
        label="API key",
        required=False,
        help_text="It needs view_index_metadata on all indices and read_pipeline, and nothing "
        "else. It is stored encrypted and never shown again. For OpenSearch, write Basic "
        "and the base64 of name:password.",
        widget=forms.PasswordInput(attrs=CODE | {"autocomplete": "new-password"}),
    )
    ca_certificate = forms.CharField(
        label="CA certificate",
        required=False,
        help_text="PEM. Only for a cluster whose certificate was signed by a CA of your own.",
        widget=forms.Textarea(
            attrs=CODE | {"rows": 4, "placeholder": "-----BEGIN CERTIFICATE-----"}
        ),
    )

    @classmethod
    def of(cls, cluster: Cluster, data: Any = None) -> "ConnectionForm":
        """The form to change a cluster."""
        initial = {"url": cluster.url, "ca_certificate": cluster.ca_certificate}
        form = cls(data, initial=initial)
        if cluster.has_api_key:
            form.fields["api_key"].widget.attrs["placeholder"] = "Unchanged"
        return form

    @property
    def connection(self) -> Connection:
        """What a valid form asks for."""
        key = self.cleaned_data["api_key"]
        return Connection(
            self.cleaned_data["url"],
            SecretStr(key) if key else None,
            self.cleaned_data["ca_certificate"],
        )

    def note(self, refusal: InferenceError) -> None:
        """Put every problem to the field that it names."""
        told = refusal.problems if isinstance(refusal, ProblemList) else (str(refusal),)
        for problem in told:
            name = next((name for name in self.fields if f"[{name}]" in problem), None)
            words = problem.removeprefix(f"[{name}] ")
            self.add_error(name, words[:1].upper() + words[1:])


class ConnectForm(ConnectionForm):
    """The same with a name, which stays."""

    name = forms.CharField(
        label="Name",
        error_messages={"required": "Give the cluster a name."},
        help_text="It stands before what is found in the cluster, as in prod:my-index, and "
        "cannot be changed later.",
        widget=forms.TextInput(attrs=CODE),
    )

    field_order = ("name", "team")

    def __init__(self, teams: Iterable[Team], data: Any = None) -> None:
        """teams: those that it can belong to; asked only where there are several."""
        super().__init__(data)
        names = [team.name for team in teams]
        if len(names) > 1:
            self.fields["team"] = forms.ChoiceField(
                label="Team",
                choices=[(name, name) for name in names],
                initial=DEFAULT_TEAM,
                help_text="Its members see the cluster and what is found in it; nobody else does.",
                widget=forms.Select(attrs={"class": "form-select"}),
            )
            self.order_fields(self.field_order)

    @property
    def team(self) -> str | None:
        """The team that was chosen; None where there was nothing to choose."""
        return self.cleaned_data.get("team")
