"""The `_security` routes, described."""

from endpoints.accounts import ROLES
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
from endpoints.api.security import accounts, keys, more_keys, users

OPTIONAL_STRING: Schema = {"type": ["string", "null"]}
REALM = record({"name": STRING, "type": STRING})

NEW_KEY: dict[str, Schema] = dict.fromkeys(("id", "name", "api_key", "encoded"), STRING)
EXPIRATION: dict[str, Schema] = {
    "expiration": {**INTEGER, "description": "In milliseconds since 1970."}
}
KEY: dict[str, Schema] = {
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
}
ONCE_KNOWN: dict[str, Schema] = {"expiration": INTEGER, "invalidation": INTEGER}

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
    "NewApiKey": record(NEW_KEY, EXPIRATION),
    "ApiKey": record(KEY, ONCE_KNOWN | {"limited_by": listed(mapped(OBJECT))}),
    "KnownApiKey": record(
        KEY,
        ONCE_KNOWN
        | {
            "made_by": STRING,
            "last_used": {**INTEGER, "description": "In milliseconds since 1970."},
            "last_used_from": {**STRING, "description": "The address of who called."},
            "replaces": {**STRING, "description": "The id of the key that was rotated."},
            "replaced_by": STRING,
        },
    ),
    "RotatedApiKey": record(
        {**NEW_KEY, "replaces": record({"id": STRING, "expiration": INTEGER})}, EXPIRATION
    ),
    "ServiceAccount": record(
        {
            "username": {**STRING, "description": "`team/name`."},
            "team": STRING,
            "role": {"enum": list(ROLES)},
            "description": STRING,
            "enabled": BOOLEAN,
        }
    ),
    **schemas_of(
        keys.CreateKeyBody,
        keys.InvalidateBody,
        users.HasPrivilegesBody,
        more_keys.RotateBody,
        accounts.AccountBody,
    ),
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
TEAM = query("team", "The team in which the key is to work.", STRING)
AUTHENTICATE = Operation("security.authenticate", "Tell who calls", ref("Caller"))
CREATE_API_KEY = Operation(
    "security.create_api_key",
    "Create an API key",
    ref("NewApiKey"),
    "It can do what its owner can do now, or less where role descriptors say so. The key itself "
    "is shown this once. `metadata.console` says in which `team` it works, for which "
    "`service_account` it is, which `tasks` and which `endpoints` it is narrowed to, by patterns "
    "with `*` and `?`, and how many `requests_per_minute` it may make.",
    (ignored("refresh"), TEAM),
    Body(
        ref("CreateKeyBody"),
        {
            "name": "my-app",
            "expiration": "30d",
            "metadata": {"console": {"tasks": ["text_embedding"], "endpoints": ["products-*"]}},
        },
    ),
    failures=(404,),
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
        query("team", "Keys that work in this team.", STRING),
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

GET_KEYS = Operation(
    "console.get_api_keys",
    "List API keys with their last use",
    record({"api_keys": listed(ref("KnownApiKey"))}),
    "The caller's own, and those of teams that the caller administers. A key is noted as used "
    "within a minute.",
    (
        query("team", "Keys that work in this team.", STRING),
        flag("active_only", "Leave out keys that are expired or invalidated."),
    ),
)
GET_KEY = Operation("console.get_api_key", "Read an API key", ref("KnownApiKey"), failures=(404,))
ROTATE_KEY = Operation(
    "console.rotate_api_key",
    "Replace an API key",
    ref("RotatedApiKey"),
    "The new key has the same rights and the same lifetime. The old one works until the `overlap` "
    "is over: 24 hours where nothing is said, 30 days at most.",
    body=Body(ref("RotateBody"), {"overlap": "24h"}, is_required=False),
    failures=(404, 409),
)
GET_ACCOUNTS = Operation(
    "console.get_service_accounts",
    "List service accounts",
    record({"service_accounts": listed(ref("ServiceAccount"))}),
    query=(query("team", "Those of this team.", STRING),),
)
GET_ACCOUNT = Operation(
    "console.get_service_account",
    "Read a service account",
    ref("ServiceAccount"),
    failures=(404,),
)
PUT_ACCOUNT = Operation(
    "console.put_service_account",
    "Make or change a service account",
    ref("ServiceAccount"),
    "Nobody signs in as one: programs act for it with its keys, which outlive whoever made them.",
    body=Body(ref("AccountBody"), {"role": "inference_user", "description": "The web shop"}),
    failures=(404, 409),
)
DELETE_ACCOUNT = Operation(
    "console.delete_service_account",
    "Delete a service account with its keys",
    ref("Acknowledged"),
    failures=(404,),
)

OPERATIONS = {
    more_keys.KeyListView: {"get": GET_KEYS},
    more_keys.KeyView: {"get": GET_KEY},
    more_keys.RotateView: {"post": ROTATE_KEY},
    accounts.AccountListView: {"get": GET_ACCOUNTS},
    accounts.AccountView: {"get": GET_ACCOUNT, "put": PUT_ACCOUNT, "delete": DELETE_ACCOUNT},
    users.AuthenticateView: {"get": AUTHENTICATE},
    keys.ApiKeyView: {
        "post": CREATE_API_KEY,
        "put": CREATE_API_KEY,
        "get": GET_API_KEY,
        "delete": INVALIDATE_API_KEY,
    },
    users.HasPrivilegesView: {"post": HAS_PRIVILEGES, "get": HAS_PRIVILEGES},
}
