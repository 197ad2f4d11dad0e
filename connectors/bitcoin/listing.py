"""Where a listing of transactions stands, newest first, and whether it is whole: by the number that was told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tracer.coverage import State


@dataclass(slots=True)
class Listing:
    """`total` transactions were told of after block `tip`; `seen` of them were given so far, the last one `last`.

    Each is older than the one before it, or in the same block and none of those `beside` it there. A short page is not
    the end, an empty one is.

    >>> listing = Listing(2, 100)
    >>> listing.take("bb", 90), listing.take("bb", 90), listing.turned("bb"), listing.verdict()[1]
    (True, False, None, 'it told of 2 transactions and gave 1')
    """

    total: int
    tip: int
    seen: int = 0
    rows: int = 0  # that were passed on
    last: str = ""
    height: int | None = None
    beside: set[str] = field(default_factory=set)
    bad: str = ""  # why one of them could not be read
    broken: str = ""  # why no more can be asked for

    def take(self, tx: str, height: int) -> bool:
        """Note one more; False for one that is to be left out: a repeat, or newer than what was told of."""
        if self.height is not None and height > self.height:
            self.broken = self.broken or f"its list is not in order: block {height} comes after block {self.height}"
        elif height == self.height and tx in self.beside:
            return False
        if height != self.height:
            self.height, self.beside = height, set()
        self.beside.add(tx)
        if height > self.tip:
            return False
        self.seen += 1
        return True

    def turned(self, last: str) -> None:
        """A page is at its end; `last` is its last transaction, "" if it was empty."""
        if last and last == self.last:
            self.broken = self.broken or f"it gives the page after {last} again and again"
        self.last = last

    @property
    def over(self) -> bool:
        """After an empty page, or one that leads nowhere."""
        return not self.last or bool(self.broken)

    def verdict(self) -> tuple[State | None, str]:
        """The state and its reason; None and "" if the listing is whole."""
        if self.broken or self.bad:
            return State.FAILED, self.broken or self.bad
        if self.seen < self.total:
            return State.CUT, f"it told of {self.total} transactions and gave {self.seen}"
        if self.seen > self.total:
            return State.FAILED, f"it told of {self.total} transactions and gave {self.seen}: one of the two is stale"
        return None, ""

    def rest(self) -> dict[str, Any]:
        """As plain data, for a cursor."""
        return {
            "total": self.total, "tip": self.tip, "seen": self.seen, "rows": self.rows, "last": self.last,
            "height": self.height, "beside": sorted(self.beside), "bad": self.bad,
        }  # fmt: skip

    @classmethod
    def of(cls, rest: dict[str, Any]) -> Listing:
        """The listing that a cursor of `rest` goes on with."""
        return cls(**{**rest, "beside": set(rest["beside"])})


__all__ = ["Listing"]
