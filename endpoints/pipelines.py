"""Ingest pipelines: finding, putting and removing them, and what running one asks of endpoints."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction

from endpoints import audit, calls, model_inference
from endpoints.access import endpoint_to_call
from endpoints.attempts import attempt
from endpoints.expressions import is_named
from endpoints.models import IngestPipeline, User
from endpoints.models.model import USUAL_INPUTS
from endpoints.seen import Seen
from inference.errors import Conflict, InvalidArgument, InvalidRequest, NotFound
from inference.references.pipelines import check_pipeline, inference_processors, next_version
from inference.references.simulate import Prediction
from inference.types import (
    QUERY,
    InferenceRequest,
    InferenceResult,
    InputType,
    Ranking,
    SparseEmbeddings,
    TextEmbeddings,
)

INFER_TIMEOUT_S = 10.0
MAX_INFERENCE_PROCESSORS = 50
MAX_ID_LENGTH = 256


def check_id(pipeline_id: str) -> None:
    """Raises InvalidArgument."""
    if any(character in "*,\0" for character in pipeline_id):
        raise InvalidArgument(f"Invalid pipeline id [{pipeline_id}], must not contain '*' or ','")
    if len(pipeline_id) > MAX_ID_LENGTH:
        raise InvalidArgument(f"A pipeline id may have {MAX_ID_LENGTH} characters at most")


def find(expression: str) -> list[IngestPipeline]:
    """The pipelines of a list of ids and wildcards; what is not there is left out."""
    names = expression.split(",")
    return [
        pipeline
        for pipeline in IngestPipeline.objects.all()
        if any(is_named(pipeline.pipeline_id, name) for name in names)
    ]


def get(pipeline_id: str) -> IngestPipeline:
    """Raises NotFound."""
    found = IngestPipeline.objects.filter(pipeline_id=pipeline_id).first()
    if found is None:
        raise NotFound(f"pipeline [{pipeline_id}] is missing")
    return found


@attempt("pipeline.put", on="pipeline_id")
@transaction.atomic
def put(
    pipeline_id: str, config: Any, if_version: int | None = None, *, seen: Seen | None = None
) -> IngestPipeline:
    """Store a pipeline, over another of the same id. seen: what alone it may be written over.

    Raises InvalidPipeline or InvalidArgument for what cannot be, ChangedMeanwhile, and Conflict
    where there would be too many inference processors.
    """
    check_id(pipeline_id)
    check_pipeline(config)
    every = {one.pipeline_id: one for one in IngestPipeline.objects.select_for_update()}
    current = every.pop(pipeline_id, None)
    if seen is not None:
        seen.check(current, f"pipeline [{pipeline_id}]")
    if if_version is not None:
        version = next_version(config, current.config if current else None, if_version)
        config = config | {"version": version}
    check_inference_processors([config, *(one.config for one in every.values())])
    pipeline, _ = IngestPipeline.objects.update_or_create(
        pipeline_id=pipeline_id, defaults={"config": config, "version": config.get("version")}
    )
    before = current.config if current else None
    audit.record("pipeline.put", pipeline_id, before=before, after=config)
    return pipeline


def check_inference_processors(configs: Iterable[Mapping[str, Any]]) -> None:
    count = sum(1 for config in configs for _ in inference_processors(config))
    if count > MAX_INFERENCE_PROCESSORS:
        raise Conflict(
            f"Max number of inference processors reached, total inference processors [{count}]. "
            "Adjust the setting [xpack.ml.max_inference_processors]: "
            f"[{MAX_INFERENCE_PROCESSORS}] if a greater number is desired."
        )


@attempt("pipeline.delete", on="expression")
@transaction.atomic
def delete(expression: str) -> None:
    """Raises NotFound where an id, or a wildcard that is not just `*`, finds nothing."""
    found = find(expression)
    for name in expression.split(","):
        if name != "*" and not any(is_named(one.pipeline_id, name) for one in found):
            raise NotFound(f"pipeline [{name}] is missing")
    IngestPipeline.objects.filter(pk__in=[pipeline.pk for pipeline in found]).delete()
    for pipeline in found:
        audit.record("pipeline.delete", pipeline.pipeline_id, before=pipeline.config)


def infer(
    user: User,
    model_id: str,
    texts: Sequence[str],
    config: Mapping[str, Any],
    *,
    is_trial: bool = False,
) -> list[Prediction]:
    """Run an endpoint or a trained model on texts for an inference processor, as somebody.

    The texts are read as those of documents that are stored. is_trial: as for a call.
    """
    try:
        endpoint = endpoint_to_call(user, model_id)
    except NotFound:
        if not model_inference.is_known(user, model_id):
            raise
        return model_predictions(user, model_id, texts, config)
    query = config.get("text_similarity", {}).get("text")
    request = InferenceRequest(
        tuple(texts),
        query=query if isinstance(query, str) else None,
        input_type=InputType.INGEST,
    )
    return predictions(
        calls.run_inference(endpoint, request, INFER_TIMEOUT_S, user, is_trial=is_trial)
    )


def model_predictions(
    user: User, model_id: str, texts: Sequence[str], config: Mapping[str, Any]
) -> list[Prediction]:
    """What a deployed model says of each text. Raises InvalidRequest for one it cannot take."""
    changes = {
        kind: {name: value for name, value in options.items() if name != "results_field"}
        for kind, options in config.items()
    }
    docs = [{USUAL_INPUTS[0]: text} for text in texts]
    results = model_inference.infer(user, model_id, docs, changes or None, INFER_TIMEOUT_S)
    for result in results:
        if problem := result.get("error"):
            raise InvalidRequest(problem)
    return [
        Prediction(plain(result[model_inference.RESULT]), result.get("is_truncated", False))
        for result in results
    ]


def predictions(result: InferenceResult) -> list[Prediction]:
    """One for each text, in plain JSON."""
    match result:
        case TextEmbeddings(vectors, truncated):
            rows = plain(vectors)
            return [Prediction(row, str(number) in truncated) for number, row in enumerate(rows)]
        case SparseEmbeddings(rows):
            return [Prediction(row.weights, row.is_truncated) for row in rows]
        case Ranking(documents, truncated):
            ranked = sorted(documents, key=lambda document: document.index)
            return [
                Prediction(
                    document.relevance_score,
                    QUERY in truncated or str(document.index) in truncated,
                )
                for document in ranked
            ]
    raise InvalidRequest("the task of this endpoint is not supported in pipelines")


def plain(value: Any) -> Any:
    """As an answer would have it: lists for arrays, with no more digits than those hold."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
