"""What an archive holds, listed by hand, and what stays behind.

A kind that names another one comes after it. A new kind of record is one entry here: everything of
it goes into the archive but what the entry leaves out.
"""

from django.contrib.auth.hashers import make_password
from django.db import models

from endpoints.archive import rules
from endpoints.archive.parts import Part
from endpoints.models import (
    ApiKey,
    Artifact,
    AuditEntry,
    AuditHead,
    Cluster,
    ClusterReference,
    DefinitionPart,
    Deployment,
    DeploymentEvent,
    Endpoint,
    EndpointShare,
    EndpointTombstone,
    Heartbeat,
    IndexMapping,
    IngestPipeline,
    Membership,
    ModelMeasure,
    RegionPolicy,
    Team,
    TrainedModel,
    UsageHour,
    User,
)
from endpoints.models.endpoint import IS_PRECONFIGURED

PEOPLE = Part(
    "people",
    User,
    "person",
    key=("username",),
    check=rules.check_person,
    sealed=frozenset({"password"}),
    begun={"password": make_password(None)},
)
TEAMS = Part("teams", Team, "team", key=("name",))
MEMBERS = Part("members", Membership, "membership", key=("team", "user"))
API_KEYS = Part(
    "api_keys",
    ApiKey,
    "API key",
    key=("key_id",),
    check=rules.check_api_key,
    sealed=frozenset({"secret_sha256"}),
    is_void_unsealed=True,
)
ARTIFACTS = Part(
    "artifacts",
    Artifact,
    "set of weights",
    key=("repository",),
    check=rules.check_artifact,
    left_out=frozenset(
        {"state", "reason", "source", "bytes_done", "bytes_total", "bytes_per_s", "worked_on_at"}
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
    PEOPLE,
    TEAMS,
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
# With why: what a test asks for of every kind of record that is in no part.
STAYS_BEHIND: dict[type[models.Model], str] = {
    AuditHead: "the manifest has it, where the audit log is asked for",
    ClusterReference: "the next scan finds it",
    DeploymentEvent: "what deployments of that machine went through",
    Heartbeat: "processes of that machine",
    ModelMeasure: "what models take and do on that machine",
    UsageHour: "calls to that installation",
}
