"""The settings that endpoints of every provider have."""

from collections.abc import Collection
from typing import Any

from inference.services.settings import Certificates, PositiveInt, Proxy, Settings, setting
from inference.types import TaskType
from inference.upstream.pool import Way

TEXT_VECTORS = (TaskType.TEXT_EMBEDDING,)


class RateLimit(Settings):
    requests_per_minute: PositiveInt = setting(
        "Rate Limit", "How many requests a minute are sent at most; the rest waits its turn."
    )


class RemoteSettings(Settings):
    """What every provider's settings have: who may call it how often, and how it is reached.

    proxy and ca_certificate: ours, not Elasticsearch's; shown only where they were given. Declare
    `rate_limit: None = no_rate_limit()` for a service that has none.
    """

    rate_limit: RateLimit | None = setting("Rate Limit", updatable=True, default=None)
    proxy: Proxy | None = setting(
        "Proxy",
        "An http:// proxy for this endpoint alone.",
        updatable=True,
        sensitive=True,
        listed=False,
        default=None,
    )
    ca_certificate: Certificates | None = setting(
        "CA certificate",
        "Believed beside the public ones, in PEM form.",
        updatable=True,
        listed=False,
        default=None,
        examples=["-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----"],
    )

    @property
    def way(self) -> Way:
        return Way(self.proxy.get_secret_value() if self.proxy else None, self.ca_certificate)


def no_rate_limit() -> Any:
    """In place of `rate_limit`, which is then a setting that no endpoint has."""
    return setting("Rate Limit", listed=False, tasks=(), default=None)


def similarity_setting(
    tasks: Collection[TaskType] = TEXT_VECTORS, *, updatable: bool = False
) -> Any:
    return setting(
        "Similarity", "How vectors are compared.", updatable=updatable, tasks=tasks, default=None
    )


def dimensions_setting(
    tasks: Collection[TaskType] = TEXT_VECTORS, *, updatable: bool = False
) -> Any:
    return setting(
        "Dimensions", "The length of the vectors.", updatable=updatable, tasks=tasks, default=None
    )


def max_input_tokens_setting(
    tasks: Collection[TaskType] = TEXT_VECTORS, *, is_cut: bool = True
) -> Any:
    """is_cut: whether longer texts are cut here, or the number is only kept."""
    told = "Longer inputs are cut." if is_cut else "How much the model reads; nothing is cut."
    return setting("Maximum Input Tokens", told, updatable=True, tasks=tasks, default=None)


def set_by_user() -> Any:
    """Whether the user asked for the length of the vectors: shown, and never given."""
    return setting("Dimensions Set by User", listed=False, tasks=(), default=None)


class NoTaskSettings(Settings):
    pass
