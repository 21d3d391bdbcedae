"""The way to providers, as the settings of this installation describe it."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import orjson
from django.conf import settings
from pydantic import SecretStr

from endpoints.models import Endpoint
from endpoints.secrets import SecretUnreadable, decrypt, encrypt
from inference.chat import ChatRequest
from inference.remote import Line
from inference.services import find_service
from inference.services.base import EndpointConfig
from inference.services.remote import RemoteService
from inference.services.settings import names_marked
from inference.types import InferenceRequest, TaskType
from inference.upstream.door import Door, Outside
from inference.upstream.limiting import Limiter, RedisTurns
from inference.upstream.mapping import OriginMap
from inference.upstream.pool import Way

PROBE_TEXT = "how big"
MOST_RESTORED = 1000


@cache
def door() -> Door:
    """The one that all threads of a process share: its connections, tokens and turns."""
    outside = Outside(
        origins=OriginMap(settings.UPSTREAM_MAP),
        way=Way(settings.UPSTREAM_PROXY or None, settings.UPSTREAM_CA or None),
        allows_private=settings.PRIVATE_UPSTREAMS,
    )
    return Door(outside, Limiter(shared_turns()))


@cache
def shared_turns() -> RedisTurns | None:
    """The turns of all processes that share a Redis; None where they share none."""
    return RedisTurns(settings.REDIS_URL) if settings.REDIS_URL else None


def line_of(endpoint: Endpoint) -> Line:
    """The way from an endpoint to its provider. Raises SecretUnreadable."""
    config = _restored(
        endpoint.service,
        endpoint.task,
        orjson.dumps(endpoint.service_settings),
        orjson.dumps(endpoint.task_settings),
        endpoint.encrypted_secrets,
    )
    return line_for(endpoint.inference_id, config)


def line_for(inference_id: str, config: EndpointConfig) -> Line:
    service = find_service(config.service)
    if not isinstance(service, RemoteService):
        raise TypeError(f"[{config.service}] calls no provider")
    return Line(door(), service, config, inference_id)


def prove(inference_id: str, config: EndpointConfig, timeout_s: float) -> dict[str, Any]:
    """Call a provider once with settings that are not stored yet.

    Returns what its answer tells about the endpoint. Raises what a call raises, and InvalidRequest
    where the answer does not fit the settings.
    """
    line = line_for(inference_id, config)
    if not line.service.is_proved:
        return {}
    proof = line.answer(probe_of(config.task_type), timeout_s)
    return line.service.learned(config.service_settings, proof)


def probe_of(task_type: TaskType) -> InferenceRequest | ChatRequest:
    """The smallest real call."""
    if task_type == TaskType.CHAT_COMPLETION:
        return ChatRequest.of_prompt(PROBE_TEXT)
    query = PROBE_TEXT if task_type == TaskType.RERANK else None
    return InferenceRequest((PROBE_TEXT,), query=query)


@lru_cache(MOST_RESTORED)
def _restored(
    service: str, task_type: TaskType, service_settings: bytes, task_settings: bytes, secrets: str
) -> EndpointConfig:
    """A configuration as it was when it was checked.

    Kept by the stored texts, so that a call does not open secrets and read settings anew.
    """
    adapter = find_service(service)
    opened = opened_secrets(secrets)
    return EndpointConfig(
        task_type,
        service,
        adapter.settings.model_validate({**orjson.loads(service_settings), **opened}),
        adapter.task_settings[task_type].model_validate(orjson.loads(task_settings)),
        None,
    )


def opened_secrets(encrypted: str) -> dict[str, Any]:
    """What `sealed` gave. Raises SecretUnreadable."""
    if not encrypted:
        return {}
    opened: dict[str, Any] = orjson.loads(decrypt(encrypted).get_secret_value())
    return opened


def secret_names(endpoint: Endpoint) -> list[str]:
    """The settings that are stored as secrets. Raises SecretUnreadable."""
    return sorted(opened_secrets(endpoint.encrypted_secrets))


def secrets_to_change(endpoint: Endpoint, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The stored secrets that an update is made to.

    Those that no key opens count as none where the update brings some, so that they can be entered
    again; what is still missing then is refused as in a create. Else raises SecretUnreadable.
    """
    try:
        return opened_secrets(endpoint.encrypted_secrets)
    except SecretUnreadable:
        names = names_marked("sensitive", find_service(endpoint.service).settings)
        if names.isdisjoint(changes.get("service_settings") or {}):
            raise
        return {}


def sealed(config: EndpointConfig) -> str:
    """The secrets of a configuration as they are stored: all of them as one."""
    if not config.secrets:
        return ""
    return encrypt(SecretStr(orjson.dumps(config.secrets).decode()))
