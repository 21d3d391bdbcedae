"""What the panel to try an endpoint accepts, for each task, with an example to begin with."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.forms import BoundField

from console.forms.generated import TASK_SETTINGS, SettingsForm
from console.forms.settings import Entry, Kind, entries_of, nested
from endpoints.access import get_endpoint
from endpoints.known_models import facts_behind
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from inference.chat import ChatRequest
from inference.errors import InferenceError
from inference.services import find_service
from inference.services.remote import VECTORS, RemoteService
from inference.types import InferenceRequest, InputType

HELP_CENTRE = (
    "Invoices are sent on the first day of each month.",
    "To choose a new password, open Settings and then Security.",
    "Our office is open from nine to five.",
    "Locked out? We can mail you a link to sign in again.",
    "The password of the guest network is on the notice board.",
)
# Kinds of settings that nothing can be written into but numbers and what is offered.
BOUND = (Kind.INTEGER, Kind.NUMBER, Kind.SWITCH, Kind.CHOICE)


def text_area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"class": "form-control", "rows": rows})


def missing(words: str) -> dict[str, str]:
    return {"required": words}


class TextsField(forms.Field):
    """Several texts, each in a box of its own; boxes that are empty do not count.

    most: how many there may be.
    """

    widget = forms.MultipleHiddenInput

    def __init__(self, *, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.most = most

    def to_python(self, value: Any) -> list[str]:
        texts = [text for one in value or () if (text := str(one).strip())]
        for text in texts:
            ProhibitNullCharactersValidator()(text)
        if len(texts) > self.most:
            raise ValidationError(f"There can be {self.most} texts at most, not {len(texts)}.")
        return texts


class TryForm(SettingsForm):
    """A call to an endpoint; without one, only what every endpoint of the task can be asked.

    example: what the fields hold before anybody wrote something. presets: more of that, by name.
    own: the settings of the task that have a field of their own here. in_sight: the fields that
    are not folded away.
    """

    example: ClassVar[dict[str, Any]] = {}
    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    own: ClassVar[tuple[str, ...]] = ()
    has_task_settings: ClassVar[bool] = True
    in_sight: ClassVar[tuple[str, ...]] = ()

    beside = forms.CharField(
        label="Compare with",
        required=False,
        help_text="Another endpoint of the same task: both are asked the same at once.",
        widget=forms.TextInput(
            attrs={
                "class": "form-control font-monospace",
                "list": "besides",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "Nothing",
            }
        ),
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        endpoint: Endpoint | None = None,
        user: User | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files, initial=self.example if initial is None else initial)
        self.endpoint, self.user = endpoint, user
        if endpoint and self.has_task_settings:
            self.add_entries(settings_of_calls(endpoint, self.own))
        else:
            self.add_entries(())

    def to_request(self) -> InferenceRequest | ChatRequest:
        """The call that a valid form asks for."""
        raise NotImplementedError

    def to_request_beside(self, other: Endpoint) -> InferenceRequest | ChatRequest:
        """The same call to another endpoint, without what that does not know."""
        call = self.to_request()
        if isinstance(call, ChatRequest):
            return call
        if self.endpoint and other.service != self.endpoint.service:
            call = replace(call, task_settings={})
        if call.input_type not in input_types_of(other):
            call = replace(call, input_type=InputType.UNSPECIFIED)
        return call

    @property
    def task_settings(self) -> dict[str, Any]:
        """Those of this call alone."""
        return nested({entry.path: self.value(entry) for entry in self.in_scope(TASK_SETTINGS)})

    @classmethod
    def example_call(cls) -> InferenceRequest | ChatRequest:
        form = cls(cls.example)
        form.full_clean()
        return form.to_request()

    def clean_beside(self) -> Endpoint | None:
        name = self.cleaned_data["beside"].replace("\0", "")
        if not name or self.endpoint is None or self.user is None:
            return None
        if name == self.endpoint.inference_id:
            raise ValidationError("That is this endpoint. Choose another one.")
        try:
            return get_endpoint(self.user, name, self.endpoint.task, to=Action.INFER)
        except InferenceError as exc:
            raise ValidationError(f"{exc}.") from exc

    @property
    def other(self) -> Endpoint | None:
        """The endpoint that is to be asked the same, where there is one."""
        found: Endpoint | None = getattr(self, "cleaned_data", {}).get("beside")
        return found

    def named_in(self, problem: str) -> str | None:
        named = super().named_in(problem)
        return named or next((name for name in self.fields if f"[{name}]" in problem), None)

    @property
    def examples(self) -> list[tuple[str, str]]:
        """The presets as JSON, by name."""
        return [(name, json.dumps(fields)) for name, fields in self.presets.items()]

    @property
    def shown(self) -> list[BoundField]:
        return [self[name] for name in self.in_sight if name in self.fields]

    @property
    def options(self) -> list[BoundField]:
        """What most calls leave as it is."""
        return [
            field for field in self.visible_fields() if field.name not in (*self.in_sight, "beside")
        ]

    @property
    def is_unusual(self) -> bool:
        """Whether one of those is worth seeing."""
        return any(field.errors or field.value() for field in self.options)

    @property
    def linked(self) -> list[str]:
        """The names of the fields that a link to a trial fills.

        Of the settings of the task those with bounds: a text may be a secret, such as a header.
        """
        unbound = {name for name, entry in self.entries.items() if entry.kind not in BOUND}
        return [
            name
            for name, field in self.fields.items()
            if name == "input"
            or not (name in unbound or self[name].is_hidden or isinstance(field, forms.FileField))
        ]

    @property
    def texts(self) -> list[str]:
        """What stands in the boxes; an empty one where there would be none."""
        return list(self["input"].value() or [""])


def settings_of_calls(endpoint: Endpoint, own: Sequence[str]) -> list[Entry]:
    """The settings of the task that a call can have in place of the endpoint's."""
    schema = find_service(endpoint.service).task_settings[endpoint.task]
    entries = entries_of(schema, TASK_SETTINGS, endpoint.task, endpoint.task_settings)
    # A call need not say what the endpoint says already.
    return [replace(entry, is_required=False) for entry in entries if entry.path[0] not in own]


