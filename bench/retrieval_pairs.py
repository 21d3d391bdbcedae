"""Heading/text pairs from the docstrings of a package: a retrieval task with known answers.

A docstring opens with a line that says in a person's words what the thing does and goes on to
describe it. The line is the query, the rest is the one document that answers it, and the rests of
all the other docstrings of the package are the documents that do not.
"""

import ast
import hashlib
import inspect
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

STANDARD_LIBRARY = "python"
MIN_HEADING_WORDS = 4
MIN_TEXT_WORDS = 25
_WORD = re.compile(r"\w+")
_DOCTEST = re.compile(r"^\s*(>>>|\.\.\. )")
_UNDERLINE = re.compile(r"^\s*([-=~^*])\1{2,}\s*$")
_SKIPPED_FOLDERS = frozenset({"tests", "test", "testing", "idlelib", "lib2to3", "site-packages"})


@dataclass(frozen=True)
class Pair:
    """A query and the one document that answers it."""

    heading: str
    text: str


def heading_text_pairs(package: str, limit: int) -> list[Pair]:
    """At most `limit` pairs of an installed package, or of the standard library for `python`.

    The source is read, not imported. A heading or a text that occurs twice has no single right
    answer and is left out, and so is a heading that names the very function it belongs to when the
    text does too: finding a name is not finding a meaning. The choice among more than `limit`
    pairs hangs on the text alone, so that it is the same on every machine.
    """
    candidates = [
        pair
        for path in sorted(_sources(package))
        for name, docstring in _docstrings(path)
        if (pair := _pair(name, docstring))
    ]
    headings = Counter(_key(pair.heading) for pair in candidates)
    texts = Counter(_key(pair.text) for pair in candidates)
    pairs = [
        pair
        for pair in candidates
        if headings[_key(pair.heading)] == 1 and texts[_key(pair.text)] == 1
    ]
    pairs.sort(key=lambda pair: hashlib.sha256(pair.text.encode()).digest())
    return pairs[:limit]


def _sources(package: str) -> Iterator[Path]:
    if package == STANDARD_LIBRARY:
        root = Path(sysconfig.get_path("stdlib"))
    else:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"[{package}] is not an installed package")
        root = Path(spec.submodule_search_locations[0])
    for path in root.rglob("*.py"):
        if not _SKIPPED_FOLDERS.intersection(path.relative_to(root).parts):
            yield path


def _docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """The name and docstring of every function and class of a source file."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # templates and deliberately broken examples
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield node.name, inspect.cleandoc(docstring)


def _pair(name: str, docstring: str) -> Pair | None:
    first, _, rest = docstring.partition("\n\n")
    heading = " ".join(first.split())
    # What a program prints says little to a reader and much to a word counter.
    lines = [line for line in rest.splitlines() if not _is_decoration(line)]
    text = " ".join(" ".join(lines).split())
    if len(_WORD.findall(heading)) < MIN_HEADING_WORDS:
        return None
    if len(_WORD.findall(text)) < MIN_TEXT_WORDS:
        return None
    if name.lower() in _words(heading) and name.lower() in _words(text):
        return None
    return Pair(heading, text)


def _is_decoration(line: str) -> bool:
    return bool(_DOCTEST.match(line) or _UNDERLINE.match(line))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _key(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))
