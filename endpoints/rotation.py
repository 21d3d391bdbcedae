"""Encrypts what is stored anew, after a newer key was put before the others."""

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import models

from endpoints import audit
from endpoints.models import Cluster, DeletedEndpoint, Endpoint
from endpoints.secrets import SecretUnreadable, decrypt, encrypt, is_renewed

# Where encrypted texts are stored: the model, its column, and what a row is called by.
PLACES: tuple[tuple[type[models.Model], str, str], ...] = (
    (Endpoint, "encrypted_secrets", "inference_id"),
    (DeletedEndpoint, "encrypted_secrets", "inference_id"),
    (Cluster, "encrypted_api_key", "name"),
)
# What second factors are made from, as members of their data.
FACTOR_SECRETS = ("secret", "seed")


@dataclass(frozen=True)
class Rotated:
    """One row that was looked at. problem: why it could not be read; empty where it could."""

    kind: str
    name: str
    is_changed: bool
    problem: str = ""


def rotate() -> Iterator[Rotated]:
    """Encrypt every secret with the newest key, one row at a time.

    What has it already is left alone, so that whoever was interrupted simply begins again. A row
    that somebody changes meanwhile is not overwritten: the change was encrypted with the newest.
    """
    changed = 0
    try:
        for rotated in _rotations():
            changed += rotated.is_changed
            yield rotated
    finally:  # also of a rotation that was interrupted
        if changed:
            audit.record("secret.rotate", "secrets", after={"secrets": changed})


def _rotations() -> Iterator[Rotated]:
    for model, column, name in PLACES:
        rows = model._default_manager.exclude(**{column: ""}).order_by("pk")
        for pk, label, stored in rows.values_list("pk", name, column).iterator(chunk_size=500):
            yield _renewed(model, column, pk, label, stored)
    for member in FACTOR_SECRETS:
        factors = Authenticator.objects.filter(data__has_key=member).select_related("user")
        for factor in factors.order_by("pk").iterator(chunk_size=500):
            yield _renewed_factor(factor, member)


def _renewed(model: type[models.Model], column: str, pk: int, label: str, stored: str) -> Rotated:
    kind = str(model._meta.verbose_name)
    if is_renewed(stored):
        return Rotated(kind, label, is_changed=False)
    try:
        renewed = encrypt(decrypt(stored))
    except SecretUnreadable as exc:
        return Rotated(kind, label, is_changed=False, problem=str(exc))
    unchanged = model._default_manager.filter(pk=pk, **{column: stored})
    return Rotated(kind, label, is_changed=bool(unchanged.update(**{column: renewed})))


def _renewed_factor(factor: Authenticator, member: str) -> Rotated:
    kind, stored = "second factor", factor.data[member]
    if is_renewed(stored):
        return Rotated(kind, factor.user.username, is_changed=False)
    try:
        renewed = encrypt(decrypt(stored))
    except SecretUnreadable as exc:
        return Rotated(kind, factor.user.username, is_changed=False, problem=str(exc))
    unchanged = Authenticator.objects.filter(pk=factor.pk, data=factor.data)
    is_changed = bool(unchanged.update(data=factor.data | {member: renewed}))
    return Rotated(kind, factor.user.username, is_changed)
