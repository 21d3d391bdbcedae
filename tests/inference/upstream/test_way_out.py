"""Ways around the policy of addresses: the map, proxies, keys in addresses and packed bodies."""

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import httpx
import pytest
from pydantic import SecretStr

from inference.sandbox import make_sandbox
from inference.sandbox.server import serving_untrusted
from inference.upstream import door as doors
from inference.upstream.addresses import CheckedBackend, Policy
from inference.upstream.auth import NoAuth, QueryKey
from inference.upstream.deadline import Deadline
from inference.upstream.door import Door, Outside, Reply, Sender
from inference.upstream.errors import (
    AddressRefused,
    ReplyTooLarge,
    UpstreamError,
    UpstreamMalformed,
    UpstreamUnreachable,
)
from inference.upstream.mapping import OriginMap
from inference.upstream.places import url_problem
from inference.upstream.pool import Way

API = "https://api.example.com"


@dataclass
class Inside:
    """A server, or a forward proxy, on this machine that nobody should get to unasked."""

    port: int
    asked: list[str] = field(default_factory=list)
    body: bytes = b"{}"
    encoding: str = ""
    status: int = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def inside() -> Iterator[Inside]:
    with running() as server:
        yield server


@contextmanager
def running() -> Iterator[Inside]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            place.asked.append(self.path)
            self.send_response(place.status)
            self.send_header("Content-Length", str(len(place.body)))
            if place.encoding:
                self.send_header("Content-Encoding", place.encoding)
            self.end_headers()
            try:
                self.wfile.write(place.body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        place = Inside(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield place
        finally:
            server.shutdown()
            thread.join()


def ask(outside: Outside, url: str, way: Way | None = None, auth: Any = None) -> Reply:
    with closing(Door(outside)) as door:
        return ask_through(door, url, way, auth)


def ask_through(door: Door, url: str, way: Way | None = None, auth: Any = None) -> Reply:
    sender = Sender("my-endpoint", auth or NoAuth(), way or Way())
    return door.send(httpx.Request("GET", url), sender, Deadline.after(5))


# ---------------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.0.0.1", "2130706433",
        "017700000001", "0", "0.0.0.0", "localhost", "LOCALHOST", "[::1]",  # noqa: S104
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]",
    ],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_written(host: str, inside: Inside) -> None:
    with pytest.raises(AddressRefused, match="private"):
        ask(Outside(), f"http://{host}:{inside.port}/")
    assert not inside.asked


@pytest.mark.parametrize(
    "host", ["0177.0.0.1", "localhost.", "127.0.0.1.", "127.0.0.1%2e", "%31%32%37.0.0.1",
             "[::1%1]", "①②⑦.0.0.1", "xn--a", "a..b", ".a"],
)  # fmt: skip
def test_what_is_hardly_an_address_leads_nowhere(host: str, inside: Inside) -> None:
    with pytest.raises((UpstreamError, httpx.InvalidURL, UnicodeError)):
        ask(Outside(), f"http://{host}:{inside.port}/")
    assert not inside.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://me@127.0.0.1/", "http://me:pw@api.example.com/", "http://api.example.com\\@[::1]/",
        "http://0177.0.0.1/", "http://127.0.0.1%2e/", "http://[fe80::1%25eth0]/", "http://a..b/",
        "http://.a/", "http://[/", "http://①②⑦.0.0.1/", "http://xn--a/", "http://a:0/",
        "http://a:65536/", "http://a:-1/", "http://a\r\nHost: b/", "http://a/\r\nX: y", "http:///a",
        "ftp://a/", "file:///etc/passwd", "gopher://a/", "//a/", "a", "http://a\t/",
        "http://" + "a" * 64 + "/",
    ],
)  # fmt: skip
def test_an_address_that_could_mean_another_is_none(url: str) -> None:
    assert url_problem(url)


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/v1", "http://[::1]:8080", "http://a.b.:65535/@x", "http://münchen.de/",
     "http://xn--mnchen-3ya.de"],
)  # fmt: skip
def test_an_address_may_name_a_host_and_a_port(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "[fe80::1%1]", "[::ffff:a9fe:a9fe]",
             "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16"],
)  # fmt: skip
def test_where_clouds_hand_out_credentials_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(AddressRefused, match="No setting allows"):
        ask(Outside(allows_private=True), f"http://{host}/latest/meta-data/")


