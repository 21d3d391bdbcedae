"""What endpoints of Amazon SageMaker are set up with."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import model_validator
from pydantic.json_schema import SkipJsonSchema

from inference.errors import InvalidRequest, InvalidSettings
from inference.services.aws_shape import AwsSettings
from inference.services.remote_settings import (
    TEXT_VECTORS,
    dimensions_setting,
    no_rate_limit,
)
from inference.services.settings import (
    FOLDED,
    HeaderText,
    PositiveInt,
    Settings,
    Similarity,
    Text,
    setting,
    unknown_settings,
)
from inference.types import ElementType, TaskType

CHUNKED = (TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING)
OPENAI, ELASTIC = "openai", "elastic"
API_TASKS = {
    OPENAI: (TaskType.TEXT_EMBEDDING, TaskType.COMPLETION, TaskType.CHAT_COMPLETION),
    ELASTIC: tuple(task for task in TaskType if task != TaskType.EMBEDDING),
}
# Settings that only one of the APIs has.
ELASTIC_ALONE = ("element_type", "similarity")
NOT_STORED = (
    "task_settings is only supported during the inference request and cannot be stored in the "
    "inference endpoint."
)

Api: TypeAlias = Annotated[Literal["openai", "elastic"], FOLDED]
Element: TypeAlias = Annotated[Literal["float", "byte", "bit"], FOLDED]


class SageMakerSettings(AwsSettings):
    """target_model and the two after it: where an endpoint has several of its kind."""

    endpoint_name: Text = setting("Endpoint Name", "The name of the SageMaker endpoint.")
    api: Api = setting("API", "What the endpoint speaks: OpenAI's API, or Elasticsearch's own.")
    target_model: HeaderText | None = setting(
        "Target Model", "The model, where an endpoint has several.", default=None
    )
    target_container_hostname: HeaderText | None = setting(
        "Target Container Hostname", "The container, where an endpoint has several.", default=None
    )
    inference_component_name: HeaderText | None = setting(
        "Inference Component Name", "The component, where an endpoint has several.", default=None
    )
    batch_size: PositiveInt | None = setting(
        "Batch Size", "How many chunks of long inputs are sent at a time.", updatable=True,
        tasks=CHUNKED, suggested=256, default=None,
    )  # fmt: skip
    dimensions: PositiveInt | None = dimensions_setting()
    element_type: Element | None = setting(
        "Element Type", "What vectors are made of; for Elasticsearch's API.", tasks=TEXT_VECTORS,
        default=None,
    )  # fmt: skip
    similarity: Similarity | None = setting(
        "Similarity", "How vectors are compared; for Elasticsearch's API.", tasks=TEXT_VECTORS,
        default=None,
    )  # fmt: skip
    rate_limit: None = no_rate_limit()

    @property
    def element(self) -> ElementType:
        return ElementType(self.element_type or ElementType.FLOAT)

    def check(self, task_type: TaskType, service: str) -> None:
        """Raises InvalidRequest or InvalidSettings."""
        if task_type not in API_TASKS[self.api]:
            raise InvalidRequest(
                f"The [{self.api}] api of the [{service}] service does not support task type "
                f"[{task_type}]"
            )
        foreign = {
            name: value for name in ELASTIC_ALONE if (value := getattr(self, name)) is not None
        }
        if self.api == OPENAI and foreign:
            raise unknown_settings(foreign, service)
        if self.api == ELASTIC and task_type in TEXT_VECTORS and self.element_type is None:
            raise InvalidSettings(
                ["[service_settings] does not contain the required setting [element_type]"]
            )


class HeaderSettings(Settings):
    """What is sent as headers."""

    custom_attributes: HeaderText | None = setting(
        "Custom Attributes", "Passed on to the model's container.", updatable=True, default=None
    )
    enable_explanations: HeaderText | None = setting(
        "Enable Explanations", "Which inputs are to be explained; not for streams.",
        updatable=True, default=None,
    )  # fmt: skip
    inference_id: HeaderText | None = setting(
        "Inference ID", "What captured data are found by.", updatable=True, default=None
    )
    session_id: HeaderText | None = setting(
        "Session ID", "The session that calls belong to.", updatable=True, default=None
    )
    target_variant: HeaderText | None = setting(
        "Target Variant", "The production variant that is called.", updatable=True, default=None
    )


class OpenAITaskSettings(HeaderSettings):
    user: Text | None = setting("User", "Who asks, for the provider.", updatable=True, default=None)


class ElasticTaskSettings(HeaderSettings):
    """Those of a call may hold anything more, which the model gets as its own."""

    # Gathered, never asked for by this name: so no form has a field of it.
    more: SkipJsonSchema[dict[str, Any] | None] = setting("More", listed=False, default=None)

    @model_validator(mode="before")
    @classmethod
    def gathered(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        known = {name: raw[name] for name in HeaderSettings.model_fields if name in raw}
        more = {name: value for name, value in raw.items() if name not in known}
        return known | {"more": more or None}
