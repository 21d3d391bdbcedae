"""What runs for an endpoint, on its page: how it does, and how much of it there is to be."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from endpoints import sharing
from endpoints.jobs import artifact_folder
from endpoints.models import (
    Artifact,
    AuditEntry,
    Deployment,
    DeploymentState,
    Endpoint,
    Heartbeat,
    ShareLevel,
    Team,
    TeamRole,
)
from endpoints.preconfigured import ensure_preconfigured
from inference.runner.precision.report import (
    Measure,
    Report,
    Trial,
    report_key,
    write_report,
)
from inference.types import TaskType
from tests.console.conftest import HTMX, member, text
from tests.factories import make_endpoint, make_remote_endpoint
from tests.tiny import write_tiny_model
from tests.trials import FULL, INT8, NO_BF16

TASK = TaskType.TEXT_EMBEDDING

PAGE = "/console/endpoints/my-endpoint/deployment"
NUMBER, FOLLOWING = "number_of_allocations", {"how_many": "adaptive"}
FIXED = {"how_many": "fixed", "number_of_allocations": "3"}
ADAPTIVE = {
    "how_many": "adaptive",
    "number_of_allocations": "1",
    "min_number_of_allocations": "0",
    "max_number_of_allocations": "4",
}
LOOKS_AGAIN = 'hx-trigger="every 2s"'


@pytest.fixture
def runs(db: None) -> Endpoint:
    return make_endpoint(stats={"current_allocations": 1})


@pytest.fixture
def uses(db: None) -> Endpoint:
    """An endpoint that uses a deployment which somebody started by itself."""
    endpoint = make_endpoint(stats={"current_allocations": 1})
    Deployment.objects.update(deployment_id="shared")
    settings = endpoint.service_settings | {"deployment_id": "shared"}
    Endpoint.objects.update(deployment_id="shared", service_settings=settings)
    return endpoint


def wished() -> tuple[int, Any]:
    deployment = Deployment.objects.get()
    return deployment.num_allocations, deployment.adaptive_allocations


def test_figures_of_the_host_are_told_as_the_api_counts_them(console: Client) -> None:
    make_endpoint(
        num_allocations=2,
        queue_capacity=1024,
        stats={
            "current_allocations": 2,
            "allocations": [
                {
                    "allocation": 2,
                    "inference_count": 4_000,
                    "run_count": 1_000,
                    "error_count": 3,
                    "is_at_work": True,
                    "load": 0.45,
                    "average_run_time_ms": 7.25,
                    "last_access": int(1000 * (timezone.now().timestamp() - 120)),
                },
                {"allocation": 3, "inference_count": 1, "run_count": 1, "error_count": 0},
            ],
            "inference_count": 12_000,
            "error_count": 3,
            "timeout_count": 2,
            "rejected_execution_count": 1,
            "number_of_pending_requests": 17,
            "throughput_last_minute": 640,
            "peak_throughput_per_minute": 900,
            "average_inference_time_ms": 8.25,
            "average_inference_time_ms_last_minute": 7.5,
            "last_access": int(1000 * (timezone.now().timestamp() - 300)),
        },
    )

    page = text(console.get(PAGE))

    for label, value in (
        ("Texts last minute", "640"),
        ("Most in a minute", "900"),
        ("Waiting or at work", '17 <span class="gist">of 1,024</span>'),
        ("Texts in all", "12,000"),
        ("Mean time of a text", '8.2 ms <span class="gist">7.5 ms last minute</span>'),
        ("Failed", "3"),
        ("Waited too long", "2"),
        ("Turned away", "1"),
    ):
        assert f"<dt>{label}</dt> <dd> {value} </dd>" in page
    assert "5 minutes ago" in page
    assert "2 of 2" in page
    assert LOOKS_AGAIN not in page
    assert 'hx-trigger="every 5s"' in page
    first, second = page.split('<ol class="each-allocation"')[1].split("</ol>")[0].split("<li>")[1:]
    assert "<strong>1</strong>" in first
    assert "Idle" in first
    assert "nothing to do yet" in first
    for words in ("<strong>2</strong>", "At work", "4,000 texts", "7.2 ms a run", "3 failed"):
        assert words in second
    assert 'value="45"' in second
    assert "2 minutes ago" in second
    assert "1 more worked before and rest now." in page


def test_a_number_is_changed_as_an_update_of_the_endpoint(console: Client, runs: Endpoint) -> None:
    answer = console.post(PAGE, FIXED)

    assert answer["Location"] == PAGE
    assert wished() == (3, None)
    runs.refresh_from_db()
    assert runs.service_settings["num_allocations"] == 3
    assert AuditEntry.objects.filter(verb="endpoint.update", subject="my-endpoint").exists()
    page = text(console.get(PAGE))
    assert "1 of 3" in page
    assert LOOKS_AGAIN in page


def test_it_looks_again_only_until_all_are_at_work(console: Client, runs: Endpoint) -> None:
    console.post(PAGE, FIXED)
    Deployment.objects.update(stats={"current_allocations": 3})

    page = text(console.get(PAGE, headers=HTMX))

    assert "3 of 3" in page
    assert page.count("is-at-work") == 3
    assert LOOKS_AGAIN not in page


def test_bounds_are_set_one_by_one_and_taken_away(console: Client, runs: Endpoint) -> None:
    console.post(PAGE, ADAPTIVE)
    page = text(console.get(PAGE))

    bounds = {"min_number_of_allocations": 0, "max_number_of_allocations": 4}
    assert wished() == (1, {"enabled": True, **bounds})
    assert "from 0 to 4." in page
    assert re.search(r'value="adaptive"[^>]* checked', page)
    assert 'name="max_number_of_allocations" value="4"' in page

    console.post(PAGE, ADAPTIVE | {"max_number_of_allocations": ""})
    assert wished() == (1, {"enabled": True, "min_number_of_allocations": 0})

    console.post(PAGE, FIXED)
    assert wished()[0] == 3
    assert not Deployment.objects.get().is_adaptive


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        (
            {"how_many": "fixed", "number_of_allocations": ""},
            "number_of_allocations",
            "Write a whole number.",
        ),
        (
            {"how_many": "fixed", "number_of_allocations": "two"},
            "number_of_allocations",
            "Write a whole number.",
        ),
        (
            {"how_many": "fixed", "number_of_allocations": "0"},
            "number_of_allocations",
            "Write 1 or more.",
        ),
        (
            {"how_many": "fixed", "number_of_allocations": "9999"},
            "number_of_allocations",
            "room for 512",
        ),
        (
            {
                "how_many": "adaptive",
                "min_number_of_allocations": "5",
                "max_number_of_allocations": "2",
            },
            "min_number_of_allocations",
            "more than the 2 there may be",
        ),
        (
            {"how_many": "adaptive", "min_number_of_allocations": "-2"},
            "min_number_of_allocations",
            "Write 0 or more, or nothing.",
        ),
        ({}, "how_many", "Choose one of the two."),
        ({"how_many": "often"}, "how_many", "There is no way [often]."),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_changes_nothing(
    console: Client, runs: Endpoint, sent: dict[str, str], field: str, words: str
) -> None:
    answer = console.post(PAGE, sent)

    page = text(answer)
    assert answer.status_code == 200
    assert words in page
    assert page.count('<p class="problem"') == 1
    assert field == "how_many" or f'id="id_{field}_error"' in page
    assert wished() == (1, None)
    assert sent.get("number_of_allocations", "") in page


def test_what_was_written_for_the_other_way_does_not_count(console: Client, runs: Endpoint) -> None:
    console.post(PAGE, FIXED | {"min_number_of_allocations": "9", "max_number_of_allocations": "x"})
    assert wished() == (3, None)

    console.post(PAGE, ADAPTIVE | {"number_of_allocations": "many"})
    assert Deployment.objects.get().is_adaptive


def test_more_than_the_machine_has_room_for_is_refused_with_what_is_missing(
    console: Client, runs: Endpoint
) -> None:
    Heartbeat.objects.create(
        part="runner", instance="r", seen_at=timezone.now(), available_bytes=1_000_000
    )

    page = text(console.post(PAGE, FIXED))

    assert "MB are missing" in page
    assert 'value="3"' in page
    assert wished() == (1, None)


def test_one_that_others_started_is_changed_as_a_deployment(
    console: Client, uses: Endpoint
) -> None:
    console.post(PAGE, ADAPTIVE)

    assert wished()[1] == {
        "enabled": True,
        "min_number_of_allocations": 0,
        "max_number_of_allocations": 4,
    }
    assert AuditEntry.objects.filter(verb="deployment.update", subject="shared").exists()
    assert '<dd class="font-monospace"> shared </dd>' in text(console.get(PAGE))


def test_one_that_is_not_running_is_not_changed(console: Client, uses: Endpoint) -> None:
    Deployment.objects.update(state=DeploymentState.FAILED, reason="no memory")

    page = text(console.get(PAGE))
    assert "Their number can be changed once it runs." in page
    assert "Change the precision" in page
    assert "it must be started" in text(console.post(PAGE, FIXED))
    assert wished() == (1, None)


def test_one_of_another_endpoint_is_changed_there(console: Client, uses: Endpoint) -> None:
    Endpoint.objects.create(
        inference_id="shared",
        task_type=uses.task_type,
        service="elasticsearch",
        service_settings={"num_allocations": 1, "num_threads": 1},
        deployment_id="shared",
    )

    page = text(console.get(PAGE))

    assert 'started for endpoint <a href="/console/endpoints/shared/deployment">' in page
    assert "Change their number" not in page
    assert "Update the endpoint instead" in text(console.post(PAGE, FIXED))
    assert wished() == (1, None)


def test_what_is_always_there_can_be_started_and_not_changed(console: Client) -> None:
    ensure_preconfigured()
    path = "/console/endpoints/.rerank-v1-elasticsearch"
    assert "Nothing runs for it now" in text(console.get(f"{path}/deployment"))

    console.post(f"{path}/start")

    page = text(console.get(f"{path}/deployment"))
    assert "0 of 1" in page
    assert "This endpoint is always there" in page
    assert "Change their number" not in page
    refused = text(console.post(f"{path}/deployment", FIXED))
    assert "Default endpoint [.rerank-v1-elasticsearch] cannot be updated" in refused


def test_one_that_rests_is_started_again(console: Client) -> None:
    make_endpoint(num_allocations=0, adaptive_allocations={"enabled": True})
    assert "Start now" in text(console.get(PAGE))

    answer = console.post("/console/endpoints/my-endpoint/start")

    assert answer["Location"] == PAGE
    assert wished()[0] == 1
    page = text(console.get(PAGE))
    assert "Start now" not in page
    assert LOOKS_AGAIN in page


def test_one_whose_deployment_is_gone_is_not_started(console: Client, runs: Endpoint) -> None:
    Deployment.objects.all().delete()

    console.post("/console/endpoints/my-endpoint/start")

    assert "is not running" in text(console.get(PAGE))
    assert not Deployment.objects.exists()


def test_a_model_of_a_provider_has_no_deployment(console: Client) -> None:
    settings = {"api_key": "k", "model_id": "text-embedding-3-small"}
    make_remote_endpoint("openai", TaskType.TEXT_EMBEDDING, settings)

    assert console.get(PAGE).status_code == 404
    assert console.post(PAGE, FIXED).status_code == 404
    assert console.post("/console/endpoints/my-endpoint/start").status_code == 404
    assert "Deployment" not in text(console.get("/console/endpoints/my-endpoint"))


def test_who_only_uses_it_sees_how_it_runs_and_changes_nothing(
    search: Team, other: Team, endpoint: Endpoint
) -> None:
    sharing.share(endpoint, other, ShareLevel.USE)
    guest = member(other, TeamRole.TEAM_ADMIN, "guest")

    for client in (member(search, TeamRole.INFERENCE_USER), guest):
        page = text(client.get(PAGE))
        assert "1 of 1" in page
        assert "Change their number" not in page
        assert client.post(PAGE, FIXED).status_code == 403
    assert wished() == (1, None)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The files of the model, in a place of this test."""
    settings.MODEL_DIR = tmp_path
    return write_tiny_model(artifact_folder(Artifact.objects.get()))


