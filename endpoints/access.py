"""Who may see or change what; the API and the pages ask here."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Protocol, Self, TypeAlias, TypeVar

from endpoints.models import (
    Cluster,
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
from endpoints.models.endpoint import EndpointQuerySet
from endpoints.privileges import Rights
from endpoints.scopes import scope_of
from inference.errors import InferenceError, InvalidRequest, NotFound
from inference.types import TaskType


class Action(StrEnum):
    """What a caller wants to do, by Elasticsearch's name for it."""

    PUT = "cluster:admin/xpack/inference/put"
    UPDATE = "cluster:admin/xpack/inference/update"
    DELETE = "cluster:admin/xpack/inference/delete"
    DIAGNOSE = "cluster:admin/xpack/inference/diagnose"
    GET = "cluster:monitor/xpack/inference/get"
    INFER = "cluster:monitor/xpack/inference/post"
    SERVICES = "cluster:monitor/xpack/inference/services/get"
    CHUNK = "cluster:monitor/xpack/inference/chunk"
    CACHE_GET = "cluster:monitor/xpack/inference/cache/get"
    CACHE_PUT = "cluster:admin/xpack/inference/cache/put"
    CACHE_PURGE = "cluster:admin/xpack/inference/cache/purge"
    REGION_POLICY_GET = "cluster:monitor/xpack/inference/region_policy/get"
    REGION_POLICY_PUT = "cluster:admin/xpack/inference/region_policy/put"
    REGION_POLICY_DELETE = "cluster:admin/xpack/inference/region_policy/delete"

    MODEL_GET = "cluster:monitor/xpack/ml/inference/get"
    MODEL_STATS = "cluster:monitor/xpack/ml/inference/stats/get"
    MODEL_INFER = "cluster:monitor/xpack/ml/trained_models/deployment/infer"
    MODEL_PUT = "cluster:admin/xpack/ml/inference/put"
    MODEL_DELETE = "cluster:admin/xpack/ml/inference/delete"
    MODEL_PART_PUT = "cluster:admin/xpack/ml/trained_models/part/put"
    MODEL_VOCABULARY_PUT = "cluster:admin/xpack/ml/trained_models/vocabulary/put"
    DEPLOYMENT_START = "cluster:admin/xpack/ml/trained_models/deployment/start"
    DEPLOYMENT_UPDATE = "cluster:admin/xpack/ml/trained_models/deployment/update"
    DEPLOYMENT_STOP = "cluster:admin/xpack/ml/trained_models/deployment/stop"
    DEPLOYMENT_EVENTS = "cluster:monitor/xpack/ml/trained_models/deployment/events/get"

    PIPELINE_GET = "cluster:admin/ingest/pipeline/get"
    PIPELINE_SIMULATE = "cluster:admin/ingest/pipeline/simulate"
    PIPELINE_PUT = "cluster:admin/ingest/pipeline/put"
    PIPELINE_DELETE = "cluster:admin/ingest/pipeline/delete"

    API_KEY_CREATE = "cluster:admin/xpack/security/api_key/create"
    API_KEY_GET = "cluster:admin/xpack/security/api_key/get"
    API_KEY_INVALIDATE = "cluster:admin/xpack/security/api_key/invalidate"
    API_KEY_ROTATE = "cluster:admin/xpack/security/api_key/rotate"
    ACCOUNT_GET = "cluster:monitor/console/team/account/get"
    ACCOUNT_PUT = "cluster:admin/console/team/account/put"
    ACCOUNT_DELETE = "cluster:admin/console/team/account/delete"
    HAS_PRIVILEGES = "cluster:admin/xpack/security/user/has_privileges"

    CLUSTER_GET = "cluster:monitor/console/clusters/get"
    CLUSTER_PUT = "cluster:admin/console/clusters/put"
    CLUSTER_DELETE = "cluster:admin/console/clusters/delete"
    CLUSTER_SCAN = "cluster:admin/console/clusters/scan"

    PERSON_GET = "cluster:monitor/console/person/get"
    PERSON_INVITE = "cluster:admin/console/person/invite"
    PERSON_ROLES = "cluster:admin/console/person/roles"
    PERSON_RESET = "cluster:admin/console/person/reset"
    PERSON_DEACTIVATE = "cluster:admin/console/person/deactivate"
    PERSON_SESSIONS = "cluster:admin/console/person/sessions"
    # To see who is in a team, and to invite into it.
    TEAM_PEOPLE = "cluster:admin/console/team/people"
    TEAM_GET = "cluster:monitor/console/team/get"
    TEAM_UPDATE = "cluster:admin/console/team/update"
    TEAM_CREATE = "cluster:admin/console/teams/create"
    TEAM_DELETE = "cluster:admin/console/teams/delete"
    MEMBER_PUT = "cluster:admin/console/team/members/put"
    MEMBER_REMOVE = "cluster:admin/console/team/members/remove"
    SHARE_GET = "cluster:monitor/console/team/shares/get"
    SHARE_PUT = "cluster:admin/console/team/shares/put"
    SHARE_DELETE = "cluster:admin/console/team/shares/delete"
    ENDPOINT_MOVE = "cluster:admin/console/team/endpoints/move"
    AUDIT_GET = "cluster:admin/console/team/audit/get"

    INDEX_CREATE = "indices:admin/create"
    INDEX_MAPPING_PUT = "indices:admin/mapping/put"
    INDEX_GET = "indices:admin/get"
    INDEX_DELETE = "indices:admin/delete"

    @property
    def granted_by(self) -> tuple[str, ...]:
        """The privileges that allow it, the narrowest first."""
        return _granting(self)

    @property
    def is_change(self) -> bool:
        """Whether it changes something, so that the audit log tells of it."""
        return ":monitor/" not in self.value and not self.value.endswith(LOOKS)

    @property
    def verb(self) -> str:
        """What the audit log calls it: the kind of thing, and what is done to it."""
        return VERBS.get(self) or ".".join(self.value.split("/")[-2:])

    @property
    def is_on_indices(self) -> bool:
        return self.value.startswith("indices:")

    @property
    def is_of_teams(self) -> bool:
        """Whether a role in a team can allow it, for what belongs to the team."""
        return self.value.startswith(OF_TEAMS) and not self.value.startswith(OF_THE_SITE)


