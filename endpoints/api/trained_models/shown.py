"""Models and deployments as the API shows them, keys in Elasticsearch's order."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings

from endpoints.api.cluster import ES_VERSION, cluster_info
from endpoints.models import Deployment, DeploymentState, TrainedModel
from inference.errors import InvalidArgument

VERSION = "12.0.0"
CONFIG_ORDER = (
    "description",
    "tags",
    "metadata",
    "model_package",
    "input",
    "inference_config",
    "prefix_strings",
    "platform_architecture",
    "location",
)
SIZE = re.compile(r"(\d+(?:\.\d+)?)(b|kb|mb|gb|tb|pb)?", re.IGNORECASE)
UNITS = ("b", "kb", "mb", "gb", "tb", "pb")
OVERHEAD_BYTES = 240 * 1024 * 1024
ROUTING_STATES = {
    DeploymentState.WAITING: "starting",
    DeploymentState.STARTING: "starting",
    DeploymentState.STARTED: "started",
    DeploymentState.FAILED: "failed",
}


def model_config(
    model: TrainedModel,
    *,
    is_generated: bool = True,
    has_status: bool = False,
    is_human: bool = False,
) -> dict[str, Any]:
    """A model's config. is_generated: with what this installation adds to what was put."""
    config = model.shown_config
    shown: dict[str, Any] = {}
    if is_generated:
        shown["model_id"] = model.model_id
    shown["model_type"] = config["model_type"]
    if is_generated:
        shown["created_by"] = "api_user"
        shown["version"] = VERSION
        shown |= moment("create_time", model.created_at, is_human=is_human)
        if is_human:
            shown["model_size"] = byte_text(model.size_bytes)
        shown["model_size_bytes"] = model.size_bytes
        shown["estimated_operations"] = 0
        shown["license_level"] = "platinum"
    shown |= {name: config[name] for name in CONFIG_ORDER if name in config}
    if has_status:
        is_defined = is_whole(model) if model.is_uploaded else model.has_files
        shown["fully_defined"] = is_defined
    return shown


def is_whole(model: TrainedModel) -> bool:
    return bool(model.definition_parts) and model.parts.count() == model.definition_parts


def assignment(deployment: Deployment) -> dict[str, Any]:
    """What a deployment was asked to be and how far it is."""
    model, state = deployment.model, routing_state(deployment)
    route = {
        "current_allocations": deployment.current_allocations,
        "target_allocations": deployment.num_allocations,
        "routing_state": state,
        "reason": deployment.reason if state == "failed" else "",
    }
    shown: dict[str, Any] = {
        "task_parameters": {
            "model_id": model.model_id,
            "deployment_id": deployment.deployment_id,
            "model_bytes": model.size_bytes,
            "threads_per_allocation": deployment.num_threads,
            "number_of_allocations": deployment.num_allocations,
            "queue_capacity": deployment.queue_capacity,
            "cache_size": cache_size(deployment),
            "priority": deployment.priority,
            **({"precision": deployment.precision} if deployment.precision else {}),
            "per_deployment_memory_bytes": memory_of(model, "per_deployment_memory_bytes"),
            "per_allocation_memory_bytes": memory_of(model, "per_allocation_memory_bytes"),
        },
        "routing_table": {node_id(): route},
        "assignment_state": state,
    }
    if reason := reason_of(deployment):
        shown["reason"] = reason
    return shown | {
        "start_time": iso(deployment.created_at),
        "max_assigned_allocations": deployment.num_allocations,
        "adaptive_allocations": deployment.adaptive_allocations,
    }


def routing_state(deployment: Deployment) -> str:
    return ROUTING_STATES[DeploymentState(deployment.state)]


def reason_of(deployment: Deployment) -> str:
    """Why it does not run, in words; empty for one that does."""
    if deployment.state == DeploymentState.STARTED:
        return ""
    if deployment.state == DeploymentState.WAITING:
        return deployment.reason or str(deployment.get_state_display())
    return deployment.reason


def memory_of(model: TrainedModel, name: str) -> int:
    """A figure of the config's metadata, in bytes; 0 where it says nothing."""
    value = model.shown_config.get("metadata", {}).get(name, 0)
    return value if isinstance(value, int) else 0


def required_memory(model: TrainedModel, allocations: int) -> int:
    """Bytes that a deployment will take, by what the config says or a rule of thumb."""
    each = memory_of(model, "per_allocation_memory_bytes")
    base = memory_of(model, "per_deployment_memory_bytes")
    if each and base:
        return base + each * allocations
    return OVERHEAD_BYTES + 2 * model.size_bytes


def cache_size(deployment: Deployment) -> str:
    return deployment.cache_size or byte_text(deployment.model.size_bytes)


def checked_size(text: str) -> str:
    """A size such as `10mb`, as it was given. Raises InvalidArgument."""
    if not SIZE.fullmatch(text.strip()):
        raise InvalidArgument(
            f"failed to parse setting [cache_size] with value [{text}] as a size in bytes: "
            "unit is missing or unrecognized"
        )
    return text


def byte_text(size_bytes: int) -> str:
    """A size for people, as Elasticsearch writes it: one decimal, cut and not rounded."""
    power = 0
    while power < len(UNITS) - 1 and size_bytes >= 1024 ** (power + 1):
        power += 1
    tenths = size_bytes * 10 // 1024**power
    whole, decimal = divmod(tenths, 10)
    return f"{whole}{f'.{decimal}' if decimal else ''}{UNITS[power]}"


def moment(name: str, at: datetime | int, *, is_human: bool) -> dict[str, Any]:
    """A time in milliseconds since 1970, and for people beside it."""
    millis = at if isinstance(at, int) else int(at.timestamp() * 1000)
    if not is_human:
        return {name: millis}
    return {f"{name}_string": iso(millis), name: millis}


def iso(at: datetime | int) -> str:
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


@cache
def node_id() -> str:
    uuid: str = cluster_info()["cluster_uuid"]
    return uuid[::-1]  # one installation is one node, which needs an id of its own


@cache
def node() -> dict[str, Any]:
    """The one node that there is."""
    name: str = cluster_info()["name"]
    return {
        node_id(): {
            "name": name,
            "ephemeral_id": node_id(),
            "transport_address": f"{settings.HOST}:{settings.PORT}",
            "external_id": name,
            "attributes": {},
            "roles": ["ml"],
            "version": ES_VERSION,
        }
    }
