"""What providers say of a failure, in bodies of whatever shape."""

from typing import Any

import orjson

from inference.upstream.door import Reply
from inference.upstream.errors import ProviderError
from inference.upstream.failures import CATEGORIES, SERVER_ERROR, UNSUCCESSFUL

# Other names of some statuses than those of OpenAI's family: for services that check inputs ...
VALIDATED = {400: CATEGORIES[422], 503: SERVER_ERROR}
# ... and for those that tell few apart.
PLAIN = {**dict.fromkeys((400, 402, 403, 404, 413, 422), UNSUCCESSFUL), 503: SERVER_ERROR}


def detail_of(reply: Reply) -> ProviderError:
    """The text in `detail`; nothing where it is none."""
    try:
        sent = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return ProviderError()
    detail = sent.get("detail") if isinstance(sent, dict) else None
    return ProviderError(detail if isinstance(detail, str) else "")


def whole_body(reply: Reply) -> ProviderError:
    return ProviderError(words_of(reply.content))


def as_text(value: Any) -> str | None:
    """A value of a failure's body as words: JSON where it is no text."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def words_of(body: bytes) -> str:
    """A failure's body of no known shape, as it is; empty for a page that is meant for people."""
    text = body.decode(errors="replace").strip()
    return "" if text.startswith("<") else text
