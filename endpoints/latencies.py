"""How long calls took, as a few counts that can be added up.

A histogram counts calls by buckets that grow by a quarter of an octave each: a quantile read from
one is wrong by 9% at most, whatever the times are, and an hour's takes some hundred bytes.
"""

import math
from collections.abc import Mapping
from typing import TypeVar

# As a number, or as it is stored.
Bucket = TypeVar("Bucket", int, str)
FIRST_MS, BUCKETS_PER_OCTAVE, LAST_BUCKET = 0.25, 4, 120


def bucket_of(took_ms: float) -> int:
    """The number of the bucket that a time falls into."""
    octaves = math.log2(max(took_ms, FIRST_MS) / FIRST_MS)
    return min(round(octaves * BUCKETS_PER_OCTAVE), LAST_BUCKET)


def quantile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The time that this share of the calls stayed below; None where none was counted."""
    left = share * sum(counts.values())
    for bucket in sorted(counts):
        left -= counts[bucket]
        if left <= 0:
            return FIRST_MS * math.exp2(bucket / BUCKETS_PER_OCTAVE)
    return None


def merged(*histograms: Mapping[Bucket, int]) -> dict[Bucket, int]:
    total: dict[Bucket, int] = {}
    for counts in histograms:
        for bucket, count in counts.items():
            total[bucket] = total.get(bucket, 0) + count
    return total


def from_json(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(bucket): count for bucket, count in stored.items()}


def to_json(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(bucket): counts[bucket] for bucket in sorted(counts)}
