"""The palette and its page: whoever looks finds what they may see, and only that."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from endpoints.models import Endpoint, IngestPipeline, Team, TeamRole, TrainedModel
from tests.console.conftest import HTMX, member, text
from tests.factories import (
    make_added_model,
    make_cluster,
    make_endpoint,
    make_index,
    make_user,
)

FIND = "/console/find"


def test_sections_and_deeds_come_before_anything_is_typed(console: Client) -> None:
    page = text(console.get(FIND))

    for words in ("Overview", "Endpoints", "Keys", "Create endpoint", "Invite somebody"):
        assert words in page


def test_an_endpoint_is_found_by_a_part_of_its_id_service_or_model(console: Client) -> None:
    make_endpoint("books-search")

    for part in ("ks-sea", "elasticsearch", "minilm"):
        found = text(console.get(FIND, {"q": part}, headers=HTMX))
        assert 'href="/console/endpoints/books-search"' in found
        assert 'role="option"' in found
        assert "<html" not in found


def test_everything_else_is_found_by_name(console: Client, search: Team) -> None:
    make_cluster("prod-search")
    make_index("search-docs", "my-endpoint")
    IngestPipeline.objects.create(pipeline_id="embed-search", config={"processors": []})
    make_added_model("our-search")
    make_user("researcher")

    found = text(console.get(FIND, {"q": "search"}))

    for place in (
        "teams/search",
        "clusters/prod-search",
        "references/indices/search-docs",
        "references/pipelines/embed-search",
        "models/our-search",
        "people/researcher",
    ):
        assert f'href="/console/{place}"' in found


def test_a_model_of_the_catalogue_is_found_before_anything_uses_it(console: Client) -> None:
    found = text(console.get(FIND, {"q": "minilm-rerank"}))

    assert 'href="/console/models/.minilm-rerank-v1"' in found
    assert "Rerank" in found


def test_nothing_of_other_teams_is_found(endpoint: Endpoint, other: Team) -> None:
    stranger = member(other, TeamRole.INFERENCE_USER)
    make_user("stern")
    TrainedModel.objects.filter(pk=make_added_model("secret").pk).update(team=endpoint.team)

    found = text(stranger.get(FIND, {"q": "e"}))

    assert "/console/endpoints/my-endpoint" not in found
    assert "/console/teams/search" not in found
    assert "/console/teams/other" in found
    assert "/console/models/secret" not in found
    assert "/console/people/" not in found
    assert "Create endpoint" not in found


def test_what_is_called_nothing_is_said(console: Client) -> None:
    found = text(console.get(FIND, {"q": "<b>no\0thing"}, headers=HTMX))

    assert "Nothing is called “&lt;b&gt;nothing”." in found


def test_many_endpoints_are_asked_for_no_more_often_than_few(console: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            console.get(FIND, {"q": "found"}, headers=HTMX)
        return len(asked)

    make_endpoint("found-0")
    queries()  # what is asked only once
    few = queries()
    for number in range(1, 8):
        make_endpoint(f"found-{number}")

    assert queries() == few
