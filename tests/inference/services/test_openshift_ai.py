"""OpenShift AI: OpenAI's shape at any address, and ranks in another."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import InferenceRequest, InputType, TaskType
from inference.upstream.errors import UpstreamError
from tests.inference.services.asking import Asking, Replied, endpoint, sse

URL = "https://model.apps.example.org/v1/x"
EMBEDDED = {"data": [{"index": 0, "embedding": [0.5, 0.25]}]}
ANSWERED = {
    "id": "chat-1",
    "model": "llama",
    "created": 1,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
RANKED = (
    b'{"id":"r1","results":[{"index":1,"relevance_score":0.9,"document":{"text":"b"}},'
    b'{"index":0,"relevance_score":0.1,"document":{"text":"a"}}]}'
)


def asking(task: TaskType, *replies: Any, **settings: Any) -> Asking:
    task_settings = settings.pop("task_settings", None)
    settings = {"api_key": "sha256~1", "url": URL} | settings
    return endpoint("openshift_ai", task, settings, *replies, task_settings=task_settings)


def test_texts_are_sent_to_the_address_as_it_is() -> None:
    call = asking(TaskType.TEXT_EMBEDDING, EMBEDDED, model_id="gritlm-7b", dimensions=2)

    answer = call.infer("hello")

    assert str(call.request.url) == URL
    assert call.request.headers["Authorization"] == "Bearer sha256~1"
    assert call.body == {"input": ["hello"], "model": "gritlm-7b", "dimensions": 2}
    assert answer["text_embedding"][0]["embedding"].tolist() == [0.5, 0.25]


@pytest.mark.parametrize("dimensions", [None, 2])
def test_it_is_told_who_chose_the_length_of_the_vectors(dimensions: int | None) -> None:
    call = asking(TaskType.TEXT_EMBEDDING, EMBEDDED, dimensions=dimensions)

    proof = call.line.answer(InferenceRequest(("how long",)), 5)

    assert call.service.learned(call.config.service_settings, proof) == {
        "dimensions": 2,
        "dimensions_set_by_user": dimensions is not None,
    }
    with pytest.raises(InvalidRequest, match=r"{dimensions_set_by_user=true}\] unknown"):
        asking(TaskType.TEXT_EMBEDDING, dimensions_set_by_user=True)


def test_a_model_need_not_be_named() -> None:
    call = asking(TaskType.TEXT_EMBEDDING, EMBEDDED)
    call.infer("hello")
    assert call.body == {"input": ["hello"]}

    call = asking(TaskType.CHAT_COMPLETION, ANSWERED)
    call.chat()
    assert "model" not in call.body
    call.chat(model="other")
    assert call.body["model"] == "other"


def test_texts_that_are_too_long_are_cut_to_half_and_sent_again() -> None:
    call = asking(TaskType.TEXT_EMBEDDING, Replied(b"", 413), EMBEDDED)

    call.infer("abcdef")

    assert call.body["input"] == ["abc"]


def test_an_input_type_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"Invalid input_type \[search\]"):
        asking(TaskType.TEXT_EMBEDDING, EMBEDDED).infer("a", input_type=InputType.SEARCH)


def test_a_chat_limits_its_tokens_by_their_old_name() -> None:
    call = asking(TaskType.CHAT_COMPLETION, ANSWERED, model_id="llama")

    answer = call.chat(max_completion_tokens=5)

    assert call.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "llama",
        "max_tokens": 5,
        "n": 1,
        "stream": False,
    }
    assert answer["choices"][0]["message"]["content"] == "Hello"


def test_a_completion_takes_one_input() -> None:
    call = asking(TaskType.COMPLETION, ANSWERED)

    assert call.infer("hi") == {"completion": [{"result": "Hello"}]}
    with pytest.raises(InvalidRequest, match=r"^OpenShift AI completions only accepts 1 input"):
        call.infer("one", "two")


def test_a_completion_streams() -> None:
    delta = {"index": 0, "delta": {"content": "He"}}
    call = asking(TaskType.COMPLETION, sse({"id": "c", "choices": [delta]}))

    assert list(call.stream()) == [{"completion": [{"delta": "He"}]}]
    assert call.body["stream_options"] == {"include_usage": True}


def test_a_ranking_is_asked_for_with_its_options() -> None:
    settings = {"top_n": 1, "return_documents": False}
    call = asking(TaskType.RERANK, RANKED, model_id="bge", task_settings=settings)

    answer = call.infer("a", "b", query="q", top_n=2, return_documents=True)

    assert str(call.request.url) == URL
    assert call.body == {
        "model": "bge",
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 2,
        "return_documents": True,
    }
    assert answer["rerank"] == [
        {"index": 1, "relevance_score": 0.9, "text": "b"},
        {"index": 0, "relevance_score": 0.1, "text": "a"},
    ]
    call.infer("a", "b", query="q", task_settings={"top_n": 1})
    assert call.body["top_n"] == 1
    assert call.body["return_documents"] is False


@pytest.mark.parametrize(
    ("task", "status", "attempts"),
    [
        (TaskType.TEXT_EMBEDDING, 503, 3),
        (TaskType.TEXT_EMBEDDING, 502, 1),
        (TaskType.COMPLETION, 429, 3),
        (TaskType.RERANK, 429, 3),
        (TaskType.RERANK, 500, 3),
        (TaskType.RERANK, 503, 1),
        (TaskType.RERANK, 401, 1),
    ],
)
@pytest.mark.parametrize("body", [{"error": {"message": "No."}}, {"message": "No."}])
def test_a_refusal_is_told(task: TaskType, status: int, attempts: int, body: Any) -> None:
    call = asking(task, Replied(body, status))

    with pytest.raises(UpstreamError, match=r"Error message: \[No\.\]"):
        call.infer("a", query="q" if task == TaskType.RERANK else None)

    assert len(call.requests) == attempts


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"url": "model.example.org"}, "Invalid url [model.example.org] received for field [url]"),
        ({"api_key": None}, "does not contain the required setting [api_key]"),
        ({"dimensions": 0}, "[dimensions] must be a positive integer"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidSettings) as told:
        asking(TaskType.TEXT_EMBEDDING, **settings)

    assert why in str(told.value)
