"""Mistral: what it refuses is not sent, what it writes differently is read."""

from typing import Any

import pytest

from inference.errors import InvalidRequest
from inference.types import TaskType
from inference.upstream.errors import UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint, sse

SETTINGS = {"model": "mistral-small-latest", "api_key": "k1"}
EMBEDDED = (
    b'{"id":"e1","object":"list","data":[{"object":"embedding","embedding":[0.5,0.25],"index":0}],'
    b'"model":"mistral-embed","usage":{"prompt_tokens":2,"completion_tokens":0,"total_tokens":2}}'
)
ANSWERED = (
    b'{"id":"c1","object":"chat.completion","created":1,"model":"mistral-small-latest","choices":'
    b'[{"index":0,"message":{"role":"assistant","tool_calls":null,"content":"Hello"},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}'
)
STREAMED = (
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"content":"","tool_calls":[{"id":"D681PevKs","function":'
    b'{"name":"one","arguments":"{}"}},{"id":"Ab1Cd2Ef3","function":{"name":"two",'
    b'"arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":8,'
    b'"completion_tokens":2,"total_tokens":10}}\n\ndata: [DONE]\n\n'
)


def asked(task_type: TaskType, *replies: Any, **settings: Any) -> Asking:
    return endpoint("mistral", task_type, SETTINGS | settings, *replies)


def test_texts_are_sent_with_the_model() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, EMBEDDED, model="mistral-embed", dimensions=2)

    answer = asking.infer("a")

    assert str(asking.request.url) == "https://api.mistral.ai/v1/embeddings"
    assert asking.request.headers["Authorization"] == "Bearer k1"
    assert asking.body == {"model": "mistral-embed", "input": ["a"], "encoding_format": "float"}
    assert answer["text_embedding"][0]["embedding"].tolist() == [0.5, 0.25]


def test_a_chat_is_sent_in_mistral_s_words() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, ANSWERED)

    answer = asking.chat(max_completion_tokens=100, model="mistral-large-latest")

    assert str(asking.request.url) == "https://api.mistral.ai/v1/chat/completions"
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "mistral-large-latest",
        "max_tokens": 100,
        "n": 1,
        "stream": False,
    }
    assert answer["choices"][0]["message"]["content"] == "Hello"


def test_no_stream_options_are_sent() -> None:
    asking = asked(TaskType.COMPLETION, STREAMED)

    list(asking.stream())

    assert asking.body["stream"] is True
    assert "stream_options" not in asking.body


def test_a_tool_without_parameters_gets_an_empty_object() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, ANSWERED)
    own = {"type": "object", "properties": {"city": {"type": "string"}}}
    functions = [{"name": "now"}, {"name": "weather", "parameters": own}]

    asking.chat(tools=[{"type": "function", "function": function} for function in functions])

    first, second = (tool["function"] for tool in asking.body["tools"])
    assert first == {"name": "now", "parameters": {"type": "object", "properties": {}}}
    assert second == functions[1]


def test_ids_of_tool_calls_are_made_to_fit_and_still_belong_together() -> None:
    asking = asked(TaskType.CHAT_COMPLETION, ANSWERED)
    function = {"name": "now", "arguments": "{}"}
    calls = [
        {"id": name, "type": "function", "function": function} for name in ("call_1", "D681PevKs")
    ]

    asking.chat(
        messages=[
            {"role": "assistant", "tool_calls": calls, "reasoning": "why"},
            {"role": "tool", "content": "noon", "tool_call_id": "call_1"},
            {"role": "tool", "content": "late", "tool_call_id": "D681PevKs"},
        ]
    )

    called, first, second = asking.body["messages"]
    sent = [one["id"] for one in called["tool_calls"]]
    assert sent == [first["tool_call_id"], second["tool_call_id"]]
    assert len(sent[0]) == 9
    assert sent[0].isalnum()
    assert sent[1] == "D681PevKs"
    assert "reasoning" not in called


