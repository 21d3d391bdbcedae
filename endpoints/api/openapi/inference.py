"""The `_inference` routes, described."""

from endpoints.api import views
from endpoints.api.openapi.settings import require, schemas_of, settings_schemas
from endpoints.api.openapi.words import (
    BOOLEAN,
    DURATION,
    INTEGER,
    NUMBER,
    OBJECT,
    STRING,
    TEAM,
    Body,
    Operation,
    Schema,
    flag,
    ignored,
    listed,
    mapped,
    query,
    record,
    ref,
)
from endpoints.api.region_policy import PolicyBody, RegionPolicyView
from endpoints.api.schemas import ChatBody, ChunkBody, EmbeddingBody, InferenceBody
from inference.types import TaskType

TASK: Schema = {"enum": list(TaskType)}
MINIMAL = ignored("return_minimal_config")
TIMEOUT = query("timeout", "How long to wait; -1 is for ever.", DURATION)
EXAMPLE = {
    "service": "elasticsearch",
    "service_settings": {
        "model_id": ".all-minilm-l6-v2",
        "num_allocations": 1,
        "num_threads": 1,
    },
}

SCHEMAS: dict[str, Schema] = {
    "Endpoint": record(
        {
            "inference_id": STRING,
            "task_type": TASK,
            "service": STRING,
            "service_settings": {**OBJECT, "description": "With defaults, and never a secret."},
        },
        {"task_settings": OBJECT, "chunking_settings": OBJECT},
    ),
    **{
        schema: record({name: listed(record({"embedding": listed(numbers)}))})
        for schema, name, numbers in (
            ("TextEmbeddings", "text_embedding", NUMBER),
            ("TextEmbeddingsInBytes", "text_embedding_bytes", INTEGER),
            ("TextEmbeddingsInBits", "text_embedding_bits", INTEGER),
            ("Embeddings", "embeddings", NUMBER),
            ("EmbeddingsInBytes", "embeddings_bytes", INTEGER),
            ("EmbeddingsInBits", "embeddings_bits", INTEGER),
        )
    },
    "Completions": record({"completion": listed(record({"result": STRING}))}),
    "ChatAnswer": record(
        {
            "id": STRING,
            "object": {"const": "chat.completion"},
            "choices": listed(
                record(
                    {
                        "index": INTEGER,
                        "message": OBJECT,
                        "finish_reason": {"type": ["string", "null"]},
                    }
                )
            ),
        },
        {"created": INTEGER, "model": STRING, "usage": OBJECT},
    ),
    "SparseEmbeddings": record(
        {"sparse_embedding": listed(record({"is_truncated": BOOLEAN, "embedding": mapped(NUMBER)}))}
    ),
    "Ranking": record(
        {
            "rerank": listed(
                record({"index": INTEGER, "relevance_score": NUMBER}, {"text": STRING}),
            )
        }
    ),
    "Service": record(
        {
            "service": STRING,
            "name": STRING,
            "task_types": listed(TASK),
            "configurations": mapped(
                record(
                    {
                        "label": STRING,
                        "required": BOOLEAN,
                        "sensitive": BOOLEAN,
                        "updatable": BOOLEAN,
                        "type": {"enum": ["str", "int", "bool", "list", "map"]},
                        "supported_task_types": listed(TASK),
                    },
                    {"default_value": {}, "description": STRING},
                )
            ),
        }
    ),
    "StoredRegionPolicy": record(
        {"region_policy": ref("Policy"), "created_at": STRING},
        {"created_by": STRING, "updated_at": STRING, "updated_by": STRING},
    ),
    **settings_schemas(),
    **schemas_of(InferenceBody, EmbeddingBody, ChatBody, ChunkBody, PolicyBody),
}
for body in ("InferenceBody", "EmbeddingBody"):
    require(SCHEMAS[body], "input")

