"""Which addresses a provider may have: checked on the very address that is connected to."""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpcore

from inference.upstream.errors import AddressRefused, Explanation, UpstreamUnreachable

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
# Of the addresses of a name, how many are connected to.
MOST_TRIED = 4
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# All that the public network gives out of version 6.
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Where clouds hand out credentials beside the link-local addresses: of Amazon, Google, Alibaba,
# Oracle and Azure.
METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)


@dataclass(frozen=True)
class Policy:
    """allows_private: whether a provider may stand in a private network or on this machine.

    trusted: (host, port) that may be private in any case. Link-local addresses, and others where
    clouds hand out credentials, never may be called.
    """

    allows_private: bool = False
    trusted: frozenset[tuple[str, int]] = frozenset()

    def check(self, host: str, port: int, address: str) -> None:
        """Raises AddressRefused."""
        found = plain(address)
        if found.is_link_local:
            raise refused(host, address, "link-local", "No setting allows such an address.")
        if found in METADATA:
            raise refused(host, address, "of a cloud's own", "No setting allows such an address.")
        if is_public(found):
            return
        if self.allows_private or (host, port) in self.trusted:
            return
        raise refused(
            host,
            address,
            "private",
            "If it is meant to be called, start the server with CONSOLE_PRIVATE_UPSTREAMS=true, "
            "or give its address an entry in CONSOLE_UPSTREAM_MAP.",
        )

    def check_unresolved(self, host: str, port: int) -> None:
        """Check what can be told of a host that somebody else resolves. Raises AddressRefused."""
        try:
            found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            name = f".{host.lower().removesuffix('.')}"
            addresses = {"127.0.0.1"} if name.endswith(".localhost") else set[str]()
        else:
            addresses = {str(address[0]) for *_, address in found}
        for address in addresses:
            self.check(host, port, address)


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


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
        *others, last = addresses[:MOST_TRIED]
        # All of them together may take the time; an address that is dead takes its share of it.
        share_s = None if timeout is None else timeout / (len(others) + 1)
        for address in others:
            try:
                return super().connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(last, port, share_s, local_address, socket_options)


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
