"""Google Vertex AI: requests to the letter, and replies and streams as they are sent."""

import json
from typing import Any

import httpx
import pytest
from google.auth import jwt

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import InferenceRequest, InputType, TaskType
from inference.upstream.door import Reply
from inference.upstream.errors import UpstreamError
from tests.endpoints.services.cases.googlevertexai import SECRET
from tests.inference.services.asking import Asking, Replied, endpoint, sse

TOKEN = {"access_token": "ya29.1", "expires_in": 3599, "token_type": "Bearer"}
CHAT, COMPLETION = TaskType.CHAT_COMPLETION, TaskType.COMPLETION
GEMINI = {"project_id": "p-1", "model_id": "gemini-x", "location": "us-central1"} | SECRET
PREDICTED = {
    "predictions": [
        {"embeddings": {"values": [0.1], "statistics": {"token_count": 1, "truncated": False}}}
    ]
}
REPLY = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "Hi"}]},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 1,
        "candidatesTokenCount": 2,
        "totalTokenCount": 8,
        "thoughtsTokenCount": 5,
    },
    "modelVersion": "gemini-x-001",
    "responseId": "r1",
}
GARDEN = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers"
CLAUDE = {"provider": "anthropic", "url": f"{GARDEN}/anthropic/models/claude-x:rawPredict"}
MISTRAL = {"provider": "mistral", "url": f"{GARDEN}/mistralai/models/small:rawPredict"}
CLAUDE_REPLY = {"id": "m", "content": [{"type": "text", "text": "Hello"}]}
OPENAI_REPLY = {"id": "c", "choices": [{"index": 0, "message": {"content": "Hello"}}]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "d"}}


def vertex(
    task_type: TaskType, settings: dict[str, Any], *replies: Any, **task_settings: Any
) -> Asking:
    """An endpoint whose provider first gives a token, and then what is told here."""
    return endpoint(
        "googlevertexai", task_type, settings, TOKEN, *replies, task_settings=task_settings
    )


def embedding(*replies: Any, **settings: Any) -> Asking:
    own = {"project_id": "p-1", "model_id": "text-embedding-005"} | SECRET | settings
    return vertex(TaskType.TEXT_EMBEDDING, own, *replies)


def asked(*messages: dict[str, Any], **more: Any) -> Any:
    """The body that a chat is sent with."""
    asking = vertex(CHAT, GEMINI, REPLY)
    asking.chat(messages=list(messages), **more)
    return asking.body


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def candidate(*parts: Any, reason: str | None = None, **more: Any) -> dict[str, Any]:
    told = {"content": {"role": "model", "parts": list(parts)}} | (
        {"finishReason": reason} if reason else {}
    )
    return {"candidates": [told], "responseId": "r1", "modelVersion": "gemini-x-001"} | more


def test_a_token_is_fetched_with_a_signed_claim_and_kept() -> None:
    asking = embedding(PREDICTED)

    asking.infer("a")
    asking.infer("a")

    token_request, *calls = asking.requests
    assert str(token_request.url) == "https://oauth2.googleapis.com/token"
    form = dict(pair.split("=") for pair in token_request.content.decode().split("&"))
    claims = jwt.decode(form["assertion"], verify=False)  # type: ignore[no-untyped-call]
    assert claims["iss"] == "planted@project.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert claims["aud"] == "https://oauth2.googleapis.com/token"
    assert claims["exp"] - claims["iat"] == 3600
    assert [call.headers["authorization"] for call in calls] == ["Bearer ya29.1"] * 2


