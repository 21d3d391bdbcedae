"""Hugging Face: one address for each task, and two kinds of servers behind them."""

from typing import Any

import pytest

from inference.errors import InvalidRequest, InvalidSettings
from inference.types import TaskType
from inference.upstream.errors import BrokenStream, UpstreamError, UpstreamMalformed
from tests.inference.services.asking import Asking, Replied, endpoint, sse

SETTINGS = {"url": "https://abc.test/predict", "api_key": "hf_1"}
CHAT = {"url": "https://abc.test/v1/chat/completions", "api_key": "hf_1"}
ANSWERED = (
    b'{"object":"chat.completion","id":"","created":1,"model":"tgi","system_fingerprint":"3.0",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"logprobs":null,'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}'
)
RANKED = b'[{"index":0,"score":0.1},{"index":1,"score":0.99,"text":"d1"},{"index":2,"score":0.5}]'
OBJECT_ERROR = b'{"error":{"message":"Too long","http_status_code":422}}'
TEXT_ERROR = b'{"error":"Input validation error: too long","error_type":"Validation"}'


def asked(task_type: TaskType, *replies: Any, **settings: Any) -> Asking:
    known = CHAT if "completion" in task_type else SETTINGS
    return endpoint("hugging_face", task_type, known | settings, *replies)


@pytest.mark.parametrize("reply", [b"[[0.5,0.25],[1,2]]", b'{"embeddings":[[0.5,0.25],[1,2]]}'])
def test_texts_are_inputs_and_vectors_come_bare_or_named(reply: bytes) -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, reply, dimensions=2)

    first, second = asking.infer("a", "b")["text_embedding"]

    assert str(asking.request.url) == "https://abc.test/predict"
    assert asking.request.headers["Authorization"] == "Bearer hf_1"
    assert asking.body == {"inputs": ["a", "b"]}
    assert first["embedding"].tolist() == [0.5, 0.25]
    assert second["embedding"].tolist() == [1.0, 2.0]


def test_weights_of_tokens_come_heaviest_first() -> None:
    asking = asked(TaskType.SPARSE_EMBEDDING, b'[{"tok":0.1,"tok2":0.5}]')

    (row,) = asking.infer("a")["sparse_embedding"]

    assert asking.body == {"inputs": ["a"]}
    assert row == {"is_truncated": False, "embedding": {"tok2": 0.5, "tok": 0.1}}
    assert list(row["embedding"]) == ["tok2", "tok"]


def test_weights_of_a_text_that_was_cut_say_so() -> None:
    asking = asked(TaskType.SPARSE_EMBEDDING, [{"a": 1.0}, {"b": 1.0}], max_input_tokens=1)

    result = asking.infer("abcdef", "abc")["sparse_embedding"]

    assert asking.body == {"inputs": ["abc", "abc"]}
    assert [row["is_truncated"] for row in result] == [True, False]


@pytest.mark.parametrize("task_type", [TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING])
@pytest.mark.parametrize("reply", [b"[]", b'{"vectors":[]}', b"[[[1]]]", b'["a"]', b'[{"t":NaN}]'])
def test_a_reply_that_does_not_fit_is_told(task_type: TaskType, reply: bytes) -> None:
    with pytest.raises(UpstreamMalformed):
        asked(task_type, reply).infer("a")


def test_documents_are_ranked_here_since_the_server_does_not_heed_how_many() -> None:
    asking = asked(TaskType.RERANK, RANKED)

    result = asking.infer("d0", "d1", "d2", query="q", top_n=2, return_documents=True)

    assert asking.body == {
        "texts": ["d0", "d1", "d2"],
        "query": "q",
        "return_text": True,
        "top_n": 2,
    }
    assert result["rerank"] == [
        {"index": 1, "relevance_score": 0.99, "text": "d1"},
        {"index": 2, "relevance_score": 0.5, "text": "d2"},
    ]


def test_a_ranking_without_wishes_sends_none() -> None:
    asking = asked(TaskType.RERANK, RANKED)

    asking.infer("d0", "d1", "d2", query="q")

    assert asking.body == {"texts": ["d0", "d1", "d2"], "query": "q"}


def test_a_root_field_wins_over_the_task_settings() -> None:
    own = {"top_n": 3, "return_documents": False}
    asking = endpoint("hugging_face", TaskType.RERANK, SETTINGS, RANKED, task_settings=own)

    asking.infer("d0", "d1", "d2", query="q", top_n=1, task_settings={"return_documents": True})

    assert (asking.body["top_n"], asking.body["return_text"]) == (1, True)


