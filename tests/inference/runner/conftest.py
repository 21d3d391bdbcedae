from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.runner.sources import SourceSettings
from tests.inference.runner.fetching import PUBLISHED, Fetching
from tests.inference.runner.hub import Hub, running_hub


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
