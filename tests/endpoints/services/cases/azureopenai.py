from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

PLACE = {"resource_name": "ours", "deployment_id": "mine", "api_version": "2024-10-21"}
KEY = {"api_key": "planted-secret"}
ENTRA = {"entra_id": "entra-token-of-planted"}
OAUTH = {
    "client_id": "app",
    "tenant_id": "tenant",
    "scopes": ["https://cognitiveservices.azure.com/.default"],
    "client_secret": "planted-secret",
}
WRONG, NEW = {"api_key": "wrong"}, {"api_key": "planted-other"}
USER = ({"user": "someone"}, {"user": "someone"})

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        PLACE | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=USER,
        refused_types=(InputType.SEARCH, InputType.INGEST),
        updates={"max_input_tokens": 100},
    ),
    Case(
        TaskType.COMPLETION,
        PLACE | ENTRA,
        wrong_secrets={"entra_id": "entra-token-of-wrong"},
        new_secrets={"entra_id": "entra-token-of-planted-two"},
        override=USER,
    ),
    Case(
        TaskType.CHAT_COMPLETION,
        PLACE | OAUTH,
        wrong_secrets={"client_secret": "wrong"},
        new_secrets={"client_secret": "planted-other"},
        updates={"client_id": "other-app"},
    ),
]
