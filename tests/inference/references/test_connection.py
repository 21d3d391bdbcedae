"""How a cluster may be reached: what is refused before anybody is asked."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from inference.errors import InvalidSettings
from inference.references.connection import Connection
from tests.elastic import make_authority


def problems(url: str = "https://es", key: str | None = None, certificate: str = "") -> str:
    with pytest.raises(InvalidSettings) as refused:
        Connection(url, SecretStr(key) if key is not None else None, certificate).check()
    return " ".join(refused.value.problems)


@pytest.mark.parametrize(
    "url",
    [
        "https://es.example.org",
        "http://localhost:9200",
        "https://10.0.0.1:9243/es/",
        "http://[::1]:9200",
        "https://exämple.org",
    ],
)
def test_web_addresses_are_taken_private_ones_too(url: str) -> None:
    Connection(url).check()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must begin with http:// or https://"),
        ("es:9200", "must begin with http:// or https://"),
        ("ftp://es", "must begin with http:// or https://"),
        ("file:///etc/passwd", "must begin with http:// or https://"),
        ("https://", "must name a host"),
        ("https://a b", "must name a host"),
        ("https://es:0", "must name a host"),
        ("https://es:99999", "must name a host"),
        ("https://es:x", "is no address"),
        ("https://es\n", "is no address"),
        ("https://elastic:secret@es", "must not hold a name or a password"),
        ("https://es/?a=1", "without ? or #"),
        ("https://es/#a", "without ? or #"),
        ("http://169.254.169.254", "link-local"),
        ("http://[fe80::1]", "link-local"),
        ("http://[::ffff:169.254.169.254]", "link-local"),
        ("https://" + "a" * 1024, "1024 characters at most"),
    ],
)
def test_a_bad_address_is_refused_in_words(url: str, words: str) -> None:
    told = problems(url)

    assert told.startswith("[url] ")
    assert words in told


@pytest.mark.parametrize("key", ["", "a b", "ApiKey abc", "a\nb", "kéy", "a" * 5000, "Basic a b"])
def test_a_bad_key_is_refused_and_not_repeated(key: str) -> None:
    told = problems(key=key)

    assert told.startswith("[api_key] ")
    assert not key or key not in told


@pytest.mark.parametrize("key", ["abc==", "id:se/cret+", "Basic dTpw", "Bearer a.b-c"])
def test_keys_come_in_several_forms(key: str) -> None:
    Connection("https://es", SecretStr(key)).check()


def test_a_certificate_must_be_one(tmp_path: Path) -> None:
    good = make_authority(tmp_path, "es").certificate
    Connection("https://es", None, good).check()

    damaged = good.replace("\n", "\nx", 3)
    for bad in ("hello", damaged, "é", "-----BEGIN CERTIFICATE-----"):
        assert problems(certificate=bad).startswith("[ca_certificate] must be a certificate")
    assert "private key" in problems(certificate=(tmp_path / "server.pem").read_text())
    assert "characters at most" in problems(certificate="x" * 100_001)


def test_everything_wrong_is_told_at_once() -> None:
    told = problems("ftp://es", "a b", "hello")

    assert [name in told for name in ("[url]", "[api_key]", "[ca_certificate]")] == [True] * 3


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://es", "https://es:443/a", True),
        ("https://es", "http://es", False),
        ("https://es", "https://es:9200", False),
        ("https://es", "https://ES", True),
        ("https://es", "https://es.example.org", False),
    ],
)
def test_the_origin_tells_who_gets_the_key(one: str, other: str, is_same: bool) -> None:
    assert (Connection(one).origin == Connection(other).origin) == is_same
