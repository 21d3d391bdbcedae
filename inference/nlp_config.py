"""What a trained model is for and how its texts are cut into tokens, as its config says it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from inference.errors import InvalidRequest, MalformedBody
from inference.types import TaskType

VOCABULARY_FIELD = "vocabulary"
VOCABULARY = {"index": ".ml-inference-native-000002"}


class Kind(StrEnum):
    """The kinds of inference that a network can be put for."""

    TEXT_EMBEDDING = "text_embedding"
    TEXT_EXPANSION = "text_expansion"
    TEXT_SIMILARITY = "text_similarity"
    TEXT_CLASSIFICATION = "text_classification"
    ZERO_SHOT_CLASSIFICATION = "zero_shot_classification"
    FILL_MASK = "fill_mask"
    NER = "ner"
    QUESTION_ANSWERING = "question_answering"
    PASS_THROUGH = "pass_through"  # noqa: S105 - it passes tensors through

    @property
    def task_type(self) -> TaskType | None:
        """The task of endpoints that such a model can serve; None where there is none."""
        return TASKS.get(self)

    @classmethod
    def of(cls, task_type: TaskType) -> "Kind":
        return next(kind for kind, task in TASKS.items() if task == task_type)


TASKS = {
    Kind.TEXT_EMBEDDING: TaskType.TEXT_EMBEDDING,
    Kind.TEXT_EXPANSION: TaskType.SPARSE_EMBEDDING,
    Kind.TEXT_SIMILARITY: TaskType.RERANK,
}

PositiveInt = Annotated[StrictInt, Field(gt=0)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OneOf(Part):
    """An object that holds exactly one of its fields."""

    what: ClassVar[str]

    @model_validator(mode="after")
    def _is_one(self) -> "OneOf":
        if len(self.given) != 1:
            raise ValueError(f"must hold exactly one {self.what}, not {self.given}")
        return self

    @property
    def given(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]


class TokenizerOptions(Part):
    """span: how many tokens neighbouring windows share where a long text is read in several."""

    do_lower_case: StrictBool = False
    with_special_tokens: StrictBool = True
    max_sequence_length: PositiveInt = 512
    truncate: Literal["first", "second", "none"] = "first"
    span: StrictInt = Field(default=-1, ge=-1)


class RobertaOptions(TokenizerOptions):
    add_prefix_space: StrictBool = False


class DebertaOptions(TokenizerOptions):
    truncate: Literal["first", "second", "none", "balanced"] = "first"  # type: ignore[assignment]  # one more


class Tokenization(OneOf):
    what: ClassVar[str] = "kind of tokenization"

    bert: TokenizerOptions | None = None
    bert_ja: TokenizerOptions | None = None
    mpnet: TokenizerOptions | None = None
    roberta: RobertaOptions | None = None
    xlm_roberta: TokenizerOptions | None = None
    deberta_v2: DebertaOptions | None = None

    @property
    def kind(self) -> str:
        return self.given[0]

    @property
    def options(self) -> TokenizerOptions:
        options: TokenizerOptions = getattr(self, self.kind)
        return options


class KindOptions(Part):
    tokenization: Tokenization = Tokenization(bert=TokenizerOptions())
    results_field: StrictStr | None = None


class EmbeddingOptions(KindOptions):
    embedding_size: PositiveInt | None = None


class ExpansionOptions(KindOptions):
    expansion_type: Literal["elser", "splade"] | None = None


class SimilarityOptions(KindOptions):
    text: StrictStr | None = None
    span_score_combination_function: Literal["max", "mean"] | None = None


class ClassificationOptions(KindOptions):
    classification_labels: list[StrictStr] | None = None
    num_top_classes: StrictInt | None = None


class ZeroShotOptions(KindOptions):
    classification_labels: list[StrictStr]
    labels: list[StrictStr] | None = None
    hypothesis_template: StrictStr | None = None
    multi_label: StrictBool | None = None


class FillMaskOptions(KindOptions):
    mask_token: StrictStr | None = None
    num_top_classes: StrictInt | None = None


class NerOptions(KindOptions):
    classification_labels: list[StrictStr] | None = None


class AnsweringOptions(KindOptions):
    question: StrictStr | None = None
    num_top_classes: StrictInt | None = None
    max_answer_length: PositiveInt | None = None


class InferenceConfig(OneOf):
    """What a network is for, with the options of that kind."""

    what: ClassVar[str] = "kind of inference"

    text_embedding: EmbeddingOptions | None = None
    text_expansion: ExpansionOptions | None = None
    text_similarity: SimilarityOptions | None = None
    text_classification: ClassificationOptions | None = None
    zero_shot_classification: ZeroShotOptions | None = None
    fill_mask: FillMaskOptions | None = None
    ner: NerOptions | None = None
    question_answering: AnsweringOptions | None = None
    pass_through: KindOptions | None = None

    @property
    def kind(self) -> Kind:
        return Kind(self.given[0])

    @property
    def options(self) -> Any:
        return getattr(self, self.kind)

    @property
    def tokenization(self) -> Tokenization:
        tokenization: Tokenization = self.options.tokenization
        return tokenization

    def to_response(self) -> dict[str, Any]:
        """As the API stores and shows it: with every default of the tokenization."""
        shown: dict[str, Any] = self.options.model_dump(exclude_none=True)
        shown[VOCABULARY_FIELD] = VOCABULARY
        return {self.kind.value: shown}

    @classmethod
    def stored(cls, shown: dict[str, Any]) -> "InferenceConfig":
        """Read what `to_response` wrote."""
        return cls.model_validate(
            {
                kind: {name: value for name, value in options.items() if name != VOCABULARY_FIELD}
                for kind, options in shown.items()
            }
        )

    def updated(self, changes: Mapping[str, Any]) -> "InferenceConfig":
        """The config for one call. Raises InvalidRequest for another kind or unknown options."""
        kind = self.kind
        if list(changes) != [kind] or not isinstance(changes[kind], Mapping):
            raise InvalidRequest(
                f"the model is configured for [{kind}] and cannot be called with "
                f"[inference_config] of [{', '.join(changes)}]"
            )
        own = {
            name: value
            for name, value in self.to_response()[kind].items()
            if name != VOCABULARY_FIELD
        }
        merged = {**own, **changes[kind]}
        if isinstance(tokens := changes[kind].get("tokenization"), Mapping):
            used = self.tokenization.kind
            if set(tokens) - {used}:
                raise InvalidRequest(
                    f"the model is tokenized by [{used}], not by [{', '.join(tokens)}]"
                )
            merged["tokenization"] = {used: {**own["tokenization"][used], **tokens.get(used, {})}}
        try:
            return InferenceConfig.model_validate({kind: merged})
        except ValidationError as exc:
            error = exc.errors()[0]
            place = ".".join(map(str, error["loc"]))
            raise MalformedBody(
                f"failed to parse [inference_config.{place}]: {error['msg']}"
            ) from exc
