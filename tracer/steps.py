"""Which steps are visited, in order: looked up one holding after the other, or by a pass over all of the ledger.

One look-up takes as long as passing hundreds of rows. So where stolen value is nearly everywhere nothing is looked up
any more: the rows are passed, and the steps visited that touch a holding with stolen value in it. A step that touches
none moves nothing stolen, so when the one takes over from the other decides nothing but the time.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator

from tracer.ledger import Ledger

SOME = 1_024  # visits between one thought about it and the next; also, in look-ups' worth of rows, four times


class Steps:
    """The steps from `start` on that touch the holdings in `live`, which changes as they are visited.

    `look_up` is told after each visit which live holdings it touched; `queue` adds steps that are still to come.
    """

    def __init__(self, ledger: Ledger, start: Iterable[int], live: Collection[int]) -> None:
        self._ledger, self._live = ledger, live
        self._heap = sorted(start)
        self._queued = set(self._heap)
        self._passing = False

    def __iter__(self) -> Iterator[int]:
        visited, since = 0, 0
        while self._heap:
            step = heapq.heappop(self._heap)
            if step not in self._queued:  # visited in a pass
                continue
            self._queued.discard(step)
            yield step
            visited += 1
            if visited % SOME == 0:
                if pass_on(self._ledger, visited, step - since, len(self._ledger) - step):
                    yield from self._pass(step)
                since = step

    def queue(self, step: int | None) -> None:
        """Visit this step too."""
        if step is not None and step not in self._queued:
            self._queued.add(step)
            heapq.heappush(self._heap, step)

    def look_up(self, hid: int, step: int) -> None:
        """Visit the next step of a live holding; a pass comes to it by itself."""
        if not self._passing:
            self.queue(self._ledger.next_event(hid, step))

    def _pass(self, after: int) -> Iterator[int]:
        ledger, total = self._ledger, len(self._ledger)
        block = max(1, SOME * ledger.rows_per_look_up // 4)
        self._passing = True
        first = after + 1
        while first < total:
            end, visited = min(first + block, total), 0
            for step in ledger.passed(first, end, self._live, self._queued):
                if step > after:
                    after = step
                    visited += 1
                    self._queued.discard(step)
                    yield step
            if look_on(ledger, visited, end - first, len(self._live), total - end):
                break
            first = end
        self._passing = False
        if first < total:
            for hid in self._live:
                self.queue(ledger.next_event(hid, max(after, end - 1)))


def pass_on(ledger: Ledger, visited: int, rows: int, left: int) -> bool:
    """Whether to pass the rows that are `left`: all look-ups, `visited`, took as long as that twice, and the last ones,
    which came `rows` further, longer than passing would have.
    """
    worth = ledger.rows_per_look_up
    return visited * worth >= 2 * left and SOME * worth > rows


def look_on(ledger: Ledger, visited: int, rows: int, live: int, left: int) -> bool:
    """Whether to look up again: few of the `rows` passed were visited, and it pays to look all `live` holdings up."""
    worth = ledger.rows_per_look_up
    return 2 * visited * worth < rows and 2 * live * worth < left
