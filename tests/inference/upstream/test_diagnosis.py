"""What a diagnosis finds on the way to a provider, each failure against this machine itself."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inference.findings import Outcome, StepName
from inference.sandbox import make_sandbox
from inference.sandbox.app import Fault, Sandbox
from inference.sandbox.openai import OpenAISandbox
from inference.sandbox.provider import Asked, Refused, Told
from inference.sandbox.server import SandboxServer, self_signed, serving, serving_untrusted
from inference.types import InferenceRequest, TaskType
from inference.upstream.auth import TokenAuth
from inference.upstream.deadline import Deadline
from inference.upstream.diagnosis import Diagnosis
from inference.upstream.door import Outside
from inference.upstream.pool import Way
from tests.inference.upstream.diagnosing import (
    OPENAI,
    SECRET,
    certificate_in,
    diagnosed,
    encrypted,
    line,
    mapped,
    stored_with,
)
from tests.inference.upstream.proxying import proxying

OAUTH: dict[str, Any] = {
    "api_key": None,
    "client_id": "me",
    "client_secret": SECRET,
    "scopes": ["all"],
    "token_url": "https://openai-auth.sandbox.test/token",
}


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with serving(make_sandbox()) as server:
        yield server


@pytest.fixture
def closed_port() -> int:
    """Where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_way_that_works_is_told_step_by_step(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place)))

    assert {name: found.outcome(name) for name in found.steps} == {
        "route": "ok",
        "dns": "ok",
        "connection": "ok",
        "tls": "skipped",
        "credentials": "ok",
        "model": "ok",
        "task": "ok",
        "call": "skipped",
        "quota": "skipped",
    }
    assert "CONSOLE_UPSTREAM_MAP" in found.told("route")
    assert f"{OPENAI}/v1/embeddings" in found.told("route")
    assert "127.0.0.1" in found.told("dns")
    assert "2 models" in found.told("credentials")


def test_nothing_that_costs_is_called_without_consent(server: SandboxServer) -> None:
    diagnosed(line(mapped(server.place)))

    assert [asked.method for asked in server.sandbox.seen["openai"]] == ["GET"]


@pytest.mark.parametrize(
    ("task_type", "answer"),
    [
        (TaskType.TEXT_EMBEDDING, "a vector of 8 dimensions"),
        (TaskType.COMPLETION, "a text"),
        (TaskType.CHAT_COMPLETION, "a text"),
    ],
)
def test_with_consent_one_real_call_is_made(
    server: SandboxServer, task_type: TaskType, answer: str
) -> None:
    found = diagnosed(line(mapped(server.place), task_type), may_cost=True)

    assert found.outcome("call") == "ok"
    assert answer in found.told("call")
    assert [asked.method for asked in server.sandbox.seen["openai"]] == ["GET", "POST"]


def test_steps_come_one_by_one(server: SandboxServer) -> None:
    made = line(mapped(server.place))
    with (
        closing(made.door),
        closing(Diagnosis(made, InferenceRequest(("a",)), 10).steps()) as steps,
    ):
        names = [next(steps).name for _ in range(3)]

        assert names == [StepName.ROUTE, StepName.DNS, StepName.CONNECTION]
        assert not server.sandbox.seen["openai"]


# ---------------------------------------------------------------------- the way there


