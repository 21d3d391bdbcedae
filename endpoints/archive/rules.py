"""What may stand in an archive: the rules by which the API takes the same things."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson
from pydantic import SecretStr, TypeAdapter, ValidationError

from endpoints import indices, people, pipelines, teams
from endpoints.actions import ID_PATTERN, check_inference_id
from endpoints.api.region_policy import PolicyBody
from endpoints.api.security.keys import RoleDescriptor
from endpoints.archive.parts import SEALED, BadRow, Row, meant
from endpoints.keys import Narrowing, check_key
from endpoints.model_deployments import Wish
from endpoints.models import User
from endpoints.models.model import PUBLISHED, PYTORCH
from endpoints.preconfigured import PRECONFIGURED
from endpoints.privileges import check_cluster_privileges, check_index_privileges
from endpoints.trained_models import check_model_id
from inference.errors import InvalidRequest
from inference.nlp_config import InferenceConfig
from inference.references.connection import Connection
from inference.references.mappings import parse_mapping
from inference.references.pipelines import check_pipeline
from inference.runner.adding import REPOSITORY, REVISION
from inference.runner.catalogue import BUILTIN_MODELS
from inference.services import find_service
from inference.types import TaskType

ROLES = TypeAdapter(dict[str, RoleDescriptor])
ADDED = re.compile(r"added/[a-z0-9_.\-]+")
GENERATION = re.compile(r"[0-9a-f]{0,16}")
KEY_ID = re.compile(r"[\w\-]{1,20}", re.ASCII)
SHA256 = re.compile(r"([0-9a-f]{64})?")


def check_person(row: Row, secrets: Row) -> None:
    """A service account is called by its team and a name of its own."""
    own = row["username"]
    if team := row.get("service_team"):
        name, _, own = own.partition("/")
        if name != team:
            raise BadRow(f"[username] is not that of a service account of team [{team}]")
    meant(User._meta.get_field("username"), own)
    if not own:
        raise BadRow("[username] must not be empty")
    if not all(isinstance(role, str) for role in row["roles"]):
        raise BadRow("[roles] must be a list of names")
    people.check_roles(row["roles"])


def check_team(row: Row, secrets: Row) -> None:
    """What is no text or too long for its column is found for every kind."""
    name = row["name"]
    if isinstance(name, str) and "\0" not in name and len(name) <= teams.MAX_NAME_LENGTH:
        teams.check_name(name)


def check_api_key(row: Row, secrets: Row) -> None:
    check_key(row["name"], row["metadata"])
    Narrowing(tuple(row["tasks"]), tuple(row["endpoints"]), row["requests_per_minute"]).check()
    if not KEY_ID.fullmatch(row["key_id"]):
        raise BadRow("[key_id] is none")
    if secrets and not SHA256.fullmatch(secrets["secret_sha256"]):
        raise BadRow("[secret_sha256] is no SHA-256")
    for name in ("role_descriptors", "limited_by"):
        try:
            roles = ROLES.validate_python(row[name])
        except ValidationError as exc:
            raise BadRow(f"[{name}] {first_of(exc)}") from None
        for role in roles.values():
            check_cluster_privileges(role.cluster)
            for grant in role.indices:
                check_index_privileges(grant.privileges)


def check_endpoint(row: Row, secrets: Row) -> None:
    """Without its secrets, a service cannot say whether the settings are all that it needs."""
    if row["inference_id"] not in PRECONFIGURED:
        check_inference_id(row["inference_id"])
    task_type, service = task_of(row["task_type"]), find_service(row["service"])
    if not GENERATION.fullmatch(row["cache_generation"]):
        raise BadRow("[cache_generation] is none")
    config: dict[str, Any] = {
        "service_settings": dict(row["service_settings"]),
        "task_settings": row["task_settings"],
    }
    if task_type.is_chunked:
        config["chunking_settings"] = row["chunking_settings"]
    elif row["chunking_settings"] is not None:
        raise BadRow(f"[chunking_settings] is none of task type [{task_type}]")
    if opened := secrets.get("encrypted_secrets"):
        config["service_settings"] |= object_in(opened, "encrypted_secrets")
    elif row.get(SEALED):
        service.check_task(task_type)
        if unknown := sorted(set(row["service_settings"]) - set(service.settings.model_fields)):
            raise BadRow(f"[service_settings] holds the unknown settings [{', '.join(unknown)}]")
        return
    service.parse(task_type, config)


def check_trained_model(row: Row, secrets: Row) -> None:
    model_id, artifact = row["model_id"], row["artifact"]
    if model_id not in BUILTIN_MODELS:
        check_model_id(model_id)
    elif artifact != BUILTIN_MODELS[model_id].weights.repository:
        raise BadRow(f"[artifact] is not that of the built-in model [{model_id}]")
    if row["task_type"]:
        task_of(row["task_type"])
    for name in ("definition_sha256", "vocabulary_sha256"):
        if not SHA256.fullmatch(row[name]):
            raise BadRow(f"[{name}] is no SHA-256")
    if row["published"] is not None:
        check_published(row["published"], model_id)
    elif artifact is None:
        check_upload(row["config"])
    elif model_id not in BUILTIN_MODELS:
        raise BadRow("[published] must say what the model is")


def check_published(published: Mapping[str, Any], model_id: str) -> None:
    """Its names must lead neither out of the folder of its files nor out of a mirror."""
    try:
        model = PUBLISHED.validate_python(published)
    except ValidationError as exc:
        raise BadRow(f"[published] {first_of(exc)}") from None
    if model.model_id != model_id:
        raise BadRow(f"[published] is of another model, [{model.model_id}]")
    weights = model.weights
    is_named = not (weights.is_folder or weights.is_upload)
    if is_named and not REPOSITORY.fullmatch(weights.repository):
        raise BadRow(f"[published] names no repository, [{weights.repository}]")
    if weights.revision and not REVISION.fullmatch(weights.revision):
        raise BadRow(f"[published] names no revision, [{weights.revision}]")
    for file in weights.files:
        path = PurePosixPath(file.name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise BadRow(f"[published] names a file outside of its folder, [{file.name}]")


def check_upload(config: Mapping[str, Any]) -> None:
    if config.get("model_type") != PYTORCH:
        return
    kinds = config.get("inference_config")
    if not isinstance(kinds, Mapping) or not all(
        isinstance(one, Mapping) for one in kinds.values()
    ):
        raise BadRow("[config] must hold an [inference_config]")
    try:
        InferenceConfig.stored(dict(kinds))
    except ValidationError as exc:
        raise BadRow(f"[config] {first_of(exc)}") from None


def check_deployment(row: Row, secrets: Row) -> None:
    adaptive = row["adaptive_allocations"]
    is_adaptive = bool(adaptive and adaptive.get("enabled"))
    if not row["deployment_id"]:
        raise BadRow("[deployment_id] must not be empty")
    Wish(
        deployment_id=row["deployment_id"],
        number_of_allocations=None if is_adaptive else row["num_allocations"],
        threads_per_allocation=row["num_threads"],
        queue_capacity=row["queue_capacity"],
        priority=row["priority"],
        precision=row["precision"],
        adaptive_allocations=adaptive,
    ).check()


def check_artifact(row: Row, secrets: Row) -> None:
    """Its name becomes that of a folder."""
    known = {model.weights.repository for model in BUILTIN_MODELS.values()}
    if row["repository"] not in known and not ADDED.fullmatch(row["repository"]):
        raise BadRow(f"[repository] is none that is used here: [{row['repository']}]")


def check_model_part(row: Row, secrets: Row) -> None:
    if not row["sha256"] or not SHA256.fullmatch(row["sha256"]):
        raise BadRow("[sha256] is no SHA-256")


def check_cluster(row: Row, secrets: Row) -> None:
    if not ID_PATTERN.fullmatch(row["name"]):
        raise BadRow("[name] is none")
    key = secrets.get("encrypted_api_key")
    Connection(row["url"], SecretStr(key) if key else None, row["ca_certificate"]).check()


def check_ingest_pipeline(row: Row, secrets: Row) -> None:
    pipelines.check_id(row["pipeline_id"])
    check_pipeline(row["config"])


def check_index(row: Row, secrets: Row) -> None:
    indices.check_name(row["name"])
    parse_mapping(row["mappings"])
    indices.flat_settings(row["settings"])
    indices.checked_aliases(row["aliases"])


def check_region_policy(row: Row, secrets: Row) -> None:
    try:
        PolicyBody.model_validate({"region_policy": row["policy"]}).checked()
    except ValidationError as exc:
        raise BadRow(f"[policy] {first_of(exc)}") from None


def check_tombstone(row: Row, secrets: Row) -> None:
    check_inference_id(row["inference_id"])
    task_of(row["task_type"])
    find_service(row["service"])


def task_of(name: str) -> TaskType:
    try:
        return TaskType(name)
    except ValueError:
        raise BadRow(f"[{name}] is no task type") from None


def object_in(text: str, name: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest(f"[{name}] must be an object")
    return found


def first_of(exc: ValidationError) -> str:
    """What is wrong, without the value, which may be anything."""
    problem = exc.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))
    return f"[{place}] {problem['msg']}" if place else str(problem["msg"])
