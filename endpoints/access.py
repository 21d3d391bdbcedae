"""Who may see or change what; the API and the pages ask here."""

from enum import StrEnum
from functools import cache

from endpoints.models import Endpoint, ShareLevel, TeamRole, TrainedModel, User, endpoint_by_id
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
    HAS_PRIVILEGES = "cluster:admin/xpack/security/user/has_privileges"

    CLUSTER_GET = "cluster:monitor/console/clusters/get"
    CLUSTER_PUT = "cluster:admin/console/clusters/put"
    CLUSTER_DELETE = "cluster:admin/console/clusters/delete"
    CLUSTER_SCAN = "cluster:admin/console/clusters/scan"

    PERSON_SESSIONS = "cluster:admin/console/person/sessions"

    INDEX_CREATE = "indices:admin/create"
    INDEX_MAPPING_PUT = "indices:admin/mapping/put"
    INDEX_GET = "indices:admin/get"
    INDEX_DELETE = "indices:admin/delete"

    @property
    def granted_by(self) -> tuple[str, ...]:
        """The privileges that allow it, the narrowest first."""
        return _granting(self)

    @property
    def is_on_indices(self) -> bool:
        return self.value.startswith("indices:")

    @property
    def is_of_teams(self) -> bool:
        """Whether a role in a team can allow it, for what belongs to the team."""
        return self.value.startswith(OF_TEAMS) and not self.value.startswith(OF_THE_SITE)


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
    ("cluster:admin/console/person/", "manage_security all"),
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
    Action.PERSON_SESSIONS.value,
)
# What may be done with an endpoint that is shared for use, and what else with one to manage.
USES = frozenset({Action.GET, Action.INFER, Action.CACHE_GET})
MANAGES = frozenset({Action.UPDATE, Action.CACHE_PUT, Action.CACHE_PURGE})
# With one of these the keys of other people are theirs to see and to revoke.
ALL_KEYS = ("manage_api_key", "manage_security", "all")


@cache
def _granting(action: Action) -> tuple[str, ...]:
    return next(
        tuple(privileges.split())
        for prefix, privileges in GRANTED_BY
        if action.value.startswith(prefix)
    )


class Unauthenticated(InferenceError):
    status, type = 401, "security_exception"


class Forbidden(InferenceError):
    status, type = 403, "security_exception"


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


def may_with(user: User, action: Action, endpoint: Endpoint) -> bool:
    """Whether somebody may do this with an endpoint that they see."""
    scope, granted_by = scope_of(user), action.granted_by
    # Who may do it everywhere is asked first, because that costs no look into the database.
    if scope.site.allow(action, granted_by):
        return True
    if scope.in_team(endpoint.team_id).allow(action, granted_by):
        return True
    if endpoint.team_id is None:
        # What is everybody's may be used by who may use anything, and changed by the site.
        return action in USES and may(user, action)
    return any(
        rights.allow(action, granted_by)
        for share in endpoint.shares.all()
        if action in USES or (share.level == ShareLevel.MANAGE and action in MANAGES)
        for rights in scope.shared_with(share.team_id)
    )


def sees(user: User, endpoint: Endpoint) -> bool:
    return may_with(user, Action.GET, endpoint)


def visible_endpoints(user: User) -> EndpointQuerySet:
    """Those that somebody may see."""
    scope, granted_by = scope_of(user), Action.GET.granted_by
    endpoints = Endpoint.objects.all()
    if not user.is_active or not may(user, Action.GET):
        return endpoints.none()
    if scope.site.allow(Action.GET, granted_by):
        return endpoints
    return endpoints.of_teams(
        [team for team, rights in scope.teams.items() if rights.allow(Action.GET, granted_by)]
    )


def require_all_keys(user: User, action: Action) -> None:
    """Let pass who may do this to the keys of others, too. Raises Forbidden."""
    if not scope_of(user).site.allow(action, ALL_KEYS):
        raise forbidden(user, action)


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
        f"this action is granted by the {kind} privileges [{','.join(action.granted_by)}]"
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


def get_model(model_id: str) -> TrainedModel:
    """The model of this id, with what it runs from. Raises NotFound."""
    model = TrainedModel.objects.select_related("artifact").filter(model_id=model_id).first()
    if model is None:
        raise unknown_model(model_id)
    return model


def unknown_model(model_id: str) -> NotFound:
    return NotFound(f"No known trained model with model_id [{model_id}]")


def _checked(
    user: User,
    found: Endpoint | None,
    inference_id: str,
    task_type: TaskType | None,
    action: Action,
) -> Endpoint:
    is_allowed = found is not None and may_with(user, action, found)
    if found is None or not (is_allowed or sees(user, found)):
        raise NotFound(f"Inference endpoint not found [{inference_id}]")
    if not is_allowed:
        raise forbidden_with(user, action, found)
    if task_type and task_type != found.task:
        raise InvalidRequest(
            f"Incompatible task_type, the requested type [{task_type}] does not match "
            f"the model type [{found.task}] of inference endpoint [{inference_id}]"
        )
    return found


def forbidden_with(user: User, action: Action, endpoint: Endpoint) -> Forbidden:
    """Names who could allow it."""
    team = endpoint.team
    if team is None:
        return Forbidden(f"{forbidden(user, action)} for the whole installation")
    admins = team.memberships.filter(role=TeamRole.TEAM_ADMIN).values_list(
        "user__username", flat=True
    )
    asked = f"its administrators are [{','.join(admins)}]" if admins else "it has no administrator"
    return Forbidden(f"{forbidden(user, action)} in team [{team.name}]; {asked}")
