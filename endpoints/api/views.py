"""The `_inference` routes: parse, authorize, call, render."""

from typing import Any

from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from endpoints import actions, calls, hosting, tombstones
from endpoints.access import endpoint_to_call, get_endpoint, require, visible_endpoints
from endpoints.api.cluster import cluster_info
from endpoints.api.http import ElasticView, UserRequest
from endpoints.api.params import parse_duration_s
from endpoints.api.schemas import (
    ChatBody,
    ChunkBody,
    CreateBody,
    EmbeddingBody,
    InferenceBody,
    UpdateBody,
    parse,
)
from endpoints.api.sse import EVENT_STREAM, UNBUFFERED, as_events, event
from endpoints.api.warnings import cuts_of, warn
from endpoints.models import Endpoint, User
from endpoints.permissions import Action
from endpoints.references import references_to
from inference.chat import ChatRequest
from inference.chunking import chunk, chunk_texts
from inference.chunking.settings import parse_chunking
from inference.errors import (
    DeploymentTimedOut,
    InferenceError,
    NotFound,
    NothingToUpdate,
    TimedOut,
)
from inference.services import SERVICES, find_service
from inference.types import InferenceRequest, TaskType

DEFAULT_TIMEOUT_S = 30.0
CHAT_TIMEOUT_S = 120.0
ANY_TASK = "any"
# A header has to stay short: proxies and clients take a few thousand bytes.
MOST_NAMED = 100


def task_in(path_part: str | None) -> TaskType | None:
    """The task type that a path names; `any` and nothing leave it open."""
    if path_part is None or path_part.strip().lower() == ANY_TASK:
        return None
    return TaskType.parse(path_part)


def default_timeout_s(task_type: TaskType | None) -> float:
    is_chat = task_type in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
    return CHAT_TIMEOUT_S if is_chat else DEFAULT_TIMEOUT_S


class EndpointView(ElasticView):
    def get(
        self, request: UserRequest, inference_id: str, task_type: str | None = None
    ) -> HttpResponse:
        require(request.user, Action.GET)
        self.params(request, "return_minimal_config")
        endpoint = get_endpoint(request.user, inference_id, task_in(task_type))
        return self.answer({"endpoints": [endpoint.to_response()]})

    def put(
        self, request: UserRequest, inference_id: str, task_type: str | None = None
    ) -> HttpResponse:
        """Create an endpoint and answer once it has proved itself by a real call.

        Beyond Elasticsearch's: `force` lets an id stand for another model than before, `team` says
        whose it is to be.
        """
        require(request.user, Action.PUT)
        params = self.params(request, "force", "team")
        body = parse(CreateBody, request)
        actions.check_inference_id(inference_id)
        task = body.resolved_task_type(task_type)
        timeout_s = params.duration_s("timeout", default_timeout_s(task))
        endpoint = actions.create_endpoint(
            request.user,
            inference_id,
            task,
            body.named_service(),
            body.config,
            force=params.flag("force"),
            team=params.text("team", None),
            timeout_s=timeout_s,
        )
        service = find_service(body.named_service())
        if service.is_hosted:
            prove(request.user, endpoint, timeout_s)
        response = self.answer(endpoint.to_response())
        warn(response, *service.warnings(body.config), *tombstones.lift(endpoint))
        return response

    def post(
        self, request: UserRequest, inference_id: str, task_type: str | None = None
    ) -> HttpResponse:
        endpoint, call, timeout_s = asked(self, request, inference_id, task_type)
        result = calls.run_inference(endpoint, call, timeout_s, request.user)
        response = self.answer(result.to_response())
        for name, value in result.headers.items():
            response[name] = value
        if isinstance(call, InferenceRequest):
            warn(response, *cuts_of(call, result))
        return response

    def delete(
        self, request: UserRequest, inference_id: str, task_type: str | None = None
    ) -> HttpResponse:
        require(request.user, Action.DELETE)
        params = self.params(request, "dry_run", "force")
        force, is_dry_run = params.flag("force"), params.flag("dry_run")
        endpoint = get_endpoint(request.user, inference_id, task_in(task_type), to=Action.DELETE)
        if is_dry_run:
            found = references_to(request.user, inference_id)
            return self.answer(
                {
                    "acknowledged": False,
                    "pipelines": found.pipelines,
                    "indexes": found.indexes,
                    "error_message": found.message,
                }
            )
        actions.delete_endpoint(request.user, endpoint, force=force)
        return self.answer({"acknowledged": True, "pipelines": [], "indexes": []})


class EndpointListView(ElasticView):
    def get(self, request: UserRequest, task_type: str | None = None) -> HttpResponse:
        require(request.user, Action.GET)
        self.params(request, "return_minimal_config")
        endpoints = visible_endpoints(request.user).with_status()
        if task := task_in(task_type):
            endpoints = endpoints.filter(task_type=task)
        by_id = sorted(endpoints, key=lambda endpoint: endpoint.inference_id)
        return self.answer({"endpoints": [endpoint.to_response() for endpoint in by_id]})


