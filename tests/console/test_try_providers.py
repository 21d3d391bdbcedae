"""Trying endpoints of providers: what they write, as a whole and as it comes."""

import html
import json
from typing import Any

import numpy as np
import pytest
from django.test import Client

from console.pages.results import raw_json, show
from console.pages.vectors_shown import EmbeddingsShown
from endpoints.models import TRIED, Endpoint, User
from inference.sandbox.app import Fault, Sandbox
from inference.types import ElementType, InferenceRequest, TaskType, TextEmbeddings
from tests.console.conftest import HTMX, called_with, text
from tests.endpoints.services.cases import cases_of
from tests.factories import make_endpoint, make_remote_endpoint, make_user

pytestmark = pytest.mark.usefixtures("door")

TRY = "/console/endpoints/my-endpoint/try"
STREAM = "/console/endpoints/my-endpoint/stream"
CHATS = [TaskType.COMPLETION, TaskType.CHAT_COMPLETION]


def made(task: TaskType) -> Endpoint:
    (case,) = (one for one in cases_of("openai") if one.task_type == task)
    return make_remote_endpoint("openai", task, case.service_settings)


def streamed(console: Client, **fields: Any) -> list[tuple[str, Any]]:
    """The events of a stream, each with its name."""
    answer = console.post(STREAM, fields)
    assert answer["Content-Type"] == "text/event-stream"
    events = b"".join(answer).decode().strip().split("\n\n")
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in (event.split("\n") for event in events)
    ]


def put_at(events: list[tuple[str, Any]], place: str) -> list[str]:
    """The markup that a place got, in order."""
    return [
        " ".join(data["html"].split())
        for name, data in events
        if name == "show" and data["place"] == place
    ]


@pytest.mark.parametrize("task", CHATS)
def test_the_whole_answer_is_shown_as_text(console: Client, task: TaskType) -> None:
    made(task)

    page = text(console.post(TRY, {"prompt": "one <two> three"}))

    assert 'data-place="answer-text">The sandbox heard: one &lt;two&gt; three</p>' in page


def test_a_chat_tells_its_tokens_and_sends_the_system_s_words(
    console: Client, sandbox: Sandbox
) -> None:
    made(TaskType.CHAT_COMPLETION)

    page = text(console.post(TRY, {"prompt": "one two three", "system": "Be brief."}))

    sent = json.loads(sandbox.seen["openai"][-1].content)["messages"]
    assert [(one["role"], one["content"]) for one in sent] == [
        ("system", "Be brief."),
        ("user", "one two three"),
    ]
    assert "<strong>3</strong> tokens read, <strong>8</strong> written" in page
    assert html.escape('"content": "Be brief."') in page  # the code is of this call


def test_a_chat_without_words_of_the_system_has_one_message(
    console: Client, sandbox: Sandbox
) -> None:
    made(TaskType.CHAT_COMPLETION)

    console.post(TRY, {"prompt": "one", "system": "  "})

    assert len(json.loads(sandbox.seen["openai"][-1].content)["messages"]) == 1


def test_vectors_of_the_embedding_task_are_drawn(console: Client) -> None:
    made(TaskType.EMBEDDING)

    page = text(console.post(TRY, {"input": ["one", "two"]}, headers=HTMX))

    assert "<strong>4</strong> dimensions" in page
    assert html.escape('"embeddings": [') in page
    assert "cosine similarity" in page
    for words in ("in meaning", "related"):  # nobody knows what is far for this model
        assert words not in page


def test_vectors_of_bytes_and_bits_are_drawn_as_they_are() -> None:
    vectors = np.array([[1, -128], [3, 4]], np.int8)
    result = TextEmbeddings(vectors, element_type=ElementType.BIT)

    shown = show(InferenceRequest(("a", "b")), result, None)

    assert isinstance(shown, EmbeddingsShown)
    assert shown.dimensions == 16
    # 00000001 10000000 and 00000011 00000100: three of sixteen bits differ.
    assert shown.closeness
    assert shown.closeness.cosine == pytest.approx(1 - 2 * 3 / 16)
    assert [shown.vectors[0].up.count("M"), shown.vectors[0].down.count("M")] == [2, 14]
    assert shown.vectors[0].first == ["1", "-128"]
    assert json.loads(raw_json(result)) == {
        "text_embedding_bits": [{"embedding": [1, -128]}, {"embedding": [3, 4]}]
    }


def test_a_text_that_was_cut_by_its_characters_is_told(console: Client) -> None:
    endpoint = made(TaskType.TEXT_EMBEDDING)
    settings = endpoint.service_settings | {"max_input_tokens": 2}
    Endpoint.objects.update(service_settings=settings)

    page = text(console.post(TRY, {"input": "0123456789"}, headers=HTMX))

    assert "The text is longer than the model reads: 4 characters at its end did not" in page


