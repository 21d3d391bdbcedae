"""A request to the API as the code that sends it."""

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from endpoints.models import Endpoint
from inference.types import TaskType

KEY = "INFERENCE_API_KEY"
AUTHORIZATION = f'-H "Authorization: ApiKey ${KEY}"'
# The methods of the clients in Python and JavaScript, whose arguments are the fields of the body.
METHODS = {
    TaskType.TEXT_EMBEDDING: ("text_embedding", "textEmbedding"),
    TaskType.SPARSE_EMBEDDING: ("sparse_embedding", "sparseEmbedding"),
    TaskType.RERANK: ("rerank", "rerank"),
    TaskType.COMPLETION: ("completion", "completion"),
}


@dataclass(frozen=True)
class Sample:
    """The same request in one language. language: an id; label: for people."""

    language: str
    label: str
    code: str


def base_url(request: HttpRequest) -> str:
    """Where this installation is reached. The port is always named: the Python client insists."""
    host = request.get_host()
    if ":" not in host.rpartition("]")[2]:
        host += ":443" if request.is_secure() else ":80"
    return f"{request.scheme}://{host}"


def call_samples(url: str, endpoint: Endpoint, body: dict[str, Any]) -> list[Sample]:
    """Code that calls an endpoint with this body."""
    path = f"/_inference/{endpoint.task_type}/{endpoint.inference_id}"
    if endpoint.task == TaskType.CHAT_COMPLETION:
        return _chat_samples(url, path, body)
    samples = [Sample("curl", "curl", _curl(url, "POST", path, body))]
    if endpoint.task == TaskType.EMBEDDING:
        arguments = {"inference_id": endpoint.inference_id, "embedding": body}
        samples.append(Sample("python", "Python", _python(url, "inference.embedding", arguments)))
    if endpoint.task in METHODS:
        in_python, in_javascript = METHODS[endpoint.task]
        arguments = {"inference_id": endpoint.inference_id, **body}
        samples += [
            Sample("python", "Python", _python(url, f"inference.{in_python}", arguments)),
            Sample("javascript", "JavaScript", _javascript(url, in_javascript, arguments)),
        ]
    return [*samples, Sample("json", "JSON", f"POST {path}\n{_pretty(body)}")]


def _chat_samples(url: str, path: str, body: dict[str, Any]) -> list[Sample]:
    """A chat: curl shows the answer as it is written; the client has no method for one."""
    arguments = _plain_request("POST", path, {}, body)
    answer = 'answer["choices"][0]["message"]["content"]'
    return [
        Sample("curl", "curl", _curl(url, "POST", f"{path}/_stream", body, "--no-buffer")),
        Sample("python", "Python", _python(url, "perform_request", arguments, answer)),
        Sample("json", "JSON", f"POST {path}\n{_pretty(body)}"),
    ]


def create_samples(
    url: str,
    inference_id: str,
    task_type: TaskType,
    service: str,
    config: dict[str, Any],
    *,
    force: bool = False,
    team: str = "",
) -> list[Sample]:
    """Code that creates an endpoint. team: whose it is to be, where that has to be said."""
    inference_id = inference_id or "my-endpoint"
    path = f"/_inference/{task_type}/{inference_id}"
    body = {"service": service, **config}
    method, arguments = (
        "inference.put",
        {"task_type": str(task_type), "inference_id": inference_id, "inference_config": body},
    )
    params = ({"force": "true"} if force else {}) | ({"team": team} if team else {})
    if params:
        # The client's own method has no such parameters.
        method, arguments = "perform_request", _plain_request("PUT", path, params, body)
        path += f"?{urlencode(params)}"
    return [
        Sample("curl", "curl", _curl(url, "PUT", path, body)),
        Sample("python", "Python", _python(url, method, arguments)),
        Sample("json", "JSON", f"PUT {path}\n{_pretty(body)}"),
    ]


