"""Contextual AI: requests to the letter, and its replies as it sends them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint

RANKED = (
    b'{"results":[{"index":0,"relevance_score":0.95,"x":1},{"index":1,"relevance_score":0.08}]}'
)
SETTINGS = {"model_id": "ctxl-rerank-v1-instruct", "api_key": "k"}


def reranking(*replies: Any, **task_settings: Any) -> Asking:
    return endpoint(
        "contextualai", TaskType.RERANK, SETTINGS, *replies, task_settings=task_settings
    )


def test_documents_are_ranked_as_the_instruction_says() -> None:
    asking = reranking(RANKED, top_n=5, instruction="Prefer recent documents")

    answer = asking.infer("Paris is", "Berlin is", query="capital of france", top_n=2)

    assert str(asking.request.url) == "https://api.contextual.ai/v1/rerank"
    assert asking.request.headers["Authorization"] == "Bearer k"
    assert asking.body == {
        "query": "capital of france",
        "documents": ["Paris is", "Berlin is"],
        "model": "ctxl-rerank-v1-instruct",
        "top_n": 2,
        "instruction": "Prefer recent documents",
    }
    assert answer == {
        "rerank": [
            {"index": 0, "relevance_score": 0.95},
            {"index": 1, "relevance_score": 0.08},
        ]
    }


def test_texts_are_neither_asked_for_nor_told() -> None:
    asking = reranking(RANKED, return_documents=True)

    answer = asking.infer("a", "b", query="q", return_documents=True)

    assert set(asking.body) == {"query", "documents", "model"}
    assert not any("text" in row for row in answer["rerank"])


def test_how_many_documents_has_two_names_and_the_call_wins() -> None:
    asking = reranking(RANKED, top_k=1)
    assert asking.line.config.task_settings.to_response() == {"top_n": 1}

    asking.infer("a", "b", query="q", task_settings={"top_k": 2})

    assert asking.body["top_n"] == 2


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"settings \[{top_k=2}\] unknown"):
        reranking(top_n=1, top_k=2)


@pytest.mark.parametrize("settings", [{"instruction": ""}, {"top_n": 0}, {"top_k": 0}])
def test_task_settings_that_say_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings):
        reranking(**settings)


@pytest.mark.parametrize(
    "reply",
    [{"results": [{"index": 0}]}, {"results": [{"relevance_score": 0.1}]}, {"rankings": []}],
)
def test_a_rank_without_its_parts_is_told(reply: Any) -> None:
    with pytest.raises(UpstreamMalformed):
        reranking(reply).infer("a", query="q")


@pytest.mark.parametrize(
    ("status", "attempts", "category"),
    [
        (429, 3, "Received a rate limit status code"),
        (500, 3, "Received a server error status code"),
        (503, 3, "Received a server error status code"),
        (502, 1, "Received a server error status code"),
        (401, 1, "Received an authentication error status code"),
        (404, 1, "Received an unsuccessful status code"),
        (422, 1, "Received an unsuccessful status code"),
    ],
)
def test_a_refusal_is_told_with_all_that_its_body_says(
    status: int, attempts: int, category: str
) -> None:
    body = b'{"detail":[{"loc":["body","query"],"msg":"too short","type":"value_error"}]}\n'
    asking = reranking(Replied(body, status))

    with pytest.raises(UpstreamError) as told:
        asking.infer("a", query="q")

    assert str(told.value) == (
        f"{category} for request from inference entity id [my-endpoint] status [{status}]. "
        f"Error message: [{body.decode().strip()}]"
    )
    assert len(asking.requests) == attempts


def test_an_update_of_task_settings_takes_the_place_of_all_of_them() -> None:
    asking = reranking()
    stored = {
        "service_settings": {"api_key": "k", "model_id": "m"},
        "task_settings": {"top_n": 2, "instruction": "Be strict."},
    }

    for changes, expected in (
        ({"task_settings": {"top_k": 3}}, {"top_n": 3}),
        ({"service_settings": {"api_key": "l"}}, stored["task_settings"]),
    ):
        updated = asking.service.parse_update(TaskType.RERANK, stored, changes)
        assert updated.task_settings.to_response() == expected
