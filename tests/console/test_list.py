import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from console.pages.listing import Asked
from endpoints import sharing
from endpoints.models import (
    ArtifactState,
    DeploymentState,
    Endpoint,
    Heartbeat,
    LatestUsage,
    ShareLevel,
    Team,
    TeamRole,
)
from inference.types import TaskType
from tests.console.conftest import HTMX, member, of_team, text
from tests.factories import make_artifact, make_endpoint, make_remote_endpoint

LIST = "/console/endpoints"
NONE = "\N{EN DASH}"
OPENAI = {"model_id": "gpt-4o", "api_key": "sk-planted"}


def use(endpoint: Endpoint, ago_h: float = 0, **figures: Any) -> None:
    """As if it had been called on the day of its last call."""
    called_at = timezone.now() - timedelta(hours=ago_h)
    LatestUsage.objects.create(
        endpoint=endpoint,
        day=called_at.date() if ago_h > 24 else timezone.now().date(),
        called_at=called_at,
        **figures,
    )


def figures(page: str, inference_id: str) -> list[str]:
    """The requests, errors and p95 in a row."""
    row = page.partition(f'data-copy="{inference_id}"')[2].partition("</tr>")[0]
    return re.findall(r'class="list-figure [^"]*">([^<]*)</td>', row)


def ids(client: Client, query: str = "") -> list[str]:
    """Those listed, in their order."""
    return re.findall(r'data-copy="([^"]+)"', text(client.get(f"{LIST}{query}")))


def choices(client: Client, name: str, query: str = "") -> dict[str, int]:
    """The values of a filter with how many endpoints each would show."""
    page = text(client.get(f"{LIST}{query}"))
    found = re.findall(
        rf'name="{name}" value="([^"]+)" form="finder".*?"facet-count">([^<]+)<', page
    )
    return {value: int(count) for value, count in found}


def test_without_endpoints_the_page_says_what_one_is(console: Client) -> None:
    page = text(console.get(LIST))

    assert "No endpoints of your own yet" in page
    assert "An endpoint is a name for a model that runs here or at a provider." in page
    assert page.count('href="/console/endpoints/_new"') == 2


def test_a_row_says_everything_in_words(console: Client) -> None:
    use(make_endpoint("search-en"), requests=1234, errors=5, p95_ms=48.4, ago_h=3)

    page = text(console.get(LIST))

    assert '<a href="/console/endpoints/search-en">search-en</a>' in page
    assert 'data-copy="search-en"' in page
    for words in ("Text embedding", "Elasticsearch", ".all-minilm-l6-v2", "3 hours ago"):
        assert words in page
    assert figures(page, "search-en") == ["1,234", "5", "48 ms"]
    assert "state-ready" in page
    assert "Ready" in page
    assert "1 endpoint · 1 model " in page


def test_what_was_asked_on_an_older_day_is_not_of_today(console: Client) -> None:
    use(make_endpoint("old"), requests=7, errors=1, p95_ms=9.0, ago_h=50)
    make_endpoint("new")

    page = text(console.get(LIST))

    assert figures(page, "old") == figures(page, "new") == ["0", "0", NONE]
    assert "2 days ago" in page
    assert '<span class="gist">never</span>' in page


@pytest.mark.parametrize("term", ["knowledge", "RERANK-V1", "elasticsearch"])
def test_the_search_box_looks_at_id_model_and_service(console: Client, term: str) -> None:
    make_endpoint("knowledge")
    make_endpoint("order", ".minilm-rerank-v1")

    page = text(console.get(LIST, {"q": term}))

    assert f'value="{term}"' in page
    assert ("endpoints/knowledge" in page) == (term != "RERANK-V1")
    assert ("endpoints/order" in page) == (term != "knowledge")


def test_a_search_without_a_hit_says_so(console: Client) -> None:
    make_endpoint()

    page = text(console.get(LIST, {"q": "<b>"}))

    assert "Nothing found for “&lt;b&gt;”" in page
    assert "No endpoints of your own yet" not in page


