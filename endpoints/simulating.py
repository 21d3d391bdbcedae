"""Running a pipeline on documents that are stored nowhere, as somebody."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.utils import timezone

from endpoints import pipelines
from endpoints.models import User
from inference.errors import InvalidArgument
from inference.references.errors import InvalidPipeline
from inference.references.pipelines import check_pipeline
from inference.references.simulate import simulate, simulate_verbose


def run(
    user: User,
    config: Mapping[str, Any],
    docs: Sequence[Mapping[str, Any]],
    *,
    is_verbose: bool = False,
    is_trial: bool = False,
) -> list[dict[str, Any]]:
    """What becomes of each document, as the API tells it; one that fails tells why.

    config: a checked pipeline. docs: as `docs_in` gives them. is_trial: whether a page asks.
    """
    how = simulate_verbose if is_verbose else simulate
    infer = partial(pipelines.infer, user, is_trial=is_trial)
    return how(config, docs, infer, timezone.now())


def stored(pipeline_id: str) -> dict[str, Any]:
    """Raises InvalidArgument where there is no such pipeline."""
    found = [] if "*" in pipeline_id else pipelines.find(pipeline_id)
    if len(found) != 1:
        raise InvalidArgument(f"pipeline [{pipeline_id}] does not exist")
    config: dict[str, Any] = found[0].config
    return config


def inline(body: Mapping[str, Any]) -> dict[str, Any]:
    """The pipeline that a body holds. Raises what `check_pipeline` raises."""
    config = body.get("pipeline")
    if config is None:
        raise missing("pipeline")
    check_pipeline(config)
    checked: dict[str, Any] = config
    return checked


def docs_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The documents that a body holds, one at least. Raises InvalidPipeline or InvalidArgument."""
    docs = body.get("docs")
    if docs is None:
        raise missing("docs")
    if not isinstance(docs, list) or any(not isinstance(doc, dict) for doc in docs):
        raise InvalidPipeline("[docs] property isn't a list of maps", {"property_name": "docs"})
    if not docs:
        raise InvalidArgument("must specify at least one document in [docs]")
    for doc in docs:
        if doc.get("_source") is None:
            raise missing("_source")
        if not isinstance(doc["_source"], dict):
            raise InvalidPipeline("[_source] property isn't a map", {"property_name": "_source"})
    return docs


def missing(name: str) -> InvalidPipeline:
    return InvalidPipeline(f"[{name}] required property is missing", {"property_name": name})
