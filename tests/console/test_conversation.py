"""Chats with a provider that last for more than one turn, as a whole and as they come."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from endpoints.models import Endpoint
from inference.sandbox.app import Fault, Sandbox
from inference.types import TaskType
from tests.console.conftest import text
from tests.console.test_try_providers import put_at, streamed
from tests.factories import make_remote_endpoint

PAGE = "/console/endpoints/my-endpoint"
TRY = f"{PAGE}/try"
CHAT = {"model_id": "gpt-4o", "api_key": "sk-1"}
TOOLS = json.dumps([{"type": "function", "function": {"name": "weather"}}])
ASKED = {"role": "user", "content": "one"}
ANSWERED = {"role": "assistant", "content": "The sandbox heard: one"}


@pytest.fixture(autouse=True)
def chat(db: None, door: object) -> Endpoint:
    return make_remote_endpoint("openai", TaskType.CHAT_COMPLETION, CHAT)


def sent_to(sandbox: Sandbox, provider: str = "openai") -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sandbox.seen[provider][-1].content)
    return body


def kept_in(markup: str, name: str = "history") -> list[dict[str, Any]]:
    """What the next turn would send along."""
    found = re.search(rf'name="{name}" value="([^"]*)"', " ".join(markup.split()))
    assert found
    kept: list[dict[str, Any]] = json.loads(html.unescape(found.group(1)) or "[]")
    return kept


def test_the_next_turn_carries_on_what_was_said(console: Client, sandbox: Sandbox) -> None:
    first = console.post(TRY, {"prompt": "one"}).content.decode()
    history = json.dumps(kept_in(first))

    second = console.post(TRY, {"prompt": "two", "history": history, "system": "Be brief."})

    assert kept_in(first) == [ASKED, ANSWERED]
    assert sent_to(sandbox)["messages"] == [
        {"role": "system", "content": "Be brief."},
        ASKED,
        ANSWERED,
        {"role": "user", "content": "two"},
    ]
    page = text(second)
    turns = re.findall(r'<p class="turn-who">(\w+)</p> <p class="answer"[^>]*>([^<]*)</p>', page)
    assert turns == [
        ("You", "one"),
        ("Model", "The sandbox heard: one"),
        ("You", "two"),
        ("Model", "The sandbox heard: two"),
    ]
    assert "Be brief.</textarea>" in page
    assert re.search(r'<textarea name="prompt"[^>]*> ?</textarea>', page)  # ready for the next


def test_a_stream_ends_with_what_the_next_turn_carries_on(console: Client) -> None:
    talks = put_at(streamed(console, prompt="one"), "conversation")

    assert (kept_in(talks[0]), kept_in(talks[-1])) == ([], [ASKED, ANSWERED])


def test_what_came_of_a_broken_answer_is_carried_on(console: Client, sandbox: Sandbox) -> None:
    sandbox.faults["openai"] = Fault(kind="error")

    talk = put_at(streamed(console, prompt="one"), "conversation")[-1]

    assert kept_in(talk) == [ASKED, {"role": "assistant", "content": "The"}]


def test_a_question_without_an_answer_is_not_carried_on(console: Client, sandbox: Sandbox) -> None:
    sandbox.faults["openai"] = Fault(kind="status", status=400)

    talk = put_at(
        streamed(console, prompt="two", history=json.dumps([ASKED, ANSWERED])), "conversation"
    )[-1]

    assert kept_in(talk) == [ASKED, ANSWERED]


def test_wishes_go_to_the_provider_and_into_the_code(console: Client, sandbox: Sandbox) -> None:
    wishes = {
        "temperature": "0.5",
        "top_p": "0.9",
        "max_completion_tokens": "7",
        "stop": "END\nSTOP",
        "tools": TOOLS,
        "tool_choice": "none",
    }

    page = text(console.post(TRY, {"prompt": "one", **wishes}))

    sent = sent_to(sandbox)
    assert (sent["temperature"], sent["top_p"], sent["max_completion_tokens"]) == (0.5, 0.9, 7)
    assert sent["stop"] == ["END", "STOP"]
    assert sent["tools"] == json.loads(TOOLS)
    assert sent["tool_choice"] == "none"
    assert html.escape('"max_completion_tokens": 7') in page


def test_a_tool_that_is_called_is_shown_and_its_result_goes_back(
    console: Client, sandbox: Sandbox
) -> None:
    events = streamed(console, prompt="umbrella?", tools=TOOLS)
    talk = put_at(events, "conversation")[-1]
    history = kept_in(talk)

    streamed(console, history=json.dumps(history), result=["It rains."], tools=TOOLS)

    assert 'Calls <strong class="font-monospace">weather</strong>' in talk
    assert 'name="result"' in talk
    assert "to the first token" in put_at(events, "answer-facts")[-1]
    assert history[-1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": "{}"}
    assert sent_to(sandbox)["messages"][-1] == {
        "role": "tool",
        "content": "It rains.",
        "tool_call_id": "call_sandbox",
    }


@pytest.mark.parametrize(
    ("field", "written", "problem"),
    [
        ("tools", "[", "This is no JSON"),
        ("tools", "{}", "This is no list of tools"),
        ("tools", '[{"type": "function"}]', "At [0.function]: Field required."),
        ("temperature", "3", "less than or equal to 2"),
        ("max_completion_tokens", "0", "greater than or equal to 1"),
        ("tool_choice", "maybe", "not one of the available choices"),
    ],
)
def test_a_wrong_wish_is_told_at_its_field(
    console: Client, sandbox: Sandbox, field: str, written: str, problem: str
) -> None:
    (fields,) = put_at(streamed(console, prompt="one", **{field: written}), "try-fields")

    said = html.unescape(fields[fields.index(f'id="id_{field}_error"') :])
    assert problem in said.partition("</p>")[0]
    assert not sandbox.seen["openai"]


@pytest.mark.parametrize("history", ["[", "{}", '[{"role": 1}]'])
def test_a_history_that_is_none_is_told(console: Client, sandbox: Sandbox, history: str) -> None:
    page = text(console.post(TRY, {"prompt": "one", "history": history}))

    assert "What was said before cannot be read. Clear the conversation." in page
    assert not sandbox.seen["openai"]


def test_only_what_a_chat_can_be_told_is_asked_for(console: Client) -> None:
    page = text(console.get(PAGE))

    assert 'name="max_completion_tokens"' in page
    assert 'name="task_settings.' not in page  # the API takes none with a chat


# ------------------------------------------------------------------ side by side


@pytest.fixture
def other(chat: Endpoint) -> Endpoint:
    return make_remote_endpoint("groq", TaskType.CHAT_COMPLETION, CHAT, "other")


@pytest.mark.usefixtures("other")
def test_each_side_has_a_chat_of_its_own(console: Client, sandbox: Sandbox) -> None:
    said = {"prompt": "two", "beside": "other", "history": json.dumps([ASKED, ANSWERED])}

    here = streamed(console, side="1", **said)
    beside = streamed(console, side="2", **said)

    assert len(sent_to(sandbox)["messages"]) == 3
    assert len(sent_to(sandbox, "groq")["messages"]) == 1
    assert len(kept_in(put_at(here, "conversation")[-1])) == 4
    assert len(kept_in(put_at(beside, "conversation")[-1], "history_beside")) == 2
    assert put_at(here, "samples")
    assert not put_at(beside, "samples")


@pytest.mark.usefixtures("other")
def test_without_scripts_both_answers_come_with_the_page(console: Client) -> None:
    page = text(console.post(TRY, {"prompt": "one", "beside": "other"}))

    assert page.count("The sandbox heard: one</p>") == 2
    assert kept_in(page) == kept_in(page, "history_beside") == [ASKED, ANSWERED]


def test_a_side_that_is_not_there_has_no_stream(console: Client) -> None:
    answer = console.post(f"{PAGE}/stream", {"prompt": "one", "side": "2"})

    assert answer.status_code == 404


# --------------------------------------------------------------------------- raw


def test_a_stream_can_be_read_as_the_api_sends_it(console: Client) -> None:
    events = streamed(console, prompt="one two")

    raw = "".join(data["raw"] for name, data in events if name in ("text", "raw"))
    first, *_, last = raw.strip().split("\n\n")
    assert first.startswith('event: message\ndata: {"id":"chatcmpl-sandbox"')
    assert last == "event: message\ndata: [DONE]"
    (shown,) = put_at(events, "answer-raw")
    assert "POST /_inference/chat_completion/my-endpoint/_stream" in shown


def test_a_stream_that_is_refused_shows_the_error_of_the_api(
    console: Client, sandbox: Sandbox
) -> None:
    sandbox.faults["openai"] = Fault(kind="status", status=401)

    (shown,) = put_at(streamed(console, prompt="one"), "answer-raw")

    assert '<span class="raw-status is-refused">401</span>' in shown
    assert html.escape('"error": {') in shown


def test_a_client_that_leaves_ends_the_call_of_the_provider(
    console: Client, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    def stream(*_: object, **__: object) -> Any:
        try:
            while True:
                yield {"choices": [{"delta": {"content": "more"}}]}
        finally:
            ended.append(True)

    monkeypatch.setattr("endpoints.calls.stream_inference", stream)
    answer: Any = console.post(f"{PAGE}/stream", {"prompt": "one"})
    events = iter(answer.streaming_content)
    for _ in range(6):
        next(events)

    answer.close()
    del events

    assert ended == [True]
