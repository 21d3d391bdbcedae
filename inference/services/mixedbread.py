"""Mixedbread."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from inference.services.calls import Call, given, post
from inference.services.documents import SentDocument, document_text
from inference.services.refusals import PLAIN, detail_of, whole_body
from inference.services.remote import RemoteService, Task
from inference.services.remote_settings import RemoteSettings
from inference.services.replies import Received, ranking
from inference.services.settings import Secret, Text, Url, setting
from inference.services.task_settings import RerankTaskSettings
from inference.types import Ranking, TaskType
from inference.upstream.auth import Auth, bearer
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

RERANK_URL = "https://api.mixedbread.com/v1/reranking"


class MixedbreadSettings(RemoteSettings):
    api_key: Secret = setting("API Key", "The Mixedbread API key.", sensitive=True, updatable=True)
    model_id: Text = setting("Model ID", "The name of the model to use.")
    url: Url | None = setting(
        "URL", "The address of another server of the same API.", suggested=RERANK_URL, default=None
    )


class RankedRow(Received):
    index: int
    score: float
    input: SentDocument | str | None = None


class RerankReply(Received):
    data: list[RankedRow]


class Rerank(Task[MixedbreadSettings, RerankReply]):
    task_settings = RerankTaskSettings
    reply = RerankReply
    requests_per_minute = 100
    input_types = None
    own_categories = PLAIN

    def build(self, call: Call[MixedbreadSettings]) -> httpx.Request:
        body = {
            "model": call.settings.model_id,
            "query": call.input.query,
            "input": call.texts,
            **given(top_k=call.top_n, return_input=call.return_documents),
        }
        return post(call.settings.url or RERANK_URL, body)

    def parse(self, reply: RerankReply, call: Call[MixedbreadSettings]) -> Ranking:
        rows = ((row.index, row.score, document_text(row.input)) for row in reply.data)
        return ranking(rows, call)


class Mixedbread(RemoteService):
    name, label = "mixedbread", "Mixedbread"
    settings = MixedbreadSettings
    tasks: ClassVar = {TaskType.RERANK: Rerank()}
    rate_limit_group = ("model_id", "api_key", "url")

    def complete(self, task_type: TaskType, raw: Mapping[str, Any]) -> dict[str, Any]:
        return {"url": RERANK_URL} | super().complete(task_type, raw)

    def auth(self, settings: MixedbreadSettings) -> Auth:
        return bearer(settings.api_key)

    def told(self, reply: Reply) -> ProviderError:
        detail = detail_of(reply)
        return detail if detail.message else whole_body(reply)