@pytest.mark.parametrize("url", ["nowhere", "ftp://host/v1", "https:///v1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    found = diagnosed(stored_with(url))

    assert found.failed == ["route"]
    assert len(found.skipped_after) == 8


def test_an_address_is_told_without_what_may_be_secret_in_it() -> None:
    found = diagnosed(stored_with("http://me:planted@127.0.0.1/v1?key=planted#planted"))

    assert "[http://127.0.0.1/v1]" in found.told("route")
    assert "planted" not in str(found.steps)


def test_a_private_address_is_refused_before_anything_is_sent(server: SandboxServer) -> None:
    found = diagnosed(line(Outside(), url=f"{server.place}/openai/v1/embeddings"), may_cost=True)

    assert found.failed == ["dns"]
    assert "[127.0.0.1] must not be called: The provider's address is private." in found.told("dns")
    assert "CONSOLE_PRIVATE_UPSTREAMS" in found.advice("dns")
    assert len(found.skipped_after) == 7
    assert not server.sandbox.seen["openai"]


def test_a_link_local_address_is_refused_in_any_case() -> None:
    found = diagnosed(line(Outside(allows_private=True), url="http://169.254.169.254/v1"))

    assert found.failed == ["dns"]
    assert "link-local" in found.told("dns")


def test_a_name_that_nobody_knows_is_told() -> None:
    found = diagnosed(line(Outside(), url="https://no-such-host.invalid/v1"))

    assert found.failed == ["dns"]
    assert "[no-such-host.invalid] cannot be resolved" in found.told("dns")


def test_a_port_where_nothing_listens_is_told(closed_port: int) -> None:
    found = diagnosed(line(mapped(f"http://127.0.0.1:{closed_port}")))

    assert found.failed == ["connection"]
    assert f"[127.0.0.1:{closed_port}]: nothing listens there" in found.told("connection")
    assert "of no use" in found.told("credentials").lower()


def test_without_time_nothing_is_tried(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place)), timeout_s=0)

    assert found.failed == ["dns"]
    assert "longer timeout" in found.advice("dns")


# ---------------------------------------------------------------------- encryption


def test_a_certificate_that_nobody_trusts_is_shown_and_explained() -> None:
    with serving_untrusted(make_sandbox(), "localhost") as server:
        found = diagnosed(line(mapped(encrypted(server))))

    assert found.failed == ["tls"]
    assert "signed by nobody who is trusted here" in found.told("tls")
    assert "CONSOLE_UPSTREAM_CA" in found.advice("tls")
    assert "[ca_certificate]" in found.advice("tls")
    assert found.facts("tls")["issued_by"] == "localhost"
    assert not server.sandbox.seen["openai"]


def test_a_certificate_of_one_s_own_authority_is_trusted_when_it_is_named() -> None:
    pem = self_signed("localhost", timedelta(days=90))
    with serving_untrusted(make_sandbox(), "localhost", pem=pem) as server:
        found = diagnosed(line(mapped(encrypted(server)), ca_certificate=certificate_in(pem)))

    assert found.failed == []
    assert "encrypted with TLS 1.3" in found.told("tls")
    assert "for another 89 days" in found.told("tls")
    assert found.facts("tls")["valid_for"] == "localhost"


def test_a_certificate_that_soon_expires_is_warned_of() -> None:
    pem = self_signed("localhost", timedelta(days=13))
    with serving_untrusted(make_sandbox(), "localhost", pem=pem) as server:
        outside = mapped(encrypted(server), way=Way(ca=certificate_in(pem)))
        found = diagnosed(line(outside))

    assert found.outcome("tls") == "ok"
    assert found.steps["tls"].is_warning
    assert "renew" in found.advice("tls")


@pytest.mark.parametrize(
    ("name", "days", "words"),
    [("localhost", -1, "has expired"), ("elsewhere.example", 90, "is for other hosts")],
)
def test_what_is_wrong_with_a_trusted_certificate_is_told(name: str, days: int, words: str) -> None:
    pem = self_signed(name, timedelta(days=days))
    with serving_untrusted(make_sandbox(), "localhost", pem=pem) as server:
        found = diagnosed(line(mapped(encrypted(server)), ca_certificate=certificate_in(pem)))

    assert found.failed == ["tls"]
    assert words in found.told("tls")
    assert found.facts("tls")["valid_for"] == name


def test_a_server_that_does_not_encrypt_is_told(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place.replace("http:", "https:"))))

    assert found.failed == ["tls"]
    assert "http://" in found.advice("tls")
    assert not found.facts("tls")


def test_an_authority_that_cannot_be_read_is_told() -> None:
    with serving_untrusted(make_sandbox(), "localhost") as server:
        found = diagnosed(line(mapped(encrypted(server), way=Way(ca="no certificate"))))

    assert found.failed == ["tls"]
    assert "PEM" in found.advice("tls")


