from django.test import Client

from endpoints.models import Artifact, Deployment, Endpoint
from tests.console.conftest import text
from tests.factories import make_endpoint

DELETE = "/console/endpoints/my-endpoint/delete"


def test_the_question_says_what_stops_and_what_stays(console: Client) -> None:
    make_endpoint()

    page = text(console.get(DELETE))

    assert "Programs that call this id get an error from now on." in page
    assert "The model that runs for it stops" in page
    assert "stay, so creating it again is quick" in page
    assert 'href="/console/endpoints/my-endpoint" autofocus>Cancel</a>' in page
    assert Endpoint.objects.exists()


def test_a_post_deletes_and_says_so_on_the_list(console: Client) -> None:
    make_endpoint()

    answer = console.post(DELETE)

    assert answer["Location"] == "/console/"
    assert not Endpoint.objects.exists()
    assert not Deployment.objects.exists()
    assert Artifact.objects.exists()
    assert "my-endpoint is deleted." in text(console.get("/console/"))
    assert "is deleted" not in text(console.get("/console/"))
