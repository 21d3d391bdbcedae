"""One's own account: profile, password, address, sessions; and a password that was forgotten."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from console.sign_in.sessions import device
from endpoints import people, teams
from endpoints.keys import create_api_key
from endpoints.models import AuditEntry, Team, TeamRole, User
from tests.console.conftest import browser_of, text
from tests.console.proving import CODE, add_app, is_in, password
from tests.factories import PASSWORD, make_user

NEW = "another long passphrase"
ACCOUNT, FORGOT = "/console/account", "/console/password"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"


@pytest.fixture
def ann(db: None) -> User:
    return make_user("ann")


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[EmailMessage]]:
    """The mails of this test, once their threads have sent them."""
    threads = []
    start = Thread.start

    def noted(self: Any) -> None:
        threads.append(self)
        start(self)

    def sent() -> list[EmailMessage]:
        for thread in threads:
            thread.join()
        return mail.outbox

    monkeypatch.setattr(Thread, "start", noted)
    return sent


def link_in(message: EmailMessage) -> str:
    found = re.search(r"https?://\S+", str(message.body))
    assert found
    return found.group()


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def verbs() -> list[str]:
    return list(entries().values_list("verb", flat=True))


def entries() -> "QuerySet[AuditEntry]":
    """What was written down since somebody signed in."""
    return AuditEntry.objects.exclude(verb="session.start").order_by("number")


def test_the_profile_changes_the_full_name_and_nothing_else(ann: User) -> None:
    sent = {"full_name": "Ann Smith", "username": "eve", "is_superuser": "on", "roles": "[]"}
    before = User.objects.get(pk=ann.pk)

    assert browser_of(ann).post(ACCOUNT, sent).status_code == 302

    after = User.objects.get(pk=ann.pk)
    assert (after.get_full_name(), after.username) == ("Ann Smith", "ann")
    assert (after.is_superuser, after.roles) == (before.is_superuser, before.roles)
    entry = entries().get()
    assert (entry.verb, entry.before, entry.after) == (
        "person.update",
        {"full_name": ""},
        {"full_name": "Ann Smith"},
    )


def test_the_profile_tells_where_one_is_and_with_which_role(ann: User, search: Team) -> None:
    teams.put_member(search, ann, TeamRole.INFERENCE_ADMIN)
    people.set_roles("ann", ["inference_user"])
    create_api_key(ann, "web-shop", role_descriptors={}, team="search")

    page = text(browser_of(ann).get(ACCOUNT))

    assert 'href="/console/teams/search">search</a>' in page
    assert '<span class="gist">manager' in page
    assert '<span class="gist">inference user</span>' in page
    assert "web-shop" in page
    assert "in team search," in page
    assert 'href="/console/roles"' in page


def test_a_team_is_left_from_the_profile(ann: User, search: Team) -> None:
    teams.put_member(search, ann, TeamRole.INFERENCE_USER)
    console = browser_of(ann)
    leave = "/console/teams/search/members/ann/remove"
    assert f'href="{leave}"' in text(console.get(ACCOUNT))

    console.post(leave)

    page = text(console.get(ACCOUNT))
    assert leave not in page
    assert "You are in no team yet." in page
    assert "web-shop" not in page


def test_a_changed_password_ends_the_other_sessions(ann: User) -> None:
    here, there = browser_of(ann), browser_of(ann)
    sent = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}

    assert here.post(f"{ACCOUNT}/password", sent)["Location"] == f"{ACCOUNT}/security"

    assert (is_in(here), is_in(there)) == (True, False)
    assert password(Client(), "ann", NEW) == "/console/"
    assert verbs() == ["person.password.change"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"oldpassword": "wrong"}, "This is not your password"),
        ({"password2": "different from it"}, "You must type the same password each time."),
        ({"password1": "short", "password2": "short"}, "at least 8 characters"),
        ({"password1": "password", "password2": "password"}, "too common"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    ann: User, sent: dict[str, str], why: str
) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW} | sent

    answer = browser_of(ann).post(f"{ACCOUNT}/password", form)

    assert why in text(answer)
    assert password(Client(), "ann") == "/console/"


def test_whoever_has_no_password_here_is_not_given_one_by_themselves(ann: User) -> None:
    ann.set_unusable_password()
    ann.save()
    console = browser_of(ann)

    answer = console.get(f"{ACCOUNT}/password", follow=True)

    assert answer.status_code == 404
    assert "Change password" not in text(console.get(f"{ACCOUNT}/security"))


def test_an_address_holds_once_its_link_was_followed(
    ann: User, outbox: Callable[[], list[EmailMessage]]
) -> None:
    console = browser_of(ann)
    console.post(f"{ACCOUNT}/email", {"action_add": "1", "email": "ann@example.org"})
    assert "ann@example.org</strong> is not confirmed yet" in text(console.get(ACCOUNT))
    assert "do not go together" in password(Client(), "ann@example.org")

    path = path_of(link_in(outbox()[0]))
    assert "Is this your address?" in text(console.get(path))
    console.post(path)

    assert "ann@example.org</strong> is confirmed" in text(console.get(ACCOUNT))
    assert password(Client(), "ann@example.org") == "/console/"
    assert verbs() == ["person.update"]


def test_an_address_of_somebody_else_is_not_told_and_never_held(
    ann: User, outbox: Callable[[], list[EmailMessage]]
) -> None:
    bob = make_user("bob")
    EmailAddress.objects.create(user=bob, email="bob@example.org", verified=True)
    console = browser_of(ann)

    answer = console.post(
        f"{ACCOUNT}/email", {"action_add": "1", "email": "Bob@Example.org"}, follow=True
    )
    path = path_of(link_in(outbox()[0]))

    assert "bob</strong>" not in text(answer)
    assert "This link works no longer" in text(console.get(path))
    console.post(path)
    assert not EmailAddress.objects.filter(user=ann, verified=True).exists()
    Client().post(FORGOT, {"email": "bob@example.org"})
    assert "account bob" in str(outbox()[-1].body)
    assert len(outbox()) == 2


# A password that was forgotten.


@pytest.fixture
def reachable(ann: User) -> User:
    EmailAddress.objects.create(user=ann, email="ann@example.org", verified=True, primary=True)
    return ann


def test_a_mail_lets_who_forgot_their_password_choose_another(
    reachable: User, client: Client, outbox: Callable[[], list[EmailMessage]]
) -> None:
    signed_in = browser_of(reachable)
    client.post(FORGOT, {"email": "ann@example.org"})
    message = outbox()[0]
    path = path_of(link_in(message))
    assert message.to == ["ann@example.org"]
    assert "ann" in message.body

    form = client.get(path)["Location"]
    assert form.endswith("/set-password")
    sent = {"password1": NEW, "password2": NEW}
    assert client.post(form, sent)["Location"] == "/console/password/changed"

    assert not is_in(signed_in)
    assert not is_in(client)
    assert password(Client(), "ann", NEW) == "/console/"
    assert "This link works no longer" in text(Client().get(path))


def test_a_link_does_not_outlive_its_day(
    reachable: User,
    client: Client,
    outbox: Callable[[], list[EmailMessage]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.post(FORGOT, {"email": "ann@example.org"})
    path = path_of(link_in(outbox()[0]))
    tomorrow = timezone.make_naive(timezone.now() + timedelta(days=1, minutes=1))
    monkeypatch.setattr(
        "django.contrib.auth.tokens.PasswordResetTokenGenerator._now", lambda self: tomorrow
    )

    assert "This link works no longer" in text(client.get(path))


def test_an_unknown_address_is_answered_the_same_and_gets_nothing(
    reachable: User, client: Client, outbox: Callable[[], list[EmailMessage]]
) -> None:
    known = client.post(FORGOT, {"email": "ann@example.org"}, follow=True)
    unknown = client.post(FORGOT, {"email": "eve@example.org"}, follow=True)

    assert text(known) == text(unknown)
    assert [message.to for message in outbox()] == [["ann@example.org"]]


def test_a_second_factor_is_still_asked_for_after_a_reset(
    reachable: User, client: Client, outbox: Callable[[], list[EmailMessage]]
) -> None:
    add_app(reachable)
    client.post(FORGOT, {"email": "ann@example.org"})
    form = client.get(path_of(link_in(outbox()[0])))["Location"]
    client.post(form, {"password1": NEW, "password2": NEW})

    assert password(Client(), "ann", NEW) == CODE


def test_whose_password_is_another_services_gets_no_link(
    reachable: User, client: Client, outbox: Callable[[], list[EmailMessage]]
) -> None:
    reachable.set_unusable_password()
    reachable.save()
    client.post(FORGOT, {"email": "ann@example.org"})

    assert outbox() == []


@pytest.mark.parametrize(
    ("url", "origin"),
    [("https://console.example.org", "https://console.example.org"), ("", "http://testserver")],
)
def test_links_lead_to_where_the_settings_say(
    reachable: User,
    client: Client,
    outbox: Callable[[], list[EmailMessage]],
    settings: Settings,
    url: str,
    origin: str,
) -> None:
    settings.CONSOLE_URL = url
    host = "evil.example.org" if url else "testserver"
    client.post(FORGOT, {"email": "ann@example.org"}, headers={"host": host})

    message = outbox()[0]
    assert link_in(message).startswith(f"{origin}/console/password/")
    assert "evil" not in f"{message.body} {message.subject}"


def test_a_mail_server_that_is_down_is_nobodys_business(
    reachable: User,
    client: Client,
    outbox: Callable[[], list[EmailMessage]],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    assert client.post(FORGOT, {"email": "ann@example.org"}).status_code == 302

    outbox()
    assert "A mail could not be sent" in caplog.text


# Sessions.


def test_sessions_are_shown_with_this_one_marked(ann: User) -> None:
    here, there = browser_of(ann), browser_of(ann)
    there.get(ACCOUNT, headers={"user-agent": CHROME})

    page = text(here.get(f"{ACCOUNT}/sessions"))

    assert page.count("This browser") == 1
    assert "Chrome on Linux" in page
    assert page.index("This browser") < page.index("Chrome on Linux")
    assert "127.0.0.1" in page


def test_one_session_is_ended_or_all_others(ann: User) -> None:
    here, second, third = (browser_of(ann) for _ in range(3))
    for browser in (here, second, third):
        browser.get(ACCOUNT)
    key = UserSession.objects.get(session_key=second.session.session_key).pk

    here.post(f"{ACCOUNT}/sessions", {"session": key})
    assert [is_in(browser) for browser in (here, second, third)] == [True, False, True]

    here.post(f"{ACCOUNT}/sessions")
    assert [is_in(browser) for browser in (here, second, third)] == [True, False, False]
    assert verbs() == ["session.end", "session.end"]


def test_nobody_ends_the_sessions_of_others(ann: User) -> None:
    bob = browser_of(make_user("bob"))
    bob.get(ACCOUNT)
    key = UserSession.objects.get(session_key=bob.session.session_key).pk
    eve = browser_of(ann)

    eve.post(f"{ACCOUNT}/sessions", {"session": key})

    assert is_in(bob)
    assert eve.get("/console/people/bob/sessions").status_code == 403
    assert eve.post("/console/people/bob/sessions").status_code == 403
    assert is_in(bob)


def test_an_administrator_ends_those_of_anybody(ann: User, console: Client) -> None:
    theirs = browser_of(ann)
    theirs.get(ACCOUNT)
    assert "127.0.0.1" in text(console.get("/console/people/ann/sessions"))

    console.post("/console/people/ann/sessions")

    assert not is_in(theirs)
    assert entries().get().subject == "ann"
    assert console.get("/console/people/nobody/sessions").status_code == 404


def test_a_session_that_ended_by_itself_is_not_shown(ann: User) -> None:
    here, there = browser_of(ann), browser_of(ann)
    there.get(ACCOUNT)
    there.post("/console/sign-out")

    assert text(here.get(f"{ACCOUNT}/sessions")).count("This browser") == 1


def test_that_a_session_is_in_use_is_noted_every_few_minutes(ann: User) -> None:
    console = browser_of(ann)
    console.get(ACCOUNT)
    seen = UserSession.objects.get().last_seen_at

    with CaptureQueriesContext(connection) as queries:
        console.get(ACCOUNT)
    assert not [one for one in queries if not one["sql"].startswith("SELECT")]
    assert UserSession.objects.get().last_seen_at == seen

    session = console.session
    session["noted_at"] -= 301
    session.save()
    console.get(ACCOUNT)
    assert UserSession.objects.get().last_seen_at > seen


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome on Linux"),
        (f"{CHROME} Edg/156.0", "Edge on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iOS"),
        ("curl/8", "A browser"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert device(agent) == words


def test_with_security_off_nobody_has_an_account(settings: Settings, admin: User) -> None:
    settings.SECURITY = False
    client = Client()

    for page in ("", "/password", "/email", "/security", "/security/app", "/sessions", "/confirm"):
        assert client.get(f"{ACCOUNT}{page}").status_code == 404, page
    assert client.get("/console/people/elastic/sessions").status_code == 404
