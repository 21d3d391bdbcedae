"""What stands behind the ids that mappings and pipelines name, as far as somebody sees it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from endpoints.access import visible_endpoints
from endpoints.model_inference import names_of_models
from endpoints.models import Endpoint, NameInIndex, NameInPipeline, User
from endpoints.references import model_settings
from inference.references.cluster import Kind
from inference.references.mappings import EMBEDDING_TASKS, is_compatible
from inference.types import TaskType

# What can be of use there: vectors for a field, anything that says one thing of each text.
TASKS: Mapping[Kind, Collection[str]] = {
    Kind.INDEX: EMBEDDING_TASKS,
    Kind.PIPELINE: (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING, TaskType.RERANK),
}
CANNOT = {
    Kind.INDEX: "a semantic_text field needs an endpoint that makes embeddings",
    Kind.PIPELINE: "a pipeline needs an endpoint that makes embeddings or reranks",
}


@dataclass(frozen=True)
class Named:
    """An id that something names. problem: why what has it is of no use there; empty if it is.

    endpoint: None where no endpoint has it that somebody sees. is_model: whether a model or a
    deployment has it, which pipelines may name, too.
    """

    inference_id: str
    endpoint: Endpoint | None = None
    is_model: bool = False
    problem: str = ""

    @property
    def is_missing(self) -> bool:
        return self.endpoint is None and not self.is_model


@dataclass(frozen=True)
class Known:
    """What there is. endpoints: by id. models: the names of models and deployments."""

    endpoints: Mapping[str, Endpoint]
    models: Collection[str] = ()

    def named(
        self, inference_id: str, kind: Kind, known_model: Mapping[str, Any] | None = None
    ) -> Named:
        """known_model: the model settings that the vectors there were made with, if any were."""
        endpoint = self.endpoints.get(inference_id)
        if endpoint is None:
            is_model = kind == Kind.PIPELINE and inference_id in self.models
            return Named(inference_id, is_model=is_model)
        problem = ""
        if endpoint.task_type not in TASKS[kind]:
            problem = f"its task is {endpoint.task_type}: {CANNOT[kind]}"
        elif known_model and not is_compatible(known_model, _model_of(endpoint)):
            problem = "the vectors that are stored there come from another model"
        return Named(inference_id, endpoint, problem=problem)


def known_to(user: User, inference_ids: Collection[str], kind: Kind) -> Known:
    """What somebody sees of these, in as many queries however many there are."""
    found = visible_endpoints(user).filter(inference_id__in=inference_ids)
    endpoints = {endpoint.inference_id: endpoint for endpoint in found}
    if kind == Kind.INDEX:
        return Known(endpoints)
    left = [one for one in inference_ids if one not in endpoints]
    return Known(endpoints, names_of_models(user, left) if left else ())


def missing_to(user: User, kind: Kind) -> QuerySet[NameInIndex] | QuerySet[NameInPipeline]:
    """The names of this installation behind which `known_to` knows nothing."""
    there = visible_endpoints(user).order_by().values("inference_id")
    if kind == Kind.INDEX:
        return NameInIndex.objects.exclude(inference_id__in=there)
    left = NameInPipeline.objects.exclude(inference_id__in=there)
    models = names_of_models(user, left.values_list("inference_id", flat=True))
    return left.exclude(inference_id__in=models)


def _model_of(endpoint: Endpoint) -> dict[str, Any]:
    return model_settings(endpoint.task_type, endpoint.service, endpoint.known_settings)
