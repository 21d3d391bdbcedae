"""What the pages about indices and pipelines accept; what those may hold is for the actions."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms

from console.forms.endpoints import CODE
from console.forms.json_text import JsonField, pretty, sentence
from endpoints import indices, pipelines, simulating
from endpoints.models import IndexMapping, IngestPipeline
from endpoints.seen import Seen
from inference.errors import InferenceError
from inference.references.errors import IndexExists
from inference.references.pipelines import check_pipeline, inference_processors, input_outputs
from inference.references.simulate import MODEL_INPUT

# A page waits for them; programs may send more.
MOST_DOCUMENTS = 20
EXAMPLE_TEXT = "A short text to try the pipeline on."

ValueT = TypeVar("ValueT")


class WrittenForm(forms.Form):
    """Something as JSON. seen: the mark of what was there when somebody began to write."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    name_field = ""
    body_field = ""

    def note(self, refusal: InferenceError) -> None:
        """Put the reason to the text; to the name where that is taken."""
        is_of_name = isinstance(refusal, IndexExists) and self.name_field in self.fields
        field = self.name_field if is_of_name else self.body_field
        self.add_error(field, sentence(str(refusal)))

    @property
    def was_seen(self) -> Seen:
        return Seen(self.cleaned_data["seen"])

    @property
    def body(self) -> Any:
        return self.cleaned_data[self.body_field]


class MappingForm(WrittenForm):
    """The mapping of an index that is there."""

    body_field = "mapping"

    mapping = JsonField(
        rows=22,
        label="Mapping",
        error_messages={"required": "Write the mapping as JSON."},
        help_text="Fields can be added and some of their parameters changed. A mapping only grows: "
        "what you leave out stays as it is.",
    )

    @classmethod
    def of(cls, index: IndexMapping, data: Any = None) -> "MappingForm":
        initial = {"mapping": pretty(index.mappings), "seen": Seen.of(index).mark}
        return cls(data, initial=initial)

    def clean_mapping(self) -> Any:
        return _object(self.cleaned_data["mapping"])


class IndexForm(WrittenForm):
    """A new index."""

    name_field, body_field = "name", "definition"

    name = forms.CharField(
        label="Name",
        error_messages={"required": "Give the index a name."},
        help_text="As it is called in Elasticsearch. It cannot be changed later.",
        widget=forms.TextInput(attrs=CODE),
    )
    definition = JsonField(
        rows=18,
        label="Definition",
        error_messages={"required": "Write the definition as JSON."},
        help_text="As you would send it to make the index: mappings, and settings and aliases "
        "where you want any.",
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return _checked(indices.check_name, name)

    def clean_definition(self) -> Any:
        return _object(self.cleaned_data["definition"])


class PipelineForm(WrittenForm):
    """A pipeline, and documents to try it on."""

    body_field = "pipeline"

    pipeline = JsonField(
        rows=22,
        label="Pipeline",
        error_messages={"required": "Write the pipeline as JSON."},
        help_text="What you would send to Elasticsearch: processors, and a description.",
    )

    @classmethod
    def of(cls, pipeline: IngestPipeline, data: Any = None) -> "PipelineForm":
        return cls(
            data, initial={"pipeline": pretty(pipeline.config), "seen": Seen.of(pipeline).mark}
        )

    def clean_pipeline(self) -> Any:
        config = self.cleaned_data["pipeline"]
        _checked(check_pipeline, config)
        return config


class NewPipelineForm(PipelineForm):
    """The same with an id, which stays."""

    name_field = "pipeline_id"

    pipeline_id = forms.CharField(
        label="Id",
        error_messages={"required": "Give the pipeline an id."},
        help_text="As it is called in Elasticsearch. It cannot be changed later.",
        widget=forms.TextInput(attrs=CODE),
    )

    field_order = ("pipeline_id", "pipeline")

    def clean_pipeline_id(self) -> str:
        pipeline_id: str = self.cleaned_data["pipeline_id"]
        if "/" in pipeline_id or pipeline_id in (".", ".."):
            raise forms.ValidationError("An id must not contain a slash, or be a dot or two.")
        return _checked(pipelines.check_id, pipeline_id)


class DocumentsForm(forms.Form):
    """Documents to send through a pipeline."""

    docs = JsonField(
        rows=9,
        label="Documents",
        error_messages={"required": "Paste a document, or a list of them."},
        help_text="One JSON object, or a list of them. They are stored nowhere.",
    )

    @classmethod
    def example_for(cls, config: Mapping[str, Any]) -> "DocumentsForm":
        """With a document that has what the endpoints of a pipeline read."""
        return cls(initial={"docs": pretty([example_document(config)])})

    def clean_docs(self) -> list[dict[str, Any]]:
        given = self.cleaned_data["docs"]
        if isinstance(given, dict):
            given = given["docs"] if isinstance(given.get("docs"), list) else [given]
        if not isinstance(given, list) or any(not isinstance(doc, dict) for doc in given):
            raise forms.ValidationError("A document is a JSON object, in braces.")
        if len(given) > MOST_DOCUMENTS:
            raise forms.ValidationError(f"Paste {MOST_DOCUMENTS} documents at most.")
        docs = [doc if "_source" in doc else {"_source": doc} for doc in given]
        try:
            return simulating.docs_in({"docs": docs})
        except InferenceError as exc:
            raise forms.ValidationError(sentence(str(exc))) from exc


def example_document(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by the names that the inference processors of a checked pipeline read."""
    document: dict[str, Any] = {}
    for options in inference_processors(config):
        pairs = input_outputs(options) if "input_output" in options else []
        fields = [pair["input_field"] for pair in pairs] or list(options.get("field_map") or ())
        for path in fields or [MODEL_INPUT]:
            *parents, last = path.split(".")
            if parents[:1] == ["_ingest"]:
                continue
            node = document
            for parent in parents:
                inner = node.setdefault(parent, {})
                node = inner if isinstance(inner, dict) else {}
            node.setdefault(last, EXAMPLE_TEXT)
    return document or {"content": EXAMPLE_TEXT}


def _object(value: Any) -> Any:
    if not isinstance(value, dict):
        raise forms.ValidationError("Write a JSON object, in braces.")
    return value


def _checked(check: Callable[[Any], None], value: ValueT) -> ValueT:
    try:
        check(value)
    except InferenceError as exc:
        raise forms.ValidationError(sentence(str(exc))) from exc
    return value
