"""What the services of Amazon share: credentials, signatures, framed streams and errors."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from botocore.eventstream import EventStreamBuffer, ParserError

from inference.errors import InvalidSettings
from inference.services.remote import ProviderFailed, RemoteService
from inference.services.remote_settings import RemoteSettings
from inference.services.settings import HostLabel, Secret, setting
from inference.upstream.auth import Auth, AwsSignature
from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError

JSON = {"Accept": "application/json"}
CREDENTIALS = ("access_key", "secret_key")


class AwsSettings(RemoteSettings):
    access_key: Secret = setting(
        "Access Key", "The id of an AWS access key.", sensitive=True, updatable=True
    )
    secret_key: Secret = setting(
        "Secret Key", "The secret that belongs to the access key.", sensitive=True, updatable=True
    )
    region: HostLabel = setting("Region", "The AWS region to call, such as us-east-1.")


class AwsService(RemoteService):
    """signing_name: what signatures call the service."""

    signing_name: ClassVar[str]

    def auth(self, settings: AwsSettings) -> Auth:
        return AwsSignature(
            settings.access_key, settings.secret_key, settings.region, self.signing_name
        )

    def told(self, reply: Reply) -> ProviderError:
        return aws_error(reply.content, kind_of(reply))

    def merge_settings(self, stored: Mapping[str, Any], changes: Mapping[str, Any]) -> Any:
        """Raises InvalidSettings for one half of the credentials without the other."""
        missing = [name for name in CREDENTIALS if name not in changes]
        if len(missing) == 1:
            raise InvalidSettings(
                [f"[service_settings] does not contain the required setting [{missing[0]}]"]
            )
        return super().merge_settings(stored, changes)


def kind_of(reply: Reply) -> str | None:
    """What AWS calls a failure: `ThrottlingException`."""
    kind, *_ = reply.headers.get("x-amzn-errortype", "").split(":")
    return kind or None


def aws_error(body: bytes, kind: str | None) -> ProviderError:
    """What a failure's body says: `{"message"}`, written with either kind of M."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        sent = None
    message = (sent.get("message") or sent.get("Message")) if isinstance(sent, dict) else None
    return ProviderError(message if isinstance(message, str) else "", type=kind)


@dataclass(frozen=True)
class Framed:
    """One event of a framed stream. name: its type."""

    name: str
    payload: bytes


def read_frames(pieces: Iterable[bytes], statuses: Mapping[str, int]) -> Iterator[Framed]:
    """The events of an AWS event stream, which comes in whatever pieces.

    statuses: for the caller, of the exceptions that a stream may end in; 500 for any other.
    Raises ProviderFailed for one, ValueError for what are no whole frames.
    """
    buffer, begun = EventStreamBuffer(), 0
    for piece in pieces:
        buffer.add_data(piece)
        begun += len(piece)
        try:
            for message in buffer:
                begun -= message.prelude.total_length
                yield event_in(message.headers, message.payload, statuses)
        except (ParserError, KeyError, struct.error) as exc:
            raise ValueError("a frame of it is broken") from exc
    if begun:
        raise ValueError("it ended within a frame")


def event_in(headers: Mapping[str, Any], payload: bytes, statuses: Mapping[str, int]) -> Framed:
    """Raises ProviderFailed."""
    match headers.get(":message-type"):
        case "exception":
            kind = str(headers.get(":exception-type", ""))
            raise ProviderFailed(aws_error(payload, kind), statuses.get(kind))
        case "error":
            told = ProviderError(
                str(headers.get(":error-message", "")), type=str(headers.get(":error-code", ""))
            )
            raise ProviderFailed(told)
    return Framed(str(headers.get(":event-type", "")), payload)