ENDPOINTS = record({"endpoints": listed(ref("Endpoint"))})
RESULT: Schema = {
    "oneOf": [
        ref(name)
        for name in (
            "TextEmbeddings",
            "TextEmbeddingsInBytes",
            "TextEmbeddingsInBits",
            "SparseEmbeddings",
            "Ranking",
            "Completions",
            "ChatAnswer",
            "Embeddings",
            "EmbeddingsInBytes",
            "EmbeddingsInBits",
        )
    ],
    "description": "By the task of the endpoint; one entry for each input, in order, but for "
    "rerank, whose entries are sorted by falling score, and for a chat.",
}
CALL: Schema = {
    "anyOf": [ref("InferenceBody"), ref("EmbeddingBody"), ref("ChatBody")],
    "description": "By the task of the endpoint: chat_completion takes a chat, embedding takes "
    "more than texts, every other task what is described first.",
}
GET_ALL = Operation(
    "inference.get_all", "List endpoints, of one task or of all", ENDPOINTS, query=(MINIMAL,)
)
GET = Operation("inference.get", "Read an endpoint", ENDPOINTS, query=(MINIMAL,), failures=(404,))
PUT = Operation(
    "inference.put",
    "Create an endpoint",
    ref("Endpoint"),
    "The answer comes when the endpoint has proved itself by a real call. Where the time runs out "
    "before, the endpoint stays and goes on starting. An endpoint that is there is not replaced.",
    (
        TIMEOUT,
        flag("force", "Create it although another model made what is stored for this id."),
        TEAM,
    ),
    Body(ref("CreateEndpoint"), EXAMPLE),
    in_path={"task_type": TASK},
    failures=(402, 404, 408, 409, 422, 429, 500, 503, 504, 507),
    headers={"Warning": "What the maker should know although nothing is wrong."},
)
INFER = Operation(
    "inference.inference",
    "Call an endpoint",
    RESULT,
    query=(TIMEOUT,),
    body=Body(CALL, {"input": ["Hello, world"]}),
    failures=(402, 404, 408, 409, 422, 429, 500, 503, 504),
    headers={"Warning": "How many inputs were cut to the model's window, and by how much."},
)
DELETE = Operation(
    "inference.delete",
    "Delete an endpoint",
    record(
        {"acknowledged": BOOLEAN, "pipelines": listed(STRING), "indexes": listed(STRING)},
        {"error_message": STRING},
    ),
    query=(
        flag("dry_run", "Delete nothing, and tell what names the endpoint."),
        flag("force", "Delete it although mappings or pipelines name it."),
    ),
    failures=(404, 409),
)
UPDATE = Operation(
    "inference.update",
    "Change settings of an endpoint",
    ref("Endpoint"),
    query=(TIMEOUT,),
    body=Body(ref("UpdateEndpoint"), {"service_settings": {"num_allocations": 1}}),
    failures=(402, 404, 408, 409, 422, 429, 500, 503, 504),
)
STREAM = Operation(
    "inference.stream",
    "Call an endpoint and stream its answer",
    None,
    "An answer is a stream of events, and so is a refusal: completion and chat_completion of "
    "providers stream. The models that run here answer all at once, so every call of theirs is "
    "refused.",
    (TIMEOUT,),
    Body(CALL, {"messages": [{"role": "user", "content": "Hello, world"}]}),
    failures=(402, 404, 405, 408, 422, 429, 500, 503, 504),
    is_stream=True,
)
SERVICES = Operation(
    "inference.get_services",
    "List the services and their settings",
    listed(ref("Service")),
)
CHUNK = Operation(
    "inference.chunk",
    "Show how a text would be cut",
    record(
        {"chunks": listed(record({"start_offset": INTEGER, "end_offset": INTEGER, "text": STRING}))}
    ),
    "Nothing is embedded. Offsets count UTF-16 code units, as Java does.",
    body=Body(
        ref("ChunkBody"),
        {
            "input": "One sentence. Another one.",
            "chunking_settings": {"strategy": "sentence", "max_chunk_size": 20},
        },
    ),
)
GET_REGION_POLICY = Operation(
    "inference.get_region_policy",
    "Read the region policy",
    ref("StoredRegionPolicy"),
    failures=(404,),
)
PUT_REGION_POLICY = Operation(
    "inference.put_region_policy",
    "Set the region policy",
    ref("StoredRegionPolicy"),
    query=(flag("force", "Accepted: no endpoint here runs in a region, so none is denied."),),
    body=Body(ref("PolicyBody"), {"region_policy": {"allowed_geos": ["eu"]}}),
)
DELETE_REGION_POLICY = Operation(
    "inference.delete_region_policy",
    "Remove the region policy",
    ref("Acknowledged"),
    failures=(404,),
)

OPERATIONS = {
    views.EndpointView: {"put": PUT, "post": INFER, "get": GET, "delete": DELETE},
    views.EndpointListView: {"get": GET_ALL},
    views.UpdateView: {"put": UPDATE, "post": UPDATE},
    views.StreamView: {"post": STREAM},
    views.ServicesView: {"get": SERVICES},
    views.ChunkView: {"post": CHUNK},
    RegionPolicyView: {
        "get": GET_REGION_POLICY,
        "put": PUT_REGION_POLICY,
        "delete": DELETE_REGION_POLICY,
    },
}
