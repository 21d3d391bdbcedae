"""Settings of the sign-in by a provider: what cannot be used stops the start by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.env import (
    BadSetting,
    env_beside,
    env_bool_with,
    env_groups,
    env_issuer,
    env_scopes,
)
from tests.product.running import PROJECT

NAME = "CONSOLE_TESTED"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.google.com",
        "https://sso.acme.test/realms/main",
        "https://login.acme.test:8443/",
        "http://127.0.0.1:8080/o",
        "http://localhost:8080/realms/main",
    ],
)
def test_an_issuer_is_taken_to_the_letter(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, issuer)

    assert env_issuer(NAME) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "sso.acme.test",
        "http://sso.acme.test",  # whoever listens could sign in as anybody
        "http://127.0.0.1.evil.example",
        "https://me:secret@sso.acme.test",
        "https://sso.acme.test/?tenant=1",
        "https://sso.acme.test/#main",
        "https://",
        "https://[::1",
        "file:///etc/passwd",
        "https://sso.acme.test/" + "a" * 200,
    ],
)
def test_an_issuer_that_cannot_be_used_is_refused(
    issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, issuer)

    with pytest.raises(BadSetting, match=NAME):
        env_issuer(NAME)


def test_an_issuer_needs_a_client_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env_beside("CONSOLE_OF", NAME) == ""

    monkeypatch.setenv("CONSOLE_OF", "https://sso.acme.test")
    with pytest.raises(BadSetting, match=f"{NAME} must be set where CONSOLE_OF is"):
        env_beside("CONSOLE_OF", NAME)


def test_nothing_else_is_turned_off_without_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "true")
    with pytest.raises(BadSetting, match=f"{NAME} can be true only where CONSOLE_OF is set"):
        env_bool_with("CONSOLE_OF", NAME)

    monkeypatch.setenv("CONSOLE_OF", "https://sso.acme.test")
    assert env_bool_with("CONSOLE_OF", NAME)


@pytest.mark.parametrize("text", ["openid email groups", "email,groups", "email groups openid"])
def test_scopes_are_words_and_openid_is_one(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, text)

    assert env_scopes(NAME, "") == ("openid", "email", "groups")


def test_a_mapping_comes_from_a_file_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "groups.json"
    file.write_text('{"ops": {"roles": ["superuser"]}}')
    monkeypatch.setenv(f"{NAME}_FILE", str(file))

    assert env_groups(NAME)["ops"][0].roles == ["superuser"]


@pytest.mark.parametrize("text", ["{", '{"ops": {"roles": ["king"]}}'])
def test_a_mapping_that_cannot_be_used_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)

    with pytest.raises(BadSetting, match=f"{NAME} must be JSON such as"):
        env_groups(NAME)


def test_a_bad_setting_stops_the_start_in_a_line(tmp_path: Path) -> None:
    own = {"CONSOLE_DATA_DIR": str(tmp_path), "CONSOLE_OIDC_ISSUER": "http://sso.acme.test"}

    told = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env=dict(os.environ) | own | {"DJANGO_SETTINGS_MODULE": "console.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode != 0
    assert "CONSOLE_OIDC_ISSUER must be an address such as" in told.stderr
    assert "Traceback" not in told.stderr
