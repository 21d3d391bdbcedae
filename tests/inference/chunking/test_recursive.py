"""Chunks cut at separators, the coarse ones first."""

import time

import pytest

from inference.chunking.separator import Separator, TimeLimit
from inference.errors import InvalidArgument
from tests.inference.chunking.support import offsets

PARAGRAPHS = (
    "Intro para with five words\n\nSecond para has a few more words in it\n\n"
    "Third para line one\nThird para line two goes on\n\nLast."
)
HEADINGS = (
    "# Guide\nIntro text here.\n## Install\nRun the setup command and wait for it.\n"
    "## Use\nCall the API with your key now please.\n# Help\nAsk us."
)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (10, [[0, 26], [26, 66], [66, 87], [87, 115], [115, 122]]),
        (12, [[0, 26], [26, 66], [66, 115], [115, 122]]),
    ],
)
def test_paragraphs_are_cut_before_lines(size: int, expected: list[list[int]]) -> None:
    assert len(PARAGRAPHS) == 122
    assert offsets(PARAGRAPHS, "recursive", max_chunk_size=size) == expected
    grouped = offsets(PARAGRAPHS, "recursive", max_chunk_size=size, separator_group="plaintext")
    assert grouped == expected


def test_first_headings_are_cut_before_second_ones() -> None:
    assert len(HEADINGS) == 135
    spans = offsets(HEADINGS, "recursive", max_chunk_size=10, separator_group="markdown")
    assert spans == [[0, 24], [24, 74], [74, 120], [120, 135]]


def test_what_no_separator_cuts_is_cut_into_sentences() -> None:
    text = "One two three four five six. Seven eight nine ten eleven twelve."
    spans = offsets(text, "recursive", max_chunk_size=10, separators=["@"])
    assert spans == [[0, 29], [29, 64]]


def test_offsets_count_utf16_units_after_a_separator() -> None:
    half = "😀 one two three four five six"
    spans = offsets(f"{half}#{half}", "recursive", max_chunk_size=10, separators=["#"])
    assert spans == [[0, 30], [30, 61]]


def starts(expression: str, text: str) -> list[int]:
    return Separator(expression).starts(text, TimeLimit.for_length(len(text)))


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        ("^b", "a\nb", [2]),
        ("^", "a\rb\u2028c\n", [0, 2, 4]),
        ("$", "a\r\nb\x85", [1, 4, 5]),
        ("a.", "a\rab", [2]),
        (r"\d", "٣3", [1]),
        (r"[\w]", "éa", [1]),
        (r"\bé", " é", []),
        ("[a-z&&[^b]]", "ba", [1]),
        (r"\Q.*\E", "a.*", [1]),
        (r"x\z", "x\nx", [2]),
        (r"b\Z", "b\n", [0]),
        ("(?s)a.b", "a\nb", [0]),
        ("|ab", "ab", [0, 1, 2]),
        ("[.^$]", "a.^$", [1, 2, 3]),
        ("(?<=a)b", "ab", [1]),
        (r"(?<x>a)b\k<x>", "aba", [0]),
        (r"[^\w]", "aé b", [1, 2]),
        (r"[^\W]", "éa", [1]),
        (r"\W", "aé", [1]),
        (r"\D", "٣3", [0]),
        (r"\s", "\xa0 \u2003\x0b", [1, 3]),
        (r"\S", "\xa0 a", [0, 2]),
        (r"\h", "a\xa0\u2003\n", [1, 2]),
        (r"\H", "\xa0a", [1]),
        (r"\v", "a\x0b\u2028", [1, 2]),
        (r"\V", "\n\x85a", [2]),
        (r"\R", "a\r\nb\u2028", [1, 4]),
        (r"\B", "éa", [0]),
        (r"\ba", "éa a", [1, 3]),
        (r"\p{Alpha}", "éa", [1]),
        (r"\P{Alpha}", "aé", [1]),
        (r"[\p{Punct}]", "a“-~", [2, 3]),
        (r"\p{L}", "1é", [1]),
        (r"\p{IsCyrillic}", "aЖ", [1]),
        ("(?i)é", "Éé", [1]),
        ("(?i)A", "a", [0]),
        ("(?i)ss", "ß", []),
        ("[]x]", "a]x", [1, 2]),
        ("[^]x].", "]xa\r]b", [3]),
        ("[||~~]", "a|~", [1, 2]),
        ("[+--]", "+,-.", [0, 1, 2]),
        ("[[:alpha:]]", "b:a", [1, 2]),
        (r"\x{1F600}", "a😀", [1]),
        (r"\x41\u0042", "AB", [0]),
        (r"\101|\.", "a.", [1]),
        ("a++b", "aab", [0]),
        (r"(?m)^b", "a\nb", [2]),
    ],
)
def test_expressions_mean_what_they_mean_in_java(
    expression: str, text: str, expected: list[int]
) -> None:
    assert starts(expression, text) == expected


def test_a_look_behind_sees_nothing_before_its_piece() -> None:
    text = "a a a a a a#b b b b b b#c c c c c c c c c c c"
    spans = offsets(text, "recursive", max_chunk_size=10, separators=["#", "(?<=b)#", r"(?<=\bb)#"])
    assert spans[:2] == [[0, 11], [11, 23]]


def test_a_broken_expression_is_the_callers_mistake() -> None:
    with pytest.raises(InvalidArgument, match=r"separator regex \[\(\]"):
        offsets("one two " * 9, "recursive", max_chunk_size=10, separators=["("])


@pytest.mark.parametrize(
    "expression",
    ["((a{1000}){1000}){1000}", "[ab]{100000000}", "(" * 3000 + ")" * 3000, r"a\Kb", r"\mb", "a**"],
)
def test_an_expression_that_java_refuses_or_that_takes_too_much_is_refused_at_once(
    expression: str,
) -> None:
    with pytest.raises(InvalidArgument, match="Invalid chunk separator regex"):
        Separator(expression)


def test_an_expression_of_exponential_time_is_stopped() -> None:
    limit = TimeLimit(time.monotonic() + 0.05)
    with pytest.raises(InvalidArgument, match="exceeded the time limit"):
        Separator("(?:a|aa)+[bc]").starts("a" * 80 + "!", limit)


def test_neighbours_that_fill_a_chunk_exactly_are_joined() -> None:
    text = "a a a a a. #b b b b b. #c c c c c c."
    assert offsets(text, "recursive", max_chunk_size=10, separators=["#"])[0] == [0, 23]


def test_sentences_of_a_later_piece_keep_their_place() -> None:
    text = "Aa b c.#Aa b c d e f. Bb c d e f g."
    spans = offsets(text, "recursive", max_chunk_size=10, separators=["#"])
    assert spans == [[0, 7], [7, 22], [22, 35]]
