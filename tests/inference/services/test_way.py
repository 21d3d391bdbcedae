"""How an endpoint of any provider is reached, and what its settings must not bring into a call."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from inference.errors import InvalidSettings
from inference.services import find_service
from inference.types import TaskType
from inference.upstream.auth import ServiceAccountKey, Token
from tests.elastic import make_authority
from tests.inference.services.asking import endpoint

SETTINGS = {"api_key": "sk-1", "model_id": "m"}


def parsed(**settings: Any) -> Any:
    config = find_service("openai").parse(
        TaskType.COMPLETION, {"service_settings": SETTINGS | settings}
    )
    return config.service_settings


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example:3128", "https://proxy.example", "socks5://proxy.example", "http://",
     "http://proxy.example/path", "http://me:hunter2@proxy.example:0", "http://proxy\r\nX: y"],
)  # fmt: skip
def test_a_proxy_that_is_none_is_refused_and_not_told(proxy: str) -> None:
    with pytest.raises(InvalidSettings, match=r"for field \[proxy\]") as told:
        parsed(proxy=proxy)
    assert proxy not in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_proxy_is_a_secret() -> None:
    settings = parsed(proxy="http://me:hunter2@proxy.example:3128")

    assert settings.way.proxy == "http://me:hunter2@proxy.example:3128"
    assert "proxy" not in settings.to_response()
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-----BEGIN PRIVATE KEY-----\nplanted", "must not hold a private key"),
        ("planted", "must be a certificate in PEM form"),
        (
            "-----BEGIN CERTIFICATE-----\nplanted\n-----END CERTIFICATE-----",
            "must be a certificate",
        ),
        ("planted" * 20_000, "may have 100000 characters at most"),
    ],
)
def test_a_certificate_that_is_none_is_refused_and_not_told(text: str, problem: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"\[ca_certificate\] {problem}") as told:
        parsed(ca_certificate=text)
    assert "planted" not in str(told.value)


def test_a_certificate_of_an_endpoint_is_believed(tmp_path: Any) -> None:
    pem = make_authority(tmp_path, "127.0.0.1").certificate

    assert parsed(ca_certificate=pem).way.ca == pem


@pytest.mark.parametrize("key", ["sk\r\nX-Evil: 1", "sk\n", " sk", "sk\x00", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_told(key: str) -> None:
    asking = endpoint("openai", TaskType.COMPLETION, SETTINGS | {"api_key": key}, {})

    with pytest.raises(InvalidSettings, match="line break") as told:
        asking.infer("hi")
    assert key not in str(told.value)
    assert not asking.requests


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "b\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}, {"X A": "1"}, {"": "1"}, {"Host": "b"},
     {"Content-Length": "0"}, {"transfer-encoding": "chunked"}, {"X-Forwarded-Host": "b"},
     {"Proxy-Authorization": "Basic x"}, {"X-A": "ä"}],
)  # fmt: skip
def test_a_header_that_says_what_is_not_its_to_say_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings):
        endpoint("openai", TaskType.COMPLETION, SETTINGS, {}, task_settings={"headers": headers})


def test_an_organization_with_a_line_break_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="organization_id"):
        parsed(organization_id="org\r\nX-Evil: 1")


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "ä", " a"])
def test_a_token_that_no_header_can_carry_is_none(token: str) -> None:
    with pytest.raises(ValidationError):
        Token(access_token=SecretStr(token))


@pytest.mark.parametrize("uri", ["ftp://a", "http://[", "http://me:pw@a", "file:///etc/passwd"])
def test_a_key_file_that_asks_for_its_token_nowhere_is_refused(uri: str) -> None:
    with pytest.raises(ValidationError):
        ServiceAccountKey(client_email="a", private_key=SecretStr("b"), token_uri=uri)
