"""Failures, described once: the envelope around them, and what each status means."""

from endpoints.api.openapi.words import (
    INTEGER,
    STRING,
    Schema,
    failure_name,
    in_json,
    listed,
    record,
    ref,
)

MEANINGS = {
    400: "The request is wrong; the reason says what about it.",
    401: "The credentials are missing or wrong.",
    402: "A provider wants to be paid first.",
    403: "The caller is known and may not do this; the reason names the privileges that allow it.",
    404: "What the path names is not there.",
    405: "The service of this endpoint cannot do this.",
    406: "The body is of a media type that is not spoken here.",
    408: "The time ran out. A model that was starting goes on starting.",
    409: "This does not fit the state that things are in now.",
    413: "The body is larger than this route takes.",
    415: "The body is compressed in a way that is not spoken here.",
    422: "A provider does not take something in the request.",
    429: "A limit of the key or of a provider is used up, or the model's queue full; try later.",
    500: "The model failed on this input, could not be started, or a stored secret is unreadable.",
    502: "Another system gave no answer, or none of use.",
    503: "Nothing answers where the model should run; try again later.",
    504: "A provider did not answer within the timeout.",
    507: "The folder for models has too little room or cannot be written.",
}
FAILURE_SCHEMAS: dict[str, Schema] = {
    "Cause": record(
        {"type": STRING, "reason": STRING},
        {"caused_by": ref("Cause"), "stack_trace": STRING, "explanation": ref("Explanation")},
    ),
    "Explanation": record(
        {"cause": STRING, "what_to_do": STRING, "retry_helps": {"type": "boolean"}}
    ),
    "ChatFailure": record(
        {
            "error": record(
                {"code": STRING, "message": STRING, "type": STRING},
                {"param": STRING, "explanation": ref("Explanation")},
            )
        }
    ),
    "Failure": record(
        {
            "error": {
                "allOf": [
                    ref("Cause"),
                    record({"root_cause": {**listed(ref("Cause")), "minItems": 1}}),
                ]
            },
            "status": INTEGER,
        }
    ),
    "NoRoute": record({"error": STRING}),
}
FAILURES: dict[str, Schema] = {
    failure_name(status): {
        "description": meaning,
        "content": in_json({"anyOf": [ref("Failure"), ref("ChatFailure")]}),
    }
    for status, meaning in MEANINGS.items()
}
# A path with a part that cannot be, such as an index that begins with an underscore, is no route.
FAILURES[failure_name(400)]["content"] = in_json(
    {"anyOf": [ref("Failure"), ref("ChatFailure"), ref("NoRoute")]}
)
