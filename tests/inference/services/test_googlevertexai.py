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
from tests.inference.services.asking import Replied, endpoint
from tests.inference.services.vertex_endpoints import (
    CHAT,
    CLAUDE,
    GEMINI,
    PREDICTED,
    embedding,
    vertex,
)


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
