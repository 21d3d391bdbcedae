"""Groq: chats alone, in OpenAI's words at another address."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import TaskType
from inference.upstream.errors import UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint

SETTINGS = {"model_id": "llama-3.3-70b-versatile", "api_key": "k1"}
ANSWERED = (
    b'{"id":"c1","object":"chat.completion","created":1,"model":"llama-3.3-70b-versatile","choices"'
    b':[{"index":0,"message":{"role":"assistant","content":"Hello"},"logprobs":null,'
    b'"finish_reason":"stop"}],"usage":{"queue_time":0.1,"prompt_tokens":8,"prompt_time":0.1,'
    b'"completion_tokens":2,"total_tokens":10},"x_groq":{"id":"req_1"}}'
)
STREAMED = (
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index"'
    b':0,"delta":{"role":"assistant","content":"He"},"logprobs":null,"finish_reason":null}],'
    b'"x_groq":{"id":"req_1"}}\n\n'
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index"'
    b':0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{}}}\n\n'
    b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],'
    b'"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}\n\n'
    b"data: [DONE]\n\n"
)
REFUSED = (
    b'{"error":{"message":"Failed to call a function.","type":"invalid_request_error",'
    b'"code":"tool_use_failed","failed_generation":"{"}}'
)


def asked(*replies: Any, task_settings: dict[str, Any] | None = None, **settings: Any) -> Asking:
    return endpoint(
        "groq",
        TaskType.CHAT_COMPLETION,
        SETTINGS | settings,
        *replies,
        task_settings=task_settings,
    )


def test_a_chat_is_sent_with_user_headers_and_organization() -> None:
    own = {"user": "u1", "headers": {"X-Team": "search"}}
    asking = asked(ANSWERED, task_settings=own, organization_id="org-1")

    answer = asking.chat(max_completion_tokens=100, reasoning={"effort": "low"})

    assert str(asking.request.url) == "https://api.groq.com/openai/v1/chat/completions"
    headers = asking.request.headers
    assert headers["Authorization"] == "Bearer k1"
    assert headers["OpenAI-Organization"] == "org-1"
    assert headers["X-Team"] == "search"
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "llama-3.3-70b-versatile",
        "max_completion_tokens": 100,
        "n": 1,
        "stream": False,
        "reasoning_effort": "low",
        "user": "u1",
    }
    assert "x_groq" not in answer
    assert answer["usage"] == {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}


def test_a_stream_ends_with_usage() -> None:
    asking = asked(STREAMED)

    first, finished, usage = asking.stream()

    assert first["choices"][0]["delta"] == {"content": "He", "role": "assistant"}
    assert finished["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 10
    assert asking.body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (424, 1), (498, 1), (429, 3), (503, 3)])
def test_refusals_are_told_and_some_tried_again(status: int, attempts: int) -> None:
    asking = asked(Replied(REFUSED, status))

    with pytest.raises(UpstreamError, match=r"\[Failed to call a function.\]") as caught:
        asking.chat()

    assert caught.value.told.code == "tool_use_failed"
    assert len(asking.requests) == attempts


@pytest.mark.parametrize("task_type", [TaskType.COMPLETION, TaskType.TEXT_EMBEDDING])
def test_it_does_nothing_but_chat(task_type: TaskType) -> None:
    with pytest.raises(InvalidRequest, match=r"The \[groq\] service does not support task type"):
        endpoint("groq", task_type, SETTINGS)


@pytest.mark.parametrize("name", ["api_key", "model_id"])
@pytest.mark.parametrize(
    ("value", "why"), [(None, "does not contain the required"), ("", "non-empty string")]
)
def test_what_is_missing_or_empty_is_refused(name: str, value: Any, why: str) -> None:
    with pytest.raises(InvalidSettings, match=why) as caught:
        endpoint("groq", TaskType.CHAT_COMPLETION, SETTINGS | {name: value})

    assert f"[{name}]" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"organization_id": None}, {"rate_limit": {"requests_per_minute": 7}}),
        (
            {"rate_limit": None},
            {"rate_limit": {"requests_per_minute": 1000}, "organization_id": "org-1"},
        ),
        (
            {"rate_limit": {}},
            {"rate_limit": {"requests_per_minute": 1000}, "organization_id": "org-1"},
        ),
    ],
)
def test_a_setting_of_nothing_goes_back_to_its_default(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    limit = {"requests_per_minute": 7}
    stored = SETTINGS | {"organization_id": "org-1", "rate_limit": limit}

    updated = asked().service.parse_update(
        TaskType.CHAT_COMPLETION, {"service_settings": stored}, {"service_settings": changes}
    )

    shown = updated.service_settings.to_response()
    assert shown == {"model_id": SETTINGS["model_id"]} | expected


def test_nothing_else_can_be_changed() -> None:
    for name in ("model_id", "url"):
        with pytest.raises(InvalidRequest, match="unknown to"):
            asked().service.parse_update(
                TaskType.CHAT_COMPLETION,
                {"service_settings": SETTINGS},
                {"service_settings": {name: "https://x.test"}},
            )
