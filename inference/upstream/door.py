"""Sends requests to providers: in time, of limited size, to allowed addresses, never redirected."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import ValidationError

from inference.upstream import failures
from inference.upstream.addresses import Policy
from inference.upstream.auth import Auth, Grant, Token, TokenAuth
from inference.upstream.deadline import Deadline
from inference.upstream.errors import UpstreamError
from inference.upstream.limiting import Limiter
from inference.upstream.mapping import OriginMap
from inference.upstream.places import place_of
from inference.upstream.pool import PooledTransport, Way
from inference.upstream.tokens import TokenStore
from inference.upstream.unpacking import ENCODING

CONNECT_TIMEOUT_S = 10.0
# How long a provider may be silent within a stream that has begun.
SILENCE_S = 120.0
MOST_REPLY_BYTES = 256 * 1024 * 1024
MOST_ERROR_BYTES = 64 * 1024
MOST_WAYS = 64
USER_AGENT = "inference-console"


@dataclass(frozen=True)
class Outside:
    """How this installation reaches providers.

    way: the proxy and the CA that hold where an endpoint has none of its own.
    """

    origins: OriginMap = field(default_factory=OriginMap)
    way: Way = field(default_factory=Way)
    allows_private: bool = False

    def way_for(self, own: Way) -> Way:
        """How a provider is reached: an endpoint's own way before the general one."""
        return Way(own.proxy or self.way.proxy, own.ca or self.way.ca)

    # Whoever runs the installation says where its proxy and the targets of its map are. Calls that
    # were not sent there by it, and proxies of endpoints, get no further for that.

    def target_policy(self, is_mapped: bool) -> Policy:
        """Where calls may go."""
        return Policy(self.allows_private, self.origins.places if is_mapped else frozenset())

    def proxy_policy(self, own: Way) -> Policy:
        """Where the proxy of calls may be, which is the endpoint's own or the general one."""
        general = self.way.proxy if own.proxy is None else None
        return Policy(self.allows_private, frozenset({place_of(general)} if general else ()))


