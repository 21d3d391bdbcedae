"""Who may see or change what; the API and the pages ask here."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, Self, TypeAlias, TypeVar

from django.db.models import prefetch_related_objects

from endpoints.models import (
    Cluster,
    DeletedEndpoint,
    Deployment,
    Endpoint,
    EndpointTombstone,
    ShareLevel,
    Team,
    TeamRole,
    TrainedModel,
    User,
    endpoint_by_id,
)
from endpoints.models.cluster import ClusterQuerySet
from endpoints.models.deleted import DeletedEndpointQuerySet
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.permissions import Action
from endpoints.privileges import Rights
from endpoints.scopes import scope_of
from inference.errors import InferenceError, InvalidRequest, NotFound
from inference.types import TaskType

# What may be done with an endpoint or a model that is everybody's or shared for use, and with what
# runs for such an endpoint; and what else with an endpoint that is shared to be managed.
USES = frozenset(
    {
        Action.GET,
        Action.INFER,
        Action.CACHE_GET,
        Action.MODEL_GET,
        Action.MODEL_STATS,
        Action.MODEL_INFER,
        Action.DEPLOYMENT_START,
        Action.DEPLOYMENT_EVENTS,
    }
)
MANAGES = frozenset({Action.UPDATE, Action.DIAGNOSE, Action.CACHE_PUT, Action.CACHE_PURGE})
# A thing that belongs to a team, or to none; and by what action somebody sees it.
Thing: TypeAlias = (
    Endpoint | EndpointTombstone | DeletedEndpoint | TrainedModel | Deployment | Cluster
)
ThingT = TypeVar("ThingT", Endpoint, DeletedEndpoint, TrainedModel, Deployment, Cluster)
SEES: dict[type[Thing], Action] = {
    Endpoint: Action.GET,
    DeletedEndpoint: Action.DELETED_GET,
    TrainedModel: Action.MODEL_GET,
    Deployment: Action.MODEL_STATS,
    Cluster: Action.CLUSTER_GET,
}
# With one of these the keys of other people are theirs to see and to revoke.
ALL_KEYS = ("manage_api_key", "manage_security", "all")


class OfTeams(Protocol):
    """A query for things that belong to teams."""

    def of_teams(self, teams: Collection[int]) -> Self: ...
    def none(self) -> Self: ...


QueryT = TypeVar("QueryT", bound=OfTeams)
EndpointsT = TypeVar("EndpointsT", EndpointQuerySet, DeletedEndpointQuerySet)


class Unauthenticated(InferenceError):
    """name: what the caller is called, as far as they said."""

    status, type = 401, "security_exception"

    def __init__(
        self, reason: str = "", metadata: Mapping[str, Any] | None = None, *, name: str = ""
    ) -> None:
        super().__init__(reason, metadata)
        self.name = name


class Forbidden(InferenceError):
    """team_pk: whose thing it is, where it is done to one.

    is_of_site: whether no role in a team could allow it.
    """

    status, type = 403, "security_exception"

    def __init__(
        self,
        reason: str = "",
        action: Action | None = None,
        team_pk: int | None = None,
        *,
        is_of_site: bool = False,
    ) -> None:
        super().__init__(reason)
        self.action, self.team_pk, self.is_of_site = action, team_pk, is_of_site


class Unseen(NotFound):
    """It is there, but not for this caller: who is told exactly what they would be told if not.

    And as fast: nothing more is looked up.
    """

    def __init__(self, reason: str, action: Action, team_pk: int | None) -> None:
        super().__init__(reason)
        self.action, self.team_pk = action, team_pk


def require(user: User, action: Action, *indices: str) -> None:
    """Let pass who may do this somewhere, or on all of these indices where it is done to indices.

    Where it is done to something that has a team, whether it may be done to that comes later. An
    action on indices that names none is one on all there may be. Raises Forbidden.
    """
    if not action.is_on_indices:
        if not may(user, action):
            raise forbidden(user, action)
        return
    rights, granted_by = scope_of(user).site, action.granted_by
    names = indices or ("*",)
    refused = [name for name in names if not rights.allow_on(name, action, granted_by)]
    if refused:
        raise forbidden(user, action, refused)


def require_sight(user: User, sees: Action, to: Action) -> None:
    """Let pass who may see such things somewhere, to do something with one of them.

    Whether they may do this to that one comes later. Raises Forbidden, in words for what they want.
    """
    if not may(user, sees):
        raise forbidden(user, to)


def may(user: User, action: Action) -> bool:
    """Whether somebody may do this somewhere, on all indices where it is done to indices."""
    scope = scope_of(user)
    if action.is_on_indices:
        return holds(scope.site, action, "*")
    rights = scope.rights() if action.is_of_teams else iter((scope.site,))
    return any(one.allow(action, action.granted_by) for one in rights)


def may_with(user: User, action: Action, thing: Thing) -> bool:
    """Whether somebody may do this with something that they see."""
    if isinstance(thing, Endpoint | DeletedEndpoint) and not _reaches(
        user, thing.inference_id, thing.task_type
    ):
        return False
    scope, granted_by = scope_of(user), action.granted_by
    # Who may do it everywhere is asked first, because that costs no look into the database.
    if scope.site.allow(action, granted_by):
        return True
    if scope.in_team(thing.team_id).allow(action, granted_by):
        return True
    match thing:
        case Deployment():
            # It is changed as the endpoint that it was started for, and seen with all that use it.
            return any(
                may_with(user, action, endpoint)
                for endpoint in thing.endpoints.all()
                if action in USES or endpoint.inference_id == thing.deployment_id
            )
        case Endpoint() | TrainedModel() if thing.team_id is None:
            # What is everybody's may be used by who may use anything, and changed by the site.
            return action in USES and may(user, action)
        case Endpoint():
            return any(
                rights.allow(action, granted_by)
                for share in thing.shares.all()
                if action in USES or (share.level == ShareLevel.MANAGE and action in MANAGES)
                for rights in scope.shared_with(share.team_id)
            )
    return False


def read_shares(user: User, endpoints: Iterable[Endpoint], *actions: Action) -> None:
    """Read at once what `may_with` has to look at to answer these for each of the endpoints."""
    scope = scope_of(user)
    asked = [action for action in actions if not scope.site.allow(action, action.granted_by)]
    left = [
        one
        for one in endpoints
        if one.team_id is not None
        and not all(scope.in_team(one.team_id).allow(each, each.granted_by) for each in asked)
    ]
    prefetch_related_objects(left, "shares")


def sees(user: User, thing: Thing) -> bool:
    return may_with(user, SEES[type(thing)], thing)


def visible(user: User, action: Action, every: QueryT) -> QueryT:
    """Those with which somebody may do this, an action that shows or uses them."""
    if not user.is_active or not may(user, action):
        return every.none()
    teams = allowed_teams(user, action)
    return every if teams is None else every.of_teams(teams)


def _reaches(user: User, inference_id: str, task_type: str) -> bool:
    key = user.acting_key
    return key is None or key.reaches(inference_id, task_type)


def require_reach(user: User, action: Action, inference_id: str, task_type: TaskType) -> None:
    """Let pass who may do this with an endpoint of this id and task, as far as their key goes.

    Raises Forbidden.
    """
    if not _reaches(user, inference_id, task_type):
        raise Forbidden(
            f"action [{action}] is unauthorized for {_subject(user)} with endpoint "
            f"[{inference_id}] of task type [{task_type}]: the key is narrowed to others"
        )


def visible_endpoints(user: User) -> EndpointQuerySet:
    return _in_reach(user, visible(user, Action.GET, Endpoint.objects.all()))


def visible_deleted(user: User) -> DeletedEndpointQuerySet:
    """The deleted endpoints that can still be restored."""
    deleted = visible(user, Action.DELETED_GET, DeletedEndpoint.objects.restorable())
    return _in_reach(user, deleted)


def _in_reach(user: User, endpoints: EndpointsT) -> EndpointsT:
    """Those that a key is for that somebody came with."""
    key = user.acting_key
    if key is None or not key.is_narrowed:
        return endpoints
    known = endpoints.values_list("pk", "inference_id", "task_type")
    return endpoints.filter(pk__in=[pk for pk, *names in known if key.reaches(*names)])


def visible_clusters(user: User) -> ClusterQuerySet:
    return visible(user, Action.CLUSTER_GET, Cluster.objects.all())


def allowed_teams(
    user: User, action: Action, privileges: tuple[str, ...] | None = None
) -> list[int] | None:
    """The teams in which somebody may do this; None for all there are, and for what has none.

    privileges: those that are asked for, where they are others than usual.
    """
    scope, granted_by = scope_of(user), privileges or action.granted_by
    if scope.site.allow(action, granted_by):
        return None
    return [team for team, rights in scope.teams.items() if rights.allow(action, granted_by)]


def teams_whose_keys(user: User, action: Action) -> list[int] | None:
    """The teams whose keys somebody may do this to, whoever owns them; None for all there are."""
    return allowed_teams(user, action, ALL_KEYS)


def holds(rights: Rights, privilege: str, index: str | None = None) -> bool:
    """Whether a privilege is held, or an action allowed, on the cluster or on all these indices."""
    try:
        granted_by = Action(privilege).granted_by
    except ValueError:
        if index is None:
            return rights.include(privilege)
        return rights.include_on(index, privilege)
    if index is None:
        return rights.allow(privilege, granted_by)
    return rights.allow_on(index, privilege, granted_by)


def forbidden(user: User, action: Action, indices: list[str] | None = None) -> Forbidden:
    kind = "index" if action.is_on_indices else "cluster"
    place = f" on indices [{','.join(indices)}]" if indices else ""
    return Forbidden(
        f"action [{action}] is unauthorized for {_subject(user)}{place}, "
        f"this action is granted by the {kind} privileges [{','.join(action.granted_by)}]",
        action,
    )


def _subject(user: User) -> str:
    if key := user.acting_key:
        return f"API key id [{key.key_id}] of user [{user.username}]"
    roles = ",".join(user.role_names)
    return f"user [{user.username}] with effective roles [{roles}]"


def get_endpoint(
    user: User, inference_id: str, task_type: TaskType | None = None, *, to: Action = Action.GET
) -> Endpoint:
    """The endpoint of this id, with everything that tells its status, to do something with it.

    Raises NotFound where the user may not see it, Forbidden where they may not do this with it,
    InvalidRequest where its task is another.
    """
    found = Endpoint.objects.with_status().filter(inference_id=inference_id).first()
    return _checked(user, found, inference_id, task_type, to)


def endpoint_to_call(user: User, inference_id: str, task_type: TaskType | None = None) -> Endpoint:
    """The same for a call, which needs no status and should cost no time."""
    found = endpoint_by_id.find(inference_id)
    return _checked(user, found, inference_id, task_type, Action.INFER)


def _checked(
    user: User,
    found: Endpoint | None,
    inference_id: str,
    task_type: TaskType | None,
    action: Action,
) -> Endpoint:
    found = get_seen(user, found, action, f"Inference endpoint not found [{inference_id}]")
    if task_type and task_type != found.task:
        raise InvalidRequest(
            f"Incompatible task_type, the requested type [{task_type}] does not match "
            f"the model type [{found.task}] of inference endpoint [{inference_id}]"
        )
    return found


def seen_by(user: User, found: ThingT | None, action: Action) -> ThingT | None:
    """What was found, where somebody sees it. Raises Forbidden where they may not do this."""
    if found is None or may_with(user, action, found):
        return found
    if sees(user, found):
        raise forbidden_with(user, action, found)
    return None


def get_seen(user: User, found: ThingT | None, action: Action, unknown: str) -> ThingT:
    """What was found, where somebody sees it and may do this.

    Raises NotFound in the words for what is not there, also where it is hidden, and Forbidden.
    """
    if found is None:
        raise NotFound(unknown)
    seen = seen_by(user, found, action)
    if seen is None:
        raise Unseen(unknown, action, found.team_id)
    return seen


def team_of(thing: Thing) -> Team | None:
    """Whose it is. A deployment is whosever endpoint it was started for."""
    if isinstance(thing, Deployment):
        own = thing.endpoints.filter(inference_id=thing.deployment_id).first()
        return own.team if own else thing.team
    return thing.team


def forbidden_with(user: User, action: Action, thing: Thing) -> Forbidden:
    return forbidden_in(user, action, team_of(thing))


def forbidden_in(user: User, action: Action, team: Team | None) -> Forbidden:
    """Names who could allow it."""
    if team is None:
        return forbidden_on_site(user, action)
    if not action.is_of_teams:
        return forbidden(user, action)
    admins = team.memberships.filter(role=TeamRole.TEAM_ADMIN, user__is_active=True).values_list(
        "user__username", flat=True
    )
    asked = f"its administrators are [{','.join(admins)}]" if admins else "it has no administrator"
    return Forbidden(f"{forbidden(user, action)} in team [{team.name}]; {asked}", action, team.pk)


def forbidden_on_site(user: User, action: Action) -> Forbidden:
    reason = f"{forbidden(user, action)} for the whole installation"
    return Forbidden(reason, action, is_of_site=True)
