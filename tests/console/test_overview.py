"""The overview: what runs, what needs attention and why, what is used most, what comes next."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from endpoints.models import (
    ApiKey,
    ClusterReference,
    DeploymentState,
    Endpoint,
    Heartbeat,
    IngestPipeline,
    LatestUsage,
    Team,
    TeamRole,
    User,
)
from tests.console.conftest import HTMX, member, text
from tests.elastic import inferring
from tests.factories import make_cluster, make_endpoint, make_index, make_model

OVERVIEW = "/console/"


def called(endpoint: Endpoint, requests: int, errors: int = 0, days_ago: int = 0) -> None:
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    LatestUsage.objects.create(
        endpoint=endpoint,
        day=moment.date(),
        requests=requests,
        errors=errors,
        p95_ms=12.0,
        called_at=moment,
    )


def test_a_newcomer_is_led_to_the_first_vector(console: Client) -> None:
    page = text(console.get(OVERVIEW))
    assert "Your first vector, in three clicks" in page
    assert '<a class="btn btn-primary" href="/console/endpoints/_new/elasticsearch">' in page

    endpoint = make_endpoint()
    page = text(console.get(OVERVIEW))
    assert '<a class="btn btn-primary" href="/console/endpoints/my-endpoint">' in page

    called(endpoint, 1)
    page = text(console.get(OVERVIEW))
    assert '<a class="btn btn-primary" href="/console/keys/_new">' in page


def test_the_guide_goes_on_by_itself(console: Client) -> None:
    called(make_endpoint(), 1)

    now = text(console.get(OVERVIEW, headers=HTMX))

    assert '<a class="btn btn-primary" href="/console/keys/_new">' in now
    assert "<h1>" not in now


def test_the_guide_says_which_steps_the_three_clicks_are(console: Client) -> None:
    page = text(console.get(OVERVIEW))

    create, run, key = page.partition("in three clicks")[2].split('<p class="first-label">')[1:]
    assert "Two clicks:" in create
    assert "Get a first vector" in run
    assert "The third click:" in run
    assert "click" not in key.partition("</ol>")[0]


def test_who_may_create_nothing_is_promised_no_clicks(search: Team) -> None:
    page = text(member(search, TeamRole.INFERENCE_USER).get(OVERVIEW))

    assert "Let a program call it" in page
    assert "in three clicks" not in page


def test_who_has_done_it_all_is_not_led_any_more(console: Client, admin: User) -> None:
    called(make_endpoint(), 1)
    ApiKey.issue(admin, "mine", role_descriptors={}, limited_by={}, metadata={}, expires_at=None)

    assert "What is left" not in text(console.get(OVERVIEW))


def test_endpoints_are_counted_by_how_they_are(console: Client) -> None:
    called(make_endpoint("one"), 1200, errors=3)
    make_endpoint("two", state=DeploymentState.STARTING)
    make_endpoint("three", state=DeploymentState.FAILED)

    page = text(console.get(OVERVIEW))

    for label, count in (("Ready", "1"), ("On the way", "1"), ("Failed", "1")):
        assert f"<dt>{label}</dt>" in page
        assert f">{count}</a>" in page.partition(f"<dt>{label}</dt>")[2][:160]
    assert "1,200" in page


def test_a_failed_endpoint_is_told_with_its_reason_and_the_remedy(console: Client) -> None:
    make_endpoint("broken", state=DeploymentState.FAILED, reason="Out of <memory>.")

    page = text(console.get(OVERVIEW))

    assert '<a href="/console/endpoints/broken">broken</a>' in page
    assert "Out of &lt;memory&gt;." in page
    assert "The runner&#x27;s log says more." in page


def test_many_failed_ones_are_counted(console: Client) -> None:
    for number in range(7):
        make_endpoint(f"broken-{number}", state=DeploymentState.FAILED)

    assert "2 more that failed" in text(console.get(OVERVIEW))


def test_calls_that_fail_today_are_told_and_single_ones_are_not(console: Client) -> None:
    called(make_endpoint("shaky"), 40, errors=12)
    called(make_endpoint("solid"), 1000, errors=10)
    called(make_endpoint("fresh"), 4, errors=4)
    called(make_endpoint("healed"), 40, errors=40, days_ago=1)

    page = text(console.get(OVERVIEW))

    assert "12 of 40 calls failed today." in page
    assert page.count("calls failed today") == 1


def test_a_part_that_gives_no_sign_of_life_is_told(console: Client) -> None:
    make_endpoint()
    Heartbeat.objects.all().delete()

    page = text(console.get(OVERVIEW))

    assert "The runner gives no sign of life" in page
    assert "The worker gives no sign of life" in page


def test_what_is_registered_here_and_names_no_endpoint_leads_to_itself(console: Client) -> None:
    make_endpoint()
    make_index("docs", "my-endpoint")
    make_index("books", "gone")
    make_index("films", "gone")
    IngestPipeline.objects.create(pipeline_id="embed", config=inferring("gone-too"))
    IngestPipeline.objects.create(pipeline_id="model", config=inferring(make_model().model_id))

    page = text(console.get(OVERVIEW))

    missing = "?show=missing&amp;q="
    assert f'<a href="/console/references{missing}gone">gone</a>' in page
    assert "2 indices name it, and it is not there." in page
    assert f'<a href="/console/references/pipelines{missing}gone-too">gone-too</a>' in page
    assert page.count("and it is not there.") == 2


def test_clusters_in_doubt_and_what_they_miss_are_told(console: Client) -> None:
    cluster = make_cluster("prod", scan_state="failed", reason="nobody answered")
    ClusterReference.objects.create(
        cluster=cluster, kind="index", name="docs", inference_id="gone", seen_at=timezone.now()
    )

    page = text(console.get(OVERVIEW))

    assert "It cannot be said what it uses: nobody answered." in page
    assert "prod uses it in 1 place, and it is not there." in page
    assert '<a href="/console/clusters/prod?show=missing&amp;q=gone">gone</a>' in page


def test_keys_that_end_soon_are_told(console: Client, admin: User) -> None:
    for name, days in (("soon", 3), ("later", 30)):
        ends = timezone.now() + timedelta(days=days, hours=1)
        ApiKey.issue(admin, name, role_descriptors={}, limited_by={}, metadata={}, expires_at=ends)

    page = text(console.get(OVERVIEW))

    assert "The key ends in 3 days" in page
    assert "later" not in page.partition('id="attention"')[2].partition("most-used")[0]


def test_what_was_called_most_today_comes_first(console: Client) -> None:
    called(make_endpoint("quiet"), 3)
    called(make_endpoint("busy"), 300)
    called(make_endpoint("resting"), 900, days_ago=1)

    used = text(console.get(OVERVIEW)).partition('id="most-used"')[2]

    assert used.index("busy") < used.index("quiet")
    assert "resting" not in used


def test_what_runs_on_this_machine_is_told_with_what_it_takes(console: Client) -> None:
    make_endpoint("large", num_allocations=4)
    make_endpoint("resting", num_allocations=0)
    make_endpoint("starting", state=DeploymentState.STARTING)
    for number in range(5):
        make_endpoint(f"small-{number}")

    page = text(console.get(OVERVIEW))

    running = page.partition('id="running"')[2].partition("</section>")[0]
    assert running.index("large") < running.index("small-0")
    assert re.findall(r'class="number">\s*([^<]*?)\s*<', running.partition("large")[2])[:2] == [
        "4",
        "287.5 MB",
    ]
    assert "2 more." not in running
    assert "1 more." in running
    assert "resting" not in running
    assert "starting" not in running


def test_nothing_of_other_teams_is_told_or_counted(endpoint: Endpoint, other: Team) -> None:
    called(endpoint, 700, errors=600)
    cluster = make_cluster("prod", scan_state="failed", reason="nobody answered")
    stranger = member(other, TeamRole.INFERENCE_USER)

    page = text(stranger.get(OVERVIEW))

    assert "my-endpoint" not in page
    assert "No model runs here now." in page
    assert "700" not in page
    assert str(cluster) not in page


@pytest.mark.parametrize("many", [30])
def test_many_endpoints_are_asked_for_no_more_often_than_few(console: Client, many: int) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            console.get(OVERVIEW)
        return len(asked)

    called(make_endpoint("one", state=DeploymentState.FAILED), 9, errors=9)
    called(make_endpoint("two"), 9, errors=9)
    queries()  # what is asked only once
    few = queries()
    for number in range(many):
        state = DeploymentState.FAILED if number % 2 else DeploymentState.STARTED
        called(make_endpoint(f"endpoint-{number}", state=state), 9, errors=9)

    # How many there are beside those that are told: of what failed, and of what runs.
    assert queries() <= few + 2
