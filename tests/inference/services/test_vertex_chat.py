"""Chats on Google Vertex AI: with Gemini, and with the models of others in its Model Garden."""

from typing import Any

import pytest

from inference.errors import InvalidRequest
from inference.upstream.errors import UpstreamError
from tests.endpoints.services.cases.googlevertexai import SECRET
from tests.inference.services.asking import sse
from tests.inference.services.vertex_endpoints import (
    CHAT,
    CLAUDE,
    CLAUDE_REPLY,
    COMPLETION,
    GEMINI,
    MISTRAL,
    OPENAI_REPLY,
    REPLY,
    WEATHER,
    asked,
    candidate,
    user,
    vertex,
)


def test_gemini_is_called_in_the_global_location_of_a_regional_host() -> None:
    asking = vertex(COMPLETION, GEMINI, REPLY)

    answer = asking.infer("hi")

    assert str(asking.request.url) == (
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p-1/locations/global/"
        "publishers/google/models/gemini-x:generateContent"
    )
    assert asking.body == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    assert answer == {"completion": [{"result": "Hi"}]}


def test_what_is_stored_holds_where_a_chat_does_not_say_it() -> None:
    asking = vertex(CHAT, GEMINI, REPLY, thinking_config={"thinking_budget": 256}, max_tokens=100)

    asking.chat(temperature=0.5, top_p=0.9, stop=["x"])
    assert asking.body["generationConfig"] == {
        "stopSequences": ["x"],
        "temperature": 0.5,
        "maxOutputTokens": 100,
        "topP": 0.9,
        "thinkingConfig": {"thinkingBudget": 256},
    }
    asking.chat(max_completion_tokens=7, reasoning={"effort": "low", "exclude": True})
    assert asking.body["generationConfig"] == {
        "maxOutputTokens": 7,
        "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": False},
    }


def test_the_use_of_tools_is_told_in_gemini_s_words() -> None:
    calls = [
        {"id": "c1", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
        {"id": "f", "function": {"name": "f", "arguments": ""}},
    ]
    body = asked(
        {"role": "system", "content": "be brief"},
        user("hi"),
        {"role": "assistant", "content": "Wait", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "f", "content": '{"a": 1}'},
        user(""),
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )

    assert body["systemInstruction"] == {"parts": [{"text": "be brief"}]}
    assert body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Wait"},
                {
                    "functionCall": {"name": "weather", "args": {"city": "Rome"}, "id": "c1"},
                    "thoughtSignature": "skip_thought_signature_validator",
                },
                {"functionCall": {"name": "f", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "name": "weather",
                        "id": "c1",
                        "response": {"output": "sunny"},
                    }
                },
                {"functionResponse": {"name": "f", "response": {"a": 1}}},
            ],
        },
    ]
    assert body["tools"] == [{"functionDeclarations": [{"name": "weather", "description": "d"}]}]
    assert body["toolConfig"] == {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}
    }


def test_the_signature_of_thoughts_goes_back_with_the_call_that_they_led_to() -> None:
    call = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}
    answer = vertex(CHAT, GEMINI, candidate(call, reason="STOP")).chat()
    message = answer["choices"][0]["message"]

    body = asked(user("hi"), message, {"role": "tool", "tool_call_id": "f", "content": "ok"})

    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert body["contents"][1]["parts"][0]["thoughtSignature"] == "c2ln"


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "developer", "content": "hi"}]},
        {"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "hi"}]},
        {"messages": [{"role": "tool", "content": "hi"}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b"}}],
                }
            ]
        },
        {"tool_choice": "none"},
        {"tool_choice": "required"},
        {"tools": [{"type": "retrieval", "function": {"name": "f"}}]},
        {"reasoning": {"effort": "xhigh"}},
        {"reasoning": {"effort": "none"}},
        {"reasoning": {"enabled": False}},
    ],
)
def test_what_gemini_cannot_be_told_is_refused(body: Any) -> None:
    asking = vertex(CHAT, GEMINI, REPLY)

    with pytest.raises(InvalidRequest):
        asking.chat(**body)

    assert not asking.requests


def test_a_whole_chat_has_openai_s_shape() -> None:
    thought = {"text": "hm", "thought": True}
    parts = [thought, *REPLY["candidates"][0]["content"]["parts"]]  # type: ignore[index]
    answer = vertex(CHAT, GEMINI, REPLY | candidate(*parts, reason="MAX_TOKENS")).chat()

    assert answer == {
        "id": "r1",
        "object": "chat.completion",
        "model": "gemini-x-001",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "reasoning": "hm",
                    "reasoning_details": [
                        {"type": "reasoning.text", "text": "hm", "format": "google-vertex-ai-v1"}
                    ],
                },
                "finish_reason": "length",
            }
        ],
        "usage": {
            "completion_tokens": 7,
            "prompt_tokens": 1,
            "total_tokens": 8,
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    }


def test_a_streamed_completion_leaves_thoughts_out() -> None:
    stream = sse(
        candidate({"text": "hm", "thought": True}),
        candidate({"text": "Hi "}),
        candidate({"text": "there"}, reason="STOP"),
        is_done=False,
    )
    asking = vertex(COMPLETION, GEMINI, stream)

    assert list(asking.stream()) == [
        {"completion": [{"delta": "Hi "}]},
        {"completion": [{"delta": "there"}]},
    ]
    assert str(asking.request.url).endswith("/gemini-x:streamGenerateContent?alt=sse")


