"""With security off the pages need no sign-in, and say so."""

import pytest
from django.test import Client
from pytest_django import Settings

from console.installation import open_access_warning
from endpoints.models import Endpoint, User
from tests.console.conftest import text
from tests.factories import make_endpoint

BANNER = "Security is off: everybody who reaches this address can change everything."


@pytest.fixture
def open_client(settings: Settings, admin: User) -> Client:
    settings.SECURITY = False
    return Client()


def test_every_page_says_that_everybody_may_change_everything(open_client: Client) -> None:
    make_endpoint()

    for path in ("/console/", "/console/endpoints/_new", "/console/endpoints/my-endpoint"):
        page = text(open_client.get(path))
        assert BANNER in page
        assert "Sign out" not in page


def test_a_stranger_can_delete_an_endpoint(open_client: Client) -> None:
    make_endpoint()

    answer = open_client.post("/console/endpoints/my-endpoint/delete")

    assert answer.status_code == 302
    assert not Endpoint.objects.exists()


def test_a_form_still_needs_its_token(open_client: Client) -> None:
    make_endpoint()
    strict = Client(enforce_csrf_checks=True)

    assert strict.post("/console/endpoints/my-endpoint/delete").status_code == 403
    assert Endpoint.objects.exists()


def test_there_is_nothing_to_sign_in_to(open_client: Client) -> None:
    assert open_client.get("/console/sign-in")["Location"] == "/console/"


def test_with_security_on_no_page_says_so(console: Client) -> None:
    assert BANNER not in text(console.get("/console/"))


@pytest.mark.parametrize(
    ("host", "who"),
    [
        ("127.0.0.1", "every program on this machine"),
        ("::1", "every program on this machine"),
        ("localhost", "every program on this machine"),
        ("0.0.0.0", "EVERYBODY WHO REACHES THIS MACHINE on 0.0.0.0"),  # noqa: S104 - the point
        ("inference.example.org", "EVERYBODY WHO REACHES THIS MACHINE"),
    ],
)
def test_the_start_warns_of_who_may_come_in(settings: Settings, host: str, who: str) -> None:
    settings.SECURITY, settings.HOST = False, host
    assert who in open_access_warning()


def test_the_start_warns_of_nothing_with_security_on(settings: Settings) -> None:
    settings.HOST = "0.0.0.0"  # noqa: S104 - the point
    assert open_access_warning() == ""
