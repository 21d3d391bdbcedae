"""From what providers send to results: checked for count, length and range on the way."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from inference.services.calls import Call
from inference.types import (
    ElementType,
    InferenceRequest,
    RankedDocument,
    Ranking,
    SparseEmbedding,
    SparseEmbeddings,
    TextEmbeddings,
)

BYTES = np.iinfo(np.int8)
RECEIVED = ConfigDict(frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class Received(BaseModel):
    """A part of a provider's reply: what is not named here is not looked at."""

    model_config = RECEIVED


def first_problem(exc: ValidationError) -> str:
    """The place and kind of what is wrong with a reply, without a word of what it holds."""
    error = exc.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, error["loc"]))
    return f"[{place}] {error['msg']}" if place else error["msg"]


def embeddings(
    rows: Sequence[Sequence[float] | np.ndarray[Any, Any]],
    call: Call[Any],
    element_type: ElementType = ElementType.FLOAT,
) -> TextEmbeddings:
    """Vectors in the order of the inputs.

    rows: numbers, or whole numbers from -128 to 127 for BYTE and BIT. Raises ValueError for
    another number of vectors than of inputs, for lengths that differ, and for what is no number.
    """
    asked = len(call.texts) if isinstance(call.request, InferenceRequest) else len(rows)
    if len(rows) != asked:
        raise ValueError(f"it holds [{len(rows)}] vectors for [{asked}] inputs")
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"its vectors have the lengths {sorted(lengths)}")
    if element_type == ElementType.FLOAT:
        with np.errstate(over="ignore"):
            vectors = np.asarray(rows, dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise ValueError("a vector holds a number that is out of range")
        return TextEmbeddings(vectors, task_type=call.task_type)
    return TextEmbeddings(signed_bytes(rows), element_type=element_type, task_type=call.task_type)


def signed_bytes(rows: Sequence[Sequence[float] | np.ndarray[Any, Any]]) -> Any:
    numbers = np.asarray(rows, dtype=np.float64)
    out = numbers[(numbers < BYTES.min) | (numbers > BYTES.max) | (numbers != np.floor(numbers))]
    if out.size:
        raise ValueError(f"Value [{out.flat[0]:g}] is out of range for a byte")
    return numbers.astype(np.int8)


def sparse(rows: Iterable[dict[str, float]], call: Call[Any]) -> SparseEmbeddings:
    """Weights of tokens, the heaviest first. Raises ValueError for another number of rows."""
    ordered = tuple(
        SparseEmbedding(dict(sorted(row.items(), key=lambda pair: -pair[1]))) for row in rows
    )
    if len(ordered) != len(call.texts):
        raise ValueError(f"it holds [{len(ordered)}] vectors for [{len(call.texts)}] inputs")
    return SparseEmbeddings(ordered)


def ranking(
    scored: Iterable[tuple[int, float, str | None]],
    call: Call[Any],
    *,
    is_sorted: bool = True,
    has_texts: bool = True,
) -> Ranking:
    """Documents by falling score, top_n of them at most.

    scored: index, score and, where it was sent, the text of each. A text that was asked for and
    not sent is taken from the inputs. Raises ValueError for an index that no input has.
    is_sorted: False where the provider's own order is none. has_texts: False for a service that
    never tells texts.
    """
    wants_text = has_texts and bool(call.return_documents)
    documents = []
    for index, score, text in scored:
        if not 0 <= index < len(call.texts):
            raise ValueError(f"it ranks a document [{index}] that was not sent")
        if text is None and wants_text:
            text = call.texts[index]
        documents.append(RankedDocument(index, score, text))
    if not is_sorted:
        documents.sort(key=lambda document: -document.relevance_score)
    return Ranking(tuple(documents[: call.top_n]))
