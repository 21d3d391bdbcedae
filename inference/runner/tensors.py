"""Reading one tensor of a safetensors file without loading it."""

from pathlib import Path

import numpy as np
import orjson

from inference.arrays import FloatArray

HEADER_LENGTH_BYTES = 8


def mapped_tensor(path: Path, name: str) -> FloatArray:
    """Map a float32 tensor into memory; its pages are shared and read when they are needed.

    Raises KeyError for an unknown name, ValueError for another type of number.
    Source: https://huggingface.co/docs/safetensors, "Format".
    """
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little")
        entry = orjson.loads(file.read(header_length))[name]
    if entry["dtype"] != "F32":
        raise ValueError(f"[{name}] holds {entry['dtype']}, not F32")
    offset = HEADER_LENGTH_BYTES + header_length + entry["data_offsets"][0]
    return np.memmap(path, np.float32, "r", offset, tuple(entry["shape"]))
