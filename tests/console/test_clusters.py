"""The pages about connected clusters."""

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from endpoints import teams
from endpoints.models import Cluster, Endpoint, Heartbeat, ScanState, Team, TeamRole
from endpoints.scanning import scan_cluster
from tests.console.conftest import HTMX, Worker, text
from tests.elastic import API_KEY, Elastic, inferring, semantic
from tests.factories import make_cluster, make_endpoint, make_user

CLUSTERS, PROD = "/console/clusters", "/console/clusters/prod"


def test_without_clusters_the_page_says_what_they_are_for(console: Client) -> None:
    page = text(console.get(CLUSTERS))

    assert "No clusters yet" in page
    assert "Connect an Elasticsearch or OpenSearch" in page
    assert f'href="{CLUSTERS}/_new"' in page


def test_the_way_there_is_shown_to_those_who_may_go(console: Client, plain: Client) -> None:
    way = 'href="/console/references"'
    assert way in text(console.get("/console/"))
    assert way not in text(plain.get("/console/"))


def test_each_cluster_is_listed_with_its_state(console: Client, elastic: Elastic) -> None:
    elastic.indexes = {"docs": semantic("e1")}
    scan_cluster(make_cluster("seen", elastic.url).pk)
    make_cluster("unseen")

    page = text(console.get(CLUSTERS))

    for words in ("seen", "Scanned", "1 use", "just now", "Not scanned yet", "never", elastic.url):
        assert words in page


def test_a_cluster_is_connected_and_its_page_follows_the_first_scan(console: Client) -> None:
    sent = {"name": "prod", "url": "http://127.0.0.1:1", "api_key": API_KEY}

    answer = console.post(f"{CLUSTERS}/_new", sent)

    assert answer["Location"] == PROD
    cluster = Cluster.objects.get()
    assert cluster.connection.api_key
    assert cluster.connection.api_key.get_secret_value() == API_KEY
    page = text(console.get(PROD))
    assert "prod is connected." in page
    assert 'hx-trigger="every 2s"' in page
    assert "It has not been scanned yet" in page
    assert API_KEY not in page


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"url": "https://es"}, "Give the cluster a name."),
        ({"name": "prod"}, "Write the address of the cluster."),
        ({"name": "Prod!", "url": "https://es"}, "May hold lower-case letters"),
        ({"name": "prod", "url": "es"}, "Must begin with http:// or https://"),
        ({"name": "prod", "url": "https://es", "api_key": "a b"}, "Is none: write it without"),
        ({"name": "prod", "url": "https://es", "ca_certificate": "x"}, "Must be a certificate"),
        ({"name": "taken", "url": "https://es"}, "is connected already"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    console: Client, sent: dict[str, str], words: str
) -> None:
    make_cluster("taken")

    page = text(console.post(f"{CLUSTERS}/_new", sent))

    (told,) = re.findall(r'<p class="problem" id="\w+_error">([^<]*)</p>', page)
    assert words in html.unescape(told)
    assert Cluster.objects.count() == 1


def test_the_page_shows_what_was_found_with_the_way_to_the_endpoints(
    console: Client, elastic: Elastic
) -> None:
    make_endpoint("e1")
    elastic.indexes, elastic.pipelines = {"docs": semantic("e1")}, {"embed": inferring("e2")}
    scan_cluster(make_cluster(url=elastic.url).pk)

    page = text(console.get(PROD))

    assert 'href="/console/endpoints/e1">e1</a>' in page
    assert "Not here" in page
    assert "1 index, 1 pipeline" in page
    assert "every 2s" not in page


def test_what_was_found_comes_in_pages(console: Client, elastic: Elastic) -> None:
    elastic.indexes = {f"docs-{number:03}": semantic("e1") for number in range(60)}
    scan_cluster(make_cluster(url=elastic.url).pk)

    first, second = text(console.get(PROD)), text(console.get(f"{PROD}?page=2"))

    assert ("docs-049" in first, "docs-050" in first) == (True, False)
    assert ("docs-049" in second, "docs-050" in second) == (False, True)
    assert "60 in all" in first


def test_what_was_found_is_searched_and_what_is_not_here_marked(
    console: Client, elastic: Elastic
) -> None:
    make_endpoint("e1")
    elastic.indexes = {"shoes": semantic("e1"), "hats": semantic("e2"), "caps": semantic("e2")}
    scan_cluster(make_cluster(url=elastic.url).pk)

    def found(asked: str) -> list[str]:
        fragment = text(console.get(f"{PROD}?{asked}", headers=HTMX))
        return re.findall(r'rowheader" class="[^"]*font-monospace">(\w+)<', fragment)

    assert found("q=HOE") == ["shoes"]
    assert found("q=e2") == ["caps", "hats"]
    assert found("show=missing") == ["caps", "hats"]
    assert found("show=missing&q=cap") == ["caps"]
    assert found("q=nothing") == []
    assert "Nothing that was found is like that." in text(console.get(f"{PROD}?q=nothing"))
    assert "2 not here" in text(console.get(CLUSTERS))


def test_a_failure_says_why_and_what_follows(console: Client) -> None:
    make_cluster(scan_state=ScanState.FAILED, reason="<no> answer")

    page = text(console.get(PROD))

    assert "Cannot be scanned" in page
    assert "&lt;no&gt; answer" in page
    assert "whoever deletes an endpoint has to write its id" in page


