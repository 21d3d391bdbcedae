"""Plays DeepSeek."""

from collections.abc import Mapping
from typing import Any

from inference.sandbox.openai_shape import OlderChatBody, OpenAIShapedSandbox, models_told
from inference.sandbox.provider import Asked, Handler, Refused, Told, read


class DeepSeekSandbox(OpenAIShapedSandbox):
    name = "deepseek"
    origins = ("https://api.deepseek.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/chat/completions"): self.chat,
            ("GET", "/models"): self.models,
        }

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(OlderChatBody, asked, 422))

    def models(self, asked: Asked) -> Told:
        return models_told("deepseek-chat", "deepseek-reasoner")

    def refusal(self, refused: Refused) -> Any:
        kind = "authentication_error" if refused.status == 401 else "invalid_request_error"
        error = {"message": refused.message, "type": kind, "param": None}
        return {"error": error | {"code": "invalid_request_error"}}
