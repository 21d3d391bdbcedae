"""Amazon Bedrock: requests to the letter, and its replies and framed streams as it sends them."""

from typing import Any

import httpx
import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.sandbox.aws_shape import event_frame, exception_frame, frame
from inference.services.amazonbedrock import AmazonBedrock
from inference.types import InputType, TaskType
from inference.upstream.door import Reply
from inference.upstream.errors import BrokenStream, UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint

SETTINGS = {"access_key": "AKIA1", "secret_key": "s3cret", "region": "us-east-1", "model": "m-1"}
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
ARN = "arn:aws:bedrock:us-east-1:1:inference-profile/us.x-v1:0"
REPLY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
    "metrics": {"latencyMs": 5},
}
FRAMES = [
    event_frame("messageStart", {"role": "assistant"}),
    event_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi "}}),
    event_frame(
        "contentBlockDelta",
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}},
    ),
    event_frame("contentBlockStop", {"contentBlockIndex": 0}),
    event_frame(
        "contentBlockStart",
        {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}},
    ),
    event_frame(
        "contentBlockDelta",
        {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"a":1}'}}},
    ),
    event_frame("contentBlockStop", {"contentBlockIndex": 1}),
    event_frame(
        "contentBlockStart",
        {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t2", "name": "g"}}},
    ),
    event_frame("messageStop", {"stopReason": "tool_use"}),
    event_frame(
        "metadata",
        {"usage": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 4}},
    ),
]
STREAM = b"".join(FRAMES)
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"required": ["a"]}}}]


def embedding(provider: str, *replies: Any, **more: Any) -> Asking:
    settings = SETTINGS | {"provider": provider} | more.pop("settings", {})
    return endpoint("amazonbedrock", TaskType.TEXT_EMBEDDING, settings, *replies, **more)


def completion(*replies: Any, provider: str = "anthropic", **more: Any) -> Asking:
    settings = SETTINGS | {"provider": provider} | more.pop("settings", {})
    return endpoint("amazonbedrock", TaskType.COMPLETION, settings, *replies, **more)


def chat(*replies: Any, **more: Any) -> Asking:
    settings = SETTINGS | {"provider": "anthropic"}
    return endpoint("amazonbedrock", TaskType.CHAT_COMPLETION, settings, *replies, **more)


def asked(*messages: dict[str, Any], **more: Any) -> Any:
    """The body that a chat is sent with."""
    asking = chat(REPLY)
    asking.chat(messages=list(messages), **more)
    return asking.body


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def test_titan_is_asked_for_one_text() -> None:
    asking = embedding("amazontitan", {"embedding": [0.1, 0.2], "inputTextTokenCount": 1})

    answer = asking.infer("a")

    assert str(asking.request.url) == f"{HOST}/model/m-1/invoke"
    assert asking.body == {"inputText": "a"}
    assert answer["text_embedding"][0]["embedding"].tolist() == pytest.approx([0.1, 0.2])


def test_several_texts_for_titan_are_refused_before_anything_is_sent() -> None:
    asking = embedding("amazontitan", {})

    with pytest.raises(InvalidRequest, match=r"takes one text with each request, not \[2\]"):
        asking.infer("a", "b")

    assert not asking.requests


def test_an_input_type_is_refused_for_titan_alone() -> None:
    with pytest.raises(InvalidSettings, match="not supported by this service"):
        embedding("amazontitan", {}).infer("a", input_type=InputType.SEARCH)


@pytest.mark.parametrize(
    ("input_type", "expected"),
    [
        (InputType.INGEST, "search_document"),
        (InputType.SEARCH, "search_query"),
        (InputType.CLUSTERING, "clustering"),
        (InputType.UNSPECIFIED, "search_document"),
    ],
)
def test_cohere_is_told_what_texts_are_for(input_type: InputType, expected: str) -> None:
    reply = {"id": "1", "texts": ["a", "b"], "embeddings": [[0.1], [0.2]]}
    asking = embedding("cohere", reply, task_settings={"truncate": "START"})

    answer = asking.infer("a", "b", input_type=input_type)

    assert asking.body == {"texts": ["a", "b"], "input_type": expected, "truncate": "START"}
    assert len(answer["text_embedding"]) == 2


def test_newer_models_of_cohere_name_the_kind_of_their_numbers() -> None:
    answer = embedding("cohere", {"embeddings": {"float": [[0.5]]}}).infer("a")

    assert answer["text_embedding"][0]["embedding"].tolist() == [0.5]


def test_the_signature_covers_what_is_sent() -> None:
    asking = completion(REPLY, settings={"model": ARN})

    asking.infer("hi")

    request = asking.request
    assert request.url.raw_path == (
        b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x-v1%3A0/converse"
    )
    assert request.headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIA1/" + request.headers["x-amz-date"][:8]
    )
    assert "SignedHeaders=accept;content-type;host;x-amz-date," in request.headers["authorization"]


