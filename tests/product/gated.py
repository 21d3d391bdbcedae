"""A provider that writes as slowly as a test wants it to."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

from inference.sandbox.openai import OpenAISandbox
from inference.sandbox.provider import Asked, Handler, Told


class GatedOpenAI(OpenAISandbox):
    """Stops a stream after its second delta until the gate is opened."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.left = threading.Event()

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {**super().routes(), ("POST", "/v1/chat/completions"): self.gated_chat}

    def gated_chat(self, asked: Asked) -> Told:
        told = self.chat(asked)
        return told if isinstance(told.content, bytes) else replace(told, content=self.held(told))

    def held(self, told: Told) -> Iterator[bytes]:
        try:
            for number, piece in enumerate(told.content):
                assert isinstance(piece, bytes)
                if number == 2:
                    self.gate.wait(60)
                yield piece
        except GeneratorExit:
            self.left.set()
            raise
