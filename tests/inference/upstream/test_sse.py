import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.upstream.sse import MOST_EVENT_BYTES, EventTooLarge, ServerEvent, read_events


def events(*pieces: bytes) -> list[ServerEvent]:
    return list(read_events(pieces))


def test_an_event_has_data_and_a_name() -> None:
    assert events(b"event: ping\ndata: 1\n\ndata: 2\n\n") == [
        ServerEvent("1", "ping"),
        ServerEvent("2"),
    ]


def test_lines_of_data_belong_together_and_comments_to_nobody() -> None:
    assert events(b": keep-alive\n\nid: 7\ndata:a\ndata: b\n\n") == [ServerEvent("a\nb")]


def test_an_event_that_is_cut_off_is_told() -> None:
    assert events(b"data: 1\n\ndata: {") == [ServerEvent("1"), ServerEvent("{")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@given(sizes=st.lists(st.integers(1, 5), min_size=1))
def test_pieces_may_be_cut_anywhere(end: bytes, sizes: list[int]) -> None:
    stream = end.join([b"event: m", "data: äöü".encode(), b"", b"data: [DONE]", b"", b""])
    pieces, at = list[bytes](), 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size

    assert events(*pieces) == [ServerEvent("äöü", "m"), ServerEvent("[DONE]")]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert events(b"\xef\xbb\xbfdata: 1\n\n") == [ServerEvent("1")]


def test_a_line_without_an_end_is_given_up() -> None:
    with pytest.raises(EventTooLarge):
        events(b"data: ", *[b"a" * (1 << 20)] * (1 + MOST_EVENT_BYTES // (1 << 20)))


def test_an_event_without_an_end_is_given_up() -> None:
    line = b"data: " + b"a" * 1000 + b"\n"

    with pytest.raises(EventTooLarge):
        events(*[line] * (MOST_EVENT_BYTES // 1000))


def test_a_stream_may_go_on_as_long_as_its_events_end() -> None:
    event = b"data: " + b"a" * (1 << 19) + b"\n\n"

    assert sum(1 for _ in read_events([event] * (3 * MOST_EVENT_BYTES // len(event)))) >= 23
