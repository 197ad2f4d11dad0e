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
transfer with more than one leg a side; TOLD a MULTI whose transfers are told in order of execution (`step:N`). Where `low` and `high` are all ones, the amount is in the table `large`.

Events come in stretches of the ledger, each with its own files: what is added behind all there is makes a stretch of
its own, so that a little more does not cost the whole index. A step is never in two stretches.

What the balance means is `tracer.ledger.Ledger.balance_before`: it is never negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from connectors.bulk.kernels import FULL, HALF, LOW, NONE, U8, U32, U64
from tracer.errors import InputError

OUT, OWN, MULTI, LEAD, PASSED, UNSURE, MANY, TOLD = 1, 2, 4, 8, 16, 32, 64, 128
BYTES = 48
_LEAST, _MOST = 1_000_000, 4_000_000  # events in memory at a time, per thread


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


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events of some of the ledger: where each holding's start, and the records, as 64-bit words."""

    starts: U64
    records: U64


def build(
    columns: Columns, holdings: int, base: int, before: Sequence[Stretch]
) -> tuple[U64, Iterator[U64], list[int]]:
    """(where each holding's events start, the records in order in pieces, sinks that both paid and got).

    Of the transfers from the ordinal `base` on; `before` has all up to there.
    """
    count = columns.rows.shape[0]
    ends = np.empty((0 if columns.coins else count - base, 3), np.uint32)
    step = np.zeros(0 if columns.coins else count - base, np.uint32)
    counts = np.zeros(holdings, np.uint64)
    sides = np.zeros(holdings, np.uint8)
    if columns.coins:
        _count_legs(columns.rows, columns.legs, base, counts)
    else:
        fee = np.uint64(columns.fee)
        if _prepare(columns.rows, columns.order, fee, columns.told, columns.txs, base, ends, step) >= 1 << 24:
            raise InputError(
                "a transaction makes more than 16 million transfers", "no chain has such: check the source"
            )
        columns.forget()  # all that is needed of them is in `ends`
        _count_ends(ends, columns.sink, counts, sides)
    starts = np.zeros(holdings + 1, np.uint64)
    np.cumsum(counts, out=starts[1:])
    state = np.zeros((holdings if before else 0, 3), np.uint64)
    done = np.zeros(len(state), np.uint8)
    for stretch in reversed(before):
        _close(stretch.records, stretch.starts, counts, columns.sink, state, done)
    # Only where steps are netted can what a sink paid and what it got belong to one step and cancel out.
    two_way = [] if columns.coins else [int(hid) for hid in np.flatnonzero(sides == 3)]
    return starts, _pieces(_Work(columns, ends, step, base, state), starts), two_way


@dataclass(frozen=True, slots=True)
class _Work:
    """What all stretches of holdings are made from; `state` is each holding's balance before, if there was any."""

    columns: Columns
    ends: U32
    step: U32
    base: int
    state: U64

    def fill(self, first: int, cursor: U64, at: int, end: int, found: U64) -> None:
        """The records of the holdings from `first` on, as many as `cursor` has but one, of the transfers at..end."""
        columns = self.columns
        if columns.coins:
            _fill_legs(columns.rows, columns.legs, columns.order, columns.txs, first, cursor, at, end, found)
        else:
            _fill_ends(columns.rows, columns.order, self.ends, self.step, self.base, first, cursor, at, end, found)

    def states(self, first: int, count: int) -> U64:
        """What these holdings had before."""
        return self.state[first : first + count].copy() if len(self.state) else np.zeros((count, 3), np.uint64)


