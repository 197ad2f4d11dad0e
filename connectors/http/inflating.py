"""Decompresses an answer piece by piece, so that little sent never becomes much kept."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

ACCEPTED = "gzip"  # all that we ask for; what comes in another coding is refused, and so is one in several
MOST_AT_ONCE = 1 << 16


class BadCoding(Exception):
    """The bytes are not what the answer says they are, or end too early."""


def inflated(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """The plain bytes of `pieces`, none longer than `MOST_AT_ONCE`. Raises `BadCoding`.

    An empty piece stands for one that came and gave nothing yet: so the caller can look at the clock.
    """
    if coding.strip().lower() in ("", "identity"):
        for piece in pieces:
            for at in range(0, len(piece), MOST_AT_ONCE):
                yield piece[at : at + MOST_AT_ONCE]
        return
    if coding.strip().lower() not in ("gzip", "x-gzip"):
        raise BadCoding(f"it is coded as {coding!r:.40}, which nobody asked for")
    unpacking, came = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    for piece in pieces:
        yield b""
        left, came = piece, came or bool(piece)
        while left:
            if unpacking.eof:
                unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)  # gzip files may follow one another
            try:
                yield unpacking.decompress(left, MOST_AT_ONCE)
            except zlib.error:
                raise BadCoding("it cannot be decompressed") from None
            left = unpacking.unused_data if unpacking.eof else unpacking.unconsumed_tail
    if came and not unpacking.eof:
        raise BadCoding("it is cut short")


__all__ = ["ACCEPTED", "MOST_AT_ONCE", "BadCoding", "inflated"]