def test_no_token_means_forbidden() -> None:
    asking = endpoint("googlevertexai", CHAT, GEMINI, Replied({"error": "invalid_grant"}, 400))

    with pytest.raises(UpstreamError) as caught:
        asking.chat()

    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("location", "host", "place"),
    [
        (None, "aiplatform.googleapis.com", "global"),
        ("global", "aiplatform.googleapis.com", "global"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com", "europe-west4"),
    ],
)
def test_texts_are_embedded_in_the_endpoint_s_location(
    location: str | None, host: str, place: str
) -> None:
    asking = embedding(PREDICTED, location=location)

    answer = asking.infer("a")

    assert str(asking.request.url) == (
        f"https://{host}/v1/projects/p-1/locations/{place}/publishers/google/models/"
        "text-embedding-005:predict"
    )
    assert asking.request.url.raw_path.endswith(b"/text-embedding-005:predict")
    assert asking.body == {"instances": [{"content": "a"}]}
    assert answer["text_embedding"][0]["embedding"].tolist() == pytest.approx([0.1])


def test_an_embedding_is_asked_for_with_all_that_is_set() -> None:
    settings = GEMINI | {"dimensions": 1}
    asking = vertex(TaskType.TEXT_EMBEDDING, settings, PREDICTED, auto_truncate=True)

    asking.infer("a", input_type=InputType.CLUSTERING)

    assert asking.body == {
        "instances": [{"content": "a", "task_type": "CLUSTERING"}],
        "parameters": {"autoTruncate": True, "outputDimensionality": 1},
    }


def test_a_stored_input_type_holds_where_a_call_names_none() -> None:
    asking = vertex(TaskType.TEXT_EMBEDDING, GEMINI, PREDICTED, input_type="ingest")

    asking.infer("a")
    assert asking.body["instances"][0]["task_type"] == "RETRIEVAL_DOCUMENT"
    asking.infer("a", input_type=InputType.SEARCH)
    assert asking.body["instances"][0]["task_type"] == "RETRIEVAL_QUERY"


def test_a_text_that_google_cut_is_told() -> None:
    statistics = {"token_count": 2048, "truncated": True}
    reply = {"predictions": [{"embeddings": {"values": [0.1], "statistics": statistics}}]}
    asking = embedding(reply)
    call = asking.service.call_for(asking.config, InferenceRequest(("a",)), is_stream=False)

    sent = Reply(200, httpx.Headers(), json.dumps(reply).encode(), "https://a.example/")
    result = asking.line.task.read(sent, call)

    assert {name: str(cut) for name, cut in result.truncated.items()} == {"0": "at least 1 token"}


@pytest.mark.parametrize(
    "reply",
    [{"predictions": []}, {"predictions": [{}]}, {"predictions": [{"embeddings": {}}]}, b"[", {}],
)
def test_a_reply_that_is_none_is_refused(reply: Any) -> None:
    with pytest.raises(UpstreamError, match="Failed to parse the response"):
        embedding(reply).infer("a")


def test_documents_are_ranked() -> None:
    sent = {"records": [{"id": "1", "score": 0.98, "content": "d1"}, {"id": "0", "score": 0.1}]}
    settings = {"project_id": "p-1", "model_id": "semantic-ranker-512@latest"} | SECRET
    asking = vertex(TaskType.RERANK, settings, sent, top_n=3)

    answer = asking.infer("d0", "d1", query="q", top_n=2, return_documents=True)

    assert str(asking.request.url) == (
        "https://discoveryengine.googleapis.com/v1/projects/p-1/locations/global/"
        "rankingConfigs/default_ranking_config:rank"
    )
    assert asking.body == {
        "model": "semantic-ranker-512@latest",
        "query": "q",
        "records": [{"id": "0", "content": "d0"}, {"id": "1", "content": "d1"}],
        "topN": 2,
        "ignoreRecordDetailsInResponse": False,
    }
    assert answer["rerank"] == [
        {"index": 1, "relevance_score": 0.98, "text": "d1"},
        {"index": 0, "relevance_score": 0.1, "text": "d0"},
    ]


def test_a_ranking_says_nothing_of_what_was_not_set() -> None:
    asking = vertex(TaskType.RERANK, {"project_id": "p-1"} | SECRET, {"records": []})

    asking.infer("d0", query="q")

    assert asking.body == {"query": "q", "records": [{"id": "0", "content": "d0"}]}


