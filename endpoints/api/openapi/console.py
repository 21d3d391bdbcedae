"""The routes of the installation itself, described."""

from endpoints.api.cache import CacheBody, CacheView
from endpoints.api.deployments import DeploymentEventsView
from endpoints.api.model_uploads import (
    BeginUploadBody,
    FinishUploadView,
    UploadPartView,
    UploadView,
)
from endpoints.api.models import (
    AddModelBody,
    CancelView,
    KnownModelView,
    ModelsView,
    PauseView,
    RetryView,
)
from endpoints.api.openapi.settings import schemas_of
from endpoints.api.openapi.view import OpenApiView
from endpoints.api.openapi.words import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    OBJECT,
    STRING,
    TEAM,
    Body,
    Operation,
    Schema,
    flag,
    listed,
    mapped,
    query,
    record,
    ref,
)
from endpoints.api.views import ClusterView
from endpoints.models import ArtifactState
from inference.runner.facts import Origin

SCHEMAS: dict[str, Schema] = {
    "Acknowledged": record({"acknowledged": BOOLEAN}),
    "Info": record(
        {
            "name": STRING,
            "cluster_name": STRING,
            "cluster_uuid": STRING,
            "version": record({"number": STRING, "build_flavor": STRING}),
            "tagline": STRING,
        }
    ),
    "Cache": record(
        {
            "enabled": BOOLEAN,
            "looked_up_inputs": {**INTEGER, "description": "In the last 24 hours."},
            "cached_inputs": INTEGER,
            "hit_rate": {"type": ["number", "null"]},
            "size_in_bytes": {**INTEGER, "description": "Of the web process that answers."},
            "max_size_in_bytes": INTEGER,
        }
    ),
    "KnownModel": record(
        {
            "model_id": STRING,
            "origin": {"type": "string", "enum": [str(origin) for origin in Origin]},
            "task_type": {"type": ["string", "null"]},
            "team": {"type": ["string", "null"], "description": "Null where it is everybody's."},
            "state": {"type": "string", "enum": [str(state) for state in ArtifactState]},
            "description": STRING,
            "license": STRING,
            "languages": listed(STRING),
            "size_in_bytes": INTEGER,
            "max_input_tokens": INTEGER,
            "files": listed(
                record(
                    {
                        "name": STRING,
                        "size_in_bytes": INTEGER,
                        "sha256": {
                            "type": ["string", "null"],
                            "description": "Null until the file is here, where nobody tells it.",
                        },
                    }
                )
            ),
            "deployments": {**listed(STRING), "description": "Their ids."},
        },
        {
            "reason": {**STRING, "description": "Why its files could not be had."},
            "download": record(
                {
                    "source": STRING,
                    "bytes_done": INTEGER,
                    "bytes_total": INTEGER,
                    "bytes_per_second": NUMBER,
                }
            ),
            "dimensions": INTEGER,
            "similarity": STRING,
            "pooling": STRING,
            "prefixes": mapped(STRING),
            "source": record({}, {"repository": STRING, "revision": STRING, "folder": STRING}),
        },
    ),
    "ModelUpload": record(
        {"model_id": STRING, "team": STRING, "files": listed(ref("ModelUploadFile"))}
    ),
    "ModelUploadFile": record(
        {
            "number": INTEGER,
            "name": STRING,
            "size_in_bytes": INTEGER,
            "received_in_bytes": {**INTEGER, "description": "Where the next piece begins."},
        }
    ),
    **schemas_of(CacheBody, AddModelBody, BeginUploadBody),
}

INFO = Operation("cluster.info", "Tell name and version", ref("Info"))
OPENAPI = Operation(
    "console.openapi", "Describe this API", OBJECT, "This document, in OpenAPI's form."
)

GET_CACHE = Operation(
    "console.get_cache", "Tell how an endpoint's cache does", ref("Cache"), failures=(404,)
)
PUT_CACHE = Operation(
    "console.put_cache",
    "Switch an endpoint's cache on or off",
    record({"acknowledged": BOOLEAN, "enabled": BOOLEAN}),
    "A text that was embedded before is then answered from memory.",
    body=Body(ref("CacheBody"), {"enabled": True}),
    failures=(404, 409),
)
DELETE_CACHE = Operation(
    "console.purge_cache",
    "Empty an endpoint's cache in every web process",
    ref("Acknowledged"),
    failures=(404,),
)

