"""Google AI Studio: requests to the letter, and its replies as it sends them."""

from typing import Any

import httpx
import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import InputType, TaskType
from inference.upstream.door import Reply
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

URL = "https://generativelanguage.googleapis.com/v1/models"
ANSWERED = (
    b'{"candidates":[{"content":{"parts":[{"text":"Hel"},{"text":"lo"}],"role":"model"},'
    b'"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1,'
    b'"candidatesTokenCount":2,"totalTokenCount":3},"modelVersion":"gemini-x"}'
)
EMBEDDED = b'{"embeddings":[{"values":[0.5,0.25]},{"values":[0.75,0.5]}]}'


def asking(task: TaskType, *replies: Any, **settings: Any) -> Asking:
    given = {"api_key": "AIza-1", "model_id": "text-embedding-004"} | settings
    return endpoint("googleaistudio", task, given, *replies)


def embedding(*replies: Any, **settings: Any) -> Asking:
    return asking(TaskType.TEXT_EMBEDDING, *replies, **settings)


def completion(*replies: Any) -> Asking:
    return asking(TaskType.COMPLETION, *replies, model_id="gemini-2.5-flash")


def piece(text: str | None, **more: Any) -> dict[str, Any]:
    content = {} if text is None else {"content": {"parts": [{"text": text}], "role": "model"}}
    return {"candidates": [content | more], "modelVersion": "gemini-x"}


def test_each_text_is_a_request_of_one_batch_and_the_key_is_in_no_address() -> None:
    call = embedding(EMBEDDED, dimensions=2)

    answer = call.infer("a", "b")

    assert str(call.request.url) == f"{URL}/text-embedding-004:batchEmbedContents"
    assert call.request.headers["x-goog-api-key"] == "AIza-1"
    assert "Authorization" not in call.request.headers
    assert call.body == {
        "requests": [
            {
                "model": "models/text-embedding-004",
                "content": {"parts": [{"text": text}]},
                "outputDimensionality": 2,
            }
            for text in ("a", "b")
        ]
    }
    vectors = [row["embedding"].tolist() for row in answer["text_embedding"]]
    assert vectors == [[0.5, 0.25], [0.75, 0.5]]


@pytest.mark.parametrize(
    ("input_type", "sent"),
    [
        (InputType.INGEST, "RETRIEVAL_DOCUMENT"),
        (InputType.SEARCH, "RETRIEVAL_QUERY"),
        (InputType.CLASSIFICATION, "CLASSIFICATION"),
        (InputType.CLUSTERING, "CLUSTERING"),
        (InputType.UNSPECIFIED, None),
    ],
)
def test_the_first_model_is_told_what_texts_are_for(input_type: InputType, sent: Any) -> None:
    call = embedding(EMBEDDED, model_id="embedding-001")

    call.infer("a", "b", input_type=input_type)

    assert call.body["requests"][0].get("taskType") == sent


def test_no_other_model_is_told_what_texts_are_for() -> None:
    call = embedding(EMBEDDED)

    with pytest.raises(InvalidSettings) as told:
        call.infer("a", input_type=InputType.SEARCH)

    assert (
        "Invalid value [search] received. [input_type] is not allowed for model "
        "[text-embedding-004]"
    ) in str(told.value)
    assert not call.requests


def test_texts_are_cut_to_what_the_endpoint_allows() -> None:
    call = embedding(EMBEDDED, max_input_tokens=1)

    call.infer("abcdef", "xy")

    sent = [one["content"]["parts"][0]["text"] for one in call.body["requests"]]
    assert sent == ["abc", "xy"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"embeddings": [{"values": [0.1]}]}, r"\[1\] vectors for \[2\] inputs"),
        ({"embeddings": [{}, {}]}, r"\[embeddings.0.values\] Field required"),
        ({}, r"\[embeddings\] Field required"),
    ],
)
def test_vectors_that_are_none_are_told(body: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed, match=why):
        embedding(body).infer("a", "b")