@pytest.mark.parametrize("number", ["7", "-1", "x"])
def test_a_ranking_of_a_document_that_was_not_sent_is_refused(number: str) -> None:
    asking = vertex(
        TaskType.RERANK, {"project_id": "p"} | SECRET, {"records": [{"id": number, "score": 1}]}
    )

    with pytest.raises(UpstreamError, match="Failed to parse the response"):
        asking.infer("d0", query="q")


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


def test_each_address_stands_in_for_the_other() -> None:
    only_streams = {"provider": "ai21", "streaming_url": "https://a.example/stream"}
    both = only_streams | {"url": "https://a.example/plain"}
    for settings, expected in ((only_streams, "stream"), (both, "plain")):
        asking = vertex(COMPLETION, settings | SECRET, OPENAI_REPLY)
        asking.infer("hi")
        assert str(asking.request.url) == f"https://a.example/{expected}"


@pytest.mark.parametrize(
    ("task_type", "settings", "why"),
    [
        (CHAT, {"provider": "meta"}, r"one of the required settings \[url, streaming_url\]"),
        (CHAT, GEMINI | {"url": "https://a.example/"}, r"\[url\] cannot be used"),
        (CHAT, {"model_id": "m"}, r"required setting \[project_id\]"),
        (CHAT, {"project_id": "p"}, r"required setting \[model_id\]"),
        (TaskType.TEXT_EMBEDDING, {"project_id": "p"}, r"required setting \[model_id\]"),
        (TaskType.RERANK, {}, r"required setting \[project_id\]"),
        (CHAT, GEMINI | {"location": ""}, r"\[location\]"),
        (CHAT, GEMINI | {"location": "evil.test/"}, r"\[location\]"),
        (TaskType.TEXT_EMBEDDING, GEMINI | {"max_batch_size": 251}, r"\[max_batch_size\]"),
        (TaskType.RERANK, GEMINI, r"\[location\]|unknown"),
        (CHAT, GEMINI | {"service_account_json": "{}"}, r"\[client_email\]"),
        (CHAT, {"provider": "meta", "url": "ftp://a.example/"}, r"\[url\]|url"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    task_type: TaskType, settings: dict[str, Any], why: str
) -> None:
    with pytest.raises((InvalidSettings, InvalidRequest), match=why) as caught:
        vertex(task_type, SECRET | settings)

    assert "PRIVATE KEY" not in str(caught.value)


def test_only_google_s_models_are_told_how_much_to_think() -> None:
    with pytest.raises(InvalidRequest, match=r"\[thinking_config\]"):
        vertex(CHAT, CLAUDE | SECRET, thinking_config={"thinking_budget": 1})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"error": {"code": 403, "message": "No", "status": "PERMISSION_DENIED", "details": []}},
            ("No", "403", "PERMISSION_DENIED"),
        ),
        (
            {"type": "error", "error": {"type": "permission_error", "message": "No"}},
            ("No", None, "permission_error"),
        ),
        ({"error": "No"}, ("No", None, None)),
        ({"object": "error", "message": "No", "type": "t", "code": "1"}, ("No", "1", "t")),
    ],
)
def test_a_refusal_is_read_in_the_shape_of_whoever_made_the_model(body: Any, told: Any) -> None:
    asking = vertex(CHAT, GEMINI, Replied(body, 403))

    with pytest.raises(UpstreamError, match=r"Error message: \[No\]") as caught:
        asking.chat()

    found = caught.value.told
    assert (found.message, found.code, found.type) == told


def test_a_busy_google_is_told_in_its_own_words() -> None:
    asking = vertex(CHAT, GEMINI, Replied({}, 503))

    with pytest.raises(UpstreamError, match="may be temporarily overloaded or down"):
        asking.chat()

    assert len(asking.requests) == 4  # a token, and three attempts
