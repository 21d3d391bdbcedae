import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from inference.services.remote import CHATS
from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case


@cache
def private_key() -> str:
    """One that is thrown away; a short one is quickly made and read."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account(name: str) -> dict[str, Any]:
    key_file = {
        "type": "service_account",
        "client_email": f"{name}@project.iam.gserviceaccount.com",
        "private_key_id": "k1",
        "private_key": private_key(),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return {"service_account_json": json.dumps(key_file)}


SECRET, WRONG, NEW = account("planted"), account("wrong"), account("planted-other")
EUROPE = {"location": "europe-west4"}
PLACE = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5"
COMPLETION, CHAT = CHATS
# What some speak alike is tried for one task each.
GARDEN: tuple[tuple[dict[str, Any], tuple[TaskType, ...]], ...] = (
    (
        {
            "provider": "anthropic",
            "url": f"{PLACE}/publishers/anthropic/models/claude-x:rawPredict",
            "streaming_url": f"{PLACE}/publishers/anthropic/models/claude-x:streamRawPredict",
        },
        CHATS,
    ),
    (
        {
            "provider": "meta",
            "url": f"{PLACE}/endpoints/openapi/chat/completions",
            "model_id": "meta/llama-3.3-70b-instruct-maas",
        },
        (CHAT,),
    ),
    (
        {
            "provider": "hugging_face",
            "url": "https://7.us-east5-1.prediction.vertexai.goog/v1/projects/p/locations/us-east5/"
            "endpoints/7/chat/completions",
        },
        (COMPLETION,),
    ),
    (
        {
            "provider": "mistral",
            "url": f"{PLACE}/publishers/mistralai/models/small:rawPredict",
            "model_id": "mistral-small",
        },
        (CHAT,),
    ),
    (
        {
            "provider": "ai21",
            "streaming_url": f"{PLACE}/publishers/ai21/models/jamba:streamRawPredict",
            "model_id": "jamba",
        },
        (COMPLETION,),
    ),
)

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {"project_id": "p", "model_id": "text-embedding-005", "dimensions": 4} | EUROPE | SECRET,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=(
            {"auto_truncate": False},
            {"parameters": {"autoTruncate": False, "outputDimensionality": 4}},
        ),
        sent_types={
            InputType.SEARCH: {
                "instances": [{"content": "one two three", "task_type": "RETRIEVAL_QUERY"}]
            },
            InputType.UNSPECIFIED: {"instances": [{"content": "one two three"}]},
        },
        updates={"max_input_tokens": 100, "max_batch_size": 10},
    ),
    Case(
        TaskType.RERANK,
        {"project_id": "p"} | SECRET,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"top_n": 1}, {"topN": 1}),
    ),
    *(
        Case(
            task,
            {"project_id": "p", "model_id": "gemini-x"} | EUROPE | SECRET,
            wrong_secrets=WRONG,
            new_secrets=NEW,
            override=(
                ({"max_tokens": 7}, {"generationConfig": {"maxOutputTokens": 7}})
                if task == TaskType.COMPLETION
                else None
            ),
        )
        for task in CHATS
    ),
    *(
        Case(
            task,
            settings | SECRET,
            {"max_tokens": 50},
            wrong_secrets=WRONG,
            new_secrets=NEW,
            override=(
                ({"max_tokens": 7}, {"max_tokens": 7}) if task == TaskType.COMPLETION else None
            ),
            refused_statuses=(401, 429, 503),
        )
        for settings, tasks in GARDEN
        for task in tasks
    ),
]
