"""The `_ingest/pipeline` routes, described."""

from dataclasses import replace

from endpoints.api import pipelines
from endpoints.api.openapi.words import (
    INTEGER,
    OBJECT,
    STRING,
    Body,
    Operation,
    Schema,
    closed,
    flag,
    listed,
    mapped,
    query,
    record,
    ref,
)
from inference.references.pipelines import COMMON_OPTIONS, MAX_VERSION, PROCESSOR_TYPES, REQUIRED

RUNNABLE = ", ".join(f"`{kind}`" for kind in REQUIRED)
META: Schema = {
    "description": {"type": ["string", "null"]},
    "version": {"type": ["integer", "null"], "minimum": -MAX_VERSION, "maximum": MAX_VERSION},
    "_meta": {"type": ["object", "null"]},
    "deprecated": {"type": ["boolean", "null"]},
}
VECTORS = {
    "inference": {
        "model_id": "my-vectors",
        "input_output": [{"input_field": "content", "output_field": "content_embedding"}],
    }
}

SCHEMAS: dict[str, Schema] = {
    "Processor": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": {"enum": sorted(PROCESSOR_TYPES)},
        "additionalProperties": OBJECT,
        "description": "Its type, with its options. The options that every type has are "
        + ", ".join(f"`{name}`" for name in sorted(COMMON_OPTIONS))
        + f". Those of {RUNNABLE} are checked, and only these can be simulated.",
    },
    "Pipeline": closed(
        record(
            {"processors": listed(ref("Processor"))},
            {"on_failure": {**listed(ref("Processor")), "minItems": 1}, **META},
        )
    ),
    "StoredPipeline": record(
        {},
        {
            "processors": listed(OBJECT),
            "on_failure": listed(OBJECT),
            **META,
            "created_date_millis": INTEGER,
            "modified_date_millis": INTEGER,
        },
    ),
    "Docs": {
        **listed(record({"_source": OBJECT}, {"_index": STRING, "_id": STRING})),
        "minItems": 1,
    },
    "SimulatedDoc": record(
        {"_index": {}, "_id": {}, "_version": {}, "_source": OBJECT, "_ingest": OBJECT}
    ),
    "SimulatedFailure": record({"error": ref("Cause")}),
    "ProcessorResult": record(
        {
            "processor_type": STRING,
            "status": {"enum": ["success", "error", "error_ignored", "skipped"]},
        },
        {
            "tag": STRING,
            "description": STRING,
            "doc": ref("SimulatedDoc"),
            "error": ref("Cause"),
            "ignored_error": ref("SimulatedFailure"),
        },
    ),
}

DOCS: Schema = {
    "docs": [{"_source": {"content": "Hello, world"}}],
}
GET_PIPELINE = Operation(
    "ingest.get_pipeline",
    "Read pipelines",
    mapped(ref("StoredPipeline")),
    "The path may list ids and patterns with `*`, separated by commas.",
    (flag("summary", "Tell only the ids."),),
    other_answers={404: mapped(ref("StoredPipeline"))},
)
PUT_PIPELINE = Operation(
    "ingest.put_pipeline",
    "Store a pipeline",
    ref("Acknowledged"),
    "A pipeline of the same id is replaced.",
    (query("if_version", "Replace only a pipeline of this version.", INTEGER),),
    Body(ref("Pipeline"), {"processors": [VECTORS]}),
    failures=(409,),
)
DELETE_PIPELINE = Operation(
    "ingest.delete_pipeline",
    "Delete pipelines",
    ref("Acknowledged"),
    "The path may list ids and patterns with `*`, separated by commas.",
    failures=(404,),
)
SIMULATE = Operation(
    "ingest.simulate",
    "Run a pipeline on documents that are stored nowhere",
    record(
        {
            "docs": listed(
                {
                    "anyOf": [
                        record({"doc": ref("SimulatedDoc")}),
                        ref("SimulatedFailure"),
                        record({"processor_results": listed(ref("ProcessorResult"))}),
                    ]
                }
            )
        }
    ),
    "One entry for each document: what became of it, or what went wrong.",
    (flag("verbose", "Tell what each processor did."),),
    Body(
        record({"pipeline": ref("Pipeline"), "docs": ref("Docs")}),
        {"pipeline": {"processors": [{"set": {"field": "seen", "value": True}}]}, **DOCS},
    ),
)
SIMULATE_STORED = replace(
    SIMULATE,
    operation_id="ingest.simulate_stored",
    summary="Run a stored pipeline on documents that are stored nowhere",
    body=Body(record({"docs": ref("Docs")}), DOCS),
)

OPERATIONS = {
    pipelines.PipelineView: {"get": GET_PIPELINE},
    pipelines.NamedPipelineView: {
        "get": GET_PIPELINE,
        "put": PUT_PIPELINE,
        "delete": DELETE_PIPELINE,
    },
    pipelines.SimulateView: {"post": SIMULATE, "get": SIMULATE},
    pipelines.SimulateStoredView: {"post": SIMULATE_STORED, "get": SIMULATE_STORED},
}
