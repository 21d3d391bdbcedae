"""The diagnosis of an endpoint, on the wire: of a provider, and of a model that runs here."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.utils import timezone

from endpoints import providers
from endpoints.models import (
    Artifact,
    ArtifactState,
    Deployment,
    DeploymentState,
    Endpoint,
    Heartbeat,
    User,
)
from inference.runner.client import HostFailed
from inference.sandbox import make_sandbox
from inference.sandbox.server import SandboxServer, serving
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap
from tests.endpoints.conftest import PASSWORD, SETTINGS, Api, World, basic, refused, told

PATH = "/_console/endpoints/e1/diagnose"
SECRET = "sk-planted-secret"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A provider on this machine, which every call goes to."""
    with serving(make_sandbox()) as server:
        outside = Outside(OriginMap(server.sandbox.origin_map(server.place)))
        with closing(Door(outside, wait=lambda seconds: None)) as door:
            monkeypatch.setattr(providers, "door", lambda: door)
            yield server


@pytest.fixture
def provided(api: Api, server: SandboxServer) -> SandboxServer:
    """The provider of an endpoint; what made it is forgotten."""
    settings = {"api_key": SECRET, "model_id": "text-embedding-3-small"}
    body = {"service": "openai", "service_settings": settings}
    assert api("PUT", "/_inference/text_embedding/e1", body).status_code == 200
    server.sandbox.seen["openai"].clear()
    return server


@pytest.fixture
def hosted(api: Api, world: World) -> None:
    body = {"service": "elasticsearch", "service_settings": SETTINGS}
    assert api("PUT", "/_inference/text_embedding/e1", body).status_code == 200
    world.hosts.asked.clear()
    Heartbeat.objects.create(part="runner", instance="runner@here", seen_at=timezone.now())


def results(body: Any) -> dict[str, str]:
    return {step["step"]: step["result"] for step in body["steps"]}


def step_of(body: Any, name: str) -> Any:
    return next(step for step in body["steps"] if step["step"] == name)


def test_an_endpoint_of_a_provider_is_diagnosed_without_cost(
    api: Api, provided: SandboxServer
) -> None:
    answer = api("POST", PATH)

    assert answer.status_code == 200
    body = told(answer)
    assert (body["inference_id"], body["result"]) == ("e1", "ok")
    assert list(results(body)) == [
        "route", "dns", "connection", "tls", "credentials", "model", "task", "call", "quota",
    ]  # fmt: skip
    assert all(step["message"] and step["took_in_millis"] >= 0 for step in body["steps"])
    assert SECRET not in answer.content.decode()
    assert [asked.method for asked in provided.sandbox.seen["openai"]] == ["GET"]


def test_a_real_call_is_made_with_consent_alone(api: Api, provided: SandboxServer) -> None:
    assert results(told(api("POST", PATH, {"paid_call": False})))["call"] == "skipped"
    assert results(told(api("POST", PATH, {"paid_call": True})))["call"] == "ok"

    methods = [asked.method for asked in provided.sandbox.seen["openai"]]
    assert methods == ["GET", "GET", "POST"]


def test_what_fails_comes_with_what_to_do(api: Api, provided: SandboxServer) -> None:
    endpoint = Endpoint.objects.get()
    endpoint.service_settings["model_id"] = "text-embedding-3-smal"
    endpoint.save()

    body = told(api("POST", PATH))

    assert body["result"] == "failed"
    assert "[text-embedding-3-small]" in step_of(body, "model")["message"]
    assert step_of(body, "model")["what_to_do"]


def test_credentials_that_cannot_be_opened_are_told(api: Api, provided: SandboxServer) -> None:
    Endpoint.objects.update(encrypted_secrets="gAAAAAnonsense")

    body = told(api("POST", PATH))

    assert results(body) == {"credentials": "failed"}
    assert "CONSOLE_SECRET_KEYS" in step_of(body, "credentials")["message"]


