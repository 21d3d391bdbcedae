"""Encrypts what is stored anew, after a newer key was put before the others."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models

from endpoints import audit
from endpoints.models import Cluster, Endpoint
from endpoints.secrets import SecretUnreadable, decrypt, encrypt, is_renewed

# Where encrypted texts are stored: the model, its column, and what a row is called by.
PLACES: tuple[tuple[type[models.Model], str, str], ...] = (
    (Endpoint, "encrypted_secrets", "inference_id"),
    (Cluster, "encrypted_api_key", "name"),
)


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
        for model, column, name in PLACES:
            rows = model._default_manager.exclude(**{column: ""}).order_by("pk")
            for pk, label, stored in rows.values_list("pk", name, column).iterator(chunk_size=500):
                rotated = _renewed(model, column, pk, label, stored)
                changed += rotated.is_changed
                yield rotated
    finally:  # also of a rotation that was interrupted
        if changed:
            audit.record("secret.rotate", "secrets", after={"secrets": changed})


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
