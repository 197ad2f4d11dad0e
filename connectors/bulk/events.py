"""The index of events: what came to and left each holding, in order, each event in one record with its balance.

A record is 48 bytes: a reader brings some eighty of one holding in with one page. In 32-bit words, or 64 for amounts:

    0  ordinal    of the transfer
    1  time       of its block, UTC seconds
    2  other      the hid on the other side; 2**32 - 1 where there is none or several
    3  flags      the lower 8 bits, below; the upper 24: by how much its step's ordinal is smaller
    4  low, high  64 bits each: the units that came or left, gross
    8  before     64 bits each, low and high: what the holding held before the step that the event is part of

Flags: OUT it left (else it came); OWN part of a payment to oneself, which moves nothing; MULTI part of a transaction
that makes several transfers, which is one step and is netted; LEAD the first record of its step at this holding;
PASSED all that came in the step left in it, so that the step does not touch the holding unless it is one that is
never netted away; UNSURE neither `before` nor PASSED is stated, because something does not fit 128 bits; MANY a
transfer with more than one leg a side; TOLD a MULTI whose transfers are told in order of execution (`step:N`). Where
`low` and `high` are all ones, the amount is in the table `large`.

Events come in stretches of the ledger, each with its own files: what is added behind all there is makes a stretch of
its own, so that a little more does not cost the whole index. A step is never in two stretches.

What the balance means is `tracer.ledger.Ledger.balance_before`: it is never negative.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from connectors.bulk import event_kernels as kernels
from connectors.bulk.kernels import I32, U8, U32, U64
from tracer.errors import InputError

_LEAST, _MOST = 1_000_000, 4_000_000  # events in memory at a time, per thread
Put = Callable[[U64, int], None]  # takes records, and how many stand before them; asked by several threads at a time


@dataclass(frozen=True, slots=True)
class Columns:
    """What events are made from. `order` is empty where rows stand in order; `legs` is empty for accounts."""

    rows: U64
    legs: U64
    txs: U32
    order: U32
    sink: U8  # per holding
    fee: int  # the number of the position "fee"
    told: U8  # per position, whether it is one of an order of execution
    coins: bool
    forget: Callable[[], None]  # let go of memory in which `txs` is mapped


class Stretch(NamedTuple):
    """The events of some of the ledger: where each holding's start, and the records, as 64-bit words."""

    starts: U64
    records: U64


def build(columns: Columns, holdings: int, base: int, before: Sequence[Stretch], put: Put) -> tuple[U64, list[int]]:
    """(where each holding's events start, sinks that both paid and got); the records go to `put`, in any order.

    Of the transfers from the ordinal `base` on; `before` has all up to there.
    """
    count = columns.rows.shape[0]
    ends = np.empty((0 if columns.coins else count - base, 3), np.uint32)
    step = np.zeros(0 if columns.coins else count - base, np.uint32)
    shift = np.zeros(0, np.int32)
    counts = np.zeros(holdings, np.uint64)
    sides = np.zeros(holdings, np.uint8)
    if columns.coins:
        kernels.count_legs(columns.rows, columns.legs, base, counts)
    else:
        fee = np.uint64(columns.fee)
        furthest, mixed = kernels.prepare(columns.rows, columns.order, fee, columns.told, columns.txs, base, ends, step)
        if furthest >= 1 << 24:
            raise InputError(
                "a transaction makes more than 16 million transfers", "no chain has such: check the source"
            )
        if mixed:
            shift = np.zeros(len(step), np.int32)
            kernels.apart(ends, step, shift)
        columns.forget()  # all that is needed of them is in `ends`
        kernels.count_ends(ends, columns.sink, counts, sides)
    starts = np.zeros(holdings + 1, np.uint64)
    np.cumsum(counts, out=starts[1:])
    state = np.zeros((holdings if before else 0, 3), np.uint64)
    done = np.zeros(len(state), np.uint8)
    for stretch in reversed(before):
        kernels.close(stretch.records, stretch.starts, counts, columns.sink, state, done)
    # Only where steps are netted can what a sink paid and what it got belong to one step and cancel out.
    two_way = [] if columns.coins else [int(hid) for hid in np.flatnonzero(sides == 3)]
    _store(_Work(columns, ends, step, shift, base, state), starts, put)
    return starts, two_way


