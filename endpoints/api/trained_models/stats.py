"""What the models and their deployments did so far."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from endpoints import trained_models
from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.trained_models.models import allows_no_match, page
from endpoints.api.trained_models.shown import (
    byte_text,
    cache_size,
    moment,
    node,
    reason_of,
    required_memory,
    routing_state,
)
from endpoints.models import Deployment, NameInPipeline, TrainedModel
from endpoints.permissions import Action


class StatsView(ElasticView):
    def get(self, request: UserRequest, ids: str = "") -> HttpResponse:
        require(request.user, Action.MODEL_STATS)
        params = self.params(request, "allow_no_match", "from", "size")
        window, is_human = page(params), params.flag("human")
        found = trained_models.find_with_deployments(
            request.user, ids, allow_no_match=allows_no_match(params)
        )
        named = list(NameInPipeline.objects.values_list("inference_id", flat=True))
        shown = [
            stats
            for model, deployments in found[window]
            for stats in model_stats(model, deployments, named, is_human=is_human)
        ]
        return self.answer({"count": len(found), "trained_model_stats": shown})


def model_stats(
    model: TrainedModel,
    deployments: list[Deployment],
    named_by_pipelines: list[str],
    *,
    is_human: bool,
) -> Iterator[dict[str, Any]]:
    """One element for each deployment of a model, or one for a model that has none.

    named_by_pipelines: an id as often as there are pipelines that name it.
    """
    each: Sequence[Deployment | None] = deployments or [None]
    for deployment in each:
        names = {model.model_id} | ({deployment.deployment_id} if deployment else set())
        shown: dict[str, Any] = {
            "model_id": model.model_id,
            "model_size_stats": size_stats(model, deployment, is_human=is_human),
            "pipeline_count": sum(name in names for name in named_by_pipelines),
        }
        if deployment:
            counted = deployment.stats
            shown["inference_stats"] = {
                "failure_count": counted.get("error_count", 0),
                "inference_count": counted.get("inference_count", 0),
                "cache_miss_count": 0,
                "missing_all_fields_count": 0,
                **moment("timestamp", timezone.now(), is_human=is_human),
            }
            shown["deployment_stats"] = deployment_stats(deployment, is_human=is_human)
        yield shown


def size_stats(
    model: TrainedModel, deployment: Deployment | None, *, is_human: bool
) -> dict[str, Any]:
    sizes = {
        "model_size": model.size_bytes,
        "required_native_memory": required_memory(
            model, deployment.num_allocations if deployment else 1
        ),
    }
    shown: dict[str, Any] = {}
    for name, size_bytes in sizes.items():
        if is_human:
            shown[name] = byte_text(size_bytes)
        shown[f"{name}_bytes"] = size_bytes
    return shown


def deployment_stats(deployment: Deployment, *, is_human: bool) -> dict[str, Any]:
    counted = deployment.stats
    current, target = deployment.current_allocations, deployment.num_allocations
    shown: dict[str, Any] = {
        "deployment_id": deployment.deployment_id,
        "model_id": deployment.model.model_id,
        "threads_per_allocation": deployment.num_threads,
        "number_of_allocations": target,
    }
    if deployment.adaptive_allocations is not None:
        shown["adaptive_allocations"] = deployment.adaptive_allocations
    shown |= {"queue_capacity": deployment.queue_capacity, "state": routing_state(deployment)}
    if reason := reason_of(deployment):
        shown["reason"] = reason
    shown["allocation_status"] = {
        "allocation_count": current,
        "target_allocation_count": target,
        "state": allocation_state(current, target),
    }
    shown |= {"cache_size": cache_size(deployment), "priority": deployment.priority}
    shown |= moment("start_time", deployment.created_at, is_human=is_human)
    shown |= {name: counted[name] for name in OMITTED_AT_ZERO if counted.get(name)}
    shown["peak_throughput_per_minute"] = counted.get("peak_throughput_per_minute", 0)
    shown["nodes"] = [node_stats(deployment, is_human=is_human)]
    return shown


# In the order in which they are shown.
OMITTED_AT_ZERO = ("inference_count", "error_count", "rejected_execution_count", "timeout_count")


def allocation_state(current: int, target: int) -> str:
    if current >= target:
        return "fully_allocated"
    return "started" if current else "starting"


def node_stats(deployment: Deployment, *, is_human: bool) -> dict[str, Any]:
    """What the one node did for a deployment; little for one that does not run."""
    counted, state = deployment.stats, routing_state(deployment)
    routing = {"routing_state": state}
    if reason := reason_of(deployment):
        routing["reason"] = reason
    shown: dict[str, Any] = {"node": node(), "routing_state": routing}
    throughput = {
        "peak_throughput_per_minute": counted.get("peak_throughput_per_minute", 0),
        "throughput_last_minute": counted.get("throughput_last_minute", 0),
    }
    if state != "started":
        return shown | dict.fromkeys(throughput, 0)
    count = counted.get("inference_count", 0)
    shown["inference_count"] = count
    mean_ms = counted.get("average_inference_time_ms")
    if count and mean_ms is not None:
        shown["average_inference_time_ms"] = mean_ms
        shown["average_inference_time_ms_excluding_cache_hits"] = mean_ms
    shown["inference_cache_hit_count"] = 0  # there is no cache
    if last := counted.get("last_access"):
        shown |= moment("last_access", last, is_human=is_human)
    shown["number_of_pending_requests"] = counted.get("number_of_pending_requests", 0)
    shown |= {name: counted[name] for name in OMITTED_AT_ZERO[1:] if counted.get(name)}
    started_at = counted.get("start_time") or deployment.state_changed_at
    shown |= moment("start_time", started_at, is_human=is_human)
    shown |= {
        "threads_per_allocation": deployment.num_threads,
        "number_of_allocations": deployment.current_allocations,
        **throughput,
    }
    if (last_minute := counted.get("average_inference_time_ms_last_minute")) is not None:
        shown["average_inference_time_ms_last_minute"] = last_minute
    shown["inference_cache_hit_count_last_minute"] = 0
    if allocations := counted.get("allocations"):
        shown["allocations"] = allocations  # ours: what each of them does and did
    return shown
