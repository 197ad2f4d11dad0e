"""The account of a holding in columns: what a question about thousands of lines reads, without an object a line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import compress
from typing import NamedTuple, TypeVar

_Value = TypeVar("_Value")


class Entry(NamedTuple):
    """One line of a holding's account: `units` came in, or went `out`, at `step`; `other` is the far side's hid.

    A step that deals with several others has a line for each, with what that other one got or paid; units of several
    payers together are not told apart, so a line's units may also be others'.
    """

    step: int
    time: int
    other: int
    out: bool
    units: int


class Account:
    """Columns of equal length, a line at each place, in order. `outs` is 1 where units went out, else 0.

    >>> account = Account([Entry(0, 1_600_000_000, 7, False, 60), Entry(3, 1_600_000_100, 8, True, 50)])
    >>> account.others, list(account.paid(account.others)), list(account.came(account.units))
    ([7, 8], [8], [60])
    """

    def __init__(self, entries: Collection[Entry] = ()) -> None:
        self._entries = entries

    @cached_property
    def steps(self) -> Sequence[int]:
        """In which step each line stands."""
        return [entry.step for entry in self._entries]

    @cached_property
    def times(self) -> Sequence[int]:
        """The time of its block (UTC seconds)."""
        return [entry.time for entry in self._entries]

    @cached_property
    def others(self) -> Sequence[int]:
        """The hid of the far side."""
        return [entry.other for entry in self._entries]

    @cached_property
    def outs(self) -> bytes:
        """1 where units went out, 0 where they came."""
        return bytes(entry.out for entry in self._entries)

    @cached_property
    def units(self) -> Sequence[int]:
        """How many units moved."""
        return [entry.units for entry in self._entries]

    def paid(self, column: Iterable[_Value]) -> Iterator[_Value]:
        """Of a column the lines on which units went out."""
        return compress(column, self.outs)

    def came(self, column: Iterable[_Value]) -> Iterator[_Value]:
        """Of a column the lines on which units came."""
        return compress(column, self.outs.translate(_OTHER_WAY))


_OTHER_WAY = bytes((1, 0)).ljust(256, b"\0")
