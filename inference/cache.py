"""Vectors that were computed before, kept in memory by what they were computed from."""

import hashlib
import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import orjson

from inference.types import (
    ElementType,
    InferenceRequest,
    InferenceResult,
    SparseEmbedding,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
    Truncation,
)

# The tasks whose results are one vector for each text, whatever the other texts are.
CACHED_TASKS = frozenset({TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING})
# What an entry takes beside its payload: key, objects and its share of the table, rounded up.
OVERHEAD_BYTES = 512

NUMBERS: dict[ElementType, type[np.generic]] = {
    ElementType.FLOAT: np.float32,
    ElementType.BYTE: np.int8,
    ElementType.BIT: np.int8,
}

Compute: TypeAlias = Callable[[InferenceRequest], InferenceResult]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one text.

    owner: whose it is. payload: a dense vector as the bytes of its numbers, a sparse one as JSON.
    """

    owner: bytes
    payload: bytes
    truncation: Truncation | None
    element_type: ElementType = ElementType.FLOAT

    @property
    def size_bytes(self) -> int:
        return len(self.payload) + OVERHEAD_BYTES


class VectorCache:
    """The entries used last, up to most_bytes. Any number of threads may use it."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._size_bytes = 0
        self._sizes_bytes: Counter[bytes] = Counter()
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def size_bytes_of(self, owner: bytes) -> int:
        with self._lock:
            return self._sizes_bytes[owner]

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Entry]:
        """The entries that are there; they count as used now."""
        found = {}
        with self._lock:
            for key in keys:
                if entry := self._entries.get(key):
                    self._entries.move_to_end(key)
                    found[key] = entry
        return found

    def keep(self, entries: Mapping[bytes, Entry]) -> None:
        """Add entries, for which those go that were not used for the longest time.

        One that would fill the whole cache alone is not kept.
        """
        with self._lock:
            for key, entry in entries.items():
                if entry.size_bytes > self.most_bytes:
                    continue
                if replaced := self._entries.pop(key, None):
                    self._count(replaced, -replaced.size_bytes)
                self._entries[key] = entry
                self._count(entry, entry.size_bytes)
                while self._size_bytes > self.most_bytes:
                    _, dropped = self._entries.popitem(last=False)
                    self._count(dropped, -dropped.size_bytes)

    def _count(self, entry: Entry, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        self._sizes_bytes[entry.owner] += size_bytes
        if not self._sizes_bytes[entry.owner]:
            del self._sizes_bytes[entry.owner]


def digest_of(**identity: Any) -> bytes:
    """32 bytes that stand for these values, which are JSON."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).digest()


def run_cached(
    cache: VectorCache,
    owner: bytes,
    task_type: TaskType,
    request: InferenceRequest,
    compute: Compute,
) -> tuple[InferenceResult, int]:
    """Answer a request for one of CACHED_TASKS; only texts that are not known go to `compute`.

    owner: a digest of what the vectors depend on beside the request. A text that stands in the
    request twice is computed once. Returns the result, in the order of the request, and how many
    of its inputs needed no computing. What `compute` raises is raised, and nothing is kept.
    """
    kind = digest_of(input_type=request.input_type, task_settings=request.task_settings)
    keys = [_key(owner + kind, text) for text in request.input]
    known = cache.find(dict.fromkeys(keys))
    missing = {key: text for key, text in zip(keys, request.input, strict=True) if key not in known}
    if missing:
        result = compute(replace(request, input=tuple(missing.values())))
        computed = dict(zip(missing, _entries_of(owner, result), strict=True))
        cache.keep(computed)
        if len(missing) == len(keys):
            return result, 0
        known |= computed
    return _result_of(task_type, [known[key] for key in keys]), len(keys) - len(missing)


def _key(scope: bytes, text: str) -> bytes:
    return hashlib.sha256(scope + text.encode(errors="surrogatepass")).digest()


def _entries_of(owner: bytes, result: InferenceResult) -> list[Entry]:
    """One entry for each text, in order."""
    match result:
        case TextEmbeddings(vectors, truncated, element_type):
            return [
                Entry(owner, vector.tobytes(), truncated.get(str(number)), element_type)
                for number, vector in enumerate(np.asarray(vectors, NUMBERS[element_type]))
            ]
        case SparseEmbeddings(rows):
            return [Entry(owner, orjson.dumps(row.weights), row.truncation) for row in rows]
    raise TypeError(f"no cache keeps a result like {result!r}")


def _result_of(task_type: TaskType, entries: list[Entry]) -> InferenceResult:
    if task_type == TaskType.SPARSE_EMBEDDING:
        return SparseEmbeddings(
            tuple(
                SparseEmbedding(orjson.loads(entry.payload), entry.truncation) for entry in entries
            )
        )
    element_type = entries[0].element_type
    joined = np.frombuffer(b"".join(entry.payload for entry in entries), NUMBERS[element_type])
    truncated = {
        str(number): entry.truncation for number, entry in enumerate(entries) if entry.truncation
    }
    return TextEmbeddings(joined.reshape(len(entries), -1), truncated, element_type)
