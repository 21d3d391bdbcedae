"""Attempts, waits, cuts and streams of one call to a provider."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from traceback import format_exception
from typing import Any

import httpx
import orjson
import pytest

from inference.chat import ChatRequest
from inference.errors import StreamingNotAllowed
from inference.remote import Line
from inference.services import find_service
from inference.services.remote import RemoteService
from inference.types import InferenceRequest, TaskType, TextEmbeddings
from inference.upstream import door as doors
from inference.upstream.door import Door, Outside
from inference.upstream.errors import (
    BrokenStream,
    ReplyTooLarge,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from inference.upstream.mapping import OriginMap

CHAT = ChatRequest.of_prompt("hi")
VECTOR = {"data": [{"embedding": [0.5, 0.5]}]}


@dataclass
class Upstream:
    """A provider that answers in turn: with a response, a failure, or what a function makes."""

    answers: list[Any] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        response: httpx.Response = answer(request) if callable(answer) else answer
        return response

    @property
    def inputs(self) -> list[Any]:
        return [orjson.loads(request.content)["input"] for request in self.asked]

    def line(self, task_type: TaskType = TaskType.TEXT_EMBEDDING, **settings: Any) -> Line:
        service = find_service("openai")
        assert isinstance(service, RemoteService)
        own = {"api_key": "sk-1", "model_id": "m"} | settings
        config = service.parse(task_type, {"service_settings": own})
        door = Door(transport=httpx.MockTransport(self), wait=self.slept.append)
        return Line(door, service, config, "my-endpoint")


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


def vectors(request: httpx.Request) -> httpx.Response:
    count = len(orjson.loads(request.content)["input"])
    return httpx.Response(200, json={"data": VECTOR["data"] * count})


def says(status: int, message: str = "no", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message}}, headers=headers)


def embed(line: Line, *texts: str, timeout_s: float = 60) -> TextEmbeddings:
    result = line.answer(InferenceRequest(texts or ("a",)), timeout_s)
    assert isinstance(result, TextEmbeddings)
    return result


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_three_times(upstream: Upstream, status: int) -> None:
    upstream.answers = [says(status)]

    with pytest.raises(UpstreamRefused):
        embed(upstream.line())

    assert len(upstream.asked) == 3
    assert 0.5 <= upstream.slept[0] <= 1
    assert 1 <= upstream.slept[1] <= 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 501, 502])
def test_what_will_not_pass_is_not_tried_again(upstream: Upstream, status: int) -> None:
    upstream.answers = [says(status)]

    with pytest.raises(UpstreamRefused) as told:
        embed(upstream.line())

    assert len(upstream.asked) == 1
    assert told.value.status == (status if status < 500 else 400)
    assert f"status [{status}]" in str(told.value)
    assert "Error message: [no]" in str(told.value)


@pytest.mark.parametrize("status", [418, 451, 498, 499])
def test_a_status_that_only_the_provider_knows_is_told_as_a_bad_request(
    upstream: Upstream, status: int
) -> None:
    upstream.answers = [says(status)]

    with pytest.raises(UpstreamRefused, match=rf"status \[{status}\]") as told:
        embed(upstream.line())

    assert told.value.status == 400


def test_a_wish_to_wait_is_granted_if_there_is_time(upstream: Upstream) -> None:
    upstream.answers = [says(429, **{"Retry-After": "7"}), vectors]
    embed(upstream.line())

    assert upstream.slept == [7]


def test_a_wish_to_wait_for_longer_than_there_is_time_ends_the_call(upstream: Upstream) -> None:
    upstream.answers = [says(429, **{"Retry-After": "61"})]

    with pytest.raises(UpstreamRefused, match="rate limit"):
        embed(upstream.line())

    assert not upstream.slept


@pytest.mark.parametrize("wish", ["soon", "nan", "-1", "1e9", "Wed, 99 Foo"])
def test_a_wish_that_is_none_changes_nothing(upstream: Upstream, wish: str) -> None:
    upstream.answers = [says(429, **{"Retry-After": wish}), vectors]
    embed(upstream.line())

    assert upstream.slept[0] <= 1


@pytest.mark.parametrize(
    "failure", [httpx.ReadError("reset"), httpx.RemoteProtocolError("x"), httpx.ConnectError("x")]
)
def test_a_broken_connection_is_tried_again(upstream: Upstream, failure: Exception) -> None:
    upstream.answers = [failure, vectors]

    assert embed(upstream.line()).vectors.shape == (1, 2)

    upstream.answers = [failure]
    with pytest.raises(UpstreamUnreachable) as told:
        embed(upstream.line())
    assert told.value.status == 400
    assert told.value.explanation.retry_helps


def test_silence_is_a_gateway_timeout(upstream: Upstream) -> None:
    upstream.answers = [httpx.ReadTimeout("slow")]

    with pytest.raises(UpstreamTimedOut) as told:
        embed(upstream.line())

    assert told.value.status == 504
    assert len(upstream.asked) == 1


def test_a_call_without_time_is_not_sent_and_blames_no_rate_limit(upstream: Upstream) -> None:
    upstream.answers = [vectors]

    with pytest.raises(UpstreamTimedOut, match=r"waiting for \[api\.openai\.com\]"):
        embed(upstream.line(), timeout_s=0)

    assert not upstream.asked


@pytest.mark.parametrize(
    "answer", [says(404), httpx.Response(200, content=b"no"), httpx.Response(200, content=b"")]
)
def test_a_failure_names_the_provider_and_not_what_takes_its_place(
    upstream: Upstream, answer: httpx.Response
) -> None:
    upstream.answers = [answer]
    line = upstream.line()
    line.door.outside = Outside(OriginMap({"https://api.openai.com": "http://gateway:1/x"}))

    with pytest.raises(UpstreamError, match=r"api\.openai\.com") as told:
        embed(line)

    assert "gateway" not in str(told.value)


def test_an_answer_that_takes_too_long_in_small_pieces_is_given_up(upstream: Upstream) -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            yield b" "

    upstream.answers = [httpx.Response(200, content=trickle())]

    with pytest.raises(UpstreamTimedOut):
        embed(upstream.line(), timeout_s=0.05)


def test_an_enormous_answer_is_given_up(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "MOST_REPLY_BYTES", 1000)
    upstream.answers = [httpx.Response(200, content=b" " * 1001)]

    with pytest.raises(ReplyTooLarge) as told:
        embed(upstream.line())

    assert told.value.status == 400
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data": ',
        b"[]",
        b'{"data": []}',
        b'{"data": [{"embedding": [1]}, {"embedding": [1]}]}',
        b'{"data": [{"embedding": []}]}',
        b'{"data": [{"embedding": ["x"]}]}',
        b'{"data": [{"embedding": [1e400]}]}',
        b'{"data": [{"embedding": [1e39]}]}',
        b'{"data": [{"embedding": "AAA"}]}',
        b'{"data": [{"embedding": "not base64"}]}',
        b"\xff\xfe",
    ],
)
def test_a_success_of_no_use_is_tried_again_and_then_told(upstream: Upstream, body: bytes) -> None:
    upstream.answers = [lambda _: httpx.Response(200, content=body)]

    with pytest.raises(UpstreamMalformed, match="Failed to parse the response") as told:
        embed(upstream.line())

    assert told.value.status == 400
    assert len(upstream.asked) == 3


def test_vectors_of_different_lengths_are_none(upstream: Upstream) -> None:
    ragged = {"data": [{"embedding": [1.0]}, {"embedding": [1.0, 2.0]}]}
    upstream.answers = [lambda _: httpx.Response(200, json=ragged)]

    with pytest.raises(UpstreamMalformed, match="lengths"):
        embed(upstream.line(), "a", "b")


def test_texts_are_cut_to_the_setting_before_they_are_sent(upstream: Upstream) -> None:
    upstream.answers = [vectors]
    result = embed(upstream.line(max_input_tokens=2), "123456789", "123456")

    assert upstream.inputs == [["123456", "123456"]]
    assert list(result.truncated) == ["0"]
    assert result.truncated["0"].lost_characters == 3


@pytest.mark.parametrize(
    "refusal",
    [
        says(413),
        says(400, "Please reduce your prompt; or completion length."),
        httpx.Response(400, json={"error": {"code": "context_length_exceeded"}}),
    ],
)
def test_texts_that_are_too_long_are_halved_and_sent_again(
    upstream: Upstream, refusal: httpx.Response
) -> None:
    upstream.answers = [refusal, vectors]
    result = embed(upstream.line(), "12345678", "1")

    assert upstream.inputs == [["12345678", "1"], ["1234", ""]]
    assert [cut.lost_characters for cut in result.truncated.values()] == [4, 1]


def test_texts_that_stay_too_long_are_given_up_after_three_attempts(upstream: Upstream) -> None:
    upstream.answers = [says(413)]

    with pytest.raises(UpstreamRefused, match="content too large"):
        embed(upstream.line(), "12345678")

    assert upstream.inputs == [["12345678"], ["1234"], ["12"]]


def sse(*events: Any) -> bytes:
    told = [event if isinstance(event, str) else orjson.dumps(event).decode() for event in events]
    return "".join(f"data: {data}\n\n" for data in told).encode()


def delta(text: str) -> dict[str, Any]:
    return {"id": "1", "choices": [{"index": 0, "delta": {"content": text}}]}


def streamed(line: Line) -> list[Any]:
    return list(line.stream(CHAT, 60))


def test_a_stream_is_told_as_it_comes_and_nothing_is_read_ahead(upstream: Upstream) -> None:
    sent: list[str] = []

    def body() -> Iterator[bytes]:
        for word in ("a", "b", "c"):
            sent.append(word)
            yield sse(delta(word))

    upstream.answers = [lambda _: httpx.Response(200, content=body())]
    streaming = upstream.line(TaskType.CHAT_COMPLETION).stream(CHAT, 60)

    assert next(streaming)["choices"][0]["delta"] == {"content": "a"}
    assert sent == ["a"]


def test_a_caller_who_leaves_ends_the_call_to_the_provider(upstream: Upstream) -> None:
    ended: list[bool] = []

    def body() -> Iterator[bytes]:
        try:
            while True:
                yield sse(delta("a"))
        finally:
            ended.append(True)

    class Stream(httpx.SyncByteStream):
        def __init__(self) -> None:
            self.body = body()

        def __iter__(self) -> Iterator[bytes]:
            return self.body

        def close(self) -> None:
            self.body.close()  # type: ignore[attr-defined]  # it is a generator

    upstream.answers = [lambda _: httpx.Response(200, stream=Stream())]
    streaming = upstream.line(TaskType.CHAT_COMPLETION).stream(CHAT, 60)
    next(streaming)
    streaming.close()  # type: ignore[attr-defined]  # it is a generator

    assert ended == [True]


def test_a_stream_is_tried_again_only_before_it_begins(upstream: Upstream) -> None:
    upstream.answers = [says(503), httpx.Response(200, content=sse(delta("a"), "[DONE]"))]

    assert len(streamed(upstream.line(TaskType.CHAT_COMPLETION))) == 1
    assert len(upstream.asked) == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (sse(delta("a"), {"error": {"message": "overloaded"}}), "overloaded"),
        (sse(delta("a")) + b"event: error\n" + sse({"error": {"message": "gone"}}), "gone"),
        (sse(delta("a"), {"foo": 1}), "cannot be read"),
        (sse(delta("a"), "{"), "cannot be read"),
    ],
)
def test_an_error_within_a_stream_ends_it(upstream: Upstream, body: bytes, message: str) -> None:
    upstream.answers = [httpx.Response(200, content=body)]
    streaming = upstream.line(TaskType.CHAT_COMPLETION).stream(CHAT, 60)
    next(streaming)

    with pytest.raises(BrokenStream, match=message) as told:
        next(streaming)

    assert told.value.told.code == "stream_error"
    assert told.value.status == 500


def test_a_task_without_streams_refuses_one(upstream: Upstream) -> None:
    with pytest.raises(StreamingNotAllowed, match=r"Supported tasks: \[completion, chat"):
        upstream.line().stream(InferenceRequest(("a",)), 60)


@pytest.mark.parametrize(
    "answer",
    [says(401), says(500), httpx.ReadError("x"), lambda _: httpx.Response(200, content=b"{")],
)
def test_a_failure_tells_neither_key_nor_text(upstream: Upstream, answer: Any) -> None:
    upstream.answers = [answer]
    key, text = "-".join(("sk", "planted")), "-".join(("private", "text"))

    with pytest.raises(UpstreamError) as told:
        embed(upstream.line(api_key=key), text)

    words = "".join(format_exception(told.value)) + str(vars(told.value))
    assert key not in words
    assert text not in words
