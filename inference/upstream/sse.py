"""Server-sent events, read as they come in whatever pieces. Source: HTML standard, section 9.2."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST_LINE_BYTES = 4 * 1024 * 1024


class EventTooLarge(ValueError):
    """A line that does not end."""


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
    name, data = "", list[str]()
    for line in read_lines(pieces):
        if not line:
            if data:
                yield ServerEvent("\n".join(data), name or "message")
            name, data = "", []
            continue
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
    rest = b""
    for piece in pieces:
        rest += piece
        # A CR at the end may be half of an end: what follows tells.
        lines = rest.splitlines(keepends=True) if b"\n" in rest or b"\r" in rest else []
        if lines and not lines[-1].endswith(b"\n"):
            rest = lines.pop()
        elif lines:
            rest = b""
        for line in lines:
            yield as_text(line)
        if len(rest) > MOST_LINE_BYTES:
            raise EventTooLarge(f"a line of a stream has more than {MOST_LINE_BYTES} bytes")
    if rest:
        yield as_text(rest)


def as_text(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode(errors="replace").removeprefix("\ufeff")
