"""IBM watsonx: tokens, requests to the letter, and its replies as it sends them."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import TaskType
from inference.upstream.door import Reply
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

SETTINGS = {
    "api_key": "k+1&x",
    "url": "us-south.ml.cloud.ibm.com",
    "api_version": "2024-05-02",
    "model_id": "ibm/slate-30m-english-rtrvr",
    "project_id": "p1",
}
TOKEN = Replied(
    b'{"access_token":"eyJ","refresh_token":"not_supported","token_type":"Bearer",'
    b'"expires_in":3600,"expiration":1700003600,"scope":"ibm openid"}'
)
EMBEDDED = (
    b'{"model_id":"ibm/slate-30m-english-rtrvr","results":[{"embedding":[0.5,0.25]},'
    b'{"embedding":[0.75,0.5]}],"created_at":"2024-02-21T17:32:28Z","input_token_count":4}'
)
RANKED = (
    b'{"model_id":"m","results":[{"index":1,"score":0.98,"input":{"text":"b"}},'
    b'{"index":0,"score":0.1}],"created_at":"2024-02-21T17:32:28Z","input_token_count":20}'
)
ANSWERED = (
    b'{"id":"chat-1","object":"chat.completion","model_id":"ibm/granite-4-h-small",'
    b'"model":"ibm/granite-4-h-small","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hello"},"finish_reason":"stop"}],"created":1709000000,"usage":'
    b'{"completion_tokens":2,"prompt_tokens":5,"total_tokens":7}}'
)
HOST = "https://us-south.ml.cloud.ibm.com"


def asking(task: TaskType, *replies: Any, **settings: Any) -> Asking:
    task_settings = settings.pop("task_settings", None)
    return endpoint(
        "watsonxai", task, SETTINGS | settings, TOKEN, *replies, task_settings=task_settings
    )


def embedding(*replies: Any, **settings: Any) -> Asking:
    return asking(TaskType.TEXT_EMBEDDING, *replies, **settings)


def refusal(status: int, code: str, message: str) -> Replied:
    error = {"code": code, "message": message, "more_info": "https://ibm.com"}
    return Replied({"errors": [error], "trace": "t", "status_code": status}, status)


def test_a_key_is_exchanged_for_a_token_which_is_kept() -> None:
    call = embedding(EMBEDDED)

    call.infer("hello", "world")
    call.infer("hello", "world")

    token, first, second = call.requests
    assert str(token.url) == "https://iam.cloud.ibm.com/identity/token"
    assert token.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(token.content.decode()) == {
        "grant_type": ["urn:ibm:params:oauth:grant-type:apikey"],
        "apikey": ["k+1&x"],
    }
    assert first.headers["Authorization"] == second.headers["Authorization"] == "Bearer eyJ"


def test_a_token_that_is_refused_is_fetched_anew() -> None:
    other = Replied({"access_token": "new", "expires_in": 3600})
    call = embedding(refusal(401, "authentication_token_expired", "Expired"), other, EMBEDDED)

    with pytest.raises(UpstreamError):
        call.infer("hello", "world")
    call.infer("hello", "world")

    assert call.request.headers["Authorization"] == "Bearer new"


def test_a_key_that_nobody_knows_is_told_without_the_key() -> None:
    call = embedding()
    call.replies = [Replied({"errorCode": "BXNIM0415E"}, 400)]

    with pytest.raises(UpstreamError) as told:
        call.infer("hello")

    assert (
        "for request to generate Bearer Token from inference entity id [my-endpoint] status [400]. "
        "Error message: [Bad Request]"
    ) in str(told.value)
    assert "k+1" not in str(told.value)
    assert told.value.status == 400


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (403, 1)])
def test_only_a_fault_of_whoever_gives_tokens_is_tried_again(status: int, attempts: int) -> None:
    call = embedding()
    call.replies = [Replied(b"", status)]

    with pytest.raises(UpstreamError, match="to generate Bearer Token"):
        call.infer("hello")

    assert len(call.requests) == attempts


def test_texts_are_sent_for_a_project() -> None:
    call = embedding(EMBEDDED)

    answer = call.infer("hello", "world")

    assert str(call.request.url) == f"{HOST}/ml/v1/text/embeddings?version=2024-05-02"
    assert call.body == {
        "inputs": ["hello", "world"],
        "model_id": "ibm/slate-30m-english-rtrvr",
        "project_id": "p1",
    }
    vectors = [row["embedding"].tolist() for row in answer["text_embedding"]]
    assert vectors == [[0.5, 0.25], [0.75, 0.5]]


def test_the_host_may_be_an_address() -> None:
    call = embedding(EMBEDDED, url=f"{HOST}/")

    call.infer("hello", "world")

    assert str(call.request.url) == f"{HOST}/ml/v1/text/embeddings?version=2024-05-02"


def test_texts_are_cut_to_what_the_endpoint_allows() -> None:
    call = embedding(EMBEDDED, max_input_tokens=1)

    call.infer("abcdef", "xy")

    assert call.body["inputs"] == ["abc", "xy"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"results": [{"embedding": [0.1]}]}, r"\[1\] vectors for \[2\] inputs"),
        ({"results": [{"embedding": [0.1]}, {"embedding": [0.1, 0.2]}]}, r"lengths \[1, 2\]"),
        ({"results": [{"vector": [0.1]}]}, r"\[results.0.embedding\] Field required"),
        ({}, r"\[results\] Field required"),
    ],
)
def test_vectors_that_are_none_are_told(body: Any, why: str) -> None:
    with pytest.raises(UpstreamMalformed, match=why):
        embedding(body).infer("a", "b")


def test_a_ranking_is_asked_for_with_its_options() -> None:
    call = asking(TaskType.RERANK, RANKED, task_settings={"truncate_input_tokens": 400})

    answer = call.infer("a", "b", query="q", top_n=2, return_documents=True)

    assert str(call.request.url) == f"{HOST}/ml/v1/text/rerank?version=2024-05-02"
    assert call.body == {
        "model_id": "ibm/slate-30m-english-rtrvr",
        "query": "q",
        "inputs": [{"text": "a"}, {"text": "b"}],
        "project_id": "p1",
        "parameters": {
            "truncate_input_tokens": 400,
            "return_options": {"inputs": True, "top_n": 2},
        },
    }
    assert answer["rerank"] == [
        {"index": 1, "relevance_score": 0.98, "text": "b"},
        {"index": 0, "relevance_score": 0.1, "text": "a"},
    ]
    call.infer("a", "b", query="q")
    assert call.body["parameters"]["return_options"] == {}


def test_a_chat_is_sent_without_a_word_of_streams() -> None:
    call = asking(TaskType.CHAT_COMPLETION, ANSWERED)
    parts = [{"type": "text", "text": "Be"}, {"type": "text", "text": " brief."}]

    answer = call.chat(
        messages=[{"role": "system", "content": parts}, {"role": "user", "content": parts}],
        max_completion_tokens=50,
        tool_choice="auto",
    )

    assert str(call.request.url) == f"{HOST}/ml/v1/text/chat?version=2024-05-02"
    assert call.body == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": parts},
        ],
        "max_tokens": 50,
        "n": 1,
        "tool_choice_option": "auto",
        "model_id": "ibm/slate-30m-english-rtrvr",
        "project_id": "p1",
    }
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}


def test_a_chat_may_name_its_model_and_its_tool() -> None:
    call = asking(TaskType.CHAT_COMPLETION, ANSWERED)
    choice = {"type": "function", "function": {"name": "weather"}}

    call.chat(model="ibm/other", tool_choice=choice)

    assert call.body["model_id"] == "ibm/other"
    assert call.body["tool_choice"] == choice
    assert "tool_choice_option" not in call.body


def test_only_a_user_shows_pictures() -> None:
    image = [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]
    call = asking(TaskType.CHAT_COMPLETION, ANSWERED)

    with pytest.raises(InvalidRequest, match=r"role \[system\]"):
        call.chat(messages=[{"role": "system", "content": image}])


def test_a_completion_takes_one_input() -> None:
    call = asking(TaskType.COMPLETION, ANSWERED)

    assert call.infer("hi") == {"completion": [{"result": "Hello"}]}
    with pytest.raises(InvalidRequest, match="only accepts 1 input"):
        call.infer("one", "two")


def chunk(**more: Any) -> dict[str, Any]:
    return {
        "id": "chat-1",
        "object": "chat.completion.chunk",
        "model_id": "ibm/granite-4-h-small",
        "model": "ibm/granite-4-h-small",
        "created": 1709000000,
        "choices": [],
        **more,
    }


def delta(**told: Any) -> dict[str, Any]:
    return chunk(choices=[{"index": 0, "finish_reason": None, "delta": told}])


USAGE = {"completion_tokens": 2, "prompt_tokens": 5, "total_tokens": 7}
CALLED = {"index": 0, "id": "call-1", "type": "function", "function": {"name": "weather"}}
NAMED = b"id: 1\nevent: message\n"


def test_a_stream_has_an_address_of_its_own_and_ends_without_a_mark() -> None:
    events = (delta(role="assistant", content="He"), delta(tool_calls=[CALLED]), chunk(usage=USAGE))
    body = NAMED + sse(*events, is_done=False)
    call = asking(TaskType.CHAT_COMPLETION, body)

    first, second, last = call.stream()

    assert str(call.request.url) == f"{HOST}/ml/v1/text/chat_stream?version=2024-05-02"
    assert not {"stream", "stream_options", "model"} & set(call.body)
    assert first["choices"] == [{"delta": {"content": "He", "role": "assistant"}, "index": 0}]
    assert first["model"] == "ibm/granite-4-h-small"
    assert second["choices"][0]["delta"] == {"tool_calls": [CALLED]}
    assert last["usage"] == USAGE


def test_an_error_within_a_stream_is_told() -> None:
    error = {"errors": [{"code": "downstream_request_failed", "message": "No more"}]}
    call = asking(TaskType.COMPLETION, sse(delta(content="He"), error, is_done=False))
    stream = call.stream()

    assert next(stream) == {"completion": [{"delta": "He"}]}
    with pytest.raises(BrokenStream, match="No more"):
        next(stream)


@pytest.mark.parametrize(
    ("task", "status", "attempts", "category"),
    [
        (TaskType.TEXT_EMBEDDING, 500, 3, "Received a server error status code"),
        (TaskType.TEXT_EMBEDDING, 503, 1, "Received a server error status code"),
        (TaskType.TEXT_EMBEDDING, 429, 1, "Received an unsuccessful status code"),
        (TaskType.RERANK, 429, 1, "Received an unsuccessful status code"),
        (TaskType.RERANK, 403, 1, "Received a permission denied error status code"),
        (TaskType.COMPLETION, 429, 3, "Received a rate limit status code"),
        (TaskType.COMPLETION, 503, 3, "Received a server busy error status code"),
        (TaskType.COMPLETION, 404, 1, f"Resource not found at [{HOST}/ml/v1/text/chat?version="),
    ],
)
def test_a_refusal_is_told_in_ibm_s_words(
    task: TaskType, status: int, attempts: int, category: str
) -> None:
    call = asking(task, refusal(status, "model_not_supported", "Model 'x' is not supported"))

    with pytest.raises(UpstreamError) as told:
        call.infer("a", query="q" if task == TaskType.RERANK else None)

    assert category in str(told.value)
    assert "Error message: [Model 'x' is not supported]" in str(told.value)
    assert told.value.told.code == "model_not_supported"
    assert len(call.requests) == attempts + 1


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"url": "not a host"}, "Invalid url [not a host] received for field [url]"),
        ({"url": "ftp://e.org"}, "Invalid url [ftp://e.org] received for field [url]"),
        ({"api_version": None}, "does not contain the required setting [api_version]"),
        ({"project_id": ""}, "[project_id] must be a non-empty string"),
        ({"max_input_tokens": 0}, "[max_input_tokens] must be a positive integer"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        embedding(**settings)

    assert why in str(told.value)


def test_its_models_can_be_listed() -> None:
    call = embedding()
    request: Any = call.service.models_request(call.config.service_settings)
    body = b'{"resources":[{"model_id":"b"},{"model_id":"a","label":"A"}]}'
    reply = Reply(200, request.headers, body, str(request.url))

    assert str(request.url) == f"{HOST}/ml/v1/foundation_model_specs?version=2024-05-02"
    assert call.service.model_names(reply) == ["a", "b"]