def test_htmx_gets_the_rows_alone(console: Client) -> None:
    make_endpoint()

    fragment = text(console.get(LIST, headers=HTMX))

    assert "my-endpoint" in fragment
    assert "<html" not in fragment
    assert '<input class="form-control"' not in fragment


def test_going_back_in_history_gets_the_whole_page(console: Client) -> None:
    headers = HTMX | {"HX-History-Restore-Request": "true"}

    assert "<html" in text(console.get(LIST, headers=headers))


def test_the_rows_are_asked_for_again_while_something_moves(console: Client) -> None:
    make_endpoint("done")
    make_endpoint("moving", state=DeploymentState.STARTING)

    page = text(console.get(LIST, {"q": "o"}))

    assert 'hx-trigger="every 2s"' in page
    assert 'hx-get="/console/endpoints?q=o"' in page


@pytest.mark.parametrize("state", [DeploymentState.STARTED, DeploymentState.FAILED])
def test_settled_rows_are_asked_for_seldom(console: Client, state: str) -> None:
    make_endpoint(state=state)

    page = text(console.get(LIST))

    assert "every 2s" not in page
    assert 'hx-trigger="every 30s"' in page


def test_long_lists_have_pages(console: Client) -> None:
    for number in range(51):
        make_endpoint(f"e{number:02}")

    first, second = (text(console.get(LIST, {"q": "e", "page": n})) for n in (1, 2))

    assert "51 endpoints" in first
    assert "endpoints/e49" in first
    assert "endpoints/e50" not in first
    assert "endpoints/e50" in second
    assert 'href="/console/endpoints?q=e&amp;page=2"' in first
    assert 'href="/console/endpoints?q=e"' in second


@pytest.mark.parametrize("count", [3, 30])
def test_more_rows_take_no_more_queries(
    console: Client, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    for number in range(count):
        make_endpoint(f"e{number}", state=DeploymentState.STARTING)
    console.get(LIST)

    # Session, user, teams, kinds, models, the order, rows, their shares, signs of life; sizes.
    for query, queries in (("", 9), ("?group=model&sort=-p95&status=starting", 10)):
        with django_assert_num_queries(queries):
            console.get(f"{LIST}{query}")


def test_a_silent_worker_is_named_while_something_waits_for_it(console: Client) -> None:
    make_endpoint(state=DeploymentState.WAITING, artifact=make_artifact(state=ArtifactState.QUEUED))

    assert "<strong>worker</strong> gives no sign of life" in text(console.get(LIST))

    Heartbeat.objects.create(part="worker", instance="w", seen_at=timezone.now())
    assert "no sign of life" not in text(console.get(LIST))


def test_a_silent_runner_is_named_while_endpoints_need_it(console: Client) -> None:
    make_endpoint()

    assert "<strong>runner</strong> gives no sign of life" in text(console.get(LIST))


@pytest.mark.parametrize(
    ("role", "is_offered"), [(TeamRole.INFERENCE_USER, False), (TeamRole.INFERENCE_ADMIN, True)]
)
def test_who_may_create_nothing_is_not_offered_to(
    search: Team, role: TeamRole, is_offered: bool
) -> None:
    page = text(member(search, role).get(LIST))

    assert ("Create endpoint" in page) == is_offered
    assert ("Those who manage your team create them." in page) != is_offered


@pytest.fixture
def kinds(db: None) -> None:
    """Four endpoints of three services, two tasks, two states and three models."""
    make_endpoint("a-local")
    make_endpoint("b-order", ".minilm-rerank-v1", state=DeploymentState.FAILED)
    make_remote_endpoint("openai", TaskType.COMPLETION, OPENAI, "c-gpt")
    settings = {"model": "mistral-embed", "api_key": "sk-planted"}
    make_remote_endpoint("mistral", TaskType.COMPLETION, settings, "d-mistral")


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?service=openai", ["c-gpt"]),
        ("?service=openai&service=mistral", ["c-gpt", "d-mistral"]),
        ("?service=openai&service=elasticsearch&task=rerank", ["b-order"]),
        ("?status=failed", ["b-order"]),
        ("?status=ready&q=mistral", ["d-mistral"]),
        ("?q=openai", ["c-gpt"]),
        ("?team=_everybody&task=completion", ["c-gpt", "d-mistral"]),
        ("?service=nothing", []),
        ("?status=nothing", []),
        ("?team=a%00b", []),
        ("?group=nothing&sort=nothing&size=7&page=x", ["a-local", "b-order", "c-gpt", "d-mistral"]),
    ],
)
def test_filters_let_pass_what_fits_all_of_them(
    console: Client, query: str, found: list[str]
) -> None:
    assert ids(console, query) == found


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("query", ["?service=openai", "?q=none-is-called-this"])
def test_the_filters_stay_where_they_are_whatever_is_found(console: Client, query: str) -> None:
    page = text(console.get(f"{LIST}{query}"))

    assert re.findall(r'id="choose-(\w+)"', page) == ["service", "task", "team", "status"]
    assert ("Nothing was found that could be chosen from." in page) == ("q=" in query)


