"""The lab behind its pages: who keeps what, how it is embedded, and what is found."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from endpoints import hosting, tasks
from endpoints.lab import embedding, runs, searching, steering
from endpoints.lab.cuts import tokens_of
from endpoints.lab.tokens import counter_of
from endpoints.models import LabBatch, LabRun, LabState, User
from inference.chunking.settings import ChunkingSettings, parse_chunking
from inference.documents import Document
from inference.errors import Conflict, InvalidRequest, NotFound, QueueFull
from inference.runner.protocol import HostReply, HostRequest
from inference.types import InputType
from tests.factories import make_admin, make_endpoint, make_user

pytestmark = pytest.mark.django_db

SETTINGS: dict[str, ChunkingSettings] = {
    "a": parse_chunking({"strategy": "word", "max_chunk_size": 10, "overlap": 1}),
    "b": parse_chunking({"strategy": "none"}),
}
TEXT = " ".join(f"word{number}" for number in range(118)) + " honey"


class Host:
    """Honey points one way, every other text another way; rerank likes the last."""

    def __init__(self) -> None:
        self.asked: list[HostRequest] = []
        self.raises: Exception | None = None

    def call(self, deployment_id: str, request: HostRequest) -> HostReply:
        self.asked.append(request)
        if self.raises and len(self.asked) > 1:
            raise self.raises
        if request.query is not None:
            return HostReply(scores=[float(place) for place, _ in enumerate(request.texts)])
        rows = [[1, 0] if "honey" in text else [0.1, 1] for text in request.texts]
        return HostReply(vectors=np.array(rows, np.float32))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    fake = Host()
    monkeypatch.setattr(hosting, "hosts", lambda: fake)
    monkeypatch.setattr(tasks.embed_lab_run, "delay_on_commit", lambda *args: None)
    return fake


@pytest.fixture
def admin() -> User:
    return make_admin()


@pytest.fixture
def run(admin: User, host: Host) -> LabRun:
    make_endpoint()
    made = runs.start_run(admin, Document("notes.txt", TEXT))
    steering.start(admin, made, "my-endpoint", SETTINGS)
    return made


def test_both_sides_are_embedded_for_documents_a_few_chunks_at_a_time(
    run: LabRun, host: Host
) -> None:
    embedding.embed_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.wanted, run.embedded) == ("done", {"a": 14, "b": 1}, {"a": 14, "b": 1})
    assert [len(one.texts) for one in host.asked] == [10, 4, 1]
    assert {one.input_type for one in host.asked} == {InputType.INGEST}
    assert run.percent == 100
    assert run.worked_on_at is None
    assert run.vectors == {"element_type": "float", "width": 2, "similarity": "cosine"}


def test_a_query_finds_the_nearest_of_each_side(run: LabRun, host: Host, admin: User) -> None:
    embedding.embed_run(run.pk)
    run.refresh_from_db()
    LabRun.objects.update(updated_at=timezone.now() - timedelta(hours=23))

    answer = searching.search(admin, run, "honey")

    assert LabRun.objects.get().updated_at > timezone.now() - timedelta(hours=1)
    best = answer.sides["a"].found[0]
    assert (best.number, best.was_place, round(best.score, 3)) == (13, 1, 1.0)
    assert TEXT[best.start : best.end] == best.text
    assert len(answer.sides["a"].found) == searching.SHOWN
    assert [one.number for one in answer.sides["b"].found] == [0]
    assert host.asked[-1].input_type == InputType.SEARCH
    assert answer.similarity == "cosine"


def test_a_reranker_gives_them_another_order(run: LabRun, host: Host, admin: User) -> None:
    make_endpoint("judge", ".minilm-rerank-v1")
    embedding.embed_run(run.pk)
    run.refresh_from_db()

    found = searching.search(admin, run, "honey", "judge").sides["a"].found

    assert [one.was_place for one in found] == [14, 13, 12, 11, 10]
    assert [one.rerank_score for one in found] == [13, 12, 11, 10, 9]


def test_what_is_not_embedded_or_by_another_model_is_not_searched(run: LabRun, admin: User) -> None:
    with pytest.raises(Conflict, match="must be embedded first"):
        searching.search(admin, run, "honey")
    embedding.embed_run(run.pk)
    run.refresh_from_db()
    run.vectors["width"] = 1
    with pytest.raises(Conflict, match="makes other vectors"):
        searching.search(admin, run, "honey")
    with pytest.raises(InvalidRequest):
        searching.search(admin, run, "honey", "my-endpoint")


def test_a_failure_is_kept_and_what_is_left_goes_on(run: LabRun, host: Host, admin: User) -> None:
    host.raises = QueueFull("the queue is full")

    embedding.embed_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.reason) == ("failed", "the queue is full")
    assert run.embedded == {"a": 10, "b": 0}
    host.raises = None
    steering.go_on(admin, run)
    assert embedding.abandoned_runs() == [run.pk]
    embedding.embed_run(run.pk)
    run.refresh_from_db()
    assert run.is_done
    assert [batch.first for batch in run.batches.filter(side="a")] == [0, 10]


def test_a_stopped_run_takes_no_more_vectors(
    run: LabRun, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = host.call

    def stop_then_answer(deployment_id: str, request: HostRequest) -> HostReply:
        steering.stop(run)
        return answer(deployment_id, request)

    monkeypatch.setattr(host, "call", stop_then_answer)
    embedding.embed_run(run.pk)

    run.refresh_from_db()
    assert (run.state, run.embedded["a"], len(host.asked)) == ("stopped", 0, 1)
    assert not LabBatch.objects.exists()
    embedding.embed_run(run.pk)
    assert len(host.asked) == 1


def test_nobody_embeds_what_another_worker_is_at(run: LabRun, host: Host) -> None:
    LabRun.objects.update(worked_on_at=timezone.now())

    embedding.embed_run(run.pk)

    assert not host.asked
    assert embedding.abandoned_runs() == []
    LabRun.objects.update(worked_on_at=timezone.now() - timedelta(minutes=1))
    assert embedding.abandoned_runs() == [run.pk]


def test_who_may_call_the_endpoint_no_more_embeds_no_more(run: LabRun, host: Host) -> None:
    User.objects.update(is_superuser=False, roles=[])

    embedding.embed_run(run.pk)

    run.refresh_from_db()
    assert run.state == LabState.FAILED
    assert "unauthorized" in run.reason
    assert not host.asked


def test_of_a_long_document_both_sides_embed_the_same_start(
    admin: User, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "MOST_CHUNKS", 3)
    make_endpoint()
    run = runs.start_run(admin, Document("long.txt", TEXT))
    other = parse_chunking({"strategy": "word", "max_chunk_size": 20, "overlap": 1})

    steering.start(admin, run, "my-endpoint", SETTINGS | {"b": other})

    assert run.wanted == {"a": 3, "b": 1}
    assert run.reach < len(TEXT)


def test_a_run_is_its_makers_alone(run: LabRun, admin: User) -> None:
    other = make_admin("other")

    assert runs.get_run(admin, run.key) == run
    assert runs.runs_of(other) == []
    with pytest.raises(NotFound):
        runs.get_run(other, run.key)


def test_a_few_are_kept_of_each_person_and_none_for_long(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST_RUNS", 2)
    other = runs.start_run(make_admin("other"), Document("theirs", "text"))
    for name in ("first", "second", "third"):
        runs.start_run(admin, Document(name, "text"))
    assert [run.name for run in runs.runs_of(admin)] == ["third", "second"]

    LabRun.objects.filter(pk=other.pk).update(updated_at=timezone.now() - timedelta(hours=25))
    tasks.forget_lab_runs()

    assert {run.name for run in LabRun.objects.all()} == {"third", "second"}


def test_only_endpoints_that_make_vectors_embed(admin: User, host: Host) -> None:
    make_endpoint("judge", ".minilm-rerank-v1")
    run = runs.start_run(admin, Document("notes.txt", TEXT))

    with pytest.raises(InvalidRequest, match="makes no vectors"):
        steering.start(admin, run, "judge", SETTINGS)
    with pytest.raises(NotFound):
        steering.start(admin, run, "gone", SETTINGS)


def test_tokens_are_guessed_where_no_tokenizer_is_here(admin: User) -> None:
    run = runs.start_run(admin, Document("notes.txt", "Bienenstöcke sind schwer."))
    counter = counter_of(make_endpoint())

    count = tokens_of(run, SETTINGS["b"], counter)

    assert (count.total, count.is_exact) == (7, False)
    assert counter.window == 256


def test_people_without_rights_bring_nothing(admin: User) -> None:
    with pytest.raises(Exception, match="unauthorized"):
        runs.start_run(make_user(), Document("notes.txt", "text"))