def input_types_of(endpoint: Endpoint) -> tuple[InputType, ...]:
    """What the texts of a call may be said to be for, as far as that makes a difference."""
    if endpoint.task not in VECTORS:
        return ()
    service = find_service(endpoint.service)
    if isinstance(service, RemoteService):
        known = service.tasks[endpoint.task].input_types
        types = tuple(InputType) if known is None else tuple(known)
    else:
        facts = facts_behind(endpoint.service, endpoint.service_settings)
        types = tuple(facts.prefixes) if facts else ()
    return tuple(one for one in types if one != InputType.UNSPECIFIED)


class SparseForm(TryForm):
    input = TextsField(label="Text", most=2, error_messages=missing("Write a text first."))

    own: ClassVar[tuple[str, ...]] = ("input_type",)
    example: ClassVar[dict[str, Any]] = {
        "input": ["A flat tyre on my bicycle, far away from any repair shop"]
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "One text": example,
        "Question and answer": {
            "input": ["Where can I repair my bike?", "The bicycle shop mends flat tyres"]
        },
    }

    def to_request(self) -> InferenceRequest:
        texts = tuple(self.cleaned_data["input"])
        return InferenceRequest(texts, task_settings=self.task_settings)


class RerankForm(TryForm):
    query = forms.CharField(
        label="Query",
        error_messages=missing("Write a query first."),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    documents = forms.CharField(
        label="Documents",
        help_text="One on each line.",
        error_messages=missing("Write at least one document."),
        widget=text_area(6),
    )
    top_n = forms.IntegerField(
        label="Top n",
        required=False,
        min_value=1,
        help_text="How many documents come back at most.",
        widget=forms.NumberInput({"class": "form-control", "placeholder": "All"}),
    )
    return_documents = forms.TypedChoiceField(
        label="Return texts",
        required=False,
        help_text="Whether the texts come back with the scores.",
        choices=[("", "As usual"), ("true", "Yes"), ("false", "No")],
        coerce=lambda text: text == "true",
        empty_value=None,
        widget=forms.Select({"class": "form-select"}),
    )

    own: ClassVar[tuple[str, ...]] = ("input_type", "top_n", "return_documents")
    in_sight: ClassVar[tuple[str, ...]] = ("query", "documents")
    example: ClassVar[dict[str, Any]] = {
        "query": "How do I reset my password?",
        "documents": "\n".join(HELP_CENTRE),
    }
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "Help centre": example,
        "Which planet": {
            "query": "Which planet has rings?",
            "documents": "\n".join(
                (
                    "Mars is red because of the rust in its soil.",
                    "Wedding rings are worn on the left hand in many countries.",
                    "The rings of Saturn are made of ice and rock.",
                    "Jupiter is the largest planet of the solar system.",
                )
            ),
        },
    }

    def clean_documents(self) -> list[str]:
        return list(filter(None, map(str.strip, self.cleaned_data["documents"].splitlines())))

    def to_request(self) -> InferenceRequest:
        given = self.cleaned_data
        return InferenceRequest(
            tuple(given["documents"]),
            query=given["query"],
            top_n=given["top_n"],
            return_documents=given["return_documents"],
            task_settings=self.task_settings,
        )


class PromptForm(TryForm):
    prompt = forms.CharField(
        label="Prompt", error_messages=missing("Write a prompt first."), widget=text_area(3)
    )

    in_sight: ClassVar[tuple[str, ...]] = ("prompt",)
    example: ClassVar[dict[str, Any]] = {
        "prompt": "Explain in two sentences what a search engine does with a vector."
    }


class CompletionForm(PromptForm):
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "Explain": PromptForm.example,
        "Keywords": {
            "prompt": "List five keywords, separated by commas, for this text:\n"
            "A flat tyre on my bicycle, far away from any repair shop"
        },
    }

    def to_request(self) -> InferenceRequest:
        return InferenceRequest((self.cleaned_data["prompt"],), task_settings=self.task_settings)
