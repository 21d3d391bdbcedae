from django.test import Client

from endpoints.models import User
from tests.console.conftest import text
from tests.factories import PASSWORD

SIGN_IN = "/console/sign-in"


def test_the_right_password_opens_the_list(client: Client, admin: User) -> None:
    answer = client.post(SIGN_IN, {"login": "elastic", "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/console/")
    assert client.get("/console/").status_code == 200


def test_a_wrong_password_is_refused_in_words_and_the_name_stays(
    client: Client, admin: User
) -> None:
    page = text(client.post(SIGN_IN, {"login": "elastic", "password": "wrong"}))

    assert "That name and password do not go together." in page
    assert 'value="elastic"' in page
    assert "wrong" not in page


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client, admin: User) -> None:
    asked = client.get("/console/endpoints/my-endpoint?a=b")
    assert asked["Location"] == f"{SIGN_IN}?next=%2Fconsole%2Fendpoints%2Fmy-endpoint%3Fa%3Db"

    page = text(client.get(asked["Location"]))
    assert 'name="next" value="/console/endpoints/my-endpoint?a=b"' in page

    answer = client.post(
        SIGN_IN,
        {"login": "elastic", "password": PASSWORD, "next": "/console/endpoints/my-endpoint"},
    )
    assert answer["Location"] == "/console/endpoints/my-endpoint"


def test_signing_in_never_leads_to_another_site(client: Client, admin: User) -> None:
    answer = client.post(
        SIGN_IN, {"login": "elastic", "password": PASSWORD, "next": "https://example.org/"}
    )

    assert answer["Location"] == "/console/"


def test_whoever_is_signed_in_is_sent_on(console: Client) -> None:
    assert console.get(SIGN_IN)["Location"] == "/console/"


def test_signing_out_takes_a_post(console: Client) -> None:
    assert console.get("/console/sign-out").status_code == 405
    assert console.get("/console/").status_code == 200

    assert console.post("/console/sign-out")["Location"] == SIGN_IN
    assert console.get("/console/").status_code == 302


def test_a_form_without_its_token_is_refused_in_words(admin: User) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(SIGN_IN, {"login": "elastic", "password": PASSWORD})

    assert answer.status_code == 403
    assert "This form is out of date" in text(answer)
