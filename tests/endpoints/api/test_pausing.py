"""Downloads that somebody pauses: what came stays, and the source is asked for the rest alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from endpoints import jobs
from endpoints.models import Artifact, ArtifactState, AuditEntry, TrainedModel
from inference.runner import progress
from tests.endpoints.api.adding import PATH, folder_of, work
from tests.endpoints.conftest import Api, refused, told
from tests.inference.runner.hub import Hub, running_hub
from tests.inference.runner.published import COMMIT, REPOSITORY, publish, write_published

pytestmark = pytest.mark.usefixtures("at_work")
PART_AT = 4000


@pytest.fixture
def hub(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A server that counts what is asked of it; every piece that comes from it is reported."""
    monkeypatch.setattr(progress, "REPORT_INTERVAL_S", 0.0)
    with running_hub() as hub:
        hub.commit = COMMIT
        publish(hub, write_published(tmp_path / "small"), "main", COMMIT)
        settings.MODEL_MIRROR = hub.url
        yield hub


@pytest.fixture
def added(api: Api, hub: Hub) -> TrainedModel:
    assert api("PUT", PATH, {"source": {"repository": REPOSITORY}}).status_code == 200
    hub.asked.clear()
    return TrainedModel.objects.get()


def pause_half_way(api: Api, added: TrainedModel, hub: Hub) -> Path:
    """Have somebody pause it when a part of the weights has come. Returns that part."""
    part = folder_of(added) / "model.safetensors.part"
    noting = jobs._go_on

    def go_on(artifact: Artifact, **changes: Any) -> None:
        noting(artifact, **changes)
        if changes["bytes_done"] > sum(before):
            api("POST", f"{PATH}/_pause")
            noting(artifact, **changes)

    published = added.published_model
    assert published
    before = [file.size_bytes for file in published.weights.files[:-1]]
    hub.holds = [*before, PART_AT]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_go_on", go_on)
        work()
    assert part.stat().st_size == PART_AT
    return part


def test_a_paused_download_keeps_what_came_and_asks_for_the_rest(
    api: Api, added: TrainedModel, hub: Hub
) -> None:
    part = pause_half_way(api, added, hub)
    size = part.stat().st_size
    shown = told(api("GET", PATH))
    assert (shown["state"], shown["download"]["bytes_done"] > 0) == ("paused", True)
    assert jobs.abandoned_artifacts() == []  # no worker takes it up by itself
    hub.asked.clear()

    assert told(api("POST", f"{PATH}/_retry"))["state"] == "queued"
    model = work()

    assert model.has_files
    assert hub.ranges == [f"bytes={size}-"]
    assert model.artifact
    assert not model.artifact.has_restarted


def test_a_source_that_cannot_go_on_begins_anew_and_that_is_told(
    api: Api, added: TrainedModel, hub: Hub
) -> None:
    pause_half_way(api, added, hub)
    hub.has_ranges = False

    api("POST", f"{PATH}/_retry")
    model = work()

    assert model.artifact
    assert (model.has_files, model.artifact.has_restarted) == (True, True)


def test_a_pause_while_it_waits_is_found_by_the_worker(api: Api, added: TrainedModel) -> None:
    assert told(api("POST", f"{PATH}/_pause"))["state"] == "paused"

    assert work().artifact.state == ArtifactState.PAUSED  # type: ignore[union-attr]  # added
    assert refused(api("POST", f"{PATH}/_pause")) == (409, "status_exception")
    verbs = AuditEntry.objects.order_by("number").values_list("verb", flat=True)
    assert list(verbs)[-1] == "model.pause"


def test_a_paused_download_can_be_given_up(api: Api, added: TrainedModel, hub: Hub) -> None:
    part = pause_half_way(api, added, hub)

    assert told(api("POST", f"{PATH}/_cancel"))["state"] == "absent"

    assert not part.exists()


def test_who_starts_a_model_lets_its_download_go_on(api: Api, added: TrainedModel) -> None:
    api("POST", f"{PATH}/_pause")

    api("POST", "/_ml/trained_models/my-e5/deployment/_start?wait_for=starting")

    assert told(api("GET", PATH))["state"] != "paused"
