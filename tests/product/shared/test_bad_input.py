"""What nobody should send: it is refused in words, in time and in little memory."""

import base64
import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from elasticsearch import Elasticsearch

from tests.product.running import Product, vectors_config

MB = 1024 * 1024
PATH = "/_inference/text_embedding/my-vectors"
JSON = {"Content-Type": "application/json"}
PACKED = JSON | {"Content-Encoding": "gzip"}
PARSE = "x_content_parse_exception"
MEDIA = "media_type_header_exception"
TOO_LONG = "content_too_long_exception"
MOST_GROWTH = 1500 * MB


@pytest.fixture(scope="module")
def endpoint(client: Elasticsearch) -> None:
    client.inference.put(
        task_type="text_embedding", inference_id="my-vectors", inference_config=vectors_config()
    )


@pytest.fixture(scope="module")
def caller(product: Product, endpoint: None) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=product.url, auth=("elastic", product.password), timeout=200, trust_env=False
    ) as caller:
        yield caller


class Memory:
    """Watches how much memory the product takes, all its processes together."""

    def __init__(self, product: Product) -> None:
        self.processes = product.processes
        self.before = self.most = self.now()
        self.is_over = threading.Event()
        self.watcher = threading.Thread(target=self.watch)

    def now(self) -> int:
        total = 0
        for process in self.processes:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total

    def watch(self) -> None:
        while not self.is_over.wait(0.02):
            self.most = max(self.most, self.now())

    @property
    def growth(self) -> int:
        return self.most - self.before


@contextmanager
def watched(product: Product) -> Iterator[Memory]:
    memory = Memory(product)
    memory.watcher.start()
    try:
        yield memory
    finally:
        memory.is_over.set()
        memory.watcher.join()


