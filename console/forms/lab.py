"""What the lab accepts: a document, two ways to cut it, and what is to be found."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from console.forms.endpoints import CODE
from console.forms.refusable import RefusableForm
from inference.chunking.settings import (
    SEPARATOR_GROUPS,
    ChunkingSettings,
    parse_chunking,
)
from inference.documents import MAX_BYTES, Document, DocumentRefused, read_document
from inference.documents.document import MB, check_length
from inference.documents.plain import tidy
from inference.errors import InferenceError

WHOLE = re.compile(r"[+-]?[0-9]{1,10}")
STRATEGIES = {
    "sentence": "Sentences",
    "word": "Words",
    "recursive": "Separators",
    "none": "Not at all",
}
OWN = "own"
# Which of the fields a strategy has.
FIELDS = {
    "sentence": ("max_chunk_size", "sentence_overlap"),
    "word": ("max_chunk_size", "overlap"),
    "recursive": ("max_chunk_size", "separator_group", "separators"),
    "none": (),
}
NUMBERS = ("max_chunk_size", "overlap", "sentence_overlap")
SELECT = {"class": "form-select"}
PASTED = "Pasted text"
TOO_LARGE = f"The document is larger than {MAX_BYTES // MB} MB."
# More is written into a field than chosen from a list.
MOST_CHOICES = 200


def number_field(label: str, least: int) -> forms.CharField:
    """What is wrong with a number the settings say themselves."""
    attrs = CODE | {"class": "form-control", "min": least, "step": 1}
    return forms.CharField(label=label, required=False, widget=forms.NumberInput(attrs=attrs))


class CutForm(RefusableForm):
    """Chunking settings as fields. The names of a side begin with its letter."""

    strategy = forms.ChoiceField(
        label="Cut at", choices=list(STRATEGIES.items()), widget=forms.Select(attrs=SELECT)
    )
    max_chunk_size = number_field("Words at most", 10)
    sentence_overlap = forms.CharField(
        label="Overlap",
        required=False,
        widget=forms.Select(attrs=SELECT, choices=[("1", "One sentence"), ("0", "None")]),
    )
    overlap = number_field("Overlap in words", 1)
    separator_group = forms.ChoiceField(
        label="Separators",
        required=False,
        choices=[("markdown", "Markdown headings"), ("plaintext", "Paragraphs"), (OWN, "My own")],
        widget=forms.Select(attrs=SELECT),
    )
    separators = forms.CharField(
        label="My own separators",
        required=False,
        strip=False,
        help_text="A regular expression on each line, the coarsest first.",
        widget=forms.Textarea(attrs=CODE | {"rows": 4}),
    )

    def __init__(self, data: Mapping[str, Any], side: str = "") -> None:
        super().__init__(data, prefix=side or None)
        self.side = side
        self.settings: ChunkingSettings | None = None

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                self.settings = parse_chunking(self.raw)
            except InferenceError as exc:
                self.note(exc)
        return self.cleaned_data

    @property
    def raw(self) -> dict[str, Any]:
        """What is written, as `chunking_settings` of a request."""
        raw: dict[str, Any] = {"strategy": self.text("strategy")}
        for name in FIELDS.get(raw["strategy"], ()):
            text = self.text(name)
            if name in NUMBERS and text:
                raw[name] = int(text) if WHOLE.fullmatch(text) else text
        if raw["strategy"] == "recursive":
            if self.text("separator_group") == OWN:
                raw["separators"] = separators_in(str(self["separators"].value() or ""))
            else:
                raw["separator_group"] = self.text("separator_group") or "markdown"
        return raw

    @property
    def written(self) -> dict[str, str]:
        """The fields that count, by name, for an address that leads here."""
        names = ("strategy", *FIELDS.get(self.text("strategy"), ()))
        if self.text("separator_group") != OWN:
            names = tuple(name for name in names if name != "separators")
        return {self.add_prefix(name): str(self[name].value() or "") for name in names}

    @property
    def label(self) -> str:
        """The settings in a few words: Sentences, up to 250 words."""
        size = f"p to {self.text('max_chunk_size')} words"
        match self.text("strategy"):
            case "none":
                return "Not cut"
            case "word":
                return f"U{size}"
            case other:
                return f"{STRATEGIES.get(other, '')}, u{size}"

    def text(self, name: str) -> str:
        return str(self[name].value() or "").strip()

    def named_in(self, problem: str) -> str | None:
        if found := super().named_in(problem):
            return found
        is_own = self.text("separator_group") == OWN
        if "eparator" in problem:
            return "separators" if is_own else "separator_group"
        return "strategy"


def separators_in(text: str) -> list[str]:
    """One on each line; blanks count, for a separator may end with one."""
    return [line for one in text.split("\n") if (line := one.removesuffix("\r"))]


def fields_of(settings: Mapping[str, Any], side: str = "") -> dict[str, str]:
    """Settings as an endpoint shows them, as the fields of a form have them."""
    fields = {name: str(value) for name, value in settings.items() if name != "separators"}
    separators = settings.get("separators")
    if separators is not None:
        groups = {tuple(group): name for name, group in SEPARATOR_GROUPS.items()}
        fields["separator_group"] = groups.get(tuple(separators), OWN)
        # Read as a regular expression, a newline and \n are the same.
        fields["separators"] = "\n".join(one.replace("\n", r"\n") for one in separators)
    return {f"{side}-{name}" if side else name: value for name, value in fields.items()}


class DocumentForm(RefusableForm):
    """A text, or a file that has one."""

    text = forms.CharField(
        label="Paste a text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 6}),
    )
    file = forms.FileField(
        label="Or upload a document",
        required=False,
        help_text=f"txt, md, html, pdf or docx, up to {MAX_BYTES // MB} MB.",
        error_messages={"empty": "The document is empty."},
        widget=forms.FileInput(
            attrs={
                "class": "form-control",
                "accept": ".txt,.md,.markdown,.html,.htm,.pdf,.docx",
                "data-most-bytes": MAX_BYTES,
                "data-too-large": TOO_LARGE,
            }
        ),
    )

    document: Document | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        text, file = cleaned.get("text") or "", cleaned.get("file")
        name = "file" if file else "text"
        try:
            if file and text.strip():
                raise DocumentRefused("Paste a text or upload a document, not both.")
            if file:
                self.document = read_document(file.name, file.read())
            elif text.strip():
                check_length(len(text))
                self.document = Document(PASTED, tidy(text))
            elif not self.errors:
                raise DocumentRefused("Paste a text first, or choose a document.")
        except DocumentRefused as exc:
            self.add_error(name, str(exc))
        return cleaned


class EndpointField(forms.CharField):
    """One of the endpoints that somebody sees; written where there are too many to choose from.

    Whether it may be used is for the actions to say.
    """

    def __init__(self, label: str, choices: Sequence[tuple[str, str]], empty: str, **more: Any):
        if len(choices) > MOST_CHOICES:
            widget: forms.Widget = forms.TextInput(attrs=CODE | {"placeholder": "Its id"})
        else:
            widget = forms.Select(attrs=SELECT, choices=[("", empty), *choices])
        super().__init__(label=label, widget=widget, **more)


class SearchForm(RefusableForm):
    query = forms.CharField(
        label="Search for",
        max_length=2000,
        error_messages={"required": "Write what is to be found."},
        widget=forms.TextInput(
            attrs={"class": "form-control", "type": "search", "autocomplete": "off"}
        ),
    )

    def __init__(self, rerankers: Sequence[tuple[str, str]], data: Any = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.fields["reranker"] = EndpointField("Rerank with", rerankers, "Nothing", required=False)