# ---------------------------------------------------------------------- proxies


def test_a_proxy_is_gone_through_and_looks_up_the_name() -> None:
    pem = self_signed("localhost", timedelta(days=90))
    credentials = f"me:{SECRET}"
    with ExitStack() as stack:
        server = stack.enter_context(serving_untrusted(make_sandbox(), "localhost", pem=pem))
        proxy = stack.enter_context(proxying(credentials))
        way = Way(f"http://{credentials}@{proxy.place}", certificate_in(pem))
        found = diagnosed(line(mapped(encrypted(server), way=way)))

    assert found.failed == []
    assert f"through the proxy [http://{proxy.place}]" in found.told("route")
    assert found.outcome("dns") == "skipped"
    assert proxy.place in found.told("connection")
    assert found.outcome("tls") == "ok"
    assert set(proxy.asked) == {encrypted(server).removeprefix("https://")}


def test_a_proxy_that_asks_for_credentials_is_told(server: SandboxServer) -> None:
    with proxying("me:other") as proxy:
        way = Way(f"http://me:{SECRET}@{proxy.place}")
        found = diagnosed(line(mapped("https://localhost:1", way=way)))

    assert found.failed == ["connection"]
    assert "status 407" in found.told("connection")


def test_a_proxy_that_is_not_there_is_told(server: SandboxServer, closed_port: int) -> None:
    way = Way(f"http://127.0.0.1:{closed_port}")

    found = diagnosed(line(mapped(server.place, way=way)))

    assert found.failed == ["connection"]
    assert f"the proxy at [127.0.0.1:{closed_port}]: nothing listens" in found.told("connection")


def test_an_endpoint_s_own_proxy_must_not_stand_in_a_private_network(closed_port: int) -> None:
    made = line(mapped("http://sandbox"), proxy=f"http://me:{SECRET}@127.0.0.1:{closed_port}")

    found = diagnosed(made)

    assert found.failed == ["connection"]
    assert "which is the endpoint's own" in found.told("route")
    assert "must not be called" in found.told("connection")


# ---------------------------------------------------------------------- without cost


def test_a_wrong_key_is_told_and_makes_a_call_useless(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place), api_key="sk-wrong"), may_cost=True)

    assert found.failed == ["credentials"]
    assert "does not know the credentials" in found.told("credentials")
    assert "Enter a valid key" in found.advice("credentials")
    assert found.outcome("call") == "skipped"
    assert [asked.method for asked in server.sandbox.seen["openai"]] == ["GET"]


def test_a_key_that_may_not_list_models_may_still_call_one(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place), api_key="sk-forbidden"), may_cost=True)

    assert found.failed == ["credentials", "call"]
    assert "not allowed" in found.told("credentials")
    assert "a real call tells" in found.advice("credentials")
    assert found.outcome("model") == "skipped"


def test_a_key_may_be_refused_as_a_bad_request() -> None:
    class Vague(OpenAISandbox):
        def check_key(self, asked: Asked) -> None:
            raise Refused(400, "API key not valid")

    with serving(Sandbox({"openai": Vague()})) as server:
        found = diagnosed(line(mapped(server.place)))

    assert found.failed == ["credentials"]
    assert "It said: [API key not valid]" in found.told("credentials")
    assert "Enter a valid key" in found.advice("credentials")


def test_a_key_that_the_provider_repeats_is_hidden() -> None:
    class Echoing(OpenAISandbox):
        def check_key(self, asked: Asked) -> None:
            raise Refused(401, f"Incorrect API key provided: {asked.bearer}")

    with serving(Sandbox({"openai": Echoing()})) as server:
        found = diagnosed(line(mapped(server.place)))

    assert "It said: [Incorrect API key provided: …]" in found.told("credentials")


def test_a_token_is_fetched_anew(server: SandboxServer) -> None:
    made = line(mapped(server.place), **OAUTH)
    auth = made.sender.auth
    assert isinstance(auth, TokenAuth)
    made.door.token(auth.grant, made.sender, Deadline.after(5))

    found = diagnosed(made)

    assert found.failed == []
    assert "an OAuth2 access token" in found.told("credentials")
    paths = [asked.path for asked in server.sandbox.seen["openai"]]
    assert paths == ["/token", "/token", "/v1/models"]


