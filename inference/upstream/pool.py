"""Connections to providers: kept open, shared by threads, and made only to checked addresses."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpcore
import httpx

from inference.upstream.addresses import CheckedBackend, Policy
from inference.upstream.places import port_of
from inference.upstream.unpacking import unpacked

MOST_CONNECTIONS = 1000
MOST_IDLE = 100
IDLE_S = 60.0


@dataclass(frozen=True)
class Way:
    """How a provider is reached. proxy: an http:// address. ca: PEM, beside the public ones."""

    proxy: str | None = None
    ca: str | None = None


class PooledTransport(httpx.BaseTransport):
    """httpx's own transport, over a pool that connects as the policy allows.

    A proxy resolves names itself: of a provider behind one only an address written as such is
    checked, beside the place of the proxy.
    """

    def __init__(self, way: Way, targets: Policy, proxies: Policy) -> None:
        """targets, proxies: where requests may go, and where a proxy on their way may be."""
        backend = CheckedBackend(proxies if way.proxy else targets)
        self._unresolved = targets if way.proxy else None
        trust = trusted(way.ca)
        if way.proxy is None:
            self._pool = httpcore.ConnectionPool(
                ssl_context=trust,
                max_connections=MOST_CONNECTIONS,
                max_keepalive_connections=MOST_IDLE,
                keepalive_expiry=IDLE_S,
                network_backend=backend,
            )
            return
        proxy = httpx.Proxy(way.proxy)
        self._pool = httpcore.HTTPProxy(
            proxy_url=httpcore.URL(
                scheme=proxy.url.raw_scheme,
                host=proxy.url.raw_host,
                port=proxy.url.port,
                target=proxy.url.raw_path,
            ),
            proxy_auth=proxy.raw_auth,
            ssl_context=trust,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=IDLE_S,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise TypeError("a request with a body for asynchronous code")
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        if self._unresolved:
            self._unresolved.check_unresolved(request.url.raw_host.decode(), port_of(request.url))
        with httpx_errors():
            answer = self._pool.handle_request(asked)
        headers = httpx.Headers(answer.headers)
        encoding = headers.pop("Content-Encoding", "")
        return httpx.Response(
            answer.status,
            headers=headers,
            stream=Body(answer, encoding),
            extensions=answer.extensions,
            request=request,
        )

    def close(self) -> None:
        self._pool.close()


class Body(httpx.SyncByteStream):
    """The body of an answer, unpacked."""

    def __init__(self, answer: httpcore.Response, encoding: str) -> None:
        self._answer, self._encoding = answer, encoding

    def __iter__(self) -> Iterator[bytes]:
        with httpx_errors():
            yield from unpacked(self._answer.iter_stream(), self._encoding)

    def close(self) -> None:
        self._answer.close()


@contextmanager
def httpx_errors() -> Iterator[None]:
    """The pool's failures under httpx's names for them, which are the same words."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as exc:
        named: type[httpx.TransportError] = getattr(httpx, type(exc).__name__)
        raise named(str(exc)) from exc


def trusted(ca: str | None) -> ssl.SSLContext:
    """Whose certificates are believed: the public ones, the system's, and one more."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    if ca is not None:
        context.load_verify_locations(cadata=ca)
    return context
