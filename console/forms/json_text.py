"""JSON that people write: where it breaks off is told by line and column."""

import re
from typing import Any

import orjson
from django import forms

from console.forms.endpoints import CODE
from endpoints.api.bodies import check_storable, check_unique
from inference.errors import InferenceError

# Of an indented text; no string in it can hold a line break.
NUMBERS = re.compile(r"(?<=\[)\n[-+.,\deE\s]+(?=\])")

EDITOR = {
    **CODE,
    "data-editor": "",
    "class": "form-control font-monospace editor-text",
    "wrap": "off",
    "autocapitalize": "off",
}


class BadJson(forms.ValidationError):
    """line, column: where it breaks off, counted from 1."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(f"Line {line}, column {column}: {problem}.", code="json")
        self.line, self.column = line, column


class JsonField(forms.CharField):
    """Takes JSON that can be stored and says one thing."""

    def __init__(self, *, rows: int, **options: Any) -> None:
        widget = forms.Textarea(attrs=EDITOR | {"rows": rows})
        super().__init__(widget=widget, strip=False, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text.strip():
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return None
        parsed = parsed_text(text)
        try:
            check_storable(parsed)
            check_unique(text.encode())
        except InferenceError as exc:
            raise forms.ValidationError(sentence(str(exc))) from exc
        return parsed


def parsed_text(text: str) -> Any:
    """Raises BadJson, a line break counting as one sign however it was sent."""
    try:
        return orjson.loads(text.replace("\r\n", "\n").encode(errors="surrogatepass"))
    except orjson.JSONDecodeError as exc:
        raise BadJson(exc.msg, exc.lineno, exc.colno) from exc


def place_of(form: forms.Form, name: str) -> BadJson | None:
    """Where the text of a field breaks off, if that is what is wrong with it."""
    errors = form.errors.get(name)
    found = errors.as_data() if errors else []
    return next((error for error in found if isinstance(error, BadJson)), None)


def pretty(value: Any) -> str:
    """JSON as people read and write it: numbers in a list stand beside each other."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return NUMBERS.sub(lambda found: " ".join(found[0].split()), text)


def sentence(problem: str) -> str:
    return problem[:1].upper() + problem[1:] + ("" if problem.endswith(".") else ".")
