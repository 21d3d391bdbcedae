"""Amazon SageMaker: models on endpoints of one's own."""

from collections.abc import Mapping
from typing import Any, ClassVar

from inference.errors import InvalidRequest
from inference.services.aws_shape import AwsService, aws_error
from inference.services.base import EndpointConfig
from inference.services.remote import Task
from inference.services.sagemaker_settings import (
    ELASTIC,
    NOT_STORED,
    OPENAI,
    HeaderSettings,
    SageMakerSettings,
)
from inference.services.sagemaker_tasks import (
    ElasticChat,
    ElasticCompletion,
    ElasticEmbed,
    ElasticRerank,
    ElasticSparse,
    OpenAIAnswer,
    OpenAIEmbed,
)
from inference.services.settings import folded
from inference.types import TaskType
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

BY_API: Mapping[str, Mapping[TaskType, Task[Any, Any]]] = {
    OPENAI: {
        TaskType.TEXT_EMBEDDING: OpenAIEmbed(),
        TaskType.COMPLETION: OpenAIAnswer(),
        TaskType.CHAT_COMPLETION: OpenAIAnswer(),
    },
    ELASTIC: {
        TaskType.TEXT_EMBEDDING: ElasticEmbed(),
        TaskType.COMPLETION: ElasticCompletion(),
        TaskType.CHAT_COMPLETION: ElasticChat(),
        TaskType.SPARSE_EMBEDDING: ElasticSparse(),
        TaskType.RERANK: ElasticRerank(),
    },
}


class AmazonSageMaker(AwsService):
    name, label = "amazon_sagemaker", "Amazon SageMaker"
    signing_name = "sagemaker"
    model_setting = "endpoint_name"
    settings = SageMakerSettings
    tasks: ClassVar = {**BY_API[ELASTIC], **BY_API[OPENAI]}
    not_in_vectors = AwsService.not_in_vectors | {
        "region", "batch_size", "custom_attributes", "enable_explanations", "inference_id",
        "session_id", "user",
    }  # fmt: skip

    def task_for(self, config: EndpointConfig) -> Task[Any, Any]:
        settings: Any = config.service_settings
        return BY_API[settings.api][config.task_type]

    def defaults(self, task_type: TaskType) -> dict[str, Any]:
        return {}

    def told(self, reply: Reply) -> ProviderError:
        return aws_error(reply.content, "error")

    def parse(self, task_type: TaskType, config: Mapping[str, Any]) -> EndpointConfig:
        settings, own = config.get("service_settings"), config.get("task_settings")
        is_elastic = isinstance(settings, Mapping) and folded(settings.get("api")) == ELASTIC
        if is_elastic and isinstance(own, Mapping) and {*own} - {*HeaderSettings.model_fields}:
            raise InvalidRequest(NOT_STORED)
        return super().parse(task_type, config)

    def check_settings(self, task_type: TaskType, settings: SageMakerSettings) -> None:
        settings.check(task_type, self.name)
