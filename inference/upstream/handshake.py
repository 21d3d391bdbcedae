"""A connection to a provider, made step by step as the pool makes it, to see which step fails."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpcore
import httpx
from cryptography import x509

from inference.upstream.addresses import CheckedBackend, Policy
from inference.upstream.failures import connection_in_words, root_of
from inference.upstream.places import port_of
from inference.upstream.pool import Way, httpx_errors, trusted

RENEWED_BEFORE = timedelta(days=14)
MOST_NAMES = 5
OWN_CA = (
    "its certificate is signed by nobody who is trusted here",
    "Where the provider, or a proxy that looks into calls, has a CA of its own: name its "
    "certificate in CONSOLE_UPSTREAM_CA, or in the endpoint's [ca_certificate].",
)
# What is wrong with a certificate, and what to do, by OpenSSL's number for it.
DISTRUST = {
    9: ("its certificate is not valid yet", "See whether this machine's clock is right."),
    10: (
        "its certificate has expired",
        "The provider has to renew it; see whether this machine's clock is right, too.",
    ),
    **dict.fromkeys((18, 19, 20, 21), OWN_CA),
    62: (
        "its certificate is for other hosts",
        "Check the host in the settings; something on the way may answer in its place.",
    ),
}


class NoConnection(Exception):
    """A step of a connection failed. what_to_do: by whoever runs the installation."""

    def __init__(self, why: str, what_to_do: str) -> None:
        super().__init__(why)
        self.what_to_do = what_to_do


@dataclass(frozen=True)
class Certificate:
    """What a certificate says of itself, believed or not. names: the hosts that it is for."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    expires_at: datetime

    @classmethod
    def of(cls, der: bytes) -> "Certificate":
        found = x509.load_der_x509_certificate(der)
        return cls(
            _name(found.subject), _name(found.issuer), _hosts(found), found.not_valid_after_utc
        )

    @property
    def left(self) -> timedelta:
        return self.expires_at - datetime.now(UTC)

    @property
    def is_about_to_expire(self) -> bool:
        return self.left < RENEWED_BEFORE

    @property
    def facts(self) -> dict[str, str]:
        """What people ask about it, in words."""
        shown = self.names[:MOST_NAMES]
        more = len(self.names) - len(shown)
        hosts = ", ".join(shown) + (f" and {more} more" if more else "")
        return {
            "certificate": self.subject,
            "valid_for": hosts or "no host",
            "issued_by": self.issuer,
            "expires": f"{self.expires_at:%d %B %Y, %H:%M} UTC".removeprefix("0"),
        }


@dataclass(frozen=True)
class Handshake:
    """protocol: the version of TLS."""

    protocol: str
    certificate: Certificate


