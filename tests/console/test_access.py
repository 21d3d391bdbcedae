"""Every page: who may open it, and what the others are told."""

import pytest
from django.test import Client

from endpoints.models import Endpoint, User
from tests.console.conftest import HTMX, text
from tests.factories import make_endpoint

PAGES = (
    ("GET", "/console/"),
    ("GET", "/console/endpoints/_new"),
    ("POST", "/console/endpoints/_new"),
    ("GET", "/console/endpoints/_new/_providers"),
    ("GET", "/console/endpoints/_new/openai"),
    ("POST", "/console/endpoints/_new/openai"),
    ("POST", "/console/endpoints/_new/openai/request"),
    ("GET", "/console/endpoints/my-endpoint"),
    ("GET", "/console/endpoints/my-endpoint/edit"),
    ("POST", "/console/endpoints/my-endpoint/edit"),
    ("POST", "/console/endpoints/my-endpoint/stream"),
    ("POST", "/console/endpoints/my-endpoint/try"),
    ("POST", "/console/endpoints/my-endpoint/retry"),
    ("GET", "/console/endpoints/my-endpoint/delete"),
    ("POST", "/console/endpoints/my-endpoint/delete"),
    ("GET", "/console/endpoints/my-endpoint/diagnose"),
    ("POST", "/console/endpoints/my-endpoint/diagnose"),
    ("GET", "/console/clusters"),
    ("GET", "/console/clusters/_new"),
    ("POST", "/console/clusters/_new"),
    ("GET", "/console/clusters/prod"),
    ("GET", "/console/clusters/prod/edit"),
    ("POST", "/console/clusters/prod/edit"),
    ("POST", "/console/clusters/prod/scan"),
    ("GET", "/console/clusters/prod/remove"),
    ("POST", "/console/clusters/prod/remove"),
    ("GET", "/console/keys"),
    ("GET", "/console/keys/_new"),
    ("POST", "/console/keys/_new"),
    ("GET", "/console/keys/_accounts"),
    ("GET", "/console/keys/_accounts/_new"),
    ("POST", "/console/keys/_accounts/_new"),
    ("GET", "/console/keys/_accounts/search/robot"),
    ("POST", "/console/keys/_accounts/search/robot"),
    ("POST", "/console/keys/_accounts/search/robot/remove"),
    ("GET", "/console/keys/some-key"),
    ("GET", "/console/keys/some-key/rotate"),
    ("POST", "/console/keys/some-key/rotate"),
    ("GET", "/console/keys/some-key/revoke"),
    ("POST", "/console/keys/some-key/revoke"),
    ("POST", "/console/endpoints/my-endpoint/shares"),
    ("GET", "/console/endpoints/my-endpoint/shares/_everyone/remove"),
    ("POST", "/console/endpoints/my-endpoint/shares/_everyone/remove"),
    ("GET", "/console/endpoints/my-endpoint/move"),
    ("POST", "/console/endpoints/my-endpoint/move"),
    ("GET", "/console/teams"),
    ("GET", "/console/teams/_new"),
    ("POST", "/console/teams/_new"),
    ("GET", "/console/teams/search"),
    ("GET", "/console/teams/search/edit"),
    ("POST", "/console/teams/search/edit"),
    ("GET", "/console/teams/search/delete"),
    ("POST", "/console/teams/search/delete"),
    ("POST", "/console/teams/search/members"),
    ("GET", "/console/teams/search/members/elastic/remove"),
    ("POST", "/console/teams/search/members/elastic/remove"),
    ("POST", "/console/endpoints/my-endpoint/cache"),
    ("POST", "/console/endpoints/my-endpoint/cache/purge"),
    ("GET", "/console/endpoints/my-endpoint/history"),
    ("GET", "/console/audit"),
    ("GET", "/console/audit/1"),
    ("GET", "/console/audit/export.csv"),
    ("GET", "/console/people/elastic/sessions"),
    ("POST", "/console/people/elastic/sessions"),
)

# Everybody's own: there only for who is signed in, whatever their rights.
OWN_PAGES = tuple(
    ("GET", f"/console/account{page}")
    for page in (
        "",
        "/email",
        "/password",
        "/security",
        "/security/app",
        "/security/app/remove",
        "/security/codes",
        "/security/codes/new",
        "/security/passkeys/_new",
        "/security/passkeys/1",
        "/security/passkeys/1/remove",
        "/sessions",
        "/confirm",
        "/confirm/code",
        "/confirm/passkey",
        "/confirm/again",
    )
)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), [*PAGES, *OWN_PAGES])
def test_strangers_are_asked_to_sign_in(client: Client, method: str, path: str) -> None:
    make_endpoint()

    answer = client.generic(method, path)

    assert answer.status_code == 302
    assert answer["Location"].partition("?")[0] == "/console/sign-in"
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_people_without_rights_are_told_so(plain: Client, method: str, path: str) -> None:
    make_endpoint()

    answer = plain.generic(method, path)

    assert answer.status_code == 403
    assert "Your account may not do this" in text(answer)
    assert "Sign out" in text(answer)
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    "tail",
    ["", "/try", "/stream", "/edit", "/retry", "/delete", "/diagnose", "/cache", "/cache/purge"],
)
def test_an_endpoint_that_is_not_there_is_not_found(console: Client, tail: str) -> None:
    method = console.get if tail in ("", "/delete") else console.post

    answer = method(f"/console/endpoints/gone{tail}")

    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)


@pytest.mark.parametrize("tail", ["/try", "/stream", "/retry", "/cache", "/cache/purge"])
def test_what_changes_something_takes_no_get(console: Client, tail: str) -> None:
    make_endpoint()

    assert console.get(f"/console/endpoints/my-endpoint{tail}").status_code == 405


def test_unknown_pages_are_not_found(console: Client) -> None:
    answer = console.get("/console/nowhere")

    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)


def test_unknown_pages_ask_strangers_to_sign_in(client: Client) -> None:
    assert client.get("/console/nowhere")["Location"].startswith("/console/sign-in")


def test_a_fragment_of_what_is_gone_loads_the_whole_page(console: Client) -> None:
    answer = console.get("/console/endpoints/gone", headers=HTMX)

    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")


def test_a_fragment_for_a_stranger_leads_to_the_sign_in_page(client: Client) -> None:
    here = {"HX-Current-URL": "http://testserver/console/endpoints/my-endpoint"}

    answer = client.get("/console/endpoints/my-endpoint", headers=HTMX | here)

    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/console/sign-in?next=%2Fconsole%2Fendpoints%2Fmy-endpoint"


def test_pages_are_kept_by_nobody(console: Client) -> None:
    answer = console.get("/console/")

    assert "no-store" in answer["Cache-Control"]
    assert "HX-Request" in answer["Vary"]


def test_a_fault_is_told_in_the_same_style(
    console: Client, monkeypatch: pytest.MonkeyPatch, admin: User
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("console.pages.endpoints.status_of", fail)
    make_endpoint()
    console.raise_request_exception = False

    answer = console.get("/console/")

    assert answer.status_code == 500
    assert "Something went wrong on our side" in text(answer)
    assert "boom" not in text(answer)