@dataclass(frozen=True, slots=True)
class _Work:
    """What all stretches of holdings are made from; `state` is each holding's balance before, if there was any."""

    columns: Columns
    ends: U32
    step: U32
    shift: I32
    base: int
    state: U64

    def fill(self, first: int, cursor: U64, at: int, end: int, found: U64) -> None:
        """The records of the holdings from `first` on, as many as `cursor` has but one, of the transfers at..end."""
        columns = self.columns
        if columns.coins:
            kernels.fill_legs(columns.rows, columns.legs, columns.order, columns.txs, first, cursor, at, end, found)
        else:
            ends, step, shift = self.ends, self.step, self.shift
            kernels.fill_ends(columns.rows, columns.order, ends, step, shift, self.base, first, cursor, at, end, found)

    def states(self, first: int, count: int) -> U64:
        """What these holdings had before."""
        return self.state[first : first + count].copy() if len(self.state) else np.zeros((count, 3), np.uint64)


def _store(work: _Work, starts: U64, put: Put) -> None:
    total = int(starts[-1])
    most = min(max(total // 10, _LEAST), _MOST)
    spare: list[U64] = []  # memory that was used before: to get new memory costs as much as to fill it

    def bucket(first: int, last: int) -> None:
        room = spare.pop() if spare else np.empty((min(most, total), 6), np.uint64)
        put(_bucket(work, starts[first : last + 1], first, room), int(starts[first]))
        spare.append(room)

    def hub(hid: int) -> None:
        at = int(starts[hid])
        for found in _hub(work, hid, most):
            put(found, at)
            at += len(found)

    with ThreadPoolExecutor(2) as threads:
        done = threads.map(lambda run: bucket(*run) if run[1] else hub(run[0]), _runs(starts, most))
        deque(done, maxlen=0)  # raises what one of them raised, and gives the others up


def _runs(starts: U64, most: int) -> Iterator[tuple[int, int]]:
    """(first, last): holdings that have up to `most` events together; (hid, 0): one that has more alone."""
    first = 0
    while first < len(starts) - 1:
        last = int(np.searchsorted(starts, starts[first] + np.uint64(most), "right")) - 1
        yield first, last if last > first else 0
        first = max(last, first + 1)


def _bucket(work: _Work, starts: U64, first: int, room: U64) -> U64:
    """All events of the holdings from `first` on, one for each but the last of `starts`; made in `room`."""
    found = room[: int(starts[-1] - starts[0])]
    bounds = starts - starts[0]
    work.fill(first, bounds.copy(), work.base, work.columns.rows.shape[0], found)
    count = len(starts) - 1
    kernels.balance(found, bounds, work.columns.sink[first : first + count].copy(), work.states(first, count))
    return found


def _hub(work: _Work, hid: int, most: int) -> Iterator[U64]:
    """The events of one holding that has more than fit: stretch by stretch, cut between transactions.

    Each takes the place of the one before it in memory.
    """
    columns, state = work.columns, work.states(hid, 1)
    total, at = columns.rows.shape[0], work.base
    sink = columns.sink[hid : hid + 1].copy()
    room = np.empty((0, 6), np.uint64)
    while at < total:
        end = kernels.boundary(columns.rows, columns.order, min(at + most // 2, total))
        cursor = np.zeros(2, np.uint64)
        needed = 2 * (end - at)
        if columns.coins:
            needed = kernels.legs_at(columns.rows, columns.legs, columns.order, at, end, hid)
        if needed > len(room):
            room = np.empty((needed, 6), np.uint64)
        work.fill(hid, cursor, at, end, room)
        found = room[: int(cursor[0])]
        kernels.balance(found, np.array([0, len(found)], np.uint64), sink, state)
        yield found
        at = end
