"""One call for hosted models: a request in, a result out."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from time import monotonic
from typing import Protocol

from inference.long_documents import chunk_documents
from inference.runner.client import HostUnreachable
from inference.runner.protocol import HostReply, HostRequest
from inference.types import (
    QUERY,
    InferenceRequest,
    InferenceResult,
    RankedDocument,
    Ranking,
    SparseEmbedding,
    SparseEmbeddings,
    TaskType,
    TextEmbeddings,
    Truncation,
)

logger = logging.getLogger(__name__)


class Hosts(Protocol):
    """Whatever carries a request to a running model."""

    def call(self, deployment_id: str, request: HostRequest) -> HostReply: ...


def run_hosted(
    hosts: Hosts,
    deployment_id: str,
    task_type: TaskType,
    request: InferenceRequest,
    budget_s: float,
) -> InferenceResult:
    """Run a request on a deployment of this installation, within budget_s seconds.

    Raises what `hosts.call` raises, and HostUnreachable where a host answers that has another
    task: a deployment of this name was there before, and its host has not yet been stopped.
    """
    if task_type == TaskType.RERANK:
        reply = rerank(hosts, deployment_id, request, budget_s)
    else:
        wish = HostRequest(request.input, None, budget_s, request.input_type)
        reply = hosts.call(deployment_id, wish)
    match task_type:
        case TaskType.TEXT_EMBEDDING if reply.vectors is not None:
            return TextEmbeddings(reply.vectors, cut(range(len(request.input)), reply))
        case TaskType.SPARSE_EMBEDDING if reply.weights is not None:
            return SparseEmbeddings(
                tuple(
                    SparseEmbedding(weights, reply.truncated.get(number))
                    for number, weights in enumerate(reply.weights)
                )
            )
        case TaskType.RERANK if reply.scores is not None:
            names = (QUERY, *range(len(request.input)))
            return rank(reply.scores, request, cut(names, reply))
    logger.warning("deployment [%s] sent a reply that does not fit %s", deployment_id, task_type)
    raise HostUnreachable(deployment_id)


def rerank(
    hosts: Hosts, deployment_id: str, request: InferenceRequest, budget_s: float
) -> HostReply:
    """Have documents scored, whole or by their best chunk."""
    if not request.reads_chunks:
        return hosts.call(deployment_id, HostRequest(request.input, request.query, budget_s))
    started = monotonic()
    chunked = chunk_documents(request.query or "", request.input, request.max_chunks_per_doc)
    left_s = max(budget_s - (monotonic() - started), 0.001)
    reply = hosts.call(deployment_id, HostRequest(chunked.texts, request.query, left_s))
    if reply.scores is None:
        return reply
    # Text 0 is the query, the chunks follow; for the caller the documents do.
    chunks = {number - 1: cut for number, cut in reply.truncated.items() if number}
    documents = {number + 1: cut for number, cut in chunked.cut(chunks).items()}
    query = {0: reply.truncated[0]} if 0 in reply.truncated else {}
    return replace(reply, scores=chunked.best(reply.scores), truncated=query | documents)


def cut(names: Iterable[str | int], reply: HostReply) -> dict[str, Truncation]:
    """The texts that the model did not read to their end, by name, in the order of the names."""
    if not reply.truncated:
        return {}
    found = ((name, reply.truncated.get(number)) for number, name in enumerate(names))
    return {str(name): truncation for name, truncation in found if truncation}


def rank(
    scores: list[float], request: InferenceRequest, truncated: dict[str, Truncation]
) -> Ranking:
    """Sort documents by score, best first; equal scores keep the order of the input."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])[: request.top_n]
    return Ranking(
        tuple(
            RankedDocument(
                index, scores[index], request.input[index] if request.return_documents else None
            )
            for index in order
        ),
        truncated,
    )
