"""Paths into JSON, as far as the custom service knows them."""

from typing import Any

import pytest

from inference.services.json_paths import Path

NESTED = {"a": [{"b": [1, 2]}, {"b": [3]}], "c": {"d": {"e": "deep"}}, "n": None, "l": [1, None]}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.c.d.e", "deep"),
        ("  $.c.d.e ", "deep"),
        ("$.a[*].b", [[1, 2], [3]]),
        ("$.a[*].b[*]", [[1, 2], [3]]),
        ("$.a[*]", NESTED["a"]),
        ("$.l[*]", [1]),
        ("$", NESTED),
    ],
)
def test_a_path_finds_what_it_names_and_lists_stay_nested(path: str, found: Any) -> None:
    assert Path.parse(path).find(NESTED) == found


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a.b", "Path [a.b] must start with a dollar sign ($)"),
        ("$a", "Invalid path received [a], unable to extract a field name."),
        ("$..a", "Invalid path received [..a], unable to extract a field name."),
        ("$.", "Invalid path received [.], unable to extract a field name."),
        ("$.a[0]", "Invalid path received [[0]], unable to extract a field name."),
        ("$.a['b']", "Invalid path received [['b']], unable to extract a field name."),
        ("$" + "[*]" * 101, "Path has [101] fields, more than [100]"),
        ("$.a[*]b", "Invalid path received [b], unable to extract a field name."),
    ],
)
def test_nothing_else_is_a_path(path: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]ath") as told:
        Path.parse(path)

    assert str(told.value) == why


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("$.x", "Unable to find field [x] in map"),
        ("$.n", "Unable to find field [n] in map"),
        ("$.a[*].x", "Unable to find field [x] in map"),
        (
            "$.a.b",
            "Current path [.b] matched the dot field pattern but the current object is not a map, "
            "found invalid type [ArrayList] instead.",
        ),
        (
            "$.c[*].d",
            "Current path [[*].d] matched the array field pattern but the current object is not a "
            "list, found invalid type [LinkedHashMap] instead.",
        ),
        (
            "$.c.d.e[*]",
            "Current path [[*]] matched the array field pattern but the current object is not a "
            "list, found invalid type [String] instead.",
        ),
    ],
)
def test_what_is_not_there_is_told_with_the_rest_of_the_path(path: str, why: str) -> None:
    with pytest.raises(ValueError, match="field") as told:
        Path.parse(path).find(NESTED)

    assert str(told.value) == why


def test_it_names_the_lists_that_it_goes_through() -> None:
    assert Path.parse("$.data[*].embedding").fields == ("data", "data.embedding")
    assert Path.parse("$.data[*].embedding[*]").fields == ("data", "data.embedding")
    assert Path.parse("$.data").field(1) == "unknown"