def test_a_token_that_is_not_given_makes_a_call_useless(server: SandboxServer) -> None:
    made = line(mapped(server.place), **OAUTH | {"client_secret": "wrong"})

    found = diagnosed(made, may_cost=True)

    assert found.failed == ["credentials"]
    assert found.outcome("call") == "skipped"
    assert [asked.path for asked in server.sandbox.seen["openai"]] == ["/token"]


def test_an_address_of_one_s_own_has_no_list_to_ask_for(server: SandboxServer) -> None:
    url = f"{server.place}/openai/v1/embeddings"

    found = diagnosed(line(Outside(allows_private=True), url=url))

    assert found.failed == []
    assert "Only a real call tells" in found.told("credentials")
    assert found.outcome("model") == "skipped"


def test_something_else_that_answers_is_told(server: SandboxServer) -> None:
    server.sandbox.faults["openai"] = Fault(kind="html")

    found = diagnosed(line(mapped(server.place)))

    assert found.failed == ["credentials"]
    assert "a proxy may have answered" in found.advice("credentials")


def test_a_model_that_is_not_there_is_told_with_those_that_are(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place), model_id="text-embedding-3-smal"))

    assert found.failed == ["model"]
    assert "Close to it: [text-embedding-3-small]" in found.told("model")


def test_a_model_for_another_task_is_told(server: SandboxServer) -> None:
    made = line(mapped(server.place), TaskType.COMPLETION, model_id="text-embedding-3-small")

    found = diagnosed(made)

    assert found.failed == ["task"]
    assert "not for [completion]" in found.told("task")


def test_a_name_that_tells_no_task_is_not_judged(server: SandboxServer) -> None:
    found = diagnosed(line(mapped(server.place), TaskType.COMPLETION))

    assert found.outcome("task") == "skipped"
    assert "when the endpoint was created" in found.told("task")


# ---------------------------------------------------------------------- with cost


def test_a_call_that_fails_is_explained_and_made_once() -> None:
    class Refusing(OpenAISandbox):
        def embed(self, asked: Asked) -> Told:
            raise Refused(
                429, "Slow down", {"Retry-After": "7", "x-ratelimit-limit-requests": "60"}
            )

    with serving(Sandbox({"openai": Refusing()})) as server:
        found = diagnosed(line(mapped(server.place)), may_cost=True)

    assert found.failed == ["call", "quota"]
    assert "rate limit or quota is used up. It said: [Slow down]" in found.told("call")
    assert found.told("quota") == ("The provider asks to wait 7 s. 60 requests are allowed.")
    posts = [asked for asked in server.sandbox.seen["openai"] if asked.method == "POST"]
    assert len(posts) == 1


def test_an_answer_that_is_none_is_told(server: SandboxServer) -> None:
    made = line(mapped(server.place), TaskType.COMPLETION)
    steps = Diagnosis(made, InferenceRequest(("a",)), 10, may_cost=True).steps()
    with closing(made.door), closing(steps):
        for step in steps:
            if step.name == StepName.TASK:
                server.sandbox.faults["openai"] = Fault(kind="bad_json")
            if step.name == StepName.CALL:
                break

    assert step.finding.outcome == Outcome.FAILED
    assert "not what this provider promises" in step.finding.told


def test_what_an_answer_told_of_limits_is_not_forgotten_after_one_that_tells_nothing() -> None:
    class Limited(OpenAISandbox):
        def models(self, asked: Asked) -> Told:
            return replace(super().models(asked), headers={"x-ratelimit-remaining-requests": "0"})

    with serving(Sandbox({"openai": Limited()})) as server:
        found = diagnosed(line(mapped(server.place)), may_cost=True)

    assert found.outcome("call") == "ok"
    assert found.failed == ["quota"]
    assert found.told("quota") == "0 requests are left."