def tried(folder: Path, *trials: Trial) -> None:
    report = Report(TASK, report_key(folder), (FULL, *trials), Measure.VECTORS)
    write_report(folder, report)


def precision_of(page: str) -> str:
    """What the page says that it computes in."""
    return page.split('id="precision-now" role="status">')[1].split("</div>")[0]


def option(page: str, value: str) -> str:
    """What the page says of a precision that can be chosen."""
    return page.split(f'name="precision" value="{value}"')[1].split("</label>")[0]


def test_a_precision_is_changed_as_an_update_of_the_endpoint(
    console: Client, runs: Endpoint
) -> None:
    answer = console.post(PAGE, {"precision": "int8"})

    assert answer["Location"] == PAGE
    assert Deployment.objects.get().precision == "int8"
    runs.refresh_from_db()
    assert runs.service_settings["precision"] == "int8"
    assert AuditEntry.objects.filter(verb="endpoint.update", subject="my-endpoint").exists()


def test_a_precision_is_changed_as_an_update_of_the_deployment(
    console: Client, uses: Endpoint
) -> None:
    console.post(PAGE, {"precision": "int8"})

    assert Deployment.objects.get().precision == "int8"
    assert AuditEntry.objects.filter(verb="deployment.update", subject="shared").exists()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("double", "There is no precision [double]."),
        ("", "Choose a precision."),
        ("fp32", "This is what it is to compute in already."),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(
    console: Client, runs: Endpoint, sent: str, words: str
) -> None:
    assert words in text(console.post(PAGE, {"precision": sent}))
    assert Deployment.objects.get().precision == ""


