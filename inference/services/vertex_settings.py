"""What endpoints of Google Vertex AI are set up with."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt

from inference.errors import InvalidSettings
from inference.services.remote import CHATS
from inference.services.remote_settings import (
    TEXT_VECTORS,
    RemoteSettings,
    dimensions_setting,
    max_input_tokens_setting,
    similarity_setting,
)
from inference.services.settings import (
    FOLDED,
    HostLabel,
    PositiveInt,
    Secret,
    Settings,
    Similarity,
    Text,
    Url,
    setting,
)
from inference.types import TaskType

GOOGLE = "google"
URLS = ("url", "streaming_url")
MOST_INPUTS = 250

Provider: TypeAlias = Annotated[
    Literal["google", "anthropic", "meta", "hugging_face", "mistral", "ai21"], FOLDED
]
InputTypeSetting: TypeAlias = Annotated[
    Literal["ingest", "search", "classification", "clustering"], FOLDED
]


class VertexSettings(RemoteSettings):
    """location: none is the global one. provider: none is Google. url, streaming_url: each stands
    in for the other."""

    service_account_json: Secret = setting(
        "Credentials JSON",
        "The key file of a service account, as Google gives it out.",
        sensitive=True,
        updatable=True,
    )
    project_id: Text | None = setting(
        "GCP Project", "The Google Cloud project that is charged.", default=None
    )
    location: HostLabel | None = setting(
        "GCP Region", "Where the model runs; leave it out for Google's choice.",
        tasks=(*TEXT_VECTORS, *CHATS), default=None,
    )  # fmt: skip
    model_id: Text | None = setting("Model ID", "The name of the model to use.", default=None)
    provider: Provider | None = setting(
        "Provider", "Who made the model: Google, or somebody in its Model Garden.", tasks=CHATS,
        suggested=GOOGLE, default=None,
    )  # fmt: skip
    url: Url | None = setting(
        "URL", "Where a model of the Model Garden is called.", tasks=CHATS, default=None
    )
    streaming_url: Url | None = setting(
        "Streaming URL", "Where a model of the Model Garden is called for a stream.", tasks=CHATS,
        default=None,
    )  # fmt: skip
    dimensions: PositiveInt | None = dimensions_setting()
    similarity: Similarity | None = similarity_setting()
    max_input_tokens: PositiveInt | None = max_input_tokens_setting()
    max_batch_size: Annotated[int, Field(ge=1, le=MOST_INPUTS)] | None = setting(
        "Maximum Batch Size", "How many chunks of long inputs are sent at a time.", updatable=True,
        tasks=TEXT_VECTORS, suggested=MOST_INPUTS, default=None,
    )  # fmt: skip

    @property
    def host(self) -> str:
        if self.location in (None, "global"):
            return "aiplatform.googleapis.com"
        return f"{self.location}-aiplatform.googleapis.com"

    def check(self, task_type: TaskType) -> None:
        """Refuse what is missing, and addresses where Google's own hold. Raises InvalidSettings."""
        given_urls = [name for name in URLS if getattr(self, name) is not None]
        if task_type in CHATS and self.provider not in (None, GOOGLE):
            if not given_urls:
                raise InvalidSettings(
                    [
                        "[service_settings] does not contain one of the required settings "
                        f"[{', '.join(URLS)}]"
                    ]
                )
            return
        required = ["project_id"] if task_type == TaskType.RERANK else ["project_id", "model_id"]
        problems = [
            f"[service_settings] does not contain the required setting [{name}]"
            for name in required
            if getattr(self, name) is None
        ]
        problems += [
            f"[service_settings] [{name}] cannot be used with the provider [{GOOGLE}]"
            for name in given_urls
        ]
        if problems:
            raise InvalidSettings(problems)


class EmbedTaskSettings(Settings):
    auto_truncate: StrictBool | None = setting(
        "Auto Truncate", "Whether inputs that are too long are cut.", updatable=True, default=None
    )
    input_type: InputTypeSetting | None = setting(
        "Input Type", "What inputs are for where a call does not say it.", updatable=True,
        default=None,
    )  # fmt: skip


class RerankTaskSettings(Settings):
    top_n: PositiveInt | None = setting(
        "Top N", "How many of the best documents are told.", updatable=True, default=None
    )


class ThinkingConfig(Settings):
    thinking_budget: StrictInt | None = setting(
        "Thinking Budget", "How many tokens may be thought.", default=None
    )


class ChatTaskSettings(Settings):
    thinking_config: ThinkingConfig | None = setting(
        "Thinking", "How much a model of Google thinks.", updatable=True, default=None
    )
    max_tokens: PositiveInt | None = setting(
        "Max Tokens", "How many tokens are written at most.", updatable=True, default=None
    )
