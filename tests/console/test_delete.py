import pytest
from django.test import Client

from endpoints.models import Artifact, Deployment, Endpoint, ScanState
from endpoints.scanning import scan_cluster
from tests.console.conftest import text
from tests.elastic import Elastic, semantic
from tests.factories import make_cluster, make_endpoint, make_index

DELETE = "/console/endpoints/my-endpoint/delete"


def test_the_question_says_what_stops_and_what_stays(console: Client) -> None:
    make_endpoint()

    page = text(console.get(DELETE))

    assert "Programs that call this id get an error from now on." in page
    assert "The model that runs for it stops" in page
    assert "stay, so creating it again is quick" in page
    assert 'href="/console/endpoints/my-endpoint" autofocus>Cancel</a>' in page
    assert 'name="inference_id"' not in page
    assert Endpoint.objects.exists()


def test_a_post_deletes_and_says_so_on_the_list(console: Client) -> None:
    make_endpoint()

    answer = console.post(DELETE)

    assert answer["Location"] == "/console/endpoints"
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
    assert Artifact.objects.exists()
    assert "my-endpoint is deleted." in text(console.get("/console/endpoints"))
    assert "is deleted" not in text(console.get("/console/endpoints"))


@pytest.fixture
def used(db: None, elastic: Elastic) -> None:
    """An endpoint that an index here, and one of a cluster, name."""
    make_endpoint()
    make_index("docs", "my-endpoint")
    elastic.indexes = {"docs": semantic("my-endpoint")}
    scan_cluster(make_cluster(url=elastic.url).pk)


def test_what_uses_it_is_shown_with_when_it_was_seen(console: Client, used: None) -> None:
    page = text(console.get(DELETE))

    assert "It is used by" in page
    assert '<span class="font-monospace">docs</span>' in page
    assert '<span class="font-monospace">prod:docs</span>' in page
    assert "just now" in page
    assert 'name="inference_id"' in page


def test_a_cluster_that_cannot_be_judged_is_shown_with_the_reason(console: Client) -> None:
    make_endpoint()
    make_cluster(scan_state=ScanState.FAILED, reason="it refuses the key")

    page = text(console.get(DELETE))

    assert "It may be in use" in page
    assert '<a href="/console/clusters/prod">prod</a> uses it: it refuses the key' in page
    assert 'name="inference_id"' in page


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "It is used by"),
        ({"inference_id": ""}, "Write the id, or leave the endpoint as it is."),
        ({"inference_id": "My-Endpoint"}, "This is not its id. Nothing was deleted."),
    ],
)
def test_what_is_used_stays_without_its_id(
    console: Client, used: None, sent: dict[str, str], words: str
) -> None:
    answer = console.post(DELETE, sent)

    assert answer.status_code == 200
    assert words in text(answer)
    assert Endpoint.objects.exists()


def test_who_writes_the_id_deletes_it_all_the_same(console: Client, used: None) -> None:
    answer = console.post(DELETE, {"inference_id": "my-endpoint"})

    assert answer["Location"] == "/console/endpoints"
    assert not Endpoint.objects.exists()
