"""Secrets at rest, and the keys that open them."""

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_django.fixtures import Settings

from console.env import BadSetting, encryption_key, encryption_keys
from endpoints.secrets import SecretUnreadable, decrypt, encrypt

SECRET = SecretStr("käse-42")


def test_a_secret_comes_back_and_does_not_show() -> None:
    stored = encrypt(SECRET)

    assert "käse" not in stored
    assert decrypt(stored) == SECRET
    assert "käse" not in repr(decrypt(stored))
    assert encrypt(SECRET) != stored


def test_a_newer_key_encrypts_while_older_ones_still_open(
    settings: Settings,
) -> None:
    old, new = encryption_key(), encryption_key()
    settings.SECRET_KEYS = (old,)
    stored = encrypt(SECRET)

    settings.SECRET_KEYS = (new, old)
    renewed = encrypt(SECRET)
    assert decrypt(stored) == SECRET

    settings.SECRET_KEYS = (new,)
    assert decrypt(renewed) == SECRET
    with pytest.raises(SecretUnreadable, match=r"CONSOLE_SECRET_KEYS.*enter the secret again"):
        decrypt(stored)


@pytest.mark.parametrize("stored", ["", "x", "gAAAAA==", "é"])
def test_what_was_never_encrypted_is_unreadable(stored: str) -> None:
    with pytest.raises(SecretUnreadable):
        decrypt(stored)


def keys(folder: Path) -> tuple[str, ...]:
    return encryption_keys("CONSOLE_SECRET_KEYS", folder / "secrets" / "encryption_key")


@pytest.fixture(autouse=True)
def _no_keys_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONSOLE_SECRET_KEYS", "CONSOLE_SECRET_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_the_first_start_makes_a_key_and_keeps_it(tmp_path: Path) -> None:
    (made,) = keys(tmp_path)

    assert keys(tmp_path) == (made,)
    path = tmp_path / "secrets" / "encryption_key"
    assert (path.read_text(), path.stat().st_mode & 0o777) == (made, 0o600)


def test_keys_are_given_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = encryption_key(), encryption_key()
    monkeypatch.setenv("CONSOLE_SECRET_KEYS", f"{new}, {old}")

    assert keys(tmp_path) == (new, old)
    assert not (tmp_path / "secrets").exists()


def test_keys_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, path = encryption_key(), tmp_path / "keys"
    path.write_text(f"{key}\n")
    monkeypatch.setenv("CONSOLE_SECRET_KEYS_FILE", str(path))

    assert keys(tmp_path) == (key,)


@pytest.mark.parametrize(
    "given", ["secret", ",", base64.urlsafe_b64encode(b"x" * 16).decode(), f"{'A' * 43}=,b", "ä"]
)
def test_a_bad_key_stops_the_start_by_name_and_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("CONSOLE_SECRET_KEYS", given)

    with pytest.raises(BadSetting, match=r"^CONSOLE_SECRET_KEYS must hold Fernet keys") as refused:
        keys(tmp_path)
    assert given == "," or given not in str(refused.value)


def test_a_damaged_file_of_keys_is_named(tmp_path: Path) -> None:
    keys(tmp_path)
    (tmp_path / "secrets" / "encryption_key").write_text("")

    with pytest.raises(BadSetting, match=r"secrets/encryption_key.*CONSOLE_SECRET_KEYS"):
        keys(tmp_path)
