"""What a deployment went through is kept, in order and with its reasons."""

import pytest
from django.db import DatabaseError

from endpoints import timeline
from endpoints.models import ArtifactState, Deployment, DeploymentEvent
from endpoints.timeline import Timeline
from inference.runner.hosts import PhaseEvent
from inference.runner.process import Phase
from tests.endpoints.conftest import Api, World, basic, refused, told
from tests.factories import PASSWORD, make_artifact, make_deployment, make_model, make_user

PATH = "/_console/deployments/d1/events"


@pytest.fixture
def deployment(db: None) -> Deployment:
    return make_deployment("d1")


def step(lines: Timeline, *events: tuple[Phase, str]) -> None:
    deployments = Deployment.objects.with_files()
    lines.step(deployments, [PhaseEvent("d1", *event) for event in events])


def kept() -> list[tuple[str, str]]:
    """The oldest first."""
    return list(DeploymentEvent.objects.order_by("pk").values_list("phase", "reason"))


def test_the_way_from_the_first_file_to_the_first_answer_is_kept(db: None) -> None:
    lines, artifact = Timeline(), make_artifact(state=ArtifactState.QUEUED)
    make_deployment("d1", make_model(artifact=artifact))
    for state in (ArtifactState.QUEUED, ArtifactState.DOWNLOADING, ArtifactState.CONVERTING):
        make_artifact(state=state)
        step(lines)
        step(lines)

    make_artifact(state=ArtifactState.READY)
    step(lines, (Phase.LOADING, ""), (Phase.WARMING, ""), (Phase.SERVING, "in 0.4 s"))

    assert kept() == [
        ("waiting", ""),
        ("downloading", ""),
        ("converting", ""),
        ("loading", ""),
        ("warming", ""),
        ("serving", "in 0.4 s"),
    ]


def test_files_that_cannot_be_had_say_why(db: None) -> None:
    artifact = make_artifact(state=ArtifactState.FAILED, reason="no route to host")
    make_deployment("d1", make_model(artifact=artifact))

    step(Timeline())

    assert kept() == [("failed", "no route to host")]


def test_one_without_allocations_rests(deployment: Deployment) -> None:
    lines = Timeline()
    step(lines, (Phase.SERVING, ""))
    Deployment.objects.update(num_allocations=0)
    step(lines)
    step(lines)
    Deployment.objects.update(num_allocations=1)
    step(lines, (Phase.LOADING, ""))

    assert [phase for phase, _ in kept()] == ["serving", "resting", "loading"]


def test_the_same_is_not_said_twice_not_even_by_the_next_runner(deployment: Deployment) -> None:
    step(Timeline(), (Phase.FAILED, "no memory"), (Phase.FAILED, "no memory"))
    step(Timeline(), (Phase.FAILED, "no memory"))

    assert kept() == [("failed", "no memory")]


def test_tries_that_end_in_the_same_failure_are_told_once(deployment: Deployment) -> None:
    lines = Timeline()
    step(lines, (Phase.SERVING, ""))
    for _ in range(3):
        step(lines, (Phase.LOADING, ""), (Phase.WARMING, ""), (Phase.FAILED, "no memory"))
    step(lines, (Phase.LOADING, ""), (Phase.FAILED, "no file"))
    step(lines, (Phase.LOADING, ""))

    assert kept() == [
        ("serving", ""),
        ("loading", ""),
        ("warming", ""),
        ("failed", "no memory"),
        ("loading", ""),
        ("failed", "no file"),
        ("loading", ""),
    ]


def test_only_the_newest_are_kept(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_KEPT", 3)
    step(Timeline(), *((Phase.FAILED, str(number)) for number in range(5)))

    assert [reason for _, reason in kept()] == ["2", "3", "4"]


def test_what_the_database_did_not_take_is_written_later(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Timeline()
    with monkeypatch.context() as broken:
        broken.setattr(DeploymentEvent.objects, "create", unable)
        with pytest.raises(DatabaseError):
            step(lines, (Phase.LOADING, ""), (Phase.SERVING, ""))

    step(lines)

    assert [phase for phase, _ in kept()] == ["loading", "serving"]


def unable(**_: object) -> None:
    raise DatabaseError("the disk is full")


def test_what_is_told_of_a_deployment_that_is_gone_is_dropped(deployment: Deployment) -> None:
    deployments = list(Deployment.objects.with_files())
    deployment.delete()

    Timeline().step(deployments, [PhaseEvent("d1", Phase.SERVING, "")])
    Timeline().step([], [PhaseEvent("d1", Phase.SERVING, "")])

    assert kept() == []


def test_the_api_tells_the_newest_first(api: Api, deployment: Deployment) -> None:
    step(Timeline(), (Phase.LOADING, ""), (Phase.FAILED, "no memory"))
    newest = deployment.events.first()
    assert newest

    shown = told(api("GET", PATH))

    assert (shown["deployment_id"], shown["count"]) == ("d1", 2)
    assert shown["events"][0] == {
        "state": "failed",
        "timestamp": int(newest.at.timestamp() * 1000),
        "reason": "no memory",
    }
    assert shown["events"][1]["state"] == "loading"
    assert "reason" not in shown["events"][1]


def test_a_deployment_that_is_not_there_has_no_events(api: Api) -> None:
    assert refused(api("GET", PATH)) == (404, "status_exception")


def test_who_may_see_endpoints_may_see_what_happened(deployment: Deployment, world: World) -> None:
    make_user("nobody")
    may_see = make_user("reader")
    may_see.roles = ["inference_user"]
    may_see.save()

    assert Api(basic("nobody", PASSWORD))("GET", PATH).status_code == 403
    assert Api(basic("reader", PASSWORD))("GET", PATH).status_code == 200
