"""Who may see or change what; the API and the pages ask here."""

from enum import StrEnum
from functools import cache

from endpoints.models import Endpoint, TrainedModel, User, endpoint_by_id
from endpoints.privileges import Rights, builtin_roles
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
    ("cluster:monitor/console/", "monitor manage all"),
    ("cluster:admin/console/", "manage all"),
    (Action.INDEX_CREATE.value, "create_index manage all"),
    (Action.INDEX_MAPPING_PUT.value, "manage all"),
    (Action.INDEX_GET.value, "view_index_metadata manage all"),
    (Action.INDEX_DELETE.value, "delete_index manage all"),
)
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


def rights_of(user: User) -> Rights:
    """What a caller may do: their roles, or what the key carries that they came with."""
    key = user.acting_key
    if key is None:
        return Rights((builtin_roles(user.role_names),))
    if key.role_descriptors:
        return Rights((key.limited_by, key.role_descriptors))
    return Rights((key.limited_by,))


def require(user: User, action: Action, *indices: str) -> None:
    """Let pass who may do this, on all of these indices where it is done to indices.

    An action on indices that names none is one on all there may be. Raises Forbidden.
    """
    rights, granted_by = rights_of(user), action.granted_by
    if not action.is_on_indices:
        if not rights.allow(action, granted_by):
            raise forbidden(user, action)
        return
    names = indices or ("*",)
    refused = [name for name in names if not rights.allow_on(name, action, granted_by)]
    if refused:
        raise forbidden(user, action, refused)


def may(user: User, action: Action) -> bool:
    """Whether somebody may do this, on all indices where it is done to indices."""
    return holds(rights_of(user), action, "*" if action.is_on_indices else None)


def require_all_keys(user: User, action: Action) -> None:
    """Let pass who may do this to the keys of others, too. Raises Forbidden."""
    if not rights_of(user).allow(action, ALL_KEYS):
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


def get_endpoint(user: User, inference_id: str, task_type: TaskType | None = None) -> Endpoint:
    """The endpoint of this id, with everything that tells its status.

    Raises NotFound where the user may not see it, InvalidRequest where its task is another.
    """
    visible = Endpoint.objects.visible_to(user).with_status()
    return _checked(visible.filter(inference_id=inference_id).first(), inference_id, task_type)


def endpoint_to_call(inference_id: str, task_type: TaskType | None = None) -> Endpoint:
    """The same for a call, which needs no status and should cost no time."""
    return _checked(endpoint_by_id.find(inference_id), inference_id, task_type)


def get_model(model_id: str) -> TrainedModel:
    """The model of this id, with what it runs from. Raises NotFound."""
    model = TrainedModel.objects.select_related("artifact").filter(model_id=model_id).first()
    if model is None:
        raise unknown_model(model_id)
    return model


def unknown_model(model_id: str) -> NotFound:
    return NotFound(f"No known trained model with model_id [{model_id}]")


def _checked(found: Endpoint | None, inference_id: str, task_type: TaskType | None) -> Endpoint:
    if found is None:
        raise NotFound(f"Inference endpoint not found [{inference_id}]")
    if task_type and task_type != found.task:
        raise InvalidRequest(
            f"Incompatible task_type, the requested type [{task_type}] does not match "
            f"the model type [{found.task}] of inference endpoint [{inference_id}]"
        )
    return found