def test_a_completion_is_all_text_of_the_one_candidate() -> None:
    call = completion(ANSWERED)

    assert call.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert str(call.request.url) == f"{URL}/gemini-2.5-flash:generateContent"
    assert call.body == {
        "contents": [{"parts": [{"text": "hi"}], "role": "user"}],
        "generationConfig": {"candidateCount": 1},
    }
    with pytest.raises(InvalidRequest, match="only accepts 1 input"):
        call.infer("one", "two")


def test_what_a_model_thought_is_not_what_it_said() -> None:
    parts = [{"text": "Hm.", "thought": True}, {"text": "Yes."}]

    answer = completion({"candidates": [{"content": {"parts": parts}}]}).infer("hi")

    assert answer == {"completion": [{"result": "Yes."}]}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "The prompt was blocked: SAFETY"),
        (piece(None, finishReason="MAX_TOKENS"), r"holds no text, and ended with \[MAX_TOKENS\]"),
    ],
)
def test_an_answer_without_text_is_told_with_its_cause(body: Any, why: str) -> None:
    streaming = completion(sse(body, is_done=False)).stream()

    for ask in (lambda: completion(body).infer("hi"), lambda: list(streaming)):
        with pytest.raises(BrokenStream, match=why) as told:
            ask()
        assert told.value.status == 400


def test_an_answer_that_is_none_is_told() -> None:
    body, why = {"candidates": "none"}, r"\[candidates\] Input should be a valid array"

    with pytest.raises(UpstreamMalformed, match=why):
        completion(body).infer("hi")
    with pytest.raises(BrokenStream, match=why):
        list(completion(sse(body, is_done=False)).stream())


def test_a_stream_has_a_method_of_its_own_and_ends_without_a_mark() -> None:
    pieces = (piece("He"), piece("llo"), piece(None, finishReason="STOP"))
    call = completion(sse(*pieces, is_done=False))

    chunks = list(call.stream())

    assert str(call.request.url) == f"{URL}/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert chunks == [{"completion": [{"delta": "He"}]}, {"completion": [{"delta": "llo"}]}]


def test_an_error_within_a_stream_is_told() -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    stream = completion(sse(piece("He"), error, is_done=False)).stream()

    assert next(stream) == {"completion": [{"delta": "He"}]}
    with pytest.raises(BrokenStream, match="The model is overloaded"):
        next(stream)


@pytest.mark.parametrize(
    ("status", "attempts", "category"),
    [
        (400, 1, "Received an unsuccessful status code"),
        (401, 1, "Received an unsuccessful status code"),
        (403, 1, "Received a permission denied error status code"),
        (404, 1, f"Resource not found at [{URL}/text-embedding-004:batchEmbedContents]"),
        (413, 1, "Received an unsuccessful status code"),
        (429, 3, "Received a rate limit status code"),
        (500, 3, "Received a server error status code"),
        (501, 1, "Received a server error status code"),
        (503, 3, "The Google AI Studio service may be temporarily overloaded or down"),
    ],
)
def test_a_refusal_is_told_in_google_s_words(status: int, attempts: int, category: str) -> None:
    error = {"code": status, "message": "API key not valid.", "status": "X", "details": []}
    call = embedding(Replied({"error": error}, status))

    with pytest.raises(UpstreamError) as told:
        call.infer("a")

    assert str(told.value).startswith(category)
    assert "Error message: [API key not valid.]" in str(told.value)
    assert "AIza" not in str(told.value)
    assert len(call.requests) == attempts


def test_its_models_can_be_listed() -> None:
    call = completion()
    body = b'{"models":[{"name":"models/b"},{"name":"models/a","version":"1"}]}'
    request: Any = call.service.models_request(call.config.service_settings)

    assert str(request.url) == URL
    assert call.service.model_names(Reply(200, httpx.Headers(), body, URL)) == ["a", "b"]
