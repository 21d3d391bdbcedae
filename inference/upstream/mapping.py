"""Where calls go instead: an egress gateway, recorded replies, the sandbox."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import httpx

DEFAULT_PORTS = {"http": 80, "https": 443}


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
            for text in (origin, target):
                url = httpx.URL(text)
                if url.scheme not in DEFAULT_PORTS or not url.host:
                    raise ValueError(f"[{text}] is no http:// or https:// address")
            if httpx.URL(origin).path.strip("/"):
                raise ValueError(f"[{origin}] must be an origin, without a path")

    @property
    def places(self) -> frozenset[tuple[str, int]]:
        """Host and port of every target."""
        return frozenset((url.host, port_of(url)) for url in map(httpx.URL, self.targets.values()))

    def target_of(self, url: httpx.URL) -> str | None:
        asked = f"{url.scheme}://{url.host}:{port_of(url)}"
        for origin, target in self.targets.items():
            if _pattern(origin).fullmatch(asked):
                return target
        return None

    def apply(self, request: httpx.Request) -> None:
        """Send a request elsewhere where the map says so; told is where it was meant to go."""
        target = self.target_of(request.url)
        if target is None:
            return
        meant, place = request.url, httpx.URL(target)
        path = place.raw_path.rstrip(b"/") + meant.raw_path
        request.url = place.copy_with(raw_path=path)
        request.headers["Host"] = place.netloc.decode()
        request.headers["X-Forwarded-Host"] = meant.netloc.decode()
        request.headers["X-Forwarded-Proto"] = meant.scheme


def port_of(url: httpx.URL) -> int:
    return url.port or DEFAULT_PORTS[url.scheme]


@cache
def _pattern(origin: str) -> re.Pattern[str]:
    url = httpx.URL(origin.replace("*.", "any.", 1))
    is_open = "*." in origin
    host = re.escape(url.host.removeprefix("any.") if is_open else url.host)
    below = r"[^/:]+\." if is_open else ""
    return re.compile(f"{url.scheme}://{below}{host}:{port_of(url)}")
