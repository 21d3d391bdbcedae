"""What a query finds on each side, and what a reranker makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from django.utils import timezone

from endpoints.access import get_endpoint
from endpoints.calls import run_inference, since_ms
from endpoints.lab.cuts import cut_of
from endpoints.lab.embedding import searchable
from endpoints.models import Endpoint, LabRun, User
from endpoints.models.lab import SIDES
from endpoints.permissions import Action
from inference.chunking.settings import parse_chunking
from inference.errors import Conflict, InvalidRequest
from inference.retrieval import (
    COSINE,
    Hit,
    OtherVectors,
    as_floats,
    dense_scores,
    nearest,
    sparse_scores,
    unpack_dense,
    unpack_sparse,
)
from inference.types import (
    ElementType,
    InferenceRequest,
    InferenceResult,
    InputType,
    Ranking,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
)

SHOWN = 5
# What a reranker is given of each side.
RERANKED = 20
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Found:
    """number: of the chunk, from 0. start, end: its place in the text.

    score: of the vectors. rerank_score: where one was asked. was_place: before that, from 1.
    """

    number: int
    start: int
    end: int
    text: str
    score: float
    was_place: int
    rerank_score: float | None = None


@dataclass(frozen=True)
class Side:
    """found: the best first. rerank_ms: None where none was asked."""

    found: tuple[Found, ...]
    rerank_ms: float | None = None


@dataclass(frozen=True)
class Answer:
    """similarity: how vectors were compared; empty for sparse ones. query_ms: to embed it."""

    sides: Mapping[str, Side]
    similarity: str
    query_ms: float


def search(user: User, run: LabRun, query: str, reranker_id: str = "") -> Answer:
    """What is found on both sides. Raises Conflict where they are not embedded, or were by others.

    And what a call to the endpoints raises.
    """
    if not run.is_done:
        raise Conflict("Both sides must be embedded first")
    endpoint = searchable(user, run.inference_id)
    reranker = get_reranker(user, reranker_id) if reranker_id else None
    started = perf_counter()
    call = InferenceRequest((query,), input_type=InputType.SEARCH)
    asked = run_inference(endpoint, call, TIMEOUT_S, user, is_trial=True)
    query_ms = since_ms(started)
    try:
        hits = {side: hits_in(run, side, asked) for side in SIDES}
    except OtherVectors:
        raise Conflict(
            f"[{run.inference_id}] makes other vectors than when the chunks were embedded. "
            "Embed them again"
        ) from None
    sides = {side: side_of(user, run, side, hits[side], query, reranker) for side in SIDES}
    LabRun.objects.filter(pk=run.pk).update(updated_at=timezone.now())  # it is used, so it stays
    return Answer(sides, run.vectors.get("similarity", ""), query_ms)


def get_reranker(user: User, inference_id: str) -> Endpoint:
    """Raises NotFound, Forbidden or InvalidRequest."""
    return get_endpoint(user, inference_id, TaskType.RERANK, to=Action.INFER)


def hits_in(run: LabRun, side: str, asked: InferenceResult) -> list[Hit]:
    """Raises OtherVectors where the query's cannot be compared with those of the chunks."""
    packed = [
        bytes(content)
        for content in run.batches.filter(side=side).values_list("content", flat=True)
    ]
    told = run.vectors
    match asked:
        case SparseEmbeddings(rows=(row, *_)) if not told:
            return nearest(sparse_scores(row.weights, unpack_sparse(packed)), RERANKED)
        case TextEmbeddings() if told and told["element_type"] == asked.element_type:
            kind = ElementType(told["element_type"])
            vectors = unpack_dense(packed, kind, told["width"])
            query = as_floats(asked.vectors[:1], kind)[0]
            similarity = told["similarity"] if kind == ElementType.FLOAT else COSINE
            return nearest(dense_scores(query, vectors, similarity), RERANKED)
    raise OtherVectors


def side_of(
    user: User, run: LabRun, side: str, hits: Sequence[Hit], query: str, reranker: Endpoint | None
) -> Side:
    """The best of the hits with their texts, in the order of the reranker where there is one."""
    cut = cut_of(run, parse_chunking(run.settings_of(side)))
    found = []
    for place, hit in enumerate(hits, start=1):
        start, end = int(cut.starts[hit.number]), int(cut.ends[hit.number])
        found.append(Found(hit.number, start, end, run.text[start:end], hit.score, place))
    if reranker is None:
        return Side(tuple(found[:SHOWN]))
    started = perf_counter()
    texts = tuple(one.text for one in found)
    call = InferenceRequest(texts, query=query)
    ranking = run_inference(reranker, call, TIMEOUT_S, user, is_trial=True)
    if not isinstance(ranking, Ranking):
        raise InvalidRequest(f"[{reranker.inference_id}] does not rerank")
    ordered = [
        replace(found[document.index], rerank_score=document.relevance_score)
        for document in ranking.documents[:SHOWN]
    ]
    return Side(tuple(ordered), since_ms(started))
