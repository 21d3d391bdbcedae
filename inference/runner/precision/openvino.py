"""The graph in bfloat16, run by OpenVINO: an optional engine beside ONNX Runtime.

bfloat16 has the range of float32 and fewer digits. Where the processor multiplies it natively it
is about twice as fast, and hardly anything of the quality is lost.
"""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from inference.arrays import FloatArray
from inference.runner.packing import PackedRow
from inference.runner.session import feed


class OpenVinoEncoder:
    """A graph with `threads` threads a call: token ids and a mask in, token states out.

    As many calls run at a time as the machine has room for; more wait inside the engine. The first
    call of a new length costs a few milliseconds more, which are not worth avoiding.
    """

    def __init__(self, graph: Path, threads: int, precision: str = "bf16") -> None:
        import openvino  # optional: imported by whoever has it and wants it

        streams = max(1, (os.cpu_count() or 1) // threads)
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": streams * threads,
            "NUM_STREAMS": streams,
            "ENABLE_CPU_PINNING": False,  # the processes of other models run here as well
        }
        self._compiled: Any = openvino.Core().compile_model(str(graph), "CPU", options)
        self._inputs = [entry.get_any_name() for entry in self._compiled.inputs]
        self.output: str = self._compiled.output(0).get_any_name()
        self._own = threading.local()

    def run(self, row: PackedRow) -> FloatArray:
        """Returns (1, tokens, dim)."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        request.infer(feed(row, self._inputs))
        # The engine writes the next result over this one.
        states: FloatArray = np.array(request.get_output_tensor().data)
        return states