def _pieces(work: _Work, starts: U64) -> Iterator[U64]:
    total = int(starts[-1])
    most = min(max(total // 10, _LEAST), _MOST)
    pending: list[Future[U64]] = []
    with ThreadPoolExecutor(2) as threads:
        first = 0
        while first < len(starts) - 1:
            last = int(np.searchsorted(starts, starts[first] + np.uint64(most), "right")) - 1
            if last > first:
                pending.append(threads.submit(_bucket, work, starts[first : last + 1], first))
                first = last
            else:
                while pending:
                    yield pending.pop(0).result()
                yield from _hub(work, first, most)
                first += 1
            while len(pending) > 2:
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()


def _bucket(work: _Work, starts: U64, first: int) -> U64:
    """All events of the holdings from `first` on, one for each but the last of `starts`."""
    found = np.empty((int(starts[-1] - starts[0]), 6), np.uint64)
    bounds = starts - starts[0]
    work.fill(first, bounds.copy(), work.base, work.columns.rows.shape[0], found)
    count = len(starts) - 1
    _balance(found, bounds, work.columns.sink[first : first + count].copy(), work.states(first, count))
    return found


def _hub(work: _Work, hid: int, most: int) -> Iterator[U64]:
    """The events of one holding that has more than fit: stretch by stretch, cut between transactions."""
    columns, state = work.columns, work.states(hid, 1)
    total, at = columns.rows.shape[0], work.base
    sink = columns.sink[hid : hid + 1].copy()
    while at < total:
        end = _boundary(columns.rows, columns.order, min(at + most // 2, total))
        cursor = np.zeros(2, np.uint64)
        room = (
            2 * (end - at) if not columns.coins else _legs_at(columns.rows, columns.legs, columns.order, at, end, hid)
        )
        found = np.empty((room, 6), np.uint64)
        work.fill(hid, cursor, at, end, found)
        found = found[: int(cursor[0])]
        _balance(found, np.array([0, len(found)], np.uint64), sink, state)
        yield found
        at = end


@njit(cache=True, nogil=True)
def _prepare(rows: U64, order: U32, fee: np.uint64, told: U8, txs: U32, base: int, ends: U32, step: U32) -> int:
    """Payer, payee and time in the order of the ledger; for each transfer `distance to its step << 2 | TOLD << 1 | MULTI`."""
    count = rows.shape[0]
    at = base
    furthest = 0
    while at < count:
        tx = rows[order[at] if order.size else at, 0] & LOW
        end = at
        moved = 0
        first = 0
        executed = np.uint32(2)
        while end < count:
            row = np.int64(order[end]) if order.size else end
            if rows[row, 0] & LOW != tx:
                break
            ends[end - base, 0] = rows[row, 1] & LOW
            ends[end - base, 1] = rows[row, 1] >> HALF
            ends[end - base, 2] = txs[np.int64(tx), 9]
            if rows[row, 0] >> HALF != fee and (rows[row, 2] | rows[row, 3]) != 0:
                if moved == 0:
                    first = end
                moved += 1
                if not told[np.int64(rows[row, 0] >> HALF)]:
                    executed = np.uint32(0)
            end += 1
        if moved > 1:
            for place in range(at, end):
                row = np.int64(order[place]) if order.size else place
                if rows[row, 0] >> HALF != fee and (rows[row, 2] | rows[row, 3]) != 0:
                    step[place - base] = (np.uint32(place - first) << np.uint32(2)) | executed | np.uint32(1)
                    furthest = max(furthest, place - first)
        at = end
    return furthest


@njit(cache=True, nogil=True)
def _count_ends(ends: U32, sink: U8, counts: U64, sides: U8) -> None:
    for at in range(ends.shape[0]):
        for side in range(2):
            hid = ends[at, side]
            counts[hid] += np.uint64(1)
            if sink[hid]:
                sides[hid] |= 1 << side


@njit(cache=True, nogil=True)
def _count_legs(rows: U64, legs: U64, base: int, counts: U64) -> None:
    for row in range(base, rows.shape[0]):  # where `base` is not 0, rows stand in order
        start = np.int64(rows[row, 1] & np.uint64(0x7FFFFFFFFFFFFFFF))
        for leg in range(start, start + np.int64(rows[row, 2] >> HALF)):
            counts[np.int64(legs[leg, 0] & LOW)] += np.uint64(1)


@njit(cache=True, nogil=True)
def _boundary(rows: U64, order: U32, at: int) -> int:
    """The first ordinal from `at` on that begins a transaction."""
    while at < rows.shape[0]:
        one = np.int64(order[at - 1]) if order.size else at - 1
        two = np.int64(order[at]) if order.size else at
        if rows[one, 0] & LOW != rows[two, 0] & LOW:
            break
        at += 1
    return at


@njit(cache=True, nogil=True)
def _legs_at(rows: U64, legs: U64, order: U32, at: int, end: int, hid: int) -> int:
    found = 0
    for place in range(at, end):
        row = np.int64(order[place]) if order.size else place
        start = np.int64(rows[row, 1] & np.uint64(0x7FFFFFFFFFFFFFFF))
        for leg in range(start, start + np.int64(rows[row, 2] >> HALF)):
            if np.int64(legs[leg, 0] & LOW) == hid:
                found += 1
    return found


@njit(cache=True, nogil=True)
def _fill_ends(
    rows: U64, order: U32, ends: U32, step: U32, base: int, first: int, cursor: U64, at: int, end: int, found: U64
) -> None:
    low_hid = np.uint32(first)
    span = np.uint32(cursor.size - 1)
    for place in range(at, end):
        payer = ends[place - base, 0]
        payee = ends[place - base, 1]
        out = np.uint32(payer - low_hid) < span
        come = np.uint32(payee - low_hid) < span
        if not (out or come):
            continue
        row = np.int64(order[place]) if order.size else place
        time = np.uint64(ends[place - base, 2])
        flags = np.uint64(step[place - base] >> np.uint32(2)) << np.uint64(8)
        if step[place - base] & np.uint32(1):
            flags |= np.uint64(MULTI)
        if step[place - base] & np.uint32(2):
            flags |= np.uint64(TOLD)
        if payer == payee:
            flags |= np.uint64(OWN)
        for side in range(2):
            if (side == 0 and not out) or (side == 1 and not come):
                continue
            hid = np.int64(payer if side == 0 else payee) - first
            other = payee if side == 0 else payer
            to = np.int64(cursor[hid])
            cursor[hid] += np.uint64(1)
            found[to, 0] = np.uint64(place) | (time << HALF)
            found[to, 1] = np.uint64(other) | ((flags | np.uint64(OUT if side == 0 else 0)) << HALF)
            found[to, 2] = rows[row, 2]
            found[to, 3] = rows[row, 3]


@njit(cache=True, nogil=True)
def _same_ends(legs: U64, start: int, inputs: int, count: int) -> bool:
    """Whether inputs and outputs are of the same holdings: such a transfer moves nothing."""
    for side in range(2):
        first, last = (start, start + inputs) if side == 0 else (start + inputs, start + count)
        from_, to = (start + inputs, start + count) if side == 0 else (start, start + inputs)
        for leg in range(first, last):
            found = False
            for other in range(from_, to):
                if legs[leg, 0] & LOW == legs[other, 0] & LOW:
                    found = True
                    break
            if not found:
                return False
    return True


@njit(cache=True, nogil=True)
def _fill_legs(
    rows: U64, legs: U64, order: U32, txs: U32, first: int, cursor: U64, at: int, end: int, found: U64
) -> None:
    span = cursor.size - 1
    for place in range(at, end):
        row = np.int64(order[place]) if order.size else place
        start = np.int64(rows[row, 1] & np.uint64(0x7FFFFFFFFFFFFFFF))
        inputs = np.int64(rows[row, 2] & LOW)
        count = np.int64(rows[row, 2] >> HALF)
        flags = np.uint64(0)
        looked = False
        for leg in range(start, start + count):
            hid = np.int64(legs[leg, 0] & LOW) - first
            if hid < 0 or hid >= span:
                continue
            if not looked:
                looked = True
                if count != 2:
                    flags |= np.uint64(MANY)
                if _same_ends(legs, start, inputs, count):
                    flags |= np.uint64(OWN)
            other = np.uint64(NONE)
            if count == 2:
                other = legs[start + 1 if leg == start else start, 0] & LOW
            to = np.int64(cursor[hid])
            cursor[hid] += np.uint64(1)
            out = np.uint64(OUT if leg < start + inputs else 0)
            time = np.uint64(txs[np.int64(rows[row, 0] & LOW), 9])
            found[to, 0] = np.uint64(place) | (time << HALF)
            found[to, 1] = other | ((flags | out) << HALF)
            found[to, 2] = legs[leg, 1]
            found[to, 3] = legs[leg, 2]


@njit(cache=True, nogil=True)
def _added(
    low: np.uint64, high: np.uint64, more_low: np.uint64, more_high: np.uint64
) -> tuple[np.uint64, np.uint64, bool]:
    """The sum in 128 bits, and whether it did not fit."""
    sum_low = low + more_low
    carry = np.uint64(1) if sum_low < more_low else np.uint64(0)
    sum_high = high + more_high
    over = sum_high < more_high
    sum_high += carry
    return sum_low, sum_high, over or (carry and sum_high == 0)


@njit(cache=True, nogil=True)
def _step(found: U64, at: int, last: int, sink: np.uint8, low: np.uint64, high: np.uint64) -> tuple:  # type: ignore[type-arg]
    """(end of the step at `at`, balance after it, whether something does not fit 128 bits, marks for its records)."""
    step = (found[at, 0] & LOW) - (found[at, 1] >> np.uint64(40))
    nothing = np.uint64(0)
    paid_low, paid_high, got_low, got_high = nothing, nothing, nothing, nothing
    own = False
    unsure = False
    end = at
    while end < last and (found[end, 0] & LOW) - (found[end, 1] >> np.uint64(40)) == step:
        flags = np.int64(found[end, 1] >> HALF)
        if found[end, 2] == FULL and found[end, 3] == FULL:
            unsure = True
        over = False
        if flags & OWN:
            own = True
        elif flags & OUT:
            paid_low, paid_high, over = _added(paid_low, paid_high, found[end, 2], found[end, 3])
        else:
            got_low, got_high, over = _added(got_low, got_high, found[end, 2], found[end, 3])
        unsure = unsure or over
        end += 1
    marks = nothing
    if np.int64(found[at, 1] >> HALF) & MULTI and not sink:
        same = paid_low == got_low and paid_high == got_high and (paid_low | paid_high) != nothing
        if same and not own:
            marks |= np.uint64(PASSED)
        if paid_high > got_high or (paid_high == got_high and paid_low >= got_low):
            borrow = np.uint64(1) if paid_low < got_low else nothing
            paid_low, paid_high = paid_low - got_low, paid_high - got_high - borrow
            got_low, got_high = nothing, nothing
        else:
            borrow = np.uint64(1) if got_low < paid_low else nothing
            got_low, got_high = got_low - paid_low, got_high - paid_high - borrow
            paid_low, paid_high = nothing, nothing
    if paid_high > high or (paid_high == high and paid_low >= low):
        low, high = nothing, nothing
    else:
        borrow = np.uint64(1) if low < paid_low else nothing
        low, high = low - paid_low, high - paid_high - borrow
    low, high, over = _added(low, high, got_low, got_high)
    return end, low, high, unsure or over, marks


@njit(cache=True, nogil=True)
def _balance(found: U64, bounds: U64, sink: U8, state: U64) -> None:
    """Walk each holding's events step by step and note what it held before each.

    `state` (low, high, is unsure; one a holding) is where the walk starts, and where it ended.
    """
    for which in range(bounds.size - 1):
        low, high = state[which, 0], state[which, 1]
        unsure = state[which, 2] != 0
        at = np.int64(bounds[which])
        last = np.int64(bounds[which + 1])
        while at < last:
            before_low, before_high = low, high
            end, low, high, over, marks = _step(found, at, last, sink[which], low, high)
            unsure = unsure or over
            if unsure:  # then equal remainders prove nothing either: the reader adds up itself
                marks = np.uint64(UNSURE)
                before_low = before_high = low = high = np.uint64(0)
            for place in range(at, end):
                found[place, 4], found[place, 5] = before_low, before_high
                found[place, 1] |= marks << HALF
            found[at, 1] |= np.uint64(LEAD) << HALF
            at = end
        state[which, 0], state[which, 1] = low, high
        state[which, 2] = np.uint64(1) if unsure else np.uint64(0)


@njit(cache=True, nogil=True)
def _close(found: U64, starts: U64, counts: U64, sink: U8, state: U64, done: U8) -> None:
    """What each holding that has further events held after its last one here, unless a later stretch told it."""
    for hid in range(starts.size - 1):
        first, last = np.int64(starts[hid]), np.int64(starts[hid + 1])
        if counts[hid] == 0 or done[hid] or first == last:
            continue
        done[hid] = 1
        at = last - 1
        if np.int64(found[at, 1] >> HALF) & UNSURE:
            state[hid, 2] = np.uint64(1)
            continue
        while at > first and not np.int64(found[at, 1] >> HALF) & LEAD:
            at -= 1
        _, low, high, over, _ = _step(found, at, last, sink[hid], found[at, 4], found[at, 5])
        if over:
            state[hid, 2] = np.uint64(1)
        else:
            state[hid, 0], state[hid, 1] = low, high
