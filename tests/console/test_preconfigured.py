"""The endpoints that are always there, as the pages show them."""

import pytest
from django.test import Client

from endpoints.models import Deployment, Endpoint
from endpoints.preconfigured import ensure_preconfigured
from tests.console.conftest import text
from tests.factories import make_deployment, make_endpoint

E5 = ".multilingual-e5-small-elasticsearch"


@pytest.fixture(autouse=True)
def _always_there(db: None) -> None:
    ensure_preconfigured()


def test_with_them_alone_the_list_still_says_what_an_endpoint_is(console: Client) -> None:
    page = text(console.get("/console/endpoints"))

    assert "No endpoints of your own yet" in page
    assert E5 in page
    assert page.count("Starts on first use") == 3


def test_endpoints_that_somebody_made_come_first(console: Client) -> None:
    make_endpoint("zebra")

    page = text(console.get("/console/endpoints"))

    assert "No endpoints of your own yet" not in page
    assert page.index(">zebra<") < page.index(f">{E5}<")


def test_one_that_rests_can_be_tried_and_says_what_that_takes(console: Client) -> None:
    page = text(console.get(f"/console/endpoints/{E5}"))

    assert "the first call fetches the model if need be and starts it" in page
    assert "487.7 MB" in page
    assert "Try it" in page
    assert f'href="/console/endpoints/{E5}/delete"' not in page


def test_one_that_runs_can_be_stopped(console: Client) -> None:
    make_deployment(E5)
    assert "Stop" in text(console.get(f"/console/endpoints/{E5}"))

    page = text(console.get(f"/console/endpoints/{E5}/delete"))
    assert "This endpoint is always there" in page
    console.post(f"/console/endpoints/{E5}/delete")

    assert not Deployment.objects.exists()
    assert Endpoint.objects.filter(inference_id=E5).exists()
