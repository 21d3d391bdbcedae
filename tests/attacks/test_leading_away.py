"""Links, requests and headers that would lead somebody to another site, or past who they are."""

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from console.env import BadSetting, env_email
from endpoints import teams
from endpoints.models import Team, TeamRole, User
from tests.console.conftest import browser_of
from tests.endpoints.conftest import basic
from tests.factories import PASSWORD, make_user

ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "http:///evil.example",
    " //evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "https://testserver@evil.example",
    "https://testserver.evil.example",
    "nonsense",
    "sign-out",
]


def is_here(answer_location: str) -> bool:
    return answer_location.startswith("/") and answer_location[1:2] not in ("/", "\\", "\t")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_door_leads_to_another_site(admin: User, search: Team, target: str) -> None:
    browser, stranger = browser_of(admin), Client()
    teams.put_member(search, admin, TeamRole.TEAM_ADMIN)
    password = {"login": "elastic", "password": PASSWORD, "next": target}
    proof = {"password": PASSWORD, "next": target}

    answers = [
        browser.post("/console/teams/_switch", {"team": "search", "next": target}),
        browser.post("/console/account/confirm", proof),
        stranger.post("/console/sign-in", password),
    ]

    for answer in answers:
        assert answer.status_code == 302
        assert "evil" not in answer["Location"]
        assert is_here(answer["Location"]) or answer["Location"] in ("nonsense", "sign-out")


@pytest.mark.parametrize(
    "opened",
    ["https://evil.example/a", "http://testserver//evil.example/a", "javascript:alert(1)", "\\\\a"],
)
def test_a_fragment_says_nothing_about_where_to_go(admin: User, opened: str) -> None:
    """The page that htmx says is open is a path here, and is looked at again at the sign-in."""
    stranger = Client()
    led = stranger.get("/console/", headers={"HX-Request": "true", "HX-Current-URL": opened})
    assert is_here(led["HX-Redirect"])

    sign_in = led["HX-Redirect"]
    answer = stranger.post(sign_in, {"login": "elastic", "password": PASSWORD})

    assert is_here(answer["Location"])


def test_mails_need_to_know_what_the_server_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_EMAIL_URL", "smtp://mail.example.org")

    with pytest.raises(BadSetting, match="needs CONSOLE_URL"):
        env_email("CONSOLE_EMAIL_URL", knows_address=False)


def test_a_forwarded_host_changes_no_link(admin: User, settings: Settings) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    make_user("ann")

    page = browser_of(admin).post("/console/people/ann/reset", headers=headers)

    assert b"evil.example" not in page.content
    assert not mail.outbox


def test_a_session_opens_no_route_of_the_api(admin: User) -> None:
    browser = browser_of(admin)

    for path in ("/_inference", "/_security/_authenticate", "/_console/people"):
        assert browser.get(path).status_code == 401


def test_credentials_of_the_api_open_no_page(admin: User) -> None:
    stranger = Client(headers={"Authorization": basic("elastic", PASSWORD)})

    for path in ("/console/", "/console/people", "/console/audit/export.csv"):
        assert stranger.get(path)["Location"].startswith("/console/sign-in")


@pytest.mark.parametrize(
    "credential", ["9" * 5000, "[" * 100_000, '{"a":' * 50_000, "null", "{}"], ids=len
)
def test_what_cannot_be_read_is_no_passkey(admin: User, credential: str) -> None:
    sent = {"credential": credential, "name": "a"}

    for path in ("/console/sign-in/passkey", "/console/account/security/passkeys/_new"):
        browser = Client() if "sign-in" in path else browser_of(admin)
        assert browser.post(path, sent).status_code in (200, 302)


WAYS = {
    "a page": "/console/",
    "a page that is not there": "/console/nowhere",
    "a file": "/static/css/base.css",
    "a download": "/console/audit/export.csv",
    "the way to the pages": "/console",
    "the API": "/_inference",
    "its error": "/_inference/nothing",
    "its refusal": "/_security/_authenticate",
    "health": "/healthz",
}


@pytest.mark.parametrize("path", WAYS.values(), ids=WAYS)
def test_no_answer_is_guessed_at_or_kept(admin: User, path: str) -> None:
    api = {} if "_auth" in path else {"Authorization": basic("elastic", PASSWORD)}
    answer = browser_of(admin).get(path, headers=api if path.startswith("/_") else {})
    answer.close()

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"] or path.startswith("/static/")
    if path.startswith("/console/"):
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
