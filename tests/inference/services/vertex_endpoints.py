"""Endpoints of Google Vertex AI, as tests ask them."""

from typing import Any

from inference.types import TaskType
from tests.endpoints.services.cases.googlevertexai import SECRET
from tests.inference.services.asking import Asking, endpoint

TOKEN = {"access_token": "ya29.1", "expires_in": 3599, "token_type": "Bearer"}
CHAT, COMPLETION = TaskType.CHAT_COMPLETION, TaskType.COMPLETION
GEMINI = {"project_id": "p-1", "model_id": "gemini-x", "location": "us-central1"} | SECRET
PREDICTED = {
    "predictions": [
        {"embeddings": {"values": [0.1], "statistics": {"token_count": 1, "truncated": False}}}
    ]
}
REPLY = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "Hi"}]},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 1,
        "candidatesTokenCount": 2,
        "totalTokenCount": 8,
        "thoughtsTokenCount": 5,
    },
    "modelVersion": "gemini-x-001",
    "responseId": "r1",
}
GARDEN = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers"
CLAUDE = {"provider": "anthropic", "url": f"{GARDEN}/anthropic/models/claude-x:rawPredict"}
MISTRAL = {"provider": "mistral", "url": f"{GARDEN}/mistralai/models/small:rawPredict"}
CLAUDE_REPLY = {"id": "m", "content": [{"type": "text", "text": "Hello"}]}
OPENAI_REPLY = {"id": "c", "choices": [{"index": 0, "message": {"content": "Hello"}}]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "d"}}


def vertex(
    task_type: TaskType, settings: dict[str, Any], *replies: Any, **task_settings: Any
) -> Asking:
    """An endpoint whose provider first gives a token, and then what is told here."""
    return endpoint(
        "googlevertexai", task_type, settings, TOKEN, *replies, task_settings=task_settings
    )


def embedding(*replies: Any, **settings: Any) -> Asking:
    own = {"project_id": "p-1", "model_id": "text-embedding-005"} | SECRET | settings
    return vertex(TaskType.TEXT_EMBEDDING, own, *replies)


def asked(*messages: dict[str, Any], **more: Any) -> Any:
    """The body that a chat is sent with."""
    asking = vertex(CHAT, GEMINI, REPLY)
    asking.chat(messages=list(messages), **more)
    return asking.body


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def candidate(*parts: Any, reason: str | None = None, **more: Any) -> dict[str, Any]:
    told = {"content": {"role": "model", "parts": list(parts)}} | (
        {"finishReason": reason} if reason else {}
    )
    return {"candidates": [told], "responseId": "r1", "modelVersion": "gemini-x-001"} | more