def test_a_silent_worker_is_named_while_the_first_scan_waits(console: Client) -> None:
    make_cluster()

    assert "gives no sign of life" in text(console.get(PROD))

    Heartbeat.objects.create(part="worker", instance="w", seen_at=timezone.now())
    assert "gives no sign of life" not in text(console.get(PROD))


def test_htmx_gets_the_overview_alone(console: Client) -> None:
    make_cluster()

    fragment = text(console.get(PROD, headers=HTMX))

    assert "<html" not in fragment
    assert "Connection" in fragment


def test_a_scan_on_demand_is_awaited_on_the_page(
    console: Client, elastic: Elastic, worker: Worker
) -> None:
    make_cluster(url=elastic.url, scan_state=ScanState.SCANNED, scanned_at=timezone.now())
    assert "every 2s" not in text(console.get(PROD))

    for _ in range(2):  # the second finds that one is on its way
        assert console.post(f"{PROD}/scan")["Location"] == PROD
    page = text(console.get(PROD))
    assert len(worker.asked) == 1
    assert "State: scanned, being scanned now" in page
    assert 'hx-trigger="every 2s"' in page

    elastic.says = {"/_mapping": (500, b"")}
    worker.works()
    page = text(console.get(PROD))
    assert "Nobody knows now what it uses" in page
    assert "every 2s" not in page


def test_an_edit_shows_no_key_and_keeps_it(console: Client) -> None:
    before = make_cluster()

    page = text(console.get(f"{PROD}/edit"))
    assert 'value="http://127.0.0.1:1"' in page
    assert 'placeholder="Unchanged"' in page
    assert API_KEY not in page

    answer = console.post(f"{PROD}/edit", {"url": "http://127.0.0.1:1/es", "api_key": ""})

    assert answer["Location"] == PROD
    after = Cluster.objects.get()
    assert after.url == "http://127.0.0.1:1/es"
    assert after.encrypted_api_key == before.encrypted_api_key


def test_an_edit_of_the_address_asks_for_the_key(console: Client) -> None:
    make_cluster()

    page = text(console.post(f"{PROD}/edit", {"url": "http://127.0.0.1:2"}))

    assert "Must be given again when the address changes" in page
    assert Cluster.objects.get().url == "http://127.0.0.1:1"


def test_a_cluster_is_removed_after_a_question(console: Client) -> None:
    make_endpoint()
    make_cluster()

    assert "Nothing changes in the cluster itself." in text(console.get(f"{PROD}/remove"))
    assert Cluster.objects.exists()

    assert console.post(f"{PROD}/remove")["Location"] == CLUSTERS
    assert not Cluster.objects.exists()
    assert Endpoint.objects.exists()
    assert "prod is removed." in text(console.get(CLUSTERS))


@pytest.mark.parametrize("tail", ["", "/edit", "/remove"])
def test_a_cluster_that_is_not_connected_is_not_found(console: Client, tail: str) -> None:
    assert console.get(PROD + tail).status_code == 404


def test_a_scan_takes_no_get(console: Client) -> None:
    make_cluster()

    assert console.get(f"{PROD}/scan").status_code == 405


def browser_of(*owners: Team, role: TeamRole = TeamRole.INFERENCE_ADMIN) -> Client:
    """Of somebody who is in these teams."""
    user = make_user(f"of-{'-'.join(team.name for team in owners)}")
    for team in owners:
        teams.put_member(team, user, role)
    client = Client()
    client.force_login(user)
    return client


def test_a_cluster_belongs_to_the_only_team_of_who_connects_it(db: None) -> None:
    search = teams.create_team("search")
    browser = browser_of(search)
    assert 'name="team"' not in text(browser.get(f"{CLUSTERS}/_new"))

    browser.post(f"{CLUSTERS}/_new", {"name": "prod", "url": "http://127.0.0.1:1"})

    assert Cluster.objects.get().team == search
    assert "<dt>Team</dt> <dd> search </dd>" in text(browser.get(PROD))


def test_who_is_in_several_teams_chooses_whose_a_cluster_is(db: None) -> None:
    search, shop = teams.create_team("search"), teams.create_team("shop")
    teams.create_team("secret")
    browser = browser_of(search, shop)
    page = text(browser.get(f"{CLUSTERS}/_new"))
    sent = {"name": "prod", "url": "http://127.0.0.1:1"}

    refused = browser.post(f"{CLUSTERS}/_new", sent | {"team": "secret"})

    assert re.findall(r'<option value="([^"]+)"', page) == ["search", "shop"]
    assert refused.status_code == 200
    assert not Cluster.objects.exists()
    browser.post(f"{CLUSTERS}/_new", sent | {"team": "shop"})
    assert Cluster.objects.get().team == shop


def test_a_member_reads_of_a_cluster_what_others_do_not_even_find(db: None) -> None:
    search, shop = teams.create_team("search"), teams.create_team("shop")
    make_cluster("prod", team=search)
    reader = browser_of(search, role=TeamRole.INFERENCE_USER)

    page = text(reader.get(PROD))

    assert "Scan now" not in page
    assert f'href="{PROD}/edit"' not in page
    assert reader.post(f"{PROD}/scan").status_code == 403
    assert "prod" not in text(browser_of(shop).get(CLUSTERS))
