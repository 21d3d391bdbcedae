from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.runner.client import HostClient
from inference.runner.hosts import LocalRunner
from inference.runner.protocol import socket_path
from inference.runner.sources import SourceSettings
from inference.runner.spec import HostSpec
from inference.types import TaskType
from tests.inference.runner.fetching import PUBLISHED, Fetching
from tests.inference.runner.hub import Hub, running_hub
from tests.inference.runner.running import WINDOW, Clock
from tests.tiny import write_tiny_model


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running server that publishes the small weights."""
    monkeypatch.setenv("NO_PROXY", "*")
    with running_hub() as hub:
        hub.files = dict(PUBLISHED)
        yield hub


@pytest.fixture
def fetching(hub: Hub, tmp_path: Path) -> Fetching:
    return Fetching(tmp_path / "models" / "tiny", SourceSettings(("hub",), hub=hub.url))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def runner() -> Iterator[LocalRunner]:
    runner = LocalRunner()
    yield runner
    runner.stop_all()


@pytest.fixture
def spec(model: Path, tmp_path: Path) -> HostSpec:
    return HostSpec(
        deployment_id="d1",
        task_type=TaskType.TEXT_EMBEDDING,
        model_folder=str(model),
        socket=str(socket_path(tmp_path, "d1")),
        max_input_tokens=WINDOW,
        num_allocations=2,
        num_threads=1,
    )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[HostClient]:
    client = HostClient(tmp_path)
    yield client
    client.close()
