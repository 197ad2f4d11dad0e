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

What the balance means is `tracer.ledger.Ledger.balance_before`: it is never negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def build(columns: Columns, holdings: int) -> tuple[U64, Iterator[U64], list[int]]:
    """(where each holding's events start, the records in order in pieces, sinks that both paid and got)."""
    count = columns.rows.shape[0]
    ends = np.empty((0 if columns.coins else count, 3), np.uint32)
    step = np.zeros(0 if columns.coins else count, np.uint32)
    counts = np.zeros(holdings, np.uint64)
    sides = np.zeros(holdings, np.uint8)
    if columns.coins:
        _count_legs(columns.rows, columns.legs, columns.sink, counts, sides)
    else:
        if _prepare(columns.rows, columns.order, np.uint64(columns.fee), columns.told, columns.txs, ends, step) >= 1 << 24:
            raise InputError("a transaction makes more than 16 million transfers", "no chain has such: check the source")
        columns.forget()  # all that is needed of them is in `ends`
        _count_ends(ends, columns.sink, counts, sides)
    starts = np.zeros(holdings + 1, np.uint64)
    np.cumsum(counts, out=starts[1:])
    # Only where steps are netted can what a sink paid and what it got belong to one step and cancel out.
    two_way = [] if columns.coins else [int(hid) for hid in np.flatnonzero(sides == 3)]
    return starts, _pieces(columns, starts, ends, step), two_way


