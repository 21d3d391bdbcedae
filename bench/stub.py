"""A provider that costs next to nothing: `python -m bench.stub PORT`. It answers as OpenAI does."""

import base64
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.log import LogLevels

DIMENSIONS = 1536
THREADS = 256
DELTAS, BETWEEN_S = 20, 0.05
CHAT_ID = "chatcmpl-bench"

VECTOR = np.random.default_rng(0).normal(size=DIMENSIONS).astype("<f4")
ROW = {"object": "embedding", "index": 0}
EMBEDDINGS = {"object": "list", "model": "bench", "usage": {"prompt_tokens": 2, "total_tokens": 2}}
USAGE = {"prompt_tokens": 2, "completion_tokens": 20, "total_tokens": 22}


def as_json(body: Any) -> bytes:
    return json.dumps(body).encode()


def chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    told = {"id": CHAT_ID, "object": "chat.completion.chunk", "created": 0, "model": "bench"}
    return b"data: %s\n\n" % as_json(told | {"choices": [choice]})


FLOATS = as_json(EMBEDDINGS | {"data": [ROW | {"embedding": VECTOR.tolist()}]})
PACKED = as_json(
    EMBEDDINGS | {"data": [ROW | {"embedding": base64.b64encode(VECTOR.tobytes()).decode()}]}
)
MESSAGE = {"role": "assistant", "content": "word " * 20}
CHAT = as_json(
    {
        "id": CHAT_ID,
        "object": "chat.completion",
        "created": 0,
        "model": "bench",
        "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
        "usage": USAGE,
    }
)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    asked = environ["wsgi.input"].read()
    if environ["PATH_INFO"].endswith("/chat/completions"):
        if b'"stream":true' in asked.replace(b" ", b""):
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return stream()
        body = CHAT
    else:
        body = PACKED if b"base64" in asked else FLOATS
    length = ("Content-Length", str(len(body)))
    start_response("200 OK", [("Content-Type", "application/json"), length])
    return [body]


def stream() -> Iterator[bytes]:
    yield chunk({"role": "assistant", "content": "word"})
    for _ in range(DELTAS - 1):
        time.sleep(BETWEEN_S)
        yield chunk({"content": " word"})
    yield chunk({}, "stop")
    yield b"data: [DONE]\n\n"


def main() -> None:
    Granian(
        "bench.stub:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
