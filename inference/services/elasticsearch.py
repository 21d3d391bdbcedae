"""The service whose models run on this installation."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    NonNegativeInt,
    StrictStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from inference.errors import InvalidAction, InvalidArgument, InvalidSettings
from inference.runner.adaptive import Bounds
from inference.runner.catalogue import BUILTIN_MODELS, builtin_facts
from inference.runner.facts import ModelFacts
from inference.runner.precision.report import Precision, identity_of, missing_for
from inference.services.base import EndpointConfig, Service
from inference.services.long_documents import LongDocumentSettings, check_long_documents
from inference.services.settings import PositiveInt, Settings, setting, unknown_settings
from inference.types import TaskType

MAX_THREADS = 32
MAX_ALLOCATIONS = 512
NO_BOUND = (None, -1)
OF_VECTORS = ("dimensions", "similarity", "element_type")


# Told in the schema, and refused in words of their own.
OF_PRECISIONS = WithJsonSchema({"type": "string", "enum": list(Precision)})


class AdaptiveAllocations(Settings):
    """How many allocations there may be where their number follows the load."""

    enabled: bool = setting("Enabled", default=False)
    min_number_of_allocations: NonNegativeInt | None = setting("Minimum", default=None)
    max_number_of_allocations: PositiveInt | None = setting("Maximum", default=None)

    @model_validator(mode="after")
    def _in_order(self) -> "AdaptiveAllocations":
        least, most = self.min_number_of_allocations, self.max_number_of_allocations
        if least is not None and most is not None and least > most:
            raise ValueError(
                f"has a [min_number_of_allocations] of [{least}], which is more than "
                f"its [max_number_of_allocations] of [{most}]"
            )
        return self

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.min_number_of_allocations, self.max_number_of_allocations)


def merged_bounds(stored: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Adaptive allocations with changes to them, not checked yet; null or -1 removes a bound."""
    bounds = {**(stored or {}), **changes}
    return {name: value for name, value in bounds.items() if value not in NO_BOUND}


def first_allocations(fixed: int | None, adaptive: AdaptiveAllocations | None) -> int:
    """How many allocations a deployment starts with. fixed: their number, where one was given."""
    return fixed or max(1, (adaptive and adaptive.min_number_of_allocations) or 0)


class ElasticsearchSettings(Settings):
    """num_allocations: copies of the model at work. num_threads: threads of each copy.

    deployment_id: of a deployment that is there already; all other settings are then its own.
    dimensions, similarity, element_type: of the vectors of a model that somebody uploaded; the
    first is found out by a call to it. precision: ours, not Elasticsearch's; shown only where it
    was given.
    """

    num_allocations: PositiveInt | None = setting(
        "Number Allocations",
        "How many copies of the model work at a time.",
        updatable=True,
        required=True,
        suggested=1,
        default=None,
        le=MAX_ALLOCATIONS,
    )
    num_threads: PositiveInt | None = setting(
        "Number Threads",
        "The threads of each copy, a power of 2.",
        required=True,
        suggested=1,
        default=None,
    )
    model_id: StrictStr | None = setting(
        "Model ID", "The name of the model to use.", required=True, default=None, min_length=1
    )
    adaptive_allocations: AdaptiveAllocations | None = setting(
        "Adaptive Allocations", updatable=True, listed=False, default=None
    )
    deployment_id: StrictStr | None = setting(
        "Deployment ID", listed=False, default=None, min_length=1
    )
    dimensions: PositiveInt | None = setting("Dimensions", listed=False, default=None)
    similarity: Literal["cosine", "dot_product", "l2_norm"] | None = setting(
        "Similarity", listed=False, default=None
    )
    element_type: Literal["float", "byte"] | None = setting(
        "Element Type", listed=False, default=None
    )
    precision: Annotated[StrictStr, OF_PRECISIONS] | None = setting(
        "Precision",
        "What the model computes in. Less is faster, and gives results that differ a little.",
        updatable=True,
        listed=False,
        default=None,
    )

    @field_validator("precision")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is not None and value not in list(Precision):
            raise ValueError(f"must be one of [{', '.join(Precision)}]")
        return value

    @property
    def is_adaptive(self) -> bool:
        return bool(self.adaptive_allocations and self.adaptive_allocations.enabled)

    @property
    def first_allocations(self) -> int:
        return first_allocations(self.num_allocations, self.adaptive_allocations)


class HostedSettings(LongDocumentSettings, ElasticsearchSettings):
    """All settings of the service, those of a single model last."""


class NoTaskSettings(Settings):
    pass


class RerankTaskSettings(Settings):
    return_documents: bool | None = setting(
        "Return Documents", "Return the text of each document.", updatable=True, default=None
    )


