"""The `_security` routes, described."""

from endpoints.api.openapi.settings import require, schemas_of
from endpoints.api.openapi.words import (
    BOOLEAN,
    INTEGER,
    OBJECT,
    STRING,
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
from endpoints.api.security import keys, users

OPTIONAL_STRING: Schema = {"type": ["string", "null"]}
REALM = record({"name": STRING, "type": STRING})

SCHEMAS: dict[str, Schema] = {
    "Caller": record(
        {
            "username": STRING,
            "roles": listed(STRING),
            "full_name": OPTIONAL_STRING,
            "email": OPTIONAL_STRING,
            "metadata": OBJECT,
            "enabled": BOOLEAN,
            "authentication_realm": REALM,
            "lookup_realm": REALM,
            "authentication_type": {"enum": ["realm", "api_key"]},
        },
        {
            "api_key": record(
                {"id": STRING, "name": STRING, "managed_by": STRING, "internal": BOOLEAN}
            )
        },
    ),
    "NewApiKey": record(
        {"id": STRING, "name": STRING, "api_key": STRING, "encoded": STRING},
        {"expiration": {**INTEGER, "description": "In milliseconds since 1970."}},
    ),
    "ApiKey": record(
        {
            "id": STRING,
            "name": STRING,
            "type": {"const": "rest"},
            "creation": INTEGER,
            "invalidated": BOOLEAN,
            "username": STRING,
            "realm": STRING,
            "realm_type": STRING,
            "metadata": OBJECT,
            "role_descriptors": mapped(OBJECT),
        },
        {"expiration": INTEGER, "invalidation": INTEGER, "limited_by": listed(mapped(OBJECT))},
    ),
    **schemas_of(keys.CreateKeyBody, keys.InvalidateBody, users.HasPrivilegesBody),
}
require(SCHEMAS["CreateKeyBody"], "name")

API_KEYS = record({"api_keys": listed(ref("ApiKey"))})
INVALIDATED = record(
    {
        "invalidated_api_keys": listed(STRING),
        "previously_invalidated_api_keys": listed(STRING),
        "error_count": INTEGER,
    }
)
AUTHENTICATE = Operation("security.authenticate", "Tell who calls", ref("Caller"))
CREATE_API_KEY = Operation(
    "security.create_api_key",
    "Create an API key",
    ref("NewApiKey"),
    "It can do what its owner can do now, or less where role descriptors say so. The key itself "
    "is shown this once.",
    (ignored("refresh"),),
    Body(ref("CreateKeyBody"), {"name": "my-app", "expiration": "30d"}),
)
GET_API_KEY = Operation(
    "security.get_api_key",
    "List API keys",
    API_KEYS,
    "Without a selector all keys that the caller may see.",
    (
        query("id", "The key of this id.", STRING),
        query("name", "Keys of this name; it may end with `*`.", STRING),
        flag("owner", "Only the caller's own keys."),
        query("username", "Keys of this user.", STRING),
        query("realm_name", "Keys of the users of this realm.", STRING),
        flag("active_only", "Leave out keys that are expired or invalidated."),
        flag("with_limited_by", "Show what the owner could do when the key was made."),
        ignored("with_profile_uid"),
    ),
    other_answers={404: API_KEYS},
)
INVALIDATE_API_KEY = Operation(
    "security.invalidate_api_key",
    "Invalidate API keys",
    INVALIDATED,
    body=Body(ref("InvalidateBody"), {"name": "my-app", "owner": True}),
    other_answers={404: INVALIDATED},
)
HAS_PRIVILEGES = Operation(
    "security.has_privileges",
    "Tell which privileges the caller has",
    record(
        {
            "username": STRING,
            "has_all_requested": BOOLEAN,
            "cluster": mapped(BOOLEAN),
            "index": mapped(mapped(BOOLEAN)),
            "application": mapped(mapped(mapped(BOOLEAN))),
        }
    ),
    "What a person may do everywhere, and what a key of a team may do there.",
    body=Body(ref("HasPrivilegesBody"), {"cluster": ["monitor_inference"]}),
)

OPERATIONS = {
    users.AuthenticateView: {"get": AUTHENTICATE},
    keys.ApiKeyView: {
        "post": CREATE_API_KEY,
        "put": CREATE_API_KEY,
        "get": GET_API_KEY,
        "delete": INVALIDATE_API_KEY,
    },
    users.HasPrivilegesView: {"post": HAS_PRIVILEGES, "get": HAS_PRIVILEGES},
}
