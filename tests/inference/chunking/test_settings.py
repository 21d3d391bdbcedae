"""What `chunking_settings` accepts, and what it says about the rest."""

from typing import Any

import pytest

from inference.chunking.settings import SEPARATOR_GROUPS, parse_chunking
from inference.errors import InvalidArgument, InvalidSettings

SENTENCES = {"strategy": "sentence", "max_chunk_size": 20}
WORDS = {"strategy": "word", "max_chunk_size": 20}
RECURSIVE = {"strategy": "recursive", "max_chunk_size": 20}
PLAINTEXT = [r"(?<!\n)\n\n(?!\n)", r"(?<!\n)\n(?!\n)"]


@pytest.mark.parametrize("raw", [None, {}])
def test_nothing_given_means_sentences_of_up_to_250_words(raw: dict[str, Any] | None) -> None:
    expected = {"strategy": "sentence", "max_chunk_size": 250, "sentence_overlap": 1}
    assert parse_chunking(raw).to_response() == expected


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (SENTENCES, {**SENTENCES, "sentence_overlap": 1}),
        ({**SENTENCES, "sentence_overlap": 0}, {**SENTENCES, "sentence_overlap": 0}),
        ({**WORDS, "overlap": 10}, {**WORDS, "overlap": 10}),
        ({**WORDS, "max_chunk_size": 11, "overlap": 5}, {"max_chunk_size": 11, "overlap": 5}),
        (RECURSIVE, {**RECURSIVE, "separators": PLAINTEXT}),
        ({**RECURSIVE, "separator_group": " PlainText "}, {"separators": PLAINTEXT}),
        ({**RECURSIVE, "separators": ["-"]}, {"separators": ["-"]}),
        ({**RECURSIVE, "separators": ["-"] * 50}, {"separators": ["-"] * 50}),
        ({"strategy": "NONE"}, {"strategy": "none"}),
        ({**SENTENCES, "max_chunk_size": 5000}, {"max_chunk_size": 5000}),
    ],
)
def test_settings_are_shown_with_their_defaults(raw: dict[str, Any], shown: dict[str, Any]) -> None:
    response = parse_chunking(raw).to_response()
    response["separators"] = list(response.get("separators", ()))
    assert {**response, **shown} == response
    assert "separator_group" not in response


def test_the_markdown_group_begins_with_the_coarsest_heading() -> None:
    markdown = SEPARATOR_GROUPS["markdown"]
    assert [len(one) for one in markdown[:6]] == [3, 4, 5, 6, 7, 8]
    assert markdown[0] == "\n# "
    assert markdown[6:] == ["\n^(?!\\s*$).*\\n-{1,}\\n", "\n^(?!\\s*$).*\\n={1,}\\n"]


@pytest.mark.parametrize("strategy", [{"max_chunk_size": 20}, {"strategy": None, "overlap": 1}])
def test_a_chunker_needs_a_strategy(strategy: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="without a chunking strategy"):
        parse_chunking(strategy)


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(InvalidArgument, match=r"\[Paragraph\]"):
        parse_chunking({"strategy": "Paragraph"})


def mistyped(name: str, value: str, kind: str) -> str:
    return (
        f"field [{name}] is not of the expected type. "
        f"The value [{value}] cannot be converted to a [{kind}]"
    )


def refused(value: str, rule: str) -> str:
    return f"[chunking_settings] Invalid value [{value}]. {rule}"


MISSING = "[chunking_settings] does not contain the required setting [max_chunk_size]"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"strategy": "sentence"}, MISSING),
        ({"strategy": "word", "overlap": 0}, MISSING),
        ({"strategy": "recursive"}, MISSING),
        (WORDS, "[chunking_settings] does not contain the required setting [overlap]"),
        (
            {**SENTENCES, "max_chunk_size": 5},
            refused("5.0", "[max_chunk_size] must be a greater than or equal to [20.0]"),
        ),
        (
            {**WORDS, "max_chunk_size": 9, "overlap": -1},
            refused("9.0", "[max_chunk_size] must be a greater than or equal to [10.0]"),
        ),
        (
            {**RECURSIVE, "max_chunk_size": -2},
            refused("-2", "[max_chunk_size] must be a positive integer"),
        ),
        (
            {**WORDS, "overlap": 11},
            refused("11.0", "[overlap] must be a less than or equal to [10.0]"),
        ),
        ({**WORDS, "overlap": 0}, refused("0", "[overlap] must be a positive integer")),
        (
            {**SENTENCES, "sentence_overlap": 2},
            refused("2", "[sentence_overlap] must be either 0 or 1"),
        ),
        ({**SENTENCES, "max_chunk_size": "x"}, mistyped("max_chunk_size", "x", "Integer")),
        (
            {**SENTENCES, "max_chunk_size": 2**31},
            mistyped("max_chunk_size", "2147483648", "Integer"),
        ),
        ({**RECURSIVE, "separators": "x"}, mistyped("separators", "x", "List")),
        ({**RECURSIVE, "separator_group": 1}, mistyped("separator_group", "1", "String")),
        (
            {**SENTENCES, "overlap": 1, "x": 2},
            "Sentence based chunking settings can not have the following settings: [overlap, x]",
        ),
        (
            {**WORDS, "overlap": 1, "sentence_overlap": 1},
            "Word based chunking settings can not have the following settings: [sentence_overlap]",
        ),
        (
            {**RECURSIVE, "overlap": 1},
            "Recursive chunking settings can not have the following settings: [overlap]",
        ),
        (
            {"strategy": "none", "max_chunk_size": 9},
            "When chunking is disabled (none) chunking settings can not have the following "
            "settings: [max_chunk_size]",
        ),
        (
            {**RECURSIVE, "separators": ["-"], "separator_group": "plaintext"},
            "[chunking_settings] [separators] and [separator_group] cannot both be used",
        ),
        (
            {**RECURSIVE, "separator_group": "html"},
            "[chunking_settings] Invalid value [html] received. "
            "[separator_group] must be one of [markdown, plaintext]",
        ),
        (
            {**RECURSIVE, "separators": []},
            "Recursive chunking settings can not have an empty list of separators",
        ),
        (
            {**RECURSIVE, "separators": ["-"] * 51},
            "separators list size [51] must not exceed [50]",
        ),
    ],
)
def test_each_problem_is_told(raw: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        parse_chunking(raw)
    assert refusal.value.problems == (problem,)


def test_several_problems_are_told_together() -> None:
    with pytest.raises(InvalidSettings) as refusal:
        parse_chunking({**SENTENCES, "sentence_overlap": 2, "max_chunk_size": 1, "overlap": 3})
    assert len(refusal.value.problems) == 3


def test_a_service_may_limit_the_size() -> None:
    assert parse_chunking({**SENTENCES, "max_chunk_size": 300}, most=300)
    with pytest.raises(InvalidSettings, match=r"less than or equal to \[300.0\]"):
        parse_chunking({**SENTENCES, "max_chunk_size": 301}, most=300)
