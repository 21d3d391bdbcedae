"""A deployment that is wished no more: its callers are answered, and nobody else is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from inference.runner import keeper
from inference.runner.client import HostClient, HostUnreachable
from inference.runner.hosts import LocalRunner
from inference.runner.memory import MB
from inference.runner.protocol import HostReply, HostRequest
from inference.runner.spec import HostSpec
from tests.inference.runner.running import (
    HELLO,
    MANY,
    PATIENCE_S,
    callers,
    counted,
    pid_of,
    run_until,
    start,
)
from tests.tiny import write_tiny_model

MOST = replace(MANY, texts=MANY.texts * 3)
# Longer than any test waits.
ENDLESS = replace(MANY, texts=MANY.texts * 30)
# Of the time of a processor: enough to tell a host at work from an idle one.
AT_WORK_S = 0.1


@contextmanager
def at_work(
    client: HostClient, pid: int, request: HostRequest = MOST
) -> Iterator[list[HostReply | Exception]]:
    """A call that takes long, begun when this begins; what comes of it is there at the end."""
    client.call("d1", HELLO)
    outcome: list[HostReply | Exception] = []
    host = psutil.Process(pid)
    idle_s = sum(host.cpu_times()[:2])

    def ask() -> None:
        try:
            outcome.append(client.call("d1", request))
        except HostUnreachable as exc:
            outcome.append(exc)

    slow = threading.Thread(target=ask)
    slow.start()
    while sum(host.cpu_times()[:2]) < idle_s + AT_WORK_S:
        threading.Event().wait(0.01)
    yield outcome
    slow.join()


def patient(spec: HostSpec) -> HostSpec:
    """With room for ENDLESS in its queue."""
    return replace(spec, queue_capacity=len(ENDLESS.texts))


def step_until_gone(runner: LocalRunner, pid: int, *wished: HostSpec) -> None:
    for _ in range(100 * PATIENCE_S):
        runner.apply(wished)
        if not psutil.pid_exists(pid):
            return
        threading.Event().wait(0.01)
    pytest.fail("the host did not end")


def is_whole(outcome: list[HostReply | Exception]) -> bool:
    (reply,) = outcome
    assert isinstance(reply, HostReply)
    return reply.vectors is not None and len(reply.vectors) == len(MOST.texts)


def test_what_is_no_longer_wished_takes_no_more_calls_and_ends(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    client.call("d1", HELLO)
    pid = pid_of(spec)

    runner.apply([])

    assert not Path(spec.socket).exists()
    with pytest.raises(HostUnreachable):
        HostClient(client.sockets).call("d1", HELLO)
    step_until_gone(runner, pid)
    with pytest.raises(HostUnreachable):
        client.call("d1", HELLO)  # over the connection of before


def test_what_was_asked_before_the_stop_is_answered(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    pid = pid_of(spec)
    with at_work(client, pid) as outcome:
        runner.apply([])
        with pytest.raises(HostUnreachable):
            client.call("d1", HELLO)

    assert is_whole(outcome)
    step_until_gone(runner, pid)


def test_under_load_every_caller_is_answered_or_finds_nobody(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    for _ in range(2):
        start(runner, spec)
        pid = pid_of(spec)
        with callers(client) as wrong:
            run_until(runner, spec, lambda _: counted(runner) > 100)
            assert wrong == []
            step_until_gone(runner, pid)

        assert {type(problem) for problem in wrong} == {HostUnreachable}


def test_what_is_wished_again_meanwhile_comes_up_beside_the_one_that_goes(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    start(runner, spec)
    pid = pid_of(spec)
    with at_work(client, pid) as outcome:
        runner.apply([])
        start(runner, spec)
        assert client.call("d1", HELLO).vectors is not None

    assert is_whole(outcome)
    step_until_gone(runner, pid, spec)
    assert client.call("d1", HELLO).vectors is not None


def test_callers_of_a_model_are_answered_by_it_although_another_takes_its_place(
    runner: LocalRunner, spec: HostSpec, client: HostClient, tmp_path: Path
) -> None:
    other = replace(spec, model_folder=str(write_tiny_model(tmp_path / "other", seed=6)))
    start(runner, spec)
    pid = pid_of(spec)
    with at_work(client, pid) as outcome:
        runner.apply([other])

    assert is_whole(outcome)
    step_until_gone(runner, pid, other)


def test_a_want_of_memory_is_no_failure_while_another_host_goes(
    runner: LocalRunner, spec: HostSpec, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(runner, spec)
    before = pid_of(spec)
    monkeypatch.setattr(keeper, "available_bytes", lambda: 100 * MB)
    other = replace(spec, deployment_id="d2", memory_bytes=180 * MB)

    runner.apply([other])
    assert runner.status("d2").reason == ""

    step_until_gone(runner, before, other)
    runner.apply([other])
    assert "needs about 180 MB of memory" in runner.status("d2").reason


def test_callers_who_stay_too_long_are_cut_off(
    runner: LocalRunner, spec: HostSpec, client: HostClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "DRAIN_TIMEOUT_S", 0)
    spec = patient(spec)
    start(runner, spec)
    pid = pid_of(spec)
    with at_work(client, pid, ENDLESS) as outcome:
        step_until_gone(runner, pid)

    assert isinstance(outcome[0], HostUnreachable)


def test_a_host_that_is_told_to_ends_at_once(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    client.end("d1")  # nobody is there
    spec = patient(spec)
    start(runner, spec)
    pid = pid_of(spec)
    with at_work(client, pid, ENDLESS) as outcome:
        client.end("d1")

    assert isinstance(outcome[0], HostUnreachable)
    step_until_gone(runner, pid)


def test_a_caller_keeps_no_connection_with_a_host_that_is_gone(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    before = psutil.Process().num_fds()
    start(runner, spec)
    client.call("d1", HELLO)
    step_until_gone(runner, pid_of(spec))

    with pytest.raises(HostUnreachable):
        client.call("another", HELLO)

    assert psutil.Process().num_fds() == before


def test_the_end_of_the_runner_waits_for_no_caller(
    runner: LocalRunner, spec: HostSpec, client: HostClient
) -> None:
    spec = patient(spec)
    start(runner, spec)
    pid = pid_of(spec)
    with at_work(client, pid, ENDLESS) as outcome:
        runner.apply([])
        runner.stop_all()
        assert not psutil.pid_exists(pid)

    assert isinstance(outcome[0], HostUnreachable)
