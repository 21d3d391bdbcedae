"""Every service of a provider can be diagnosed, against the sandbox on this machine."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from endpoints import providers
from inference.findings import Step
from inference.sandbox import make_sandbox
from inference.sandbox.server import SandboxServer, serving
from inference.services import SERVICES
from inference.services.remote import RemoteService
from inference.upstream.diagnosis import Diagnosis
from inference.upstream.door import Door, Outside
from inference.upstream.mapping import OriginMap
from tests.endpoints.services.cases import Case, cases_of

REMOTE = {name: one for name, one in SERVICES.items() if isinstance(one, RemoteService)}
CASES = [case for name, one in REMOTE.items() if one.is_proved for case in cases_of(name)]
PLANTED = "planted"

each = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with serving(make_sandbox()) as server:
        yield server


@pytest.fixture(scope="module")
def outside(server: SandboxServer) -> Outside:
    return Outside(OriginMap(server.sandbox.origin_map(server.place)))


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch, outside: Outside) -> Iterator[Door]:
    with closing(Door(outside, wait=lambda seconds: None)) as opened:
        monkeypatch.setattr(providers, "door", lambda: opened)
        yield opened


def diagnosed(case: Case, **settings: object) -> dict[str, Step]:
    """The steps, a real call among them, after a look that none tells a secret."""
    config = REMOTE[case.service].parse(
        case.task_type,
        {
            "service_settings": case.service_settings | settings,
            "task_settings": case.task_settings,
        },
    )
    line, probe = providers.line_for("my-endpoint", config), providers.probe_of(case.task_type)
    steps = list(Diagnosis(line, probe, 30, may_cost=True).steps())
    assert PLANTED not in str(steps)
    return {str(step.name): step for step in steps}


@each
def test_what_works_is_found_to_work(case: Case) -> None:
    steps = diagnosed(case)

    # A sandbox does not list every model that its cases name.
    failed = [step for name, step in steps.items() if step.is_failed and name != "model"]
    assert not failed
    assert steps["call"].finding.outcome == "ok"


@each
def test_wrong_credentials_are_found(case: Case) -> None:
    steps = diagnosed(case, **case.wrong_secrets)

    failed = [steps[name] for name in ("credentials", "call") if steps[name].is_failed]
    assert failed
    assert all(step.finding.what_to_do for step in failed)
