import threading

import pytest
from pydantic import SecretStr

from inference.upstream.auth import ClientCredentials, Grant, Token
from inference.upstream.tokens import TokenStore

GRANT = ClientCredentials("https://auth.example/token", "me", SecretStr("secret"), ("a",))


class Giver:
    """Gives a numbered token each time."""

    def __init__(self, expires_in: float = 3600) -> None:
        self.given, self.expires_in = 0, expires_in

    def __call__(self, grant: Grant) -> Token:
        self.given += 1
        return Token(access_token=SecretStr(f"token-{self.given}"), expires_in=self.expires_in)


def test_a_token_is_kept_until_shortly_before_it_ends() -> None:
    now = 0.0
    store, giver = TokenStore(lambda: now), Giver()
    assert store.get(GRANT, giver) == "token-1"
    now = 3299.0
    assert store.get(GRANT, giver) == "token-1"
    now = 3301.0
    assert store.get(GRANT, giver) == "token-2"


def test_a_short_token_is_used_for_half_of_its_life() -> None:
    assert Token(access_token=SecretStr("t"), expires_in=60).lasts_s == 30


def test_a_refused_token_is_forgotten() -> None:
    store, giver = TokenStore(), Giver()
    store.get(GRANT, giver)
    store.forget(GRANT)

    assert store.get(GRANT, giver) == "token-2"


def test_a_failure_is_not_kept() -> None:
    store, giver = TokenStore(), Giver()

    def fails(grant: Grant) -> Token:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.get(GRANT, fails)

    assert store.get(GRANT, giver) == "token-1"


def test_another_secret_is_another_grant() -> None:
    store, giver = TokenStore(), Giver()
    other = ClientCredentials("https://auth.example/token", "me", SecretStr("other"), ("a",))

    assert store.get(GRANT, giver) != store.get(other, giver)


def test_many_who_wait_are_served_by_one_request() -> None:
    store, giver = TokenStore(), Giver()
    gate, found = threading.Barrier(8), list[str]()

    def ask() -> None:
        gate.wait()
        found.append(store.get(GRANT, giver))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["token-1"] * 8
