"""Which endpoints the lab offers: a few of those that somebody sees, their own first."""

from collections.abc import Sequence

from endpoints.access import may_with, read_shares, visible_endpoints
from endpoints.lab.embedding import SEARCHED
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from inference.types import TaskType

# One more than a list on a page has, so that it shows whether there are more.
MOST = 201


def offered(user: User, tasks: Sequence[TaskType]) -> list[Endpoint]:
    """Those that do one of these tasks, with everything that tells their status."""
    found = visible_endpoints(user).filter(task_type__in=tasks).with_status().own_first()
    return list(found[:MOST])


def searched(user: User) -> list[Endpoint]:
    return offered(user, SEARCHED)


def rerankers(user: User) -> list[Endpoint]:
    return offered(user, (TaskType.RERANK,))


def changeable(user: User) -> list[Endpoint]:
    """Those that keep chunking settings which somebody may change."""
    chunked = [task for task in TaskType if task.is_chunked]
    own = visible_endpoints(user).own().filter(task_type__in=chunked)[:MOST]
    read_shares(user, own, Action.UPDATE)
    return [one for one in own if may_with(user, Action.UPDATE, one)]
