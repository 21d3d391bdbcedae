"""What every service of a provider must do, tried against the sandbox through the API.

A service without cases, or with a task that none of its cases covers, fails here.
"""

import json
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from django.http import HttpResponse

from endpoints.models import Endpoint
from inference.sandbox.app import Fault, FaultKind, Sandbox
from inference.services import SERVICES
from inference.services.remote import RemoteService
from inference.services.settings import names_marked
from inference.types import InputType, TaskType
from tests.endpoints.conftest import Api, refused, told
from tests.endpoints.services.cases import Case, cases_of

pytestmark = pytest.mark.django_db

ENDPOINT = "my-endpoint"
REMOTE = {name: one for name, one in SERVICES.items() if isinstance(one, RemoteService)}
PROVED = [name for name, one in REMOTE.items() if one.is_proved]
CASES = [case for name in PROVED for case in cases_of(name)]
STREAMING = [case for case in CASES if case.streams]
PLANTED = "planted"
NO_JSON: tuple[FaultKind, ...] = ("bad_json", "empty", "html")
BREAKING: tuple[FaultKind, ...] = ("cut", "error")
SECRETIVE = {case.service: case for case in CASES if case.needs_secret}

each = pytest.mark.parametrize("case", CASES, ids=str)
each_streaming = pytest.mark.parametrize("case", STREAMING, ids=str)


def test_every_service_has_cases_for_all_of_its_tasks() -> None:
    for name in PROVED:
        assert {case.task_type for case in cases_of(name)} == set(REMOTE[name].tasks), name


def create(api: Api, case: Case, **settings: Any) -> HttpResponse:
    body = {
        "service": case.service,
        "service_settings": case.service_settings | settings,
    }
    if case.task_settings:
        body["task_settings"] = case.task_settings
    return api("PUT", f"/_inference/{case.task_type}/{ENDPOINT}", body)


def body_for(case: Case, **more: Any) -> dict[str, Any]:
    if case.task_type == TaskType.CHAT_COMPLETION:
        return {"messages": [{"role": "user", "content": "one two three"}]} | more
    body: dict[str, Any] = {"input": ["one two three"]}
    if case.task_type == TaskType.RERANK:
        body = {"input": ["nothing here", "one two"], "query": "one two"}
    return body | more


def infer(api: Api, case: Case, **more: Any) -> HttpResponse:
    return api("POST", f"/_inference/{case.task_type}/{ENDPOINT}", body_for(case, **more))


def stream(api: Api, case: Case) -> tuple[int, list[tuple[str, Any]]]:
    """Status and events, each with its name and what it tells."""
    path = f"/_inference/{case.task_type}/{ENDPOINT}/_stream"
    response = api("POST", path, body_for(case))
    assert response["Content-Type"] == "text/event-stream"
    text = b"".join(response).decode()
    events = []
    for event in text.strip().split("\n\n"):
        name, data = event.split("\n")
        data = data.removeprefix("data: ")
        events.append(
            (name.removeprefix("event: "), data if data == "[DONE]" else json.loads(data))
        )
    return response.status_code, events


def last_body(sandbox: Sandbox, case: Case) -> Any:
    return orjson.loads(sandbox.seen[case.service][-1].content)


@each
def test_it_is_created_after_a_real_call_and_shows_no_secret(
    api: Api, case: Case, sandbox: Sandbox
) -> None:
    created = create(api, case)

    assert created.status_code == 200, created.content
    assert sandbox.seen[case.service]
    shown = told(created)
    assert shown == told(api("GET", f"/_inference/{ENDPOINT}"))["endpoints"][0]
    assert PLANTED not in created.content.decode()
    assert not set(Endpoint.objects.get().config["service_settings"]) & set(case.wrong_secrets)
    if case.has_rate_limit:
        assert shown["service_settings"]["rate_limit"]["requests_per_minute"] > 0
    if case.task_type in (TaskType.TEXT_EMBEDDING, TaskType.EMBEDDING):
        assert shown["service_settings"]["dimensions"] > 0


@each
def test_nothing_is_stored_when_the_provider_does_not_know_the_caller(api: Api, case: Case) -> None:
    answer = create(api, case, **case.wrong_secrets)

    assert answer.status_code in (400, 401, 403), answer.content
    assert not Endpoint.objects.exists()
    assert told(answer)["error"]["explanation"]["what_to_do"]


@each
def test_an_unknown_setting_is_refused(api: Api, case: Case) -> None:
    assert refused(create(api, case, foo=1)) == (400, "status_exception")
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("case", SECRETIVE.values(), ids=str)
def test_a_missing_secret_is_refused(api: Api, case: Case, sandbox: Sandbox) -> None:
    without = {
        name: value
        for name, value in case.service_settings.items()
        if name not in case.wrong_secrets
    }
    body = {"service": case.service, "service_settings": without}
    if case.task_settings:
        body["task_settings"] = case.task_settings
    answer = api("PUT", f"/_inference/{case.task_type}/{ENDPOINT}", body)

    assert answer.status_code == 400, answer.content
    assert not sandbox.seen[case.service]