def test_each_precision_says_what_it_means_and_what_was_measured(
    console: Client, runs: Endpoint, folder: Path
) -> None:
    Deployment.objects.update(stats={"precision": "fp32"})
    tried(folder, INT8, NO_BF16)

    page = text(console.get(PAGE))

    assert "in use" in option(page, "fp32")
    assert "times as fast for a short text" in option(page, "int8")
    assert f"cosine to full precision {INT8.lowest_cosine:.4f} or more" in option(page, "int8")
    assert "Here that is Bytes (int8)." in option(page, "auto")
    assert "disabled" in option(page, "bf16")
    assert "cannot" in option(page, "bf16")


def test_one_that_loses_too_much_cannot_be_chosen_and_says_why(
    console: Client, runs: Endpoint, folder: Path
) -> None:
    tried(folder, replace(INT8, lowest_cosine=0.8731))

    chosen = option(text(console.get(PAGE)), "int8")

    assert "disabled" in chosen
    assert "lowest cosine to fp32 is 0.8731" in chosen
    assert "loses too much" in text(console.post(PAGE, {"precision": "int8"}))
    assert Deployment.objects.get().precision == ""


def test_a_change_is_followed_until_it_has_come(
    console: Client, runs: Endpoint, folder: Path
) -> None:
    stats = {"current_allocations": 1, "precision": "fp32"}
    Deployment.objects.update(precision="int8", stats=stats)

    page = text(console.get(PAGE))
    assert "Bytes (int8) is wished, and compared with full precision" in precision_of(page)
    assert LOOKS_AGAIN in page

    tried(folder, INT8)
    page = text(console.get(PAGE))
    assert "Full (fp32)" in precision_of(page)
    assert "Bytes (int8) is being loaded." in precision_of(page)
    assert LOOKS_AGAIN in page

    Deployment.objects.update(stats=stats | {"precision": "int8"})
    page = text(console.get(PAGE))
    assert precision_of(page).strip() == "Bytes (int8)"
    assert LOOKS_AGAIN not in page


def test_what_stays_as_it_was_says_why(console: Client, runs: Endpoint, folder: Path) -> None:
    Deployment.objects.update(precision="int8", stats={"precision": "fp32"})
    tried(folder, replace(INT8, lowest_cosine=0.8731))

    said = precision_of(text(console.get(PAGE)))

    assert "Full (fp32)" in said
    assert "It stays like this. [int8] loses too much" in said


def test_a_fixed_precision_is_said_openly(console: Client) -> None:
    make_endpoint(precision="int8")

    page = text(console.get(PAGE))

    assert "Bytes (int8)" in precision_of(page)
    assert "create a second endpoint" in page
    assert 'href="/console/endpoints/_new?model_id=.all-minilm-l6-v2"' in page
