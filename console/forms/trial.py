"""What a try before saving sends: the same fields as the panel of an endpoint has."""

from typing import Any

from console.forms.try_it import TRY_FORMS, TryForm
from inference.types import TaskType

PREFIX = "trial"


def trial_form(task_type: TaskType, data: Any = None) -> TryForm | None:
    """Its fields, and what they were sent with; None for a task that cannot be tried.

    What a form for another task sent is left out.
    """
    form_class = TRY_FORMS.get(task_type)
    if form_class is None:
        return None
    is_sent = data is not None and any(
        f"{PREFIX}-{name}" in data for name in form_class.base_fields
    )
    form = form_class(data if is_sent else None, initial=form_class.example, prefix=PREFIX)
    for field in form.fields.values():
        field.widget.attrs["form"] = "create"  # beside it on the page, and sent with it
    return form
