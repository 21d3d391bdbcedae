"""Azure AI Studio: keys, addresses and bodies as each maker's deployment wants them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import InputType, TaskType
from inference.upstream.errors import UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

EMBEDDED = b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}]}'
ANSWERED = (
    b'{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":2,'
    b'"total_tokens":10}}'
)
SCORED = b'{"output":"Hello"}'
RANKED = (
    b'{"id":"r1","results":[{"index":1,"relevance_score":0.9,"document":{"text":"d1"}},'
    b'{"index":0,"relevance_score":0.1}],"meta":{"api_version":{"version":"1"}}}'
)


def asked(
    task_type: TaskType,
    provider: str,
    *replies: Any,
    endpoint_type: str = "token",
    task_settings: dict[str, Any] | None = None,
    **settings: Any,
) -> Asking:
    known = {
        "api_key": "k1",
        "target": "https://ours.test/",
        "provider": provider,
        "endpoint_type": endpoint_type,
    }
    return endpoint(
        "azureaistudio", task_type, known | settings, *replies, task_settings=task_settings
    )


@pytest.mark.parametrize(
    ("provider", "url", "header"),
    [
        ("openai", "https://ours.test/", ("api-key", "k1")),
        ("cohere", "https://ours.test/v1/embeddings", ("Authorization", "k1")),
    ],
)
def test_texts_go_where_and_with_the_key_as_the_maker_wants(
    provider: str, url: str, header: tuple[str, str]
) -> None:
    asking = asked(
        TaskType.TEXT_EMBEDDING, provider, EMBEDDED, dimensions=2, task_settings={"user": "u1"}
    )

    answer = asking.infer("a")

    assert str(asking.request.url) == url
    assert asking.request.headers[header[0]] == header[1]
    assert asking.body == {"input": ["a"], "user": "u1", "dimensions": 2}
    assert answer["text_embedding"][0]["embedding"].tolist() == [0.5, 0.25]


def test_a_path_stands_before_the_parameters_of_an_address() -> None:
    target = "https://ours.test/x/?api-version=1"
    asking = asked(TaskType.TEXT_EMBEDDING, "cohere", EMBEDDED, target=target)

    asking.infer("a")

    assert str(asking.request.url) == "https://ours.test/x/v1/embeddings?api-version=1"


@pytest.mark.parametrize(
    ("named", "sent"), [(InputType.SEARCH, "query"), (InputType.INGEST, "document")]
)
def test_cohere_is_told_what_texts_are_for(named: InputType, sent: str) -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, "cohere", EMBEDDED)

    asking.infer("a", input_type=named)

    assert asking.body == {"input": ["a"], "input_type": sent}


@pytest.mark.parametrize(
    ("provider", "named", "why"),
    [
        ("openai", InputType.SEARCH, "The input_type option is not supported by this service"),
        (
            "cohere",
            InputType.CLUSTERING,
            r"\[clustering\] is not supported for \[Azure",
        ),
    ],
)
def test_what_a_maker_does_not_know_is_refused(provider: str, named: InputType, why: str) -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, provider, EMBEDDED)

    with pytest.raises(InvalidSettings, match=why):
        asking.infer("a", input_type=named)
    assert not asking.requests


@pytest.mark.parametrize(
    ("provider", "url"),
    [("meta", "https://ours.test/v1/chat/completions"), ("openai", "https://ours.test/")],
)
def test_a_completion_by_the_token_has_its_parameters_beside_the_messages(
    provider: str, url: str
) -> None:
    own = {"temperature": 0.5, "do_sample": True}
    asking = asked(TaskType.COMPLETION, provider, ANSWERED, task_settings=own)

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert str(asking.request.url) == url
    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        "parameters": {"temperature": 0.5, "do_sample": True, "max_new_tokens": 64},
    }


def test_a_completion_by_the_hour_has_everything_within_its_input_data() -> None:
    asking = asked(TaskType.COMPLETION, "mistral", SCORED, endpoint_type="Realtime ")

    assert asking.infer("hi") == {"completion": [{"result": "Hello"}]}
    assert str(asking.request.url) == "https://ours.test/"
    assert asking.request.headers["Authorization"] == "Bearer k1"
    assert asking.body == {
        "input_data": {
            "input_string": [{"role": "user", "content": "hi"}],
            "parameters": {"max_new_tokens": 64},
        }
    }


@pytest.mark.parametrize("reply", [b"{}", b'{"choices":[]}', b'{"output":5}'])
def test_an_answer_without_a_text_is_none(reply: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        asked(TaskType.COMPLETION, "meta", reply).infer("hi")


@pytest.mark.parametrize("endpoint_type", ["token", "realtime"])
def test_it_streams_however_it_is_paid(endpoint_type: str) -> None:
    texts = [{"id": "c", "choices": [{"index": 0, "delta": {"content": t}}]} for t in ("He", "llo")]
    asking = asked(TaskType.COMPLETION, "meta", sse(*texts), endpoint_type=endpoint_type)

    assert list(asking.stream()) == [
        {"completion": [{"delta": "He"}]},
        {"completion": [{"delta": "llo"}]},
    ]
    assert asking.body["stream"] is True


def test_how_much_is_written_is_stored_where_nobody_says_it() -> None:
    config = asked(TaskType.COMPLETION, "meta").config

    assert config.task_settings.to_response() == {"max_new_tokens": 64}


def test_task_settings_of_a_call_win_over_those_of_the_endpoint() -> None:
    own = {"temperature": 0.5, "max_new_tokens": 5}
    asking = asked(TaskType.COMPLETION, "meta", ANSWERED, task_settings=own)

    asking.infer("hi", task_settings={"temperature": 1, "top_p": None})

    assert asking.body["parameters"] == {"temperature": 1.0, "max_new_tokens": 5}


def test_documents_are_ranked_with_their_texts() -> None:
    own = {"top_n": 2, "return_documents": True}
    asking = asked(TaskType.RERANK, "cohere", RANKED, task_settings=own)

    result = asking.infer("d0", "d1", query="q")

    assert str(asking.request.url) == "https://ours.test/v1/rerank"
    assert asking.body == {
        "documents": ["d0", "d1"],
        "query": "q",
        "return_documents": True,
        "top_n": 2,
    }
    assert result["rerank"] == [
        {"index": 1, "relevance_score": 0.9, "text": "d1"},
        {"index": 0, "relevance_score": 0.1, "text": "d0"},
    ]


def test_a_ranking_of_what_was_not_sent_is_none() -> None:
    with pytest.raises(UpstreamMalformed, match=r"\[1\] that was not sent"):
        asked(TaskType.RERANK, "cohere", RANKED).infer("d0", query="q")


@pytest.mark.parametrize(
    ("task_type", "provider", "endpoint_type"),
    [
        (TaskType.TEXT_EMBEDDING, "openai", "realtime"),
        (TaskType.TEXT_EMBEDDING, "mistral", "token"),
        (TaskType.COMPLETION, "databricks", "token"),
        (TaskType.COMPLETION, "openai", "realtime"),
        (TaskType.RERANK, "openai", "token"),
        (TaskType.RERANK, "cohere", "realtime"),
    ],
)
def test_what_a_maker_does_not_offer_is_refused(
    task_type: TaskType, provider: str, endpoint_type: str
) -> None:
    with pytest.raises(InvalidSettings, match=rf"for provider \[{provider}\] is not available"):
        asked(task_type, provider, endpoint_type=endpoint_type)


@pytest.mark.parametrize(
    ("task_type", "settings", "why"),
    [
        (TaskType.COMPLETION, {"temperature": 2.5}, "less than or equal to"),
        (TaskType.COMPLETION, {"top_p": -0.5}, "greater than or equal to"),
        (TaskType.COMPLETION, {"max_new_tokens": 0}, "must be a positive integer"),
        (TaskType.COMPLETION, {"do_sample": 1.0}, r"cannot be converted to a \[Boolean\]"),
        (TaskType.TEXT_EMBEDDING, {"user": ""}, "must be a non-empty string"),
    ],
)
def test_task_settings_that_cannot_be_are_refused(
    task_type: TaskType, settings: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidSettings, match=why):
        asked(task_type, "cohere", task_settings=settings)


def test_task_settings_of_another_task_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[azureaistudio\] service"):
        asked(TaskType.TEXT_EMBEDDING, "cohere", task_settings={"top_n": 1})


@pytest.mark.parametrize(
    ("provider", "why"),
    [(None, r"required setting \[provider\]"), ("acme", r"one of \[cohere, databricks, meta")],
)
def test_a_maker_that_nobody_knows_is_refused(provider: Any, why: str) -> None:
    with pytest.raises(InvalidSettings, match=why):
        asked(TaskType.COMPLETION, provider)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "Remaining tokens [unknown]. Remaining requests [unknown]."),
        (
            {"x-ratelimit-limit-requests": "9"},
            "Token limit [unknown], remaining tokens [unknown]. "
            "Request limit [9], remaining requests [unknown]",
        ),
    ],
)
def test_a_rate_limit_tells_what_the_deployment_says_of_it(
    headers: dict[str, str], told: str
) -> None:
    asking = asked(TaskType.RERANK, "cohere", Replied(b'{"detail":"slow down"}', 429, headers))

    with pytest.raises(UpstreamError) as caught:
        asking.infer("a", query="q")

    assert f"status code. {told} for request" in str(caught.value)
    assert "[slow down]" in str(caught.value)


def test_endpoints_share_a_limit_only_where_all_is_the_same() -> None:
    def group(**other: Any) -> Any:
        asking = asked(TaskType.COMPLETION, "meta", **other)
        return asking.service.group(asking.config)

    assert group() == group()
    assert group().requests_per_minute == 240
    for other in ({"api_key": "k2"}, {"endpoint_type": "realtime"}, {"target": "https://x.test"}):
        assert group(**other) != group()


def test_the_length_of_vectors_can_be_changed() -> None:
    service = asked(TaskType.TEXT_EMBEDDING, "cohere").service
    stored = {
        "api_key": "k1",
        "target": "https://ours.test",
        "provider": "cohere",
        "endpoint_type": "token",
    }
    changes = {"dimensions": 5, "similarity": "cosine"}

    updated = service.parse_update(
        TaskType.TEXT_EMBEDDING, {"service_settings": stored}, {"service_settings": changes}
    )

    shown = updated.service_settings.to_response()
    assert {name: shown[name] for name in changes} == changes
    with pytest.raises(InvalidRequest, match="unknown to"):
        service.parse_update(
            TaskType.TEXT_EMBEDDING,
            {"service_settings": stored},
            {"service_settings": {"target": "https://other.test"}},
        )
