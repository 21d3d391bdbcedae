import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from console.pages import precision
from endpoints.models import (
    ArtifactState,
    DeploymentState,
    Endpoint,
    Heartbeat,
    LatestUsage,
    UsageHour,
)
from inference.runner.precision.report import Measure, Report, Trial
from tests import trials
from tests.console.conftest import HTMX, FakeHosts, text, vectors
from tests.factories import make_added_model, make_artifact, make_endpoint
from tests.trials import NO_BF16

PAGE = "/console/endpoints/my-endpoint"
SETTINGS, DEPLOYMENT = f"{PAGE}/settings", f"{PAGE}/deployment"


def make_moving(artifact_state: str, **numbers: float | str) -> None:
    artifact = make_artifact(state=artifact_state, **numbers)
    make_endpoint(artifact=artifact, state=DeploymentState.WAITING)


def test_a_download_shows_every_number_there_is(console: Client) -> None:
    make_moving(
        ArtifactState.DOWNLOADING,
        bytes_done=34_200_000,
        bytes_total=91_335_235,
        bytes_per_s=5_140_000.0,
        source="package",
    )

    page = text(console.get(PAGE))

    assert "34.2 MB of 91.3 MB (37%)" in page
    for words in ("5.1 MB/s", "about 11 s", "a Python package", 'value="37"'):
        assert words in page
    assert 'aria-current="step"' in page


def test_a_download_without_a_total_shows_an_open_bar(console: Client) -> None:
    make_moving(ArtifactState.DOWNLOADING)

    page = text(console.get(PAGE))

    assert '<progress class="progress-bar-wide" max="100" aria-label="Downloaded">' in page
    assert "Time left" not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ArtifactState.QUEUED, "Waiting"),
        (ArtifactState.CONVERTING, "Converting"),
        (ArtifactState.READY, "Loading"),
    ],
)
def test_other_steps_are_named_and_followed_each_second(
    console: Client, state: str, words: str
) -> None:
    make_moving(state)

    page = text(console.get(PAGE))

    assert f"<strong>{words}.</strong>" in page
    assert 'hx-trigger="every 1s"' in page
    assert "Try it" not in page


def test_htmx_gets_the_page_without_its_surroundings(console: Client) -> None:
    make_moving(ArtifactState.QUEUED)

    fragment = text(console.get(PAGE, headers=HTMX))

    assert "<html" not in fragment
    assert "Getting ready" in fragment


def test_a_failure_shows_its_reason_and_a_way_out(console: Client) -> None:
    artifact = make_artifact(state=ArtifactState.FAILED, reason="hub: <no answer>")
    make_endpoint(artifact=artifact, state=DeploymentState.FAILED)

    page = text(console.get(PAGE))

    assert "hub: &lt;no answer&gt;" in page
    assert f'action="{PAGE}/retry"' in page
    assert "CONSOLE_MODEL_MIRROR" in page


def test_a_ready_endpoint_can_be_tried_and_is_not_asked_again(console: Client) -> None:
    make_endpoint()

    page = text(console.get(PAGE))

    assert "Try it" in page
    assert f'hx-post="{PAGE}/try"' in page
    assert "Reads the first 256 tokens" in page
    assert "every 1s" not in page


@pytest.mark.parametrize(
    ("model_id", "labels"),
    [
        (".all-minilm-l6-v2", ("Text", "Compare with")),
        (
            ".minilm-rerank-v1",
            ("Query", "Documents", "Top n", "Return texts", "Compare with"),
        ),
        (".minilm-sparse-v1", ("Text", "Compare with")),
    ],
)
def test_each_task_has_its_form_with_an_example(
    console: Client, model_id: str, labels: tuple[str, ...]
) -> None:
    make_endpoint(model_id=model_id)

    page = text(console.get(PAGE))

    found = re.findall(r'<label class="form-label" for="[^"]+"> ?([A-Z][a-z ]*[a-z])', page)
    assert tuple(dict.fromkeys(found)) == labels
    assert "password" in page or "bicycle" in page


def test_settings_are_listed_and_shown_as_the_api_shows_them(console: Client) -> None:
    endpoint = make_endpoint()

    page = console.get(SETTINGS).content.decode()

    for words in ("Allocations", "Threads", "384 dimensions, cosine", "Max chunk size: 250"):
        assert words in " ".join(page.split())
    shown = re.search(r'<code id="endpoint-json">(.*?)</code>', page, re.DOTALL)
    assert shown
    assert json.loads(html.unescape(shown.group(1))) == endpoint.to_response()