def test_a_completion_is_sent_with_what_was_set() -> None:
    asking = completion(
        REPLY, task_settings={"temperature": 0.5, "top_p": 0.9, "top_k": 0.2, "max_new_tokens": 9}
    )

    answer = asking.infer("hi")

    assert asking.body == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.9},
        "additionalModelRequestFields": {"top_k": 0.2},
    }
    assert answer == {"completion": [{"result": "Hello"}]}


def test_64_tokens_are_written_where_nothing_else_is_said() -> None:
    asking = completion(REPLY)

    assert asking.config.columns()["task_settings"] == {"max_new_tokens": 64}
    asking.infer("hi")
    assert asking.body["inferenceConfig"] == {"maxTokens": 64}


def test_a_provider_is_shown_in_capitals() -> None:
    config = completion(provider=" Anthropic").config

    assert config.columns()["service_settings"]["provider"] == "ANTHROPIC"


@pytest.mark.parametrize(
    ("task_type", "settings", "task_settings"),
    [
        (TaskType.TEXT_EMBEDDING, {"provider": "meta"}, {}),
        (TaskType.CHAT_COMPLETION, {"provider": "amazontitan"}, {}),
        (TaskType.TEXT_EMBEDDING, {"provider": "cohere", "dimensions": 8}, {}),
        (TaskType.TEXT_EMBEDDING, {"provider": "amazontitan"}, {"truncate": "END"}),
        (TaskType.COMPLETION, {"provider": "meta"}, {"top_k": 0.5}),
        (TaskType.COMPLETION, {"provider": "cohere"}, {"top_k": 2}),
        (TaskType.COMPLETION, {"provider": "nobody"}, {}),
        (TaskType.COMPLETION, {"provider": "cohere", "region": "evil.test/"}, {}),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    task_type: TaskType, settings: dict[str, Any], task_settings: dict[str, Any]
) -> None:
    with pytest.raises((InvalidRequest, InvalidSettings)):
        endpoint(
            "amazonbedrock", task_type, SETTINGS | settings, REPLY, task_settings=task_settings
        )


def test_a_task_setting_of_a_call_that_the_provider_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"\[top_k\] task parameter is not available"):
        completion(REPLY, provider="meta").infer("hi", task_settings={"top_k": 0.5})


def test_one_half_of_the_credentials_is_not_changed_alone() -> None:
    stored = {"service_settings": SETTINGS | {"provider": "cohere"}}
    changes = {"service_settings": {"access_key": "AKIA2"}}

    with pytest.raises(InvalidSettings, match=r"required setting \[secret_key\]"):
        AmazonBedrock().parse_update(TaskType.COMPLETION, stored, changes)


def test_messages_take_turns() -> None:
    body = asked(
        {"role": "system", "content": "be brief"},
        {"role": "assistant", "content": "Welcome"},
        user("one"),
        user(""),
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
    )

    assert body["system"] == [{"text": "be brief"}]
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "Hi"}]},
        {"role": "assistant", "content": [{"text": "Welcome"}]},
        {"role": "user", "content": [{"text": "one"}, {"text": "two"}]},
    ]


CALL = {"id": "t1", "function": {"name": "f", "arguments": '{"a": 1}'}}
USE_OF_A_TOOL = (
    user("one"),
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "t1", "content": "sunny"},
    user("two"),
)


def test_something_is_said_between_the_result_of_a_tool_and_a_text() -> None:
    body = asked(*USE_OF_A_TOOL, tools=TOOLS, tool_choice="required")

    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}}],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "sunny"}]}}],
        },
        {"role": "assistant", "content": [{"text": "Please continue."}]},
        {"role": "user", "content": [{"text": "two"}]},
    ]
    schema = {"type": "object", "properties": {}, "required": ["a"]}
    assert body["toolConfig"] == {
        "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": schema}}}],
        "toolChoice": {"any": {}},
    }


def test_without_tools_nothing_is_told_of_their_use() -> None:
    body = asked(*USE_OF_A_TOOL, tools=TOOLS, tool_choice="none")

    assert "toolConfig" not in body
    assert body["messages"] == [{"role": "user", "content": [{"text": "one"}, {"text": "two"}]}]


def test_a_chat_tells_when_to_stop_and_how_much_to_write() -> None:
    body = asked(user("hi"), stop=["END"], max_completion_tokens=5, temperature=0)

    assert body["inferenceConfig"] == {"maxTokens": 5, "temperature": 0, "stopSequences": ["END"]}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "developer", "content": "hi"}]},
        {"messages": [{"role": "tool", "content": "hi"}], "tools": TOOLS},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b"}}],
                }
            ]
        },
        {"tools": TOOLS, "tool_choice": "maybe"},
        {"reasoning": {"effort": "low"}},
    ],
)
def test_what_converse_cannot_be_told_is_refused(body: Any) -> None:
    with pytest.raises(InvalidRequest):
        chat(REPLY).chat(**body)


