"""The cache answers as the model would have done, whatever was asked before."""

import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.cache import OVERHEAD_BYTES, Entry, VectorCache, digest_of, run_cached
from inference.types import (
    ElementType,
    InferenceRequest,
    InferenceResult,
    InputType,
    SparseEmbedding,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
    Truncation,
)

DENSE, SPARSE = TaskType.TEXT_EMBEDDING, TaskType.SPARSE_EMBEDDING
OWNER = digest_of(endpoint=1)
ROOMY = 1 << 20
WINDOW = 5


class Model:
    """Tells each text by its vector; reads WINDOW characters. Notes what it was asked."""

    def __init__(self, task_type: TaskType) -> None:
        self.task_type = task_type
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, request: InferenceRequest) -> InferenceResult:
        self.asked.append(request.input)
        cuts = [cut(text) for text in request.input]
        if self.task_type == SPARSE:
            rows = zip(request.input, cuts, strict=True)
            return SparseEmbeddings(
                tuple(SparseEmbedding(weights(text, request), lost) for text, lost in rows)
            )
        numbers = [[*weights(text, request).values()] for text in request.input]
        truncated = {str(number): lost for number, lost in enumerate(cuts) if lost}
        return TextEmbeddings(np.array(numbers, np.float32), truncated)


def cut(text: str) -> Truncation | None:
    return Truncation(WINDOW, len(text) - WINDOW) if len(text) > WINDOW else None


def weights(text: str, request: InferenceRequest) -> dict[str, float]:
    """Numbers that no other text has, nor the same text of another kind."""
    seed = digest_of(text=text, kind=request.input_type, settings=request.task_settings)
    return {f"token {byte}": byte / 7 for byte in sorted(set(seed[:3]), reverse=True)} | {
        "one": seed[3] / 3,
        **{f"more {number}": 0.1 for number in range(3 - len(set(seed[:3])))},
    }


def ask(
    cache: VectorCache, model: Model, *texts: str, owner: bytes = OWNER
) -> tuple[InferenceResult, int]:
    return run_cached(cache, owner, model.task_type, InferenceRequest(texts), model)


def told(result: InferenceResult) -> object:
    """A result in a form that can be compared, with the order of what is ordered."""
    if isinstance(result, TextEmbeddings):
        return result.vectors.tolist(), list(result.truncated.items())
    assert isinstance(result, SparseEmbeddings)
    return [(list(row.weights.items()), row.truncation) for row in result.rows]


few_texts = st.sampled_from(["", "a", "b", "ab", "longer than it reads", "ü", "\U0001f600", "a "])
requests = st.builds(
    InferenceRequest,
    st.lists(few_texts, min_size=1, max_size=12).map(tuple),
    input_type=st.sampled_from([InputType.SEARCH, InputType.INGEST]),
    task_settings=st.sampled_from([{}, {"user": "x"}]),
)
# From no room at all over room for a few to room for all.
sizes = st.sampled_from([0, 1, 3 * (OVERHEAD_BYTES + 60), ROOMY])


@given(st.sampled_from([DENSE, SPARSE]), st.lists(requests, min_size=1, max_size=8), sizes)
def test_whatever_was_asked_before_the_answer_is_that_of_the_model(
    task_type: TaskType, asked: Sequence[InferenceRequest], most_bytes: int
) -> None:
    cache, model = VectorCache(most_bytes), Model(task_type)

    for request in asked:
        result, cached = run_cached(cache, OWNER, task_type, request, model)

        assert told(result) == told(Model(task_type)(request))
        assert 0 <= cached <= len(request.input)
        assert cache.size_bytes <= most_bytes


@given(st.lists(requests, min_size=1, max_size=8))
def test_with_room_for_all_no_text_is_computed_twice(asked: Sequence[InferenceRequest]) -> None:
    cache = VectorCache(ROOMY)
    computed: list[tuple[object, ...]] = []

    def compute(request: InferenceRequest) -> InferenceResult:
        kind = (request.input_type, *request.task_settings)
        computed.extend((text, *kind) for text in request.input)
        return Model(DENSE)(request)

    cached = sum(run_cached(cache, OWNER, DENSE, request, compute)[1] for request in asked)

    assert len(computed) == len(set(computed))
    assert cached + len(computed) == sum(len(request.input) for request in asked)


def test_only_the_texts_that_are_not_known_go_to_the_model_and_each_once() -> None:
    cache, model = VectorCache(ROOMY), Model(DENSE)
    ask(cache, model, "b")

    _, cached = ask(cache, model, "a", "b", "a", "c")

    assert model.asked == [("b",), ("a", "c")]
    assert cached == 2


def test_a_text_that_was_cut_is_told_as_cut_every_time() -> None:
    cache, model = VectorCache(ROOMY), Model(DENSE)
    ask(cache, model, "longer", "short")

    result, cached = ask(cache, model, "short", "longer", "short")

    assert cached == 3
    assert isinstance(result, TextEmbeddings)
    assert result.truncated == {"1": Truncation(WINDOW, 1)}


