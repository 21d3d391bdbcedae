"""The service whose models run on this installation."""

from typing import Any

from pydantic import StrictStr

from inference.errors import InvalidAction, InvalidRequest, InvalidSettings
from inference.runner.catalogue import BUILTIN_MODELS
from inference.services.base import Service
from inference.services.settings import PositiveInt, Settings, setting
from inference.types import TaskType

MAX_THREADS = 32
MAX_ALLOCATIONS = 512


class ElasticsearchSettings(Settings):
    """num_allocations: copies of the model at work. num_threads: threads of each copy."""

    num_allocations: PositiveInt = setting(
        "Number Allocations",
        "How many copies of the model work at a time.",
        updatable=True,
        suggested=1,
        le=MAX_ALLOCATIONS,
    )
    num_threads: PositiveInt = setting(
        "Number Threads", "The threads of each copy, a power of 2.", suggested=1
    )
    model_id: StrictStr = setting("Model ID", "The name of the model to use.", min_length=1)


class NoTaskSettings(Settings):
    pass


class RerankTaskSettings(Settings):
    return_documents: bool | None = setting(
        "Return Documents", "Return the text of each document.", updatable=True, default=None
    )


class Elasticsearch(Service):
    name, label = "elasticsearch", "Elasticsearch"
    settings = ElasticsearchSettings
    task_settings = {  # noqa: RUF012 - declared as a mapping that nobody changes
        TaskType.TEXT_EMBEDDING: NoTaskSettings,
        TaskType.SPARSE_EMBEDDING: NoTaskSettings,
        TaskType.RERANK: RerankTaskSettings,
    }
    max_chunk_size = 300

    def check_settings(self, task_type: TaskType, settings: Any) -> None:
        model = BUILTIN_MODELS.get(settings.model_id)
        if model is None:
            known = ", ".join(sorted(BUILTIN_MODELS))
            raise InvalidRequest(
                f"Unknown model [{settings.model_id}]. The models that can be run are [{known}]"
            )
        if model.task_type != task_type:
            raise InvalidSettings(
                [
                    f"[service_settings] The model [{model.model_id}] is made for task type "
                    f"[{model.task_type}] and cannot be used for [{task_type}]"
                ]
            )
        threads = settings.num_threads
        if threads > MAX_THREADS or threads & (threads - 1):
            raise InvalidAction(
                [f"[num_threads] must be a power of 2 of at most {MAX_THREADS}, not [{threads}]"]
            )
