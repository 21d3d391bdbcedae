"""Mixedbread: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.services import find_service
from inference.types import TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint

RANKED = (
    b'{"usage":{"prompt_tokens":162,"total_tokens":162,"completion_tokens":0},"model":"m",'
    b'"data":[{"index":0,"score":0.98,"input":"a","object":"rank_result"}],"object":"list",'
    b'"top_k":1,"return_input":true}'
)
URL = "https://api.mixedbread.com/v1/reranking"


def reranking(*replies: Any, task_settings: Any = None, **settings: Any) -> Asking:
    settings = {"model_id": "m", "api_key": "k"} | settings
    return endpoint("mixedbread", TaskType.RERANK, settings, *replies, task_settings=task_settings)


def test_documents_are_ranked_with_their_texts() -> None:
    asking = reranking(RANKED, task_settings={"top_n": 5, "return_documents": True})

    answer = asking.infer("a", "b", query="q", top_n=1)

    assert str(asking.request.url) == URL
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.body == {
        "model": "m",
        "query": "q",
        "input": ["a", "b"],
        "top_k": 1,
        "return_input": True,
    }
    assert answer == {"rerank": [{"index": 0, "relevance_score": 0.98, "text": "a"}]}


def test_what_is_not_set_is_not_sent() -> None:
    asking = reranking(RANKED)

    asking.infer("a", query="q")

    assert set(asking.body) == {"model", "query", "input"}


@pytest.mark.parametrize(
    ("sent", "told"),
    [("a", {"text": "a"}), ({"text": "a", "x": 1}, {"text": "a"}), ({"url": "u"}, {}), (None, {})],
)
def test_a_text_comes_in_several_shapes(sent: Any, told: dict[str, str]) -> None:
    row = {"index": 0, "score": 0.5, "input": sent}

    answer = reranking({"data": [row]}).infer("a", query="q")

    assert answer == {"rerank": [{"index": 0, "relevance_score": 0.5} | told]}


def test_its_address_is_shown_and_may_be_another() -> None:
    assert reranking().line.config.service_settings.to_response()["url"] == URL
    asking = reranking(RANKED, url="https://elsewhere.test/rank")

    asking.infer("a", query="q")

    assert str(asking.request.url) == "https://elsewhere.test/rank"
    with pytest.raises(InvalidSettings, match="Invalid url"):
        reranking(url="elsewhere")


@pytest.mark.parametrize("settings", [{"dimensions_set_by_user": True}, {"dimensions": 5}])
def test_settings_of_vectors_are_unknown(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[mixedbread\] service"):
        reranking(**settings)


def test_it_ranks_and_does_nothing_else() -> None:
    with pytest.raises(InvalidRequest, match=r"does not support task type \[text_embedding\]"):
        find_service("mixedbread").parse(TaskType.TEXT_EMBEDDING, {"service_settings": {}})


@pytest.mark.parametrize(
    "reply", [{"data": [{"index": 0}]}, {"data": [{"index": 3, "score": 1}]}, {"results": []}]
)
def test_a_rank_that_does_not_fit_is_told(reply: Any) -> None:
    with pytest.raises(UpstreamMalformed):
        reranking(reply).infer("a", query="q")


@pytest.mark.parametrize(
    ("status", "body", "said", "attempts"),
    [
        (401, {"detail": "bad key"}, "bad key", 1),
        (422, {"detail": [{"msg": "x"}]}, '{"detail":[{"msg":"x"}]}', 1),
        (500, b"oops", "oops", 3),
        (503, b"oops", "oops", 3),
    ],
)
def test_a_refusal_is_told_in_its_words(status: int, body: Any, said: str, attempts: int) -> None:
    asking = reranking(Replied(body, status))

    with pytest.raises(UpstreamError) as told:
        asking.infer("a", query="q")

    assert str(told.value).endswith(f"status [{status}]. Error message: [{said}]")
    assert len(asking.requests) == attempts
