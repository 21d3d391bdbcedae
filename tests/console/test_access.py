"""Every page: who may open it, and what the others are told."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

from endpoints.models import Endpoint, Team, TeamRole, User
from endpoints.privileges import BUILTIN_ROLES
from tests.console.conftest import HTMX, browser_of, member, text
from tests.factories import make_admin, make_endpoint, make_user

PAGES = (
    ("GET", "/console/"),
    ("GET", "/console/endpoints"),
    ("GET", "/console/endpoints/_new"),
    ("GET", "/console/endpoints/_new/elasticsearch"),
    ("POST", "/console/endpoints/_new/elasticsearch"),
    ("GET", "/console/endpoints/_new/openai"),
    ("POST", "/console/endpoints/_new/openai"),
    ("POST", "/console/endpoints/_new/openai/form"),
    ("POST", "/console/endpoints/_new/openai/request"),
    ("POST", "/console/endpoints/_new/openai/try"),
    ("POST", "/console/endpoints/_new/openai/models"),
    ("POST", "/console/endpoints/_chunks"),
    ("GET", "/console/endpoints/my-endpoint"),
    ("GET", "/console/endpoints/my-endpoint/edit"),
    ("POST", "/console/endpoints/my-endpoint/edit"),
    ("POST", "/console/endpoints/my-endpoint/edit/changes"),
    ("POST", "/console/endpoints/my-endpoint/stream"),
    ("POST", "/console/endpoints/my-endpoint/try"),
    ("GET", "/console/endpoints/my-endpoint/besides"),
    ("POST", "/console/endpoints/my-endpoint/retry"),
    ("GET", "/console/endpoints/my-endpoint/delete"),
    ("POST", "/console/endpoints/my-endpoint/delete"),
    ("POST", "/console/endpoints/my-endpoint/delete/pipeline"),
    ("POST", "/console/endpoints/my-endpoint/delete/scan/prod"),
    ("GET", "/console/endpoints/_delete?id=my-endpoint"),
    ("POST", "/console/endpoints/_delete"),
    ("GET", "/console/endpoints/_deleted"),
    ("POST", "/console/endpoints/_deleted/restore"),
    ("POST", "/console/endpoints/_deleted/1/restore"),
    ("GET", "/console/endpoints/_deleted/1/forget"),
    ("POST", "/console/endpoints/_deleted/1/forget"),
    ("GET", "/console/endpoints/_outcomes/unknown"),
    ("GET", "/console/endpoints/my-endpoint/diagnose"),
    ("POST", "/console/endpoints/my-endpoint/diagnose"),
    ("GET", "/console/references"),
    *(
        (method, f"/console/references/{page}")
        for page in (
            "_new/index",
            "_new/pipeline",
            "indices/docs/edit",
            "indices/docs/delete",
            "pipelines/embed/edit",
            "pipelines/embed/simulate",
            "pipelines/embed/delete",
        )
        for method in ("GET", "POST")
    ),
    ("GET", "/console/references/indices/docs"),
    ("GET", "/console/references/pipelines"),
    ("GET", "/console/references/pipelines/embed"),
    ("GET", "/console/lab"),
    ("POST", "/console/lab/_document"),
    ("GET", "/console/lab/_save"),
    ("POST", "/console/lab/_save"),
    ("GET", "/console/lab/0123456789abcdef"),
    ("GET", "/console/lab/0123456789abcdef/progress"),
    ("GET", "/console/lab/0123456789abcdef/counted"),
    ("POST", "/console/lab/0123456789abcdef/embed"),
    ("POST", "/console/lab/0123456789abcdef/stop"),
    ("POST", "/console/lab/0123456789abcdef/go-on"),
    ("POST", "/console/lab/0123456789abcdef/search"),
    ("POST", "/console/lab/0123456789abcdef/delete"),
    ("GET", "/console/models"),
    ("GET", "/console/models/_add"),
    ("POST", "/console/models/_add"),
    ("GET", "/console/models/_uploads"),
    ("POST", "/console/models/_uploads"),
    ("GET", "/console/models/_uploads/mine"),
    ("PUT", "/console/models/_uploads/mine/0"),
    ("POST", "/console/models/_uploads/mine/finish"),
    ("GET", "/console/models/_uploads/mine/discard"),
    ("POST", "/console/models/_uploads/mine/discard"),
    ("GET", "/console/models/_deployments"),
    ("GET", "/console/models/_deployments/_scale"),
    ("POST", "/console/models/_deployments/_scale"),
    ("GET", "/console/models/_deployments/_stop"),
    ("POST", "/console/models/_deployments/_stop"),
    ("GET", "/console/models/.all-minilm-l6-v2"),
    ("POST", "/console/models/.all-minilm-l6-v2/download"),
    ("POST", "/console/models/.all-minilm-l6-v2/pause"),
    ("POST", "/console/models/.all-minilm-l6-v2/cancel"),
    ("GET", "/console/models/.all-minilm-l6-v2/delete"),
    ("POST", "/console/models/.all-minilm-l6-v2/delete"),
    ("GET", "/console/models/.all-minilm-l6-v2/start"),
    ("POST", "/console/models/.all-minilm-l6-v2/start"),
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
    ("GET", "/console/endpoints/my-endpoint/usage"),
    ("GET", "/console/endpoints/my-endpoint/settings"),
    ("GET", "/console/endpoints/my-endpoint/deployment"),
    ("POST", "/console/endpoints/my-endpoint/deployment"),
    ("POST", "/console/endpoints/my-endpoint/start"),
    ("GET", "/console/endpoints/my-endpoint/references"),
    ("GET", "/console/endpoints/my-endpoint/history"),
    ("GET", "/console/endpoints/my-endpoint/sharing"),
    ("GET", "/console/audit"),
    ("GET", "/console/audit/1"),
    ("GET", "/console/audit/export.csv"),
    ("GET", "/console/people/elastic/sessions"),
    ("POST", "/console/people/elastic/sessions"),
)

# Everybody's own: there only for who is signed in, whatever their rights.
OWN_PAGES = (
    ("GET", "/console/find"),
    *(
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
    ),
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


def told_to(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 403
    return text(answer)


def test_who_may_do_nothing_yet_is_told_whom_to_ask(admin: User, plain: Client) -> None:
    page = told_to(plain, "/console/")

    assert "It takes a role that can see endpoints, call them" in page
    assert "site administrator or inference administrator or inference user everywhere." in page
    assert "<strong>elastic</strong>" in page
    assert "the privilege <code>monitor_inference</code>" in page
    assert "To the overview" not in page
    assert 'href="/console/account">To your profile</a>' in page


def test_who_lacks_a_role_in_a_team_is_told_who_gives_it(
    admin: User, search: Team, boss: Client, endpoint: Endpoint
) -> None:
    reader = member(search, TeamRole.INFERENCE_USER)

    page = told_to(reader, "/console/endpoints/my-endpoint/delete")

    assert "manager in the team, or site administrator or inference administrator" in page
    assert "<strong>boss</strong>" in page
    assert "<strong>elastic</strong>" not in page
    assert "To the overview" in page


def test_of_another_team_nobody_is_named(search: Team, other: Team, boss: Client) -> None:
    make_admin()
    reader = member(other, TeamRole.INFERENCE_USER)

    page = told_to(reader, "/console/clusters/_new")

    assert "<strong>boss</strong>" not in page
    assert "<strong>elastic</strong>" in page


def test_what_is_the_sites_no_team_gives(boss: Client, admin: User) -> None:
    page = told_to(boss, "/console/teams/_new")

    assert "It takes a role that can create and delete teams: site administrator" in page
    assert "in the team" not in page
    assert "<strong>elastic</strong>" in page


def test_who_would_gain_by_it_is_told_so(db: None) -> None:
    make_admin()
    guard = make_user("guard")
    guard.roles = ["guard"]
    guard.save()

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BUILTIN_ROLES, "guard", {"cluster": ["manage_security"], "indices": []})
        page = told_to(browser_of(guard), "/console/people/elastic/reset")

    assert "The roles [superuser] allow more than [guard] may do." in page


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

    monkeypatch.setattr("endpoints.listing.status_of", fail)
    make_endpoint()
    console.raise_request_exception = False

    answer = console.get("/console/endpoints")

    assert answer.status_code == 500
    assert "Something went wrong on our side" in text(answer)
    assert "boom" not in text(answer)


def test_a_database_that_is_away_is_told_apart_from_a_fault(client: Client, admin: User) -> None:
    def is_away(*args: object) -> None:
        raise OperationalError("could not connect")

    client.cookies["console_session"] = "x" * 32
    client.raise_request_exception = False
    with connection.execute_wrapper(is_away):
        answer = client.get("/console/endpoints")

    assert answer.status_code == 503
    assert "The database does not answer" in text(answer)
    assert "could not connect" not in text(answer)
