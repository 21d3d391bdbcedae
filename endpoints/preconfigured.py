"""The endpoints that are always there, under the ids that Elasticsearch gives them.

Nothing runs for one until it is called for the first time.
"""

from typing import Any

from django.db import transaction

from endpoints import audit
from endpoints.models import Endpoint
from inference.services import find_service, fingerprint_of
from inference.types import TaskType

SERVICE = "elasticsearch"
PRECONFIGURED = {
    ".elser-2-elasticsearch": (TaskType.SPARSE_EMBEDDING, ".elser_model_2"),
    ".multilingual-e5-small-elasticsearch": (TaskType.TEXT_EMBEDDING, ".multilingual-e5-small"),
    ".rerank-v1-elasticsearch": (TaskType.RERANK, ".rerank-v1"),
}


@transaction.atomic
def ensure_preconfigured() -> None:
    """Store those that are missing."""
    known = set(
        Endpoint.objects.filter(inference_id__in=PRECONFIGURED).values_list(
            "inference_id", flat=True
        )
    )
    missing = [
        Endpoint(
            inference_id=inference_id,
            deployment_id=inference_id,
            **columns(task_type, model_id),
        )
        for inference_id, (task_type, model_id) in PRECONFIGURED.items()
        if inference_id not in known
    ]
    Endpoint.objects.bulk_create(missing, ignore_conflicts=True)
    for endpoint in missing:
        audit.record("endpoint.create", endpoint.inference_id, after=endpoint.kept)


def columns(task_type: TaskType, model_id: str) -> dict[str, Any]:
    settings = {
        "num_threads": 1,
        "model_id": model_id,
        "adaptive_allocations": {
            "enabled": True,
            "min_number_of_allocations": 0,
            "max_number_of_allocations": 32,
        },
    }
    config: dict[str, Any] = {"service_settings": settings}
    if task_type == TaskType.RERANK:
        config["task_settings"] = {"return_documents": True}
    checked = find_service(SERVICE).parse(task_type, config)
    return {
        "task_type": task_type,
        "service": SERVICE,
        "fingerprint": fingerprint_of(checked),
        **checked.columns(),
    }
