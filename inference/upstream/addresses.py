"""Which addresses a provider may have: checked on the very address that is connected to."""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpcore

from inference.upstream.errors import AddressRefused, Explanation, UpstreamUnreachable

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Policy:
    """allows_private: whether a provider may stand in a private network or on this machine.

    trusted: (host, port) that may be private in any case. Link-local addresses, where clouds hand
    out credentials, never may.
    """

    allows_private: bool = False
    trusted: frozenset[tuple[str, int]] = frozenset()

    def check(self, host: str, port: int, address: str) -> None:
        """Raises AddressRefused."""
        found = plain(address)
        if found.is_link_local:
            raise refused(host, address, "link-local", "No setting allows such an address.")
        if found.is_global and not found.is_multicast:
            return
        if self.allows_private or (host, port) in self.trusted:
            return
        raise refused(
            host,
            address,
            "private",
            "If it is meant to be called, start the server with CONSOLE_PRIVATE_UPSTREAMS=true, "
            "or name the place in CONSOLE_UPSTREAM_MAP.",
        )


def plain(address: str) -> Address:
    """An address, or the one of version 4 that it stands for."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return found.ipv4_mapped or found.sixtofour or found
    return found


def refused(host: str, address: str, kind: str, advice: str) -> AddressRefused:
    return AddressRefused(
        f"Invalid host [{host}], its address [{address}] is {kind} and must not be called. "
        f"{advice}",
        Explanation(f"The provider's address is {kind}.", advice, retry_helps=False),
    )


class CheckedBackend(httpcore.SyncBackend):
    """Resolves a name once, checks what it found, and connects to that and nothing else."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port)
        for address in addresses:
            self._policy.check(host, port, address)
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, at least one. Raises UpstreamUnreachable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UpstreamUnreachable(
            f"Invalid host [{host}], please check that the URL is correct.",
            Explanation(
                f"The name [{host}] cannot be resolved.",
                "Check the host in the settings, and that this machine can resolve names.",
                retry_helps=False,
            ),
        ) from exc
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
