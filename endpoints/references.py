"""Who refers to an endpoint: what stops it from being deleted, or from being another model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from endpoints.models import Endpoint, IndexMapping, IngestPipeline
from inference.references.mappings import is_compatible, referenced_ids, semantic_fields
from inference.references.pipelines import referenced_models
from inference.runner.catalogue import BUILTIN_MODELS
from inference.types import TaskType

ADVICE = (
    "are using this inference endpoint before deleting it, "
    "or use force to ignore this warning and delete the inference endpoint."
)


@dataclass(frozen=True)
class References:
    """The pipelines and indexes that name an endpoint, sorted."""

    inference_id: str
    pipelines: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pipelines or self.indexes)

    def by_kind(self) -> dict[str, list[str]]:
        """The names as they are stored; a kind that was looked for and not found is empty."""
        return {"pipelines": list(self.pipelines), "indexes": list(self.indexes)}

    @property
    def message(self) -> str:
        """Why the endpoint is not deleted; empty where nothing names it."""
        sentences = []
        if self.pipelines:
            sentences.append(
                f"Inference endpoint {self.inference_id} is referenced by pipelines: "
                f"[{', '.join(self.pipelines)}]. Ensure that no pipelines {ADVICE}"
            )
        if self.indexes:
            sentences.append(
                f"Inference endpoint {self.inference_id} is being used in the mapping for indexes: "
                f"[{', '.join(self.indexes)}]. Ensure that no index mappings {ADVICE}"
            )
        return " ".join(sentences)


def references_to(inference_id: str) -> References:
    return References(
        inference_id,
        pipelines=tuple(
            sorted(
                pipeline.pipeline_id
                for pipeline in IngestPipeline.objects.all()
                if inference_id in referenced_models(pipeline.config)
            )
        ),
        indexes=tuple(
            sorted(
                index.name
                for index in IndexMapping.objects.all()
                if inference_id in referenced_ids(index.mappings)
            )
        ),
    )


def incompatible_indexes(inference_id: str, model_settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The indexes that name this id with model settings that such an endpoint would not fit."""
    return tuple(
        sorted(
            index.name
            for index in IndexMapping.objects.all()
            if any(
                inference_id in (field.get("inference_id"), field.get("search_inference_id"))
                and not is_compatible(field.get("model_settings") or {}, model_settings)
                for _, field in semantic_fields(index.mappings)
            )
        )
    )


def model_settings(
    task_type: str, service: str, service_settings: Mapping[str, Any]
) -> dict[str, Any]:
    """What a mapping keeps of an endpoint's model, as far as it is known."""
    known: dict[str, Any] = {"service": service, "task_type": task_type}
    if task_type in (TaskType.TEXT_EMBEDDING, TaskType.EMBEDDING):
        builtin = BUILTIN_MODELS.get(service_settings.get("model_id", ""))
        for name, value in (
            ("dimensions", builtin and builtin.dimensions),
            ("similarity", builtin and builtin.similarity),
            ("element_type", "float"),
        ):
            known[name] = service_settings.get(name) or value
    return {name: value for name, value in known.items() if value is not None}


def model_settings_of(inference_id: str) -> dict[str, Any] | None:
    """The model settings of an endpoint, or None where there is none of this id."""
    endpoint = Endpoint.objects.filter(inference_id=inference_id).first()
    if endpoint is None:
        return None
    return model_settings(endpoint.task_type, endpoint.service, endpoint.service_settings)
