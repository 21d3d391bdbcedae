"""People at the console, and a model host that answers as told."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pytest
from django.test import Client

from endpoints import audit, hosting, tasks, teams, usage
from endpoints.audit import Who
from endpoints.models import CallerDay, Endpoint, Team, TeamRole, User
from endpoints.scanning import scan_cluster
from inference.runner.protocol import HostReply, HostRequest
from tests.elastic import Elastic, semantic
from tests.factories import make_admin, make_cluster, make_endpoint, make_index, make_user
from tests.sandboxed import door, sandbox

__all__ = ["door", "sandbox"]

HTMX = {"HX-Request": "true"}


@dataclass
class FakeHosts:
    """Notes what was asked; answers with `says`, or fails with `raises`."""

    says: Callable[[HostRequest], HostReply] = lambda request: HostReply()
    raises: Exception | None = None
    asked: list[HostRequest] = field(default_factory=list)

    def call(self, deployment_id: str, request: HostRequest) -> HostReply:
        self.asked.append(request)
        if self.raises:
            raise self.raises
        return self.says(request)


def vectors(*rows: list[float]) -> Callable[[HostRequest], HostReply]:
    return lambda request: HostReply(vectors=np.array(rows, np.float32))


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> FakeHosts:
    fake = FakeHosts()
    monkeypatch.setattr(hosting, "hosts", lambda: fake)
    return fake


@pytest.fixture
def admin(db: None) -> User:
    return make_admin()


@dataclass
class Worker:
    """Scans clusters. Does what it was asked when the test says so. asked: as the tasks had it."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def works(self) -> None:
        for args in self.asked:
            tasks.scan_wanted(*args)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, admin: User) -> Iterator[Worker]:
    worker = Worker()
    monkeypatch.setattr(
        tasks.scan_wanted, "delay_on_commit", lambda *args: worker.asked.append(args)
    )
    with audit.acting(Who.of(admin, "")):
        yield worker


def called_with() -> set[str]:
    """What endpoints were called with, by the ids of keys."""
    usage.counter.flush()
    return set(CallerDay.objects.values_list("key_id", flat=True))


def browser_of(user: User, signed_in_ago_s: float = 0.0) -> Client:
    """A browser in which somebody signed in with their password."""
    client = Client()
    client.force_login(user)
    session = client.session
    proof = {"method": "password", "at": time.time() - signed_in_ago_s}
    session["account_authentication_methods"] = [proof]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


@pytest.fixture
def console(admin: User) -> Client:
    """The browser of an administrator who is signed in."""
    return browser_of(admin)


@pytest.fixture
def plain(db: None) -> Client:
    """The browser of somebody without any rights."""
    return browser_of(make_user())


@pytest.fixture
def search(db: None) -> Team:
    return teams.create_team("search", "All about <search>.")


@pytest.fixture
def other(db: None) -> Team:
    return teams.create_team("other")


@pytest.fixture
def endpoint(search: Team) -> Endpoint:
    return of_team(search, "my-endpoint")


def of_team(team: Team, inference_id: str) -> Endpoint:
    made = make_endpoint(inference_id)
    made.team = team
    made.save()
    return made


def member(team: Team, role: TeamRole, name: str = "somebody") -> Client:
    """The browser of somebody with this role in a team."""
    user = User.objects.filter(username=name).first() or make_user(name)
    teams.put_member(team, user, role)
    return browser_of(user)


@pytest.fixture
def boss(search: Team) -> Client:
    return member(search, TeamRole.TEAM_ADMIN, "boss")


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


# What every page has beside its own, and what stands around the words of a moment.
SHELL = re.compile(r'<dialog class="palette".*</dialog>|</?time[^>]*>', re.DOTALL)


def text(response: Answer) -> str:
    """A page as one line, so that a test need not know where its lines break."""
    return " ".join(SHELL.sub("", response.content.decode()).split())


@pytest.fixture
def used(db: None, elastic: Elastic) -> None:
    """An endpoint that an index here, and one of a cluster, name."""
    make_endpoint()
    make_index("docs", "my-endpoint")
    elastic.indexes = {"docs": semantic("my-endpoint")}
    scan_cluster(make_cluster(url=elastic.url).pk)
