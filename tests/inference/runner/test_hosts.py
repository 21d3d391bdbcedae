"""Real host processes with a tiny model: started, called, killed, replaced, stopped."""

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from inference.errors import QueueFull, TimedOut
from inference.runner import keeper
from inference.runner.client import HostClient, HostFailed, HostUnreachable
from inference.runner.hosts import LocalRunner
from inference.runner.precision.trials import build
from inference.runner.process import HostProcess, HostStatus
from inference.runner.protocol import HostRequest
from inference.runner.spec import HostSpec
from inference.types import TaskType, Truncation
from tests.inference.runner.running import (
    HELLO,
    PATIENCE_S,
    WINDOW,
    is_gone,
    pid_of,
    run_until,
    start,
)

HARBOURS_CUT = Truncation(WINDOW, 26)  # of forty harbours and two special tokens


def test_a_host_answers_with_vectors_of_length_one(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)

    vectors = client.call("d1", HELLO).vectors

    assert vectors is not None
    assert vectors.shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_host_runs_in_the_precision_that_it_is_told(
    runner: LocalRunner, spec: HostSpec, client: HostClient, model: Path
) -> None:
    build(model, spec.max_input_tokens)
    start(runner, spec)
    full = client.call("d1", HELLO).vectors

    run_until(runner, replace(spec, precision="int8"), is_gone(pid_of(spec)))
    less = client.call("d1", HELLO).vectors

    assert full is not None
    assert less is not None
    assert 0.99 < np.vecdot(full, less).min() < 0.999999


def test_a_text_gets_the_same_vector_alone_and_among_others(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    texts = ("the cat sat", "", "a blue sky on the port", "x y z")

    together = client.call("d1", HostRequest(texts, None, 20)).vectors

    assert together is not None
    for text, vector in zip(texts, together, strict=True):
        alone = client.call("d1", HostRequest((text,), None, 20)).vectors
        assert alone is not None
        np.testing.assert_allclose(alone[0], vector, atol=1e-5)


def test_allocations_come_and_go_in_the_running_host(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    pid = pid_of(spec)
    for allocations in (3, 1):
        runner.apply([replace(spec, num_allocations=allocations)])
        assert client.call("d1", HELLO).vectors is not None

    assert pid_of(spec) == pid


def test_a_host_tells_what_it_counted(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    client.call("d1", HELLO)

    def has_counted(_: HostStatus) -> bool:
        counted = runner.statistics("d1")
        return counted is not None and counted.answered == len(HELLO.texts)

    run_until(runner, spec, has_counted)
    assert runner.statistics("nobody") is None


def test_a_rerank_host_scores_each_document(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, replace(spec, task_type=TaskType.RERANK))
    documents = ("the cat sat on the port", "blue sky", "dog")

    scores = client.call("d1", HostRequest(documents, "cat on the port", 20)).scores

    assert scores is not None
    assert len(scores) == 3
    assert all(0 <= score <= 1 for score in scores)


def test_a_sparse_host_names_tokens_and_says_what_was_cut(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, replace(spec, task_type=TaskType.SPARSE_EMBEDDING))

    reply = client.call("d1", HostRequest(("harbour night", "harbour " * 40), None, 20))

    assert reply.truncated == {1: HARBOURS_CUT}
    assert reply.weights is not None
    assert {"harbour", "night"} <= set(reply.weights[0])


@pytest.mark.parametrize(
    ("task_type", "query", "truncated"),
    [
        (TaskType.TEXT_EMBEDDING, None, {1: HARBOURS_CUT}),
        (TaskType.RERANK, "cat", {2: HARBOURS_CUT}),
        (TaskType.RERANK, "cat " * 41, {0: Truncation(WINDOW, 27), 2: HARBOURS_CUT}),
    ],
)
def test_what_was_cut_to_the_window_is_told(
    runner: LocalRunner,
    spec: HostSpec,
    client: HostClient,
    task_type: TaskType,
    query: str | None,
    truncated: dict[int, Truncation],
) -> None:
    start(runner, replace(spec, task_type=task_type))

    reply = client.call("d1", HostRequest(("the cat", "harbour " * 40), query, 20))

    assert reply.truncated == truncated


def test_many_callers_share_a_host(runner: LocalRunner, spec: HostSpec, client: HostClient) -> None:
    start(runner, spec)
    expected = client.call("d1", HELLO).vectors
    assert expected is not None
    wrong: list[object] = []

    def call() -> None:
        for _ in range(20):
            vectors = client.call("d1", HELLO).vectors
            if vectors is None or np.abs(vectors - expected).max() > 1e-5:
                wrong.append(vectors)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_killed_host_is_started_again_at_once(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    client.call("d1", HELLO)
    killed = pid_of(spec)

    os.kill(killed, signal.SIGKILL)
    status = run_until(runner, spec, lambda status: status.state != "started")

    assert status == HostStatus("starting", status.reason)
    start(runner, spec)
    assert pid_of(spec) != killed
    assert client.call("d1", HELLO).vectors is not None  # over a connection made anew


def test_a_host_that_is_not_there_is_told_apart_from_one_that_fails(client: HostClient) -> None:
    with pytest.raises(HostUnreachable):
        client.call("d1", HELLO)


def test_a_model_that_cannot_be_loaded_says_why_and_is_not_tried_in_a_spin(
    runner: LocalRunner, spec: HostSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "FIRST_RETRY_S", 0.05)
    broken = replace(spec, model_folder=str(tmp_path / "nowhere"))

    status = run_until(runner, broken, lambda status: status.state == "failed")
    later = run_until(runner, broken, lambda status: "next try in" in status.reason)

    assert status.reason
    assert "nowhere" in later.reason or "No such file" in later.reason


def test_a_host_ends_with_the_process_that_started_it(model: Path, spec: HostSpec) -> None:
    host = HostProcess(spec)
    process = psutil.Process(host.pid)
    while host.status.state != "started":
        threading.Event().wait(0.01)

    assert host._process.stdin  # what happens to it when the parent dies
    host._process.stdin.close()

    assert process.wait(PATIENCE_S) == 0
    host.join(PATIENCE_S)


def test_the_callers_time_is_kept(runner: LocalRunner, spec: HostSpec, client: HostClient) -> None:
    start(runner, spec)
    many = HostRequest(("the cat sat on the port",) * 3000, None, budget_s=0.01)

    with pytest.raises(TimedOut):
        client.call("d1", many)

    assert client.call("d1", HELLO).vectors is not None


def test_more_than_the_queue_holds_is_refused(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, replace(spec, queue_capacity=5))

    with pytest.raises(QueueFull):
        client.call("d1", HostRequest(("a",) * 6, None, 20))

    assert client.call("d1", HELLO).vectors is not None


def test_a_failure_inside_the_model_is_told(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    beyond_its_positions = replace(spec, max_input_tokens=500)
    start(runner, beyond_its_positions)

    with pytest.raises(HostFailed):
        client.call("d1", HostRequest(("cat " * 400,), None, 20))

    assert client.call("d1", HELLO).vectors is not None
