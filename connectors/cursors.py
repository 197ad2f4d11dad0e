"""Which pages come after a cursor, where a source knows all pages of a history before it gives the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tracer.errors import InputError

SomePage = TypeVar("SomePage")


def pages_after(pages: Sequence[SomePage], cursors: Sequence[str], after: str, source: str) -> Sequence[SomePage]:
    """The pages after the one with the cursor `after`, all of them for "". `cursors` are of all pages but the last.

    >>> pages_after(["first", "second", "last"], ["1", "2"], "1", "file:here")
    ['second', 'last']
    >>> pages_after(["first", "second", "last"], ["1", "2"], "3", "file:here")
    Traceback (most recent call last):
    tracer.errors.InputError: file:here has no page after '3'
    """
    if not after:
        return pages
    if after not in cursors:
        raise InputError(f"{source} has no page after {after!r:.60}", "read the history from its beginning")
    return pages[cursors.index(after) + 1 :]


__all__ = ["pages_after"]