@dataclass(frozen=True)
class Sender:
    """On whose behalf a request is sent: for reasons of failures, and how it is reached."""

    inference_id: str
    auth: Auth
    way: Way = field(default_factory=Way)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    content: bytes
    url: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Door:
    """The one way out. Any number of threads may use it at once."""

    def __init__(
        self,
        outside: Outside | None = None,
        limiter: Limiter | None = None,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """transport: takes the place of connections, in tests."""
        self.outside = outside or Outside()
        self.limiter = limiter or Limiter()
        self.wait = wait
        self._transport = transport
        self._transports: OrderedDict[tuple[Way, bool, bool], httpx.BaseTransport] = OrderedDict()
        self._tokens = TokenStore()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections; calls that are still on them break off."""
        with self._lock:
            for transport in self._transports.values():
                transport.close()
            self._transports.clear()

    def send(self, request: httpx.Request, sender: Sender, deadline: Deadline) -> Reply:
        """One attempt: a whole reply, of whatever status. Raises UpstreamError."""
        with self.open(request, sender, deadline) as response:
            return self.read(response, sender, deadline)

    @contextmanager
    def open(
        self,
        request: httpx.Request,
        sender: Sender,
        deadline: Deadline,
        *,
        is_stream: bool = False,
    ) -> Iterator[httpx.Response]:
        """A reply whose body is still to be read. Raises UpstreamError.

        is_stream: the time is that until it begins; then it must only not fall silent.
        """
        request.headers.setdefault("User-Agent", USER_AGENT)
        request.headers.setdefault("Accept-Encoding", "identity" if is_stream else ENCODING)
        # Told is where it was meant to go, and without a key that is a part of the address.
        meant = request.url
        sender.auth.sign(request, SenderTokens(self, sender, deadline))
        if deadline.is_over:
            raise failures.timed_out(meant, sender.inference_id)
        is_mapped = self.outside.origins.apply(request)
        # The pool looks at these when it reads, so that they can still be changed then.
        limits = timeouts(deadline)
        request.extensions = {**request.extensions, "timeout": limits}
        try:
            response = self._transport_for(sender.way, is_mapped).handle_request(request)
        except httpx.TransportError as exc:
            raise failures.unreachable(exc, meant, sender.inference_id) from exc
        with closing(response):
            response.request = httpx.Request(request.method, meant)
            is_streamed = is_stream and response.is_success
            limits["read"] = SILENCE_S if is_streamed else timeouts(deadline)["read"]
            yield response

    def read(self, response: httpx.Response, sender: Sender, deadline: Deadline) -> Reply:
        """The body of a reply, in time and up to a size. Raises UpstreamError."""
        url, most = response.request.url, MOST_REPLY_BYTES
        if not response.is_success:
            most = MOST_ERROR_BYTES
        content = bytearray()
        try:
            for piece in response.iter_bytes():
                content += piece
                if len(content) > most:
                    if response.is_success:
                        raise failures.too_large(url, sender.inference_id, most)
                    break
                if deadline.is_over:
                    raise failures.timed_out(url, sender.inference_id)
        except httpx.DecodingError as exc:
            if response.is_success:
                raise failures.malformed(url, sender.inference_id, "it cannot be unpacked") from exc
        except httpx.TransportError as exc:
            raise failures.unreachable(exc, url, sender.inference_id) from exc
        del content[most:]
        return Reply(response.status_code, response.headers, bytes(content), str(url))

    def fetch(self, grant: Grant, sender: Sender, deadline: Deadline) -> Token:
        """A token. Raises UpstreamError."""
        request = grant.request()
        url = request.url
        try:
            reply = self.send(
                request, Sender(sender.inference_id, failures.NO_AUTH, sender.way), deadline
            )
        except UpstreamError as exc:
            raise failures.no_token(grant, sender.inference_id, exc) from exc
        if not reply.is_success:
            raise failures.token_refused(grant, sender.inference_id, reply.status, str(url))
        try:
            return Token.model_validate_json(reply.content)
        except ValidationError:
            pass
        raise failures.malformed(url, sender.inference_id, "it holds no access token")

    def token(self, grant: Grant, sender: Sender, deadline: Deadline) -> str:
        return self._tokens.get(grant, lambda grant: self.fetch(grant, sender, deadline))

    def forget_token(self, auth: Auth) -> None:
        """After a 401: what was sent is worth nothing any more."""
        if isinstance(auth, TokenAuth):
            self._tokens.forget(auth.grant)

    def _transport_for(self, own: Way, is_mapped: bool) -> httpx.BaseTransport:
        if self._transport is not None:
            return self._transport
        way = self.outside.way_for(own)
        # What is trusted for one kind of call must not be reached by another.
        kind = (way, own.proxy is not None, is_mapped)
        with self._lock:
            found = self._transports.get(kind)
            if found is None:
                found = self._transports[kind] = PooledTransport(
                    way, self.outside.target_policy(is_mapped), self.outside.proxy_policy(own)
                )
            self._transports.move_to_end(kind)
            if len(self._transports) > MOST_WAYS:
                # Not closed: calls may be on it. Its idle connections end by themselves.
                self._transports.popitem(last=False)
            return found


@dataclass(frozen=True)
class SenderTokens:
    """The tokens of one sender, for its auth to ask."""

    door: Door
    sender: Sender
    deadline: Deadline

    def get(self, grant: Grant) -> str:
        return self.door.token(grant, self.sender, self.deadline)


def timeouts(deadline: Deadline) -> dict[str, float]:
    left_s = max(deadline.left_s, 0.001)
    connect_s = min(left_s, CONNECT_TIMEOUT_S)
    silence_s = min(left_s, SILENCE_S)
    return {"connect": connect_s, "read": silence_s, "write": silence_s, "pool": silence_s}
