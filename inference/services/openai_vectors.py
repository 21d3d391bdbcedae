"""Vectors in the shape of OpenAI's API."""

import base64
import binascii
from typing import Any, Generic

import httpx
import numpy as np

from inference.services.calls import Call, SettingsT, post
from inference.services.openai_errors import is_too_large
from inference.services.remote import Task
from inference.services.replies import Received, embeddings
from inference.types import TextEmbeddings
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError


class EmbeddingRow(Received):
    embedding: list[float] | str


class EmbeddingReply(Received):
    data: list[EmbeddingRow]


class OpenAIEmbedding(Task[SettingsT, EmbeddingReply], Generic[SettingsT]):
    """Vectors of texts."""

    reply = EmbeddingReply
    is_cut = True

    def url(self, settings: SettingsT) -> str:
        raise NotImplementedError

    def payload(self, call: Call[SettingsT]) -> dict[str, Any]:
        raise NotImplementedError

    def headers(self, call: Call[SettingsT]) -> dict[str, str]:
        return {}

    def build(self, call: Call[SettingsT]) -> httpx.Request:
        return post(self.url(call.settings), self.payload(call), self.headers(call))

    def parse(self, reply: EmbeddingReply, call: Call[SettingsT]) -> TextEmbeddings:
        return embeddings([vector_of(row.embedding) for row in reply.data], call)

    def is_too_large(self, reply: Reply, told: ProviderError) -> bool:
        return is_too_large(reply, told)


def vector_of(sent: list[float] | str) -> Any:
    """Numbers, or base64 of little-endian float32. Raises ValueError."""
    if not isinstance(sent, str):
        return sent
    try:
        return np.frombuffer(base64.b64decode(sent, validate=True), dtype="<f4")
    except (binascii.Error, ValueError):
        raise ValueError("an embedding is neither numbers nor base64 of them") from None
