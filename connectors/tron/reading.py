"""Where a reading of TronGrid's lists stands: what follows a page, and when a list is at its end for certain.

TronGrid's fingerprints get lost, pages repeat, and a list may stop early. So a list is at its end only when the same
list, asked newest first, shows nothing after what was read. Where that shows more, reading goes on by time, from the
moment it had come to, rows of that moment included; a moment that cannot be passed so is a gap that is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tracer.errors import InputError

INNER = "/internal-transactions"
LISTS = ("/transactions", "/transactions/trc20", INNER)
MOST_IDLE = 3  # answers that bring nothing new, one after the other, until the moment is given up


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list as the reading sees it: when (milliseconds), and what tells it from the others."""

    ms: int
    id: str


UNREADABLE = Row(-1, "")  # a row that tells no time or name


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reading stands. `begin` and `end` are its first and last moment, milliseconds, both included.

    `upto` is the moment that the list at `at` was read to, `seen` its rows of that moment. `gap` says what is missing,
    `gap_block` the last block before it (-1: not known); `bad_block` the lowest block with a row that cannot be read.
    """

    begin: int
    end: int
    at: int = 0
    since: int = 0
    fingerprint: str = ""
    upto: int = -1
    seen: tuple[str, ...] = ()
    idle: int = 0
    rows: int = 0
    gap: str = ""
    gap_block: int = -1
    bad: int = 0
    bad_block: int = -1
    internal: bool = True
    doubt: str = ""

    @classmethod
    def starting(cls, begin: int, end: int, doubt: str = "") -> Place:
        """The beginning. `doubt` is why the lists may not reach the end, "" where it was shown that they do."""
        return cls(begin, end, since=begin, doubt=doubt)

    @classmethod
    def of(cls, rest: dict[str, Any]) -> Place:
        """Back from `plain`. Raises `InputError`."""
        try:
            return cls(**{**rest, "seen": tuple(rest["seen"])})
        except (TypeError, KeyError):
            raise InputError("the cursor is not one of TronGrid's", "read the history from its beginning") from None

    def plain(self) -> dict[str, Any]:
        """As plain data, for a cursor."""
        return {**asdict(self), "seen": list(self.seen)}

    @property
    def path(self) -> str:
        """The list that is read now."""
        return LISTS[self.at]

    @property
    def reached(self) -> int:
        """The moment from which the rest of the list lies."""
        return max(self.upto, self.begin)

    @property
    def done(self) -> bool:
        """Whether all lists were read."""
        return self.at == len(LISTS)

    def asking(self) -> dict[str, str]:
        """The filters of the next page; with a fingerprint all of them are sent again."""
        asked = {
            "only_confirmed": "true", "order_by": "block_timestamp,asc",
            "min_timestamp": str(self.since), "max_timestamp": str(self.end),
        }  # fmt: skip
        return {**asked, "fingerprint": self.fingerprint} if self.fingerprint else asked

    def newest(self) -> dict[str, str]:
        """The filters that show the newest rows first, down to the moment that was read to."""
        return {
            "only_confirmed": "true", "order_by": "block_timestamp,desc",
            "min_timestamp": str(self.reached), "max_timestamp": str(self.end),
        }  # fmt: skip

    def fresh(self, rows: Sequence[Row]) -> list[int]:
        """The places of the rows that the page before did not have."""
        seen = set(self.seen)
        return [at for at, row in enumerate(rows) if self.begin <= row.ms <= self.end and row.id not in seen]

    def later(self, rows: Sequence[Row]) -> list[int]:
        """The places of rows that lie after what was read."""
        return [at for at in self.fresh(rows) if rows[at].ms >= self.upto]

    def read(self, rows: Sequence[Row]) -> Place:
        """After these rows of the list were read; `idle` counts answers without a new one."""
        new = self.later(rows)
        if not new:
            return replace(self, idle=self.idle + 1)
        upto = max(rows[at].ms for at in new)
        seen = {row.id for row in rows if row.ms == upto} | (set(self.seen) if upto == self.upto else set())
        return replace(self, upto=upto, seen=tuple(sorted(seen)), rows=self.rows + len(new), idle=0)

    def with_gap(self, why: str, block: int) -> Place:
        """With something missing after `block`, -1 where that is not known; the earliest gap counts."""
        if self.gap and self.gap_block <= block:
            return self
        return replace(self, gap=why, gap_block=block)

    def with_bad(self, blocks: Iterable[int]) -> Place:
        """With rows that cannot be read, in these blocks: -1 for one whose block is not told."""
        found = list(blocks)
        lowest = min([*found, *([self.bad_block] if self.bad else [])], default=-1)
        return replace(self, bad=self.bad + len(found), bad_block=lowest)

    def follow(self, fingerprint: str) -> Place:
        """On to the next page, as the answer says."""
        return replace(self, fingerprint=fingerprint)

    def by_time(self, since: int) -> Place:
        """On by time, without a fingerprint."""
        return replace(self, since=since, fingerprint="")

    def next_list(self) -> Place:
        """On to the next list."""
        return replace(self, at=self.at + 1, since=self.begin, fingerprint="", upto=-1, seen=(), idle=0)


__all__ = ["INNER", "LISTS", "MOST_IDLE", "UNREADABLE", "Place", "Row"]
