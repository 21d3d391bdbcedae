"""Answers from memory, for the endpoints that want them.

Every web process has vectors of its own. What they are known by holds a generation that stands in
the row of the endpoint: a purge begins another, and from then on no process finds what is older.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from endpoints import audit
from endpoints.attempts import attempt
from endpoints.models import Endpoint
from inference.cache import CACHED_TASKS, Compute, VectorCache, digest_of, run_cached
from inference.errors import Conflict, InvalidRequest
from inference.services import find_service
from inference.services.base import EndpointConfig
from inference.types import InferenceRequest, InferenceResult

CUT_BY = "max_input_tokens"
PERIOD = timedelta(hours=24)


@cache
def vectors() -> VectorCache:
    return VectorCache(settings.CACHE_MB * 1_000_000)


def run(
    endpoint: Endpoint, request: InferenceRequest, compute: Compute
) -> tuple[InferenceResult, int]:
    """The result, and how many inputs needed no computing. Raises what `compute` raises."""
    task_settings = {**endpoint.task_settings, **request.task_settings}
    if find_service(endpoint.service).mixes_inputs(task_settings):
        return compute(request), 0
    return run_cached(vectors(), owner_of(endpoint), endpoint.task, request, compute)


def owner_of(endpoint: Endpoint) -> bytes:
    return digest_of(fingerprint=endpoint.fingerprint, generation=endpoint.cache_generation)


@dataclass(frozen=True)
class CacheState:
    """looked_up_inputs, cached_inputs: within PERIOD, rounded to hours, of all web processes.

    size_bytes: what the web process at hand keeps for the endpoint. most_bytes: what each process
    keeps at most, for all endpoints together.
    """

    is_enabled: bool
    looked_up_inputs: int
    cached_inputs: int
    size_bytes: int
    most_bytes: int

    @property
    def hit_rate(self) -> float | None:
        """The share of inputs that needed no computing; None where nobody asked."""
        return self.cached_inputs / self.looked_up_inputs if self.looked_up_inputs else None

    @property
    def hit_percent(self) -> float:
        return 100 * (self.hit_rate or 0)

    def to_response(self) -> dict[str, Any]:
        return {
            "enabled": self.is_enabled,
            "looked_up_inputs": self.looked_up_inputs,
            "cached_inputs": self.cached_inputs,
            "hit_rate": self.hit_rate,
            "size_in_bytes": self.size_bytes,
            "max_size_in_bytes": self.most_bytes,
        }


def state_of(endpoint: Endpoint) -> CacheState:
    counted = endpoint.usage.filter(hour__gt=timezone.now() - PERIOD).cached_share()
    return CacheState(
        is_enabled=endpoint.is_cached,
        looked_up_inputs=counted.looked_up_inputs,
        cached_inputs=counted.cached_inputs,
        size_bytes=vectors().size_bytes_of(owner_of(endpoint)),
        most_bytes=vectors().most_bytes,
    )


def can_be_cached(endpoint: Endpoint) -> bool:
    return endpoint.task in CACHED_TASKS


@attempt("endpoint.cache", on="endpoint")
def switch(endpoint: Endpoint, *, is_on: bool) -> None:
    """Let an endpoint be answered from memory, or no longer; on again, it begins with nothing.

    Raises InvalidRequest for a task that has no vectors to keep, Conflict where this installation
    keeps none or where nobody knows what the vectors of the endpoint depend on.
    """
    name = f"Inference endpoint [{endpoint.inference_id}]"
    if is_on and not can_be_cached(endpoint):
        tasks = ", ".join(sorted(CACHED_TASKS))
        raise InvalidRequest(
            f"{name} has task type [{endpoint.task}]; only the results of [{tasks}] can be cached"
        )
    if is_on and not vectors().most_bytes:
        raise Conflict(f"{name} cannot be cached: [CONSOLE_CACHE_MB] is 0 on this installation")
    if is_on and not endpoint.fingerprint:
        raise Conflict(
            f"{name} cannot be cached: it is older than the fingerprints by which vectors are "
            "kept. Update it once, or create it anew"
        )
    row = Endpoint.objects.filter(pk=endpoint.pk)
    with transaction.atomic():
        if is_on:
            changed = row.filter(cache_generation="").update(cache_generation=new_generation())
        else:
            changed = row.exclude(cache_generation="").update(cache_generation="")
        before, after = {"enabled": is_on ^ bool(changed)}, {"enabled": is_on}
        audit.record(
            "endpoint.cache", endpoint.inference_id, team=endpoint.team, before=before, after=after
        )


@transaction.atomic
def purge(endpoint: Endpoint) -> None:
    """Let no process find what was kept until now. Without a cache there is nothing to do."""
    begin_anew(endpoint)
    audit.record("endpoint.purge", endpoint.inference_id, team=endpoint.team)


def begin_anew(endpoint: Endpoint) -> None:
    row = Endpoint.objects.filter(pk=endpoint.pk).exclude(cache_generation="")
    row.update(cache_generation=new_generation())


def purge_if_cut_elsewhere(endpoint: Endpoint, config: EndpointConfig) -> None:
    """Purge where with a new configuration texts are cut at another place than before.

    The fingerprint does not tell: for texts that fit, the vectors are the same.
    """
    if endpoint.service_settings.get(CUT_BY) != getattr(config.service_settings, CUT_BY, None):
        begin_anew(endpoint)


def new_generation() -> str:
    """One that no endpoint ever had."""
    return token_hex(8)
