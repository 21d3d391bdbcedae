"""ONNX Runtime sessions over one copy of the weights.

ONNX Runtime lays the weights out anew for its matrix kernels when a session is made. That layout
is written to a file once, and every session maps the file: a model then loads in milliseconds,
and more sessions or processes cost no more memory.
"""

import hashlib
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

import onnxruntime as ort

from inference.arrays import FloatArray, IntArray
from inference.runner.packing import PackedRow

WEIGHTS_FILE = "weights.bin"
MIN_EXTERNAL_BYTES = 1024
SPIN_US = "1500"

logger = logging.getLogger(__name__)


class EncoderSession:
    """A graph with `threads` threads: a row of texts in, something for each of its tokens out.

    output: the name of what comes out, one of outputs.Output.
    """

    def __init__(self, graph: Path, threads: int) -> None:
        options = session_options(threads)
        if threads > 1:
            # A caller who asks again at once finds the threads awake; then they leave the cores.
            options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN_US)
        self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        self.output: str = self._session.get_outputs()[0].name

    def run(self, row: PackedRow) -> FloatArray:
        """Returns (1, tokens, ...): states, logits or scores, by the graph's output."""
        found: FloatArray = self._session.run([self.output], feed(row, self._inputs))[0]
        return found


def feed(row: PackedRow, names: Collection[str]) -> dict[str, IntArray]:
    """The inputs of these names; not every graph wants all of them."""
    inputs = {
        "input_ids": row.ids,
        "position_ids": row.positions,
        "token_type_ids": row.types,
        "mask": row.mask,
    }
    return {name: inputs[name] for name in names}


def laid_out(graph: Path, min_external_bytes: int = MIN_EXTERNAL_BYTES) -> Path:
    """The graph with its weights laid out for this machine's kernels, made when it is missing.

    min_external_bytes: smaller weights stay in the graph, and each session lays them out.
    """
    folder = graph.parent / "laid-out" / f"{graph.stat().st_mtime_ns}-{_machine_key()}"
    if not (folder / graph.name).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            _lay_out(graph, draft / graph.name, min_external_bytes)
            os.replace(draft, folder)
        except OSError:
            # Another host was faster, or a half-made folder of an earlier crash is in the way.
            if not (folder / graph.name).exists():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder / graph.name


def _lay_out(graph: Path, target: Path, min_external_bytes: int) -> None:
    options = session_options(threads=1)
    options.optimized_model_filepath = str(target)
    entries = {
        "session.optimized_model_external_initializers_file_name": WEIGHTS_FILE,
        "session.optimized_model_external_initializers_min_size_in_bytes": str(min_external_bytes),
        "session.save_external_prepacked_constant_initializers": "1",
    }
    for name, value in entries.items():
        options.add_session_config_entry(name, value)
    ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def session_options(threads: int) -> ort.SessionOptions:
    """What every session of ours starts from."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # the layout being made for this machine only is what we want
    return options


def _machine_key() -> str:
    """Names what the layout depends on: the library's version and the processor's features."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        processor = platform.processor()
    features = f"{platform.machine()} {processor}".encode()
    return f"{ort.__version__}-{hashlib.sha256(features).hexdigest()[:12]}"
