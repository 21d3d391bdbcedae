"""Settings of the way to providers: what cannot be used stops the start by name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.env import (
    BadSetting,
    env_certificates,
    env_choice,
    env_email,
    env_origins,
    env_proxy,
    env_redis,
    env_url,
)
from tests.elastic import make_authority

PROJECT = Path(__file__).resolve().parents[2]
NAME = "CONSOLE_TESTED"


@pytest.mark.parametrize(
    "text",
    [
        "https://api.cohere.com",
        "{",
        "[]",
        '{"https://api.cohere.com": 1}',
        '{"api.cohere.com": "http://127.0.0.1"}',
        '{"https://api.cohere.com/v1": "http://127.0.0.1"}',
        '{"https://api.cohere.com?a": "http://127.0.0.1"}',
        '{"https://api.*.com": "http://127.0.0.1"}',
        '{"https://api.cohere.com": "127.0.0.1:9901"}',
        '{"https://api.cohere.com": "http://127.0.0.1:99999"}',
        '{"https://api.cohere.com": "http://127.0.0.1/?a=b"}',
        '{"https://api.cohere.com": "http://127.0.0.1/\\r\\n"}',
        '{"https://api.cohere.com": "http://[::1"}',
        '{"https://api.cohere.com": "ftp://127.0.0.1"}',
    ],
)
def test_a_map_that_cannot_be_used_is_refused_by_name(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)

    with pytest.raises(BadSetting, match=f"{NAME} must be JSON such as"):
        env_origins(NAME)


def test_a_password_in_the_map_is_refused_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, '{"https://api.cohere.com": "http://me:hunter2@gateway"}')

    with pytest.raises(BadSetting, match="no user and no password") as told:
        env_origins(NAME)
    assert "hunter2" not in str(told.value)


def test_a_map_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = {"https://*.openai.azure.com": "http://[::1]:9901/azure"}
    monkeypatch.setenv(NAME, json.dumps(origins))

    assert env_origins(NAME) == origins


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no certificate", "must be a certificate in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "must be a cert"),
        ("käse".encode(), "must be a certificate in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----", "must not hold a private key"),
        (b"\xff", "cannot be read"),
    ],
)
def test_a_file_without_certificates_is_refused_by_name(
    content: bytes, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    monkeypatch.setenv(NAME, str(path))

    with pytest.raises(BadSetting, match=f"{NAME}.*{problem}"):
        env_certificates(NAME)


def test_a_file_that_is_not_there_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, str(tmp_path / "none.pem"))

    with pytest.raises(BadSetting, match=f"{NAME} names a file that cannot be read"):
        env_certificates(NAME)


def test_certificates_are_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, path = make_authority(tmp_path, "127.0.0.1"), tmp_path / "own.pem"
    path.write_text(authority.certificate)
    monkeypatch.setenv(NAME, str(path))

    assert env_certificates(NAME) == authority.certificate


@pytest.mark.parametrize(
    "text",
    ["proxy:3128", "https://proxy:3128", "socks5://proxy", "http://", "http://proxy/path",
     "http://proxy:0", "http://a b", "http://me:hunter2@"],
)  # fmt: skip
def test_a_proxy_that_is_none_is_refused_by_name_and_not_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)

    with pytest.raises(BadSetting, match=f"{NAME} must be an address") as told:
        env_proxy(NAME)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    "text", ["http://proxy:3128", "http://me:hunter2@proxy", "http://[::1]:1/"]
)
def test_a_proxy_is_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, text)

    assert env_proxy(NAME) == text


@pytest.mark.parametrize("text", ["127.0.0.1:6379", "http://127.0.0.1", "redis://", "redis://a/b"])
def test_a_redis_that_is_none_is_refused_by_name(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)

    with pytest.raises(BadSetting, match=f"{NAME} must be an address"):
        env_redis(NAME)


@pytest.mark.parametrize(
    "text", ["redis://127.0.0.1:6379/0", "rediss://:hunter2@cache:1?timeout=3", "unix:///run/r"]
)
def test_a_redis_is_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, text)

    assert env_redis(NAME) == text


@pytest.mark.parametrize(
    "name", ["CONSOLE_UPSTREAM_MAP", "CONSOLE_UPSTREAM_CA", "CONSOLE_UPSTREAM_PROXY", "REDIS_URL"]
)
def test_the_start_stops_with_the_name_of_the_variable(name: str, tmp_path: Path) -> None:
    environment = os.environ | {"CONSOLE_DATA_DIR": str(tmp_path), name: "nowhere"}

    ended = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode
    assert name in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 587, "", "", True, False)),
        (
            "smtps://ann:p%40ss@mail.example.org",
            ("mail.example.org", 465, "ann", "p@ss", False, True),
        ),
        ("smtp+plain://localhost:1025", ("localhost", 1025, "", "", False, False)),
    ],
)
def test_how_mails_are_sent_is_read(
    text: str, expected: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")

    read = env_email(NAME)

    assert tuple(read[f"EMAIL_{name}"] for name in names) == expected
    assert str(read["EMAIL_BACKEND"]).endswith("smtp.EmailBackend")


def test_without_a_mail_server_mails_go_to_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)

    assert env_email(NAME) == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


@pytest.mark.parametrize(
    "text", ["mail.example.org", "http://mail", "smtp://", "smtp://a:secret@b:99999", "smtp://[::1"]
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_its_password(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)

    with pytest.raises(BadSetting, match=NAME) as raised:
        env_email(NAME)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "console",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u:p@a",
        "https://[::1",
    ],
)
def test_an_address_of_this_server_that_cannot_be_used_is_refused_by_name(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, text)

    with pytest.raises(BadSetting, match=NAME):
        env_url(NAME)


def test_an_address_of_this_server_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "https://console.example.org:8443/")

    assert env_url(NAME) == "https://console.example.org:8443"


def test_a_choice_is_one_of_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "Everyone")
    assert env_choice(NAME, "none", ("none", "everyone")) == "everyone"
    monkeypatch.setenv(NAME, "some")
    with pytest.raises(BadSetting, match="must be none or everyone, not"):
        env_choice(NAME, "none", ("none", "everyone"))
