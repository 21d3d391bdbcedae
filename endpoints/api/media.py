"""Media types: Elasticsearch's vendor types and plain JSON, in and out."""

import gzip
import io
import re
import zlib
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from inference.errors import (
    BodyTooLarge,
    InferenceError,
    InvalidRequest,
    MalformedBody,
    MissingBody,
)

JSON = "application/json"
VENDOR = "application/vnd.elasticsearch+json"
VERSION = re.compile(r";\s*compatible-with\s*=\s*([^;\s]+)", re.IGNORECASE)
SUPPORTED_VERSIONS = ("8", "9")
# Two characters of JSON become an object of seventy bytes: so many are enough for anybody.
MOST_OBJECTS = 10_000_000


class BadMediaType(InvalidRequest):
    type = "media_type_header_exception"


class UnsupportedMediaType(InferenceError):
    status, type = 406, "media_type_header_exception"


class UnsupportedEncoding(InferenceError):
    status = 415


def answer_type(accept: str) -> str:
    """The media type of the answer to this Accept header.

    Raises BadMediaType for another version of the API than this one speaks.
    """
    for offered in accept.split(","):
        if kind_of(offered) == VENDOR:
            return f"{VENDOR};compatible-with={version_in(offered, 'Accept')}"
    return JSON


def kind_of(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def version_in(media_type: str, header: str) -> str:
    """The version of the API that a vendor type names, or the newest. Raises BadMediaType."""
    version = VERSION.search(media_type)
    if version is None:
        return SUPPORTED_VERSIONS[-1]
    if version[1] not in SUPPORTED_VERSIONS:
        raise BadMediaType(f"{header} version must be 8 or 9, but is [{media_type.strip()}]")
    return version[1]


def check_content_type(content_type: str) -> None:
    """A body is read as JSON only; no type at all is taken for it.

    Raises BadMediaType for another version of the API, UnsupportedMediaType for another format.
    """
    kind = kind_of(content_type)
    if kind == VENDOR:
        version_in(content_type, "Content-Type")
    elif kind not in ("", JSON):
        raise UnsupportedMediaType(f"Content-Type header [{content_type}] is not supported")


def read_json(request: HttpRequest) -> tuple[bytes, Any]:
    """The body of a request: its bytes, unpacked, and what they hold.

    Raises BadMediaType, UnsupportedMediaType, UnsupportedEncoding, BodyTooLarge, MissingBody or
    MalformedBody.
    """
    check_content_type(request.headers.get("Content-Type", ""))
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedEncoding(f"Content-Encoding [{encoding}] is not supported, use [gzip]")
    raw = read_bytes(request)
    if encoding == "gzip":
        raw = inflate(raw)
    if len(raw) > MOST_OBJECTS and raw.count(b"{") + raw.count(b"[") > MOST_OBJECTS:
        raise BodyTooLarge(f"the body has more than {MOST_OBJECTS} objects and lists")
    if not raw or raw.isspace():
        raise MissingBody("request body is required")
    try:
        return raw, orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise MalformedBody(f"[{exc.lineno}:{exc.colno}] malformed JSON: {exc.msg}") from exc


def read_bytes(request: HttpRequest) -> bytes:
    """The body as it was sent. Raises BodyTooLarge."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        raw = request.body
    except RequestDataTooBig:
        raise BodyTooLarge(f"the body has more than {most} bytes") from None
    if len(raw) >= most:  # of a body that did not say its length no more than this is read
        raise BodyTooLarge(f"the body has {most} bytes or more")
    return raw


def inflate(raw: bytes) -> bytes:
    """Unpack a gzip body, up to the size that a plain one may have.

    Raises BodyTooLarge, and MalformedBody for what is no gzip or ends too early.
    """
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as unpacker:
            text = unpacker.read(most)
    except (OSError, EOFError, zlib.error) as exc:
        raise MalformedBody(f"the body is not the gzip that its header says: {exc}") from exc
    if len(text) >= most:
        raise BodyTooLarge(f"the body unpacks to {most} bytes or more")
    return text


def write_json(data: Any, *, is_pretty: bool) -> bytes:
    """JSON, arrays of numpy included; for people with indents and a last newline."""
    options = orjson.OPT_SERIALIZE_NUMPY
    if is_pretty:
        options |= orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(data, option=options)
