"""What people write down about the way to somewhere: addresses, proxies and certificates."""

import ssl

import httpx

DEFAULT_PORTS = {"http": 80, "https": 443}
MOST_PORT = 65535
LONGEST_LABEL, LONGEST_CERTIFICATES = 63, 100_000


def url_problem(text: str) -> str | None:
    """Why a text is no address of a server; None where it is one."""
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode()
        url.host  # noqa: B018 - whether it can be shown, too
    except (httpx.InvalidURL, UnicodeError) as exc:
        return str(exc)
    if url.scheme not in DEFAULT_PORTS:
        return "it must begin with https:// or http://"
    if not host:
        return "it names no host"
    labels = host.removesuffix(".").split(".")
    if "%" in host or not all(0 < len(label) <= LONGEST_LABEL for label in labels):
        return "its host is neither a name nor an address"
    if url.port is not None and not 0 < url.port <= MOST_PORT:
        return f"there is no port {url.port}"
    return "no user and no password may be part of it" if url.userinfo else None


def port_of(url: httpx.URL) -> int:
    return url.port or DEFAULT_PORTS[url.scheme]


def place_of(text: str) -> tuple[str, int]:
    """Host and port of an address."""
    url = httpx.URL(text)
    return url.raw_host.decode(), port_of(url)


def proxy_problem(text: str) -> str | None:
    """Why a text is no address of a proxy, which may have a user and a password."""
    if not text.lower().startswith("http://"):
        return "it must begin with http://"
    user, at, rest = text[len("http://") :].rpartition("@")
    if why := url_problem(f"http://{rest}" if at and "/" not in user else text):
        return why
    url = httpx.URL(text)
    return None if url.raw_path == b"/" and not url.fragment else "it must end with host and port"


def certificate_problem(pem: str, most: int = LONGEST_CERTIFICATES) -> str | None:
    """Why a text holds no certificates to believe; None where it holds some. most: characters."""
    if len(pem) > most:
        return f"may have {most} characters at most"
    if "PRIVATE KEY" in pem:
        return "must not hold a private key; give the certificate alone"
    try:
        pem.encode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError):
        return "must be a certificate in PEM form (-----BEGIN CERTIFICATE-----)"
    return None
