"""Signing in with a name and a password, and out."""

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import hashers
from django.test import Client
from pytest_django import Settings

from endpoints.models import User
from tests.console.conftest import text
from tests.console.proving import SIGN_IN, is_in, password
from tests.factories import PASSWORD, make_user


def test_the_right_password_opens_the_list(client: Client, admin: User) -> None:
    assert password(client, "elastic") == "/console/"
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

    there = "/console/endpoints/my-endpoint"
    assert password(client, "elastic", next=there) == there


@pytest.mark.parametrize(
    "place", ["https://example.org/", "//example.org/", "/\\example.org", "javascript:alert(1)"]
)
@pytest.mark.parametrize("trusted", [(), ("https://example.org",)])
def test_signing_in_never_leads_to_another_site(
    client: Client, admin: User, settings: Settings, place: str, trusted: tuple[str, ...]
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = trusted

    assert password(client, "elastic", next=place) == "/console/"


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


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many passwords were hashed since the last time, which is what takes the time."""
    hasher = type(hashers.get_hasher())
    original, count = hasher.encode, 0

    def counting(self: hashers.BasePasswordHasher, password: str, salt: str) -> str:
        nonlocal count
        count += 1
        return str(original(self, password, salt))

    def since() -> int:
        nonlocal count
        seen, count = count, 0
        return seen

    monkeypatch.setattr(hasher, "encode", counting)
    return since


def test_nobody_can_tell_an_unknown_name_from_a_wrong_password(
    client: Client, hashed: Callable[[], int], db: None
) -> None:
    ann = make_user("ann")
    EmailAddress.objects.create(user=ann, email="ann@example.org", verified=True)
    gone = make_user("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    hashed()
    pages = set()

    for name in ("ann", "ann@example.org", "gone", "nobody", "nobody@example.org"):
        page = password(client, name, "wrong")
        pages.add(re.sub(r'value="\w{64}"', "", page.replace(f'"{name}"', "")))
        assert hashed() == 1, name
    assert len(pages) == 1


def test_the_name_in_any_case_or_a_confirmed_address_will_do(db: None) -> None:
    ann = make_user("Ann")
    EmailAddress.objects.create(user=ann, email="ann@example.org", verified=True)
    EmailAddress.objects.create(user=ann, email="new@example.org", verified=False)

    found = {
        name: password(Client(), name) == "/console/"
        for name in ("Ann", "ANN", " ann ", "Ann@Example.org", "new@example.org", "an\0n")
    }

    assert found == {
        "Ann": True,
        "ANN": True,
        " ann ": True,
        "Ann@Example.org": True,
        "new@example.org": False,
        "an\0n": False,
    }


def test_of_two_names_that_differ_by_their_case_each_is_its_own(db: None) -> None:
    make_user("ann").set_password("other")
    User.objects.create_user("Ann", password="another long one")

    assert password(Client(), "Ann", "another long one") == "/console/"
    assert "do not go together" in password(Client(), "Ann")
    assert "do not go together" in password(Client(), "ANN")


def test_the_session_gets_another_id_when_somebody_signs_in(client: Client, admin: User) -> None:
    planted = client.session  # the test client makes one, as an attacker could
    planted["is_planted"] = True
    planted.save()

    password(client, "elastic")

    assert client.session.session_key != planted.session_key
    assert not planted.exists(planted.session_key or "")
    cookie = client.cookies["console_session"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_an_account_that_is_switched_off_says_so_to_its_owner(client: Client, db: None) -> None:
    User.objects.filter(pk=make_user("ann").pk).update(is_active=False)

    answer = client.post(SIGN_IN, {"login": "ann", "password": PASSWORD}, follow=True)

    assert "This account is switched off" in text(answer)
    assert not is_in(client)


def test_nobody_signs_up(client: Client, db: None) -> None:
    answer = client.post("/console/sign-up", {"username": "eve", "password1": PASSWORD})

    assert answer["Location"].startswith(SIGN_IN)
    assert not User.objects.exists()