@each
def test_it_answers(api: Api, case: Case) -> None:
    create(api, case)

    answer = infer(api, case)

    assert answer.status_code == 200, answer.content
    assert {name: answer.get(name) for name in case.told_headers} == case.told_headers
    result = told(answer)
    match case.task_type:
        case TaskType.RERANK:
            first = result["rerank"][0]
            assert first["index"] == 1
            assert first["relevance_score"] > 0
        case TaskType.COMPLETION:
            assert "one two three" in result["completion"][0]["result"]
        case TaskType.CHAT_COMPLETION:
            assert result["object"] == "chat.completion"
            assert "one two three" in result["choices"][0]["message"]["content"]
            assert result["usage"]["total_tokens"] > 0
        case TaskType.SPARSE_EMBEDDING:
            assert result["sparse_embedding"][0]["embedding"]
        case _:
            ((_, rows),) = result.items()
            assert len(rows[0]["embedding"]) > 0


@each
def test_unknown_task_settings_of_a_call_are_refused(api: Api, case: Case) -> None:
    if case.task_type == TaskType.CHAT_COMPLETION or case.takes_any_task_settings:
        return
    create(api, case)

    assert refused(infer(api, case, task_settings={"foo_bar": 1}))[0] == 400


@pytest.mark.parametrize("case", [case for case in CASES if case.override], ids=str)
def test_task_settings_of_a_call_reach_the_provider(api: Api, case: Case, sandbox: Sandbox) -> None:
    assert case.override is not None
    settings, expected = case.override
    create(api, case)

    answer = infer(api, case, task_settings=settings)

    assert answer.status_code == 200, answer.content
    sent = last_body(sandbox, case)
    assert {name: sent.get(name) for name in expected} == expected


