from collections.abc import Callable
from pathlib import Path

import pytest

from inference.runner.graph import build_graph
from inference.runner.outputs import Output
from tests.inference.runner.checkpoints import write_checkpoint
from tests.tiny import write_tiny_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that can be loaded in no time."""
    return write_tiny_model(tmp_path / "tiny")


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[[Output], Path]:
    """A tiny model whose graph gives this."""

    def make(output: Output) -> Path:
        if output == Output.STATES:
            return write_tiny_model(tmp_path / output)
        folder = write_checkpoint(tmp_path / output, "bert", output)
        build_graph(folder, output)
        return folder

    return make
