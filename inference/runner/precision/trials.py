"""Making a model's candidates and comparing them with fp32, on the machine that will run them."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from inference.runner.batching import FULL_ROW, Encoder
from inference.runner.layout import is_built_here
from inference.runner.outputs import Output
from inference.runner.packing import PackedRow, pack
from inference.runner.precision.engines import GraphEncoder, graph_of, open_encoder
from inference.runner.precision.gate import Probe, full_rows, nearness
from inference.runner.precision.report import (
    Nearness,
    Precision,
    Report,
    Trial,
    missing_for,
    report_key,
    write_report,
)
from inference.runner.precision.texts import TUNING
from inference.runner.tokenizer import TextTokenizer, TokenizedText
from inference.types import TaskType

SHORT_TEXT, TEXTS_IN_ROW = 8, 4
ROUNDS = 40
ROUND_S = 0.03
CANDIDATES = (Precision.INT8, Precision.MIXED, Precision.BF16)
FIGURE_DECIMALS = 6
OTHER_GRAPH = "the model runs from the graph that came with it"


def try_precisions(folder: Path, task_type: TaskType, max_input_tokens: int) -> Report:
    """Make the candidates, compare them, and keep the report in the folder.

    Takes some seconds of a processor for each layer of the model. Raises what building raises.
    """
    key = report_key(folder)
    full = open_encoder(folder, Precision.FP32, threads=1)
    probe = Probe(folder, task_type, Output(full.output), max_input_tokens)
    obstacle = "" if is_built_here(folder) else OTHER_GRAPH
    if not obstacle:
        build(folder, max_input_tokens)
    missing = {name: obstacle or missing_for(name) for name in CANDIDATES}
    encoders: dict[Precision, GraphEncoder] = {Precision.FP32: full} | {
        name: open_encoder(folder, name, threads=1) for name in CANDIDATES if not missing[name]
    }
    near = compared(probe, encoders)
    seconds = timings(encoders, max_input_tokens)
    trials = []
    for name in (Precision.FP32, *CANDIDATES):
        if name not in encoders:
            trials.append(Trial(precision=name, missing=missing[name]))
            continue
        short_s, row_s = seconds[name]
        trials.append(
            Trial(
                precision=name,
                **rounded(near[name]),
                short_ms=round(1000 * short_s, 3),
                tokens_per_s=round(row_tokens(max_input_tokens) / row_s, 1),
                size_bytes=size_of(graph_of(folder, name)),
            )
        )
    report = Report(task_type, key, tuple(trials), measure=probe.measure)
    write_report(folder, report)
    return report


def rounded(near: Nearness) -> dict[str, Any]:
    """Its figures, with as many decimals as are worth keeping."""
    return {
        name: None if figure is None else round(figure, FIGURE_DECIMALS)
        for name, figure in asdict(near).items()
    }


def size_of(graph: Path) -> int:
    """Bytes of a graph with the weights that stand in another file."""
    import onnx

    model = onnx.load(graph, load_external_data=False)
    elsewhere = [
        int(entry.value)
        for tensor in model.graph.initializer
        for entry in tensor.external_data
        if entry.key == "length"
    ]
    return graph.stat().st_size + sum(elsewhere)


def compared(probe: Probe, encoders: Mapping[Precision, Encoder]) -> dict[Precision, Nearness]:
    """How near each of them is to fp32, which is among them."""
    answers = {name: probe.answers(encoder) for name, encoder in encoders.items()}
    full = answers[Precision.FP32]
    return {name: nearness(probe.measure, full, own) for name, own in answers.items()}


def build(folder: Path, max_input_tokens: int) -> None:
    """Make the files of all candidates, unless they are there."""
    # Imported here, because it brings the tools for graphs, which nobody else needs to load.
    from inference.runner.precision.int8 import build_int8

    texts = TextTokenizer(folder, max_input_tokens).tokenize(TUNING)
    build_int8(folder, [pack(row) for row in full_rows(texts)])


def timings(
    encoders: Mapping[Precision, Encoder], max_input_tokens: int
) -> dict[Precision, tuple[float, float]]:
    """Seconds for one short text and for one full row.

    They take turns, and the best round of each counts: whatever else the machine does can only
    slow one down.
    """
    share = row_tokens(max_input_tokens) // TEXTS_IN_ROW
    rows = (_row([SHORT_TEXT]), _row([share] * TEXTS_IN_ROW))
    found: dict[Precision, tuple[list[float], list[float]]] = {name: ([], []) for name in encoders}
    for _ in range(ROUNDS):
        for name, encoder in encoders.items():
            for row, kept in zip(rows, found[name], strict=True):
                kept.append(_seconds(encoder, row))
    return {name: (min(short), min(full)) for name, (short, full) in found.items()}


def row_tokens(max_input_tokens: int) -> int:
    """How long a full row is for a model with this window."""
    return min(FULL_ROW, TEXTS_IN_ROW * max_input_tokens)


def _row(lengths: list[int]) -> PackedRow:
    # Which tokens they are makes no difference to the time.
    return pack([TokenizedText(np.full(length, length % 2, np.int32)) for length in lengths])


def _seconds(encoder: Encoder, row: PackedRow) -> float:
    """The mean of as many calls as fit into a round, after one that warms up."""
    encoder.run(row)
    started, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < ROUND_S:
        encoder.run(row)
        calls += 1
    return passed / max(calls, 1)
