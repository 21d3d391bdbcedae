"""The Elastic Inference Service: its endpoints can be kept here, but nothing answers for them.

It is reached through a gateway that belongs to Elastic's own cloud. Endpoints that somebody brings
along are stored and shown as they are, and a call to one says what is missing.
"""

from typing import Any, ClassVar

from inference.chat import ChatRequest
from inference.errors import InvalidRequest, InvalidSettings, shown
from inference.services.calls import Call
from inference.services.openai_errors import OpenAIShaped
from inference.services.remote import VECTORS, Task
from inference.services.remote_settings import (
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    no_rate_limit,
    similarity_setting,
)
from inference.services.settings import PositiveInt, Similarity, Text, setting
from inference.types import TaskType
from inference.upstream.auth import Auth, NoAuth

SPARSE = (TaskType.SPARSE_EMBEDDING,)
BATCH_SIZE = 16


class ElasticSettings(RemoteSettings):
    """The gateway keeps limits of its own, so that an endpoint cannot have one."""

    rate_limit: None = no_rate_limit()
    model_id: Text = setting("Model ID", "The name of the model to use.")
    similarity: Similarity | None = similarity_setting(VECTORS)
    dimensions: PositiveInt | None = dimensions_setting(VECTORS)
    max_input_tokens: PositiveInt | None = max_input_tokens_setting((*VECTORS, *SPARSE))
    max_batch_size: PositiveInt | None = setting(
        "Maximum Batch Size", "How many inputs are sent at once.", updatable=True, tasks=SPARSE,
        default=None,
    )  # fmt: skip


class NoGateway(InvalidRequest):
    """A call to a service that nothing here leads to."""


class ElasticTask(Task[ElasticSettings, Any]):
    input_types = None
    takes_contents = True

    def check(self, call: Call[ElasticSettings], label: str) -> None:
        super().check(call, label)
        if not isinstance(call.request, ChatRequest) and call.input.return_documents is not None:
            raise InvalidSettings(
                [
                    f"Invalid return_documents [{shown(call.input.return_documents)}]. The "
                    "return_documents option is not supported by this service"
                ]
            )
        raise NoGateway(
            "Cannot call the Elastic Inference Service: no gateway to it is configured. Use an "
            "endpoint of another service"
        )


class ElasticChat(ElasticTask):
    can_stream = True


class Elastic(OpenAIShaped):
    name, label = "elastic", "Elastic"
    settings = ElasticSettings
    tasks: ClassVar = {
        TaskType.SPARSE_EMBEDDING: ElasticTask(),
        **dict.fromkeys(VECTORS, ElasticTask()),
        TaskType.RERANK: ElasticTask(),
        TaskType.COMPLETION: ElasticTask(),
        TaskType.CHAT_COMPLETION: ElasticChat(),
    }
    not_in_vectors = OpenAIShaped.not_in_vectors | {"max_input_tokens", "max_batch_size"}
    is_listed = False
    is_proved = False

    def auth(self, settings: ElasticSettings) -> Auth:
        return NoAuth()

    def defaults(self, task_type: TaskType) -> dict[str, Any]:
        """The similarity of vectors is the gateway's to say."""
        return {"max_batch_size": BATCH_SIZE} if task_type in SPARSE else {}