def test_a_streamed_chat_numbers_the_calls_of_tools() -> None:
    def call(name: str) -> dict[str, Any]:
        return {"functionCall": {"name": name, "args": {"a": 1}}}

    usage = {"promptTokenCount": 1, "candidatesTokenCount": 2}
    stream = sse(
        candidate({"text": "Wait"}, usageMetadata={"promptTokenCount": 1}),
        candidate(call("f")),
        candidate(call("g"), reason="STOP", usageMetadata=usage),
        is_done=False,
    )

    *told, last = vertex(CHAT, GEMINI, stream).stream()

    assert {(chunk["id"], chunk["model"]) for chunk in told} == {("r1", "gemini-x-001")}
    first, *calls = [chunk["choices"][0] for chunk in told]
    assert first == {"delta": {"role": "assistant", "content": "Wait"}, "index": 0}
    assert [choice["delta"]["tool_calls"] for choice in calls] == [
        [
            {
                "index": number,
                "id": name,
                "function": {"arguments": '{"a":1}', "name": name},
                "type": "function",
            }
        ]
        for number, name in enumerate("fg")
    ]
    assert calls[-1]["finish_reason"] == "tool_calls"
    assert last["choices"] == []
    assert last["usage"] == {"completion_tokens": 2, "prompt_tokens": 1, "total_tokens": 3}


@pytest.mark.parametrize("is_list", [False, True])
def test_an_error_within_a_stream_is_told(is_list: bool) -> None:
    error: Any = {"error": {"code": 429, "message": "Too much", "status": "RESOURCE_EXHAUSTED"}}
    stream = sse(candidate({"text": "Hi"}), [error] if is_list else error, is_done=False)

    with pytest.raises(UpstreamError, match=r"Error message: \[Too much\]") as caught:
        list(vertex(CHAT, GEMINI, stream).stream())

    assert caught.value.status == 429
    assert (caught.value.told.code, caught.value.told.type) == ("429", "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_prompt_that_was_blocked_is_told(is_stream: bool) -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    asking = vertex(COMPLETION, GEMINI, sse(blocked, is_done=False) if is_stream else blocked)

    with pytest.raises(UpstreamError, match="The prompt was blocked: SAFETY") as caught:
        list(asking.stream() if is_stream else asking.infer("hi"))

    assert caught.value.status == 400


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_completion_that_was_only_thought_is_told(is_stream: bool) -> None:
    thought = candidate({"text": "hm", "thought": True}, reason="MAX_TOKENS")
    asking = vertex(COMPLETION, GEMINI, sse(thought, is_done=False) if is_stream else thought)

    with pytest.raises(UpstreamError, match=r"no text, and ended with \[MAX_TOKENS\]"):
        list(asking.stream() if is_stream else asking.infer("hi"))

    assert len(asking.requests) == 2  # a token, and one attempt


def test_claude_in_the_model_garden_is_told_a_version_and_no_model() -> None:
    asking = vertex(CHAT, CLAUDE | SECRET, CLAUDE_REPLY)

    answer = asking.chat()

    assert asking.request.url.raw_path.endswith(b"/models/claude-x:rawPredict")
    assert asking.request.headers["authorization"] == "Bearer ya29.1"
    assert asking.body == {
        "anthropic_version": "vertex-2023-10-16",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 1024,
    }
    assert answer["choices"][0]["message"]["content"] == "Hello"


def test_the_limit_of_an_endpoint_holds_in_the_model_garden() -> None:
    claude = vertex(COMPLETION, CLAUDE | SECRET, CLAUDE_REPLY, max_tokens=5)
    claude.infer("hi")
    mistral = vertex(CHAT, MISTRAL | {"model_id": "small"} | SECRET, OPENAI_REPLY, max_tokens=5)
    mistral.chat()

    assert claude.body["max_tokens"] == 5
    assert mistral.body["max_tokens"] == 5
    mistral.chat(max_completion_tokens=3)
    assert mistral.body["max_tokens"] == 3


@pytest.mark.parametrize(
    ("provider", "has_options"),
    [("meta", True), ("hugging_face", True), ("mistral", False), ("ai21", False)],
)
def test_others_in_the_model_garden_speak_openai_s_api(provider: str, has_options: bool) -> None:
    stream = sse({"id": "c", "choices": [{"index": 0, "delta": {"content": "Hello"}}]})
    asking = vertex(COMPLETION, MISTRAL | {"provider": provider} | SECRET, stream)

    assert list(asking.stream()) == [{"completion": [{"delta": "Hello"}]}]
    expected = {"messages": [{"role": "user", "content": "hi"}], "n": 1, "stream": True}
    if has_options:
        expected["stream_options"] = {"include_usage": True}
    assert asking.body == expected


def test_mistral_gets_calls_of_tools_as_it_takes_them_anywhere() -> None:
    asking = vertex(CHAT, MISTRAL | SECRET, OPENAI_REPLY)
    called = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}

    asking.chat(
        messages=[
            {"role": "assistant", "tool_calls": [called]},
            {"role": "tool", "content": "noon", "tool_call_id": "call_1"},
        ],
        tools=[WEATHER],
    )

    sent, told = asking.body["messages"]
    assert sent["tool_calls"][0]["id"] == told["tool_call_id"]
    assert len(told["tool_call_id"]) == 9
    (tool,) = asking.body["tools"]
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}}


def test_each_address_stands_in_for_the_other() -> None:
    only_streams = {"provider": "ai21", "streaming_url": "https://a.example/stream"}
    both = only_streams | {"url": "https://a.example/plain"}
    for settings, expected in ((only_streams, "stream"), (both, "plain")):
        asking = vertex(COMPLETION, settings | SECRET, OPENAI_REPLY)
        asking.infer("hi")
        assert str(asking.request.url) == f"https://a.example/{expected}"
