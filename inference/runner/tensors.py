"""Finding one tensor of a safetensors file without loading it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from inference.arrays import FloatArray

HEADER_LENGTH_BYTES = 8


@dataclass(frozen=True)
class StoredTensor:
    """A float32 tensor in its file. offset: in bytes, of its first number."""

    path: Path
    offset: int
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        return 4 * int(np.prod(self.shape))


def find_tensor(path: Path, name: str) -> StoredTensor:
    """Raises KeyError for an unknown name, ValueError for another type of number.

    Source: https://huggingface.co/docs/safetensors, "Format".
    """
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(HEADER_LENGTH_BYTES), "little")
        entry = orjson.loads(file.read(header_length))[name]
    if entry["dtype"] != "F32":
        raise ValueError(f"[{name}] holds {entry['dtype']}, not F32")
    offset = HEADER_LENGTH_BYTES + header_length + entry["data_offsets"][0]
    return StoredTensor(path, offset, tuple(entry["shape"]))


def mapped_tensor(path: Path, name: str) -> FloatArray:
    """Map a tensor into memory; its pages are shared and read when they are needed."""
    place = find_tensor(path, name)
    return np.memmap(path, np.float32, "r", place.offset, place.shape)