@pytest.mark.parametrize("model", [{}, {"model_id": "tgi"}])
def test_a_chat_names_a_model_only_where_one_is_set(model: dict[str, str]) -> None:
    asking = asked(TaskType.CHAT_COMPLETION, ANSWERED, **model)

    answer = asking.chat(max_completion_tokens=100)

    assert asking.body == {
        "messages": [{"role": "user", "content": "hi"}],
        **({"model": "tgi"} if model else {}),
        "max_tokens": 100,
        "n": 1,
        "stream": False,
    }
    assert answer["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize(
    ("event", "words", "code"),
    [(OBJECT_ERROR, "Too long", "422"), (TEXT_ERROR, "Input validation error", "stream_error")],
)
def test_an_error_in_a_stream_is_told_in_either_shape(event: bytes, words: str, code: str) -> None:
    said = {"id": "", "choices": [{"index": 0, "delta": {"content": "He"}}]}
    stream = asked(TaskType.CHAT_COMPLETION, sse(said, event, is_done=False)).stream()

    assert next(stream)["choices"][0]["delta"] == {"content": "He"}
    with pytest.raises(BrokenStream, match=words) as caught:
        next(stream)
    assert (caught.value.told.code, caught.value.told.type) == (code, "hugging_face_error")


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_server_that_sleeps_is_asked_again(status: int) -> None:
    asking = asked(TaskType.TEXT_EMBEDDING, Replied(TEXT_ERROR, status), [[1.0]])

    assert asking.infer("a")["text_embedding"]
    assert len(asking.requests) == 2


def test_a_server_that_stays_asleep_is_told_as_a_rate_limit() -> None:
    asking = asked(TaskType.RERANK, Replied(TEXT_ERROR, 503))

    with pytest.raises(UpstreamError) as caught:
        asking.infer("a", query="q")

    assert str(caught.value) == (
        "Received a rate limit status code for request from inference entity id [my-endpoint] "
        "status [503]. Error message: [Input validation error: too long]"
    )
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("task_type", "status", "attempts"),
    [
        (TaskType.TEXT_EMBEDDING, 500, 1),
        (TaskType.TEXT_EMBEDDING, 424, 1),
        (TaskType.COMPLETION, 500, 3),
        (TaskType.COMPLETION, 502, 1),
        (TaskType.COMPLETION, 422, 1),
        (TaskType.COMPLETION, 413, 3),
    ],
)
def test_each_kind_of_server_has_its_own_passing_faults(
    task_type: TaskType, status: int, attempts: int
) -> None:
    asking = asked(task_type, Replied(TEXT_ERROR, status))

    with pytest.raises(UpstreamError):
        asking.infer("a")

    assert len(asking.requests) == attempts


def test_texts_that_are_too_long_are_cut_to_half() -> None:
    asking = asked(TaskType.SPARSE_EMBEDDING, Replied(TEXT_ERROR, 413), [{"a": 1.0}])

    result = asking.infer("abcdef")

    assert asking.body == {"inputs": ["abc"]}
    assert result["sparse_embedding"][0]["is_truncated"]


@pytest.mark.parametrize(
    ("task_type", "setting"),
    [
        (TaskType.TEXT_EMBEDDING, "model_id"),
        (TaskType.RERANK, "max_input_tokens"),
        (TaskType.SPARSE_EMBEDDING, "similarity"),
        (TaskType.COMPLETION, "dimensions"),
    ],
)
def test_settings_of_other_tasks_are_refused(task_type: TaskType, setting: str) -> None:
    with pytest.raises(InvalidRequest, match=r"unknown to the \[hugging_face\] service"):
        asked(task_type, **{setting: 1})


def test_the_address_of_a_chat_must_be_that_of_one() -> None:
    with pytest.raises(InvalidSettings, match=r"it must contain \[/v1/chat/completions\]"):
        asked(TaskType.CHAT_COMPLETION, url="https://abc.test/predict")


def test_vectors_are_compared_by_cosine_unless_told() -> None:
    settings = asked(TaskType.TEXT_EMBEDDING).config.service_settings.to_response()

    assert settings["similarity"] == "cosine"
    assert settings["rate_limit"] == {"requests_per_minute": 3000}


def test_what_is_never_sent_leaves_the_vectors_as_they_are() -> None:
    def fingerprint(**more: Any) -> str:
        asking = asked(TaskType.TEXT_EMBEDDING, **more)
        return asking.service.fingerprint(asking.config)

    assert fingerprint(dimensions=2, max_input_tokens=5, api_key="hf_2") == fingerprint()
    assert fingerprint(url="https://other.test/") != fingerprint()
