"""Media types: Elasticsearch's vendor types and plain JSON, in and out."""

import re
import zlib
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest

from inference.errors import InferenceError, InvalidRequest, MalformedBody, MissingBody

JSON = "application/json"
VENDOR = "application/vnd.elasticsearch+json"
VERSION = re.compile(r";\s*compatible-with\s*=\s*(\d+)", re.IGNORECASE)
SUPPORTED_VERSIONS = ("8", "9")


class BadMediaType(InvalidRequest):
    type = "media_type_header_exception"


class UnsupportedMediaType(InferenceError):
    status, type = 406, "media_type_header_exception"


def answer_type(accept: str) -> str:
    """The media type of the answer to this Accept header.

    Raises BadMediaType for another version of the API than this one speaks.
    """
    for offered in accept.split(","):
        if offered.strip().lower().startswith(VENDOR):
            version = VERSION.search(offered)
            if version is None or version[1] not in SUPPORTED_VERSIONS:
                raise BadMediaType(f"Accept version must be 8 or 9, but is [{offered.strip()}]")
            return f"{VENDOR};compatible-with={version[1]}"
    return JSON


def is_json(content_type: str) -> bool:
    """Whether a body of this type is read as JSON; no type at all is taken for it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == VENDOR:
        version = VERSION.search(content_type)
        return version is None or version[1] in SUPPORTED_VERSIONS
    return kind in ("", JSON)


def read_json(request: HttpRequest) -> tuple[bytes, Any]:
    """The body of a request: its bytes, unpacked, and what they hold.

    Raises UnsupportedMediaType, MissingBody, MalformedBody, or InvalidRequest where it is too big.
    """
    content_type = request.headers.get("Content-Type", "")
    if not is_json(content_type):
        raise UnsupportedMediaType(f"Content-Type header [{content_type}] is not supported")
    raw = request.body
    if request.headers.get("Content-Encoding", "").lower() == "gzip":
        raw = inflate(raw)
    if not raw.strip():
        raise MissingBody("request body is required")
    try:
        return raw, orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise MalformedBody(f"[{exc.lineno}:{exc.colno}] malformed JSON: {exc.msg}") from exc


def inflate(raw: bytes) -> bytes:
    """Unpack a gzip body, up to the size that a plain one may have."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = unpacker.decompress(raw, most)
    except zlib.error as exc:
        raise MalformedBody(f"the body is not the gzip that its header says: {exc}") from exc
    if unpacker.unconsumed_tail:
        raise InvalidRequest(f"the body unpacks to more than {most} bytes")
    return text


def write_json(data: Any, *, is_pretty: bool) -> bytes:
    """JSON, arrays of numpy included; for people with indents and a last newline."""
    options = orjson.OPT_SERIALIZE_NUMPY
    if is_pretty:
        options |= orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(data, option=options)
