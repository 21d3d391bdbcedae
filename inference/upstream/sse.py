"""Server-sent events, read as they come in whatever pieces. Source: HTML standard, section 9.2."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_EVENT_BYTES = 4 * 1024 * 1024


class EventTooLarge(ValueError):
    """A line or an event that does not end."""

    def __init__(self) -> None:
        super().__init__(f"an event of a stream has more than {MOST_EVENT_BYTES} bytes")


@dataclass(frozen=True)
class ServerEvent:
    """name: `message` where the event has none of its own."""

    data: str
    name: str = "message"

    @property
    def is_done(self) -> bool:
        """Whether this is how OpenAI says that nothing more comes."""
        return self.data.strip().upper() == "[DONE]"


def read_events(pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
    """The events in a stream; one that is cut off at its end is still told.

    Raises EventTooLarge.
    """
    name, data, size = "", list[str](), 0
    for line in read_lines(pieces):
        if not line:
            if data:
                yield ServerEvent("\n".join(data), name or "message")
            name, data, size = "", [], 0
            continue
        size += len(line)
        if size > MOST_EVENT_BYTES:
            raise EventTooLarge
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
    if data:
        yield ServerEvent("\n".join(data), name or "message")


def read_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines of a stream, without their ends: CR, LF or both. A last one needs none."""
    rest = bytearray()
    for piece in pieces:
        has_end = b"\n" in piece or b"\r" in piece or rest.endswith(b"\r")
        rest += piece
        if has_end:
            # A CR at the end may be half of an end: what follows tells.
            lines = rest.splitlines(keepends=True)
            rest = bytearray() if lines[-1].endswith(b"\n") else lines.pop()
            yield from map(as_text, lines)
        if len(rest) > MOST_EVENT_BYTES:
            raise EventTooLarge
    if rest:
        yield as_text(rest)


def as_text(line: bytearray) -> str:
    return line.rstrip(b"\r\n").decode(errors="replace").removeprefix("\ufeff")
