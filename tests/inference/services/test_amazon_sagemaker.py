"""Amazon SageMaker: requests to the letter, and replies and parts of streams as they are sent."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.sandbox.aws_shape import event_frame, exception_frame
from inference.services.amazon_sagemaker import AmazonSageMaker
from inference.types import InferenceRequest, InputType, TaskType
from inference.upstream.errors import BrokenStream, UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint, sse

SETTINGS = {
    "access_key": "AKIA1",
    "secret_key": "s3cret",
    "region": "us-east-1",
    "endpoint_name": "my-endpoint",
}
URL = "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/my-endpoint"
EMBEDDED = {"data": [{"embedding": [0.5]}]}
ANSWERED = {"id": "c", "choices": [{"index": 0, "message": {"content": "Hello"}}]}
CHUNK = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Héllo"}}]}


def openai(task_type: TaskType, *replies: Any, task_settings: Any = None, **more: Any) -> Asking:
    settings = SETTINGS | {"api": "openai"} | more
    return endpoint("amazon_sagemaker", task_type, settings, *replies, task_settings=task_settings)


def elastic(task_type: TaskType, *replies: Any, task_settings: Any = None, **more: Any) -> Asking:
    own = {"element_type": "float"} if task_type == TaskType.TEXT_EMBEDDING else {}
    settings = SETTINGS | {"api": "elastic"} | own | more
    return endpoint("amazon_sagemaker", task_type, settings, *replies, task_settings=task_settings)


def framed(*parts: Any) -> bytes:
    return b"".join(event_frame("PayloadPart", part) for part in parts)


@pytest.mark.parametrize(("texts", "expected"), [(("a",), "a"), (("a", "b"), ["a", "b"])])
def test_one_text_is_sent_as_a_text_and_several_as_a_list(texts: Any, expected: Any) -> None:
    reply = {"data": [{"embedding": [0.5]} for _ in texts]}
    asking = openai(TaskType.TEXT_EMBEDDING, reply, dimensions=1, task_settings={"user": "u"})

    answer = asking.infer(*texts, input_type=InputType.SEARCH)

    assert str(asking.request.url) == f"{URL}/invocations"
    assert asking.body == {"input": expected, "user": "u", "dimensions": 1}
    assert len(answer["text_embedding"]) == len(texts)


def test_headers_tell_which_model_and_what_for_and_are_signed() -> None:
    asking = openai(
        TaskType.TEXT_EMBEDDING,
        EMBEDDED,
        target_model="m",
        target_container_hostname="c",
        inference_component_name="i",
        task_settings={
            "custom_attributes": "a",
            "enable_explanations": "e",
            "inference_id": "1",
            "session_id": "s",
            "target_variant": "v",
        },
    )

    asking.infer("a")

    headers = asking.request.headers
    sent = {
        name.removeprefix("x-amzn-sagemaker-"): value
        for name, value in headers.items()
        if name.startswith("x-amzn-sagemaker-")
    }
    assert sent == {
        "target-model": "m",
        "target-container-hostname": "c",
        "inference-component": "i",
        "custom-attributes": "a",
        "enable-explanations": "e",
        "inference-id": "1",
        "session-id": "s",
        "target-variant": "v",
    }
    assert (headers["content-type"], headers["accept"]) == ("application/json", "application/json")
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {f"x-amzn-sagemaker-{name}" for name in sent} | {"host", "accept"} <= {*signed}
    assert "/us-east-1/sagemaker/aws4_request" in headers["authorization"]


def test_what_the_headers_of_a_reply_tell_is_told_on() -> None:
    headers = {
        "X-Amzn-SageMaker-Custom-Attributes": "c=1",
        "X-Amzn-SageMaker-New-Session-Id": "s-2",
        "X-Amzn-Invoked-Production-Variant": "v",
    }
    asking = openai(TaskType.COMPLETION, Replied(ANSWERED, 200, headers))

    result = asking.line.answer(InferenceRequest(("hi",)), 5)

    assert result.headers == {
        "X-elastic-sagemaker-custom-attributes": "c=1",
        "X-elastic-sagemaker-new-session-id": "s-2",
    }


def test_a_stream_has_another_address_and_fewer_headers() -> None:
    asking = openai(
        TaskType.COMPLETION,
        framed(sse(CHUNK)),
        target_model="m",
        task_settings={"enable_explanations": "e", "session_id": "s"},
    )

    list(asking.stream())

    headers = asking.request.headers
    assert str(asking.request.url) == f"{URL}/invocations-response-stream"
    assert headers["x-amzn-sagemaker-accept"] == "application/json"
    assert headers["x-amzn-sagemaker-session-id"] == "s"
    assert "x-amzn-sagemaker-target-model" not in headers
    assert "x-amzn-sagemaker-enable-explanations" not in headers


def test_a_completion_names_no_model() -> None:
    asking = openai(TaskType.COMPLETION, ANSWERED, task_settings={"user": "u"})

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "n": 1,
        "stream": False,
        "user": "u",
    }


@pytest.mark.parametrize("length", [1, 7, 1000])
def test_events_may_be_cut_anywhere_between_the_parts_of_a_stream(length: int) -> None:
    whole = sse(CHUNK, CHUNK)
    parts = [whole[n : n + length] for n in range(0, len(whole), length)]

    told = list(openai(TaskType.COMPLETION, framed(*parts)).stream())

    assert told == [{"completion": [{"delta": "Héllo"}]}] * 2


def test_a_streamed_chat_is_passed_on() -> None:
    for asking in (
        openai(TaskType.CHAT_COMPLETION, framed(sse(CHUNK))),
        elastic(TaskType.CHAT_COMPLETION, framed(CHUNK)),
    ):
        assert list(asking.stream()) == [CHUNK]
        assert asking.body["stream"] is True


@pytest.mark.parametrize("speaks", [openai, elastic])
def test_a_chat_has_openai_s_shape_whatever_the_api(speaks: Any) -> None:
    asking = speaks(TaskType.CHAT_COMPLETION, ANSWERED)

    answer = asking.chat(max_completion_tokens=5)

    assert asking.body["max_completion_tokens"] == 5
    assert answer["choices"][0]["message"]["content"] == "Hello"


def test_an_error_event_within_a_stream_is_told() -> None:
    stream = framed(b'event: error\ndata: {"error":{"message":"No"}}\n\n')

    with pytest.raises(BrokenStream, match=r"Error message: \[No\]"):
        list(openai(TaskType.COMPLETION, stream).stream())


@pytest.mark.parametrize("kind", ["ModelStreamError", "InternalStreamFailure"])
def test_an_exception_within_a_stream_is_told(kind: str) -> None:
    stream = framed({"completion": [{"delta": "a"}]}) + exception_frame(kind, "No")

    with pytest.raises(BrokenStream, match=r"Error message: \[No\]") as caught:
        list(elastic(TaskType.COMPLETION, stream).stream())

    assert caught.value.status == 500


@pytest.mark.parametrize(
    ("element_type", "name", "sent", "dimensions"),
    [
        ("float", "text_embedding", [0.5, 1], 2),
        ("byte", "text_embedding_bytes", [23, -128], 2),
        ("bit", "text_embedding_bits", [-23], 8),
    ],
)
def test_elastic_vectors_have_the_type_that_the_endpoint_says(
    element_type: str, name: str, sent: list[Any], dimensions: int
) -> None:
    asking = elastic(
        TaskType.TEXT_EMBEDDING, {name: [{"embedding": sent}]}, element_type=element_type
    )

    answer = asking.infer("a", input_type=InputType.INGEST, task_settings={"a": {"b": 1}})

    assert asking.body == {"input": "a", "input_type": "ingest", "task_settings": {"a": {"b": 1}}}
    assert answer[name][0]["embedding"].tolist() == sent


@pytest.mark.parametrize(
    ("element_type", "reply"),
    [
        ("float", {"text_embedding_bytes": [{"embedding": [1]}]}),
        ("float", {"text_embedding": [{"embedding": [1.0]}], "usage": {}}),
        ("float", {"text_embedding": [{"embedding": [1.0], "index": 0}]}),
        ("float", {"text_embedding": []}),
        ("byte", {"text_embedding_bytes": [{"embedding": [128]}]}),
        ("byte", {"text_embedding_bytes": [{"embedding": [0.5]}]}),
        ("float", b"[]"),
        ("float", b""),
    ],
)
def test_an_elastic_answer_with_anything_else_in_it_is_a_fault(
    element_type: str, reply: Any
) -> None:
    asking = elastic(TaskType.TEXT_EMBEDDING, reply, element_type=element_type)

    with pytest.raises(UpstreamError, match="Failed to parse the response") as caught:
        asking.infer("a")

    assert caught.value.status == 500


def test_elastic_weights_tell_what_was_cut() -> None:
    rows = [
        {"is_truncated": True, "embedding": {"a": 0.1, "b": 0.5}},
        {"is_truncated": False, "embedding": {"c": 0.2}},
    ]
    asking = elastic(TaskType.SPARSE_EMBEDDING, {"sparse_embedding": rows})

    answer = asking.infer("a", "b")

    assert answer == {"sparse_embedding": rows}
    assert list(answer["sparse_embedding"][0]["embedding"]) == ["b", "a"]


def test_elastic_ranks_documents() -> None:
    ranked = [{"index": 1, "relevance_score": 1.0, "text": "d1"}]
    asking = elastic(TaskType.RERANK, {"rerank": ranked})

    answer = asking.infer("d0", "d1", query="q", top_n=1, return_documents=True)

    assert asking.body == {
        "input": ["d0", "d1"],
        "query": "q",
        "return_documents": True,
        "top_n": 1,
    }
    assert answer == {"rerank": ranked}


def test_elastic_completes_and_streams_in_whole_objects() -> None:
    asking = elastic(TaskType.COMPLETION, {"completion": [{"result": "Hello"}]})
    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert asking.body == {"input": "hi"}

    stream = framed({"completion": [{"delta": "a"}]}, {"completion": {"delta": "b"}})
    assert list(elastic(TaskType.COMPLETION, stream).stream()) == [
        {"completion": [{"delta": "a"}]},
        {"completion": [{"delta": "b"}]},
    ]


@pytest.mark.parametrize("part", [b"{", {"completion": "a"}, {"delta": "a"}])
def test_a_part_that_is_no_object_of_a_completion_is_told(part: Any) -> None:
    with pytest.raises(BrokenStream, match="cannot be read"):
        list(elastic(TaskType.COMPLETION, framed(part)).stream())


@pytest.mark.parametrize("own", [{"input_type": "odd", "top_n": "x", "more": 1, "user": None}])
def test_task_settings_of_a_call_are_the_model_s_own_whatever_they_are_called(own: Any) -> None:
    asking = elastic(TaskType.RERANK, {"rerank": []})

    asking.infer("d", query="q", task_settings=own | {"session_id": "s"})

    assert asking.body["task_settings"] == {"input_type": "odd", "top_n": "x", "more": 1}
    assert asking.request.headers["x-amzn-sagemaker-session-id"] == "s"


@pytest.mark.parametrize(
    ("task_type", "settings", "task_settings", "why"),
    [
        (TaskType.RERANK, {"api": "openai"}, {}, "does not support task type"),
        (TaskType.SPARSE_EMBEDDING, {"api": "openai"}, {}, "does not support task type"),
        (TaskType.TEXT_EMBEDDING, {"api": "elastic"}, {}, r"required setting \[element_type\]"),
        (TaskType.TEXT_EMBEDDING, {"api": "openai", "similarity": "cosine"}, {}, "unknown"),
        (TaskType.RERANK, {"api": "elastic"}, {"user": "u"}, "cannot be stored"),
        (TaskType.COMPLETION, {"api": "Elastic"}, {"foo": 1}, "cannot be stored"),
        (TaskType.COMPLETION, {"api": "openai"}, {"foo": 1}, "unknown"),
        (TaskType.COMPLETION, {"api": "openai"}, {"session_id": "a\r\nb: c"}, "session_id"),
        (TaskType.COMPLETION, {"api": "openai", "rate_limit": {}}, {}, "unknown"),
        (TaskType.COMPLETION, {"api": "grpc"}, {}, r"must be one of \[elastic, openai\]"),
        (TaskType.COMPLETION, {"api": "openai", "batch_size": 5}, {}, "unknown"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    task_type: TaskType, settings: Any, task_settings: Any, why: str
) -> None:
    with pytest.raises((InvalidRequest, InvalidSettings), match=why):
        endpoint("amazon_sagemaker", task_type, SETTINGS | settings, task_settings=task_settings)


def test_nothing_is_stored_that_was_not_given() -> None:
    config = elastic(TaskType.RERANK, task_settings={"session_id": "s"}).config

    assert config.columns()["task_settings"] == {"session_id": "s"}
    assert AmazonSageMaker().group(config) is None


@pytest.mark.parametrize(
    ("status", "expected", "attempts", "words"),
    [
        (400, 400, 1, "Received a validation error from SageMaker"),
        (403, 403, 1, "Received an error from SageMaker"),
        (424, 424, 1, "Received a model error from SageMaker"),
        (429, 429, 3, "Received a model not ready error from SageMaker"),
        (500, 500, 3, "Received an internal failure from SageMaker"),
        (503, 503, 3, "SageMaker is unavailable"),
        (530, 500, 3, "Received an internal dependency error from SageMaker"),
    ],
)
def test_a_failure_has_its_own_words_and_status(
    status: int, expected: int, attempts: int, words: str
) -> None:
    body = {"Message": "No", "OriginalStatusCode": 400, "OriginalMessage": "no"}
    asking = openai(TaskType.COMPLETION, Replied(body, status))

    with pytest.raises(UpstreamError, match=r"Error message: \[No\]") as caught:
        asking.infer("hi")

    assert str(caught.value).startswith(words)
    assert (caught.value.status, len(asking.requests)) == (expected, attempts)
    assert caught.value.told.type == "error"
