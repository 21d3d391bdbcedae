"""The `_ml/trained_models` routes, described."""

from dataclasses import replace

from endpoints.api.openapi.settings import schemas_of
from endpoints.api.openapi.words import (
    BOOLEAN,
    DURATION,
    INTEGER,
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
from endpoints.api.trained_models import deployments, infer, models, stats
from endpoints.api.trained_models.models import INCLUDES, MAX_PAGE
from endpoints.api.trained_models.schemas import (
    InferBody,
    NlpConfigBody,
    PartBody,
    StartBody,
    StopBody,
    UpdateDeploymentBody,
    VocabularyBody,
)
from endpoints.model_deployments import MAX_QUEUE, PRIORITIES
from endpoints.uploads import MAX_PARTS
from inference.runner.precision.report import Precision
from inference.services.elasticsearch import MAX_THREADS

STATE: Schema = {"enum": ["starting", "started", "stopping", "failed"]}
ADAPTIVE: Schema = {"type": ["object", "null"]}
PAGE = (
    query("from", "How many models to pass over.", {"type": "integer", "minimum": 0}),
    query("size", "How many to show.", {"type": "integer", "minimum": 0, "maximum": MAX_PAGE}),
)
NO_MATCH = flag("allow_no_match", "Whether a wildcard may find nothing; true unless told.")
TIMEOUT = query("timeout", "How long to wait.", DURATION)
PRECISION = query(
    "precision", "Of built-in models, beyond Elasticsearch.", {"enum": list(Precision)}
)

SCHEMAS: dict[str, Schema] = {
    "TrainedModel": record(
        {"model_type": STRING},
        {
            "model_id": STRING,
            "created_by": STRING,
            "version": STRING,
            "create_time": INTEGER,
            "model_size_bytes": INTEGER,
            "estimated_operations": INTEGER,
            "license_level": STRING,
            "description": STRING,
            "tags": listed(STRING),
            "metadata": OBJECT,
            "model_package": OBJECT,
            "input": OBJECT,
            "inference_config": OBJECT,
            "prefix_strings": OBJECT,
            "platform_architecture": STRING,
            "location": OBJECT,
            "fully_defined": BOOLEAN,
        },
    ),
    "Assignment": record(
        {
            "task_parameters": OBJECT,
            "routing_table": mapped(
                record(
                    {
                        "current_allocations": INTEGER,
                        "target_allocations": INTEGER,
                        "routing_state": STATE,
                        "reason": STRING,
                    }
                )
            ),
            "assignment_state": STATE,
            "start_time": STRING,
            "max_assigned_allocations": INTEGER,
            "adaptive_allocations": ADAPTIVE,
        },
        {"reason": STRING},
    ),
    "TrainedModelStats": record(
        {"model_id": STRING, "model_size_stats": OBJECT, "pipeline_count": INTEGER},
        {
            "inference_stats": OBJECT,
            "deployment_stats": record(
                {
                    "deployment_id": STRING,
                    "model_id": STRING,
                    "state": STATE,
                    "allocation_status": record(
                        {
                            "allocation_count": INTEGER,
                            "target_allocation_count": INTEGER,
                            "state": {"enum": ["starting", "started", "fully_allocated"]},
                        }
                    ),
                    "nodes": listed(OBJECT),
                }
            ),
        },
    ),
    "InferenceResult": {
        **OBJECT,
        "description": "`predicted_value`, or what `results_field` names, with what comes beside it"
        " for the kind of inference; `error` or `warning` where there is none.",
    },
    **schemas_of(
        NlpConfigBody,
        PartBody,
        VocabularyBody,
        StartBody,
        StopBody,
        UpdateDeploymentBody,
        InferBody,
    ),
}
ASSIGNED = record({"assignment": ref("Assignment")})
GET = Operation(
    "ml.get_trained_models",
    "Read models",
    record({"count": INTEGER, "trained_model_configs": listed(ref("TrainedModel"))}),
    "The path may list ids and wildcards, separated by commas; `_all` is every model.",
    (
        NO_MATCH,
        *PAGE,
        query("tags", "Only models that have all of these, separated by commas.", STRING),
        query(
            "include",
            f"Any of {', '.join(INCLUDES)}, separated by commas. `definition_status` tells of a "
            "single model whether all of it is here.",
            STRING,
        ),
        flag("exclude_generated", "Leave out what was not put."),
        ignored("decompress_definition"),
    ),
    failures=(404,),
)
PUT = Operation(
    "ml.put_trained_model",
    "Store a model's config, or have a built-in model fetched",
    ref("TrainedModel"),
    "For an id of the catalogue a body with `input` is enough.",
    (
        flag("wait_for_completion", "Answer once a built-in model is here."),
        TIMEOUT,
        TEAM,
        ignored("defer_definition_decompression"),
    ),
    Body(
        ref("NlpConfigBody"),
        {
            "model_type": "pytorch",
            "inference_config": {"text_embedding": {"tokenization": {"bert": {}}}},
        },
    ),
    failures=(404, 408),
)
DELETE = Operation(
    "ml.delete_trained_model",
    "Remove a model",
    ref("Acknowledged"),
    query=(flag("force", "Even if it is deployed or used; its deployments then end at once."),),
    failures=(404, 409),
)
PUT_PART = Operation(
    "ml.put_trained_model_definition_part",
    "Upload a part of a model",
    ref("Acknowledged"),
    f"There may be {MAX_PARTS} parts, in any order; each is given once.",
    body=Body(
        ref("PartBody"),
        {"definition": "aGVsbG8=", "total_definition_length": 5, "total_parts": 1},
    ),
    failures=(404, 507),
)
PUT_VOCABULARY = Operation(
    "ml.put_trained_model_vocabulary",
    "Upload the vocabulary of a model",
    ref("Acknowledged"),
    body=Body(ref("VocabularyBody"), {"vocabulary": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "sky"]}),
    failures=(404, 409, 507),
)
STATS = Operation(
    "ml.get_trained_models_stats",
    "Tell what models and deployments did",
    record({"count": INTEGER, "trained_model_stats": listed(ref("TrainedModelStats"))}),
    "One element for each deployment. The path may name models or deployments.",
    (NO_MATCH, *PAGE),
    failures=(404,),
)
START = Operation(
    "ml.start_trained_model_deployment",
    "Start a model",
    ASSIGNED,
    "Answers once it is as far as `wait_for` says; after the timeout it goes on starting.",
    (
        TIMEOUT,
        query("wait_for", "How far to wait.", {"enum": list(deployments.WAITS)}),
        query("deployment_id", "The model's id unless told.", STRING),
        query("number_of_allocations", "Copies at work.", {"type": "integer", "minimum": 1}),
        query(
            "threads_per_allocation",
            "A power of 2.",
            {"type": "integer", "minimum": 1, "maximum": MAX_THREADS},
        ),
        query(
            "queue_capacity",
            "How many texts may wait.",
            {"type": "integer", "minimum": 1, "maximum": MAX_QUEUE},
        ),
        query("cache_size", "Told again as it was given: there is no cache.", STRING),
        query("priority", "Told again as it was given.", {"enum": list(PRIORITIES)}),
        PRECISION,
        TEAM,
        query("model_threads", "Deprecated: number_of_allocations.", INTEGER),
        query("inference_threads", "Deprecated: threads_per_allocation.", INTEGER),
    ),
    Body(ref("StartBody"), {"adaptive_allocations": {"enabled": True}}, is_required=False),
    failures=(404, 408, 429, 500),
    headers={"Warning": "What about the request is deprecated."},
)
STOP = Operation(
    "ml.stop_trained_model_deployment",
    "Stop deployments",
    record({"stopped": BOOLEAN}),
    "The path may list ids and wildcards, separated by commas.",
    (NO_MATCH, flag("force", "Even if it is used, and without an answer to who still waits.")),
    Body(ref("StopBody"), is_required=False),
    failures=(404, 409),
)
UPDATE = Operation(
    "ml.update_trained_model_deployment",
    "Change how many allocations a deployment has, or what it computes in",
    ASSIGNED,
    "With another precision it is started anew; calls are answered as before until that is warm.",
    (
        query("number_of_allocations", "Copies at work.", {"type": "integer", "minimum": 1}),
        PRECISION,
    ),
    body=Body(ref("UpdateDeploymentBody"), {"number_of_allocations": 2}, is_required=False),
    failures=(404, 409, 429),
)
INFER = Operation(
    "ml.infer_trained_model",
    "Ask a deployed model",
    record({"inference_results": listed(ref("InferenceResult"))}),
    "One result for each document. The path names a deployment or a model.",
    (TIMEOUT,),
    Body(ref("InferBody"), {"docs": [{"text_field": "Hello, world"}]}),
    failures=(404, 408, 409, 429, 500, 503),
)
NUMBERED: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_PARTS - 1}

OPERATIONS = {
    models.ModelListView: {"get": GET},
    models.ModelView: {"get": GET, "put": PUT, "delete": DELETE},
    models.PartView: {"put": replace(PUT_PART, in_path={"part": NUMBERED})},
    models.VocabularyView: {"put": PUT_VOCABULARY},
    stats.StatsView: {"get": STATS},
    deployments.StartView: {"post": START},
    deployments.StopView: {"post": STOP},
    deployments.UpdateDeploymentView: {"post": UPDATE},
    infer.InferView: {"post": INFER},
}
