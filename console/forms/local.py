"""A new endpoint whose model runs here."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from django import forms

from console.forms.endpoints import NamedForm
from console.forms.generated import SERVICE_SETTINGS, CreateRemoteForm, SettingsForm, entries_for
from console.forms.settings import Entry, found_at
from inference.runner.catalogue import OFFERED_MODELS
from inference.runner.facts import ModelFacts, Origin
from inference.runner.precision.report import Precision, missing_for
from inference.services import find_service
from inference.services.elasticsearch import MAX_THREADS
from inference.services.long_documents import MODEL_ID as OF_LONG_DOCUMENTS
from inference.services.long_documents import LongDocumentSettings
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
NO_SUCH_MODEL = {
    "required": "Choose a model.",
    "invalid_choice": "There is no model [%(value)s]. Choose one of these.",
}
# What the form asks in its own words, and what is only for models that somebody uploaded.
OWN_WORDS = {"model_id", "num_allocations", "num_threads", "precision"}
OF_UPLOADS = {"similarity", "element_type"}


def offered_precisions() -> list[tuple[str, str]]:
    """Those that this machine can compute in."""
    return [(name, words) for name, words in PRECISIONS.items() if not missing_for(name)]


def further_entries(model: ModelFacts, task_type: TaskType) -> list[Entry]:
    """The settings that the form asks as the service declares them."""
    left_out = OWN_WORDS | {"deployment_id", "dimensions"}
    if model.origin != Origin.UPLOADED or task_type != TaskType.TEXT_EMBEDDING:
        left_out |= OF_UPLOADS
    if model.model_id != OF_LONG_DOCUMENTS:
        left_out |= set(LongDocumentSettings.model_fields)
    entries = entries_for(find_service(SERVICE), task_type)
    return [
        entry
        for entry in entries
        if entry.scope != SERVICE_SETTINGS or entry.path[0] not in left_out
    ]


class CreateLocalForm(NamedForm, SettingsForm):
    """models: what there is to choose from, by id; the usual one is always there."""

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

    def __init__(self, models: Mapping[str, ModelFacts], data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.models = models
        self.fields["model_id"] = forms.ChoiceField(
            choices=[(model_id, model_id) for model_id in models], error_messages=NO_SUCH_MODEL
        )
        if self.model.origin == Origin.UPLOADED:
            del self.fields["precision"]  # nothing compares that of an upload
        self.add_entries(further_entries(self.model, self.task_type))

    @property
    def chosen_model(self) -> str:
        """The model that is picked now, right or not yet."""
        value = str(self["model_id"].value() or DEFAULT_MODEL)
        return value if value in self.models else DEFAULT_MODEL

    @property
    def model(self) -> ModelFacts:
        return self.models[self.chosen_model]

    @property
    def task_type(self) -> TaskType:
        return self.model.task_type or TaskType.TEXT_EMBEDDING  # all that are offered have one

    @property
    def config(self) -> dict[str, Any]:
        """The body of the request that would create this endpoint, less service and task type.

        A number that cannot be read yet is shown as its default. What adapts has no fixed number.
        """
        numbers = {name: self._number(name) for name in ("num_allocations", "num_threads")}
        config = self.config_of({entry: self.value(entry) for entry in self.entries.values()})
        further = config[SERVICE_SETTINGS]
        if found_at(further, ("adaptive_allocations", "enabled")):
            del numbers["num_allocations"]
        own = {"model_id": self.chosen_model, **numbers, **self.extras}
        return config | {SERVICE_SETTINGS: own | further}

    @property
    def config_to_show(self) -> dict[str, Any]:
        """The same: nothing here is secret."""
        return self.config

    @property
    def extras(self) -> dict[str, str]:
        """The precision, where one is chosen that can be had."""
        value = str(self["precision"].value() or "") if "precision" in self.fields else ""
        return {"precision": value} if value in dict(offered_precisions()) and value else {}

    @property
    def is_unusual(self) -> bool:
        """Whether one of the folded options is worth seeing."""
        usual = {"num_allocations": "1", "num_threads": "1", "precision": ""}
        return super().is_unusual or any(
            self[name].errors or str(self[name].value() or "") != value
            for name, value in usual.items()
            if name in self.fields
        )

    def _number(self, name: str) -> Any:
        try:
            return int(self[name].value())
        except (TypeError, ValueError):
            return self.fields[name].initial


CreateForm: TypeAlias = CreateLocalForm | CreateRemoteForm