def test_the_time_can_be_limited(api: Api, provided: SandboxServer) -> None:
    body = told(api("POST", f"{PATH}?timeout=0"))

    assert results(body)["dns"] == "failed"
    assert not provided.sandbox.seen["openai"]


@pytest.mark.usefixtures("hosted")
def test_a_model_that_runs_here_is_called_once_without_cost(api: Api, world: World) -> None:
    body = told(api("POST", PATH))

    assert body["result"] == "ok"
    assert results(body) == {"model": "ok", "deployment": "ok", "runner": "ok", "call": "ok"}
    assert "a vector of 2 dimensions" in step_of(body, "call")["message"]
    assert len(world.hosts.asked) == 1


@pytest.mark.usefixtures("hosted")
def test_files_that_are_not_here_are_told(api: Api, world: World) -> None:
    Artifact.objects.update(state=ArtifactState.FAILED, reason="The mirror is gone.")

    body = told(api("POST", PATH))

    assert results(body)["model"] == "failed"
    assert "The mirror is gone." in step_of(body, "model")["message"]
    assert "CONSOLE_MODEL_MIRROR" in step_of(body, "model")["what_to_do"]
    assert set(list(results(body).values())[1:]) == {"skipped"}
    assert not world.hosts.asked


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize(
    ("state", "reason", "advice"),
    [(DeploymentState.FAILED, "out of memory", "log"), (DeploymentState.STARTING, "", "Wait")],
)
def test_a_deployment_that_does_not_run_is_told(
    api: Api, state: DeploymentState, reason: str, advice: str
) -> None:
    Deployment.objects.update(state=state, reason=reason)

    body = told(api("POST", PATH))

    assert results(body) == {
        "model": "ok",
        "deployment": "failed",
        "runner": "skipped",
        "call": "skipped",
    }
    assert reason in step_of(body, "deployment")["message"]
    assert advice in step_of(body, "deployment")["what_to_do"]


@pytest.mark.usefixtures("hosted")
def test_a_runner_that_is_gone_is_told(api: Api) -> None:
    Heartbeat.objects.all().delete()

    body = told(api("POST", PATH))

    assert results(body)["runner"] == "failed"
    assert results(body)["call"] == "skipped"


@pytest.mark.usefixtures("hosted")
def test_a_model_that_fails_is_told(api: Api, world: World) -> None:
    world.hosts.raises = HostFailed("Deployment [e1] failed: no numbers")

    body = told(api("POST", PATH))

    assert results(body)["call"] == "failed"
    assert "no numbers" in step_of(body, "call")["message"]


@pytest.mark.usefixtures("hosted")
def test_what_rests_is_not_woken(api: Api, world: World) -> None:
    Deployment.objects.update(num_allocations=0)

    body = told(api("POST", PATH))

    assert body["result"] == "ok"
    assert results(body)["call"] == "skipped"
    assert Deployment.objects.get().num_allocations == 0
    assert not world.hosts.asked


def test_an_endpoint_that_is_not_there_is_not_found(api: Api) -> None:
    assert refused(api("POST", PATH)) == (404, "resource_not_found_exception")


@pytest.mark.parametrize("body", [{"paid_call": "yes"}, {"paid": True}, [], b"{"])
def test_a_body_that_says_something_else_is_refused(
    api: Api, provided: SandboxServer, body: Any
) -> None:
    assert refused(api("POST", PATH, body))[0] == 400
    assert not provided.sandbox.seen["openai"]


def test_who_may_only_use_endpoints_may_not_diagnose_them(
    api: Api, provided: SandboxServer
) -> None:
    user = User.objects.create_user("bob", password=PASSWORD, roles=["inference_user"])
    bob = Api(basic(user.username, PASSWORD))

    assert refused(bob("POST", PATH)) == (403, "security_exception")
    assert refused(Api("")("POST", PATH)) == (401, "security_exception")
    assert not provided.sandbox.seen["openai"]
