"""What people bring to the lab: kept for a day, a few for each of them, and seen by nobody else."""

from endpoints.access import require
from endpoints.models import LabRun, User
from endpoints.permissions import Action
from inference.documents import Document
from inference.errors import NotFound

# Of one person; the oldest makes room for the next.
MOST_RUNS = 10


def start_run(owner: User, document: Document) -> LabRun:
    require(owner, Action.CHUNK)
    run = LabRun.objects.create(
        owner=owner,
        name=document.name,
        text=document.text,
        characters=len(document.text),
        losses=list(document.losses),
    )
    kept = LabRun.objects.of(owner).values_list("pk", flat=True)[:MOST_RUNS]
    LabRun.objects.of(owner).exclude(pk__in=list(kept)).delete()
    return run


def get_run(owner: User, key: str) -> LabRun:
    """Its text is read when it is asked for.

    Raises NotFound for one that is gone, and for that of somebody else.
    """
    require(owner, Action.CHUNK)
    # PostgreSQL refuses to look for a NUL.
    run = LabRun.objects.of(owner).without_text().filter(key=key.replace("\0", "")).first()
    if run is None:
        raise NotFound(f"There is nothing [{key}] in the lab: what is brought there stays a day")
    return run


def runs_of(owner: User) -> list[LabRun]:
    """The latest first."""
    return list(LabRun.objects.of(owner).without_text())


def forget_old_runs() -> None:
    LabRun.objects.over().delete()
