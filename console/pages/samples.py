"""A request to the API as the code that sends it."""

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from endpoints.models import Endpoint
from inference.chat import ChatRequest
from inference.types import Content, InferenceRequest, InputType, TaskType

KEY = "INFERENCE_API_KEY"
MOST_DATA = 60
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


def path_of(endpoint: Endpoint) -> str:
    """Where the API calls an endpoint."""
    return f"/_inference/{endpoint.task_type}/{endpoint.inference_id}"


def body_of(task: TaskType, call: InferenceRequest | ChatRequest) -> dict[str, Any]:
    """The body with which the API is asked the same."""
    if isinstance(call, ChatRequest):
        return call.to_json()
    inputs = [_written(content) for content in call.contents] or list(call.input)
    known = {
        "query": call.query,
        "input": inputs[0] if task == TaskType.COMPLETION else inputs,
        "input_type": None if call.input_type == InputType.UNSPECIFIED else call.input_type,
        "top_n": call.top_n,
        "return_documents": call.return_documents,
        "task_settings": call.task_settings or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _written(content: Content) -> Any:
    """An input of the embedding task. The data of an image are cut: nobody reads them."""
    if content.type == "text":
        return content.value
    value = shorten_data(content.value)
    return {"content": {"type": content.type, "format": content.format, "value": value}}


def shorten_data(data: str) -> str:
    return data if len(data) <= MOST_DATA else f"{data[:MOST_DATA]}…"


def call_samples(url: str, endpoint: Endpoint, body: dict[str, Any]) -> list[Sample]:
    """Code that calls an endpoint with this body."""
    path = path_of(endpoint)
    if endpoint.task == TaskType.CHAT_COMPLETION:
        return _chat_samples(url, path, body)
    samples = [Sample("curl", "curl", _curl(url, "POST", path, body))]
    if endpoint.task == TaskType.EMBEDDING:
        arguments = {"inference_id": endpoint.inference_id, "embedding": body}
        samples += [
            Sample("python", "Python", _python(url, "inference.embedding", arguments)),
            Sample("javascript", "JavaScript", _plain_javascript(url, path, body)),
        ]
    if endpoint.task in METHODS:
        in_python, in_javascript = METHODS[endpoint.task]
        arguments = {"inference_id": endpoint.inference_id, **body}
        samples += [
            Sample("python", "Python", _python(url, f"inference.{in_python}", arguments)),
            Sample(
                "javascript",
                "JavaScript",
                _javascript(url, f"inference.{in_javascript}", arguments),
            ),
        ]
    return [*samples, Sample("json", "JSON", f"POST {path}\n{_pretty(body)}")]


def _chat_samples(url: str, path: str, body: dict[str, Any]) -> list[Sample]:
    """A chat: curl shows the answer as it is written; the client has no method for one."""
    arguments = _plain_request("POST", path, {}, body)
    # What calls a tool says nothing else.
    in_python, in_javascript = ("", "") if "tools" in body else ('["content"]', ".content")
    answer = f'answer["choices"][0]["message"]{in_python}'
    return [
        Sample("curl", "curl", _curl(url, "POST", f"{path}/_stream", body, "--no-buffer")),
        Sample("python", "Python", _python(url, "perform_request", arguments, answer)),
        Sample(
            "javascript",
            "JavaScript",
            _plain_javascript(url, path, body, f"answer.choices[0].message{in_javascript}"),
        ),
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


def index_samples(url: str, inference_id: str) -> list[Sample]:
    """Code that registers an index with a field that an endpoint makes vectors of."""
    field = {"type": "semantic_text", "inference_id": inference_id}
    mappings = {"properties": {"content": field}}
    arguments = {"index": "my-index", "mappings": mappings}
    return [
        Sample("curl", "curl", _curl(url, "PUT", "/my-index", {"mappings": mappings})),
        Sample("python", "Python", _python(url, "indices.create", arguments)),
    ]


def pipeline_samples(url: str, config: dict[str, Any]) -> list[Sample]:
    """Code that registers an ingest pipeline."""
    path, arguments = "/_ingest/pipeline/my-pipeline", {"id": "my-pipeline", **config}
    return [
        Sample("curl", "curl", _curl(url, "PUT", path, config)),
        Sample("python", "Python", _python(url, "ingest.put_pipeline", arguments)),
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


def _javascript(url: str, method: str, arguments: dict[str, Any], shown: str = "answer") -> str:
    """method: what is called of the client, by its dotted name. shown: what is printed."""
    return (
        'import { Client } from "@elastic/elasticsearch";\n\n'
        "const client = new Client({\n"
        f'  node: "{url}",\n'
        f"  auth: {{ apiKey: process.env.{KEY} }},\n"
        "});\n"
        f"const answer = await client.{method}({_pretty(arguments)});\n"
        f"console.log({shown});"
    )


def _plain_javascript(url: str, path: str, body: dict[str, Any], shown: str = "answer") -> str:
    """A call that not every version of the client has a method for."""
    arguments = {"method": "POST", "path": path, "body": body}
    return _javascript(url, "transport.request", arguments, shown)


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
