"""Reads one list of Etherscan's in steps of whole blocks, until nothing is left or the service shows no more.

A listing is asked for oldest first, from a block to the last block of the reading, a page at a time. A full page is
taken up to the block before the one it ends in, where the next step starts. A page that is not full proves nothing: one
more request asks for the row after its last, and only if there is none, that was the end. A block with more rows than a
page is read in pages of its own; where the service shows no more of it, that is a gap, and it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connectors.etherscan.asking import BeyondWindow, Rows
from connectors.protocol import Evidence

PAGE = 1_000  # rows asked for: what the free plan gives, https://docs.etherscan.io (since 2026-07-01)

#: (first block, last block, page from 1, rows a page) -> the answer. Raises `BeyondWindow`.
Ask = Callable[[int, int, int, int], Rows]
BlockOf = Callable[[object], int | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A row, and how a transfer cites it: by its answer, and its number there, from 1."""

    told: object
    cited: str


@dataclass(frozen=True, slots=True)
class Step:
    """The rows of whole blocks from `first` on, and the block where the next step starts, None at the end.

    `gap` says why the listing ends here though there is more; then the blocks up to `complete` are whole. `cap` is how
    many rows the service gives where it gives fewer than it was asked for, 0 where that was not seen.
    """

    rows: tuple[Row, ...]
    answers: tuple[Evidence, ...]
    next: int | None
    complete: int
    cap: int = 0
    gap: str = ""


class Listing:
    """One list about one address, up to block `last`."""

    def __init__(self, ask: Ask, block_of: BlockOf, last: int) -> None:
        self._ask, self._block_of, self._last = ask, block_of, last
        self._size = PAGE

    def step(self, first: int, cap: int = 0) -> Step:
        """The step that starts at block `first`. Raises `SourceError`."""
        page = self._first(first)
        rows, answers = _numbered([page]), [page.evidence]
        if page.partial:
            return Step(rows, tuple(answers), None, first - 1, cap, page.partial)
        if not rows:
            return Step((), tuple(answers), None, self._last, cap)
        blocks = [number for row in rows if (number := self._inside(row, first)) is not None]
        if not blocks:
            gap = f"it was asked for blocks {first} to {self._last} and gave others"
            return Step(rows, tuple(answers), None, first - 1, cap, gap)
        size, newest = len(rows), max(blocks)
        if size < self._size and size != cap:
            more = self._beyond(first, self._last, size, answers)
            if more is False:
                return Step(rows, tuple(answers), None, self._last, cap)
            cap = size if more else cap
        if blocks != sorted(blocks):  # what a cut leaves out is then not known
            return Step(rows, tuple(answers), None, first - 1, cap, "its rows are not in the order they were asked for")
        if newest > first:
            kept = tuple(row for row in rows if self._inside(row, first) != newest)
            return Step(kept, tuple(answers), newest, newest - 1, cap)
        return self._block(first, page, answers, cap)

    def _first(self, first: int) -> Rows:
        """The first page from block `first` on; smaller ones are asked for where the service refuses large ones."""
        while True:
            try:
                return self._ask(first, self._last, 1, self._size)
            except BeyondWindow:
                self._size //= 2
                if not self._size:
                    raise

    def _block(self, block: int, page: Rows, answers: list[Evidence], cap: int) -> Step:
        """All of one block that fills a page on its own."""
        pages, size = [page], len(page.rows)
        gap = ""
        while True:
            try:
                page = self._ask(block, block, len(pages) + 1, size)
            except BeyondWindow:
                gap = "no more of them are shown"
                break
            answers.append(page.evidence)
            if page.partial or (page.rows and page.evidence.id == pages[-1].evidence.id):
                gap = page.partial or "the same page comes again and again"
                break
            if not page.rows:
                break
            pages.append(page)
            if len(page.rows) < size:
                if self._beyond(block, block, sum(len(one.rows) for one in pages), answers) is not False:
                    gap = "its pages are of different lengths"
                break
        rows = _numbered(pages)
        if gap:
            told = f"of the rows of block {block} {len(rows):,} were read: {gap}"
            return Step(rows, tuple(answers), None, block - 1, cap, told)
        following = block + 1 if block < self._last else None
        return Step(rows, tuple(answers), following, block, cap)

    def _beyond(self, first: int, last: int, rows: int, answers: list[Evidence]) -> bool | None:
        """Whether the listing has a row after that many; None where the service does not say."""
        try:
            page = self._ask(first, last, rows + 1, 1)
        except BeyondWindow:
            return None
        answers.append(page.evidence)
        return bool(page.rows) or (None if page.partial else False)

    def _inside(self, row: Row, first: int) -> int | None:
        """The row's block, None where it cannot be read or was not asked for."""
        number = self._block_of(row.told)
        return number if number is not None and first <= number <= self._last else None


def _numbered(pages: Iterable[Rows]) -> tuple[Row, ...]:
    named = ((page, page.evidence.id) for page in pages)
    return tuple(Row(told, f"{name}#{number}") for page, name in named for number, told in enumerate(page.rows, 1))


__all__ = ["PAGE", "Listing", "Row", "Step"]
