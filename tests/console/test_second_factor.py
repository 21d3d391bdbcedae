"""Second factors: an app, recovery codes, and who must have one."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings

from endpoints.models import AuditEntry, User
from tests.console.conftest import browser_of, text
from tests.console.proving import (
    CODE,
    add_app,
    add_codes,
    code_of,
    factors_of,
    is_in,
    password,
)
from tests.factories import PASSWORD, make_admin, make_user

SECURITY = "/console/account/security"
APP = f"{SECURITY}/app"
CODES = f"{SECURITY}/codes"


@pytest.fixture
def ann(db: None) -> User:
    return make_user("ann")


def known(user: User) -> bool:
    return User.objects.get(pk=user.pk).has_second_factor


def switch_on(console: Client) -> Any:
    """Set an app up on the page, as a person does."""
    shown = console.get(APP).context["form"].secret
    answer = console.post(APP, {"code": code_of(shown)})
    return answer


def test_an_app_is_set_up_and_asked_for_from_then_on(ann: User) -> None:
    console = browser_of(ann)
    page = console.get(APP)
    assert "data:image/svg+xml;base64," in text(page)
    secret = page.context["form"].secret
    assert secret in text(page)

    assert console.post(APP, {"code": code_of(secret)})["Location"] == CODES
    assert known(ann)

    client = Client()
    assert password(client, "ann") == CODE
    assert not is_in(client)
    answer = client.post(CODE, {"code": code_of(secret, time.time() + 30)})
    assert answer["Location"] == "/console/"
    assert is_in(client)


def test_a_wrong_code_switches_nothing_on_and_keeps_the_key(ann: User) -> None:
    console = browser_of(ann)
    secret = console.get(APP).context["form"].secret

    again = console.post(APP, {"code": "000000"})

    assert "This code is wrong" in text(again)
    assert again.context["form"].secret == secret
    assert not factors_of(ann)


def test_the_key_of_an_app_is_stored_encrypted(ann: User) -> None:
    console = browser_of(ann)
    secret = console.get(APP).context["form"].secret
    console.post(APP, {"code": code_of(secret)})

    assert secret not in json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def test_a_code_works_once(ann: User) -> None:
    secret = add_app(ann)
    code = code_of(secret)
    first, second = Client(), Client()
    for client in (first, second):
        password(client, "ann")
        client.post(CODE, {"code": code})

    assert (is_in(first), is_in(second)) == (True, False)


def test_a_used_code_is_the_same_with_blanks(ann: User) -> None:
    secret = add_app(ann)
    code = code_of(secret)
    first, second = Client(), Client()
    password(first, "ann")
    first.post(CODE, {"code": code})
    password(second, "ann")
    second.post(CODE, {"code": f"{code[:3]} {code[3:]}"})

    assert (is_in(first), is_in(second)) == (True, False)


def test_a_code_works_once_for_as_long_as_it_holds(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes hold for half a minute longer, for clocks that differ; so must their being used."""
    secret, began = add_app(ann), 30.0 * (time.time() // 30)
    monkeypatch.setattr(time, "time", lambda: began)
    first, second = Client(), Client()
    password(first, "ann")
    first.post(CODE, {"code": code_of(secret, began + 30)})
    monkeypatch.setattr(time, "time", lambda: began + 59)
    password(second, "ann")
    second.post(CODE, {"code": code_of(secret, began + 30)})

    assert (is_in(first), is_in(second)) == (True, False)


@pytest.mark.parametrize(("drift_s", "holds"), [(-30, True), (30, True), (-90, False), (90, False)])
def test_a_clock_may_differ_by_half_a_minute(ann: User, drift_s: int, holds: bool) -> None:
    secret, client = add_app(ann), Client()
    password(client, "ann")
    client.post(CODE, {"code": code_of(secret, time.time() + drift_s)})

    assert is_in(client) == holds


def test_a_recovery_code_works_once(ann: User) -> None:
    add_app(ann)
    code = add_codes(ann)[3]
    first, second = Client(), Client()
    for client in (first, second):
        password(client, "ann")
        client.post(CODE, {"code": code})

    assert (is_in(first), is_in(second)) == (True, False)


def test_a_code_without_the_password_opens_nothing(ann: User) -> None:
    secret, client = add_app(ann), Client()

    answer = client.post(CODE, {"code": code_of(secret)})

    assert answer["Location"] == "/console/sign-in"
    assert not is_in(client)


def test_the_way_that_was_asked_for_is_kept_over_the_second_step(ann: User) -> None:
    secret, client = add_app(ann), Client()
    password(client, "ann", next="/console/account")

    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/console/account"


def test_recovery_codes_are_shown_once_and_as_a_file(ann: User) -> None:
    console = browser_of(ann)
    switch_on(console)

    page = console.get(CODES)

    codes = page.context["unused_codes"]
    file = text(page).partition("data:text/plain;base64,")[2].partition('"')[0]
    assert len(codes) == 10
    assert base64.b64decode(file).decode().split()[-10:] == codes
    assert "no-store" in page["Cache-Control"]
    assert console.get(CODES).status_code == 404


def test_new_recovery_codes_end_the_old_ones(ann: User) -> None:
    add_app(ann)
    old, console = add_codes(ann), browser_of(ann)
    assert "The 10 that are left stop working" in text(console.get(f"{CODES}/new"))
    assert console.post(f"{CODES}/new")["Location"] == CODES

    client = Client()
    password(client, "ann")
    client.post(CODE, {"code": old[0]})
    assert not is_in(client)


def test_the_last_factor_takes_the_recovery_codes_with_it(ann: User) -> None:
    add_app(ann)
    add_codes(ann)
    console = browser_of(ann)

    assert console.post(f"{APP}/remove")["Location"] == SECURITY

    assert factors_of(ann) == []
    assert not known(ann)
    assert password(Client(), "ann") == "/console/"


def test_factors_that_go_elsewhere_are_noted_on_the_account_too(ann: User) -> None:
    add_app(ann)
    assert known(ann)

    Authenticator.objects.filter(user=ann).delete()

    assert not known(ann)


def test_every_change_of_a_factor_is_written_down_without_its_secret(ann: User) -> None:
    console = browser_of(ann)
    switch_on(console)
    console.post(f"{APP}/remove")

    entries = AuditEntry.objects.order_by("number").values_list(
        "verb", "subject", "before", "after"
    )
    assert list(entries) == [
        ("factor.add", "ann", None, {"factor": "totp"}),
        ("factor.add", "ann", None, {"factor": "recovery_codes"}),
        ("factor.remove", "ann", {"factor": "totp"}, None),
        ("factor.remove", "ann", {"factor": "recovery_codes"}, None),
    ]


def test_nobody_touches_the_passkeys_of_others(ann: User, console: Client) -> None:
    key = Authenticator.objects.create(
        user=ann, type=Authenticator.Type.WEBAUTHN, data={"name": "hers", "credential": {}}
    )

    for path in (f"{SECURITY}/passkeys/{key.pk}", f"{SECURITY}/passkeys/{key.pk}/remove"):
        assert console.get(path).status_code == 404
        assert console.post(path, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get(pk=key.pk).data["name"] == "hers"


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", "nonsense", '{"id": 1}', '{"id": "a"}'])
def test_what_is_no_passkey_signs_nobody_in(client: Client, ann: User, sent: str) -> None:
    client.get("/console/sign-in/passkey", headers={"accept": "application/json"})

    answer = client.post("/console/sign-in/passkey", {"credential": sent}, follow=True)

    assert answer.redirect_chain == [("/console/sign-in", 302)]
    assert "code is wrong" not in text(answer)
    assert not is_in(client)


@pytest.mark.parametrize("sent", ["", "{}", "[]", '{"id": "a"}', '{"id": "a", "rawId": 1}'])
def test_what_is_no_passkey_is_no_second_step_and_is_not_added(ann: User, sent: str) -> None:
    add_app(ann)
    client, console = Client(), browser_of(ann)
    password(client, "ann")
    console.get(f"{SECURITY}/passkeys/_new")

    assert client.post(CODE, {"credential": sent}).status_code == 200
    assert console.post(f"{SECURITY}/passkeys/_new", {"credential": sent}).status_code == 200
    assert not is_in(client)
    assert factors_of(ann) == ["totp"]


# Who must have one.


@pytest.mark.parametrize(
    ("of", "admin_must", "plain_must"),
    [("none", False, False), ("administrators", True, False), ("everyone", True, True)],
)
def test_whoever_must_have_one_is_led_to_set_it_up_first(
    db: None, settings: Settings, of: str, admin_must: bool, plain_must: bool
) -> None:
    settings.SECOND_FACTOR_OF = of
    admin, plain = browser_of(make_admin()), browser_of(make_user())

    for browser, must in ((admin, admin_must), (plain, plain_must)):
        for path in ("/console/api", "/console/account", "/console/account/sessions"):
            answer = browser.get(path)
            led = answer.status_code == 302 and answer["Location"] == SECURITY
            assert led == must, path
        assert ("asks for more than a password" in text(browser.get(SECURITY))) == must


def test_once_it_is_set_up_everything_is_open(ann: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_OF = "everyone"
    console = browser_of(ann)
    assert console.get("/console/api").status_code == 302

    assert switch_on(console).status_code == 302
    assert console.get(CODES).status_code == 200

    assert console.get("/console/api").status_code == 200


def test_whoever_removes_the_last_one_is_led_back(ann: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_OF = "everyone"
    add_app(ann)
    console = browser_of(ann)
    console.post(f"{APP}/remove")

    assert console.get("/console/api")["Location"] == SECURITY


def test_a_sign_in_service_asks_for_what_it_wants_itself(ann: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_OF = "everyone"
    console = browser_of(ann)
    session = console.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": time.time()}]
    session.save()

    assert console.get("/console/api").status_code == 200


def test_whoever_must_have_one_can_always_leave(ann: User, settings: Settings) -> None:
    settings.SECOND_FACTOR_OF = "everyone"

    assert browser_of(ann).post("/console/sign-out")["Location"] == "/console/sign-in"


# A password alone on the API.


@pytest.fixture
def basic(client: Client) -> Callable[[str], Any]:
    def call(username: str, text: str = PASSWORD) -> Any:
        secret = base64.b64encode(f"{username}:{text}".encode()).decode()
        answer = client.get(
            "/_security/_authenticate", headers={"authorization": f"Basic {secret}"}
        )
        return answer

    return call


def test_a_password_alone_does_not_go_around_a_second_factor(
    basic: Callable[..., Any], admin: User
) -> None:
    assert basic("elastic").status_code == 200
    add_app(admin)

    answer = basic("elastic")

    assert answer.status_code == 401
    assert "a second factor is needed" in text(answer)
    assert "use an API key" in text(answer)
    assert "second factor" not in text(basic("elastic", "wrong"))


@pytest.mark.parametrize(
    ("of", "statuses"), [("administrators", (401, 200)), ("everyone", (401,) * 2)]
)
def test_nor_where_one_is_asked_for_and_not_set_up_yet(
    basic: Callable[..., Any],
    admin: User,
    ann: User,
    settings: Settings,
    of: str,
    statuses: tuple[int, int],
) -> None:
    settings.SECOND_FACTOR_OF = of

    assert (basic("elastic").status_code, basic("ann").status_code) == statuses


def test_a_key_goes_on_working(client: Client, admin: User, basic: Any) -> None:
    secret = base64.b64encode(f"elastic:{PASSWORD}".encode()).decode()
    made = client.post(
        "/_security/api_key",
        {"name": "k"},
        content_type="application/json",
        headers={"authorization": f"Basic {secret}"},
    ).json()
    add_app(admin)

    assert basic("elastic").status_code == 401
    header = {"authorization": f"ApiKey {made['encoded']}"}
    assert client.get("/_security/_authenticate", headers=header).status_code == 200
