"""What is kept of a deleted endpoint for a while, so that it can be brought back whole."""

from collections import Counter
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from endpoints import audit
from endpoints.access import get_seen, visible_deleted
from endpoints.models import DeletedEndpoint, Endpoint, Team, User
from endpoints.permissions import Action
from endpoints.references import Elsewhere, Reference, References
from inference.references.cluster import Kind

# Of one id, for who creates and deletes the same again and again.
MOST_OF_ONE_ID = 3


def as_it_is(endpoint: Endpoint) -> DeletedEndpoint | None:
    """An endpoint as it is stored now, to be kept once it is deleted.

    None for one that is gone, that is always there, or where nothing is kept. Locks it.
    """
    if endpoint.is_preconfigured or not settings.RESTORE_DAYS:
        return None
    stored = Endpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if stored is None:
        return None
    return DeletedEndpoint(
        inference_id=stored.inference_id,
        team_id=stored.team_id,
        task_type=stored.task_type,
        service=stored.service,
        service_settings=stored.service_settings,
        task_settings=stored.task_settings,
        chunking_settings=stored.chunking_settings,
        encrypted_secrets=stored.encrypted_secrets,
        learned_settings=stored.learned_settings,
        fingerprint=stored.fingerprint,
        is_cached=stored.is_cached,
        shares=[list(share) for share in stored.shares.values_list("team", "level")],
        created_at=stored.created_at,
        created_by_id=stored.created_by_id,
    )


def keep(actor: User, deleted: DeletedEndpoint, consumers: References) -> None:
    """Keep an endpoint that was deleted just now, and who named it as far as the actor sees."""
    deleted.used_by = [
        {"kind": one.kind.value, "name": one.name, "cluster": one.cluster}
        for one in consumers.found
    ]
    deleted.elsewhere = {one.kind.value: one.count for one in consumers.elsewhere}
    deleted.deleted_at, deleted.deleted_by = timezone.now(), actor
    deleted.save(force_insert=True)
    same = DeletedEndpoint.objects.filter(inference_id=deleted.inference_id, team=deleted.team_id)
    newest = same.order_by("-deleted_at", "-pk").values_list("pk", flat=True)[:MOST_OF_ONE_ID]
    same.exclude(pk__in=list(newest)).delete()


def get_deleted(user: User, inference_id: str, *, to: Action) -> DeletedEndpoint:
    """The last deleted endpoint of this id that the user sees, to do something with it.

    Raises NotFound, also where its time is over, and Forbidden.
    """
    found = visible_deleted(user).filter(inference_id=inference_id).select_related("team").first()
    if found is None:
        every = DeletedEndpoint.objects.restorable().filter(inference_id=inference_id)
        found = every.select_related("team").first()  # to tell whose it is, in the audit log alone
    return get_seen(user, found, to, f"No deleted endpoint [{inference_id}] can be restored")


def get_deleted_by_pk(user: User, pk: int, *, to: Action) -> DeletedEndpoint:
    """The same where its place in the list is known."""
    found = DeletedEndpoint.objects.restorable().select_related("team").filter(pk=pk).first()
    return get_seen(user, found, to, "No such deleted endpoint can be restored")


@transaction.atomic
def forget(deleted: DeletedEndpoint) -> None:
    """Wipe it for good, its secrets too. Gone already is success."""
    if DeletedEndpoint.objects.filter(pk=deleted.pk).delete()[0]:
        before = deleted.endpoint.kept
        audit.record("endpoint.forget", deleted.inference_id, team=deleted.team, before=before)


def restorable_of(team: Team) -> int:
    """How many deleted endpoints of a team can still be restored."""
    return DeletedEndpoint.objects.restorable().filter(team=team).count()


def forget_of(team: Team) -> None:
    """Tell of those that go with a team which is deleted."""
    gone = DeletedEndpoint.objects.filter(team=team).values_list("inference_id", flat=True)
    for inference_id in sorted(set(gone)):
        audit.record("endpoint.forget", inference_id, reason="its team was deleted")


def wipe_over() -> int:
    """Wipe those whose time is over. Returns how many there were."""
    return DeletedEndpoint.objects.over().delete()[0]


def uses_of(deleted: DeletedEndpoint, clusters: frozenset[str]) -> References:
    """What named it when it was deleted, for who sees these clusters and no others."""
    found, elsewhere = [], Counter({Kind(kind): n for kind, n in deleted.elsewhere.items()})
    for use in deleted.used_by:
        if use["cluster"] and use["cluster"] not in clusters:
            elsewhere[Kind(use["kind"])] += 1
        else:
            found.append(Reference(Kind(use["kind"]), use["name"], use["cluster"]))
    hidden = tuple(Elsewhere(*counted) for counted in sorted(elsewhere.items()))
    return References(deleted.inference_id, tuple(found), elsewhere=hidden)


def taken_ids(deleted: Collection[DeletedEndpoint]) -> frozenset[str]:
    """Which of these ids another endpoint has by now."""
    ids = {one.inference_id for one in deleted}
    known = Endpoint.objects.filter(inference_id__in=ids)
    return frozenset(known.values_list("inference_id", flat=True))