def test_a_provider_s_refusal_is_explained(console: Client, sandbox: Sandbox) -> None:
    made(TaskType.TEXT_EMBEDDING)
    sandbox.faults["openai"] = Fault(kind="status", status=401)

    page = text(console.post(TRY, {"input": "one"}, headers=HTMX))

    assert "status [401]" in page
    assert "<dt>What to do</dt>" in page


# ---------------------------------------------------------------------- streams


@pytest.mark.parametrize("task", CHATS)
def test_an_answer_comes_word_by_word(console: Client, task: TaskType) -> None:
    made(task)

    events = streamed(console, prompt="one two three")

    words = [data["text"] for name, data in events if name == "text"]
    assert len(words) > 3
    assert "".join(words) == "The sandbox heard: one two three"
    first, last = put_at(events, "answer-facts")
    assert "to the first token" in first
    assert "in all" in last
    names = [name for name, _ in events]
    assert names.index("text") > [data.get("place") for _, data in events].index("answer-facts")


def test_a_streamed_chat_ends_with_its_tokens(console: Client) -> None:
    made(TaskType.CHAT_COMPLETION)

    facts = put_at(streamed(console, prompt="one two three"), "answer-facts")[-1]

    assert "<strong>3</strong> tokens read, <strong>8</strong> written" in facts


def test_a_stream_brings_the_code_of_its_call(console: Client) -> None:
    made(TaskType.CHAT_COMPLETION)

    (code,) = put_at(streamed(console, prompt="my own words"), "samples")

    assert "my own words" in code


def test_an_empty_prompt_is_told(console: Client, sandbox: Sandbox) -> None:
    made(TaskType.COMPLETION)

    events = streamed(console, prompt="")

    assert "Write a prompt first." in put_at(events, "try-fields")[0]
    assert "Nothing was sent." in put_at(events, "answer-problem")[0]
    assert not sandbox.seen["openai"]


@pytest.mark.parametrize("fault", [Fault(kind="status", status=429), Fault(kind="error")])
def test_a_stream_that_fails_ends_in_its_explanation(
    console: Client, sandbox: Sandbox, fault: Fault
) -> None:
    made(TaskType.CHAT_COMPLETION)
    sandbox.faults["openai"] = fault

    events = streamed(console, prompt="one two three")

    (problem,) = put_at(events, "answer-problem")
    assert "<dt>What to do</dt>" in problem
    words = [data["text"] for name, data in events if name == "text"]
    assert words == ([] if fault.kind == "status" else ["The"])


def test_a_setting_that_the_service_refuses_is_told_at_its_field(
    console: Client, sandbox: Sandbox
) -> None:
    made(TaskType.COMPLETION)
    wish: dict[str, Any] = {
        "task_settings.headers.name": "Host",
        "task_settings.headers.value": "elsewhere",
    }

    (fields,) = put_at(streamed(console, prompt="one", **wish), "try-fields")
    page = text(console.post(TRY, {"prompt": "one", **wish}))

    for markup in (fields, page):
        problem = markup[markup.index('id="id_task_settings.headers_error"') :]
        assert "cannot set the header [Host]" in problem.partition("</p>")[0]
    assert not sandbox.seen["openai"]


def test_a_fault_of_our_own_is_told_without_its_words(
    console: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **how: object) -> None:
        raise RuntimeError("boom")

    made(TaskType.CHAT_COMPLETION)
    monkeypatch.setattr("endpoints.calls.stream_inference", fail)

    (problem,) = put_at(streamed(console, prompt="one"), "answer-problem")

    assert "Something went wrong on the server" in problem
    assert "boom" not in problem
    assert "boom" in caplog.text


def test_a_stream_on_a_page_is_a_trial(console: Client, sandbox: Sandbox) -> None:
    made(TaskType.CHAT_COMPLETION)

    assert streamed(console, prompt="one")

    assert called_with() == {TRIED}


def test_what_cannot_stream_is_not_found(console: Client) -> None:
    made(TaskType.TEXT_EMBEDDING)
    make_endpoint("here")

    for name in ("my-endpoint", "here"):
        answer = console.post(f"/console/endpoints/{name}/stream", {"input": "one"})
        assert answer.status_code == 404


def test_who_may_not_call_gets_no_stream(client: Client, admin: User) -> None:
    made(TaskType.COMPLETION)
    client.force_login(make_user())

    assert client.post(STREAM, {"prompt": "one"}).status_code == 403