def _pieces(columns: Columns, starts: U64, ends: U32, step: U32) -> Iterator[U64]:
    total = int(starts[-1])
    most = min(max(total // 10, _LEAST), _MOST)
    pending: list[Future[U64]] = []
    with ThreadPoolExecutor(2) as threads:
        first = 0
        while first < len(starts) - 1:
            last = int(np.searchsorted(starts, starts[first] + np.uint64(most), "right")) - 1
            if last > first:
                pending.append(threads.submit(_bucket, columns, starts[first : last + 1], ends, step, first))
                first = last
            else:
                while pending:
                    yield pending.pop(0).result()
                yield from _hub(columns, ends, step, first, most)
                first += 1
            while len(pending) > 2:
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()


def _bucket(columns: Columns, starts: U64, ends: U32, step: U32, first: int) -> U64:
    """All events of the holdings from `first` on, one for each but the last of `starts`."""
    found = np.empty((int(starts[-1] - starts[0]), 6), np.uint64)
    cursor = starts - starts[0]
    _fill(columns, ends, step, first, cursor, 0, columns.rows.shape[0], found)
    state = np.zeros(3, np.uint64)
    bounds = starts - starts[0]
    for_sinks = columns.sink[first : first + len(starts) - 1].copy()
    _balance(found, bounds, for_sinks, state, False)
    return found


def _hub(columns: Columns, ends: U32, step: U32, hid: int, most: int) -> Iterator[U64]:
    """The events of one holding that has more than fit: stretch by stretch, cut between transactions."""
    state = np.zeros(3, np.uint64)
    total, at = columns.rows.shape[0], 0
    sink = columns.sink[hid : hid + 1].copy()
    while at < total:
        end = _boundary(columns.rows, columns.order, min(at + most // 2, total))
        cursor = np.zeros(2, np.uint64)
        room = 2 * (end - at) if not columns.coins else _legs_at(columns.rows, columns.legs, columns.order, at, end, hid)
        found = np.empty((room, 6), np.uint64)
        _fill(columns, ends, step, hid, cursor, at, end, found)
        found = found[: int(cursor[0])]
        _balance(found, np.array([0, len(found)], np.uint64), sink, state, True)
        yield found
        at = end


def _fill(columns: Columns, ends: U32, step: U32, first: int, cursor: U64, at: int, end: int, found: U64) -> None:
    if columns.coins:
        _fill_legs(columns.rows, columns.legs, columns.order, columns.txs, first, cursor, at, end, found)
    else:
        _fill_ends(columns.rows, columns.order, ends, step, first, cursor, at, end, found)


@njit(cache=True, nogil=True)
def _prepare(rows: U64, order: U32, fee: np.uint64, told: U8, txs: U32, ends: U32, step: U32) -> int:
    """Payer, payee and time in the order of the ledger; for each transfer `distance to its step << 2 | TOLD << 1 | MULTI`."""
    count = rows.shape[0]
    at = 0
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
            ends[end, 0] = rows[row, 1] & LOW
            ends[end, 1] = rows[row, 1] >> HALF
            ends[end, 2] = txs[np.int64(tx), 9]
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
                    step[place] = (np.uint32(place - first) << np.uint32(2)) | executed | np.uint32(1)
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
def _count_legs(rows: U64, legs: U64, sink: U8, counts: U64, sides: U8) -> None:
    for row in range(rows.shape[0]):
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
    rows: U64, order: U32, ends: U32, step: U32, first: int, cursor: U64, at: int, end: int, found: U64
) -> None:
    low_hid = np.uint32(first)
    span = np.uint32(cursor.size - 1)
    for place in range(at, end):
        payer = ends[place, 0]
        payee = ends[place, 1]
        out = np.uint32(payer - low_hid) < span
        come = np.uint32(payee - low_hid) < span
        if not (out or come):
            continue
        row = np.int64(order[place]) if order.size else place
        time = np.uint64(ends[place, 2])
        flags = np.uint64(step[place] >> np.uint32(2)) << np.uint64(8)
        if step[place] & np.uint32(1):
            flags |= np.uint64(MULTI)
        if step[place] & np.uint32(2):
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
def _balance(found: U64, bounds: U64, sink: U8, state: U64, go_on: bool) -> None:
    """Walk each holding's events step by step and note what it held before each.

    `state` (low, high, is unsure) is where the walk starts if it goes on from an earlier stretch, and where it ended.
    """
    one = np.uint64(1)
    for which in range(bounds.size - 1):
        if not go_on:
            state[:] = 0
        low, high, unsure = state[0], state[1], state[2]
        at = np.int64(bounds[which])
        last = np.int64(bounds[which + 1])
        while at < last:
            step = (found[at, 0] & LOW) - (found[at, 1] >> np.uint64(40))
            paid_low = paid_high = got_low = got_high = np.uint64(0)
            own = False
            end = at
            while end < last and (found[end, 0] & LOW) - (found[end, 1] >> np.uint64(40)) == step:
                found[end, 4] = low
                found[end, 5] = high
                flags = np.int64(found[end, 1] >> HALF)
                if found[end, 2] == FULL and found[end, 3] == FULL:
                    unsure = one
                if flags & OWN:
                    own = True
                elif flags & OUT:
                    paid_low += found[end, 2]
                    carry = one if paid_low < found[end, 2] else np.uint64(0)
                    before = paid_high
                    paid_high += found[end, 3] + carry
                    if paid_high < before or (found[end, 3] == FULL and carry):
                        unsure = one
                else:
                    got_low += found[end, 2]
                    carry = one if got_low < found[end, 2] else np.uint64(0)
                    before = got_high
                    got_high += found[end, 3] + carry
                    if got_high < before or (found[end, 3] == FULL and carry):
                        unsure = one
                end += 1
            flags = np.int64(found[at, 1] >> HALF)
            marks = np.uint64(0)
            if flags & MULTI and not sink[which]:
                same = paid_low == got_low and paid_high == got_high and (paid_low | paid_high) != 0
                # Where sums do not fit, equal remainders prove nothing: the reader adds them up itself.
                if same and not own and not unsure:
                    marks |= np.uint64(PASSED)
                if paid_high > got_high or (paid_high == got_high and paid_low >= got_low):
                    borrow = one if paid_low < got_low else np.uint64(0)
                    paid_low -= got_low
                    paid_high -= got_high + borrow
                    got_low = got_high = np.uint64(0)
                else:
                    borrow = one if got_low < paid_low else np.uint64(0)
                    got_low -= paid_low
                    got_high -= paid_high + borrow
                    paid_low = paid_high = np.uint64(0)
            if paid_high > high or (paid_high == high and paid_low >= low):
                low = high = np.uint64(0)
            else:
                borrow = one if low < paid_low else np.uint64(0)
                low -= paid_low
                high -= paid_high + borrow
            low += got_low
            carry = one if low < got_low else np.uint64(0)
            before = high
            high += got_high + carry
            if high < before or (got_high == FULL and carry):
                unsure = one
            if unsure:
                marks |= np.uint64(UNSURE)
                low = high = np.uint64(0)
            found[at, 1] |= np.uint64(LEAD) << HALF
            for place in range(at, end):
                found[place, 1] |= marks << HALF
            at = end
        state[0], state[1], state[2] = low, high, unsure
