"""Lists, and names with their values, as rows that are added and taken away."""

from collections.abc import Mapping
from typing import Any

import orjson
from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from console.forms.settings import rows_in

# Empty rows for who has no script to add one.
SPARE_ROWS = 3


class Rows(forms.Widget):
    """Several inputs that are one text: lines, or a JSON list of names with values.

    label: of all of them. has_names: whether each row has a name beside its value. is_secret:
    values are never sent back.
    """

    use_fieldset = False

    def __init__(
        self, attrs: dict[str, Any], label: str, *, has_names: bool, is_secret: bool = False
    ) -> None:
        super().__init__(attrs)
        self.label, self.has_names, self.is_secret = label, has_names, is_secret

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str:
        """What is written in the rows; a text of that form is taken as it is."""
        values = listed(data, f"{name}.value")
        if not values:
            return str(data.get(name) or "")
        if not self.has_names:
            return "\n".join(filter(None, map(str.strip, values)))
        names = [*listed(data, f"{name}.name"), *[""] * len(values)]
        rows = [
            [own.strip(), value.strip()]
            for own, value in zip(names, values, strict=False)
            if own.strip() or value.strip()
        ]
        return orjson.dumps(rows).decode() if rows else ""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        rows = self.rows_of(str(value or ""))
        if self.is_secret:
            rows = [[own, ""] for own, _ in rows]
        attributes = self.build_attrs(self.attrs, attrs)
        context = {
            "name": name,
            "label": self.label,
            "rows": rows,
            "spare_rows": range(1 if rows else SPARE_ROWS),
            "has_names": self.has_names,
            "is_secret": self.is_secret,
            "id": attributes.pop("id", ""),
            "invalid": attributes.get("aria-invalid"),
            "described_by": attributes.get("aria-describedby"),
            "placeholder": attributes.get("placeholder"),
        }
        return mark_safe(render_to_string("widgets/rows.html", context))  # noqa: S308 - a template's

    def rows_of(self, text: str) -> list[list[str]]:
        if not self.has_names:
            return [["", line] for line in text.splitlines()]
        try:
            return rows_in(text) if text else []
        except ValueError:
            return [["", text]]


def listed(data: Any, name: str) -> list[str]:
    """All that was sent under a name."""
    return list(data.getlist(name)) if hasattr(data, "getlist") else list(data.get(name) or ())
