"""How schemathesis makes its calls: to endpoints that are there, and for whole answers."""

import re
from collections import Counter
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

MODELS = {
    "text_embedding": ".all-minilm-l6-v2",
    "sparse_embedding": ".minilm-sparse-v1",
    "rerank": ".minilm-rerank-v1",
}
# How often the same is tried of a field, with values of other types.
TRIES = 4
tried = Counter[tuple[str, str]]()


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Of what is tried of each field one after the other, leave out what was tried enough.

    Thirty services have settings of the same names, which the same code checks.
    """
    if case.meta.phase.name != TestPhase.COVERAGE:
        return True
    what = re.split(r" -> |value: ", case.meta.phase.data.description)[-1]
    tried[context.operation.label, what] += 1
    return tried[context.operation.label, what] <= TRIES


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Leave out what every route takes: the tests of the wire look at it, and it costs much time.

    An answer that `filter_path` cut would be only a part of what is described, too.
    """
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            own = [one for one in operation["parameters"] if "$ref" not in one]
            operation["parameters"] = own
            if body := operation.get("requestBody"):
                body["content"] = {"application/json": body["content"]["application/json"]}


@schemathesis.hook
def map_path_parameters(
    context: Any, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Call what is there; endpoints that are made, changed and deleted are others."""
    is_call = context.operation.method == "post"
    if is_call and path_parameters and "inference_id" in path_parameters:
        task = str(path_parameters.get("task_type"))
        path_parameters["inference_id"] = f"my-{task if task in MODELS else 'text_embedding'}"
    return path_parameters
