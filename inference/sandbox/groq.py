"""Plays Groq."""

from collections.abc import Mapping
from typing import Any

from inference.sandbox.openai_shape import OpenAIShapedSandbox, models_told
from inference.sandbox.provider import Asked, Handler, Refused, Told


class GroqSandbox(OpenAIShapedSandbox):
    name = "groq"
    origins = ("https://api.groq.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/openai/v1/chat/completions"): self.chat,
            ("GET", "/openai/v1/models"): self.models,
        }

    def models(self, asked: Asked) -> Told:
        return models_told("llama-3.3-70b-versatile")

    def refusal(self, refused: Refused) -> Any:
        return {
            "error": {
                "message": refused.message,
                "type": "invalid_request_error",
                "code": refused.more.get("code"),
                "param": None,
            }
        }
