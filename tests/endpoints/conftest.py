"""A world in which models load at once: fake hosts, and a clock that moves things along."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest
from django.http import HttpResponse
from django.test import Client

from endpoints import actions, hosting, teams
from endpoints.models import (
    Artifact,
    ArtifactState,
    Deployment,
    DeploymentState,
    Endpoint,
    Team,
    TeamRole,
    User,
)
from inference.runner.client import HostUnreachable
from inference.runner.protocol import HostReply, HostRequest
from inference.types import Truncation
from tests.factories import make_endpoint, make_user

PASSWORD = "correct horse battery"
SETTINGS = {"num_allocations": 1, "num_threads": 1, "model_id": ".all-minilm-l6-v2"}


@dataclass
class FakeHosts:
    """Answers like a host of each task; notes what was asked. Not reachable while `down`.

    cut_off: whose hosts were told to end at once.
    truncated: what of the next texts it says it has cut.
    """

    asked: list[HostRequest] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)
    truncated: dict[int, Truncation] = field(default_factory=dict)
    down: bool = False
    raises: Exception | None = None

    def call(self, deployment_id: str, request: HostRequest) -> HostReply:
        return replace(self.answer(deployment_id, request), truncated=self.truncated)

    def end(self, deployment_id: str) -> None:
        self.cut_off.append(deployment_id)

    def answer(self, deployment_id: str, request: HostRequest) -> HostReply:
        self.asked.append(request)
        if self.raises:
            raise self.raises
        deployment = Deployment.objects.with_files().filter(deployment_id=deployment_id).first()
        if self.down or deployment is None or deployment.state != DeploymentState.STARTED:
            raise HostUnreachable(deployment_id)
        if request.query is not None:
            return HostReply(scores=[len(text) / 100 for text in request.texts])
        if deployment.model.task_type == "sparse_embedding":
            count = len(request.texts)
            return HostReply(weights=[{"sky": 1.5, "port": 0.5}] * count)
        return HostReply(vectors=np.array([[len(t), 0.5] for t in request.texts], np.float32))


@dataclass
class World:
    """What happens while somebody waits: each pause takes everything one step further."""

    hosts: FakeHosts
    now: float = 1000.0
    download_fails: str = ""
    load_fails: str = ""
    stands_still: bool = False
    before_step: Callable[[], object] = lambda: None

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.before_step()
        if self.stands_still:
            return
        if self.download_fails:
            Artifact.objects.update(state=ArtifactState.FAILED, reason=self.download_fails)
        elif self.load_fails:
            Deployment.objects.update(state=DeploymentState.FAILED, reason=self.load_fails)
        else:
            Artifact.objects.update(state=ArtifactState.READY)
            Deployment.objects.update(state=DeploymentState.STARTED)


@pytest.fixture
def hosts() -> FakeHosts:
    return FakeHosts()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, hosts: FakeHosts) -> World:
    world = World(hosts)
    monkeypatch.setattr(hosting, "hosts", lambda: hosts)
    monkeypatch.setattr(hosting, "sleep", world.pause)
    monkeypatch.setattr(hosting, "monotonic", lambda: world.now)
    return world


@pytest.fixture
def admin(db: None) -> User:
    return actions.create_administrator("elastic", PASSWORD)


class Api:
    """Calls the API as a client does: JSON in, JSON out, credentials in a header."""

    def __init__(self, authorization: str) -> None:
        self.client = Client()
        self.headers = {"Authorization": authorization} if authorization else {}

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        response = self.client.generic(
            method,
            path,
            data,
            content_type=(headers or {}).get("Content-Type", "application/json"),
            headers=self.headers | (headers or {}),
        )
        return cast(HttpResponse, response)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@pytest.fixture
def api(admin: User, world: World) -> Api:
    return Api(basic("elastic", PASSWORD))


def member(team: Team, role: TeamRole, name: str = "") -> Api:
    """Somebody new with this role in a team."""
    name = name or f"{role}-of-{team}".replace("_", "-")
    teams.put_member(team, make_user(name), role)
    return Api(basic(name, PASSWORD))


@pytest.fixture
def search(db: None) -> Team:
    return teams.create_team("search")


@pytest.fixture
def other(db: None) -> Team:
    return teams.create_team("other")


@pytest.fixture
def endpoint(search: Team) -> Endpoint:
    """An endpoint of the team [search]."""
    made = make_endpoint()
    Endpoint.objects.filter(pk=made.pk).update(team=search)
    made.refresh_from_db()
    return made


def told(response: HttpResponse) -> Any:
    """The body of an answer."""
    return json.loads(response.content)


def refused(response: HttpResponse) -> tuple[int, str]:
    """Status and error type of a refusal, after a look at the envelope around them."""
    body = told(response)
    error = body["error"]
    assert body["status"] == response.status_code
    assert error["reason"]
    assert error["root_cause"][0]["type"] == error["type"]
    assert error["root_cause"][0]["reason"] == error["reason"]
    return response.status_code, error["type"]
