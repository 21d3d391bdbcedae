"""What the pages tell browsers to refuse, and the cookies that they set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from endpoints.models import User
from tests.console.proving import SIGN_IN, password

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=[SIGN_IN, "/console/", "/console/account/security", "/console/nowhere"])
def headers(request: pytest.FixtureRequest, console: Client) -> dict[str, str]:
    """Those of a page, signed in or not, there or not."""
    client = Client() if request.param == SIGN_IN else console
    return dict(client.get(request.param).headers)


def directives(headers: dict[str, str]) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def test_scripts_and_styles_come_from_here_alone(headers: dict[str, str]) -> None:
    policy = directives(headers)

    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:"]
    assert not {"script-src", "style-src"} & set(policy)
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_nobody_puts_a_page_into_a_frame(headers: dict[str, str]) -> None:
    assert directives(headers)["frame-ancestors"] == ["'none'"]
    assert headers["X-Frame-Options"] == "DENY"


def test_browsers_guess_no_types_and_tell_nobody_where_they_come_from(
    headers: dict[str, str],
) -> None:
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_nothing_of_the_device_is_used_but_passkeys_and_copying(headers: dict[str, str]) -> None:
    policy = dict(part.split("=") for part in headers["Permissions-Policy"].split(", "))

    allowed = {name for name, who in policy.items() if who != "()"}
    assert allowed == {
        "clipboard-write",
        "publickey-credentials-create",
        "publickey-credentials-get",
    }
    assert {"camera", "geolocation", "microphone"} < set(policy)


def test_no_page_is_kept(headers: dict[str, str]) -> None:
    assert "no-store" in headers["Cache-Control"]


def test_browsers_are_told_to_stay_with_https_where_it_is(settings: Settings, admin: User) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 31536000

    through = Client().get(SIGN_IN, headers={"x-forwarded-proto": "https"})
    beside = Client().get(SIGN_IN)

    assert through["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in beside


@pytest.mark.parametrize("https", [True, False])
def test_scripts_see_no_cookie_and_other_sites_send_none(
    settings: Settings, admin: User, https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = https
    client = Client()
    client.get(SIGN_IN)
    password(client, "elastic")

    for name in ("console_session", "console_csrf"):
        cookie = client.cookies[name]
        assert bool(cookie["secure"]) == https
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]


def test_a_deployment_behind_https_has_nothing_to_complain_about(tmp_path: Path) -> None:
    environment = {**os.environ, "CONSOLE_DATA_DIR": str(tmp_path), "CONSOLE_HTTPS": "true"}
    environment |= {"DJANGO_SETTINGS_MODULE": "console.settings"}

    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
