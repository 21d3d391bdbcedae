"""What one-time links lead to, for people who are not signed in."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from endpoints import invitations, leaving, password_resets, people, teams
from endpoints.invitations import Wish
from endpoints.links import send_invitation
from endpoints.models import Invitation, Membership, PasswordReset, User
from tests.console.conftest import text
from tests.factories import PASSWORD, make_user

JOIN, NEW_PASSWORD = "/console/join", "/console/new-password"
CHOSEN = {"username": "bob", "password": "a-long-one-4-bob", "again": "a-long-one-4-bob"}


@pytest.fixture
def token(admin: User) -> str:
    """Of an invitation to the team [search] and to call everything."""
    teams.create_team("search")
    wish = Wish("robert", "", "search", "inference_user", ("inference_user",))
    return invitations.invite(admin, wish)[1]


@pytest.fixture
def reset_token(admin: User) -> str:
    make_user("bob")
    people.set_roles("bob", ["inference_user"])
    return password_resets.offer_reset(admin, User.objects.get(username="bob"))[1]


def opened(client: Client, token: str, path: str = JOIN) -> str:
    """The page that a link leads to."""
    assert client.get(f"{path}/{token}")["Location"] == path
    return text(client.get(path))


def test_from_a_link_to_the_console(client: Client, token: str) -> None:
    page = opened(client, token)
    assert "elastic invites you to the team search" in page
    assert 'value="robert"' in page
    before = client.session.session_key

    answer = client.post(JOIN, CHOSEN)

    assert answer["Location"] == "/console/"
    assert "Welcome, bob." in text(client.get("/console/"))
    assert client.session.session_key != before
    assert Membership.objects.get().user.username == "bob"


def test_the_token_is_in_no_address_no_session_and_no_referrer(client: Client, token: str) -> None:
    answer = client.get(f"{JOIN}/{token}")

    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert token not in text(client.get(JOIN))
    assert token not in str([one.get_decoded() for one in Session.objects.all()])


def test_a_link_that_was_used_says_so_in_plain_words(client: Client, token: str) -> None:
    opened(client, token)
    late = Client()
    opened(late, token)
    client.post(JOIN, CHOSEN)

    for answer in (
        late.get(JOIN),
        late.post(JOIN, CHOSEN | {"username": "eve"}),
        Client().get(f"{JOIN}/{token}"),
    ):
        assert answer.status_code == 410
        assert "It was used already, and works only once." in text(answer)
        assert answer["Referrer-Policy"] == "no-referrer"
    assert not User.objects.filter(username="eve").exists()


def expire() -> None:
    Invitation.objects.update(expires_at=timezone.now())


def withdraw() -> None:
    invitations.withdraw(Invitation.objects.get())


def renew() -> None:
    invitations.renew(User.objects.get(username="elastic"), Invitation.objects.get())


@pytest.mark.parametrize(
    ("happens", "words"),
    [(expire, "It is too old."), (withdraw, "It was withdrawn."), (renew, "It is not complete")],
)
def test_what_happened_meanwhile_holds_for_who_has_opened_it(
    client: Client, token: str, happens: Callable[[], None], words: str
) -> None:
    opened(client, token)
    happens()

    answer = client.post(JOIN, CHOSEN)

    assert answer.status_code == 410
    assert words in text(answer)
    assert client.get(JOIN).status_code == 410


@pytest.mark.parametrize("guess", ["x", "0" * 64, "%00", "%ff", "a" * 5000])
def test_a_guess_leaves_nothing_behind(client: Client, db: None, guess: str) -> None:
    for path in (JOIN, NEW_PASSWORD):
        answer = client.get(f"{path}/{guess}")
        assert answer.status_code == 410
        assert client.get(path).status_code == 410
        assert client.post(path, CHOSEN).status_code == 410
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"username": ""}, "Choose a name."),
        ({"username": "elastic"}, "There is a user [elastic] already."),
        ({"username": "ELASTIC"}, "looks too much like one that is."),
        ({"username": "a b"}, "Is no valid username"),
        ({"password": "", "again": ""}, "Write a password."),
        ({"password": "short", "again": "short"}, "This password is too short."),
        ({"password": "password123", "again": "password123"}, "This password is too common."),
        ({"username": "robertson", "password": "robertson1"}, "too similar to the username"),
        ({"again": "another one"}, "The two passwords differ."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    client: Client, token: str, sent: dict[str, str], words: str
) -> None:
    opened(client, token)

    page = text(client.post(JOIN, CHOSEN | sent))

    assert words in page
    assert "a-long-one-4-bob" not in page
    assert User.objects.count() == 1
    assert client.post(JOIN, CHOSEN)["Location"] == "/console/"


def test_nothing_else_of_an_account_can_be_sent_along(client: Client, token: str) -> None:
    opened(client, token)

    client.post(JOIN, CHOSEN | {"is_superuser": "on", "roles": "superuser", "team": "other"})

    assert User.objects.get(username="bob").role_names == ["inference_user"]


def test_who_is_signed_in_accepts_with_that_account(token: str) -> None:
    ann = make_user("ann")
    client = Client()
    client.force_login(ann)
    assert "Accept as ann" in opened(client, token)

    assert client.post(JOIN, CHOSEN)["Location"] == "/console/"

    ann.refresh_from_db()
    assert ann.role_names == ["inference_user"]
    assert not User.objects.filter(username="bob").exists()
    assert client.get(JOIN).status_code == 410


def test_a_link_is_kept_over_a_sign_in(client: Client, token: str) -> None:
    make_user("ann")
    assert f'href="/console/sign-in?next={JOIN}"' in opened(client, token)

    assert client.login(username="ann", password=PASSWORD)

    assert "Accept as ann" in text(client.get(JOIN))


def test_forms_without_their_token_are_refused(token: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get(f"{JOIN}/{token}")

    assert client.post(JOIN, CHOSEN).status_code == 403


def test_a_new_password_is_set_and_then_asked_for(client: Client, reset_token: str) -> None:
    assert "A new password for" in opened(client, reset_token, NEW_PASSWORD)

    answer = client.post(NEW_PASSWORD, CHOSEN)

    assert answer["Location"] == "/console/sign-in"
    assert "Your password is changed." in text(client.get("/console/sign-in"))
    assert client.get("/console/").status_code == 302
    assert client.login(username="bob", password=CHOSEN["password"])
    assert Client().get(f"{NEW_PASSWORD}/{reset_token}").status_code == 410


def test_a_new_password_must_be_good_and_not_like_the_name(
    client: Client, reset_token: str
) -> None:
    opened(client, reset_token, NEW_PASSWORD)

    assert "The two passwords differ." in text(
        client.post(NEW_PASSWORD, CHOSEN | {"again": "other"})
    )
    assert "too short" in text(client.post(NEW_PASSWORD, {"password": "bob", "again": "bob"}))
    assert User.objects.get(username="bob").check_password(PASSWORD)
    assert PasswordReset.objects.get().is_open


def test_a_new_password_needs_an_account_that_is_active(client: Client, reset_token: str) -> None:
    opened(client, reset_token, NEW_PASSWORD)
    leaving.deactivate(User.objects.get(username="elastic"), User.objects.get(username="bob"))

    assert client.post(NEW_PASSWORD, CHOSEN).status_code == 410


def test_one_link_is_not_good_for_the_other_thing(
    client: Client, token: str, reset_token: str
) -> None:
    assert client.get(f"{NEW_PASSWORD}/{token}").status_code == 410
    assert client.get(f"{JOIN}/{reset_token}").status_code == 410


# Joining is signing in.


def test_who_joined_has_proved_who_they_are(client: Client, token: str) -> None:
    opened(client, token)
    client.post(JOIN, CHOSEN)

    page = text(client.get("/console/account/sessions"))

    assert "This browser" in page
    assert client.get("/console/account/email").status_code == 200


def test_who_must_have_a_second_factor_sets_it_up_first(
    client: Client, token: str, settings: Settings
) -> None:
    settings.SECOND_FACTOR_OF = "everyone"
    opened(client, token)

    client.post(JOIN, CHOSEN)

    assert client.get("/console/")["Location"] == "/console/account/security"


@pytest.fixture
def to_bob(admin: User) -> str:
    """The link of an invitation for an address."""
    wish = Wish(email="Bob@example.org", roles=("inference_user",))
    return invitations.invite(admin, wish)[1]


def mail_it(token: str) -> None:
    assert send_invitation(Invitation.objects.get(), f"https://console.example.org/{token}") == ""


def test_a_link_that_was_mailed_confirms_the_address(client: Client, to_bob: str) -> None:
    mail_it(to_bob)
    opened(client, to_bob)

    client.post(JOIN, CHOSEN)

    assert "is confirmed" in text(client.get("/console/account"))
    assert is_let_in("bob@example.org")


def test_a_link_that_was_passed_on_confirms_no_address(client: Client, to_bob: str) -> None:
    opened(client, to_bob)

    client.post(JOIN, CHOSEN)

    assert User.objects.get(username="bob").email == "Bob@example.org"
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert not is_let_in("bob@example.org")


def test_nor_does_one_that_was_made_anew_to_be_passed_on(
    client: Client, admin: User, to_bob: str
) -> None:
    mail_it(to_bob)
    opened(client, invitations.renew(admin, Invitation.objects.get()))

    client.post(JOIN, CHOSEN)

    assert not EmailAddress.objects.exists()


def test_an_address_that_another_confirmed_stays_theirs(client: Client, to_bob: str) -> None:
    ann = make_user("ann")
    EmailAddress.objects.create(user=ann, email="bob@example.org", verified=True, primary=True)
    mail_it(to_bob)
    opened(client, to_bob)

    assert client.post(JOIN, CHOSEN)["Location"] == "/console/"

    assert EmailAddress.objects.get().user == ann


def is_let_in(login: str) -> bool:
    sent = {"login": login, "password": CHOSEN["password"]}
    return Client().post("/console/sign-in", sent).status_code == 302


def test_where_a_service_alone_counts_nobody_chooses_a_password(
    client: Client, token: str, settings: Settings
) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://sso.example.org", "Acme SSO"
    assert "Sign in with Acme SSO" in opened(client, token)
    settings.OIDC_ONLY = True

    page = text(client.get(JOIN))

    assert 'type="password"' not in page
    assert 'href="/console/sign-in/service?next=/console/join"' in page
    assert client.post(JOIN, CHOSEN).status_code == 200
    assert not User.objects.filter(username="bob").exists()
    assert Invitation.objects.get().is_open


def test_nor_does_anybody_make_a_link_to_a_new_one(
    console: Client, settings: Settings, reset_token: str
) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://sso.example.org", "Acme SSO"
    settings.OIDC_ONLY = True

    page = text(console.post("/console/people/bob/reset", follow=True))

    assert "People sign in with Acme SSO: no password counts here" in page
    assert PasswordReset.objects.count() == 1
