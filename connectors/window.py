"""The blocks that one reading of a live source covers: fixed when it begins, in each cursor and in the coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tracer.coverage import Coverage, Kind, State
from tracer.errors import InputError
from tracer.values import Address, Transfer


@dataclass(frozen=True, slots=True)
class Window:
    """Blocks `first` to `last`, both included. `tip` is the hash of `last`, `at` when it was the newest (UTC seconds).

    `final` is the newest block that the chain's finality rule called final then, None where the source cannot tell.

    >>> window = Window(0, 120, "0xab", 88, 1700000000)
    >>> Window.of(window.cursor(page=2)) == (window, {"page": 2})
    True
    """

    first: int
    last: int
    tip: str
    final: int | None
    at: int

    def cursor(self, **rest: Any) -> str:
        """A cursor of this reading; `rest`, plain data, says where in it."""
        own = {"first": self.first, "last": self.last, "tip": self.tip, "final": self.final, "at": self.at}
        return json.dumps({**own, "rest": rest}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of(cls, cursor: str) -> tuple[Window, dict[str, Any]]:
        """The reading that a cursor belongs to, and where in it. Raises `InputError` for what is no such cursor."""
        try:
            told = json.loads(cursor)
            rest = told.pop("rest")
            window = cls(**told)
            numbers = (window.first, window.last, window.at, 0 if window.final is None else window.final)
            if not (all(type(one) is int for one in numbers) and type(window.tip) is str and type(rest) is dict):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            hint = "read the history from its beginning"
            raise InputError(f"no cursor of this source: {cursor!r:.80}", hint) from None
        return window, rest

    def final_of(self, transfers: Iterable[Transfer]) -> tuple[Transfer, ...]:
        """Those in blocks that were final: what is left of a page once the others may be of a chain that is no more."""
        return tuple(one for one in transfers if self.final is not None and one.block.number <= self.final)

    def coverage(
        self, address: Address, kinds: Iterable[Kind], source: str, *, rows: int, evidence: str = "", reason: str = "",
        state: State | None = None, last: int | None = None,
    ) -> Coverage:  # fmt: skip
        """What the reading says of `address` once it is at its end.

        READ, or EMPTY without rows, unless `state` says otherwise; then `reason` says why, and `last` is the last
        block that was read completely, None where none was. READ and EMPTY, stated or not, are of the whole window.
        """
        whole = state in (None, State.READ, State.EMPTY)
        return Coverage(
            address, state or (State.READ if rows else State.EMPTY), frozenset(kinds), source, evidence,
            first=self.first, last=self.last if whole else last, as_of=self.at, rows=rows, reason=reason,
            final=self.final if whole else None, tip=self.tip if whole else "",
        )  # fmt: skip


__all__ = ["Window"]
