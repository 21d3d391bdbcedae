from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from endpoints import jobs
from endpoints.models import Artifact, ArtifactState, AuditEntry
from inference.errors import InferenceError
from inference.runner.catalogue import ALL_MINILM_L6_V2, BUILTIN_MODELS
from inference.runner.outputs import Output
from inference.runner.sources import Cancelled, FetchReport, Progress
from tests.factories import make_model

pytestmark = pytest.mark.django_db


class FakeFetch:
    """Stands for the download; the real one has tests of its own."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails_with: Exception | None = None
        self.shown: list[tuple[str, int, int]] = []

    def __call__(
        self, weights: Any, folder: Path, sources: Any, on_progress: Any, is_cancelled: Any
    ) -> FetchReport:
        self.calls += 1
        on_progress(Progress("hub", 40, 100, 8.0))
        row = Artifact.objects.get()
        self.shown.append((row.state, row.bytes_done, row.bytes_total))
        if self.fails_with:
            raise self.fails_with
        return FetchReport("hub")


@pytest.fixture
def fetch(monkeypatch: pytest.MonkeyPatch) -> FakeFetch:
    fake = FakeFetch()
    monkeypatch.setattr(jobs, "fetch", fake)
    monkeypatch.setattr(jobs, "convert", lambda folder, output: None)
    # A thread with a connection of its own does not see this test's transaction.
    monkeypatch.setattr(jobs, "SIGN_OF_LIFE_S", 3600)
    return fake


@pytest.fixture
def artifact() -> Artifact:
    return Artifact.objects.create(
        repository=ALL_MINILM_L6_V2.repository, state=ArtifactState.QUEUED
    )


def test_the_files_are_fetched_with_progress_and_ready_at_the_end(
    fetch: FakeFetch, artifact: Artifact
) -> None:
    jobs.fetch_artifact(artifact.pk)

    artifact.refresh_from_db()
    assert fetch.shown == [(ArtifactState.DOWNLOADING, 40, 100)]
    assert (artifact.state, artifact.source) == (ArtifactState.READY, "hub")
    assert jobs.abandoned_artifacts() == []


def test_the_graph_gives_what_the_model_is_for(
    fetch: FakeFetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: dict[str, Output] = {}
    monkeypatch.setattr(
        jobs, "convert", lambda folder, output: built.setdefault(folder.name, output)
    )
    for model_id in (".multilingual-e5-small", ".elser_model_2", ".rerank-v1"):
        Artifact.objects.all().delete()
        repository = BUILTIN_MODELS[model_id].weights.repository
        wanted = Artifact.objects.create(repository=repository, state=ArtifactState.QUEUED)
        jobs.fetch_artifact(wanted.pk)

    assert list(built.values()) == [Output.STATES, Output.LOGITS, Output.SCORE]


def test_a_second_message_does_nothing(fetch: FakeFetch, artifact: Artifact) -> None:
    jobs.fetch_artifact(artifact.pk)
    jobs.fetch_artifact(artifact.pk)

    assert fetch.calls == 1


def test_what_somebody_is_at_is_left_alone(fetch: FakeFetch, artifact: Artifact) -> None:
    Artifact.objects.update(state=ArtifactState.DOWNLOADING, worked_on_at=timezone.now())

    jobs.fetch_artifact(artifact.pk)

    assert fetch.calls == 0


def test_an_artifact_that_is_gone_is_no_failure(fetch: FakeFetch) -> None:
    jobs.fetch_artifact(12345)

    assert fetch.calls == 0


@pytest.mark.parametrize("state", [ArtifactState.DOWNLOADING, ArtifactState.CONVERTING])
def test_the_work_of_a_worker_that_died_is_taken_up(
    fetch: FakeFetch, artifact: Artifact, state: ArtifactState
) -> None:
    long_ago = timezone.now() - timedelta(seconds=jobs.ABANDONED_AFTER_S + 1)
    Artifact.objects.update(state=state, worked_on_at=long_ago)

    assert jobs.abandoned_artifacts() == [artifact.pk]
    jobs.fetch_artifact(artifact.pk)

    artifact.refresh_from_db()
    assert artifact.is_ready


def test_a_failure_keeps_its_reason(fetch: FakeFetch, artifact: Artifact) -> None:
    fetch.fails_with = InferenceError("hub: no route to host")

    jobs.fetch_artifact(artifact.pk)

    artifact.refresh_from_db()
    assert (artifact.state, artifact.reason) == (ArtifactState.FAILED, "hub: no route to host")
    assert jobs.abandoned_artifacts() == []


def test_how_it_ended_is_in_the_audit_log_of_each_model(
    fetch: FakeFetch, artifact: Artifact
) -> None:
    for model_id in (".all-minilm-l6-v2", ".minilm-rerank-v1"):
        make_model(model_id, artifact)
    jobs.fetch_artifact(artifact.pk)
    Artifact.objects.update(state=ArtifactState.QUEUED)
    fetch.fails_with = InferenceError("hub: no route to host")
    jobs.fetch_artifact(artifact.pk)

    told = AuditEntry.objects.order_by("number").values_list("subject", "outcome", "reason")
    assert list(told) == [
        (".all-minilm-l6-v2", "done", ""),
        (".minilm-rerank-v1", "done", ""),
        (".all-minilm-l6-v2", "failed", "hub: no route to host"),
        (".minilm-rerank-v1", "failed", "hub: no route to host"),
    ]


def test_a_bug_is_shown_and_not_hidden(fetch: FakeFetch, artifact: Artifact) -> None:
    fetch.fails_with = KeyError("oops")

    with pytest.raises(KeyError):
        jobs.fetch_artifact(artifact.pk)

    artifact.refresh_from_db()
    assert (artifact.state, artifact.reason) == (ArtifactState.FAILED, "KeyError: 'oops'")


def test_a_worker_that_is_told_to_stop_leaves_the_work_to_the_next(
    fetch: FakeFetch, artifact: Artifact
) -> None:
    fetch.fails_with = Cancelled()

    jobs.fetch_artifact(artifact.pk)

    assert jobs.abandoned_artifacts() == [artifact.pk]


def test_a_download_that_nobody_wants_any_more_ends(
    fetch: FakeFetch, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(_folder: Path, _output: Any) -> None:
        Artifact.objects.update(state=ArtifactState.ABSENT)

    monkeypatch.setattr(jobs, "convert", forget)

    jobs.fetch_artifact(artifact.pk)

    artifact.refresh_from_db()
    assert artifact.state == ArtifactState.ABSENT
    assert jobs.abandoned_artifacts() == []
