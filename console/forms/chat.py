"""A conversation with an endpoint that chats, as a form: each turn carries all that was said."""

import json
from typing import Any, ClassVar

import orjson
from django import forms
from django.core.exceptions import ValidationError
from pydantic import TypeAdapter
from pydantic import ValidationError as NotFitting

from console.forms.try_it import PromptForm, TryForm, text_area
from endpoints.models import Endpoint
from inference.chat import ChatRequest, Message, Tool, ToolCall

MESSAGES = TypeAdapter(list[Message])
TOOLS = TypeAdapter(list[Tool])
MOST_SAID = 1_000_000
NO_PROMPT = "Write a prompt first."
UNREADABLE = "What was said before cannot be read. Clear the conversation."
# One conversation with the endpoint, one with that beside it: the end of the names of their fields.
HERE, BESIDE = "", "_beside"
WEATHER = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a place today.",
            "parameters": {
                "type": "object",
                "properties": {"place": {"type": "string"}},
                "required": ["place"],
            },
        },
    }
]


def number(label: str, help_text: str, **bounds: Any) -> forms.FloatField:
    widget = forms.NumberInput({"class": "form-control", "step": "any", "placeholder": "As usual"})
    return forms.FloatField(
        label=label, required=False, help_text=help_text, widget=widget, **bounds
    )


class Results(forms.Field):
    """What tools gave, one text for each call in the order of the calls."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(one) for one in value or ()]


class ChatForm(PromptForm):
    """history, result: what was said before, as JSON, and what the tools gave that were called."""

    system = forms.CharField(
        label="System",
        required=False,
        help_text="What the model is to keep in mind for the whole chat.",
        widget=text_area(2),
    )
    temperature = number(
        "Temperature", "How much chance there is in an answer.", min_value=0, max_value=2
    )
    top_p = number(
        "Top p", "Only the likeliest tokens, up to this share, count.", min_value=0, max_value=1
    )
    max_completion_tokens = forms.IntegerField(
        label="Most tokens",
        required=False,
        min_value=1,
        help_text="How long an answer may get.",
        widget=forms.NumberInput({"class": "form-control", "placeholder": "As usual"}),
    )
    stop = forms.CharField(
        label="Stop at",
        required=False,
        help_text="One text on each line: the answer ends before it.",
        widget=text_area(2),
    )
    tools = forms.CharField(
        label="Tools",
        required=False,
        help_text="A list of functions that the model may call, as JSON.",
        widget=forms.Textarea(
            {"class": "form-control font-monospace", "rows": 5, "spellcheck": "false"}
        ),
    )
    tool_choice = forms.ChoiceField(
        label="Use of tools",
        required=False,
        choices=[
            ("", "As usual"),
            *((one, one.capitalize()) for one in ("auto", "none", "required")),
        ],
        widget=forms.Select({"class": "form-select"}),
    )
    history = forms.CharField(required=False, widget=forms.HiddenInput, max_length=MOST_SAID)
    history_beside = forms.CharField(required=False, widget=forms.HiddenInput, max_length=MOST_SAID)
    result = Results(required=False)
    result_beside = Results(required=False)

    field_order = (
        "system", "prompt", "temperature", "top_p", "max_completion_tokens", "tool_choice",
        "stop", "tools",
    )  # fmt: skip
    has_task_settings = False
    in_sight: ClassVar[tuple[str, ...]] = ("prompt",)
    example: ClassVar[dict[str, Any]] = PromptForm.example
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "Explain": {**PromptForm.example, "system": "", "tools": ""},
        "With a role": {
            "system": "You answer in one short sentence, as to a child of eight years.",
            "prompt": "Why is the sky blue?",
            "tools": "",
        },
        "With a tool": {
            "system": "",
            "prompt": "Do I need an umbrella in Lisbon today?",
            "tools": json.dumps(WEATHER, indent=2),
        },
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["prompt"].required = False  # tools may have the word

    def clean_stop(self) -> list[str]:
        return [line for line in self.cleaned_data["stop"].splitlines() if line.strip()]

    def clean_tools(self) -> list[Tool]:
        written = self.cleaned_data["tools"]
        if not written:
            return []
        try:
            return TOOLS.validate_python(orjson.loads(written))
        except orjson.JSONDecodeError as exc:
            raise ValidationError(f"This is no JSON: {exc}.") from None
        except NotFitting as exc:
            error = exc.errors()[0]
            place = ".".join(map(str, error["loc"]))
            raise ValidationError(
                f"This is no list of tools. At [{place}]: {error['msg']}."
                if place
                else "This is no list of tools: it begins with [ and holds objects."
            ) from None

    def clean_history(self) -> list[Message]:
        return said_in(self.cleaned_data["history"])

    def clean_history_beside(self) -> list[Message]:
        return said_in(self.cleaned_data["history_beside"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for side in (HERE, BESIDE):
            for error in self.errors.pop(f"history{side}", []):
                self.add_error("prompt", error)
        if not (self.errors or cleaned.get("prompt") or any(cleaned.get("result", ()))):
            is_called = calls_at_end(cleaned.get("history") or [])
            words = "Write what the tool gives back, or a prompt." if is_called else NO_PROMPT
            self.add_error("prompt", words)
        return cleaned

    def said(self, side: str = HERE) -> list[Message]:
        """The conversation of one side with what is said now, less what the system says."""
        given = self.cleaned_data
        said: list[Message] = list(given[f"history{side}"])
        results: list[str] = given[f"result{side}"]
        for number, call in enumerate(calls_at_end(said)):
            result = results[number] if number < len(results) else ""
            said.append(Message(role="tool", content=result, tool_call_id=call.id))
        if given["prompt"]:
            said.append(Message(role="user", content=given["prompt"]))
        return said

    def to_request(self, side: str = HERE) -> ChatRequest:
        given = self.cleaned_data
        system = [Message(role="system", content=given["system"])] if given["system"] else []
        wishes = {
            "max_completion_tokens": given["max_completion_tokens"],
            "stop": given["stop"],
            "temperature": given["temperature"],
            "top_p": given["top_p"],
            "tools": given["tools"],
            "tool_choice": given["tool_choice"],
        }
        known = {name: wish for name, wish in wishes.items() if wish not in (None, "", [])}
        return ChatRequest(messages=[*system, *self.said(side)], **known)

    def to_request_beside(self, other: Endpoint) -> ChatRequest:
        return self.to_request(BESIDE)

    def next_turn(self) -> TryForm:
        """The form for what is said next: with all that was set, and nothing said yet."""
        kept = {name: self[name].value() for name in self.fields} | {"prompt": ""}
        return type(self)(endpoint=self.endpoint, user=self.user, initial=kept)


def said_in(written: str) -> list[Message]:
    """Raises ValidationError."""
    try:
        return MESSAGES.validate_json(written) if written else []
    except NotFitting:
        raise ValidationError(UNREADABLE) from None


def calls_at_end(said: list[Message]) -> list[ToolCall]:
    """The calls of tools that wait for what these give."""
    if not said or said[-1].role != "assistant":
        return []
    return said[-1].tool_calls or []


def as_history(said: list[Message]) -> str:
    return orjson.dumps([message.to_json() for message in said]).decode()