@pytest.mark.parametrize("element_type", list(ElementType))
def test_vectors_are_made_of_the_same_every_time(element_type: ElementType) -> None:
    cache = VectorCache(ROOMY)
    numbers = np.int8 if element_type != ElementType.FLOAT else np.float32

    def compute(request: InferenceRequest) -> InferenceResult:
        rows: Any = np.array([[-128, len(text)] for text in request.input], numbers)
        return TextEmbeddings(rows, element_type=element_type)

    fresh, _ = run_cached(cache, OWNER, DENSE, InferenceRequest(("a", "bc")), compute)
    kept, cached = run_cached(cache, OWNER, DENSE, InferenceRequest(("bc", "a")), compute)

    assert cached == 2
    assert isinstance(fresh, TextEmbeddings)
    assert isinstance(kept, TextEmbeddings)
    assert kept.element_type == element_type
    assert kept.vectors.dtype == fresh.vectors.dtype
    assert kept.vectors.tolist() == fresh.vectors[::-1].tolist()


@pytest.mark.parametrize("owner", [digest_of(endpoint=2), digest_of(endpoint=1, generation=1)])
def test_what_another_owner_had_computed_is_not_known(owner: bytes) -> None:
    cache, model = VectorCache(ROOMY), Model(DENSE)
    ask(cache, model, "a")

    assert ask(cache, model, "a", owner=owner)[1] == 0
    assert cache.size_bytes_of(OWNER) == cache.size_bytes_of(owner) == cache.size_bytes / 2


def test_a_failure_leaves_nothing_behind() -> None:
    cache, model = VectorCache(ROOMY), Model(DENSE)
    ask(cache, model, "known")
    before = cache.size_bytes

    def fail(request: InferenceRequest) -> InferenceResult:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_cached(cache, OWNER, DENSE, InferenceRequest(("known", "new")), fail)

    assert cache.size_bytes == before
    assert ask(cache, model, "new")[1] == 0


def test_a_model_that_answers_with_too_few_vectors_leaves_nothing_behind() -> None:
    cache, model = VectorCache(ROOMY), Model(DENSE)

    def answer_less(request: InferenceRequest) -> InferenceResult:
        return model(InferenceRequest(request.input[1:]))

    with pytest.raises(ValueError, match="shorter"):
        run_cached(cache, OWNER, DENSE, InferenceRequest(("a", "b")), answer_less)

    assert cache.size_bytes == cache.size_bytes_of(OWNER) == 0


def entry(payload_bytes: int = 100) -> Entry:
    return Entry(OWNER, bytes(payload_bytes), None)


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    cache = VectorCache(3 * entry().size_bytes)
    cache.keep({b"a": entry(), b"b": entry(), b"c": entry()})
    cache.find([b"a"])

    cache.keep({b"d": entry()})

    assert set(cache.find([b"a", b"b", b"c", b"d"])) == {b"a", b"c", b"d"}


def test_a_large_entry_takes_the_place_of_several_small_ones() -> None:
    cache = VectorCache(3 * entry().size_bytes)
    cache.keep({b"a": entry(), b"b": entry(), b"c": entry()})

    cache.keep({b"large": entry(entry().size_bytes + 100)})

    assert set(cache.find([b"a", b"b", b"c", b"large"])) == {b"c", b"large"}


def test_what_is_larger_than_the_whole_cache_drives_nothing_out() -> None:
    cache = VectorCache(3 * entry().size_bytes)
    cache.keep({b"a": entry()})

    cache.keep({b"huge": entry(10 * entry().size_bytes)})

    assert set(cache.find([b"a", b"huge"])) == {b"a"}


def test_the_same_text_kept_twice_counts_once() -> None:
    cache = VectorCache(ROOMY)

    cache.keep({b"a": entry(10)})
    cache.keep({b"a": entry(20)})

    assert cache.size_bytes == cache.size_bytes_of(OWNER) == 20 + OVERHEAD_BYTES


@pytest.mark.parametrize("dimensions", [1, 384])
def test_the_memory_that_it_really_takes_is_within_the_bound(dimensions: int) -> None:
    cache = VectorCache(2 << 20)

    def compute(request: InferenceRequest) -> InferenceResult:
        count = len(request.input)
        cuts = {str(number): Truncation(100_000 + number, 10**6) for number in range(count)}
        return TextEmbeddings(np.ones((count, dimensions), np.float32), cuts)

    tracemalloc.start()
    try:
        for start in range(0, 10_000, 100):
            texts = tuple(f"text {number}" for number in range(start, start + 100))
            run_cached(cache, OWNER, DENSE, InferenceRequest(texts), compute)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert cache.most_bytes - 4096 < cache.size_bytes
    assert taken <= cache.most_bytes


@pytest.fixture
def _threads_take_turns_all_the_time() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_threads_take_turns_all_the_time")
def test_threads_that_ask_at_once_all_get_their_own_answer() -> None:
    cache, model = VectorCache(5 * (OVERHEAD_BYTES + 16)), Model(DENSE)
    requests = [InferenceRequest((f"{n}", f"{n + 1}", f"{n + 5}")) for n in range(10)]
    expected = [told(model(request)) for request in requests]

    def work(seed: int) -> None:
        for number in np.random.default_rng(seed).integers(0, len(requests), 100):
            result, _ = run_cached(cache, OWNER, DENSE, requests[number], model)
            assert told(result) == expected[number]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))

    assert cache.size_bytes == cache.size_bytes_of(OWNER) <= cache.most_bytes
    cache.keep({b"all": Entry(OWNER, bytes(cache.most_bytes - OVERHEAD_BYTES), None)})
    assert cache.size_bytes == cache.most_bytes