def test_code_uses_the_address_that_the_page_was_asked_at(console: Client) -> None:
    make_endpoint()

    page = text(console.get(PAGE, headers={"Host": "models.example.org:8443"}))

    assert "http://models.example.org:8443/_inference/text_embedding/my-endpoint" in page
    assert "Elasticsearch( &quot;http://models.example.org:8443&quot;" in page


def test_a_silent_runner_is_named(console: Client) -> None:
    make_endpoint()

    assert "gives no sign of life" in text(console.get(PAGE))

    Heartbeat.objects.create(part="runner", instance="r", seen_at=timezone.now())
    assert "gives no sign of life" not in text(console.get(PAGE))


def test_inputs_that_were_cut_are_summed_up_with_what_to_do(console: Client) -> None:
    endpoint, other = make_endpoint(), make_endpoint("other")
    first = datetime(2026, 11, 3, 9, tzinfo=UTC)
    for hour in range(3):
        at = first + timedelta(hours=hour)
        UsageHour.objects.create(endpoint=endpoint, hour=at, inputs=1200, truncated_inputs=4)
    UsageHour.objects.create(endpoint=other, hour=first - timedelta(days=9), truncated_inputs=7)

    page = text(console.get(PAGE))

    assert "Inputs cut to the model's window: 12 of 3,600" in page
    assert "3 November 2026" in page
    assert "send shorter texts" in page


def test_without_cut_inputs_there_is_nothing_to_say(console: Client) -> None:
    UsageHour.objects.create(endpoint=make_endpoint(), hour=timezone.now(), inputs=1200)

    assert "Inputs cut" not in text(console.get(PAGE))


@pytest.mark.parametrize(("errors", "is_told"), [(5, True), (4, False)])
def test_calls_that_fail_today_are_told_above_every_tab(
    console: Client, errors: int, is_told: bool
) -> None:
    today = timezone.now()
    for name, failed in (("my-endpoint", errors), ("other", 50)):
        LatestUsage.objects.create(
            endpoint=make_endpoint(name),
            day=today.astimezone(UTC).date(),
            requests=60,
            errors=failed,
            called_at=today,
        )

    for path in (PAGE, SETTINGS):
        page = text(console.get(path))
        assert (f'href="{PAGE}/usage">5 of 60 calls failed today.' in page) == is_told
        assert "50 of 60" not in page


def test_retry_starts_a_failed_endpoint_again(console: Client) -> None:
    make_endpoint(state=DeploymentState.FAILED, reason="out of memory")

    answer = console.post(f"{PAGE}/retry")

    assert answer["Location"] == PAGE
    assert "Loading" in text(console.get(PAGE))


def test_retry_of_an_endpoint_that_is_well_changes_nothing(console: Client) -> None:
    make_endpoint()

    console.post(f"{PAGE}/retry")

    assert "Try it" in text(console.get(PAGE))


def test_what_happened_stands_with_the_deployment_while_all_is_well(console: Client) -> None:
    deployment = make_endpoint().deployment
    assert deployment
    deployment.events.create(phase="recycling", reason="its memory grew")
    deployment.events.create(phase="serving", reason="in 0.4 s")

    page = text(console.get(DEPLOYMENT))

    before = text(console.get(PAGE))
    assert "What happened" not in before
    assert f'href="{PAGE}/history">Timeline' in before
    assert page.index("in 0.4 s") < page.index("its memory grew")


def test_of_a_long_past_the_newest_stands_with_the_deployment(console: Client) -> None:
    deployment = make_endpoint().deployment
    assert deployment
    for number in range(30):
        deployment.events.create(phase="recycling", reason=f"grew for the {number}th time")

    newest, whole = text(console.get(DEPLOYMENT)), text(console.get(f"{PAGE}/history"))

    assert "the 29th time" in newest
    assert "the 4th time" not in newest
    assert f'href="{PAGE}/history">All of it' in newest
    assert "the 4th time" in whole


def test_what_happened_is_above_every_tab_while_something_is_wrong(console: Client) -> None:
    deployment = make_endpoint(state=DeploymentState.FAILED, reason="no memory").deployment
    assert deployment
    deployment.events.create(phase="failed", reason="<no memory>")

    for path in (PAGE, SETTINGS, f"{PAGE}/usage"):
        page = text(console.get(path))
        assert page.index("What happened") < page.index('<nav class="tabs"')
        assert "&lt;no memory&gt;" in page


