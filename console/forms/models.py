"""What the pages about models accept. What a model may be is for the actions to say."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from django import forms

from console.forms.endpoints import CODE
from console.forms.owned import OfTeamForm
from console.forms.refusable import RefusableForm
from console.languages import language_name
from endpoints.known_models import KnownModel
from endpoints.model_states import WORDS, ModelState, ModelStatus
from inference.runner.adding import Wish
from inference.types import InputType, TaskType

SELECT = {"class": "form-select"}
TEXT = {"class": "form-control", "autocomplete": "off"}
HOSTED_TASKS = {
    TaskType.TEXT_EMBEDDING: "Text embedding",
    TaskType.SPARSE_EMBEDDING: "Sparse embedding",
    TaskType.RERANK: "Rerank",
}
POOLINGS = {"mean": "Mean of the tokens", "cls": "First token", "max": "Largest of the tokens"}
FITS = "now"
NARROWING = ("q", "task", "state", "language", "fits")
SORTS = {"": "By name", "size": "By size", "used": "Most used first", "state": "By state"}


class ModelSearchForm(forms.Form):
    """A form of links: it is sent as a part of the address. What it does not know finds all."""

    task = forms.ChoiceField(
        label="Task",
        required=False,
        choices=[("", "Any task"), *HOSTED_TASKS.items()],
        widget=forms.Select(attrs=SELECT),
    )
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Any state"), *((one.value, WORDS[one]) for one in ModelState)],
        widget=forms.Select(attrs=SELECT),
    )
    language = forms.ChoiceField(
        label="Language", required=False, widget=forms.Select(attrs=SELECT)
    )
    fits = forms.ChoiceField(
        label="Memory",
        required=False,
        choices=[("", "Any size"), (FITS, "Fits this machine now")],
        widget=forms.Select(attrs=SELECT),
    )
    sort = forms.ChoiceField(
        label="Sort by",
        required=False,
        choices=list(SORTS.items()),
        widget=forms.Select(attrs=SELECT),
    )

    def offer(self, models: Iterable[KnownModel]) -> None:
        """The languages that any of these is told to know."""
        codes = {code for model in models for code in model.facts.languages}
        named = sorted((language_name(code), code) for code in codes)
        choices = [("", "Any language"), *((code, name) for name, code in named)]
        cast(forms.ChoiceField, self.fields["language"]).choices = choices

    def text(self, name: str) -> str:
        return str(self.data.get(name, "")).replace("\0", "").strip()

    @property
    def query(self) -> str:
        return self.text("q")

    @property
    def is_empty(self) -> bool:
        return not any(self.text(name) for name in NARROWING)

    def finds(self, model: KnownModel, status: ModelStatus, *, fits: bool = True) -> bool:
        """fits: whether there is memory for it."""
        facts = model.facts
        languages = map(language_name, facts.languages)
        words = " ".join(
            (facts.model_id, facts.repository, facts.description, facts.licence, *languages)
        )
        return (
            self.query.casefold() in words.casefold()
            and self.text("task") in ("", facts.task_type)
            and self.text("state") in ("", status.state)
            and self.text("language") in ("", *facts.languages)
            and (fits or self.text("fits") != FITS)
        )


class AddModelForm(OfTeamForm, RefusableForm):
    """What is said of any new model; what is left empty is taken from its own files."""

    seen_by = "Its members see the model and may use it; nobody else does."

    model_id = forms.CharField(
        label="Id",
        required=False,
        help_text="What it is called here. Made of the name where you leave it empty.",
        widget=forms.TextInput(attrs=CODE),
    )
    description = forms.CharField(
        label="Description", required=False, max_length=1024, widget=forms.TextInput(attrs=TEXT)
    )
    license = forms.CharField(
        label="Licence",
        required=False,
        max_length=1024,
        help_text="As its files say, unless you write another.",
        widget=forms.TextInput(attrs=TEXT),
    )
    task_type = forms.ChoiceField(
        label="Task",
        required=False,
        choices=[("", "As its files say"), *HOSTED_TASKS.items()],
        widget=forms.Select(attrs=SELECT),
    )
    pooling = forms.ChoiceField(
        label="Pooling",
        required=False,
        choices=[("", "As its files say"), *POOLINGS.items()],
        help_text="How one vector is made of those of the tokens.",
        widget=forms.Select(attrs=SELECT),
    )
    search_prefix = forms.CharField(
        label="Before a text to search for",
        required=False,
        strip=False,
        max_length=1024,
        help_text="As its files say, unless you write either.",
        widget=forms.TextInput(attrs=CODE | {"placeholder": "query: "}),
    )
    ingest_prefix = forms.CharField(
        label="Before a text to be found",
        required=False,
        strip=False,
        max_length=1024,
        widget=forms.TextInput(attrs=CODE | {"placeholder": "passage: "}),
    )

    OPTIONS: tuple[str, ...] = (
        *("description", "license", "task_type", "pooling"),
        *("search_prefix", "ingest_prefix"),
    )

    @property
    def options(self) -> list[forms.BoundField]:
        """What is folded away."""
        return [self[name] for name in self.OPTIONS]

    @property
    def is_unusual(self) -> bool:
        """Whether one of the folded options is worth seeing."""
        return any(field.errors or field.value() for field in self.options)

    @property
    def named_after(self) -> str:
        """What the model is called after where it was given no id."""
        return ""

    @property
    def wished_id(self) -> str:
        written: str = self.cleaned_data["model_id"]
        return written or suggested_id(self.named_after)

    @property
    def wish(self) -> Wish:
        """What a valid form asks for."""
        given = self.cleaned_data
        prefixes = {
            InputType.SEARCH: given["search_prefix"],
            InputType.INGEST: given["ingest_prefix"],
        }
        return Wish(
            model_id=self.wished_id,
            task_type=TaskType(given["task_type"]) if given["task_type"] else None,
            pooling=given["pooling"] or None,
            prefixes={kind: text for kind, text in prefixes.items() if text} or None,
            description=given["description"],
            licence=given["license"],
        )

    def named_in(self, problem: str) -> str | None:
        is_about_id = "model_id" in problem or "Cannot create model" in problem
        if is_about_id or "already exists" in problem or "no built-in model" in problem:
            return "model_id"
        return super().named_in(problem)


class HubModelForm(AddModelForm):
    repository = forms.CharField(
        label="Name on the hub",
        error_messages={"required": "Write the name of the model, such as owner/name."},
        help_text="As in the address of its page: owner/name.",
        widget=forms.TextInput(attrs=CODE | {"placeholder": "intfloat/e5-small-v2"}),
    )
    revision = forms.CharField(
        label="Revision",
        initial="main",
        required=False,
        help_text="A branch, a tag or a commit.",
        widget=forms.TextInput(attrs=CODE),
    )

    OPTIONS = ("revision", *AddModelForm.OPTIONS)

    @property
    def is_unusual(self) -> bool:
        usual = {"revision": "main"}
        return any(
            field.errors or str(field.value() or "") not in ("", usual.get(field.name, ""))
            for field in self.options
        )

    @property
    def named_after(self) -> str:
        return str(self.cleaned_data["repository"]).rpartition("/")[2]

    @property
    def source(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {"repository": given["repository"], "revision": given["revision"] or "main"}

    def named_in(self, problem: str) -> str | None:
        if "is no revision" in problem:
            return "revision"
        return super().named_in(problem) or "repository"


class FolderModelForm(AddModelForm):
    folder = forms.CharField(
        label="Folder",
        error_messages={"required": "Write the whole path of the folder."},
        help_text="On the machine where this product runs. Its files are copied.",
        widget=forms.TextInput(attrs=CODE | {"placeholder": "/srv/models/my-model"}),
    )

    @property
    def named_after(self) -> str:
        return Path(self.cleaned_data["folder"]).name

    @property
    def source(self) -> dict[str, Any]:
        return {"folder": Path(self.cleaned_data["folder"])}

    def named_in(self, problem: str) -> str | None:
        return super().named_in(problem) or "folder"


class UploadModelForm(AddModelForm):
    """archive: for browsers without scripts, which send it in one piece."""

    archive = forms.FileField(
        label="Zip archive of the folder",
        required=False,
        widget=forms.ClearableFileInput(attrs={"class": "form-control", "accept": ".zip"}),
    )
    # What a folder or an archive is called that a script sends.
    name = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def named_after(self) -> str:
        archive = self.cleaned_data.get("archive")
        return str(archive.name if archive else self.cleaned_data["name"]).removesuffix(".zip")


class DeleteModelForm(RefusableForm):
    """Where something uses the model, whoever deletes it all the same writes its id."""

    written_id = forms.CharField(
        label="To delete it all the same, write its id",
        error_messages={"required": "Write the id, or leave the model as it is."},
        widget=forms.TextInput(attrs=CODE),
    )

    def __init__(self, expected: str, is_used: bool, data: Any = None) -> None:
        super().__init__(data)
        self._expected, self.is_forced = expected, is_used
        if not is_used:
            del self.fields["written_id"]

    def clean_written_id(self) -> str:
        written: str = self.cleaned_data["written_id"]
        if written != self._expected:
            raise forms.ValidationError("This is not its id. Nothing was deleted.")
        return written


def suggested_id(name: str) -> str:
    """The name of a repository, a folder or an archive as an id may be written."""
    allowed = re.sub(r"[^a-z0-9_.-]+", "-", name.lower())
    return re.sub(r"^[^a-z0-9]+|[^a-z0-9]+$", "", allowed[:64])
