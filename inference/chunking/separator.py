"""Separators are Java's regular expressions: read and searched here as Java does, with a limit."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from inference.errors import InvalidArgument

LEAST_LIMIT_S = 5.0
CHARACTERS_PER_S = 1_000_000
# A repeat of a fixed number of times is written out before the search, where no time limit holds.
MOST_REPEATS = 100_000

LINE_ENDS = r"\n\r\u0085\u2028\u2029"
BLANKS = r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
LINE_BREAKS = r"\n\x0b\f\r\x85\u2028\u2029"
WORD = "[a-zA-Z0-9_]"
# What Java reads differently, and the same for Python. Java's classes are ASCII only, \b among
# them since Java 19; a line ends at any of LINE_ENDS; ^ is not at the end of the text.
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
    r"\h": f"[{BLANKS}]",
    r"\H": f"[^{BLANKS}]",
    r"\v": f"[{LINE_BREAKS}]",
    r"\V": f"[^{LINE_BREAKS}]",
    r"\b": f"(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))",
    r"\B": f"(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD}))",
    r"\z": r"\Z",
    r"\Z": rf"(?=(?:\r\n|[{LINE_ENDS}])?\Z)",
    r"\e": r"\x1b",
    r"\k": r"\g",
}
POSITIONS = (".", "^", "$", r"\b", r"\B", r"\z", r"\Z")  # no such thing between brackets
# Between brackets Python knows operators and classes that are plain characters in Java.
PLAIN_IN_SETS = {"|": r"\|", "~": r"\~", ":": r"\:", "--": r"-\-"}
POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/\:-@\[-`\{-\~",
    "Graph": r"!-\~",
    "Print": r" -\~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
}
UNKNOWN_ESCAPES = frozenset(rf"\{letter}" for letter in "CEFgIijKLlMmOoPpqTUYy") - {r"\P", r"\p"}
TOKEN = regex.compile(
    r"\\Q(?<quoted>.*?)(?:\\E|\Z)|\\(?<sign>[pP])\{(?<posix>\w+)\}|\\x\{(?<point>[0-9A-Fa-f]+)\}"
    r"|\{(?<times>\d+)|--|\\.|.",
    regex.DOTALL,
)


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
    flags = regex.MULTILINE | regex.VERSION1
    if "(?i" in expression and not regex.search(r"\\[pP]", expression):
        flags |= regex.ASCII  # Java ignores the case of ASCII letters only
    try:
        return regex.compile(python_pattern(expression), flags)
    except (regex.error, RecursionError, ValueError) as exc:
        raise InvalidArgument(f"Invalid chunk separator regex [{expression}]: {exc}") from exc


def python_pattern(expression: str) -> str:
    """The expression with what Java reads differently spelled out.

    VERSION1 reads sets within sets as Java does, `[a-z&&[^aeiou]]`.
    Raises ValueError for what no Java expression holds, and for too many repeats.
    """
    has_flags = regex.search(r"\(\?[a-zA-Z-]*[smd]", expression) is not None
    kept = (".", "^", "$") if has_flags else ()  # a flag that changes their meaning must reach them
    out, depth, repeats, opened = [], 0, 1, -1
    for token in TOKEN.finditer(expression):
        found = token.group()
        if found in UNKNOWN_ESCAPES:
            raise ValueError(f"unknown escape {found}")
        if token.group("times") and not depth:
            repeats *= max(1, int(token.group("times")))
            if repeats > MOST_REPEATS:
                raise ValueError(f"it repeats more than {MOST_REPEATS} times")
        if (quoted := token.group("quoted")) is not None:
            out.append(regex.escape(quoted))
        elif token.group("posix") in POSIX:
            negation = "^" if token.group("sign") == "P" else ""
            out.append(f"[{negation}{POSIX[token.group('posix')]}]")
        elif point := token.group("point"):
            out.append(rf"\U{int(point, 16):08x}")
        elif depth and found in PLAIN_IN_SETS:
            out.append(PLAIN_IN_SETS[found])
        elif found in JAVA and found not in kept and not (depth and found in POSITIONS):
            out.append(JAVA[found])
        else:
            out.append(found)
        if found == "[":
            depth, opened = depth + 1, token.end()
        elif found == "^" and token.start() == opened:
            opened = token.end()
        elif found == "]" and token.start() != opened:  # directly after [ it is a plain character
            depth = max(0, depth - 1)
    return "".join(out)
