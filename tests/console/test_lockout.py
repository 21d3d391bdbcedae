"""Whoever tries too many passwords waits; nobody can keep somebody else out from everywhere."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from endpoints.lockout import ACCOUNTS_OF_AN_ADDRESS
from endpoints.models import User
from tests.console.conftest import browser_of, text
from tests.console.proving import CODE, add_app, add_codes, code_of, is_in, password
from tests.factories import PASSWORD, make_user

LIMIT = 3
LOCKED = "There were too many wrong attempts from your address."


@pytest.fixture(autouse=True)
def _low_limit(settings: Settings, admin: User) -> None:
    settings.LOCKOUT_FAILURES = settings.AXES_FAILURE_LIMIT = LIMIT


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def fail(client: Client, username: str = "elastic", times: int = LIMIT) -> None:
    for _ in range(times):
        assert "do not go together" in password(client, username, "wrong")


def later(minutes: int) -> None:
    moment = timezone.now() - timedelta(minutes=minutes)
    AccessAttempt.objects.update(attempt_time=moment)


def basic(client: Client, username: str = "elastic", text: str = PASSWORD) -> Any:
    secret = base64.b64encode(f"{username}:{text}".encode()).decode()
    answer = client.get("/_inference", headers={"authorization": f"Basic {secret}"})
    return answer


def test_after_too_many_wrong_passwords_the_right_one_waits(settings: Settings) -> None:
    client = at("10.0.0.1")
    fail(client)

    assert f"{LOCKED} Wait 15 minutes" in password(client, "elastic")
    later(minutes=13)
    assert f"{LOCKED} Wait 2 minutes" in password(client, "elastic")
    later(minutes=15)
    assert password(client, "elastic") == "/console/"


def test_elsewhere_the_account_is_not_locked() -> None:
    fail(at("10.0.0.1"))

    assert password(at("10.0.0.2"), "elastic") == "/console/"


def test_an_address_that_tries_many_accounts_is_locked_for_all() -> None:
    client = at("10.0.0.1")
    for number in range(ACCOUNTS_OF_AN_ADDRESS * LIMIT):
        fail(client, f"user{number}", times=1)

    assert LOCKED in password(client, "elastic")
    assert password(at("10.0.0.2"), "elastic") == "/console/"


def test_one_failure_more_or_less_decides() -> None:
    client = at("10.0.0.1")
    for number in range(ACCOUNTS_OF_AN_ADDRESS * LIMIT - 1):
        fail(client, f"user{number}", times=1)

    assert password(client, "elastic") == "/console/"


def test_whoever_has_an_account_cannot_wipe_out_failures_at_others() -> None:
    client = at("10.0.0.1")
    make_user("eve")
    fail(client, times=LIMIT - 1)
    assert password(client, "eve") == "/console/"
    client.post("/console/sign-out")
    fail(client, times=1)

    assert LOCKED in password(client, "elastic")


def test_a_right_password_forgets_ones_own_failures() -> None:
    client = at("10.0.0.1")
    fail(client, times=LIMIT - 1)
    assert password(client, "elastic") == "/console/"
    client.post("/console/sign-out")
    fail(client, times=LIMIT - 1)

    assert password(client, "elastic") == "/console/"


def test_a_name_counts_the_same_in_any_case() -> None:
    client = at("10.0.0.1")
    for name in ("elastic", "Elastic", " ELASTIC"):
        fail(client, name, times=1)

    assert LOCKED in password(client, "elastic")


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    for number in range(LIMIT):
        fail(at(f"2001:db8::{number}"), times=1)

    assert LOCKED in password(at("2001:db8::ffff"), "elastic")
    assert password(at("2001:db8:0:1::1"), "elastic") == "/console/"


def test_a_header_of_the_client_does_not_make_it_another(settings: Settings) -> None:
    for number in range(LIMIT):
        fail(Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}"), times=1)
    assert LOCKED in password(at("10.0.0.1"), "elastic")

    settings.TRUSTED_PROXIES = 1
    through = Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.1, 9.9.9.9")
    assert password(through, "elastic") == "/console/"


def test_basic_authentication_counts_and_waits_too() -> None:
    client = at("10.0.0.1")
    answers = [basic(client, text="wrong") for _ in range(LIMIT)]
    assert [answer.status_code for answer in answers] == [401] * LIMIT

    refused = basic(client)

    assert refused.status_code == 401
    assert "too many attempts failed from this address, wait [15] minutes" in text(refused)
    assert LOCKED in password(client, "elastic")
    assert basic(at("10.0.0.2")).status_code == 200


def test_a_password_that_is_remembered_is_no_way_around_the_wait() -> None:
    assert basic(at("10.0.0.2")).status_code == 200
    client = at("10.0.0.1")
    for _ in range(LIMIT):
        basic(client, text="wrong")

    assert basic(client).status_code == 401
    assert basic(at("10.0.0.2")).status_code == 200


def test_what_was_sent_with_a_failure_is_kept_nowhere() -> None:
    client = at("10.0.0.1")
    basic(client, text="hunter-2")
    password(client, "elastic", "hunter-2")

    kept = AccessAttempt.objects.values_list("get_data", "post_data", "username")
    assert "hunter-2" not in str(list(kept))


def test_wrong_codes_count_as_wrong_passwords_do(admin: User) -> None:
    secret, codes = add_app(admin), add_codes(admin)
    client = at("10.0.0.1")
    assert password(client, "elastic") == CODE
    for _ in range(LIMIT):
        assert "This code is wrong" in text(client.post(CODE, {"code": "000000"}))

    for right in (code_of(secret), codes[0]):
        assert LOCKED in text(client.post(CODE, {"code": right}))
    assert not is_in(client)


def test_codes_are_limited_from_all_addresses_together(admin: User, settings: Settings) -> None:
    """Whoever has the password could else try codes from everywhere."""
    settings.AXES_FAILURE_LIMIT = 1000
    secret = add_app(admin)
    for number in range(10):
        client = at(f"10.0.0.{number}")
        password(client, "elastic")
        client.post(CODE, {"code": "000000"})

    client = at("10.0.1.1")
    password(client, "elastic")
    assert "Too many wrong codes" in text(client.post(CODE, {"code": code_of(secret)}))


def test_confirming_with_wrong_passwords_locks_too(admin: User) -> None:
    console = browser_of(admin)
    for _ in range(LIMIT):
        answer = console.post("/console/account/confirm", {"password": "wrong"})
        assert "This is not your password" in text(answer)

    assert LOCKED in text(console.post("/console/account/confirm", {"password": PASSWORD}))


def test_the_shell_unlocks_an_account_an_address_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    client = at("10.0.0.1")
    for arguments in (["Elastic"], ["--address", "10.0.0.1"], []):
        fail(client)
        assert LOCKED in password(client, "elastic")
        call_command("unlock", *arguments)
        assert password(client, "elastic") == "/console/"
        client.post("/console/sign-out")

    assert "1 record of failed sign-ins forgotten." in capsys.readouterr().out
    with pytest.raises(CommandError, match="is no address"):
        call_command("unlock", "--address", "a:b")


def test_a_caller_who_is_remembered_costs_no_query_more(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    client = at("10.0.0.1")
    basic(client)

    with django_assert_num_queries(1):  # the list; the caller is found beside what is counted
        basic(client)
