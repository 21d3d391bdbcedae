"""The way to a connected cluster: where it is, how it is trusted, and what can go wrong there."""

import ipaddress
import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from pydantic import SecretStr

from inference.errors import InferenceError, InvalidSettings
from inference.upstream.places import DEFAULT_PORTS, MOST_PORT, certificate_problem

CONNECT_TIMEOUT_S = 10.0
MAX_REPLY_BYTES = 64 * 1024 * 1024
MAX_URL_LENGTH, MAX_KEY_LENGTH = 1024, 4096
API_KEY = re.compile(r"[!-~]+( [!-~]+)?")
OTHER_SCHEMES = ("Basic ", "Bearer ")


class ScanFailed(InferenceError):
    """A cluster could not be asked, or its answer is of no use; the reason says why."""

    status = 502


@dataclass(frozen=True)
class Connection:
    """Where a cluster is, and what it is asked with.

    api_key: as Elasticsearch shows it, encoded or as `id:key`; one that begins with `Basic ` or
    `Bearer ` is sent as it is. ca_certificate: PEM; the public ones and the system's hold where
    it is empty.
    """

    url: str
    api_key: SecretStr | None = None
    ca_certificate: str = ""

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Who gets to see the key: scheme, host and port."""
        url = httpx.URL(self.url)
        return url.scheme, url.host, url.port or DEFAULT_PORTS.get(url.scheme)

    def check(self) -> None:
        """Raises InvalidSettings, with all that is wrong, each with the name of its field."""
        problems = (
            *self._url_problems(),
            *self._key_problems(),
            *self._certificate_problems(),
        )
        if problems:
            raise InvalidSettings(problems)

    def authorization(self) -> dict[str, str]:
        """The header that proves who asks."""
        if self.api_key is None:
            return {}
        key = self.api_key.get_secret_value()
        if not key.startswith(OTHER_SCHEMES):
            encoded = b64encode(key.encode()).decode() if ":" in key else key
            key = f"ApiKey {encoded}"
        return {"Authorization": key}

    def trust(self) -> ssl.SSLContext:
        """Whose certificates are believed."""
        if httpx.URL(self.url).scheme == "http":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # asked for nothing, and made at once
        if not self.ca_certificate:
            context = httpx.create_ssl_context(trust_env=False)
            context.load_default_certs()
            return context
        return ssl.create_default_context(cadata=self.ca_certificate)

    def _url_problems(self) -> Iterator[str]:
        if len(self.url) > MAX_URL_LENGTH:
            yield f"[url] may have {MAX_URL_LENGTH} characters at most"
            return
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as exc:
            yield f"[url] is no address: {exc}"
            return
        port = DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
        if port is None or url.scheme not in DEFAULT_PORTS:
            yield "[url] must begin with http:// or https://"
        elif not url.host or "%" in url.host or not 0 < port <= MOST_PORT:
            yield "[url] must name a host, and a port where it is not the usual one"
        elif url.userinfo:
            yield "[url] must not hold a name or a password; give an API key"
        elif url.query or url.fragment:
            yield "[url] must end with the path, without ? or #"
        elif _is_link_local(url.host):
            yield "[url] must not be a link-local address"

    def _key_problems(self) -> Iterator[str]:
        if self.api_key is None:
            return
        key = self.api_key.get_secret_value()
        if len(key) > MAX_KEY_LENGTH or not API_KEY.fullmatch(key):
            yield "[api_key] is none: it has blanks, line breaks or other signs that no key has"
        elif " " in key and not key.startswith(OTHER_SCHEMES):
            yield "[api_key] is none: write it without [ApiKey] before it"

    def _certificate_problems(self) -> Iterator[str]:
        if not self.ca_certificate:
            return
        if problem := certificate_problem(self.ca_certificate):
            yield f"[ca_certificate] {problem}"


class Line:
    """A line to a cluster for a few questions, all of which must be answered in time.

    It goes to the very addresses that were checked, through no proxy, and follows no redirect.
    """

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        """Raises ScanFailed."""
        self._url = httpx.URL(connection.url.rstrip("/"))
        self._timeout_s, self._deadline = timeout_s, time.monotonic() + timeout_s
        self.host = self._url.netloc.decode()
        self._addresses = self._resolve()
        self._client = httpx.Client(
            verify=connection.trust(),
            trust_env=False,
            headers={"Host": self.host, "Accept-Encoding": "gzip", **connection.authorization()},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, route: str) -> tuple[int, bytearray]:
        """Status and body of a reply, which is none of those that mean a wrong address or key.

        Raises ScanFailed.
        """
        try:
            return self._from_any_address(route)
        except (httpx.HTTPError, OSError) as exc:
            raise ScanFailed(self._in_words(exc)) from exc

    def _from_any_address(self, route: str) -> tuple[int, bytearray]:
        for address in self._addresses[:-1]:
            try:
                return self._receive(address, route)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                self._addresses.remove(address)
        return self._receive(self._addresses[0], route)

    def _receive(self, address: str, route: str) -> tuple[int, bytearray]:
        left_s = max(self._deadline - time.monotonic(), 0.001)
        with self._client.stream(
            "GET",
            httpx.URL(f"{self._url}{route}").copy_with(host=address),
            timeout=httpx.Timeout(left_s, connect=min(left_s, CONNECT_TIMEOUT_S)),
            extensions={"sni_hostname": self._url.raw_host.decode()},
        ) as response:
            self._check_status(response)
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_REPLY_BYTES:
                    limit = MAX_REPLY_BYTES // (1024 * 1024)
                    raise ScanFailed(f"[{self.host}] answered with more than {limit} MiB")
                if time.monotonic() > self._deadline:
                    raise ScanFailed(self._too_slow)
            return response.status_code, body

    def _check_status(self, response: httpx.Response) -> None:
        if response.status_code == 401:
            raise ScanFailed(
                f"[{self.host}] refuses the API key (401): it is missing, wrong, expired or revoked"
            )
        if response.is_redirect:
            raise ScanFailed(
                f"[{self.host}] sends elsewhere (status {response.status_code}); "
                "give the address that it leads to"
            )

    def _resolve(self) -> list[str]:
        port = self._url.port or DEFAULT_PORTS[self._url.scheme]
        try:
            found = socket.getaddrinfo(self._url.raw_host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise ScanFailed(f"the name [{self._url.host}] cannot be resolved") from exc
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if refused := [address for address in addresses if _is_link_local(address)]:
            raise ScanFailed(
                f"[{self._url.host}] has the link-local address [{refused[0]}], "
                "where no cluster is asked"
            )
        return addresses

    @property
    def _too_slow(self) -> str:
        return f"[{self.host}] did not answer within {self._timeout_s:g} s"

    def _in_words(self, exc: BaseException) -> str:
        cause: BaseException = exc
        while cause.__cause__ or cause.__context__:
            cause = cause.__cause__ or cause.__context__ or cause
        match exc, cause:
            case httpx.ConnectError(), ssl.SSLCertVerificationError():
                return (
                    f"the certificate of [{self.host}] is not trusted ({cause.verify_message}); "
                    "give the certificate of the CA that signed it"
                )
            case httpx.ConnectError(), ssl.SSLError():
                return f"[{self.host}] does not speak TLS; is it http:// instead of https://?"
            case httpx.ConnectError(), ConnectionRefusedError():
                return f"[{self.host}] refuses the connection: nothing listens there"
            case httpx.ConnectTimeout(), _:
                return f"[{self.host}] cannot be reached: no connection within the time allowed"
            case httpx.TimeoutException(), _:
                return self._too_slow
            case httpx.RemoteProtocolError() | httpx.ReadError(), _:
                return (
                    f"[{self.host}] broke off or does not speak HTTP; "
                    "is it https:// instead of http://?"
                )
            case httpx.DecodingError(), _:
                return f"[{self.host}] answered with something that cannot be unpacked"
        return f"[{self.host}] cannot be reached: {cause}"


def _is_link_local(host: str) -> bool:
    """Whether this is such an address; a name is none."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_link_local