def test_a_whole_chat_has_openai_s_shape() -> None:
    use = {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}}
    said = {"role": "assistant", "content": [use]}
    answer = chat(REPLY | {"output": {"message": said}, "stopReason": "tool_use"}).chat()

    (choice,) = answer["choices"]
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [
        {"id": "t1", "function": {"arguments": '{"a":1}', "name": "f"}, "type": "function"}
    ]
    assert choice["finish_reason"] == "tool_calls"
    assert answer["model"] == "m-1"
    assert answer["usage"]["total_tokens"] == 3


def test_a_streamed_completion_is_its_texts() -> None:
    asking = completion(STREAM)

    assert list(asking.stream()) == [{"completion": [{"delta": "Hi "}]}]
    assert asking.request.url.path == "/model/m-1/converse-stream"


def test_a_streamed_chat_numbers_the_calls_of_tools() -> None:
    chunks = list(chat(STREAM).stream())

    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["model"] for chunk in chunks} == {"m-1"}
    *told, end, usage = chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in told]
    assert deltas[:2] == [{"role": "assistant"}, {"content": "Hi "}]
    assert [call["index"] for delta in deltas[2:] for call in delta["tool_calls"]] == [0, 0, 1]
    assert deltas[2]["tool_calls"][0]["id"] == "t1"
    assert deltas[3]["tool_calls"][0]["function"] == {"arguments": '{"a":1}'}
    assert end["choices"] == [{"delta": {}, "finish_reason": "tool_calls", "index": 0}]
    assert usage["choices"] == []
    assert usage["usage"] == {
        "completion_tokens": 2,
        "prompt_tokens": 5,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_frames_may_come_in_any_pieces() -> None:
    task = completion(b"").line.task
    pieces = [STREAM[n : n + 7] for n in range(0, len(STREAM), 7)]

    assert [event.name for event in task.events(pieces)][:2] == [
        "messageStart",
        "contentBlockDelta",
    ]
    assert len(list(task.events(pieces))) == len(FRAMES)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"".join(FRAMES[:2]), "it ended before its end"),
        (STREAM[:-3], "it ended within a frame"),
        (STREAM[:20] + b"\x00" + STREAM[21:], "a frame of it is broken"),
        (b"data: hello, this is no frame\n\n", "a frame of it is broken"),
        (event_frame("messageStart", b"{"), "JSON"),
    ],
)
def test_a_stream_that_is_broken_is_told(stream: bytes, why: str) -> None:
    with pytest.raises(BrokenStream, match=why):
        list(completion(stream).stream())


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("throttlingException", 429),
        ("validationException", 400),
        ("modelStreamErrorException", 500),
    ],
)
def test_an_exception_within_a_stream_is_told(kind: str, status: int) -> None:
    with pytest.raises(UpstreamError, match=r"Error message: \[No\]") as caught:
        list(completion(FRAMES[0] + exception_frame(kind, "No")).stream())

    assert caught.value.status == status
    assert caught.value.told.type == kind


def test_an_error_within_a_stream_is_told() -> None:
    headers = {":message-type": "error", ":error-code": "Oops", ":error-message": "No"}

    with pytest.raises(UpstreamError, match=r"Error message: \[No\]") as caught:
        list(completion(frame(headers, b"")).stream())

    assert caught.value.told.type == "Oops"


@pytest.mark.parametrize(
    "reply",
    [{"embedding": []}, {"embedding": ["x"]}, {}, b'{"embedding": [1e400]}', b""],
)
def test_a_reply_that_is_none_is_refused(reply: Any) -> None:
    with pytest.raises(UpstreamError, match="Failed to parse the response"):
        embedding("amazontitan", reply).infer("a")


def test_another_number_of_vectors_than_of_texts_is_refused() -> None:
    with pytest.raises(UpstreamError, match=r"\[1\] vectors for \[2\] inputs"):
        embedding("cohere", {"embeddings": [[0.1]]}).infer("a", "b")


def test_a_refusal_names_what_amazon_calls_it() -> None:
    headers = {"x-amzn-ErrorType": "ResourceNotFoundException:http://internal/"}
    asking = completion(Replied({"message": "No such model"}, 404, headers))

    with pytest.raises(UpstreamError, match=r"Error message: \[No such model\]") as caught:
        asking.infer("hi")

    assert (caught.value.status, caught.value.told.type) == (404, "ResourceNotFoundException")
    assert len(asking.requests) == 1


def test_models_are_listed_by_a_signed_request() -> None:
    service = AmazonBedrock()
    settings = completion(REPLY).config.service_settings
    request = service.models_request(settings)  # type: ignore[arg-type]

    service.auth(settings).sign(request, None)  # type: ignore[arg-type]

    assert str(request.url) == "https://bedrock.us-east-1.amazonaws.com/foundation-models"
    assert "/us-east-1/bedrock/aws4_request" in request.headers["authorization"]
    body = b'{"modelSummaries": [{"modelId": "b"}, {"modelId": "a"}]}'
    assert service.model_names(Reply(200, httpx.Headers(), body, "")) == ["a", "b"]