def test_a_name_with_one_private_address_among_others_is_refused(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(host: str, port: int, **_: Any) -> list[Any]:
        told = [(socket.AF_INET, address) for address in ("203.0.113.7", "1.1.1.1", "127.0.0.1")]
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port)) for kind, address in told]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with pytest.raises(AddressRefused):
        ask(Outside(), f"http://several.example:{inside.port}/")
    assert not inside.asked


def test_the_addresses_of_a_name_share_the_time_for_connecting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, float]] = []

    def resolved(host: str, port: int, **_: Any) -> list[Any]:
        addresses = [f"203.0.113.{number}" for number in range(20)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    def connect(self: Any, host: str, port: int, timeout: float, *_: Any) -> None:
        tried.append((host, timeout))
        raise httpcore.ConnectTimeout

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    with pytest.raises(httpcore.ConnectTimeout):
        CheckedBackend(Policy(allows_private=True)).connect_tcp("api.example.com", 443, 10)

    assert tried[0] == ("203.0.113.0", 2.5)
    assert sum(timeout for _, timeout in tried) <= 10


# ---------------------------------------------------------------------- the map


def test_a_target_of_the_map_is_only_reached_through_the_map(inside: Inside) -> None:
    outside = Outside(OriginMap({API: f"{inside.url}/gateway"}))
    with closing(Door(outside)) as door:
        assert ask_through(door, f"{API}/v1/embed").status == 200
        # An open connection to it makes no difference.
        with pytest.raises(AddressRefused):
            ask_through(door, f"{inside.url}/admin")

    assert inside.asked == ["/gateway/v1/embed"]


@pytest.mark.parametrize(
    "path", ["/%2e%2e/admin", "/v1/.%2E/.%2e/admin", "/v1%2f..%2fadmin", "/..%5cadmin", "/x/%2e"]
)
def test_no_path_climbs_out_of_a_target_of_the_map(path: str, inside: Inside) -> None:
    with pytest.raises(AddressRefused, match=r"\[\.\.\]"):
        ask(Outside(OriginMap({API: f"{inside.url}/gateway"})), f"{API}{path}")
    assert not inside.asked


@pytest.mark.parametrize("path", ["/v1/../../admin", "/v1/a..b/...", "/v1/.x?to=/../y"])
def test_a_path_with_dots_stays_below_its_target(path: str, inside: Inside) -> None:
    ask(Outside(OriginMap({API: f"{inside.url}/gateway"})), f"{API}{path}")

    assert inside.asked[0].startswith("/gateway/")


def test_a_target_may_be_an_address_of_version_6() -> None:
    origins = OriginMap({API: "http://[::1]:9901/x"})
    request = httpx.Request("GET", f"{API}/v1")

    assert origins.apply(request)
    assert origins.places == {("::1", 9901)}
    assert request.headers["Host"] == "[::1]:9901"


# ---------------------------------------------------------------------- proxies


def test_a_proxy_of_an_endpoint_is_refused_like_an_address(inside: Inside) -> None:
    with pytest.raises(AddressRefused, match="private"):
        ask(Outside(), "http://api.example.com/", Way(proxy=inside.url))

    ask(Outside(allows_private=True), "http://api.example.com/", Way(proxy=inside.url))
    assert inside.asked == ["http://api.example.com/"]


def test_a_proxy_of_an_endpoint_is_not_trusted_for_being_a_target_of_the_map(
    inside: Inside,
) -> None:
    outside = Outside(OriginMap({API: inside.url}))
    with pytest.raises(AddressRefused):
        ask(outside, f"{API}/v1", Way(proxy=inside.url))
    assert not inside.asked


def test_the_general_proxy_may_be_private_and_stays_out_of_reach_of_endpoints(
    inside: Inside,
) -> None:
    with closing(Door(Outside(way=Way(proxy=inside.url)))) as door:
        with pytest.raises(AddressRefused):
            ask_through(door, "http://api.example.com/", Way(proxy=inside.url))
        assert ask_through(door, "http://api.example.com/").status == 200
        with pytest.raises(AddressRefused):
            ask_through(door, "http://api.example.com/", Way(proxy=inside.url))
        with pytest.raises(AddressRefused):
            ask_through(door, f"{inside.url}/manager")

    assert inside.asked == ["http://api.example.com/"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f000001", "localhost", "x.localhost.", "169.254.169.254", "10.0.0.1",
     "[::1]", "[::ffff:169.254.169.254]"],
)  # fmt: skip
def test_a_proxy_is_not_asked_for_what_is_plainly_inside(host: str, inside: Inside) -> None:
    with pytest.raises(AddressRefused):
        ask(Outside(way=Way(proxy=inside.url)), f"http://{host}/")
    assert not inside.asked