# How actions end that look at something, or try something out.
LOOKS = ("/get", "/simulate", "/diagnose", "/has_privileges")
# What the names of Elasticsearch do not say in the words of the audit log.
VERBS = {
    Action.PUT: "endpoint.create",
    Action.UPDATE: "endpoint.update",
    Action.DELETE: "endpoint.delete",
    Action.DIAGNOSE: "endpoint.diagnose",
    Action.GET: "endpoint.get",
    Action.INFER: "endpoint.call",
    Action.CACHE_PUT: "endpoint.cache",
    Action.CACHE_PURGE: "endpoint.purge",
    Action.MODEL_GET: "model.get",
    Action.MODEL_STATS: "model.get",
    Action.MODEL_INFER: "model.call",
    Action.MODEL_PUT: "model.add",
    Action.MODEL_DELETE: "model.delete",
    Action.MODEL_PART_PUT: "model.upload",
    Action.MODEL_VOCABULARY_PUT: "model.upload",
    Action.API_KEY_CREATE: "key.create",
    Action.API_KEY_GET: "key.get",
    Action.API_KEY_INVALIDATE: "key.revoke",
    Action.CLUSTER_GET: "cluster.get",
    Action.CLUSTER_PUT: "cluster.connect",
    Action.CLUSTER_DELETE: "cluster.remove",
    Action.CLUSTER_SCAN: "cluster.scan",
    Action.INDEX_CREATE: "index.create",
    Action.INDEX_MAPPING_PUT: "index.update",
    Action.INDEX_GET: "index.get",
    Action.INDEX_DELETE: "index.delete",
}
# The first line that an action's name begins with tells what allows it.
GRANTED_BY = (
    ("cluster:admin/xpack/inference/", "manage_inference manage all"),
    ("cluster:monitor/xpack/inference/", "monitor_inference manage_inference monitor manage all"),
    (
        Action.MODEL_INFER.value,
        "monitor_inference manage_inference monitor_ml manage_ml monitor manage all",
    ),
    (
        Action.DEPLOYMENT_EVENTS.value,
        "monitor_inference manage_inference monitor_ml manage_ml monitor manage all",
    ),
    ("cluster:monitor/xpack/ml/", "monitor_ml manage_ml monitor manage all"),
    ("cluster:admin/xpack/ml/", "manage_ml manage all"),
    (
        Action.PIPELINE_GET.value,
        "read_pipeline manage_pipeline manage_ingest_pipelines manage all",
    ),
    (
        Action.PIPELINE_SIMULATE.value,
        "read_pipeline manage_pipeline manage_ingest_pipelines manage all",
    ),
    ("cluster:admin/ingest/pipeline/", "manage_pipeline manage_ingest_pipelines manage all"),
    (
        "cluster:admin/xpack/security/api_key/",
        "manage_own_api_key manage_api_key manage_security all",
    ),
    ("cluster:admin/xpack/security/", "read_security manage_security all"),
    (
        "cluster:monitor/console/team/account/",
        "read_security manage_service_account manage_security all",
    ),
    ("cluster:admin/console/team/account/", "manage_service_account manage_security all"),
    (Action.PERSON_GET.value, "read_security manage_security all"),
    ("cluster:admin/console/person/", "manage_security all"),
    # Who lets others in gives away rights: that is security, and no part of `manage`.
    ("cluster:monitor/console/team", "read_security manage_security all"),
    (Action.AUDIT_GET.value, "read_security manage_security all"),
    ("cluster:admin/console/team", "manage_security all"),
    ("cluster:monitor/console/", "monitor manage all"),
    ("cluster:admin/console/", "manage all"),
    (Action.INDEX_CREATE.value, "create_index manage all"),
    (Action.INDEX_MAPPING_PUT.value, "manage all"),
    (Action.INDEX_GET.value, "view_index_metadata manage all"),
    (Action.INDEX_DELETE.value, "delete_index manage all"),
)
# What is done to things that have a team, and what of that concerns everybody all the same.
OF_TEAMS = (
    "cluster:admin/xpack/inference/",
    "cluster:monitor/xpack/inference/",
    "cluster:admin/xpack/ml/",
    "cluster:monitor/xpack/ml/",
    "cluster:admin/console/",
    "cluster:monitor/console/",
    "cluster:admin/xpack/security/api_key/",
)
OF_THE_SITE = (
    Action.REGION_POLICY_PUT.value,
    Action.REGION_POLICY_DELETE.value,
    "cluster:monitor/console/person/",
    "cluster:admin/console/person/",
    Action.TEAM_CREATE.value,
    Action.TEAM_DELETE.value,
)
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
Thing: TypeAlias = Endpoint | EndpointTombstone | TrainedModel | Deployment | Cluster
ThingT = TypeVar("ThingT", Endpoint, TrainedModel, Deployment, Cluster)
SEES: dict[type[Thing], Action] = {
    Endpoint: Action.GET,
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


@cache
def _granting(action: Action) -> tuple[str, ...]:
    return next(
        tuple(privileges.split())
        for prefix, privileges in GRANTED_BY
        if action.value.startswith(prefix)
    )


class Unauthenticated(InferenceError):
    """name: what the caller is called, as far as they said."""

    status, type = 401, "security_exception"

    def __init__(
        self, reason: str = "", metadata: Mapping[str, Any] | None = None, *, name: str = ""
    ) -> None:
        super().__init__(reason, metadata)
        self.name = name


class Forbidden(InferenceError):
    """team_pk: whose thing it is, where it is done to one."""

    status, type = 403, "security_exception"

    def __init__(
        self, reason: str = "", action: Action | None = None, team_pk: int | None = None
    ) -> None:
        super().__init__(reason)
        self.action, self.team_pk = action, team_pk


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


def may(user: User, action: Action) -> bool:
    """Whether somebody may do this somewhere, on all indices where it is done to indices."""
    scope = scope_of(user)
    if action.is_on_indices:
        return holds(scope.site, action, "*")
    rights = scope.rights() if action.is_of_teams else iter((scope.site,))
    return any(one.allow(action, action.granted_by) for one in rights)


def may_with(user: User, action: Action, thing: Thing) -> bool:
    """Whether somebody may do this with something that they see."""
    if isinstance(thing, Endpoint) and not _reaches(user, thing.inference_id, thing.task_type):
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
            users = thing.endpoints.all()
            if action not in USES:
                users = users.filter(inference_id=thing.deployment_id)
            return any(may_with(user, action, endpoint) for endpoint in users)
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
    endpoints, key = visible(user, Action.GET, Endpoint.objects.all()), user.acting_key
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
    return Forbidden(f"{forbidden(user, action)} for the whole installation", action)
