"""The palette and its page: whoever looks finds what they may see, and only that."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from endpoints.accounts import create_account
from endpoints.keys import create_api_key
from endpoints.models import Endpoint, IngestPipeline, Team, TeamRole, TrainedModel, User
from inference.types import TaskType
from tests.console.conftest import HTMX, member, text
from tests.factories import (
    make_added_model,
    make_cluster,
    make_endpoint,
    make_index,
    make_remote_endpoint,
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


@pytest.mark.parametrize("typo", ["boks-search", "boosk-search", "bookssearch", "bokos", "serach"])
def test_a_mistyped_name_finds_what_was_meant(console: Client, typo: str) -> None:
    make_endpoint("books-search")
    make_endpoint("films")

    found = text(console.get(FIND, {"q": typo}, headers=HTMX))

    assert f"Nothing is called “{typo}”. Did you mean:" in found
    assert "endpoints/books-search" in found
    assert "endpoints/films" not in found


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("adit", "audit"),
        ("deplyoments", "models/_deployments"),
        ("log", "audit"),
        ("new endpoint", "endpoints/_new"),
        ("passkeys", "account/security"),
    ],
)
def test_a_section_is_found_mistyped_or_by_another_word(
    console: Client, written: str, place: str
) -> None:
    found = text(console.get(FIND, {"q": written}, headers=HTMX))

    assert f'href="/console/{place}"' in found


def test_a_deed_and_an_id_lead_to_doing_it(console: Client) -> None:
    make_endpoint("books")
    make_endpoint("films")

    found = text(console.get(FIND, {"q": "delete boo"}))

    assert 'href="/console/endpoints/books/delete"' in found
    assert "films" not in found
    assert 'href="/console/endpoints/books/usage"' in text(
        console.get(FIND, {"q": "usage of books"})
    )


def test_nobody_is_led_to_a_deed_that_they_may_not_do(endpoint: Endpoint, search: Team) -> None:
    caller = member(search, TeamRole.INFERENCE_USER)

    assert "/console/endpoints/my-endpoint/delete" not in text(
        caller.get(FIND, {"q": "delete my-endpoint"})
    )
    assert "Try my-endpoint" in text(caller.get(FIND, {"q": "try my-endpoint"}))


def test_what_was_open_lately_comes_first_as_long_as_it_is_there(
    console: Client, endpoint: Endpoint, other: Team
) -> None:
    make_index("search docs", "my-endpoint")
    opened = (
        "/console/references/indices/search%20docs/edit /console/endpoints/my-endpoint/usage "
        "/console/endpoints/gone /console/models/.minilm-rerank-v1 /console/endpoints /x%00y"
    )

    def recent(client: Client) -> list[str]:
        kinds = client.get(FIND, {"recent": opened}, headers=HTMX).context["kinds"]
        return [one.label for one in kinds[0].found] if kinds[0].label == "Recent" else []

    assert recent(console) == ["search docs", "my-endpoint", ".minilm-rerank-v1"]
    assert recent(member(other, TeamRole.INFERENCE_USER)) == [".minilm-rerank-v1"]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("create openai", "endpoints/_new/openai"),
        ("cohere new", "endpoints/_new/cohere"),
        ("books edit", "endpoints/books/edit"),
        ("settings books", "endpoints/books/settings"),
        ("deployment of books", "endpoints/books/deployment"),
        ("delete index search-docs", "references/indices/search-docs/delete"),
        ("simulate embed", "references/pipelines/embed/simulate"),
        ("edit cluster prod", "clusters/prod/edit"),
        ("text embedding", "endpoints/books"),
        ("robots", "keys/_accounts"),
        ("sessions", "account/sessions"),
    ],
)
def test_what_one_wants_to_do_is_found_with_what(console: Client, written: str, place: str) -> None:
    make_endpoint("books")
    make_cluster("prod")
    make_index("search-docs", "books")
    IngestPipeline.objects.create(pipeline_id="embed", config={"processors": []})

    assert f'href="/console/{place}"' in text(console.get(FIND, {"q": written}))


def test_with_what_belongs_to_the_site_only_those_who_may_are_led_to_do_anything(
    search: Team,
) -> None:
    make_index("search-docs", "books")
    make_cluster("prod", team=search)
    caller = member(search, TeamRole.INFERENCE_USER)

    for written in ("delete index search-docs", "edit cluster prod", "create openai"):
        assert "/console/" not in text(caller.get(FIND, {"q": written}, headers=HTMX))


def test_a_deployment_is_looked_for_only_of_what_runs_here(console: Client) -> None:
    settings = {"api_key": "sk-1", "model_id": "rerank-v3.5"}
    make_remote_endpoint("cohere", TaskType.RERANK, settings, "hosted")

    found = text(console.get(FIND, {"q": "deployment hosted"}, headers=HTMX))

    assert "endpoints/hosted/deployment" not in found


def test_what_is_called_so_comes_before_what_only_has_it_in_its_name(console: Client) -> None:
    for number in range(9):
        make_index(f"a{number}-books", "my-endpoint")
    make_index("books", "my-endpoint")
    make_endpoint("a-books")
    make_endpoint("books")

    endpoints, indices, *_ = console.get(FIND, {"q": "books"}).context["kinds"]

    assert [one.label for one in endpoints.found] == ["books", "a-books"]
    assert [one.label for one in indices.found][:2] == ["books", "a0-books"]


def test_keys_and_service_accounts_are_found_by_those_who_see_them(
    console: Client, admin: User, search: Team, other: Team
) -> None:
    key, _ = create_api_key(admin, "website")
    create_account(admin, "crawler", "inference_user", team=search.name)

    found = text(console.get(FIND, {"q": "website"}))
    assert f'href="/console/keys/{key.key_id}"' in found
    assert 'href="/console/keys/_accounts/search/crawler"' in text(
        console.get(FIND, {"q": "crawler"})
    )
    stranger = member(other, TeamRole.TEAM_ADMIN)
    assert "/console/keys/" not in text(stranger.get(FIND, {"q": "website"}))
    assert "/console/keys/" not in text(stranger.get(FIND, {"q": "crawler"}))


def test_what_a_page_does_at_once_is_offered_where_its_script_can_press_it(
    console: Client,
) -> None:
    assert 'data-presses="[data-theme-toggle]"' in text(
        console.get(FIND, {"q": "dark"}, headers=HTMX)
    )
    assert "data-presses" not in text(console.get(FIND, {"q": "dark"}))
    assert 'data-presses="#sign-out button"' in text(
        console.get(FIND, {"q": "sign out"}, headers=HTMX)
    )


def test_a_deed_alone_is_for_the_endpoint_that_is_open_or_for_those_called_last(
    console: Client,
) -> None:
    make_endpoint("books")
    make_endpoint("films")

    def found(word: str, here: str) -> str:
        return text(console.get(FIND, {"q": word, "here": f"/console/{here}"}, headers=HTMX))

    on_its_page = found("edit", "endpoints/books/usage")
    assert 'href="/console/endpoints/books/edit"' in on_its_page
    assert "films" not in on_its_page
    assert 'href="/console/endpoints/films/edit"' in found("edit", "keys")
    assert "/delete" not in found("de", "endpoints/books")
