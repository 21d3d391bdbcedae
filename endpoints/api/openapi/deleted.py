"""The routes of deleted endpoints, described."""

from endpoints.api.deleted import MOST_SHOWN, USUAL_SIZE, DeletedListView, DeletedView, RestoreView
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

SCHEMAS: dict[str, Schema] = {
    "DeletedEndpoint": record(
        {
            "inference_id": STRING,
            "task_type": STRING,
            "service": STRING,
            "team": {"type": ["string", "null"]},
            "deleted_at": STRING,
            "deleted_by": {"type": ["string", "null"]},
            "restorable_until": {**STRING, "description": "When its secrets are wiped."},
            "used_by": {
                **record({"pipelines": listed(STRING), "indexes": listed(STRING)}),
                "description": "What named it when it was deleted.",
            },
        }
    )
}
GET_DELETED = Operation(
    "console.get_deleted",
    "List the deleted endpoints that can be restored",
    record({"count": INTEGER, "deleted": listed(ref("DeletedEndpoint"))}),
    "The last deleted first. For how many days they are kept, the setting `CONSOLE_RESTORE_DAYS` "
    "of the installation says.",
    (
        query(
            "size",
            f"How many to show; {USUAL_SIZE} unless told otherwise.",
            {**INTEGER, "minimum": 1, "maximum": MOST_SHOWN},
        ),
    ),
)
FORGET = Operation(
    "console.forget_deleted",
    "Wipe a deleted endpoint for good",
    ref("Acknowledged"),
    "With its secrets. Of several that had the id, the last deleted one.",
    failures=(404,),
)
RESTORE = Operation(
    "console.restore_endpoint",
    "Restore a deleted endpoint",
    ref("Endpoint"),
    "As it was: with its settings, secrets, team and shares. A model that runs here starts again; "
    "a provider is not called. Refused where another endpoint has the id by now.",
    failures=(404, 409),
)

OPERATIONS = {
    DeletedListView: {"get": GET_DELETED},
    DeletedView: {"delete": FORGET},
    RestoreView: {"post": RESTORE},
}
