"""A host gives way to a fresh one while callers go on asking; what fails says why."""

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from inference.runner import keeper, process
from inference.runner.client import HostClient, HostUnreachable
from inference.runner.hosts import LocalRunner
from inference.runner.memory import MB, MemoryUse, memory_of
from inference.runner.process import OUT_OF_MEMORY, HostProcess, Phase
from inference.runner.protocol import HostReply
from inference.runner.spec import HostSpec
from tests.inference.runner.running import (
    HELLO,
    MANY,
    PATIENCE_S,
    callers,
    counted,
    is_gone,
    pid_of,
    run_until,
    start,
)
from tests.tiny import write_tiny_model

GENERATIONS = 3


def phases(runner: LocalRunner) -> list[tuple[Phase, str]]:
    return [(event.phase, event.words) for event in runner.events()]


def test_nobody_is_refused_while_settings_change(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    with callers(client) as wrong:
        for generation in range(2, 2 + GENERATIONS):
            before, spec = pid_of(spec), replace(spec, generation=generation)
            run_until(runner, spec, is_gone(before))

    assert wrong == []
    assert runner.status("d1").state == "started"


def test_nobody_is_refused_while_a_successor_is_given_up_for_another(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    serving = pid_of(spec)
    with callers(client) as wrong:
        for generation in range(2, 5):
            runner.apply([replace(spec, generation=generation)])
            assert psutil.pid_exists(serving)
        last = replace(spec, generation=4)
        run_until(runner, last, is_gone(serving))

    assert wrong == []
    assert pid_of(last) != serving


def test_a_host_that_has_grown_is_replaced_and_nobody_is_refused(
    runner: LocalRunner, spec: HostSpec, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LEAST_LIFE_S", 0)
    monkeypatch.setattr(keeper, "MEMORY_CHECK_S", 0)
    start(runner, spec)
    grown = pid_of(spec)
    large = MemoryUse(resident=0, private=2000 * MB, shared=0)
    monkeypatch.setattr(keeper, "memory_of", lambda pid: large if pid == grown else memory_of(pid))
    phases(runner)

    with callers(client) as wrong:
        run_until(runner, spec, is_gone(grown))

    assert wrong == []
    recycling, serving = phases(runner)
    assert recycling[0] == Phase.RECYCLING
    assert "to 2000 MB, above the ceiling of" in recycling[1]
    assert serving[0] == Phase.SERVING
    assert pid_of(spec) != grown


def test_what_was_asked_before_is_answered_by_the_host_that_goes(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    before, changed = pid_of(spec), replace(spec, generation=2)
    replies: list[HostReply] = []
    slow = threading.Thread(target=lambda: replies.append(client.call("d1", MANY)))
    slow.start()

    run_until(runner, spec, lambda _: bool(counted(runner)))
    start_successor(runner, changed)
    answered_meanwhile = client.call("d1", HELLO).vectors
    slow.join()
    run_until(runner, changed, is_gone(before))

    assert answered_meanwhile is not None
    (reply,) = replies
    assert reply.vectors is not None
    assert reply.vectors.shape == (3000, 32)
    np.testing.assert_allclose(reply.vectors[0], reply.vectors[-1], atol=1e-5)


def test_what_was_counted_stays_when_a_host_is_replaced(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    client.call("d1", HELLO)
    before, spec = pid_of(spec), replace(spec, generation=2)
    run_until(runner, spec, is_gone(before))
    client.call("d1", HELLO)
    killed = pid_of(spec)

    run_until(runner, spec, lambda _: counted(runner) == 2 * len(HELLO.texts))
    os.kill(killed, signal.SIGKILL)
    run_until(runner, spec, is_gone(killed))
    start(runner, spec)

    assert counted(runner) == 2 * len(HELLO.texts)


def start_successor(runner: LocalRunner, spec: HostSpec) -> None:
    """Step until callers are with a host of this spec."""
    runner.events()
    run_until(runner, spec, lambda _: Phase.SERVING in dict(phases(runner)))


def test_a_successor_that_cannot_start_leaves_the_host_that_serves(
    runner: LocalRunner, spec: HostSpec, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "FIRST_RETRY_S", 0.05)
    start(runner, spec)
    serving = pid_of(spec)
    vocabulary = Path(spec.model_folder, "tokenizer.json")
    hidden = vocabulary.rename(vocabulary.with_suffix(".hidden"))
    changed = replace(spec, generation=2)
    try:
        status = run_until(runner, changed, lambda status: "its successor failed" in status.reason)
    finally:
        hidden.rename(vocabulary)

    assert status.state == "started"
    assert client.call("d1", HELLO).vectors is not None
    assert phases(runner)[-1][1].startswith("goes on, because its successor failed: ")

    run_until(runner, changed, is_gone(serving))
    assert "its successor failed" not in runner.status("d1").reason


def test_a_host_starts_only_where_there_is_memory_for_it(
    runner: LocalRunner, spec: HostSpec, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(keeper, "available_bytes", lambda: 100 * MB)
    spec = replace(spec, memory_bytes=180 * MB)

    status = run_until(runner, spec, lambda status: status.state == "failed")
    assert "needs about 180 MB of memory, but 100 MB are available" in status.reason

    monkeypatch.setattr(keeper, "available_bytes", lambda: 200 * MB)
    start(runner, spec)


def test_a_host_is_not_replaced_where_two_find_no_memory(
    runner: LocalRunner, spec: HostSpec, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(runner, spec)
    serving = pid_of(spec)
    runner.apply([replace(spec, memory_bytes=180 * MB)])  # it has been measured by now
    monkeypatch.setattr(keeper, "available_bytes", lambda: 100 * MB)

    changed = replace(spec, memory_bytes=180 * MB, generation=2)
    status = run_until(runner, changed, lambda status: "its successor failed" in status.reason)

    assert status.state == "started"
    assert psutil.pid_exists(serving)
    assert client.call("d1", HELLO).vectors is not None


def test_a_host_of_another_model_answers_nobody(
    runner: LocalRunner, spec: HostSpec, client: HostClient, tmp_path: Path
) -> None:
    start(runner, spec)
    before = client.call("d1", HELLO).vectors
    other = replace(spec, model_folder=str(write_tiny_model(tmp_path / "other", seed=6)))

    runner.apply([other])
    with pytest.raises(HostUnreachable):  # whoever was there before may get one answer more
        HostClient(client.sockets).call("d1", HELLO)
    start(runner, other)
    after = client.call("d1", HELLO).vectors

    assert before is not None
    assert after is not None
    assert np.abs(before - after).max() > 0.01


def test_the_way_of_a_deployment_is_told(runner: LocalRunner, spec: HostSpec) -> None:
    start(runner, spec)

    loading, warming, serving = phases(runner)

    assert (loading[0], warming[0]) == (Phase.LOADING, Phase.WARMING)
    assert serving[0] == Phase.SERVING
    assert serving[1].startswith("loaded in ")


def test_a_warm_host_says_what_it_takes_and_how_fast_it_is(
    runner: LocalRunner, spec: HostSpec
) -> None:
    start(runner, spec)

    measured = runner.measured("d1")

    assert measured is not None
    assert measured.private_bytes is not None
    assert measured.resident_bytes is not None
    assert 10 * MB < measured.private_bytes < measured.resident_bytes < 1000 * MB
    assert measured.tokens_per_s > 100


def test_a_model_that_hangs_while_it_loads_is_given_up(
    runner: LocalRunner, spec: HostSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOAD_TIMEOUT_S", 0.3)
    monkeypatch.setattr(keeper, "FIRST_RETRY_S", 0.05)
    (tmp_path / "stuck").mkdir()
    os.mkfifo(tmp_path / "stuck" / "model.onnx")  # nobody ever writes into it

    status = run_until(
        runner,
        replace(spec, model_folder=str(tmp_path / "stuck")),
        lambda status: status.state == "failed",
    )

    assert "given up: the model was not loaded after" in status.reason


def test_a_model_that_keeps_crashing_is_not_started_in_a_spin(
    runner: LocalRunner, spec: HostSpec
) -> None:
    for _ in range(2):
        start(runner, spec)
        crashing = pid_of(spec)
        os.kill(crashing, signal.SIGSEGV)
        run_until(runner, spec, is_gone(crashing))

    status = run_until(runner, spec, lambda status: status.state == "failed")

    assert "was ended by SIGSEGV" in status.reason
    assert "next try in 2 s" in status.reason
    assert Phase.FAILED in dict(phases(runner))


def test_a_host_that_the_system_ends_for_want_of_memory_says_so(
    spec: HostSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = iter((7, 8))
    monkeypatch.setattr(process, "oom_kills", lambda: next(kills))

    assert ended_by(signal.SIGKILL, HostProcess(spec)) == OUT_OF_MEMORY


def test_a_host_that_crashes_says_how(spec: HostSpec) -> None:
    assert "was ended by SIGSEGV" in ended_by(signal.SIGSEGV, HostProcess(spec))
    assert "was ended by SIGKILL" in ended_by(signal.SIGKILL, HostProcess(spec))


def ended_by(number: signal.Signals, host: HostProcess) -> str:
    os.kill(host.pid, number)
    host.join(PATIENCE_S)
    return host.end_reason


def test_the_last_words_of_a_host_are_told(spec: HostSpec) -> None:
    host = HostProcess(replace(spec, task_type="nonsense"))  # type: ignore[arg-type]
    host.join(PATIENCE_S)

    assert "ended with status 1" in host.end_reason
    assert "ValueError: 'nonsense' is not a valid TaskType" in host.end_reason