def test_a_stream_of_a_chat_numbers_tool_calls_and_tells_usage_with_its_last_chunk() -> None:
    first, last = asked(TaskType.CHAT_COMPLETION, STREAMED).stream()

    assert first["choices"] == [{"delta": {"content": "", "role": "assistant"}, "index": 0}]
    (choice,) = last["choices"]
    assert [(one["index"], one["id"]) for one in choice["delta"]["tool_calls"]] == [
        (0, "D681PevKs"),
        (1, "Ab1Cd2Ef3"),
    ]
    assert choice["finish_reason"] == "tool_calls"
    assert last["usage"] == {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}


def test_what_a_model_thinks_is_no_part_of_its_answer() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}
    message = {"role": "assistant", "content": [thought, {"type": "text", "text": "Hello"}]}
    reply = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    assert asked(TaskType.COMPLETION, reply).infer("hi") == {"completion": [{"result": "Hello"}]}


@pytest.mark.parametrize(
    ("status", "body", "words", "code"),
    [
        (
            400,
            b'{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,'
            b'"code":"1500"}',
            "Invalid model: x",
            "1500",
        ),
        (
            422,
            b'{"object":"error","message":{"detail":[{"type":"greater_than_equal","loc":["body",'
            b'"max_tokens"],"msg":"Input should be"}]},"type":"invalid_request_error","code":null}',
            '{"detail":[{"type":"greater_than_equal","loc":["body","max_tokens"],'
            '"msg":"Input should be"}]}',
            None,
        ),
        (404, b'{"detail":"Not Found"}', "Not Found", None),
        (401, b'{"message":"Unauthorized","request_id":"r1"}', "Unauthorized", None),
    ],
)
def test_a_refusal_is_told_in_each_of_its_shapes(
    status: int, body: bytes, words: str, code: str | None
) -> None:
    asking = asked(TaskType.CHAT_COMPLETION, Replied(body, status))

    with pytest.raises(UpstreamError) as caught:
        asking.chat()

    assert str(caught.value).endswith(f"Error message: [{words}]")
    assert caught.value.status == status
    assert caught.value.told.code == code
    assert caught.value.told.type in ("invalid_model", "invalid_request_error", "mistral_error")
    assert len(asking.requests) == 1


def test_a_refused_field_is_called_so() -> None:
    with pytest.raises(UpstreamError, match="Received an input validation error response"):
        asked(TaskType.COMPLETION, Replied(b"{}", 422)).infer("a")


@pytest.mark.parametrize("unknown", ["model_id", "url", "dimensions_set_by_user"])
def test_settings_of_other_services_are_refused(unknown: str) -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[mistral\] service"):
        asked(TaskType.TEXT_EMBEDDING, **{unknown: "https://x.test"})


def test_it_has_no_task_settings() -> None:
    with pytest.raises(InvalidRequest, match="user=me"):
        endpoint("mistral", TaskType.COMPLETION, SETTINGS, task_settings={"user": "me"})


def test_an_error_in_the_middle_of_a_stream_names_its_type() -> None:
    stream = asked(TaskType.CHAT_COMPLETION, sse({"message": "overloaded"})).stream()

    with pytest.raises(UpstreamError, match=r"\[overloaded\]") as caught:
        list(stream)
    assert caught.value.told.type == "mistral_error"


def test_what_is_never_sent_leaves_the_vectors_as_they_are() -> None:
    def fingerprint(**more: Any) -> str:
        asking = asked(TaskType.TEXT_EMBEDDING, **more)
        return asking.service.fingerprint(asking.config)

    assert fingerprint(dimensions=2, max_input_tokens=5, api_key="k2") == fingerprint()
    assert fingerprint(model="other") != fingerprint()


def test_it_is_called_as_often_as_its_settings_say() -> None:
    asking = asked(TaskType.TEXT_EMBEDDING)
    group = asking.service.group(asking.config)

    assert group is not None
    assert group.requests_per_minute == 240
    assert group.values == ("mistral-small-latest", "k1")


def test_models_are_listed_without_cost() -> None:
    asking = asked(TaskType.COMPLETION)

    listing = asking.service.models_request(asking.config.service_settings)

    assert listing is not None
    assert str(listing.url) == "https://api.mistral.ai/v1/models"
