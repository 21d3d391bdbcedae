from typing import Any

import pytest

from tests.endpoints.conftest import Api, refused, told

PATH = "/_inference/_chunk"
CATS = (
    "Cats sleep all day long. Dogs run in the park every single morning. "
    "Birds sing songs at dawn. Fish swim in cold deep water. Cows graze."
)


def test_the_chunks_come_with_their_places(api: Api) -> None:
    settings = {"strategy": "sentence", "max_chunk_size": 20, "sentence_overlap": 0}

    chunks = told(api("POST", PATH, {"input": CATS, "chunking_settings": settings}))["chunks"]

    assert [(one["start_offset"], one["end_offset"]) for one in chunks] == [(0, 94), (94, 135)]
    assert [one["text"] for one in chunks] == [CATS[:94], CATS[94:]]


def test_offsets_count_as_java_does(api: Api) -> None:
    (one,) = told(api("POST", PATH, {"input": "\N{ROCKET} up"}))["chunks"]

    assert one == {"start_offset": 0, "end_offset": 5, "text": "\N{ROCKET} up"}


def test_an_empty_text_is_one_empty_chunk(api: Api) -> None:
    answer = told(api("POST", PATH, {"input": ""}))

    assert answer == {"chunks": [{"start_offset": 0, "end_offset": 0, "text": ""}]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "parse_exception"),
        ({}, "x_content_parse_exception"),
        ({"input": ["a"]}, "x_content_parse_exception"),
        ({"input": "a", "chunks": 3}, "x_content_parse_exception"),
        ({"input": "a", "chunking_settings": {"max_chunk_size": 20}}, "illegal_argument_exception"),
        ({"input": "a", "chunking_settings": {"strategy": "word"}}, "validation_exception"),
    ],
)
def test_a_bad_body_is_refused(api: Api, body: Any, kind: str) -> None:
    assert refused(api("POST", PATH, body)) == (400, kind)


def test_a_separator_that_would_take_too_long_is_refused_in_words(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.chunking.separator.LEAST_LIMIT_S", 0.05)
    settings = {"strategy": "recursive", "max_chunk_size": 10, "separators": ["(?:a|aa)+[bc]"]}

    answer = api("POST", PATH, {"input": "a " * 20 + "a" * 80, "chunking_settings": settings})

    assert refused(answer) == (400, "illegal_argument_exception")
    assert b"(?:a|aa)+[bc]] has exceeded the time limit" in answer.content
