"""What a model's published files say of it, without its weights."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field, PositiveInt

from inference.errors import UnsupportedModel
from inference.runner.configs import read_config
from inference.runner.layout import CONFIG_FILE, TOKENIZER_FILE
from inference.runner.outputs import Output
from inference.runner.pooling import MODULES_FILE, read_modules, read_pooling
from inference.types import InputType, TaskType

PROMPTS_FILE, CARD_FILE = "config_sentence_transformers.json", "README.md"
SENTENCE_FILE, TOKENIZING_FILE = "sentence_bert_config.json", "tokenizer_config.json"
# Their positions count on from that of the padding.
OFFSET_TYPES = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet"})
USUAL_WINDOW, LONGEST_WINDOW = 512, 1 << 20
USUAL_LABELS = 2  # of a classifier whose config.json names none
SPLADE = ["MLMTransformer", "SpladePooling"]
SIMILARITIES = {"cosine": "cosine", "dot": "dot_product", "euclidean": "l2_norm"}
# What models call the texts that are looked for, and those that are looked through.
PROMPT_NAMES = {
    InputType.SEARCH: ("query",),
    InputType.INGEST: ("passage", "document", "corpus"),
}


class NetworkConfig(BaseModel):
    """What config.json says of any kind of network."""

    model_type: str
    architectures: list[str] | None = None
    hidden_size: PositiveInt | None = Field(
        None, validation_alias=AliasChoices("hidden_size", "dim", "d_model")
    )
    max_position_embeddings: PositiveInt | None = None
    pad_token_id: int | None = None
    id2label: dict[str, Any] | None = None

    @property
    def positions(self) -> int | None:
        if self.max_position_embeddings and self.model_type in OFFSET_TYPES:
            pad_id = 1 if self.pad_token_id is None else self.pad_token_id
            return self.max_position_embeddings - pad_id - 1
        return self.max_position_embeddings


class SentenceConfig(BaseModel):
    max_seq_length: PositiveInt | None = None


class TokenizingConfig(BaseModel):
    # Where there is no limit, some say it by an enormous number.
    model_max_length: float | None = None


class PromptsConfig(BaseModel):
    prompts: dict[str, str | None] = {}
    default_prompt_name: str | None = None
    similarity_fn_name: Literal["cosine", "dot", "euclidean"] | None = None


class SpladeConfig(BaseModel):
    """The only way in which the weights of tokens are computed here."""

    pooling_strategy: Literal["max"] = "max"
    activation_function: Literal["relu"] = "relu"


@dataclass(frozen=True)
class Description:
    """dimensions, similarity, pooling: of vectors; None for a task that returns none.

    The rest is as in catalogue.PublishedModel; licence and languages are empty where nobody says.
    """

    model_type: str
    task_type: TaskType
    output: Output
    max_input_tokens: int
    dimensions: int | None = None
    similarity: str | None = None
    pooling: str | None = None
    is_normalized: bool = True
    prefixes: Mapping[InputType, str] = field(default_factory=dict)
    licence: str = ""
    languages: tuple[str, ...] = ()


def describe(folder: Path, task_type: TaskType | None, pooling: str | None) -> Description:
    """Read the small files in a folder. task_type, pooling: as somebody wishes, over what they say.

    Raises UnsupportedModel for what cannot be hosted, and says why.
    """
    config = read_config(NetworkConfig, folder, CONFIG_FILE)
    possible = possible_tasks(folder, config)
    task = task_type or next(iter(possible))
    if task not in possible:
        raise UnsupportedModel(f"the model can be used for [{', '.join(possible)}], not [{task}]")
    if pooling and task != TaskType.TEXT_EMBEDDING:
        raise UnsupportedModel(f"a model for [{task}] pools nothing")
    _check_tokenizer(folder)
    licence, languages = read_card(folder)
    common: dict[str, Any] = {
        "model_type": config.model_type,
        "task_type": task,
        "output": possible[task],
        "max_input_tokens": read_window(folder, config),
        "licence": licence,
        "languages": languages,
    }
    if task != TaskType.TEXT_EMBEDDING:
        return Description(**common)
    prompts = _read_optional(PromptsConfig, folder, PROMPTS_FILE)
    published = read_pooling(folder, pooling)
    return Description(
        dimensions=read_dimensions(folder),
        similarity=SIMILARITIES[prompts.similarity_fn_name or "cosine"],
        pooling=published.mode,
        is_normalized=published.is_normalized,
        prefixes=prefixes_of(prompts),
        **common,
    )


def possible_tasks(folder: Path, config: NetworkConfig) -> dict[TaskType, Output]:
    """What a model can be used for, the most likely first. Raises UnsupportedModel."""
    if (folder / MODULES_FILE).exists():
        modules = read_modules(folder)
        if [module.kind for module in modules] == SPLADE:
            read_config(SpladeConfig, folder, modules[1].config_file)
            return {TaskType.SPARSE_EMBEDDING: Output.LOGITS}
        return {TaskType.TEXT_EMBEDDING: Output.STATES}
    network = (config.architectures or ["Model"])[0]
    if network.endswith("ForMaskedLM"):
        return {
            TaskType.SPARSE_EMBEDDING: Output.LOGITS,
            TaskType.TEXT_EMBEDDING: Output.STATES,
        }
    if network.endswith("ForSequenceClassification"):
        labels = USUAL_LABELS if config.id2label is None else len(config.id2label)
        if labels == 1:
            return {TaskType.RERANK: Output.SCORE}
        raise UnsupportedModel(
            f"{CONFIG_FILE}: [{network}] tells {labels} classes apart; "
            "a model for [rerank] has one label, whose score orders the documents"
        )
    if network.endswith("Model"):
        return {TaskType.TEXT_EMBEDDING: Output.STATES}
    raise UnsupportedModel(
        f"{CONFIG_FILE}: [{network}] has a head that is not computed here; what can be hosted ends "
        "in [Model], [ForMaskedLM] or [ForSequenceClassification]"
    )


def read_window(folder: Path, config: NetworkConfig) -> int:
    """How many tokens the model reads: the least of what its files say."""
    said = _read_optional(TokenizingConfig, folder, TOKENIZING_FILE).model_max_length
    lengths = (
        config.positions,
        _read_optional(SentenceConfig, folder, SENTENCE_FILE).max_seq_length,
        int(said) if said and 0 < said < LONGEST_WINDOW else None,
    )
    return min((length for length in lengths if length), default=USUAL_WINDOW)


def read_dimensions(folder: Path) -> int:
    """How many numbers the state of a token has. Raises UnsupportedModel."""
    size = read_config(NetworkConfig, folder, CONFIG_FILE).hidden_size
    if size is None:
        raise UnsupportedModel(f"{CONFIG_FILE} does not say [hidden_size]")
    return size


def prefixes_of(config: PromptsConfig) -> dict[InputType, str]:
    """What the model wants before a text: by what it is for, or before each by default."""
    default = config.prompts.get(config.default_prompt_name or "")
    found = dict.fromkeys(InputType, default) if default else {}
    for kind, names in PROMPT_NAMES.items():
        if prompt := next((prompt for name in names if (prompt := config.prompts.get(name))), None):
            found[kind] = prompt
    return {kind: prompt for kind, prompt in found.items() if prompt}


def read_card(folder: Path) -> tuple[str, tuple[str, ...]]:
    """Licence and languages from the lines between the dashes at the head of the README."""
    try:
        text = (folder / CARD_FILE).read_text(errors="replace")
    except FileNotFoundError:
        return "", ()
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    lines = head[1].splitlines() if head else []
    return next(iter(_listed(lines, "license")), ""), tuple(_listed(lines, "language"))


def _listed(lines: Sequence[str], name: str) -> list[str]:
    """The value of a name, or the items of the list below it."""
    for number, line in enumerate(lines):
        if not line.startswith(f"{name}:"):
            continue
        if value := line.partition(":")[2].strip():
            return [_plain(word) for word in value.strip("[]").split(",")]
        rest = lines[number + 1 :]
        items = (re.match(r"\s*-\s*(\S+)\s*$", item) for item in rest)
        found = []
        for item in items:
            if item is None:
                break
            found.append(_plain(item[1]))
        return found
    return []


def _plain(word: str) -> str:
    return word.strip().strip("\"'")


def _read_optional(schema: type[Any], folder: Path, name: str) -> Any:
    return read_config(schema, folder, name) if (folder / name).exists() else schema()


def _check_tokenizer(folder: Path) -> None:
    if not (folder / TOKENIZER_FILE).exists():
        raise UnsupportedModel(
            f"{TOKENIZER_FILE} is missing; a model that has only a vocabulary cannot be hosted"
        )
    # Imported here, because most processes that could add a model never do.
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    except Exception as exc:  # the library has no errors of its own
        raise UnsupportedModel(f"{TOKENIZER_FILE} cannot be read: {exc}") from exc
