"""The records, one family per module."""

from endpoints.models.api_key import ApiKey, api_key_by_id
from endpoints.models.audit import AuditEntry, AuditHead, Outcome
from endpoints.models.cluster import Cluster, ClusterReference, ScanState
from endpoints.models.deleted import DeletedEndpoint
from endpoints.models.deployment import Deployment, DeploymentState
from endpoints.models.endpoint import Endpoint, endpoint_by_id
from endpoints.models.event import DeploymentEvent, EventPhase
from endpoints.models.heartbeat import Heartbeat
from endpoints.models.incoming import ModelUpload
from endpoints.models.lab import LabBatch, LabRun, LabState
from endpoints.models.link import Invitation, LinkState, PasswordReset
from endpoints.models.measure import ModelMeasure
from endpoints.models.model import Artifact, ArtifactState, TrainedModel
from endpoints.models.reference import (
    IndexMapping,
    IngestPipeline,
    NameInIndex,
    NameInPipeline,
)
from endpoints.models.region_policy import RegionPolicy
from endpoints.models.team import (
    DEFAULT_TEAM,
    EndpointShare,
    Membership,
    ShareLevel,
    Team,
    TeamRole,
)
from endpoints.models.tombstone import EndpointTombstone
from endpoints.models.upload import DefinitionPart
from endpoints.models.usage import TRIED, CallerDay, LatestUsage, UsageHour
from endpoints.models.user import User, administrator, user_by_name, user_by_pk

__all__ = [
    "DEFAULT_TEAM",
    "TRIED",
    "ApiKey",
    "Artifact",
    "ArtifactState",
    "AuditEntry",
    "AuditHead",
    "CallerDay",
    "Cluster",
    "ClusterReference",
    "DefinitionPart",
    "DeletedEndpoint",
    "Deployment",
    "DeploymentEvent",
    "DeploymentState",
    "Endpoint",
    "EndpointShare",
    "EndpointTombstone",
    "EventPhase",
    "Heartbeat",
    "IndexMapping",
    "IngestPipeline",
    "Invitation",
    "LabBatch",
    "LabRun",
    "LabState",
    "LatestUsage",
    "LinkState",
    "Membership",
    "ModelMeasure",
    "ModelUpload",
    "NameInIndex",
    "NameInPipeline",
    "Outcome",
    "PasswordReset",
    "RegionPolicy",
    "ScanState",
    "ShareLevel",
    "Team",
    "TeamRole",
    "TrainedModel",
    "UsageHour",
    "User",
    "administrator",
    "api_key_by_id",
    "endpoint_by_id",
    "user_by_name",
    "user_by_pk",
]
