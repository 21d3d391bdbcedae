"""Who may see or change what; the API and the pages ask here."""

from enum import StrEnum

from endpoints.models import Endpoint, User, endpoint_by_id
from inference.errors import InferenceError, InvalidRequest, NotFound
from inference.types import TaskType


class Privilege(StrEnum):
    MONITOR_INFERENCE = "monitor_inference"
    MANAGE_INFERENCE = "manage_inference"


class Action(StrEnum):
    """What a caller wants to do, by Elasticsearch's name for it."""

    PUT = "cluster:admin/xpack/inference/put"
    UPDATE = "cluster:admin/xpack/inference/update"
    DELETE = "cluster:admin/xpack/inference/delete"
    GET = "cluster:monitor/xpack/inference/get"
    INFER = "cluster:monitor/xpack/inference/post"
    SERVICES = "cluster:monitor/xpack/inference/services/get"
    REGION_POLICY_GET = "cluster:monitor/xpack/inference/region_policy/get"
    REGION_POLICY_PUT = "cluster:admin/xpack/inference/region_policy/put"
    REGION_POLICY_DELETE = "cluster:admin/xpack/inference/region_policy/delete"

    @property
    def granted_by(self) -> tuple[str, ...]:
        """The cluster privileges that allow it, the narrowest first."""
        wide = (Privilege.MANAGE_INFERENCE, "manage", "all")
        if self.value.startswith("cluster:admin/"):
            return wide
        return (Privilege.MONITOR_INFERENCE, Privilege.MANAGE_INFERENCE, "monitor", *wide[1:])


class Unauthenticated(InferenceError):
    status, type = 401, "security_exception"


class Forbidden(InferenceError):
    status, type = 403, "security_exception"


def require(user: User, action: Action) -> None:
    """Let administrators do everything and everyone else nothing."""
    if not user.is_superuser:
        privileges = ",".join(action.granted_by)
        raise Forbidden(
            f"action [{action}] is unauthorized for user [{user.username}], "
            f"this action is granted by the cluster privileges [{privileges}]"
        )


def get_endpoint(user: User, inference_id: str, task_type: TaskType | None = None) -> Endpoint:
    """The endpoint of this id, with everything that tells its status.

    Raises NotFound where the user may not see it, InvalidRequest where its task is another.
    """
    visible = Endpoint.objects.visible_to(user).with_status()
    return _checked(visible.filter(inference_id=inference_id).first(), inference_id, task_type)


def endpoint_to_call(inference_id: str, task_type: TaskType | None = None) -> Endpoint:
    """The same for a call, which needs no status and should cost no time."""
    return _checked(endpoint_by_id.find(inference_id), inference_id, task_type)


def _checked(found: Endpoint | None, inference_id: str, task_type: TaskType | None) -> Endpoint:
    if found is None:
        raise NotFound(f"Inference endpoint not found [{inference_id}]")
    if task_type and task_type != found.task:
        raise InvalidRequest(
            f"Incompatible task_type, the requested type [{task_type}] does not match "
            f"the model type [{found.task}] of inference endpoint [{inference_id}]"
        )
    return found
