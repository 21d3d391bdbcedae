"""Models as they are published, from a mirror's folder to what a running host answers."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.runner.catalogue import Weights, WeightsFile
from inference.runner.client import HostClient
from inference.runner.convert import ensure_graph
from inference.runner.hosts import LocalRunner
from inference.runner.outputs import Output
from inference.runner.protocol import HostReply, HostRequest, socket_path
from inference.runner.sources import SourceSettings, fetch
from inference.runner.spec import HostSpec
from inference.types import InputType, TaskType
from tests.inference.runner.checkpoint_runs import OUTPUT_OF
from tests.inference.runner.checkpoints import CONFIGS, WINDOW, write_checkpoint
from tests.inference.runner.test_encoders import (
    DATA,
    DOCUMENTS,
    QUERY,
    TEXTS,
    TOLERANCE,
    write_pooling,
)

PATIENCE_S = 30
NAMES = ("config.json", "tokenizer.json", "model.safetensors")
PREFIXES = {InputType.SEARCH: "query: ", InputType.INGEST: "passage: "}
families = pytest.mark.parametrize("family", list(CONFIGS))


@pytest.fixture(scope="module")
def expected() -> Any:
    return json.loads(DATA.read_text())


class Running:
    """One host of a model that was fetched from a folder and converted."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.runner, self.client = LocalRunner(), HostClient(work)

    def start(self, family: str, task_type: TaskType, **more: Any) -> None:
        output = OUTPUT_OF[task_type]
        published = write_checkpoint(self.work / "mirror" / "someone" / family, family, output)
        names = list(NAMES)
        if output == Output.STATES:
            write_pooling(published, "cls", is_normalized=False)
            names += ["modules.json", "1_Pooling/config.json"]
        files = tuple(WeightsFile(name, (published / name).stat().st_size) for name in names)
        weights = Weights(f"someone/{family}", "main", files, "MIT", family, output=output)
        folder = self.work / "models" / family
        mirror = SourceSettings(("mirror",), str(self.work / "mirror"))
        fetch(weights, folder, mirror, lambda _: None, lambda: False)
        ensure_graph(folder, output)
        spec = HostSpec(
            deployment_id="d1",
            task_type=task_type,
            model_folder=str(folder),
            socket=str(socket_path(self.work, "d1")),
            max_input_tokens=WINDOW,
            num_allocations=1,
            num_threads=1,
            **more,
        )
        until = time.monotonic() + PATIENCE_S
        while self.runner.status("d1").state != "started":
            self.runner.apply([spec])
            assert time.monotonic() < until, self.runner.status("d1")
            threading.Event().wait(0.01)

    def call(self, *texts: str, query: str | None = None, **more: Any) -> HostReply:
        return self.client.call("d1", HostRequest(texts, query, PATIENCE_S, **more))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.client.close()
    running.runner.stop_all()


@families
def test_vectors_are_pooled_as_the_published_files_say(
    running: Running, family: str, expected: Any
) -> None:
    running.start(family, TaskType.TEXT_EMBEDDING)

    vectors = running.call(*TEXTS).vectors

    assert vectors is not None
    np.testing.assert_allclose(vectors, expected[f"{family} cls {WINDOW}"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("family", ["bert", "distilbert"])
def test_a_model_trained_for_it_gives_its_own_sparse_weights(
    running: Running, family: str, expected: Any
) -> None:
    running.start(family, TaskType.SPARSE_EMBEDDING)

    reply = running.call(*TEXTS)

    assert reply.weights is not None
    assert set(reply.truncated) == {3}
    for row, weights in zip(expected[f"{family} sparse {WINDOW}"], reply.weights, strict=True):
        found = sorted(weights.values())
        np.testing.assert_allclose(found, sorted(w for w in row if w), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("family", ["bert", "xlm-roberta"])
def test_a_cross_encoder_gives_its_raw_scores(running: Running, family: str, expected: Any) -> None:
    running.start(family, TaskType.RERANK)

    scores = running.call(*DOCUMENTS, query=QUERY).scores

    assert scores is not None
    np.testing.assert_allclose(
        scores, expected[f"{family} scores {WINDOW}"], atol=TOLERANCE, rtol=0
    )


def test_a_prefix_stands_before_texts_that_are_searched_for_or_indexed(running: Running) -> None:
    running.start("roberta", TaskType.TEXT_EMBEDDING, prefixes=PREFIXES)
    written_out = running.call("query: the cat", "passage: the cat", "the cat").vectors
    assert written_out is not None

    for input_type, expected_row in (
        (InputType.SEARCH, written_out[0]),
        (InputType.INGEST, written_out[1]),
        (InputType.CLUSTERING, written_out[2]),
        (InputType.UNSPECIFIED, written_out[2]),
    ):
        vectors = running.call("the cat", input_type=input_type).vectors

        assert vectors is not None
        np.testing.assert_allclose(vectors[0], expected_row, atol=TOLERANCE, rtol=0)
    assert np.abs(written_out[0] - written_out[1]).max() > 0.01


def test_a_query_that_leaves_no_room_is_cut_and_said_to_be(running: Running) -> None:
    running.start("bert", TaskType.RERANK)

    reply = running.call("the sky", "cat " * WINDOW, query="blue sky " * WINDOW)

    assert set(reply.truncated) == {0, 2}
    assert reply.scores is not None
    assert len(set(reply.scores)) == 2
