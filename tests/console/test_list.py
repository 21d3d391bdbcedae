from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from endpoints.models import ArtifactState, DeploymentState, Endpoint, Heartbeat, Team, TeamRole
from tests.console.conftest import HTMX, member, text
from tests.factories import make_artifact, make_endpoint


def test_without_endpoints_the_page_says_what_one_is(console: Client) -> None:
    page = text(console.get("/console/endpoints"))

    assert "No endpoints of your own yet" in page
    assert "An endpoint is a name for a model that runs here or at a provider." in page
    assert page.count('href="/console/endpoints/_new"') == 2


def test_a_row_says_everything_in_words(console: Client) -> None:
    make_endpoint("search-en")
    Endpoint.objects.update(created_at=timezone.now() - timedelta(hours=3, minutes=10))

    page = text(console.get("/console/endpoints"))

    assert '<a href="/console/endpoints/search-en">search-en</a>' in page
    assert 'data-copy="search-en"' in page
    for words in ("Text embedding", "text → vector", "elasticsearch", ".all-minilm-l6-v2"):
        assert words in page
    assert "state-ready" in page
    assert "Ready" in page
    assert "3 hours ago" in page
    assert "1 endpoint</p>" in page.replace(" </p>", "</p>")


@pytest.mark.parametrize("term", ["knowledge", "RERANK-V1", "elasticsearch"])
def test_the_search_box_looks_at_id_model_and_service(console: Client, term: str) -> None:
    make_endpoint("knowledge")
    make_endpoint("order", ".minilm-rerank-v1")

    page = text(console.get("/console/endpoints", {"q": term}))

    assert f'value="{term}"' in page
    assert ("endpoints/knowledge" in page) == (term != "RERANK-V1")
    assert ("endpoints/order" in page) == (term != "knowledge")


def test_a_search_without_a_hit_says_so(console: Client) -> None:
    make_endpoint()

    page = text(console.get("/console/endpoints", {"q": "<b>"}))

    assert "Nothing found for “&lt;b&gt;”" in page
    assert "No endpoints of your own yet" not in page


def test_htmx_gets_the_rows_alone(console: Client) -> None:
    make_endpoint()

    fragment = text(console.get("/console/endpoints", headers=HTMX))

    assert "my-endpoint" in fragment
    assert "<html" not in fragment
    assert '<input class="form-control"' not in fragment


def test_going_back_in_history_gets_the_whole_page(console: Client) -> None:
    headers = HTMX | {"HX-History-Restore-Request": "true"}

    assert "<html" in text(console.get("/console/endpoints", headers=headers))


def test_the_rows_are_asked_for_again_while_something_moves(console: Client) -> None:
    make_endpoint("done")
    make_endpoint("moving", state=DeploymentState.STARTING)

    page = text(console.get("/console/endpoints", {"q": "o"}))

    assert 'hx-trigger="every 2s"' in page
    assert 'hx-get="/console/endpoints?q=o"' in page


@pytest.mark.parametrize("state", [DeploymentState.STARTED, DeploymentState.FAILED])
def test_settled_rows_are_left_alone(console: Client, state: str) -> None:
    make_endpoint(state=state)

    assert "every 2s" not in text(console.get("/console/endpoints"))


def test_long_lists_have_pages(console: Client) -> None:
    for number in range(51):
        make_endpoint(f"e{number:02}")

    first, second = (text(console.get("/console/endpoints", {"q": "e", "page": n})) for n in (1, 2))

    assert "51 endpoints" in first
    assert "endpoints/e49" in first
    assert "endpoints/e50" not in first
    assert "endpoints/e50" in second
    assert 'href="?q=e&amp;page=2"' in first


@pytest.mark.parametrize("count", [3, 30])
def test_more_rows_take_no_more_queries(
    console: Client, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    for number in range(count):
        make_endpoint(f"e{number}", state=DeploymentState.STARTING)
    console.get("/console/endpoints")

    with django_assert_num_queries(6):  # session, user, teams, count, rows, signs of life
        console.get("/console/endpoints")


def test_a_silent_worker_is_named_while_something_waits_for_it(console: Client) -> None:
    make_endpoint(state=DeploymentState.WAITING, artifact=make_artifact(state=ArtifactState.QUEUED))

    assert "<strong>worker</strong> gives no sign of life" in text(
        console.get("/console/endpoints")
    )

    Heartbeat.objects.create(part="worker", instance="w", seen_at=timezone.now())
    assert "no sign of life" not in text(console.get("/console/endpoints"))


def test_a_silent_runner_is_named_while_endpoints_need_it(console: Client) -> None:
    make_endpoint()

    assert "<strong>runner</strong> gives no sign of life" in text(
        console.get("/console/endpoints")
    )


@pytest.mark.parametrize(
    ("role", "is_offered"), [(TeamRole.INFERENCE_USER, False), (TeamRole.INFERENCE_ADMIN, True)]
)
def test_who_may_create_nothing_is_not_offered_to(
    search: Team, role: TeamRole, is_offered: bool
) -> None:
    page = text(member(search, role).get("/console/endpoints"))

    assert ("Create endpoint" in page) == is_offered
    assert ("Those who manage your team create them." in page) != is_offered
