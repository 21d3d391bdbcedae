"""Anthropic: requests to the letter, and its replies and streams as it sends them."""

from typing import Any

import pytest

from inference.errors import InferenceError, InvalidRequest, InvalidSettings
from inference.types import TaskType
from inference.upstream.errors import UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint

SETTINGS = {"api_key": "sk-ant-1", "model_id": "claude-x"}
REPLY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 10, "output_tokens": 3},
}
STREAM = b"""\
event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",\
"model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}

event: vertex_event
data: {"type":"vertex_event"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo "}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1",\
"name":"weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",\
"partial_json":"{\\"city\\": "}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",\
"partial_json":"\\"Rome\\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},\
"usage":{"output_tokens":15}}

event: message_stop
data: {"type":"message_stop"}

"""


def completion(*replies: Any, **task_settings: Any) -> Asking:
    return endpoint(
        "anthropic",
        TaskType.COMPLETION,
        SETTINGS,
        *replies,
        task_settings={"max_tokens": 100} | task_settings,
    )


def chat(*replies: Any, **task_settings: Any) -> Asking:
    return endpoint(
        "anthropic",
        TaskType.CHAT_COMPLETION,
        SETTINGS,
        *replies,
        task_settings={"max_tokens": 100} | task_settings,
    )


def asked(*messages: dict[str, Any], **more: Any) -> Any:
    """The body that a chat is sent with."""
    asking = chat(REPLY)
    asking.chat(messages=list(messages), **more)
    return asking.body


def test_a_completion_is_sent_with_what_was_set_and_nothing_else() -> None:
    asking = completion(REPLY)

    answer = asking.infer("hi")

    assert str(asking.request.url) == "https://api.anthropic.com/v1/messages"
    assert asking.request.headers["x-api-key"] == "sk-ant-1"
    assert asking.request.headers["anthropic-version"] == "2023-06-01"
    assert asking.request.headers["content-type"] == "application/json"
    assert asking.body == {
        "model": "claude-x",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 100,
    }
    assert answer == {"completion": [{"result": "Hello"}]}


def test_a_call_s_own_task_settings_win_one_by_one() -> None:
    asking = completion(REPLY, temperature=0.5, top_k=5)

    asking.infer("hi", task_settings={"top_k": 7, "top_p": 0.9})

    assert asking.body["max_tokens"] == 100
    assert (asking.body["temperature"], asking.body["top_p"], asking.body["top_k"]) == (0.5, 0.9, 7)


@pytest.mark.parametrize("task_type", [TaskType.COMPLETION, TaskType.CHAT_COMPLETION])
def test_max_tokens_is_required_at_creation(task_type: TaskType) -> None:
    with pytest.raises(InvalidSettings, match=r"required setting \[max_tokens\]"):
        endpoint("anthropic", task_type, SETTINGS)


def test_what_a_chat_says_wins_over_what_is_stored() -> None:
    asking = chat(REPLY, temperature=0.5, top_k=5)

    asking.chat(model="claude-y", max_completion_tokens=9, temperature=0.1, stop=["END"])

    assert asking.body == {
        "model": "claude-y",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 9,
        "temperature": 0.1,
        "top_k": 5,
        "stop_sequences": ["END"],
    }


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (["be brief"], "be brief"),
        (["be", "brief"], [{"type": "text", "text": "be"}, {"type": "text", "text": "brief"}]),
        ([[{"type": "text", "text": "be"}]], [{"type": "text", "text": "be"}]),
    ],
)
def test_system_messages_leave_the_list(contents: list[Any], expected: Any) -> None:
    system = [{"role": "system", "content": content} for content in contents]

    body = asked(*system, {"role": "user", "content": "hi"})

    assert body["system"] == expected
    assert body["messages"] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,QUJD"}},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/jpeg", "data": "QUJD"},
            },
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        ),
        (
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"},
            },
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/plain;base64,QUJD"}},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "ABC"},
            },
        ),
    ],
)
def test_images_and_files_are_sent_as_blocks(part: Any, expected: Any) -> None:
    body = asked({"role": "user", "content": [{"type": "text", "text": "what?"}, part]})

    assert body["messages"][0]["content"] == [{"type": "text", "text": "what?"}, expected]


