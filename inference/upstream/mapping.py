"""Where calls go instead: an egress gateway, recorded replies, the sandbox."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import httpx

from inference.upstream.errors import AddressRefused, Explanation
from inference.upstream.places import place_of, port_of, url_problem

MOST_ADDRESSES = 1000
# A part of a path that a server may take for a way up, however it is written.
CLIMBS = re.compile(rb"(?:/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:/|\\|%2f|%5c|$)", re.IGNORECASE)


@dataclass(frozen=True)
class OriginMap:
    """Origins, each with the origin and path prefix that takes its place.

    The host of a key may begin with `*.`, for all below a name; of several that fit, the one
    written first holds.
    """

    targets: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError, with the entry that cannot be used."""
        for origin, target in self.targets.items():
            for text in (origin.replace("://*.", "://any.", 1), target):
                why = url_problem(text)
                if why is None and any(sign in text for sign in "*?#"):
                    why = "a * may stand for what is before a name, and nothing follows the path"
                if why:
                    # Without the target: what stands before an @ may be a password.
                    raise ValueError(f"the entry of [{origin}] holds what is no address: {why}")
            if httpx.URL(origin.replace("://*.", "://", 1)).path.strip("/"):
                raise ValueError(f"[{origin}] must be an origin, without a path")

    @property
    def places(self) -> frozenset[tuple[str, int]]:
        """Host and port of every target."""
        return frozenset(map(place_of, self.targets.values()))

    def target_of(self, url: httpx.URL) -> str | None:
        asked = f"{url.scheme}://{url.raw_host.decode()}:{port_of(url)}"
        for origin, target in self.targets.items():
            if _pattern(origin).fullmatch(asked):
                return target
        return None

    def apply(self, request: httpx.Request) -> bool:
        """Send a request elsewhere where the map says so; told is where it was meant to go.

        Returns whether it does. Raises AddressRefused for a path that leads out of the target's.
        """
        target = self.target_of(request.url)
        if target is None:
            return False
        meant = request.url
        request.url = _moved(meant, target)
        request.headers["Host"] = request.url.netloc.decode()
        request.headers["X-Forwarded-Host"] = meant.netloc.decode()
        request.headers["X-Forwarded-Proto"] = meant.scheme
        return True


@lru_cache(MOST_ADDRESSES)
def _moved(meant: httpx.URL, target: str) -> httpx.URL:
    """Raises AddressRefused."""
    if CLIMBS.search(meant.raw_path.partition(b"?")[0]):
        raise leads_out(meant)
    place = httpx.URL(target)
    return place.copy_with(raw_path=place.raw_path.rstrip(b"/") + meant.raw_path)


def leads_out(url: httpx.URL) -> AddressRefused:
    return AddressRefused(
        f"Invalid address of [{url.host}]: a part of its path is [.] or [..]",
        Explanation(
            "The path of the address may lead elsewhere.",
            "Enter the address, the model or the deployment without such a part.",
            retry_helps=False,
        ),
    )


@cache
def _pattern(origin: str) -> re.Pattern[str]:
    is_open = "://*." in origin
    url = httpx.URL(origin.replace("://*.", "://", 1))
    host = re.escape(url.raw_host.decode())
    below = r"[^/:]+\." if is_open else ""
    return re.compile(f"{url.scheme}://{below}{host}:{port_of(url)}")