@pytest.mark.parametrize("case", [case for case in CASES if case.sent_types], ids=str)
def test_an_input_type_is_sent_in_the_provider_s_words(
    api: Api, case: Case, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    create(api, case)
    for input_type, expected in case.sent_types.items():
        with subtests.test(input_type=input_type):
            more = {} if input_type == InputType.UNSPECIFIED else {"input_type": input_type}

            answer = infer(api, case, **more)

            assert answer.status_code == 200, answer.content
            sent = last_body(sandbox, case)
            assert {name: sent.get(name) for name in expected} == expected


@pytest.mark.parametrize("case", [case for case in CASES if case.refused_types], ids=str)
def test_an_input_type_that_the_service_does_not_have_is_refused(
    api: Api, case: Case, subtests: pytest.Subtests
) -> None:
    create(api, case)
    for input_type in case.refused_types:
        with subtests.test(input_type=input_type):
            answer = infer(api, case, input_type=input_type)

            assert refused(answer) == (400, "validation_exception")


@each
def test_secrets_and_rate_limit_are_updated(api: Api, case: Case, sandbox: Sandbox) -> None:
    create(api, case)
    changes: dict[str, Any] = dict(case.new_secrets)
    if case.has_rate_limit:
        changes["rate_limit"] = {"requests_per_minute": 77}
    changes |= case.updates

    answer = api(
        "PUT", f"/_inference/{case.task_type}/{ENDPOINT}/_update", {"service_settings": changes}
    )

    assert answer.status_code == 200, answer.content
    shown = told(answer)["service_settings"]
    if case.has_rate_limit:
        assert shown["rate_limit"]["requests_per_minute"] == 77
    assert {name: shown[name] for name in case.updates} == case.updates
    assert PLANTED not in answer.content.decode()
    assert infer(api, case).status_code == 200


@pytest.mark.parametrize("case", SECRETIVE.values(), ids=str)
def test_a_secret_that_no_key_opens_is_told_and_can_be_entered_again(
    api: Api, case: Case, settings: Any
) -> None:
    create(api, case)
    settings.SECRET_KEYS = (Fernet.generate_key().decode(),)
    path = f"/_inference/{case.task_type}/{ENDPOINT}/_update"
    names = names_marked("sensitive", SERVICES[case.service].settings)
    again = {name: case.service_settings[name] for name in names & case.service_settings.keys()}

    for response in (infer(api, case), api("PUT", path, {"service_settings": {}})):
        assert b"CONSOLE_SECRET_KEYS" in response.content
    entered = api("PUT", path, {"service_settings": again})

    assert entered.status_code == 200, entered.content
    assert infer(api, case).status_code == 200


@each
def test_an_update_that_the_provider_refuses_changes_nothing(api: Api, case: Case) -> None:
    create(api, case)
    before = Endpoint.objects.values().get()

    answer = api(
        "PUT",
        f"/_inference/{case.task_type}/{ENDPOINT}/_update",
        {"service_settings": case.wrong_secrets},
    )

    assert answer.status_code in (400, 401, 403), answer.content
    assert Endpoint.objects.values().get() == before


@pytest.mark.parametrize("case", [case for case in CASES if case.refused_statuses], ids=str)
def test_a_refusal_of_the_provider_is_told_with_its_cause(
    api: Api, case: Case, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    create(api, case)
    # 401 last: a token that was fetched is not used again after it.
    for status in sorted(case.refused_statuses, key=lambda status: status == 401):
        with subtests.test(status=status):
            sandbox.faults[case.service] = Fault(kind="status", status=status)

            answer = infer(api, case)

            expected = case.told_statuses.get(status, 400 if status >= 500 else status)
            assert answer.status_code == expected, answer.content
            error = told(answer)["error"]
            reason = error.get("reason") or error["message"]
            assert ENDPOINT in reason
            assert error["explanation"]["cause"]


@each
def test_a_reply_that_is_none_is_told(
    api: Api, case: Case, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    create(api, case)
    # Too large is said while it is read, before anybody looks at what it holds.
    statuses = dict.fromkeys(NO_JSON, case.malformed_status) | {"enormous": 400, "cut": 400}
    for kind, expected in statuses.items():
        with subtests.test(kind=kind):
            sandbox.faults[case.service] = Fault(kind=kind)

            answer = infer(api, case)

            assert answer.status_code == expected, answer.content
            assert told(answer)["error"]["explanation"]["what_to_do"]


@each
def test_a_retry_after_one_failure_succeeds(api: Api, case: Case, sandbox: Sandbox) -> None:
    create(api, case)
    task = REMOTE[case.service].tasks[case.task_type]
    if not task.retried:
        return
    sandbox.faults[case.service] = Fault(kind="status", status=min(task.retried), times=1)

    assert infer(api, case).status_code == 200


@each_streaming
def test_it_streams(api: Api, case: Case) -> None:
    create(api, case)

    status, events = stream(api, case)

    assert status == 200
    assert events[-1] == ("message", "[DONE]")
    chunks = [data for _, data in events[:-1]]
    assert len(chunks) > 2
    if case.task_type == TaskType.COMPLETION:
        texts = [row["delta"] for chunk in chunks for row in chunk["completion"]]
    else:
        texts = [
            choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
        ]
        assert any(chunk.get("usage") for chunk in chunks)
    assert "one two three" in "".join(texts)


@each_streaming
def test_an_error_before_a_stream_has_its_status(api: Api, case: Case, sandbox: Sandbox) -> None:
    create(api, case)
    sandbox.faults[case.service] = Fault(kind="status", status=401)

    status, events = stream(api, case)

    assert status in (401, 403)
    ((name, data),) = events
    assert name == "error"
    assert data["error"]["explanation"]["cause"]


@each_streaming
def test_a_stream_that_is_none_has_the_status_of_a_failure(
    api: Api, case: Case, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    create(api, case)
    for kind in NO_JSON:
        with subtests.test(kind=kind):
            sandbox.faults[case.service] = Fault(kind=kind)

            status, events = stream(api, case)

            assert status >= 400
            ((name, data),) = events
            assert name == "error"
            assert data["error"]["explanation"]["what_to_do"]


@each_streaming
def test_a_stream_that_breaks_ends_in_an_error(
    api: Api, case: Case, sandbox: Sandbox, subtests: pytest.Subtests
) -> None:
    create(api, case)
    for kind in BREAKING:
        with subtests.test(kind=kind):
            sandbox.faults[case.service] = Fault(kind=kind)

            status, events = stream(api, case)

            # Where nothing was told yet, the status still can be.
            assert status == (200 if len(events) > 1 else 500)
            assert events[-1][0] == "error"
            assert events[-1][1]["error"]["explanation"]["cause"]
            assert "[DONE]" not in [data for _, data in events]


@each
def test_it_is_deleted(api: Api, case: Case) -> None:
    create(api, case)

    assert api("DELETE", f"/_inference/{ENDPOINT}").status_code == 200
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("name", PROVED)
def test_the_catalogue_tells_its_settings(api: Api, name: str) -> None:
    listed = {one["service"]: one for one in told(api("GET", "/_inference/_services"))}[name]

    assert listed["task_types"] == list(REMOTE[name].tasks)
    secret = {key for key, one in listed["configurations"].items() if one["sensitive"]}
    assert secret >= set(cases_of(name)[0].wrong_secrets)