def test_a_deployment_without_a_past_shows_none(console: Client) -> None:
    make_endpoint()

    assert "Nothing yet: each step of its way" in text(console.get(DEPLOYMENT))


def test_what_the_model_takes_is_estimated_until_it_was_measured(console: Client) -> None:
    deployment = make_endpoint().deployment
    assert deployment
    assert "about 205.3 MB once warm, estimated" in text(console.get(SETTINGS))

    deployment.model.measures.create(
        precision="fp32", memory_bytes=183_000_000, tokens_per_s=4123.4, num_threads=1
    )
    page = text(console.get(SETTINGS))

    assert "about 183.0 MB once warm <" in page
    assert "about 4,123 tokens/s an allocation" in page


FULL = replace(trials.FULL, size_bytes=90_000_000)
INT8 = replace(trials.INT8, short_ms=1.6, size_bytes=58_000_000)


def report_says(
    monkeypatch: pytest.MonkeyPatch, *trials: Trial, measure: Measure = Measure.VECTORS
) -> None:
    task = "rerank" if measure == Measure.SCORES else "text_embedding"
    report = Report(task, {"processor": "AMD EPYC"}, trials, measure)
    monkeypatch.setattr(precision, "report_of", lambda model: report)


def test_a_precision_is_shown_with_what_was_measured(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint(precision="auto")
    report_says(monkeypatch, FULL, INT8, NO_BF16)

    page = text(console.get(DEPLOYMENT))

    for words in ("0.99920", "0.99950", "(2.5×)", "(2.1×)"):  # noqa: RUF001 - the sign for "times"
        assert words in page
    for words in ("8,400", "58.0 MB", "AMD EPYC"):
        assert words in page
    assert "Not on this machine: the optional extra [openvino] is not installed." in page
    assert page.count("in use") == 1
    assert page.rindex("Bytes (int8)") < page.index("in use") < page.rindex("Half (bf16)")


def test_a_precision_that_loses_too_much_says_so(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint(precision="auto")
    report_says(monkeypatch, FULL, replace(INT8, lowest_cosine=0.91))

    page = text(console.get(DEPLOYMENT))

    assert "Not used: its lowest cosine to fp32 is 0.9100 instead of at least 0.999." in page
    assert page.index("in use") < page.rindex("Bytes (int8)")


def test_the_page_says_what_was_compared(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_endpoint(precision="auto")
    report_says(monkeypatch, FULL, INT8)
    assert "Compared were the vectors of probe texts, by their cosines." in text(
        console.get(DEPLOYMENT)
    )

    trained = Trial(
        precision="int8", agreement=0.991, largest_difference=0.034, short_ms=2, tokens_per_s=8000
    )
    full = replace(trained, precision="fp32", agreement=1.0, largest_difference=0.0)
    report_says(monkeypatch, full, trained, measure=Measure.SCORES)
    page = text(console.get(DEPLOYMENT))

    for words in ("Compared were the scores of passages", "Same order", "0.991", "0.034"):
        assert words in page
    assert "Cosine" not in page


def test_who_asked_for_no_precision_is_shown_none(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint()
    report_says(monkeypatch, FULL, INT8)

    assert 'id="precision-title"' not in text(console.get(DEPLOYMENT))


def test_a_model_that_is_measured_says_so(console: Client) -> None:
    make_endpoint(precision="auto", state=DeploymentState.WAITING, reason="measuring: …")

    page = text(console.get(PAGE))

    assert "<strong>Measuring.</strong>" in page
    assert "compared with full precision on this machine" in page


def test_an_endpoint_of_an_added_model_shows_what_is_known_of_it(
    console: Client, hosts: FakeHosts
) -> None:
    model = make_added_model(description="A model that somebody added.", max_input_tokens=123)
    make_endpoint()
    settings = {"num_allocations": 1, "num_threads": 1, "model_id": model.model_id}
    Endpoint.objects.update(service_settings=settings)
    hosts.says = vectors([1.0, 0.0], [0.5, 0.5])

    page = text(console.get(PAGE))
    tried = text(console.post(f"{PAGE}/try", {"input": ["a port", "a harbour"]}))

    assert "123 tokens" in page
    for words in ("384 dimensions, cosine", "sentence-transformers/all-MiniLM-L6-v2"):
        assert words in text(console.get(SETTINGS))
    assert hosts.asked[0].texts == ("a port", "a harbour")
    assert "cosine" in tried
