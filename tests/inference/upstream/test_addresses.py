"""Where a provider may be: judged by the address that is connected to, not by the name."""

import socket
from contextlib import closing
from typing import Any

import httpx
import pytest

from inference.sandbox import make_sandbox
from inference.sandbox.server import serving
from inference.upstream.addresses import CheckedBackend, Policy, plain
from inference.upstream.auth import NoAuth
from inference.upstream.deadline import Deadline
from inference.upstream.door import Door, Outside, Sender
from inference.upstream.errors import AddressRefused, UpstreamUnreachable
from inference.upstream.mapping import OriginMap

SENDER = Sender("my-endpoint", NoAuth())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::",
        "224.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_a_private_address_is_refused_unless_it_is_allowed(address: str) -> None:
    with pytest.raises(AddressRefused, match="CONSOLE_PRIVATE_UPSTREAMS"):
        Policy().check("api.example.com", 443, address)

    Policy(allows_private=True).check("api.example.com", 443, address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]
)
def test_a_link_local_address_is_refused_in_any_case(address: str) -> None:
    everything = Policy(allows_private=True, trusted=frozenset({("metadata", 80)}))

    with pytest.raises(AddressRefused, match="link-local"):
        everything.check("metadata", 80, address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_fine(address: str) -> None:
    Policy().check("api.example.com", 443, address)


def test_an_address_that_stands_for_another_is_judged_by_that() -> None:
    assert str(plain("64:ff9b::102:304")) == "1.2.3.4"


def test_a_name_that_leads_to_this_machine_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def resolved(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with serving(make_sandbox()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        url = f"http://rebound.example:{server.server_address[1]}/openai/v1/models"
        with pytest.raises(AddressRefused, match="private"):
            Door().send(httpx.Request("GET", url), SENDER, Deadline.after(5))

        assert asked == ["rebound.example"]
        assert not server.sandbox.seen["openai"]


def test_a_name_is_resolved_once_and_connected_to_as_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter(["203.0.113.7", "127.0.0.1"])

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    connected: list[str] = []

    def connect(self: Any, host: str, *_: Any, **__: Any) -> None:
        connected.append(host)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    CheckedBackend(Policy(allows_private=True)).connect_tcp("api.example.com", 443)

    assert connected == ["203.0.113.7"]


def test_a_name_that_nobody_knows_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(UpstreamUnreachable, match="check that the URL is correct") as told:
        Door().send(
            httpx.Request("GET", "https://no-such-host.invalid/"), SENDER, Deadline.after(5)
        )

    assert told.value.status == 400
    assert not told.value.explanation.retry_helps


def test_a_mapped_target_may_be_private() -> None:
    with serving(make_sandbox()) as server:
        origins = OriginMap({"https://api.openai.com": f"{server.place}/openai"})
        request = httpx.Request(
            "GET", "https://api.openai.com/v1/models", headers={"Authorization": "Bearer k"}
        )
        with closing(Door(Outside(origins))) as door:
            reply = door.send(request, SENDER, Deadline.after(5))

        (seen,) = server.sandbox.seen["openai"]
    assert reply.status == 200
    assert str(seen.url) == "https://api.openai.com/v1/models"


def test_a_redirect_is_not_followed() -> None:
    def leads_elsewhere(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})

    door = Door(transport=httpx.MockTransport(leads_elsewhere))
    reply = door.send(httpx.Request("GET", "https://api.example.com/"), SENDER, Deadline.after(5))

    assert reply.status == 302
