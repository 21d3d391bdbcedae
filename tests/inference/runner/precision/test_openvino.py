"""The optional engine: `pytest -m extra`, where the `openvino` extra is installed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inference.runner.packing import pack
from inference.runner.precision.engines import open_encoder
from inference.runner.tokenizer import TokenizedText
from tests.inference.runner.precision.test_int8 import cosines, run, some_rows

pytestmark = pytest.mark.extra


def test_it_gives_nearly_the_states_of_full_precision(folder: Path) -> None:
    row = some_rows(2, count=1)[0]

    assert cosines(run(folder, "fp32", row), run(folder, "bf16", row)).min() > 0.999


def test_texts_in_one_row_do_not_see_each_other(folder: Path) -> None:
    encoder = open_encoder(folder, "bf16", threads=1)
    row = some_rows(3, count=1)[0]
    start, end = row.starts[1], row.starts[2]

    alone = encoder.run(pack([TokenizedText(row.ids[0, start:end])]))
    packed = encoder.run(row)[:, start:end]

    assert cosines(alone, packed).min() > 0.999


def test_several_threads_call_it_at_once(folder: Path) -> None:
    encoder = open_encoder(folder, "bf16", threads=1)
    rows = some_rows(4, count=40)
    one_by_one = [encoder.run(row) for row in rows]

    with ThreadPoolExecutor(4) as pool:
        at_once = pool.map(encoder.run, rows)

    for a, b in zip(one_by_one, at_once, strict=True):
        np.testing.assert_array_equal(a, b)
