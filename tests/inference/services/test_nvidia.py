"""NVIDIA: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services.remote import CHATS
from inference.types import InputType, TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

EMBEDDED = (
    b'{"object":"list","data":[{"index":0,"embedding":[0.1,-0.2],"object":"embedding"}],'
    b'"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}'
)
ANSWERED = (
    b'{"id":"chat-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hi."},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}'
)
RANKED = b'{"rankings":[{"index":0,"logit":-9.69},{"index":1,"logit":0.93}]}'
SETTINGS = {"model_id": "m", "api_key": "k"}
EMBEDDINGS_URL = "https://integrate.api.nvidia.com/v1/embeddings"
CHAT_URL = "https://integrate.api.nvidia.com/v1/chat/completions"
RERANK_URL = "https://ai.api.nvidia.com/v1/retrieval/nvidia/reranking"


def asking_for(task: TaskType, *replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    return endpoint("nvidia", task, SETTINGS | settings, *replies, task_settings=task_settings)


def embedding(*replies: Any, **settings: Any) -> Asking:
    return asking_for(TaskType.TEXT_EMBEDDING, *replies, **settings)


def test_texts_are_sent_with_their_purpose() -> None:
    asking = embedding(EMBEDDED, task_settings={"truncate": "end", "input_type": "ingest"})

    answer = asking.infer("hello")

    assert str(asking.request.url) == EMBEDDINGS_URL
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.body == {
        "input": ["hello"],
        "model": "m",
        "input_type": "passage",
        "truncate": "END",
    }
    assert answer["text_embedding"][0]["embedding"].tolist() == pytest.approx([0.1, -0.2])


def test_a_text_without_a_purpose_is_a_query() -> None:
    asking = embedding(EMBEDDED)

    asking.infer("hello")

    assert asking.body == {"input": ["hello"], "model": "m", "input_type": "query"}


def test_an_input_type_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(
        InvalidSettings, match=r"Input type \[clustering\] is not supported for \[Nvidia\]"
    ):
        embedding(EMBEDDED).infer("hello", input_type=InputType.CLUSTERING)


def test_texts_that_are_too_long_are_halved_and_sent_again() -> None:
    asking = embedding(Replied(b"", 413), EMBEDDED, max_input_tokens=2)

    asking.infer("123456789")

    assert asking.body["input"] == ["123"]
    assert len(asking.requests) == 2


@pytest.mark.parametrize(
    ("task", "url"),
    [
        (TaskType.TEXT_EMBEDDING, EMBEDDINGS_URL),
        (TaskType.COMPLETION, CHAT_URL),
        (TaskType.CHAT_COMPLETION, CHAT_URL),
        (TaskType.RERANK, RERANK_URL),
    ],
)
def test_the_address_of_a_task_is_shown(task: TaskType, url: str) -> None:
    assert asking_for(task).line.config.service_settings.to_response()["url"] == url


def test_calls_share_a_limit_by_address_and_model() -> None:
    line = embedding(url="http://nim.test:8000/v1/embeddings").line

    group = line.service.group(line.config)

    assert group is not None
    assert (group.values, group.requests_per_minute) == (
        ("http://nim.test:8000/v1/embeddings", "m"),
        3000,
    )


@pytest.mark.parametrize(
    "settings", [{"dimensions": 5}, {"url": "nim:8000"}, {"url": ""}, {"url": "ftp://nim/"}]
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        embedding(**settings)


def test_a_completion_is_a_chat_with_one_message() -> None:
    asking = asking_for(TaskType.COMPLETION, ANSWERED)

    assert asking.infer("hi") == {"completion": [{"result": "Hi."}]}
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "model": "m",
        "n": 1,
        "stream": False,
    }
    with pytest.raises(InvalidRequest, match="NVIDIA completions only accepts 1 input"):
        asking.infer("one", "two")


def test_a_chat_limits_tokens_by_their_first_name() -> None:
    asking = asking_for(TaskType.CHAT_COMPLETION, ANSWERED)

    answer = asking.chat("hi", max_completion_tokens=50, model="other")

    assert asking.body["max_tokens"] == 50
    assert asking.body["model"] == "other"
    assert answer["choices"][0]["message"]["content"] == "Hi."


@pytest.mark.parametrize("task", CHATS)
def test_a_stream_without_its_end_is_broken(task: TaskType) -> None:
    begun = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}

    with pytest.raises(BrokenStream, match="it ended before its end"):
        list(asking_for(task, sse(begun, is_done=False)).stream("hi"))


def test_documents_are_ranked_by_logits_which_may_be_negative() -> None:
    asking = asking_for(TaskType.RERANK, RANKED)

    answer = asking.infer("boring", "groovy", query="cool")

    assert str(asking.request.url) == RERANK_URL
    assert asking.body == {
        "model": "m",
        "query": {"text": "cool"},
        "passages": [{"text": "boring"}, {"text": "groovy"}],
    }
    assert answer == {
        "rerank": [
            {"index": 1, "relevance_score": 0.93},
            {"index": 0, "relevance_score": -9.69},
        ]
    }


def test_how_many_documents_and_their_texts_are_seen_to_without_the_provider() -> None:
    asking = asking_for(TaskType.RERANK, RANKED)

    answer = asking.infer("boring", "groovy", query="cool", top_n=1, return_documents=True)

    assert set(asking.body) == {"model", "query", "passages"}
    assert answer == {"rerank": [{"index": 1, "relevance_score": 0.93, "text": "groovy"}]}


def test_a_rank_without_its_parts_is_told() -> None:
    with pytest.raises(UpstreamMalformed, match=r"\[rankings.0.logit\]"):
        asking_for(TaskType.RERANK, {"rankings": [{"index": 0}]}).infer("a", query="q")


@pytest.mark.parametrize(
    ("status", "body", "said", "attempts"),
    [
        (404, {"status": 404, "title": "Not Found", "detail": "no model"}, "no model", 1),
        (422, {"error": {"message": "bad"}}, "bad", 1),
        (413, {"detail": "long"}, "long", 3),
        (503, {"detail": "busy"}, "busy", 3),
    ],
)
def test_a_refusal_is_told_in_its_words(status: int, body: Any, said: str, attempts: int) -> None:
    asking = asking_for(TaskType.RERANK, Replied(body, status))

    with pytest.raises(UpstreamError) as told:
        asking.infer("a", query="q")

    assert str(told.value).endswith(f"status [{status}]. Error message: [{said}]")
    assert len(asking.requests) == attempts