@dataclass(frozen=True)
class Connector:
    """Connects as a call to this address would, over the same proxy and to the same addresses.

    targets, proxies: where calls may go, and where a proxy on their way may be.
    """

    url: httpx.URL
    way: Way
    targets: Policy
    proxies: Policy

    @property
    def host(self) -> str:
        return self.url.raw_host.decode("ascii")

    @property
    def is_encrypted(self) -> bool:
        return self.url.scheme == "https"

    @property
    def proxy(self) -> httpx.Proxy | None:
        return None if self.way.proxy is None else httpx.Proxy(self.way.proxy)

    @property
    def place(self) -> str:
        """What is connected to, the proxy if there is one: host and port."""
        url = self.proxy.url if self.proxy else self.url
        return f"{url.host}:{port_of(url)}"

    def connect(self, timeout_s: float) -> httpcore.NetworkStream:
        """A connection to the host, or through a proxy, before anything is encrypted.

        Raises NoConnection, AddressRefused, and UpstreamUnreachable for an unknown name.
        """
        backend = CheckedBackend(self.proxies if self.proxy else self.targets)
        try:
            with httpx_errors():
                if self.proxy is None:
                    return backend.connect_tcp(self.host, port_of(self.url), timeout_s)
                url = self.proxy.url
                host = url.raw_host.decode("ascii")
                stream = backend.connect_tcp(host, port_of(url), timeout_s)
                return self._tunnel(stream, self.proxy, timeout_s) if self.is_encrypted else stream
        except httpx.ProxyError as exc:
            raise NoConnection(
                f"the proxy at [{self.place}] does not let the call through: {exc}",
                "Check the proxy's rules, and its name and password, which stand in its address.",
            ) from exc
        except httpx.TransportError as exc:
            why, what_to_do = connection_in_words(exc, root_of(exc))
            raise NoConnection(why, what_to_do) from exc

    def shake_hands(self, stream: httpcore.NetworkStream, timeout_s: float) -> Handshake:
        """Encrypt a connection. Raises NoConnection, with what is wrong with the certificate."""
        context = self._trust()
        try:
            with httpx_errors():
                found = stream.start_tls(context, self.host, timeout_s)
        except httpx.TransportError as exc:
            raise self._distrusted(exc) from exc
        try:
            return _handshake(found)
        finally:
            found.close()

    def presented(self, timeout_s: float) -> Certificate | None:
        """The certificate of the other side, whoever that is; nothing is sent to it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            stream = self.connect(timeout_s)
            with httpx_errors():
                found = stream.start_tls(context, self.host, timeout_s)
        except (httpx.TransportError, NoConnection):
            return None
        try:
            return _handshake(found).certificate
        finally:
            found.close()

    def _tunnel(
        self, stream: httpcore.NetworkStream, proxy: httpx.Proxy, timeout_s: float
    ) -> httpcore.NetworkStream:
        """Ask a proxy to connect to the host. Raises ProxyError where it does not."""
        target = f"{self.host}:{port_of(self.url)}".encode()
        headers = [(b"Host", target), (b"Accept", b"*/*")]
        if proxy.raw_auth is not None:
            headers.append((b"Proxy-Authorization", _basic(proxy.raw_auth)))
        origin = httpcore.Origin(b"http", proxy.url.raw_host, port_of(proxy.url))
        asked = httpcore.Request(
            "CONNECT",
            httpcore.URL(scheme=b"http", host=origin.host, port=origin.port, target=target),
            headers=headers,
            extensions={"timeout": {"read": timeout_s, "write": timeout_s}},
        )
        answer = httpcore.HTTP11Connection(origin, stream).handle_request(asked)
        if not 200 <= answer.status < 300:
            stream.close()
            raise httpcore.ProxyError(f"it answered with status {answer.status}")
        through: httpcore.NetworkStream = answer.extensions["network_stream"]
        return through

    def _trust(self) -> ssl.SSLContext:
        try:
            return trusted(self.way.ca)
        except (ssl.SSLError, ValueError) as exc:
            raise NoConnection(
                "the CA certificate that is to be believed here cannot be read",
                "Give it in PEM form, in the endpoint's [ca_certificate] or in the file that "
                "CONSOLE_UPSTREAM_CA names.",
            ) from exc

    def _distrusted(self, exc: httpx.TransportError) -> NoConnection:
        why, what_to_do = connection_in_words(exc, root_of(exc))
        if isinstance(cause := root_of(exc), ssl.SSLCertVerificationError):
            why, what_to_do = DISTRUST.get(cause.verify_code, (why, what_to_do))
        return NoConnection(why, what_to_do)


def _handshake(stream: httpcore.NetworkStream) -> Handshake:
    secured = stream.get_extra_info("ssl_object")
    return Handshake(secured.version(), Certificate.of(secured.getpeercert(True)))


def _basic(auth: tuple[bytes, bytes]) -> bytes:
    name, password = (part.decode() for part in auth)
    made = httpx.Request("GET", "http://proxy")
    return next(httpx.BasicAuth(name, password).auth_flow(made)).headers["Authorization"].encode()


def _name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    )
