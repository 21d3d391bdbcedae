"""The sandbox as a server of its own.

A second port speaks TLS with a certificate that nobody trusts, for calls that should fail on it.
"""

import ipaddress
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from inference.sandbox.app import Sandbox


class SandboxServer(ThreadingHTTPServer):
    """Takes as many callers at a time as come; a thread for each."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        super().__init__(address, Handler)
        self.sandbox = sandbox

    @property
    def place(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that left is none of the server's concern."""


class Handler(BaseHTTPRequestHandler):
    """Carries requests to the application; where that breaks off, so does the connection."""

    protocol_version = "HTTP/1.1"
    # Small pieces of a stream must not wait for each other.
    disable_nagle_algorithm = True
    server: SandboxServer

    def answer(self) -> None:
        parts = urlsplit(self.path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "RAW_URI": self.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length") or "0",
            "wsgi.input": self.rfile,
        }
        for name, value in self.headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        pieces = self.server.sandbox(environ, self._start)
        is_whole = self._has_length
        try:
            for piece in pieces:
                self.wfile.write(piece if is_whole else b"%x\r\n%s\r\n" % (len(piece), piece))
            if not is_whole:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            # The sandbox breaks off, or the caller did: in both cases without an end.
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        number, _, phrase = status.partition(" ")
        self.send_response(int(number), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self._has_length = any(name == "Content-Length" for name, _ in headers)
        if not self._has_length:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[SandboxServer]:
    """A sandbox that serves in a thread, at a free port unless one is given."""
    with SandboxServer((host, port), sandbox) as server:
        # It looks this often, in seconds, whether it shall end.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving_untrusted(
    sandbox: Sandbox, host: str, port: int = 0, pem: bytes | None = None
) -> Iterator[SandboxServer]:
    """The same behind TLS, with a certificate that was made a moment ago, unless one is given.

    pem: a certificate and its key.
    """
    context = SSLContext(PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sandbox.pem")
        path.write_bytes(pem or self_signed(host))
        context.load_cert_chain(path)
    with serving(sandbox, host, port) as server:
        # Each connection shakes hands in its own thread, when it is first read.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        yield server


def self_signed(host: str, ends_in: timedelta = timedelta(days=1)) -> bytes:
    """A certificate for a host and its key, PEM. ends_in: negative for one that is over."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + ends_in) - timedelta(days=1))
        .not_valid_after(now + ends_in)
        .add_extension(x509.SubjectAlternativeName([alternative_name(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
