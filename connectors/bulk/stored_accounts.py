"""The account of a holding read from its records on disk, one column at a time: a question seldom needs them all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import compress, repeat
from operator import lshift, or_

from connectors.bulk.folder import EVENT_BYTES, FULL, OUT, OWN
from connectors.bulk.opened import Opened, Span
from tracer.accounts import Account

_WORDS, _LONGS = EVENT_BYTES // 4, EVENT_BYTES // 8
_IS_OUT = bytes(flags & OUT for flags in range(256))
_IS_OWN = bytes(flags & OWN != 0 for flags in range(256))
_IS_NOT_OWN = bytes(flags & OWN == 0 for flags in range(256))


class StoredAccount(Account):
    """An account chain's holding, a line for each record: for those whose steps make one transfer each.

    `own`: with the two records of each payment to itself.
    """

    def __init__(self, files: Opened, hid: int, own: bool = False) -> None:
        super().__init__()
        self._files, self._hid = files, hid
        self._spans: list[Span] = [files.fetch(span) for span in files.spans(hid)]
        flags = files.flags(self._spans)
        self._kept = None if own or not any(_IS_OWN[one] for one in set(flags)) else flags.translate(_IS_NOT_OWN)
        self._flags = flags if self._kept is None else bytes(compress(flags, self._kept))

    @cached_property
    def steps(self) -> Sequence[int]:
        """In which step each line stands."""
        return self._words(0)

    @cached_property
    def times(self) -> Sequence[int]:
        """The time of its block."""
        return self._words(1)

    @cached_property
    def others(self) -> Sequence[int]:
        """The hid of the far side."""
        return self._words(2)

    @cached_property
    def outs(self) -> bytes:
        """1 where units went out, 0 where they came."""
        return self._flags.translate(_IS_OUT)

    @cached_property
    def units(self) -> Sequence[int]:
        """How many units moved."""
        low, high = self._longs(2), self._longs(3)
        if not any(high):
            return low
        units = list(map(or_, low, map(lshift, high, repeat(64))))
        if FULL in high:
            most = FULL << 64 | FULL
            for place, step in enumerate(self.steps):
                if units[place] == most:
                    units[place] = self._large(step)
        return units

    @cached_property
    def own(self) -> bytes:
        """1 where it is a payment to itself."""
        return self._flags.translate(_IS_OWN)

    def _words(self, at: int) -> list[int]:
        found: list[int] = []
        for words, _, first, last in self._spans:
            found += words[_WORDS * first + at : _WORDS * last : _WORDS].tolist()
        return found if self._kept is None else list(compress(found, self._kept))

    def _longs(self, at: int) -> list[int]:
        found: list[int] = []
        for _, longs, first, last in self._spans:
            found += longs[_LONGS * first + at : _LONGS * last : _LONGS].tolist()
        return found if self._kept is None else list(compress(found, self._kept))

    def _large(self, ordinal: int) -> int:
        """An amount of 2**128 - 1 or above: it stands in a table of its own, or is exactly that."""
        (payer,), (payee,) = self._files.sides(self._files.row(ordinal))
        return payer.units if payer.hid == self._hid else payee.units