@pytest.mark.usefixtures("kinds")
def test_each_filter_offers_what_occurs_and_counts_it_beside_the_others(console: Client) -> None:
    assert choices(console, "service") == {"elasticsearch": 2, "mistral": 1, "openai": 1}
    assert choices(console, "status") == {"failed": 1, "ready": 3}
    assert choices(console, "team") == {}  # of one there is nothing to choose

    # A filter does not narrow its own values, but all the others.
    narrowed = "?service=openai"
    assert choices(console, "service", narrowed) == choices(console, "service")
    assert choices(console, "task", "?service=elasticsearch") == {"rerank": 1, "text_embedding": 1}
    # What is chosen stays there to be taken back.
    assert choices(console, "service", "?service=openai&task=rerank") == {
        "elasticsearch": 1,
        "openai": 0,
    }


@pytest.mark.usefixtures("kinds")
def test_a_chosen_value_is_taken_back_by_itself_and_with_all(console: Client) -> None:
    query = "?q=e&service=openai&task=completion&sort=-model"
    page = text(console.get(f"{LIST}{query}"))

    assert 'href="/console/endpoints?q=e&amp;task=completion&amp;sort=-model"' in page
    assert 'href="/console/endpoints?q=e&amp;service=openai&amp;sort=-model"' in page
    assert 'href="/console/endpoints?q=e&amp;sort=-model"' in page
    assert 'aria-label="Remove Service: OpenAI"' in page


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("?sort=-id", "d-mistral"),
        ("?sort=service", "a-local"),
        ("?sort=-task", "a-local"),
        ("?sort=model", "a-local"),
        ("?sort=-model", "d-mistral"),
        ("?sort=status", "b-order"),
        ("?sort=used", "d-mistral"),
        ("?sort=-used", "a-local"),
        ("?sort=requests", "c-gpt"),
        ("?sort=-requests", "a-local"),
        ("?sort=errors", "d-mistral"),
        ("?sort=p95", "c-gpt"),
        ("?sort=-p95", "a-local"),
    ],
)
def test_rows_are_sorted_by_any_column(console: Client, query: str, first: str) -> None:
    known = {one.inference_id: one for one in Endpoint.objects.all()}
    use(known["b-order"], ago_h=30, requests=1000, errors=1000, p95_ms=1000.0)  # not today
    use(known["c-gpt"], ago_h=0.2, requests=9, errors=1, p95_ms=80.0)
    use(known["d-mistral"], ago_h=0.1, requests=8, errors=2, p95_ms=70.0)

    assert ids(console, query)[0] == first


@pytest.mark.usefixtures("kinds")
def test_a_head_says_how_it_is_sorted_and_turns_the_order_around(console: Client) -> None:
    page = text(console.get(f"{LIST}?sort=requests"))

    assert page.count("aria-sort=") == 1
    assert 'aria-sort="descending"' in page
    assert 'href="/console/endpoints?sort=-requests"' in page
    assert 'aria-sort="ascending"' in text(console.get(f"{LIST}?sort=-requests"))
    assert '<option value="requests" selected>Most requests today</option>' in page


