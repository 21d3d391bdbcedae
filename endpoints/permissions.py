"""What callers may want to do, by name, and which privileges allow it."""

from enum import StrEnum
from functools import cache


class Action(StrEnum):
    """What a caller wants to do, by Elasticsearch's name for it."""

    PUT = "cluster:admin/xpack/inference/put"
    UPDATE = "cluster:admin/xpack/inference/update"
    DELETE = "cluster:admin/xpack/inference/delete"
    DIAGNOSE = "cluster:admin/xpack/inference/diagnose"
    RESTORE = "cluster:admin/xpack/inference/restore"
    DELETED_GET = "cluster:admin/xpack/inference/deleted/get"
    DELETED_FORGET = "cluster:admin/xpack/inference/deleted/forget"
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
    PERSON_FACTORS = "cluster:admin/console/person/factors"
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
    Action.RESTORE: "endpoint.restore",
    Action.DELETED_GET: "endpoint.get",
    Action.DELETED_FORGET: "endpoint.forget",
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
    Action.API_KEY_ROTATE: "key.rotate",
    Action.ACCOUNT_PUT: "account.create",
    Action.CLUSTER_GET: "cluster.get",
    Action.CLUSTER_PUT: "cluster.connect",
    Action.CLUSTER_DELETE: "cluster.remove",
    Action.CLUSTER_SCAN: "cluster.scan",
    Action.PERSON_RESET: "person.password.offer",
    Action.PERSON_SESSIONS: "session.end",
    Action.TEAM_PEOPLE: "person.invite",
    Action.TEAM_CREATE: "team.create",
    Action.TEAM_DELETE: "team.delete",
    Action.MEMBER_PUT: "member.put",
    Action.MEMBER_REMOVE: "member.remove",
    Action.SHARE_GET: "endpoint.get",
    Action.SHARE_PUT: "endpoint.share",
    Action.SHARE_DELETE: "endpoint.unshare",
    Action.ENDPOINT_MOVE: "endpoint.move",
    Action.PERSON_FACTORS: "factor.reset",
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


@cache
def _granting(action: Action) -> tuple[str, ...]:
    return next(
        tuple(privileges.split())
        for prefix, privileges in GRANTED_BY
        if action.value.startswith(prefix)
    )
