"""What Amazon's services do alike: check signatures, frame streams, refuse."""

import hmac
import re
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zlib import crc32

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from inference.sandbox.provider import FORBIDDEN, WRONG, Asked, Provider, Refused, Told

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/ ]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/"
    r"(?P<service>[a-z]+)/aws4_request, SignedHeaders=(?P<signed>[a-z0-9;-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
DATE = "%Y%m%dT%H%M%SZ"
MOST_SKEW = timedelta(minutes=5)
EVENT_STREAM = "application/vnd.amazon.eventstream"
STRING = b"\x07"


def secret_of(access_key: str) -> str:
    """The secret key that belongs to an access key."""
    return f"secret-of-{access_key}"


class AwsSandbox(Provider):
    """signing_name: what signatures call the service."""

    signing_name: ClassVar[str]

    def check_key(self, asked: Asked) -> None:
        """Compute the signature anew, from what came and with the secret that is known here."""
        found = AUTHORIZATION.fullmatch(asked.headers.get("authorization", ""))
        if found is None:
            raise aws_refusal(403, "MissingAuthenticationTokenException", "Missing a signature")
        access_key, region, signed = found["key"], found["region"], found["signed"].split(";")
        if WRONG in access_key:
            raise aws_refusal(
                403, "UnrecognizedClientException", "The security token included is invalid."
            )
        sent_at = date_of(asked, found["day"])
        if found["service"] != self.signing_name or f".{region}." not in asked.url.host:
            raise bad_signature("Credential should be scoped to a valid region and service.")
        if missing := {"host", "x-amz-date", "content-type"} & {*asked.headers} - {*signed}:
            raise bad_signature(f"'{missing.pop()}' must be a 'SignedHeader'")
        again = AWSRequest(
            asked.method,
            str(asked.url.copy_with(raw_path=self.signed_path(asked).encode())),
            headers={name: asked.headers[name] for name in signed if name != "host"},
            data=asked.content,
        )
        again.context["timestamp"] = sent_at
        signer = SigV4Auth(
            Credentials(access_key, secret_of(access_key)), self.signing_name, region
        )
        to_sign = signer.string_to_sign(again, signer.canonical_request(again))
        if not hmac.compare_digest(signer.signature(to_sign, again), found["signature"]):
            raise bad_signature(
                "The request signature we calculated does not match the signature you provided."
            )
        if FORBIDDEN in access_key:
            raise aws_refusal(403, "AccessDeniedException", "User is not authorized")

    def signed_path(self, asked: Asked) -> str:
        """The path as it has to be sent: servers before us may have decoded it."""
        return asked.path

    def broken_stream(self, refused: Refused) -> bytes:
        return exception_frame("internalServerException", refused.message)


def date_of(asked: Asked, day: str) -> str:
    sent_at: str = asked.headers.get("x-amz-date", "")
    try:
        skew = datetime.now(UTC) - datetime.strptime(sent_at, DATE).replace(tzinfo=UTC)
    except ValueError:
        raise bad_signature("Date must be in ISO-8601 'basic format'") from None
    if abs(skew) > MOST_SKEW or not sent_at.startswith(day):
        raise bad_signature(f"Signature expired: {sent_at}")
    return sent_at


def bad_signature(message: str) -> Refused:
    return aws_refusal(403, "InvalidSignatureException", message)


def aws_refusal(status: int, kind: str, message: str, **more: Any) -> Refused:
    return Refused(status, message, {"x-amzn-ErrorType": f"{kind}:http://sandbox/"}, **more)


def stream_told(frames: Iterable[bytes]) -> Told:
    return Told(200, frames, content_type=EVENT_STREAM)


def event_frame(kind: str, body: Any) -> bytes:
    """body: raw bytes, or what becomes JSON."""
    payload = body if isinstance(body, bytes) else orjson.dumps(body)
    return frame({":message-type": "event", ":event-type": kind}, payload)


def exception_frame(kind: str, message: str) -> bytes:
    headers = {":message-type": "exception", ":exception-type": kind}
    return frame(headers, orjson.dumps({"message": message}))


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message of an event stream: lengths, checksum, headers, payload, checksum."""
    head = b"".join(
        bytes([len(name)]) + name.encode() + STRING + struct.pack("!H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    message = lengths + struct.pack("!I", crc32(lengths)) + head + payload
    return message + struct.pack("!I", crc32(message))
