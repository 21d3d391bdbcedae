"""What a result looks like on a page: positions, bars and words instead of raw numbers."""

import json
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from console.pages.named_inputs import names_of
from console.pages.ranks_shown import (
    RankingsCompared,
    RankingShown,
    ranking_shown,
    rankings_compared,
)
from console.pages.sparse_shown import (
    SparseCompared,
    SparseShown,
    sparse_compared,
    sparse_shown,
)
from console.pages.vectors_shown import (
    EmbeddingsCompared,
    EmbeddingsShown,
    embeddings_compared,
    embeddings_shown,
    numbers_of,
)
from inference.chat import ChatRequest
from inference.types import (
    ChatAnswer,
    Completions,
    InferenceRequest,
    InferenceResult,
    Ranking,
    SparseEmbeddings,
    TextEmbeddings,
)


@dataclass(frozen=True)
class Tokens:
    """What a model read and wrote, as its provider counted."""

    read: int
    written: int


@dataclass(frozen=True)
class WrittenShown:
    """What a model wrote. ended: why it stopped, where that is worth a word.

    calls: of tools, as the API tells them.
    """

    template: ClassVar[str] = "endpoints/_result_text.html"

    text: str
    tokens: Tokens | None = None
    ended: str = ""
    calls: tuple[dict[str, Any], ...] = ()


Shown: TypeAlias = EmbeddingsShown | RankingShown | SparseShown | WrittenShown
Compared: TypeAlias = EmbeddingsCompared | RankingsCompared | SparseCompared


def show(
    request: InferenceRequest | ChatRequest,
    result: InferenceResult,
    unrelated_cosine: float | None = 0.0,
) -> Shown:
    """unrelated_cosine: that of two unrelated texts; None where nobody knows it."""
    match result:
        case Completions(texts=texts):
            return WrittenShown("\n\n".join(texts))
        case ChatAnswer(body=body):
            return _chat(body)
    if isinstance(request, ChatRequest):
        raise TypeError(f"no page shows a chat with a result like {result!r}")
    match result:
        case TextEmbeddings():
            return embeddings_shown(result, names_of(request), unrelated_cosine)
        case Ranking():
            return ranking_shown(request, result)
        case SparseEmbeddings(rows=rows):
            return sparse_shown(request.input, names_of(request), rows)
    raise TypeError(f"no page shows a result like {result!r}")


def compare(here: Shown | None, beside: Shown | None) -> Compared | None:
    """Where two results for the same differ; None where nothing can be said of that."""
    match here, beside:
        case EmbeddingsShown(), EmbeddingsShown():
            return embeddings_compared(here, beside)
        case RankingShown(), RankingShown():
            return rankings_compared(here, beside)
        case SparseShown(), SparseShown():
            return sparse_compared(here, beside)
    return None


def raw_json(result: InferenceResult) -> str:
    """The result as the API answers it; numbers of a vector stay on one line."""
    body: dict[str, Any] = json.loads(json.dumps(result.to_response(), default=_plain))
    if isinstance(result, TextEmbeddings):
        ((name, vectors),) = body.items()
        rows = ",\n    ".join(json.dumps(row) for row in vectors)
        return f'{{\n  "{name}": [\n    {rows}\n  ]\n}}'
    return pretty(body)


def pretty(body: Any) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return numbers_of(value) if isinstance(value, np.ndarray) else float(value)


def _chat(body: dict[str, Any]) -> WrittenShown:
    """A chat's answer: its first choice, which is all that is ever asked for."""
    choices = body.get("choices") or [{}]
    message = choices[0].get("message") or {}
    return WrittenShown(
        message.get("content") or "",
        tokens_in(body.get("usage")),
        ending(choices[0].get("finish_reason")),
        tuple(message.get("tool_calls") or ()),
    )


def tokens_in(usage: Any) -> Tokens | None:
    """What the `usage` of a chat tells; None where it tells nothing."""
    if not usage:
        return None
    return Tokens(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)


def ending(reason: str | None) -> str:
    """Why a model stopped, where it did not simply end."""
    return "" if reason in (None, "stop") else reason.replace("_", " ")


class Writing:
    """What a stream has told so far.

    text, calls: what the model wrote, and the tools that it calls, as the API tells them.
    """

    def __init__(self) -> None:
        self.shown = WrittenShown("")

    def take(self, chunk: dict[str, Any]) -> str:
        """Take one chunk in; gives the text that is new in it."""
        new = "".join(
            row.get("delta") or row.get("result") or "" for row in chunk.get("completion") or ()
        )
        calls, ended = list(self.shown.calls), self.shown.ended
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            new += delta.get("content") or ""
            ended = ending(choice.get("finish_reason")) or ended
            for call in delta.get("tool_calls") or ():
                _grow(calls, call)
        tokens = tokens_in(chunk.get("usage")) or self.shown.tokens
        self.shown = replace(
            self.shown, text=self.shown.text + new, tokens=tokens, ended=ended, calls=tuple(calls)
        )
        return new


def _grow(calls: list[dict[str, Any]], delta: dict[str, Any]) -> None:
    """Add a piece of a call to the calls so far; a piece may bring its name, or more arguments."""
    place, told = delta.get("index") or 0, delta.get("function") or {}
    while len(calls) <= place:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    known = calls[place]
    calls[place] = {
        "id": delta.get("id") or known["id"],
        "type": known["type"],
        "function": {
            "name": told.get("name") or known["function"]["name"],
            "arguments": known["function"]["arguments"] + (told.get("arguments") or ""),
        },
    }
