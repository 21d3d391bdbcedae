"""The deprecated name for the `elasticsearch` service with a sparse model."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from inference.services.base import EndpointConfig
from inference.services.elasticsearch import Elasticsearch, NoTaskSettings
from inference.types import TaskType

DEFAULT_MODEL = ".minilm-sparse-v1"


class Elser(Elasticsearch):
    """Without a model_id it runs this installation's sparse model, and the answer says which."""

    name, label = "elser", "ELSER"
    task_settings: ClassVar = {TaskType.SPARSE_EMBEDDING: NoTaskSettings}
    is_listed = False

    def parse(self, task_type: TaskType, config: Mapping[str, Any]) -> EndpointConfig:
        settings = config.get("service_settings")
        if isinstance(settings, dict) and "deployment_id" not in settings:
            config = {**config, "service_settings": {"model_id": DEFAULT_MODEL} | settings}
        return replace(super().parse(task_type, config), service=Elasticsearch.name)

    def warnings(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        told = ["The [elser] service is deprecated, use the [elasticsearch] service instead"]
        if "model_id" not in config.get("service_settings", {}):
            told.append("An endpoint without [model_id] is deprecated: name the model to use")
        return tuple(told)
