"""Plays AI21."""

from collections.abc import Mapping
from typing import Any

from inference.sandbox.openai_shape import OlderChatBody, OpenAIShapedSandbox
from inference.sandbox.provider import Asked, Handler, Refused, Told, read


class AI21Sandbox(OpenAIShapedSandbox):
    name = "ai21"
    origins = ("https://api.ai21.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("POST", "/studio/v1/chat/completions"): self.chat}

    def refusal(self, refused: Refused) -> Any:
        return {"detail": refused.message}

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(OlderChatBody, asked, 422))
