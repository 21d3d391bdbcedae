"""The diagnosis of an endpoint, described."""

from endpoints.api.diagnosis import DiagnosisBody, DiagnosisView
from endpoints.api.openapi.settings import schemas_of
from endpoints.api.openapi.words import (
    DURATION,
    NUMBER,
    STRING,
    Body,
    Operation,
    Schema,
    listed,
    mapped,
    query,
    record,
    ref,
)
from inference.findings import Outcome, StepName

SCHEMAS: dict[str, Schema] = {
    "Diagnosis": record(
        {
            "inference_id": STRING,
            "result": {"enum": [Outcome.OK, Outcome.FAILED]},
            "steps": listed(ref("DiagnosisStep")),
        }
    ),
    "DiagnosisStep": record(
        {
            "step": {"enum": list(StepName)},
            "result": {"enum": list(Outcome)},
            "message": STRING,
            "took_in_millis": NUMBER,
        },
        {
            "what_to_do": {
                **STRING,
                "description": "There where the step failed, and for what works but needs care.",
            },
            "facts": mapped(STRING),
        },
    ),
    **schemas_of(DiagnosisBody),
}

DIAGNOSE = Operation(
    "console.diagnose",
    "Look step by step what works of an endpoint",
    ref("Diagnosis"),
    "A provider is called for real only with `paid_call`, because it may bill that.",
    (query("timeout", "How long all steps may take together; a minute at most.", DURATION),),
    Body(ref("DiagnosisBody"), {"paid_call": True}, is_required=False),
    failures=(404,),
)

OPERATIONS = {DiagnosisView: {"post": DIAGNOSE}}