def refusal(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["X-elastic-product"] == "Elasticsearch"
    body = response.json()
    error = body["error"]
    assert error["reason"]
    assert error["root_cause"]
    assert body["status"] == response.status_code
    return response.status_code, error["type"]


def packed_letters(megabytes: int) -> bytes:
    """A gzip that unpacks to a body with a text of so many megabytes; its last bytes are missing.

    Each flush makes the packer forget what it saw, so one packed megabyte can stand for many.
    """
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    head = packer.compress(b'{"input": "') + packer.flush(zlib.Z_FULL_FLUSH)
    return head + (packer.compress(b"a" * MB) + packer.flush(zlib.Z_FULL_FLUSH)) * megabytes


@pytest.mark.parametrize("letter", [b"a", b" ", b"a b. "])
def test_a_text_of_nearly_a_hundred_megabytes_is_answered(
    product: Product, caller: httpx.Client, letter: bytes
) -> None:
    text = letter * (95 * MB // len(letter))

    with watched(product) as memory:
        response = caller.post(PATH, content=b'{"input": "' + text + b'"}', headers=JSON)

    assert response.status_code == 200
    is_told = "1 of 1 input was cut" in response.headers.get("Warning", "")
    assert is_told is bool(letter.strip())
    assert memory.growth < MOST_GROWTH


def test_many_long_texts_are_read_within_the_callers_time(
    product: Product, caller: httpx.Client
) -> None:
    body = {"input": ["harbour " * 1000] * 9000}  # 70 MB

    with watched(product) as memory:
        response = caller.post(f"{PATH}?timeout=2s", json=body)
        next_one = caller.post(PATH, json={"input": "a"})

    assert refusal(response) == (408, "status_exception")
    assert next_one.status_code == 200
    assert memory.growth < MOST_GROWTH


def test_more_than_a_hundred_megabytes_are_refused(product: Product, caller: httpx.Client) -> None:
    body = b'{"input": "' + b"a" * 101 * MB + b'"}'

    def in_pieces() -> Iterator[bytes]:
        for start in range(0, len(body), MB):
            yield body[start : start + MB]

    with watched(product) as memory:
        assert refusal(caller.post(PATH, content=body, headers=JSON)) == (413, TOO_LONG)
        assert refusal(caller.post(PATH, content=in_pieces(), headers=JSON)) == (413, TOO_LONG)
    assert memory.growth < MOST_GROWTH


def test_a_few_megabytes_that_unpack_to_gigabytes_are_refused(
    product: Product, caller: httpx.Client
) -> None:
    bomb = packed_letters(4000)
    assert len(bomb) < 8 * MB

    with watched(product) as memory:
        response = caller.post(PATH, content=bomb, headers=PACKED)

    assert refusal(response) == (413, TOO_LONG)
    assert memory.growth < MOST_GROWTH


def test_ten_thousand_texts_are_answered_and_one_more_is_too_many(caller: httpx.Client) -> None:
    response = caller.post(f"{PATH}?timeout=180s", json={"input": ["sky"] * 10_000})
    assert response.status_code == 200
    assert len(response.json()["text_embedding"]) == 10_000

    response = caller.post(PATH, json={"input": ["sky"] * 10_001})
    assert refusal(response) == (429, "es_rejected_execution_exception")
    assert "10000" in response.json()["error"]["reason"]


@pytest.mark.parametrize(
    ("item", "expected"),
    [(b"1,", (400, PARSE)), (b"{},", (413, TOO_LONG)), (b"[],", (413, TOO_LONG))],
)
def test_millions_of_things_that_are_no_texts_are_refused(
    product: Product, caller: httpx.Client, item: bytes, expected: tuple[int, str]
) -> None:
    body = b'{"input": [' + item * (95 * MB // len(item)) + b'"a"]}'

    with watched(product) as memory:
        assert refusal(caller.post(PATH, content=body, headers=JSON)) == expected
    assert memory.growth < MOST_GROWTH


def test_settings_are_not_large(product: Product, caller: httpx.Client) -> None:
    body = b'{"ids": [' + b"1," * (45 * MB) + b'"a"]}'

    with watched(product) as memory:
        response = caller.request("DELETE", "/_security/api_key", content=body, headers=JSON)

    assert refusal(response) == (413, TOO_LONG)
    assert memory.growth < MOST_GROWTH


def test_millions_of_texts_are_refused(product: Product, caller: httpx.Client) -> None:
    body = b'{"input": [' + b'"",' * (25 * MB) + b'""]}'

    with watched(product) as memory:
        response = caller.post(PATH, content=body, headers=JSON)

    assert refusal(response) == (429, "es_rejected_execution_exception")
    assert memory.growth < MOST_GROWTH


@pytest.mark.parametrize("limit", ["0", "1nanos", "1ms"])
def test_a_call_ends_when_its_time_does_however_short(caller: httpx.Client, limit: str) -> None:
    started = time.monotonic()

    responses = [
        caller.post(f"{PATH}?timeout={limit}", json={"input": ["harbour " * 300] * 20}),
        caller.post(PATH, json={"input": ["harbour " * 300] * 20, "timeout": limit}),
    ]

    assert [refusal(response) for response in responses] == [(408, "status_exception")] * 2
    assert time.monotonic() - started < 30


def test_a_body_may_come_in_pieces(caller: httpx.Client) -> None:
    response = caller.post(PATH, content=iter([b'{"inp', b'ut": "a"}']), headers=JSON)

    assert response.status_code == 200


WHOLE = gzip.compress(b'{"input": "a"}')
BODIES: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "brackets without end": (b'{"input": ' + b"[" * 100_000, JSON, 400, PARSE),
    "a nest of lists": (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON, 400, PARSE),
    "a nest of settings": (
        b'{"input": "a", "task_settings": ' + b'{"a": ' * 1000 + b"1" + b"}" * 1001,
        JSON,
        400,
        "illegal_argument_exception",
    ),
    "a nest with a field twice": (
        b'{"input": "a", "input": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        JSON,
        400,
        PARSE,
    ),
    "bytes that are no text": (b'{"input": "\xff\xfe"}', JSON, 400, PARSE),
    "half a character": (b'{"input": "\\ud800"}', JSON, 400, PARSE),
    "a bare control character": (b'{"input": "a\x00b"}', JSON, 400, PARSE),
    "a field twice": (b'{"input": "a", "input": "b"}', JSON, 400, PARSE),
    "a number for a text": (b'{"input": 5}', JSON, 400, PARSE),
    "a text for a number": (b'{"input": "a", "top_n": "5"}', JSON, 400, PARSE),
    "a number without end": (b'{"input": "a", "top_n": ' + b"9" * 5000 + b"}", JSON, 400, PARSE),
    "no number": (b'{"input": NaN}', JSON, 400, PARSE),
    "two bodies": (b'{"input": "a"}{"input": "b"}', JSON, 400, PARSE),
    "a text alone": (b'"a"', JSON, 400, PARSE),
    "nothing": (b"null", JSON, 400, PARSE),
    "half a gzip": (WHOLE[:-9], PACKED, 400, PARSE),
    "a gzip without its end": (WHOLE[:-4], PACKED, 400, PARSE),
    "a gzip with another checksum": (WHOLE[:-8] + bytes(8), PACKED, 400, PARSE),
    "something behind a gzip": (WHOLE + b"behind", PACKED, 400, PARSE),
    "no gzip at all": (b'{"input": "a"}', PACKED, 400, PARSE),
    "a gzip of nothing": (gzip.compress(b""), PACKED, 400, "parse_exception"),
    "another packing": (b"{}", JSON | {"Content-Encoding": "br"}, 415, "status_exception"),
    "another format": (b"input: a", {"Content-Type": "application/yaml"}, 406, MEDIA),
    "a form": (b"input=a", {"Content-Type": "application/x-www-form-urlencoded"}, 406, MEDIA),
}


@pytest.mark.parametrize(("body", "headers", "status", "kind"), BODIES.values(), ids=BODIES)
def test_a_body_that_makes_no_sense_is_refused(
    caller: httpx.Client, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    assert refusal(caller.post(PATH, content=body, headers=headers)) == (status, kind)


def test_texts_may_hold_any_character(caller: httpx.Client) -> None:
    for text in ("a\0b", "\ufeff", "\U0010ffff", "\u202e", ""):
        assert caller.post(PATH, json={"input": text}).status_code == 200


STORED: dict[str, tuple[str, Any]] = {
    "in settings": (
        "/_inference/text_embedding/other",
        vectors_config() | {"chunking_settings": {"strategy": "recursive", "separators": ["\0"]}},
    ),
    "in a region policy": (
        "/_inference/_region_policy",
        {"region_policy": {"allowed_geos": ["\0"]}},
    ),
    "in a key": ("/_security/api_key", {"name": "a\0b"}),
    "in a mapping": ("/some-index", {"mappings": {"_meta": {"note": "\0"}}}),
    "in a pipeline": ("/_ingest/pipeline/p", {"processors": [], "description": "\0"}),
}


@pytest.mark.parametrize(("path", "body"), STORED.values(), ids=STORED)
def test_what_is_stored_holds_no_nul_and_says_nothing_twice(
    caller: httpx.Client, path: str, body: Any
) -> None:
    response = caller.put(path, json=body)
    assert refusal(response) == (400, "illegal_argument_exception")

    text = json.dumps(body).replace("\\u0000", "x")
    inner, _, _ = text.rpartition("}")
    twice = f"{inner}, {text[1:]}"
    assert refusal(caller.put(path, content=twice, headers=JSON)) == (400, PARSE)


def raw(product: Product, head: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """Send bytes as they are. Returns the status and everything that came back."""
    with socket.create_connection(("127.0.0.1", product.port), timeout=20) as connection:
        credentials = base64.b64encode(f"elastic:{product.password}".encode())
        connection.sendall(
            head
            + b"Host: here\r\nConnection: close\r\nAuthorization: Basic "
            + credentials
            + b"\r\n\r\n"
            + body
        )
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


def post(extra: bytes, path: bytes = PATH.encode(), method: bytes = b"POST") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\nContent-Type: application/json\r\n" + extra


LONG = b"Content-Length: 14\r\n"
HEADS: dict[str, tuple[bytes, int]] = {
    "a header of a megabyte": (post(LONG + b"X-Long: " + b"a" * MB + b"\r\n"), 431),
    "a length in words": (post(b"Content-Length: many\r\n"), 400),
    "a length below nothing": (post(b"Content-Length: -1\r\n"), 400),
    "a length beyond everything": (post(b"Content-Length: 99999999999999\r\n"), 413),
    "two lengths": (post(b"Content-Length: 14\r\nContent-Length: 3\r\n"), 400),
    "a control character in a header": (post(LONG + b"X-Opaque-Id: a\x01b\r\n"), 400),
    "a header without a name": (post(LONG + b": nobody\r\n"), 400),
    "bytes that are no text in the path": (post(LONG, b"/_inference/\xff\xfe"), 400),
    "escapes that are no text in the path": (post(LONG, b"/_inference/%ff%fe"), 404),
    "half a character in the path": (post(LONG, b"/_inference/%ed%a0%80"), 404),
    "a NUL in the path": (post(LONG, b"/_inference/a%00b"), 404),
    "a NUL in a new id": (post(LONG, PATH.encode() + b"%00", b"PUT"), 400),
    "a slash in the id": (post(LONG, b"/_inference/text_embedding/a%2Fb"), 400),
    "a slash in the id of a read": (post(b"", b"/_inference/a%2Fb", b"GET"), 400),
    "a path without end": (post(LONG, b"/_inference/" + b"a" * 60_000), 404),
    "bytes that are no text in a parameter": (post(LONG, PATH.encode() + b"?timeout=%ff"), 400),
    "parameters without end": (
        post(LONG, PATH.encode() + b"?" + b"&".join(b"a%d=1" % n for n in range(2000))),
        400,
    ),
    "a method that nobody knows": (post(LONG, method=b"BREW"), 405),
    "no HTTP at all": (b"\x16\x03\x01\x00\x00\r\n", 400),
}


@pytest.mark.parametrize(("head", "status"), HEADS.values(), ids=HEADS)
def test_a_request_that_makes_no_sense_is_refused(
    product: Product, caller: httpx.Client, head: bytes, status: int
) -> None:
    answered, answer = raw(product, head, b'{"input": "a"}')

    assert answered == status
    assert b"<html" not in answer
    assert caller.post(PATH, json={"input": "a"}).status_code == 200


def test_a_long_header_does_no_harm(product: Product, caller: httpx.Client) -> None:
    status, answer = raw(
        product, post(LONG + b"X-Opaque-Id: " + b"a" * 64 * 1024 + b"\r\n"), b'{"input": "a"}'
    )

    assert status == 200
    assert b"a" * 64 * 1024 in answer