class Elasticsearch(Service):
    name, label = "elasticsearch", "Elasticsearch"
    settings = HostedSettings
    task_settings = {  # noqa: RUF012 - declared as a mapping that nobody changes
        TaskType.TEXT_EMBEDDING: NoTaskSettings,
        TaskType.SPARSE_EMBEDDING: NoTaskSettings,
        TaskType.RERANK: RerankTaskSettings,
    }
    not_in_vectors = frozenset(
        {"num_allocations", "num_threads", "adaptive_allocations", "deployment_id", "dimensions"}
        | set(LongDocumentSettings.model_fields)
    )
    max_chunk_size = 300
    is_hosted = True

    def identity(self, config: EndpointConfig) -> dict[str, Any]:
        """With what is known of the model; it runs in full precision unless told."""
        own = super().identity(config)
        settings = {"precision": Precision.FP32} | own["service_settings"]
        settings["precision"] = identity_of(settings["precision"])
        model = config.model or builtin_facts(settings["model_id"])
        known = model.identity if model else None
        return own | {
            "service_settings": settings,
            "model": known or {"model_id": settings["model_id"]},
        }

    def check_settings(self, task_type: TaskType, settings: Any) -> None:
        check_allocations(settings)
        if settings.deployment_id is None:
            check_deployable(settings)
            if settings.model_id in BUILTIN_MODELS:
                check_is_available(settings.model_id)
                check_made_for(BUILTIN_MODELS[settings.model_id].facts, task_type)
            check_long_documents(settings, settings.model_id, self.name)
        check_vectors(settings, task_type)

    def merge_settings(self, stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Any:
        """Bounds are merged one by one; what adapts has no fixed number."""
        merged = {**stored, **changes}
        if isinstance(adaptive := changes.get("adaptive_allocations"), Mapping):
            kept = merged_bounds(stored.get("adaptive_allocations"), adaptive)
            merged["adaptive_allocations"] = kept
            if kept.get("enabled") and "num_allocations" not in changes:
                merged.pop("num_allocations", None)
        return merged


def check_allocations(settings: ElasticsearchSettings) -> None:
    if settings.is_adaptive and settings.num_allocations is not None:
        raise InvalidSettings(
            [
                "[num_allocations] number_of_allocations cannot be set "
                "if adaptive allocations is enabled"
            ]
        )


def check_deployable(settings: ElasticsearchSettings) -> None:
    """Whether the settings tell all that a new deployment needs to know."""
    if settings.model_id is None:
        raise InvalidArgument(
            "Error parsing service settings, model_id must be provided (or a deployment_id)"
        )
    problems = []
    if settings.num_allocations is None and settings.adaptive_allocations is None:
        problems.append(
            "[service_settings] does not contain one of the required settings "
            "[num_allocations, adaptive_allocations]"
        )
    if settings.num_threads is None:
        problems.append("[service_settings] does not contain the required setting [num_threads]")
    if settings.precision and (missing := missing_for(settings.precision)):
        problems.append(f"[precision] [{settings.precision}] cannot be used here: {missing}")
    if problems:
        raise InvalidSettings(problems)
    threads = settings.num_threads or 1
    if threads > MAX_THREADS or threads & (threads - 1):
        raise InvalidAction(
            [f"[num_threads] must be a power of 2 of at most {MAX_THREADS}, not [{threads}]"]
        )


def check_is_available(model_id: str) -> None:
    """Whether a built-in model goes by this name on this machine. Raises InvalidArgument."""
    if not BUILTIN_MODELS[model_id].is_available_here:
        raise InvalidArgument(
            "Error parsing request config, model id does not match any models available on "
            f"this platform. Was [{model_id}]"
        )


def check_made_for(model: ModelFacts, task_type: TaskType) -> None:
    """Whether a model can be used for a task. Raises InvalidSettings."""
    if model.task_type != task_type:
        raise InvalidSettings(
            [
                f"[service_settings] The model [{model.model_id}] is made for task type "
                f"[{model.task_type}] and cannot be used for [{task_type}]"
            ]
        )


def check_vectors(settings: ElasticsearchSettings, task_type: TaskType) -> None:
    """Refuse what is said of vectors where there are none, or where the catalogue says it."""
    if task_type == TaskType.TEXT_EMBEDDING and settings.model_id not in BUILTIN_MODELS:
        return
    check_says_nothing(settings, Elasticsearch.name)


def check_says_nothing(settings: ElasticsearchSettings, service: str) -> None:
    """Refuse what is said of the vectors of a model that is known. Raises InvalidRequest."""
    said = {name: value for name in OF_VECTORS if (value := getattr(settings, name)) is not None}
    if said:
        raise unknown_settings(said, service)