# ---------------------------------------------------------------------- what is told


@pytest.mark.parametrize("origins", [{}, {"http://api.example.com": "{inside}/gateway"}])
def test_a_key_that_is_a_part_of_the_address_is_told_to_the_provider_alone(
    origins: dict[str, str], inside: Inside
) -> None:
    targets = {origin: target.format(inside=inside.url) for origin, target in origins.items()}
    outside = Outside(OriginMap(targets), Way(proxy=None if targets else inside.url))
    key = QueryKey("key", SecretStr("planted"))

    reply = ask(outside, "http://api.example.com/v1?a=b", auth=key)

    assert inside.asked[0].endswith("/v1?a=b&key=planted")
    assert reply.url == "http://api.example.com/v1?a=b"


def test_a_certificate_that_nobody_trusts_is_told_at_once() -> None:
    with serving_untrusted(make_sandbox(), "127.0.0.1") as server:
        url = f"https://127.0.0.1:{server.server_address[1]}/openai/v1/models"
        with pytest.raises(UpstreamUnreachable, match="certificate is not trusted") as told:
            ask(Outside(allows_private=True), url)

    assert "CONSOLE_UPSTREAM_CA" in told.value.explanation.what_to_do
    assert not told.value.explanation.retry_helps


# ---------------------------------------------------------------------- packed bodies


def packed(content: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        content = gzip.compress(content, 9, mtime=0)
    return content


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (packed(b"hello"), "gzip"),
        (packed(b"hel") + packed(b"lo"), "GZIP"),
        (zlib.compress(b"hello"), "deflate"),
        (b"hello", "identity"),
        (b"hello", ""),
    ],
)
def test_a_packed_body_is_unpacked(body: bytes, encoding: str, inside: Inside) -> None:
    inside.body, inside.encoding = body, encoding

    assert ask(Outside(allows_private=True), inside.url).content == b"hello"


def test_a_small_body_that_unpacks_to_an_enormous_one_is_given_up_within_little_memory(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "MOST_REPLY_BYTES", 1 << 20)
    inside.body, inside.encoding = packed(b" " * (64 << 20)), "gzip"
    assert len(inside.body) < 1 << 17

    tracemalloc.start()
    try:
        with pytest.raises(ReplyTooLarge):
            ask(Outside(allows_private=True), inside.url)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 8 << 20


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (packed(b"{}", 2), "gzip, gzip"),
        (b"{}", "br"),
        (b"{}", "gzip"),
        (packed(b"{}") + b"more", "gzip"),
    ],
)
def test_what_is_packed_as_nobody_asked_for_is_refused(
    body: bytes, encoding: str, inside: Inside
) -> None:
    inside.body, inside.encoding = body, encoding
    with pytest.raises(UpstreamMalformed, match="unpacked"):
        ask(Outside(allows_private=True), inside.url)

    inside.status = 503
    assert ask(Outside(allows_private=True), inside.url).status == 503


def test_of_an_enormous_failure_only_the_beginning_is_read(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "MOST_ERROR_BYTES", 1000)
    inside.body, inside.encoding, inside.status = packed(b"a" * (1 << 20)), "gzip", 400

    assert ask(Outside(allows_private=True), inside.url).content == b"a" * 1000
