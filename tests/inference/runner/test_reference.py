"""Every family computes what the libraries compute that its models were published for.

Needs torch, transformers and sentence-transformers, which the product does not: install them beside
requirements-dev.txt and run `pytest -m reference`. `RECORD=1 pytest -m reference` writes what they
compute to tests/data/encoders.json, which test_encoders.py compares with on every run.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.arrays import FloatArray
from inference.runner.outputs import Output
from inference.runner.protocol import HostRequest
from inference.types import TaskType
from tests.inference.runner.checkpoint_runs import run
from tests.inference.runner.checkpoints import CONFIGS, WINDOW, write_checkpoint
from tests.inference.runner.test_encoders import (
    DATA,
    DOCUMENTS,
    PREFIX,
    QUERY,
    TEXTS,
    WINDOWS,
    write_pooling,
)

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore"),  # of libraries that are not ours
]
TOLERANCE = 1e-5
families = pytest.mark.parametrize("family", list(CONFIGS))


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def transformers() -> Any:
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def sentence_transformers() -> Any:
    return pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module", autouse=True)
def recorded() -> Iterator[dict[str, Any]]:
    """What this run computes; written down when it is asked for."""
    found: dict[str, Any] = {}
    yield found
    if os.environ.get("RECORD"):
        lines = (f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
        DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def loaded(transformers: Any, folder: Path, family: str, kind: str) -> tuple[Any, Any]:
    """The model, all of whose weights are in the file, and its tokenizer."""
    load = getattr(transformers, kind).from_pretrained
    model, info = load(folder, output_loading_info=True, attn_implementation="eager")
    unused = {"pooler.dense.weight", "pooler.dense.bias"}  # of models that end before it
    missing = {name.removeprefix(f"{family}.") for name in info["missing_keys"]} - unused
    assert not missing
    assert not info["unexpected_keys"]
    is_bert = family in ("bert", "distilbert")
    specials = {"pad_token": "[PAD]"} if is_bert else {"pad_token": "<pad>"}
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), **specials
    )
    return model.eval(), tokenizer


def batch(tokenizer: Any, family: str, *texts: Any, **options: Any) -> Any:
    """One padded batch."""
    has_types = family == "bert"
    return tokenizer(
        *texts, padding=True, return_tensors="pt", return_token_type_ids=has_types, **options
    )


def check(name: str, ours: FloatArray, theirs: FloatArray, recorded: dict[str, Any]) -> None:
    difference = float(np.abs(ours - theirs).max())
    print(f"{name}: largest difference {difference:.1e}")  # noqa: T201 - shown by -s
    assert ours.shape == theirs.shape
    assert difference < TOLERANCE
    recorded[name] = np.asarray(theirs, np.float64).round(7).tolist()


@families
@pytest.mark.parametrize("mode", ["cls", "max", "mean"])
@pytest.mark.parametrize("window", WINDOWS)
def test_vectors(
    family: str,
    mode: str,
    window: int,
    tmp_path: Path,
    torch: Any,
    transformers: Any,
    recorded: dict[str, Any],
) -> None:
    folder = write_checkpoint(tmp_path / "model", family)
    model, tokenizer = loaded(transformers, folder, family, "AutoModel")
    inputs = batch(tokenizer, family, list(TEXTS), truncation=True, max_length=window)
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    pooled = {
        "cls": states[:, 0],
        "max": states.masked_fill(mask == 0, -torch.inf).max(1).values,
        "mean": (states * mask).sum(1) / mask.sum(1),
    }[mode]
    for is_normalized in (False, True):
        write_pooling(folder, mode, is_normalized)
        expected = torch.nn.functional.normalize(pooled) if is_normalized else pooled
        ours = run(folder, TaskType.TEXT_EMBEDDING, HostRequest(TEXTS, None, 9), window).vectors
        assert ours is not None
        name = f"{family} {mode} {window}{' normalized' if is_normalized else ''}"
        check(name, ours, expected.numpy(), recorded)


@families
@pytest.mark.parametrize("window", WINDOWS)
def test_sparse_weights(
    family: str,
    window: int,
    tmp_path: Path,
    torch: Any,
    transformers: Any,
    recorded: dict[str, Any],
) -> None:
    folder = write_checkpoint(tmp_path / "model", family, Output.LOGITS)
    model, tokenizer = loaded(transformers, folder, family, "AutoModelForMaskedLM")
    inputs = batch(tokenizer, family, list(TEXTS), truncation=True, max_length=window)
    with torch.no_grad():
        logits = model(**inputs).logits
    weights = torch.log1p(torch.relu(logits)) * inputs["attention_mask"][..., None]
    weights = weights.max(1).values.numpy()
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    kept = [i for i, token in enumerate(vocabulary) if i not in set(special_ids(folder))]

    reply = run(folder, TaskType.SPARSE_EMBEDDING, HostRequest(TEXTS, None, 9), window)

    assert reply.weights is not None
    ours = np.array([[row.get(vocabulary[i], 0) for i in kept] for row in reply.weights])
    check(f"{family} sparse {window}", ours, weights[:, kept], recorded)
    assert all(set(row) <= {vocabulary[i] for i in kept} for row in reply.weights)


def special_ids(folder: Path) -> list[int]:
    added = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    return [token["id"] for token in added if token["special"]]


@families
@pytest.mark.parametrize("window", WINDOWS)
def test_scores_of_pairs(
    family: str,
    window: int,
    tmp_path: Path,
    torch: Any,
    transformers: Any,
    recorded: dict[str, Any],
) -> None:
    folder = write_checkpoint(tmp_path / "model", family, Output.SCORE)
    model, tokenizer = loaded(transformers, folder, family, "AutoModelForSequenceClassification")
    queries = [QUERY] * len(DOCUMENTS)
    options = {"truncation": "only_second", "max_length": window}
    inputs = batch(tokenizer, family, queries, list(DOCUMENTS), **options)
    with torch.no_grad():
        expected = model(**inputs).logits[:, 0].numpy()

    reply = run(folder, TaskType.RERANK, HostRequest(DOCUMENTS, QUERY, 9), window)

    check(f"{family} scores {window}", np.array(reply.scores), expected, recorded)


@pytest.mark.parametrize("family", ["bert", "mpnet"])
def test_what_sentence_transformers_saves_is_run_alike(
    family: str, tmp_path: Path, sentence_transformers: Any
) -> None:
    base = write_checkpoint(tmp_path / "base", family)
    specials = {"pad_token": "[PAD]" if family == "bert" else "<pad>"}
    (base / "tokenizer_config.json").write_text(
        json.dumps(specials | {"tokenizer_class": "PreTrainedTokenizerFast"})
    )
    modules = pytest.importorskip("sentence_transformers.models")
    transformer = modules.Transformer(str(base), max_seq_length=WINDOW)
    for mode in ("cls", "max", "mean"):
        pooling = modules.Pooling(transformer.get_word_embedding_dimension(), mode)
        for steps in ([transformer, pooling], [transformer, pooling, modules.Normalize()]):
            model = sentence_transformers.SentenceTransformer(modules=steps, device="cpu")
            folder = tmp_path / f"{mode}-{len(steps)}"
            model.save(str(folder))
            write_checkpoint(folder, family)  # the tokenizer, which saving fills in with defaults

            expected = model.encode(list(TEXTS), prompt=PREFIX)
            prefixed = HostRequest(tuple(PREFIX + text for text in TEXTS), None, 9)
            ours = run(folder, TaskType.TEXT_EMBEDDING, prefixed, WINDOW).vectors

            assert ours is not None
            check(f"sentence-transformers {family} {mode} {len(steps)}", ours, expected, {})


def test_a_cross_encoder_gives_the_logits_of_sentence_transformers(
    tmp_path: Path, torch: Any, sentence_transformers: Any
) -> None:
    folder = write_checkpoint(tmp_path / "model", "bert", Output.SCORE)
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "pad_token": "[PAD]",
                "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
            }
        )
    )
    model = sentence_transformers.CrossEncoder(str(folder), max_length=WINDOW, device="cpu")

    pairs = [(QUERY, document) for document in DOCUMENTS]
    expected = model.predict(pairs, activation_fn=torch.nn.Identity())

    scores = run(folder, TaskType.RERANK, HostRequest(DOCUMENTS, QUERY, 9), WINDOW).scores
    check("cross-encoder", np.array(scores), expected, {})


def test_the_buckets_of_mpnet(transformers: Any, torch: Any) -> None:
    """All distances of the largest window, where rounding could put one on the wrong side."""
    from inference.runner.graph_mpnet import buckets

    distances = np.arange(-511, 512, dtype=np.int32)
    encoder = transformers.models.mpnet.modeling_mpnet.MPNetEncoder
    expected = encoder.relative_position_bucket(torch.from_numpy(distances).long())

    assert buckets(distances).tolist() == expected.tolist()
