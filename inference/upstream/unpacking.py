"""Bodies that come packed: unpacked in small pieces, so that no few bytes fill the memory."""

import zlib
from collections.abc import Iterable, Iterator

import httpx

MOST_PIECE_BYTES = 64 * 1024
# What is asked for; a zlib stream is told from a gzip file by its head.
ENCODING = "gzip"
EITHER_HEAD = 32 + zlib.MAX_WBITS


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """A body as it was before it was packed.

    encoding: of the header `Content-Encoding`; empty where nothing is. Raises httpx.DecodingError.
    """
    match encoding.strip().lower():
        case "" | "identity":
            yield from pieces
        case "gzip" | "x-gzip" | "deflate":
            yield from _inflated(pieces)
        case _:
            raise httpx.DecodingError("packed as nobody asked for")


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(EITHER_HEAD)
    for rest in pieces:
        while rest:
            if unpacker.eof:
                unpacker = zlib.decompressobj(EITHER_HEAD)
            try:
                yield unpacker.decompress(rest, MOST_PIECE_BYTES)
            except zlib.error as exc:
                raise httpx.DecodingError(str(exc)) from None
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
