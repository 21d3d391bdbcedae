"""Texts with `${name}` in them, filled in one pass: what is inserted is never looked at again.

So no value can name another one, whoever sent it. `${name:-fallback}` has a text of its own for a
name that has no value.
"""

import re
from collections.abc import Mapping

from inference.errors import shown

PLACEHOLDER = re.compile(r"(\$?)\$\{([^}]*)\}")
OPENED, CLOSED, ELSE = "${", "}", ":-"


class TemplateError(ValueError):
    """A template that cannot be filled; the text tells no value."""


def fill(template: str, values: Mapping[str, str], field: str) -> str:
    """The template with each `${name}` replaced.

    field: where it stands, for the reason. Raises TemplateError for a name without a value and
    without a fallback, for `$${name}`, and for a template within another.
    """

    def value_of(found: re.Match[str]) -> str:
        escape, inner = found.groups()
        name, has_fallback, fallback = inner.partition(ELSE)
        if escape:
            raise left_over(found[0].removeprefix(escape), field)
        if OPENED in fallback:
            raise left_over(OPENED + fallback.rpartition(OPENED)[2] + CLOSED, field)
        value = values.get(name, fallback if has_fallback else None)
        if value is None:
            raise left_over(found[0], field)
        return value

    # Behind the last brace nothing can end, so that nothing has to be looked for in vain.
    end = template.rfind(CLOSED) + 1
    return PLACEHOLDER.sub(value_of, template[:end]) + template[end:]


def left_over(placeholder: str, field: str) -> TemplateError:
    return TemplateError(
        f"Found placeholder [{shown(placeholder)}] in field [{field}] after replacement call, "
        "please check that all templates have a corresponding field definition."
    )
