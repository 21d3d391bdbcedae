from pathlib import Path

import pytest

from tests.tiny import write_tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that can be loaded in no time."""
    return write_tiny_model(tmp_path / "tiny")