def update_samples(url: str, endpoint: Endpoint, changes: dict[str, Any]) -> list[Sample]:
    """Code that changes an endpoint."""
    path = f"/_inference/{endpoint.task_type}/{endpoint.inference_id}/_update"
    arguments = {
        "task_type": endpoint.task_type,
        "inference_id": endpoint.inference_id,
        "inference_config": changes,
    }
    return [
        Sample("curl", "curl", _curl(url, "PUT", path, changes)),
        Sample("python", "Python", _python(url, "inference.update", arguments)),
        Sample("json", "JSON", f"PUT {path}\n{_pretty(changes)}"),
    ]


def key_samples(url: str, encoded: str, endpoint: Endpoint | None) -> list[Sample]:
    """Code that uses a new key: it calls an endpoint, or asks who calls where there is none."""
    export = f"export {KEY}={shlex.quote(encoded)}"
    if endpoint is None:
        who = f"curl {shlex.quote(f'{url}/_security/_authenticate')} \\\n  {AUTHORIZATION}"
        python = _python(url, "security.authenticate", {})
    else:
        calls = call_samples(url, endpoint, example_of(endpoint.task))
        code = {sample.language: sample.code for sample in calls}
        who, python = code["curl"], code.get("python", "")
    samples = [Sample("curl", "curl", f"{export}\n\n{who}")]
    if python:
        samples.append(Sample("python", "Python", f"# {export}\n{python}"))
    return samples


def example_of(task: TaskType) -> dict[str, Any]:
    """The body of the smallest sensible call."""
    match task:
        case TaskType.RERANK:
            return {"query": "Which is the sea?", "input": ["Harbour", "Mountain"]}
        case TaskType.CHAT_COMPLETION:
            return {"messages": [{"role": "user", "content": "Hello"}]}
    return {"input": ["Hello, world"]}


def _curl(url: str, method: str, path: str, body: dict[str, Any], *options: str) -> str:
    return " \\\n  ".join(
        (
            f"curl -X {method}",
            shlex.quote(url + path),
            AUTHORIZATION,
            '-H "Content-Type: application/json"',
            *options,
            f"-d {shlex.quote(_pretty(body))}",
        )
    )


def _plain_request(
    method: str, path: str, params: dict[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    """What the Python client needs to send a request that it has no method for."""
    kind = "application/json"
    headers = {"accept": kind, "content-type": kind}
    query = {"params": params} if params else {}
    return {"method": method, "path": path, **query, "headers": headers, "body": body}


def _python(url: str, method: str, arguments: dict[str, Any], shown: str = "answer") -> str:
    """method: what is called of the client, by its dotted name. shown: what is printed."""
    listed = "".join(
        f"    {name}={_literal(value, 4, behind=4)},\n" for name, value in arguments.items()
    )
    return (
        "import os\n\n"
        "from elasticsearch import Elasticsearch\n\n"
        "client = Elasticsearch(\n"
        f'    "{url}",\n'
        f'    api_key=os.environ["{KEY}"],\n'
        ")\n"
        f"answer = client.{method}(\n{listed})\n"
        f"print({shown})"
    )


def _javascript(url: str, method: str, arguments: dict[str, Any]) -> str:
    return (
        'import { Client } from "@elastic/elasticsearch";\n\n'
        "const client = new Client({\n"
        f'  node: "{url}",\n'
        f"  auth: {{ apiKey: process.env.{KEY} }},\n"
        "});\n"
        f"const answer = await client.inference.{method}({_pretty(arguments)});\n"
        "console.log(answer);"
    )


def _literal(value: Any, indent: int, *, behind: int) -> str:
    """A JSON value in Python."""
    pad = " " * (behind + indent)
    match value:
        case bool() | None:
            return repr(value)
        case dict() if value:
            rows = [
                f"{json.dumps(name, ensure_ascii=False)}: "
                f"{_literal(one, indent, behind=behind + indent)}"
                for name, one in value.items()
            ]
            opening, closing = "{}"
        case list() if value:
            rows = [_literal(one, indent, behind=behind + indent) for one in value]
            opening, closing = "[]"
        case _:
            return json.dumps(value, ensure_ascii=False)
    listed = ",\n".join(pad + row for row in rows)
    return f"{opening}\n{listed}\n{' ' * behind}{closing}"


def _pretty(value: Any, indent: int = 2, *, behind: int = 0) -> str:
    """behind: how far the line stands in that the value begins on."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text.replace("\n", "\n" + " " * behind)