class UpdateView(ElasticView):
    def put(
        self, request: UserRequest, inference_id: str, task_type: str | None = None
    ) -> HttpResponse:
        require(request.user, Action.UPDATE)
        params = self.params(request)
        body = parse(UpdateBody, request)
        actions.check_can_change(inference_id)
        try:
            endpoint = get_endpoint(request.user, inference_id, to=Action.UPDATE)
        except NotFound as exc:
            raise NothingToUpdate(
                f"The inference endpoint [{inference_id}] does not exist and cannot be updated"
            ) from exc
        changes = body.changes(task_in(task_type), endpoint.task, endpoint.service)
        timeout_s = params.duration_s("timeout", default_timeout_s(endpoint.task))
        updated = actions.update_endpoint(endpoint, changes, timeout_s)
        return self.answer(updated.to_response())

    post = put


class ServicesView(ElasticView):
    def get(self, request: UserRequest, task_type: str | None = None) -> HttpResponse:
        require(request.user, Action.SERVICES)
        self.params(request)
        task = task_in(task_type)
        services = sorted(SERVICES.values(), key=lambda service: service.name)
        return self.answer(
            [
                service.to_catalogue()
                for service in services
                if service.is_listed and (task is None or task in service.task_settings)
            ]
        )


class ChunkView(ElasticView):
    """How a text would be cut before it is embedded; nothing is embedded here."""

    def post(self, request: UserRequest) -> HttpResponse:
        require(request.user, Action.CHUNK)
        self.params(request)
        body = parse(ChunkBody, request)
        spans = chunk(body.input, parse_chunking(body.chunking_settings))
        return self.answer(
            {
                "chunks": [
                    {"start_offset": span.start, "end_offset": span.end, "text": text}
                    for span, text in zip(spans, chunk_texts(body.input, spans), strict=True)
                ]
            }
        )


class StreamView(ElasticView):
    """Streams of an endpoint; a refusal is an event too. The hosted models answer all at once."""

    def post(
        self, request: UserRequest, inference_id: str, task_type: str | None = None
    ) -> HttpResponseBase:
        endpoint, call, timeout_s = asked(self, request, inference_id, task_type)
        streaming = calls.stream_inference(endpoint, call, timeout_s, request.user)
        # The thread is the stream's for as long as it lasts; the database is not.
        if not connection.in_atomic_block:
            connection.close()
        return StreamingHttpResponse(
            as_events(streaming, is_chat=self.is_chat),
            content_type=EVENT_STREAM,
            headers=UNBUFFERED,
        )

    def answer(self, data: Any, status: int = 200) -> HttpResponse:
        return HttpResponse(event("error", data), status=status, content_type=EVENT_STREAM)


def known(user: User, inference_id: str) -> Endpoint | None:
    """The endpoint, if there is one; whether there has to be is asked after the body is read."""
    try:
        return endpoint_to_call(user, inference_id)
    except NotFound:
        return None


def asked(
    view: ElasticView, request: UserRequest, inference_id: str, task_type: str | None
) -> tuple[Endpoint, InferenceRequest | ChatRequest, float]:
    """The endpoint that a call is for, the call, and the seconds that it may take.

    Where the path leaves the task open, the endpoint says how the body is to be read.
    """
    require(request.user, Action.INFER)
    params, task = view.params(request), task_in(task_type)
    endpoint = known(request.user, inference_id) if task is None else None
    view.is_chat = TaskType.CHAT_COMPLETION in (task, endpoint and endpoint.task)
    body: ChatBody | InferenceBody
    call: ChatRequest | InferenceRequest
    if view.is_chat:
        body = parse(ChatBody, request)
        call = body.to_request()
    else:
        is_embedding = TaskType.EMBEDDING in (task, endpoint and endpoint.task)
        body = parse(EmbeddingBody if is_embedding else InferenceBody, request)
        call = body.to_request(task)
    endpoint = endpoint or endpoint_to_call(request.user, inference_id, task)
    default_s = default_timeout_s(endpoint.task)
    if body.timeout is not None:
        default_s = parse_duration_s(body.timeout, "timeout")
    return endpoint, call, params.duration_s("timeout", default_s)


def prove(actor: User, endpoint: Endpoint, timeout_s: float) -> None:
    """Wait for a new endpoint and call it once; one that cannot work is taken back.

    When only the time ran out, the endpoint stays and goes on starting.
    """
    try:
        left_s = hosting.wait_until_started(endpoint.deployment_id, timeout_s)
        actions.note_dimensions(actor, endpoint, calls.probe(endpoint, left_s))
    except DeploymentTimedOut:
        raise
    except TimedOut as exc:
        raise DeploymentTimedOut(
            f"Timed out waiting for inference endpoint [{endpoint.inference_id}] to answer. It "
            "stays: use the trained model stats API to follow its deployment, and retry"
        ) from exc
    except InferenceError as exc:
        actions.take_back(endpoint, str(exc))
        raise


class ClusterView(ElasticView):
    def get(self, request: UserRequest) -> HttpResponse:
        self.params(request)
        return self.answer(cluster_info())


class UnknownRouteView(ElasticView):
    """Whatever no route knows. Authentication comes first, as in Elasticsearch."""

    schema = None  # nothing that a description of the API could name

    def handle(self, request: UserRequest, **_: Any) -> HttpResponse:
        reason = (
            f"no handler found for uri [{request.get_full_path()}] and method [{request.method}]"
        )
        return self.answer({"error": reason}, 400)

    get = put = post = delete = patch = handle
