"""Bringing back several deleted endpoints at once, each for itself."""

from collections.abc import Sequence

from endpoints.access import visible_deleted
from endpoints.deleted import get_deleted_by_pk
from endpoints.deleting_many import Result
from endpoints.models import User
from endpoints.permissions import Action
from endpoints.restoring import restore_endpoint
from inference.errors import InferenceError


def restore_many(actor: User, pks: Sequence[int]) -> list[Result]:
    """Restore each of these, in this order. What fails does not stop the others.

    What the actor does not see has no id in its result, as what is gone has none.
    """
    seen = visible_deleted(actor).filter(pk__in=pks)
    names = dict(seen.values_list("pk", "inference_id"))
    return [_restored(actor, pk, names.get(pk, "")) for pk in pks]


def _restored(actor: User, pk: int, inference_id: str) -> Result:
    try:
        restore_endpoint(actor, get_deleted_by_pk(actor, pk, to=Action.RESTORE))
    except InferenceError as exc:
        return Result(inference_id, exc)
    return Result(inference_id)
