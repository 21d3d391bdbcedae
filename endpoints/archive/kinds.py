"""What an archive holds, listed by hand, and what stays behind.

A kind that names another one comes after it. A new kind of record is one entry here: everything of
it goes into the archive but what the entry leaves out.
"""

from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password

from endpoints.archive import rules
from endpoints.archive.parts import AS_IT_IS, Part, Secret
from endpoints.models import (
    ApiKey,
    Artifact,
    AuditEntry,
    Cluster,
    DefinitionPart,
    Deployment,
    Endpoint,
    EndpointShare,
    EndpointTombstone,
    IndexMapping,
    IngestPipeline,
    Membership,
    RegionPolicy,
    Team,
    TrainedModel,
    User,
)
from endpoints.models.endpoint import IS_PRECONFIGURED
from endpoints.rotation import FACTOR_SECRETS


def opened_factor(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a second factor is checked against, in plain. Raises SecretUnreadable."""
    return changed_factor(data, get_adapter().decrypt)


def stored_factor(data: Mapping[str, Any]) -> dict[str, Any]:
    return changed_factor(data, get_adapter().encrypt)


def changed_factor(data: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Of an app its key, of recovery codes what they are made from; passkeys hold no secret."""
    changed = dict(data)
    for name in data.keys() & set(FACTOR_SECRETS):
        changed[name] = change(data[name])
    if "migrated_codes" in data:
        changed["migrated_codes"] = list(map(change, data["migrated_codes"]))
    return changed


TEAMS = Part("teams", Team, "team", key=("name",), check=rules.check_team)
PEOPLE = Part(
    "people",
    User,
    "person",
    key=("username",),
    check=rules.check_person,
    left_out=frozenset({"has_second_factor", "look"}),
    sealed={"password": AS_IT_IS},
    unchecked=frozenset({"username"}),
    begun={"password": make_password(None)},
)
MEMBERS = Part("members", Membership, "membership", key=("team", "user"))
EMAIL_ADDRESSES = Part("email_addresses", EmailAddress, "e-mail address", key=("user", "email"))
SECOND_FACTORS = Part(
    "second_factors",
    Authenticator,
    "second factor",
    key=("user", "type", "created_at"),
    sealed={"data": Secret(opened_factor, stored_factor)},
    is_void_unsealed=True,
)
LINKED_ACCOUNTS = Part("linked_accounts", SocialAccount, "linked account", key=("provider", "uid"))
API_KEYS = Part(
    "api_keys",
    ApiKey,
    "API key",
    key=("key_id",),
    check=rules.check_api_key,
    sealed={"secret_sha256": AS_IT_IS},
    is_void_unsealed=True,
)
ARTIFACTS = Part(
    "artifacts",
    Artifact,
    "set of weights",
    key=("repository",),
    check=rules.check_artifact,
    left_out=frozenset(
        {
            "state",
            "reason",
            "source",
            "bytes_done",
            "bytes_total",
            "bytes_per_s",
            "has_restarted",
            "worked_on_at",
        }
    ),
)
TRAINED_MODELS = Part(
    "trained_models", TrainedModel, "model", key=("model_id",), check=rules.check_trained_model
)
MODEL_PARTS = Part(
    "model_parts",
    DefinitionPart,
    "part of a model",
    key=("model", "number"),
    check=rules.check_model_part,
)
DEPLOYMENTS = Part(
    "deployments",
    Deployment,
    "deployment",
    key=("deployment_id",),
    check=rules.check_deployment,
    left_out=frozenset({"generation", "state", "reason", "state_changed_at", "stats"}),
)
ENDPOINTS = Part(
    "endpoints",
    Endpoint,
    "endpoint",
    key=("inference_id",),
    check=rules.check_endpoint,
    always_there=IS_PRECONFIGURED,
)
SHARES = Part("shares", EndpointShare, "share", key=("endpoint", "team"))
TOMBSTONES = Part(
    "tombstones",
    EndpointTombstone,
    "deleted endpoint",
    key=("inference_id",),
    check=rules.check_tombstone,
)
PIPELINES = Part(
    "pipelines",
    IngestPipeline,
    "pipeline",
    key=("pipeline_id",),
    check=rules.check_ingest_pipeline,
)
INDICES = Part("indices", IndexMapping, "index", key=("name",), check=rules.check_index)
CLUSTERS = Part(
    "clusters",
    Cluster,
    "cluster",
    key=("name",),
    check=rules.check_cluster,
    left_out=frozenset(
        {
            "scan_state",
            "reason",
            "state_changed_at",
            "scanned_at",
            "index_count",
            "pipeline_count",
            "scan_started_at",
        }
    ),
)
REGION_POLICY = Part(
    "region_policy",
    RegionPolicy,
    "region policy",
    key=("only",),
    check=rules.check_region_policy,
)
AUDIT = Part("audit", AuditEntry, "audit entry", key=("number",))

PARTS = (
    TEAMS,
    PEOPLE,
    EMAIL_ADDRESSES,
    SECOND_FACTORS,
    LINKED_ACCOUNTS,
    MEMBERS,
    API_KEYS,
    ARTIFACTS,
    TRAINED_MODELS,
    MODEL_PARTS,
    DEPLOYMENTS,
    ENDPOINTS,
    SHARES,
    TOMBSTONES,
    PIPELINES,
    INDICES,
    CLUSTERS,
    REGION_POLICY,
)
# With why: what a test asks for of every kind of record, or of a whole app, that is in no part.
STAYS_BEHIND = {
    "account.EmailConfirmation": "links that work for a few days",
    "auth": "roles stand with the people",
    "axes": "who tried too many passwords lately",
    "contenttypes": "Django's own list of tables",
    "endpoints.AuditHead": "the manifest has it, where the audit log is asked for",
    "endpoints.ClusterReference": "the next scan finds it",
    "endpoints.DeletedEndpoint": "it can be restored where it was deleted, for a few days",
    "endpoints.DeploymentEvent": "what deployments of that machine went through",
    "endpoints.Heartbeat": "processes of that machine",
    "endpoints.Invitation": "links that work for a few days",
    "endpoints.LabBatch": "what people try out for a day",
    "endpoints.LabRun": "what people try out for a day",
    "endpoints.ModelMeasure": "what models take and do on that machine",
    "endpoints.ModelUpload": "what is on its way in, whose pieces lie on that machine",
    "endpoints.NameInIndex": "its index says the same",
    "endpoints.NameInPipeline": "its pipeline says the same",
    "endpoints.PasswordReset": "links that work for a day",
    "endpoints.UsageHour": "calls to that installation",
    "endpoints.LatestUsage": "calls to that installation",
    "endpoints.CallerDay": "calls to that installation",
    "sessions": "people sign in again",
    "socialaccount.SocialApp": "the settings say which services there are",
    "socialaccount.SocialToken": "none is kept",
    "usersessions": "people sign in again",
}