DEPLOYMENT_EVENTS = Operation(
    "console.get_deployment_events",
    "Tell what a deployment went through",
    record(
        {
            "deployment_id": STRING,
            "count": INTEGER,
            "events": listed(
                record(
                    {
                        "state": STRING,
                        "timestamp": {**INTEGER, "description": "In milliseconds since 1970."},
                    },
                    {"reason": STRING},
                )
            ),
        }
    ),
    "The newest first.",
    failures=(404,),
)

LIST_MODELS = Operation(
    "console.get_models",
    "List the models that can run here",
    record({"count": INTEGER, "models": listed(ref("KnownModel"))}),
    "Built-in models, those that were added by name, and uploads.",
)
GET_KNOWN_MODEL = Operation(
    "console.get_model", "Tell what is known of a model", ref("KnownModel"), failures=(404,)
)
ADD_MODEL = Operation(
    "console.add_model",
    "Add a model by its name on the hub, or from a folder",
    ref("KnownModel"),
    "Its small files are read at once and say what it is; the rest is fetched in the background.",
    (TEAM,),
    failures=(404,),
    body=Body(
        ref("AddModelBody"), {"source": {"repository": "intfloat/e5-small-v2", "revision": "main"}}
    ),
)
DELETE_KNOWN_MODEL = Operation(
    "console.delete_model",
    "Delete a model",
    ref("Acknowledged"),
    "With the files of a model that was added or uploaded; those of a built-in one stay.",
    query=(flag("force", "Although it is deployed, or something refers to it."),),
    failures=(404, 409),
)
CANCEL_DOWNLOAD = Operation(
    "console.cancel_download", "Stop fetching a model", ref("KnownModel"), failures=(404, 409)
)
PAUSE_DOWNLOAD = Operation(
    "console.pause_download",
    "Let the fetching of a model rest",
    ref("KnownModel"),
    "What came so far stays. Fetching goes on with `_retry`, where the source can, in the middle.",
    failures=(404, 409),
)
RETRY_DOWNLOAD = Operation(
    "console.retry_download",
    "Fetch what is missing of a model",
    ref("KnownModel"),
    "What was paused goes on.",
    failures=(404, 409),
)

GET_UPLOAD = Operation(
    "console.get_model_upload",
    "Tell how far the upload of a model is",
    ref("ModelUpload"),
    failures=(404,),
)
BEGIN_UPLOAD = Operation(
    "console.begin_model_upload",
    "Announce the files of a model to upload",
    ref("ModelUpload"),
    "The answer lists those that are needed, in the order to send them. Asked again with the same "
    "files, an upload that was broken off goes on.",
    (TEAM,),
    Body(
        ref("BeginUploadBody"),
        {
            "files": [
                {"name": "config.json", "size_in_bytes": 612},
                {"name": "tokenizer.json", "size_in_bytes": 466247},
                {"name": "model.safetensors", "size_in_bytes": 90868376},
            ]
        },
    ),
    failures=(404, 409, 507),
)
DISCARD_UPLOAD = Operation(
    "console.discard_model_upload",
    "Forget an upload with what came of it",
    ref("Acknowledged"),
    failures=(404,),
)
PUT_UPLOAD_PART = Operation(
    "console.put_model_upload_part",
    "Add a piece to a file of an upload",
    ref("ModelUploadFile"),
    "The body is the bytes themselves, as `application/octet-stream`.",
    (
        query("offset", "Where in the file the piece begins: what was received.", INTEGER),
        query("sha256", "Of the piece, in hexadecimal digits.", STRING),
    ),
    failures=(404, 409, 413, 507),
)
FINISH_UPLOAD = Operation(
    "console.finish_model_upload",
    "Make a model of what was uploaded",
    ref("KnownModel"),
    failures=(404, 409, 507),
)

OPERATIONS = {
    ClusterView: {"get": INFO},
    OpenApiView: {"get": OPENAPI},
    CacheView: {"get": GET_CACHE, "put": PUT_CACHE, "delete": DELETE_CACHE},
    DeploymentEventsView: {"get": DEPLOYMENT_EVENTS},
    ModelsView: {"get": LIST_MODELS},
    KnownModelView: {
        "get": GET_KNOWN_MODEL,
        "put": ADD_MODEL,
        "delete": DELETE_KNOWN_MODEL,
    },
    CancelView: {"post": CANCEL_DOWNLOAD},
    PauseView: {"post": PAUSE_DOWNLOAD},
    RetryView: {"post": RETRY_DOWNLOAD},
    UploadView: {"get": GET_UPLOAD, "post": BEGIN_UPLOAD, "delete": DISCARD_UPLOAD},
    UploadPartView: {"put": PUT_UPLOAD_PART},
    FinishUploadView: {"post": FINISH_UPLOAD},
}
