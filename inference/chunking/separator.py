"""Separators are Java's regular expressions: read and searched here as Java does, with a limit."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from inference.errors import InvalidArgument

LEAST_LIMIT_S = 5.0
CHARACTERS_PER_S = 1_000_000

LINE_ENDS = r"\n\r\u0085\u2028\u2029"
# Outside of brackets: what Java reads differently, and the same for Python. Java's classes are
# ASCII only; a line ends at any of LINE_ENDS; ^ is not at the end of the text.
WORD = "[a-zA-Z0-9_]"
JAVA = {
    ".": f"[^{LINE_ENDS}]",
    "^": r"(?:(?!\Z)(?:\A|(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n)))",
    "$": r"(?:\Z|(?=[\r\u0085\u2028\u2029])|(?<!\r)(?=\n))",
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": WORD,
    r"\W": f"[^{WORD[1:]}",
    r"\s": r"[ \t\n\x0b\f\r]",
    r"\S": r"[^ \t\n\x0b\f\r]",
    r"\h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    r"\v": r"[\n\x0b\f\r\x85\u2028\u2029]",
    r"\b": f"(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))",
    r"\B": f"(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD}))",
    r"\z": r"\Z",
    r"\Z": rf"(?=(?:\r\n|[{LINE_ENDS}])?\Z)",
    r"\e": r"\x1b",
    r"\k": r"\g",
}
POSITIONS = (".", "^", "$", r"\b", r"\B", r"\z", r"\Z")  # no such thing between brackets
TOKEN = regex.compile(r"\\Q(?<quoted>.*?)(?:\\E|\Z)|\\.|.", regex.DOTALL)


@dataclass
class TimeLimit:
    """How long all the searches of one text may take together."""

    deadline: float

    @classmethod
    def for_length(cls, length: int) -> "TimeLimit":
        return cls(time.monotonic() + LEAST_LIMIT_S + length / CHARACTERS_PER_S)

    def left_s(self) -> float:
        return max(self.deadline - time.monotonic(), 1e-3)


class Separator:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._pattern = _compiled(expression)

    def starts(self, text: str, limit: TimeLimit) -> list[int]:
        """Where each match begins, in characters of the text.

        Raises InvalidArgument once the limit is over: some expressions need exponential time.
        """
        try:
            return list(self._starts(text, limit))
        except TimeoutError as exc:
            raise InvalidArgument(
                f"Chunk separator regex [{self._expression}] has exceeded the time limit"
            ) from exc

    def _starts(self, text: str, limit: TimeLimit) -> Iterator[int]:
        place = 0
        while match := self._pattern.search(text, place, timeout=limit.left_s()):
            yield match.start()
            # As Java: after an empty match the search goes on one character later.
            place = match.end() + (match.start() == match.end())
            if place > len(text):
                return


@lru_cache(maxsize=256)
def _compiled(expression: str) -> "regex.Pattern[str]":
    try:
        return regex.compile(python_pattern(expression), regex.MULTILINE | regex.VERSION1)
    except (regex.error, RecursionError) as exc:
        raise InvalidArgument(f"Invalid chunk separator regex [{expression}]: {exc}") from exc


def python_pattern(expression: str) -> str:
    """The expression with what Java reads differently spelled out.

    VERSION1 reads sets within sets as Java does, `[a-z&&[^aeiou]]`.
    """
    has_flags = regex.search(r"\(\?[a-zA-Z-]*[smd]", expression) is not None
    kept = (".", "^", "$") if has_flags else ()  # a flag that changes their meaning must reach them
    out, depth = [], 0
    for token in TOKEN.finditer(expression):
        found = token.group()
        if (quoted := token.group("quoted")) is not None:
            out.append(regex.escape(quoted))
            continue
        is_translated = found in JAVA and found not in kept and not (depth and found in POSITIONS)
        out.append(JAVA[found] if is_translated else found)
        depth = max(0, depth + (found == "[") - (found == "]"))
    return "".join(out)
