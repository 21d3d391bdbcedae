"""Google Vertex AI: Google's own models, and those of others in its Model Garden."""

from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import Field

from inference.errors import InvalidRequest
from inference.services.base import EndpointConfig
from inference.services.calls import Call, given, post
from inference.services.google import INPUT_TYPES, google_error
from inference.services.openai_errors import openai_error
from inference.services.remote import CHATS, RemoteService, Task
from inference.services.replies import Received, embeddings, ranking
from inference.services.vertex_chat import BY_PROVIDER, LABEL, OWN_CATEGORIES, models_url
from inference.services.vertex_settings import (
    GOOGLE,
    EmbedTaskSettings,
    RerankTaskSettings,
    VertexSettings,
)
from inference.types import InferenceResult, TaskType, Truncation
from inference.upstream.auth import Auth, ServiceAccount, TokenAuth
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.limiting import Group

RANK_HOST = "https://discoveryengine.googleapis.com"
RANK_PATH = "locations/global/rankingConfigs/default_ranking_config:rank"


class Statistics(Received):
    """token_count: of the whole text."""

    token_count: float = 0
    truncated: bool = False


class Embedded(Received):
    values: list[float]
    statistics: Statistics = Field(default_factory=Statistics)


class Prediction(Received):
    embeddings: Embedded


class PredictReply(Received):
    predictions: list[Prediction]


class Embed(Task[VertexSettings, PredictReply]):
    task_settings = EmbedTaskSettings
    reply = PredictReply
    requests_per_minute = 30_000
    is_cut = True
    own_categories = OWN_CATEGORIES
    input_types = INPUT_TYPES

    def build(self, call: Call[VertexSettings]) -> httpx.Request:
        settings, kind = call.settings, given(task_type=self.input_type_of(call))
        body: dict[str, Any] = {"instances": [{"content": text} | kind for text in call.texts]}
        parameters = given(
            autoTruncate=call.task_settings.auto_truncate, outputDimensionality=settings.dimensions
        )
        if parameters:
            body["parameters"] = parameters
        location = settings.location or "global"
        return post(models_url(settings, location, settings.model_id or "", "predict"), body)

    def parse(self, reply: PredictReply, call: Call[VertexSettings]) -> InferenceResult:
        sent = [prediction.embeddings for prediction in reply.predictions]
        truncated = {
            str(number): Truncation(int(one.statistics.token_count), lost_tokens=1, is_exact=False)
            for number, one in enumerate(sent)
            if one.statistics.truncated
        }
        return replace(embeddings([one.values for one in sent], call), truncated=truncated)


class Record(Received):
    """id: the number under which a document was sent."""

    id: str
    score: float
    content: str | None = None


class RankReply(Received):
    records: list[Record]


class Rerank(Task[VertexSettings, RankReply]):
    task_settings = RerankTaskSettings
    reply = RankReply
    requests_per_minute = 300
    own_categories = OWN_CATEGORIES

    def build(self, call: Call[VertexSettings]) -> httpx.Request:
        wants_texts = call.return_documents
        project = quote(call.settings.project_id or "", safe="")
        body = given(
            model=call.settings.model_id,
            query=call.input.query,
            records=[{"id": str(n), "content": text} for n, text in enumerate(call.texts)],
            topN=call.top_n,
            ignoreRecordDetailsInResponse=None if wants_texts is None else not wants_texts,
        )
        return post(f"{RANK_HOST}/v1/projects/{project}/{RANK_PATH}", body)

    def parse(self, reply: RankReply, call: Call[VertexSettings]) -> InferenceResult:
        return ranking(
            ((int(record.id), record.score, record.content) for record in reply.records), call
        )


class GoogleVertexAI(RemoteService):
    name, label = "googlevertexai", LABEL
    settings = VertexSettings
    tasks: ClassVar = {
        TaskType.TEXT_EMBEDDING: Embed(),
        TaskType.RERANK: Rerank(),
        **dict.fromkeys(CHATS, BY_PROVIDER[GOOGLE]),
    }
    rate_limit_group = ("project_id", "location", "model_id", "url", "streaming_url")
    not_in_vectors = RemoteService.not_in_vectors | {
        "project_id", "location", "max_input_tokens", "max_batch_size",
    }  # fmt: skip

    def task_for(self, config: EndpointConfig) -> Task[Any, Any]:
        settings: Any = config.service_settings
        if config.task_type in CHATS:
            return BY_PROVIDER[settings.provider or GOOGLE]
        return super().task_for(config)

    def auth(self, settings: VertexSettings) -> Auth:
        return TokenAuth(ServiceAccount(settings.service_account_json))

    def told(self, reply: Reply) -> ProviderError:
        """Google's own words have a status; what else there is comes near OpenAI's."""
        told = google_error(reply.content)
        return told if told.type else openai_error(reply.content)

    def group(self, config: EndpointConfig) -> Group | None:
        """Rankings are counted for a project, whatever the model."""
        found = super().group(config)
        if found is None or config.task_type != TaskType.RERANK:
            return found
        return replace(found, values=("rank", found.values[0]))

    def check_settings(self, task_type: TaskType, settings: VertexSettings) -> None:
        ServiceAccount(settings.service_account_json).check("service_account_json")
        settings.check(task_type)

    def check_fit(self, settings: VertexSettings, task_settings: Any) -> None:
        thinks = getattr(task_settings, "thinking_config", None) is not None
        if thinks and settings.provider not in (None, GOOGLE):
            raise InvalidRequest(
                "The [thinking_config] task setting is not available for provider "
                f"[{settings.provider}]"
            )