def test_tools_their_calls_and_their_results_are_sent() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    body = asked(
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "sunny"},
        {"role": "assistant"},
        tools=[
            {"type": "function", "function": {"name": "weather", "strict": True}},
            {
                "type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"required": ["a"]}},
            },
        ],
        tool_choice="required",
    )

    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [{"type": "text", "text": "sunny"}],
                }
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": ""}]},
    ]
    assert body["tools"] == [
        {"name": "weather", "input_schema": {"type": "object", "properties": {}}},
        {
            "name": "f",
            "description": "d",
            "input_schema": {"type": "object", "properties": {}, "required": ["a"]},
        },
    ]
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_a_choice_of_tools_is_sent_in_anthropic_s_words(choice: Any, expected: Any) -> None:
    body = asked({"role": "user", "content": "hi"}, tool_choice=choice)

    assert body["tool_choice"] == expected


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "developer", "content": "hi"}]},
        {"messages": [{"role": "tool", "content": "hi"}]},
        {"tool_choice": "maybe"},
        {"reasoning": {"effort": "low"}},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "file", "file": {"file_data": "data:text/csv;base64,QQ=="}}
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "[1"}}],
                }
            ]
        },
    ],
)
def test_what_anthropic_cannot_be_told_is_refused_before_anything_is_sent(body: Any) -> None:
    asking = chat(REPLY)

    with pytest.raises(InvalidRequest):
        asking.chat(**body)

    assert not asking.requests


def test_a_whole_answer_has_openai_s_shape() -> None:
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
    reply = REPLY | {"content": [*REPLY["content"], use], "stop_reason": "tool_use"}

    assert chat(reply).chat() == {
        "id": "msg_1",
        "object": "chat.completion",
        "model": "claude-x",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "tool_calls": [
                        {
                            "id": "t1",
                            "function": {"arguments": '{"a":1}', "name": "f"},
                            "type": "function",
                        }
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"completion_tokens": 3, "prompt_tokens": 10, "total_tokens": 13},
    }


def test_a_streamed_completion_is_its_texts_blanks_included() -> None:
    asking = completion(STREAM)

    assert list(asking.stream()) == [
        {"completion": [{"delta": "Hel"}]},
        {"completion": [{"delta": "lo "}]},
    ]
    assert asking.body["stream"] is True


def test_a_streamed_chat_has_openai_s_chunks() -> None:
    chunks = list(chat(STREAM).stream())

    assert {(chunk["id"], chunk["model"], chunk["object"]) for chunk in chunks} == {
        ("msg_1", "claude-x", "chat.completion.chunk")
    }
    *told, last = chunks
    assert [chunk["choices"] for chunk in told] == [
        [{"delta": {"role": "assistant"}, "index": 0}],
        [{"delta": {"content": "Hel"}, "index": 0}],
        [{"delta": {"content": "lo "}, "index": 0}],
        [
            {
                "delta": {
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "toolu_1",
                            "function": {"arguments": "", "name": "weather"},
                            "type": "function",
                        }
                    ]
                },
                "index": 0,
            }
        ],
        [
            {
                "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]},
                "index": 0,
            }
        ],
        [
            {
                "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]},
                "index": 0,
            }
        ],
        [{"delta": {}, "finish_reason": "tool_calls", "index": 0}],
    ]
    assert last["choices"] == []
    assert last["usage"] == {"completion_tokens": 15, "prompt_tokens": 10, "total_tokens": 25}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("invalid_request_error", 400), ("rate_limit_error", 429), ("overloaded_error", 500)],
)
def test_an_error_within_a_stream_has_the_status_of_its_type(kind: str, status: int) -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"%s","message":"No"}}\n\n'

    with pytest.raises(UpstreamError, match=r"Error message: \[No\]") as caught:
        list(completion(error % kind.encode()).stream())

    assert caught.value.status == status
    assert caught.value.told.type == kind


@pytest.mark.parametrize("stream", [STREAM[: STREAM.index(b"event: message_stop")], b""])
def test_a_stream_without_its_end_is_an_error(stream: bytes) -> None:
    with pytest.raises(UpstreamError, match="it ended before its end"):
        list(chat(stream).stream())


@pytest.mark.parametrize("reply", [b"", b"{", {"content": "Hello"}, {"type": "error"}])
def test_a_reply_that_is_none_is_refused(reply: Any) -> None:
    with pytest.raises(UpstreamError, match="Failed to parse the response"):
        completion(reply).infer("hi")


@pytest.mark.parametrize(("status", "attempts"), [(529, 3), (500, 3), (429, 3), (503, 1), (413, 1)])
def test_only_overload_faults_and_limits_are_retried(status: int, attempts: int) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    asking = completion(Replied(body, status))

    with pytest.raises(UpstreamError, match=r"Error message: \[Overloaded\]"):
        asking.infer("hi")

    assert len(asking.requests) == attempts


def test_a_rate_limit_tells_what_is_left_of_it() -> None:
    headers = {"anthropic-ratelimit-tokens-limit": "1000", "retry-after": "60"}

    with pytest.raises(InferenceError) as caught:
        completion(Replied({}, 429, headers)).infer("hi")

    assert str(caught.value).startswith(
        "Received a rate limit status code. Token limit [1000], remaining tokens [unknown], "
        "tokens reset [unknown]. Request limit [unknown], remaining requests [unknown], "
        "request reset [unknown]. Retry after [60]"
    )
