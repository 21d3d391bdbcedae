from inference.services.remote import CHATS
from tests.endpoints.services.cases import Case

CASES = [
    Case(
        task,
        {"model_id": "jamba-mini", "api_key": "planted-secret"},
        wrong_secrets={"api_key": "wrong"},
        new_secrets={"api_key": "planted-other"},
    )
    for task in CHATS
]
