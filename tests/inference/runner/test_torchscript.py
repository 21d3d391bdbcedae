"""TorchScript networks: `pytest -m extra`, where the `torch` extra is installed.

What is said where it is not is tested always.
"""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import UnsupportedModel
from inference.nlp_config import Kind
from inference.runner.definition import DEFINITION_FILE
from inference.runner.foreign import PaddedBatch, TorchNetwork, load_network
from tests.endpoints.api.trained_models.uploading import torchscript

needs_torch = pytest.mark.extra
# PyTorch tells of its own plans for tracing.
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / DEFINITION_FILE).write_bytes(torchscript())
    return tmp_path


def test_the_extra_is_named_where_it_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(UnsupportedModel, match=r"extra \[torch\].*pip install"):
        load_network(folder, Kind.TEXT_EMBEDDING, threads=1)


@needs_torch
@quiet
def test_an_archive_that_is_not_whole_is_refused(folder: Path) -> None:
    with pytest.raises(UnsupportedModel, match="cannot be loaded"):
        load_network(folder, Kind.TEXT_EMBEDDING, threads=1)


def batch() -> PaddedBatch:
    ids = np.array([[5, 6, 7], [8, 9, 0]])
    mask = np.array([[1, 1, 1], [1, 1, 0]])
    return PaddedBatch(ids, mask, np.zeros_like(ids), np.array([[0, 1, 2]] * 2))


def traced(folder: Path, inputs: int, answers: bool = False) -> Path:
    """A network of this many inputs that adds them up, and takes the last from the first."""
    import torch

    class Sum(torch.nn.Module):  # type: ignore[misc]  # it has no types without the extra
        def forward(self, *tensors: Any) -> Any:
            rows = torch.stack(tensors).float()
            total, last = rows.sum(0), rows[0] - rows[-1]
            return torch.stack([total, last]) if answers else (total, last)

    example = tuple(torch.ones((1, 2), dtype=torch.int64) for _ in range(inputs))
    torch.jit.trace(Sum(), example).save(str(folder / DEFINITION_FILE))
    return folder / DEFINITION_FILE


@needs_torch
@quiet
@pytest.mark.parametrize("inputs", [2, 4])
def test_a_network_is_given_as_many_inputs_as_it_takes(folder: Path, inputs: int) -> None:
    network = TorchNetwork(traced(folder, inputs), Kind.TEXT_EMBEDDING, threads=1)

    given = batch()
    sums = given.input_ids + given.attention_mask
    if inputs == 4:
        sums = sums + given.position_ids
    np.testing.assert_allclose(network.run(given), sums)


@needs_torch
@quiet
def test_the_rows_of_an_answer_stand_behind_the_batch(folder: Path) -> None:
    network = TorchNetwork(traced(folder, 2, answers=True), Kind.QUESTION_ANSWERING, threads=1)

    output = network.run(batch())

    assert output.shape == (2, 2, 3)
    np.testing.assert_allclose(output[1, 0], [9, 10, 0])
    np.testing.assert_allclose(output[1, 1], [7, 8, 0])


@needs_torch
@quiet
def test_a_network_of_too_many_inputs_is_refused(folder: Path) -> None:
    with pytest.raises(UnsupportedModel, match="takes 5 inputs"):
        TorchNetwork(traced(folder, 5), Kind.TEXT_EMBEDDING, threads=1)
