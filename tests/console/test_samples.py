"""The code that the pages show works as it stands."""

import ast
import inspect
import json
import shlex
from typing import Any

import pytest
from django.test import RequestFactory
from elasticsearch import Elasticsearch

from console.forms.trying import TRY_FORMS
from console.pages.samples import base_url, body_of, call_samples, create_samples
from endpoints.models import Endpoint
from inference.types import TaskType

URL = "http://localhost:8000"
TRICKY = 'it\'s "quoted" \\ $HOME `x` é\nnew line'
BODIES: dict[TaskType, dict[str, Any]] = {
    TaskType.TEXT_EMBEDDING: {"input": [TRICKY]},
    TaskType.SPARSE_EMBEDDING: {"input": [TRICKY]},
    TaskType.RERANK: {"query": TRICKY, "input": ["a", TRICKY]},
    TaskType.COMPLETION: {"input": TRICKY},
}
CHAT = {"messages": [{"role": "user", "content": TRICKY}]}


def samples(task_type: TaskType) -> dict[str, str]:
    endpoint = Endpoint(inference_id="my-e5", task_type=task_type)
    return {s.language: s.code for s in call_samples(URL, endpoint, BODIES[task_type])}


def called(code: str) -> tuple[str, dict[str, Any]]:
    """The method of the client that Python code calls, and its arguments."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    call = next(node for node in calls if ast.unparse(node.func).startswith("client."))
    arguments = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    return ast.unparse(call.func).rpartition(".")[2], arguments


@pytest.mark.parametrize("task_type", BODIES)
def test_a_shell_sends_the_body_as_it_is(task_type: TaskType) -> None:
    words = shlex.split(samples(task_type)["curl"].replace("\\\n", ""))

    assert words[:4] == ["curl", "-X", "POST", f"{URL}/_inference/{task_type}/my-e5"]
    assert json.loads(words[-1]) == BODIES[task_type]


@pytest.mark.parametrize("task_type", BODIES)
def test_the_python_client_takes_the_call(task_type: TaskType) -> None:
    method, arguments = called(samples(task_type)["python"])

    client = Elasticsearch(URL).inference
    inspect.signature(getattr(client, method)).bind(**arguments)
    assert arguments == {"inference_id": "my-e5", **BODIES[task_type]}


def test_the_python_client_embeds_what_may_be_no_text() -> None:
    endpoint = Endpoint(inference_id="my-e5", task_type=TaskType.EMBEDDING)
    made = call_samples(URL, endpoint, {"input": [TRICKY]})

    method, arguments = called(next(s.code for s in made if s.language == "python"))

    client = Elasticsearch(URL).inference
    inspect.signature(getattr(client, method)).bind(**arguments)
    assert arguments == {"inference_id": "my-e5", "embedding": {"input": [TRICKY]}}


def test_a_chat_is_streamed_by_curl_and_printed_by_python() -> None:
    endpoint = Endpoint(inference_id="my-chat", task_type=TaskType.CHAT_COMPLETION)
    code = {s.language: s.code for s in call_samples(URL, endpoint, CHAT)}

    words = shlex.split(code["curl"].replace("\\\n", ""))
    method, arguments = called(code["python"])

    assert words[3] == f"{URL}/_inference/chat_completion/my-chat/_stream"
    assert "--no-buffer" in words
    assert json.loads(words[-1]) == CHAT
    inspect.signature(getattr(Elasticsearch(URL), method)).bind(**arguments)
    assert (arguments["method"], arguments["body"]) == ("POST", CHAT)
    assert arguments["path"] == "/_inference/chat_completion/my-chat"
    assert code["python"].endswith('print(answer["choices"][0]["message"]["content"])')


def test_of_a_chat_with_tools_the_whole_message_is_printed() -> None:
    endpoint = Endpoint(inference_id="my-chat", task_type=TaskType.CHAT_COMPLETION)

    code = {s.language: s.code for s in call_samples(URL, endpoint, CHAT | {"tools": []})}

    assert code["python"].endswith('print(answer["choices"][0]["message"])')
    assert code["javascript"].endswith("console.log(answer.choices[0].message);")


@pytest.mark.parametrize(
    ("task_type", "body"),
    [(TaskType.CHAT_COMPLETION, CHAT), (TaskType.EMBEDDING, {"input": [TRICKY]})],
)
def test_what_the_javascript_client_has_no_method_for_is_sent_as_it_is(
    task_type: TaskType, body: dict[str, Any]
) -> None:
    endpoint = Endpoint(inference_id="mine", task_type=task_type)

    code = next(s.code for s in call_samples(URL, endpoint, body) if s.language == "javascript")

    arguments = code.partition("client.transport.request(")[2].partition(");\nconsole")[0]
    assert json.loads(arguments) == {
        "method": "POST",
        "path": f"/_inference/{task_type}/mine",
        "body": body,
    }


def test_true_false_and_null_are_written_as_python_knows_them() -> None:
    config = {"service_settings": {"a": True, "b": [False, None], "c": {}, "d": [{"e": 1.5}]}}
    made = create_samples(URL, "my-e5", TaskType.RERANK, "openai", config)

    _, arguments = called(next(s.code for s in made if s.language == "python"))

    assert arguments["inference_config"] == {"service": "openai", **config}


@pytest.mark.parametrize("task_type", BODIES)
def test_the_raw_request_is_method_path_and_body(task_type: TaskType) -> None:
    line, _, body = samples(task_type)["json"].partition("\n")

    assert line == f"POST /_inference/{task_type}/my-e5"
    assert json.loads(body) == BODIES[task_type]


def test_the_python_client_takes_the_creation() -> None:
    config = {"service_settings": {"model_id": ".m", "num_allocations": 1}}
    made = create_samples(URL, "my-e5", TaskType.RERANK, "elasticsearch", config)

    method, arguments = called(next(s.code for s in made if s.language == "python"))

    client = Elasticsearch(URL).inference
    inspect.signature(getattr(client, method)).bind(**arguments)
    assert (method, arguments) == (
        "put",
        {
            "task_type": "rerank",
            "inference_id": "my-e5",
            "inference_config": {"service": "elasticsearch", **config},
        },
    )


def test_a_creation_by_force_says_so_in_every_language() -> None:
    config = {"service_settings": {"model_id": ".m"}}
    made = create_samples(URL, "my-e5", TaskType.RERANK, "elasticsearch", config, force=True)

    code = {sample.language: sample.code for sample in made}
    method, arguments = called(code["python"])

    for language in ("curl", "json"):
        assert "/_inference/rerank/my-e5?force=true" in code[language]
    inspect.signature(getattr(Elasticsearch(URL), method)).bind(**arguments)
    assert (arguments["method"], arguments["path"]) == ("PUT", "/_inference/rerank/my-e5")
    assert arguments["params"] == {"force": "true"}
    assert arguments["body"] == {"service": "elasticsearch", **config}


@pytest.mark.parametrize(
    ("host", "is_secure", "url"),
    [
        ("localhost:8000", False, "http://localhost:8000"),
        ("example.org", False, "http://example.org:80"),
        ("example.org", True, "https://example.org:443"),
        ("[::1]", False, "http://[::1]:80"),
        ("[::1]:8000", False, "http://[::1]:8000"),
    ],
)
def test_the_address_always_names_its_port(host: str, is_secure: bool, url: str) -> None:
    request = RequestFactory().get("/", headers={"Host": host}, secure=is_secure)

    assert base_url(request) == url


@pytest.mark.parametrize("task_type", TRY_FORMS)
def test_every_form_has_an_example_that_is_valid(task_type: TaskType) -> None:
    body = body_of(task_type, TRY_FORMS[task_type].example_call())
    assert body.get("input") or body["messages"]
