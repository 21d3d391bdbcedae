"""The routes of the audit log, described."""

from endpoints.api.audit import USUAL_FORM, USUAL_SIZE, AuditView, ExportView
from endpoints.api.openapi.words import (
    INTEGER,
    STRING,
    Operation,
    Schema,
    listed,
    query,
    record,
    ref,
)
from endpoints.history import FORMS, MOST_SHOWN
from endpoints.models import Outcome

CHANGED: Schema = {"type": ["object", "null"]}
SCHEMAS: dict[str, Schema] = {
    "AuditEntry": record(
        {
            "number": INTEGER,
            "at": STRING,
            "actor": {**STRING, "description": "Who it was; empty for who did not say."},
            "key_id": {**STRING, "description": "The API key that they came with."},
            "address": STRING,
            "verb": {**STRING, "examples": ["endpoint.update"]},
            "subject": {**STRING, "description": "The id or name of the thing."},
            "team": STRING,
            "outcome": {"enum": Outcome.values},
            "reason": STRING,
            "before": {**CHANGED, "description": "What it was, of what was changed."},
            "after": CHANGED,
        },
        {
            "times": {
                **INTEGER,
                "description": "How often within a minute, where it was more than once.",
            }
        },
    ),
}
MOMENT: Schema = {**STRING, "examples": ["2026-01-31", "2026-01-31T12:30:00Z"]}
FOUND_BY = (
    query("q", "A text in who, verb, thing, reason, address or key.", STRING),
    query("who", "The name of who did it.", STRING),
    query("verb", "What was done; without a dot all that is done to such things.", STRING),
    query("thing", "The id or name of what it was done to.", STRING),
    query("team", "The name of the team that it concerns.", STRING),
    query("outcome", "How it ended.", {"enum": Outcome.values}),
    query("from", "From this day or time on.", MOMENT),
    query("to", "To the end of this day, or until before this time.", MOMENT),
)
GET = Operation(
    "audit.get",
    "Read the audit log, the newest entries first",
    record(
        {
            "entries": listed(ref("AuditEntry")),
            "next_before": {
                "type": ["integer", "null"],
                "description": "Where the older ones begin; with `q` there may be some although "
                "none are shown, because only so many are looked through at a time.",
            },
        }
    ),
    "Who administers a team is shown what concerns the team.",
    (
        *FOUND_BY,
        query(
            "size",
            f"How many to show: {USUAL_SIZE} where it is not said.",
            {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN},
        ),
        query("before", "Only entries with a lower number.", INTEGER),
    ),
)
EXPORT = Operation(
    "audit.export",
    "Write out the audit log",
    None,
    "All that is found, as lines of JSON or as CSV. That it was taken is an entry of its own.",
    (*FOUND_BY, query("format", f"{USUAL_FORM} where it is not said.", {"enum": list(FORMS)})),
)

OPERATIONS = {AuditView: {"get": GET}, ExportView: {"get": EXPORT}}
