"""What the page of an endpoint tells of what uses it."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from endpoints.models import ClusterReference, Endpoint, Team, TeamRole
from tests.console.conftest import HTMX, member, text
from tests.factories import make_cluster, make_endpoint, make_index

PAGE = "/console/endpoints/my-endpoint"
USED_BY = f"{PAGE}/references"


def test_what_uses_it_is_named_with_where_and_when_it_was_seen(console: Client) -> None:
    make_endpoint()
    make_index("products", "my-endpoint")
    make_index("unrelated", "other")
    at = timezone.now() - timedelta(hours=3)
    ClusterReference.objects.create(
        cluster=make_cluster(), kind="pipeline", name="docs", inference_id="my-endpoint", seen_at=at
    )

    page = text(console.get(USED_BY))

    assert 'href="/console/references/indices/products">products</a></th> <td>Index</td>' in page
    assert '<span class="font-monospace">docs</span></th> <td>Pipeline</td>' in page
    assert "registered here" in page
    assert '<a href="/console/clusters/prod">prod</a> </td>' in page
    assert "3 hours ago" in page
    assert "unrelated" not in page
    assert 'Nobody knows whether cluster <a href="/console/clusters/prod">prod</a>' in page


def test_where_nothing_uses_it_the_page_says_what_was_looked_at(console: Client) -> None:
    make_endpoint()

    page = text(console.get(USED_BY))

    assert "Nothing is known to use it." in page
    assert 'href="/console/clusters"' in page
    assert 'type="search"' not in page


def test_a_long_list_is_searched_and_paged(console: Client) -> None:
    make_endpoint()
    for number in range(60):
        make_index(f"Products-{number:02}", "my-endpoint")

    first, second = text(console.get(USED_BY)), text(console.get(f"{USED_BY}?page=2"))
    found = text(console.get(f"{USED_BY}?q=PRODUCTS-5", headers=HTMX))
    none = text(console.get(f"{USED_BY}?q=<b>"))

    assert "Products-49" in first
    assert "Products-50" not in first
    assert "Products-59" in second
    assert "10 with “PRODUCTS-5”" in found
    assert "Products-49" not in found
    assert "Nothing that uses it has “&lt;b&gt;” in its name." in none
    assert "Products" not in none


def test_who_may_not_delete_it_is_not_told_what_uses_it(search: Team, endpoint: Endpoint) -> None:
    make_index("products", "my-endpoint")
    user = member(search, TeamRole.INFERENCE_USER)

    for path in (PAGE, f"{PAGE}/settings", f"{PAGE}/usage", f"{PAGE}/deployment"):
        page = text(user.get(path))
        assert f'href="{USED_BY}"' not in page
        assert "products" not in page
    assert user.get(USED_BY).status_code == 403
