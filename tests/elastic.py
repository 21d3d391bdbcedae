"""A server on this machine that answers the two routes of a scan as a real cluster does."""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

API_KEY = "aWQ6c2VjcmV0"  # id:secret
MAPPINGS, PIPELINES = "/_mapping", "/_ingest/pipeline"


def semantic(inference_id: str, **more: Any) -> dict[str, Any]:
    """The mapping of an index with one field that names this endpoint."""
    body = {"type": "semantic_text", "inference_id": inference_id, **more}
    return {"mappings": {"properties": {"title": {"type": "text"}, "body": body}}}


def inferring(model_id: str) -> dict[str, Any]:
    """A pipeline whose one processor names this endpoint."""
    return {"processors": [{"inference": {"model_id": model_id}}]}


@dataclass
class Elastic:
    """indexes, pipelines: what there is. says: status and body in place of the right answer.

    headers: sent beside every answer. Nobody is answered while the gate is closed; with `drips`
    an answer comes byte by byte for a second and breaks off.
    """

    url: str = ""
    indexes: dict[str, Any] = field(default_factory=dict)
    pipelines: dict[str, Any] = field(default_factory=dict)
    says: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    hosts: list[str | None] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, authorization: str | None) -> tuple[int, bytes]:
        if path in self.says:
            return self.says[path]
        if authorization != f"ApiKey {API_KEY}":
            return refusal(401, "unable to authenticate user")
        if path == MAPPINGS:
            return 200, json.dumps(self.indexes).encode()
        if path == PIPELINES:
            return (200 if self.pipelines else 404), json.dumps(self.pipelines).encode()
        return refusal(400, f"no handler found for uri [{path}] and method [GET]")


def refusal(status: int, reason: str) -> tuple[int, bytes]:
    cause = {"type": "security_exception", "reason": reason}
    body = {"error": {"root_cause": [cause], **cause}, "status": status}
    return status, json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    elastic: Elastic
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        elastic, path = self.elastic, self.path.partition("?")[0]
        elastic.asked.append((self.path, self.headers.get("Authorization")))
        elastic.hosts.append(self.headers.get("Host"))
        elastic.arrived.set()
        elastic.gate.wait(timeout=10)
        status, body = elastic.answer(path, self.headers.get("Authorization"))
        self.send_response(status)
        self.send_header("X-elastic-product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        if "gzip" in self.headers.get("Accept-Encoding", "") and path not in elastic.says:
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(10**9 if elastic.drips else len(body)))
        for name, value in elastic.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # whoever had to wait too long is gone
            for _ in range(100 if elastic.drips else 0):
                elastic.ended.wait(0.01)
                self.wfile.write(b" ")
            self.wfile.write(body)
        self.close_connection = elastic.drips

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test has its own list."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up: some tests are about that."""


@contextmanager
def running_elastic(tls: ssl.SSLContext | None = None) -> Iterator[Elastic]:
    elastic = Elastic()
    elastic.gate.set()
    handler = type("Handler", (_Handler,), {"elastic": elastic})
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            scheme = "https" if tls else "http"
            elastic.url = f"{scheme}://127.0.0.1:{server.server_port}"
            yield elastic
        finally:
            elastic.gate.set()
            elastic.ended.set()
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Authority:
    """A CA of its own, with a server certificate that it signed. certificate: PEM."""

    certificate: str
    server: ssl.SSLContext


def make_authority(folder: Path, *names: str) -> Authority:
    """A CA whose server is known by these names and addresses."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    own = _certificate(subject, ca_name, key, ca_key).add_extension(
        x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
    )
    pem = serialization.Encoding.PEM
    path = folder / "server.pem"
    path.write_bytes(
        own.sign(ca_key, hashes.SHA256()).public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return Authority(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem).decode(), context)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
