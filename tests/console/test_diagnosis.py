"""The diagnosis of an endpoint, on a page that is sent while it is made."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from console.pages import diagnosis
from endpoints import providers
from endpoints.actions import create_endpoint
from endpoints.models import Heartbeat, User
from inference.findings import Step, StepName, failed, ok
from inference.sandbox import make_sandbox
from inference.sandbox.server import SandboxServer, serving
from inference.types import TaskType
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap
from tests.console.conftest import FakeHosts, text, vectors
from tests.factories import make_endpoint

PAGE = "/console/endpoints/my-endpoint/diagnose"
SECRET = "sk-planted-secret"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, admin: User) -> Iterator[SandboxServer]:
    """The provider of an endpoint; what made it is forgotten."""
    with serving(make_sandbox()) as server:
        outside = Outside(OriginMap(server.sandbox.origin_map(server.place)))
        with closing(Door(outside)) as door:
            monkeypatch.setattr(providers, "door", lambda: door)
            settings = {"api_key": SECRET, "model_id": "gpt-4o"}
            create_endpoint(
                admin, "my-endpoint", TaskType.COMPLETION, "openai", {"service_settings": settings}
            )
            server.sandbox.seen["openai"].clear()
            yield server


def streamed(answer: Any) -> str:
    assert isinstance(answer, StreamingHttpResponse)
    return " ".join(b"".join(answer).decode().split())


def test_the_page_says_what_it_does_before_it_does_it(
    console: Client, server: SandboxServer
) -> None:
    page = text(console.get(PAGE))

    assert "the way to OpenAI" in page
    assert "Also make one real call, which the provider may bill" in page
    assert "Step by step" not in page
    assert not server.sandbox.seen["openai"]


def test_every_step_is_shown_and_the_secret_is_not(console: Client, server: SandboxServer) -> None:
    page = streamed(console.post(PAGE))

    for label in ("Address", "Name lookup", "Connection", "Encryption", "Credentials", "Model"):
        assert f"<h3> {label} <" in page
    assert "The provider lists [gpt-4o]." in page
    assert "Not made, because the provider may bill it." in page
    assert "Nothing fails of what was looked at." in page
    assert page.endswith("</html>")
    assert SECRET not in page
    assert [asked.method for asked in server.sandbox.seen["openai"]] == ["GET"]


def test_a_real_call_is_made_when_the_box_is_ticked(console: Client, server: SandboxServer) -> None:
    page = streamed(console.post(PAGE, {"paid_call": "true"}))

    assert "The provider answered with a text." in page
    assert 'value="true" checked' in page
    assert [asked.method for asked in server.sandbox.seen["openai"]] == ["GET", "POST"]


def test_what_fails_is_told_with_what_to_do(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint()
    steps = [
        Step(StepName.MODEL, failed("It is <gone>.", "Bring it back.")),
        Step(StepName.RUNNER, failed("Nobody is there.", "Look again.")),
    ]
    monkeypatch.setattr(diagnosis, "diagnose", lambda *args, **kwargs: iter(steps))

    page = streamed(console.post(PAGE))

    assert "It is &lt;gone&gt;." in page
    assert "<strong>What to do:</strong> Bring it back." in page
    assert "<strong>Model</strong> and <strong>Runner</strong> fail." in page


def test_a_step_is_sent_as_soon_as_it_is_known(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint()
    known: list[StepName] = []

    def steps(*args: object, **kwargs: object) -> Iterator[Step]:
        for name in (StepName.MODEL, StepName.DEPLOYMENT):
            known.append(name)
            yield Step(name, ok("Fine."))

    monkeypatch.setattr(diagnosis, "diagnose", steps)
    answer: Any = console.post(PAGE)
    pieces = iter(answer)

    assert b"Step by step" in next(pieces)
    assert not known
    assert b"Model" in next(pieces)
    assert known == [StepName.MODEL]
    assert len(list(pieces)) == 2


def test_a_fault_of_our_own_ends_the_page_in_order(
    console: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_endpoint()

    def steps(*args: object, **kwargs: object) -> Iterator[Step]:
        yield Step(StepName.MODEL, ok("Fine."))
        raise RuntimeError("boom")

    monkeypatch.setattr(diagnosis, "diagnose", steps)
    page = streamed(console.post(PAGE))

    assert "Something went wrong on our side" in page
    assert "Nothing fails" not in page
    assert "boom" not in page
    assert page.endswith("</html>")
    assert "boom" in caplog.text


def test_a_model_that_runs_here_needs_no_consent(console: Client, hosts: FakeHosts) -> None:
    hosts.says = vectors([0.6, 0.8])
    make_endpoint()
    Heartbeat.objects.create(part="runner", instance="runner@here", seen_at=timezone.now())

    assert "may bill" not in text(console.get(PAGE))
    assert "The model answered with a vector of 2 dimensions." in streamed(console.post(PAGE))


def test_the_page_of_an_endpoint_leads_here_for_who_may(
    console: Client, client: Client, admin: User
) -> None:
    make_endpoint()
    client.force_login(User.objects.create_user("bob", roles=["inference_user"]))

    assert f'href="{PAGE}"' in text(console.get("/console/endpoints/my-endpoint"))
    assert f'href="{PAGE}"' not in text(client.get("/console/endpoints/my-endpoint"))
    assert client.post(PAGE).status_code == 403