@pytest.mark.usefixtures("kinds")
def test_groups_have_heads_with_the_size_of_the_whole_group(console: Client) -> None:
    page = text(console.get(f"{LIST}?group=service&sort=-id"))
    assert ids(console, "?group=service&sort=-id") == ["b-order", "a-local", "d-mistral", "c-gpt"]
    assert page.count('class="list-section"') == 3
    assert "2 endpoints </span>" in page

    by_model = text(console.get(f"{LIST}?group=model&q=openai"))
    assert re.search(r'<span class="font-monospace">gpt-4o</span>.*1 endpoint </span>', by_model)


def test_a_group_that_began_on_an_earlier_page_says_so(console: Client) -> None:
    for number in range(27):
        make_endpoint(f"e{number:02}")

    first, second = (
        text(console.get(f"{LIST}?group=service&size=25&page={number}")) for number in (1, 2)
    )

    assert "27 endpoints </span>" in first
    assert "27 endpoints, continued </span>" in second
    assert second.count('data-copy="') == 2


def test_the_address_of_a_fragment_is_the_shortest_that_leads_there(console: Client) -> None:
    make_endpoint()

    asked = {"q": "", "group": "", "sort": "id", "size": "50", "service": "elasticsearch"}
    answer = console.get(LIST, asked, headers=HTMX)

    assert answer["HX-Replace-Url"] == "/console/endpoints?service=elasticsearch"


@pytest.mark.parametrize(
    "query",
    ["", "q=a+b&service=x&service=y&team=_everybody&group=model&sort=-p95&size=100", "sort=-id"],
)
def test_an_address_says_all_that_it_was_read_from(query: str) -> None:
    assert Asked.by(QueryDict(query)).address() == LIST + ("?" if query else "") + query


def test_nothing_of_another_team_is_shown_or_counted(search: Team, other: Team) -> None:
    of_team(search, "ours")
    hidden, shared = of_team(other, "theirs"), of_team(other, "lent")
    Endpoint.objects.filter(pk=hidden.pk).update(service="cohere", task_type="rerank")
    sharing.share(shared, search, ShareLevel.USE)
    somebody = member(search, TeamRole.INFERENCE_ADMIN)

    page = text(somebody.get(f"{LIST}?group=service"))

    assert "theirs" not in page
    assert "2 endpoints · 1 model" in page
    assert "cohere" not in page.lower()
    assert choices(somebody, "team") == {"other": 1, "search": 1}
    assert choices(somebody, "service", "?service=cohere") == {"elasticsearch": 2, "cohere": 0}
    # Only what is theirs can be picked to be deleted, and changed.
    assert re.findall(r'name="id" value="([^"]+)"', page) == ["ours"]
    assert "/console/endpoints/lent/delete" not in page


@pytest.mark.parametrize(
    ("role", "deeds"),
    [
        (TeamRole.INFERENCE_USER, []),
        (TeamRole.INFERENCE_ADMIN, ["edit", "delete"]),
    ],
)
def test_a_row_offers_what_the_role_allows(search: Team, role: TeamRole, deeds: list[str]) -> None:
    made = make_remote_endpoint("openai", TaskType.COMPLETION, OPENAI, "gpt")
    Endpoint.objects.filter(pk=made.pk).update(team=search)

    page = text(member(search, role).get(LIST))

    assert [deed for deed in ("edit", "delete") if f"/endpoints/gpt/{deed}" in page] == deeds
    assert ("Delete selected" in page) == bool(deeds)
    assert 'popovertarget="deeds-' in page


def test_a_row_leads_to_a_copy_where_the_form_can_make_one(console: Client, search: Team) -> None:
    make_endpoint("handbook")
    Endpoint.objects.update(team=search)
    copy = "/console/endpoints/_new/elasticsearch?from=handbook"

    assert f'href="{copy}"' in text(console.get(LIST))
    assert 'name="inference_id" value="handbook-2"' in text(console.get(copy))
    assert copy not in text(member(search, TeamRole.INFERENCE_USER).get(LIST))
