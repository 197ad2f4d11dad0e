"""Machine code that makes the index of events: see `connectors.bulk.events` for what a record is.

The rules for arrays are those of `connectors.bulk.kernels`. A step's records stand together at each holding.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from connectors.bulk.folder import LEAD, MANY, MULTI, OUT, OWN, PASSED, TOLD, UNSURE
from connectors.bulk.kernels import FULL, HALF, I32, LOW, NONE, U8, U32, U64


@njit(cache=True, nogil=True)
def prepare(
    rows: U64, order: U32, fee: np.uint64, told: U8, txs: U32, base: int, ends: U32, step: U32
) -> tuple[int, bool]:
    """Payer, payee and time in the order of the ledger, and `distance to the step << 2 | TOLD << 1 | MULTI` of each.

    Returns the furthest distance, and whether a transfer of nothing stands among those of a step.
    """
    count = rows.shape[0]
    at = base
    furthest = 0
    mixed = False
    while at < count:
        tx = rows[order[at] if order.size else at, 0] & LOW
        end = at
        moved = 0
        first = last = 0
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
                last = end
                moved += 1
                if not told[np.int64(rows[row, 0] >> HALF)]:
                    executed = np.uint32(0)
            end += 1
        if moved > 1:
            mixed = mixed or last - first + 1 != moved
            for place in range(at, end):
                row = np.int64(order[place]) if order.size else place
                if rows[row, 0] >> HALF != fee and (rows[row, 2] | rows[row, 3]) != 0:
                    step[place - base] = (np.uint32(place - first) << np.uint32(2)) | executed | np.uint32(1)
                    furthest = max(furthest, place - first)
        at = end
    return furthest, mixed


@njit(cache=True, nogil=True)
def apart(ends: U32, step: U32, shift: I32) -> None:
    """Put what stands among a step's transfers without being one behind them: then steps come in their order.

    `shift` is by how much an entry's ordinal differs from its place.
    """
    at = 0
    while at < step.size:
        if not step[at] & np.uint32(1):
            at += 1
            continue
        first = at  # of a step; it goes on to the last entry whose distance leads here
        last = at
        place = at
        while place < step.size and place - first < (1 << 24):
            if step[place] & np.uint32(1):
                if np.int64(step[place] >> np.uint32(2)) != place - first:
                    break
                last = place
            elif ends[place, 2] != ends[first, 2]:
                break
            place += 1
        old_ends = ends[first : last + 1].copy()
        old_step = step[first : last + 1].copy()
        to = first
        for multi in (True, False):
            for place in range(old_step.size):
                if (old_step[place] & np.uint32(1) != 0) == multi:
                    ends[to] = old_ends[place]
                    step[to] = old_step[place]
                    shift[to] = first + place - to
                    to += 1
        at = last + 1


@njit(cache=True, nogil=True)
def count_ends(ends: U32, sink: U8, counts: U64, sides: U8) -> None:
    """How many events each holding has, and on which sides the sinks stand: 1 paid, 2 got."""
    for at in range(ends.shape[0]):
        for side in range(2):
            hid = ends[at, side]
            counts[hid] += np.uint64(1)
            if sink[hid]:
                sides[hid] |= 1 << side


@njit(cache=True, nogil=True)
def count_legs(rows: U64, legs: U64, base: int, counts: U64) -> None:
    """How many events each holding has, on a UTXO chain."""
    for row in range(base, rows.shape[0]):  # where `base` is not 0, rows stand in order
        start = np.int64(rows[row, 1] & np.uint64(0x7FFFFFFFFFFFFFFF))
        for leg in range(start, start + np.int64(rows[row, 2] >> HALF)):
            counts[np.int64(legs[leg, 0] & LOW)] += np.uint64(1)


@njit(cache=True, nogil=True)
def boundary(rows: U64, order: U32, at: int) -> int:
    """The first ordinal from `at` on that begins a transaction."""
    while at < rows.shape[0]:
        one = np.int64(order[at - 1]) if order.size else at - 1
        two = np.int64(order[at]) if order.size else at
        if rows[one, 0] & LOW != rows[two, 0] & LOW:
            break
        at += 1
    return at


@njit(cache=True, nogil=True)
def legs_at(rows: U64, legs: U64, order: U32, at: int, end: int, hid: int) -> int:
    """How many legs of the transfers at..end are of one holding."""
    found = 0
    for place in range(at, end):
        row = np.int64(order[place]) if order.size else place
        start = np.int64(rows[row, 1] & np.uint64(0x7FFFFFFFFFFFFFFF))
        for leg in range(start, start + np.int64(rows[row, 2] >> HALF)):
            if np.int64(legs[leg, 0] & LOW) == hid:
                found += 1
    return found


@njit(cache=True, nogil=True)
def fill_ends(
    rows: U64,
    order: U32,
    ends: U32,
    step: U32,
    shift: I32,
    base: int,
    first: int,
    cursor: U64,
    at: int,
    end: int,
    found: U64,
) -> None:
    """The records of the holdings from `first` on, of the transfers at..end; `cursor` is where each one's next goes."""
    low_hid = np.uint32(first)
    span = np.uint32(cursor.size - 1)
    for place in range(at, end):
        payer = ends[place - base, 0]
        payee = ends[place - base, 1]
        out = np.uint32(payer - low_hid) < span
        come = np.uint32(payee - low_hid) < span
        if not (out or come):
            continue
        ordinal = place + np.int64(shift[place - base]) if shift.size else place
        row = np.int64(order[ordinal]) if order.size else ordinal
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
            found[to, 0] = np.uint64(ordinal) | (time << HALF)
            found[to, 1] = np.uint64(other) | ((flags | np.uint64(OUT if side == 0 else 0)) << HALF)
            found[to, 2] = rows[row, 2]
            found[to, 3] = rows[row, 3]


@njit(cache=True, nogil=True)
def _same_ends(legs: U64, start: np.int64, inputs: np.int64, count: np.int64) -> bool:
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
def fill_legs(
    rows: U64, legs: U64, order: U32, txs: U32, first: int, cursor: U64, at: int, end: int, found: U64
) -> None:
    """As `fill_ends`, for a UTXO chain."""
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
    return sum_low, sum_high, bool(over or (carry and sum_high == 0))


@njit(cache=True, nogil=True)
def _step(found: U64, at: np.int64, last: np.int64, sink: np.uint8, low: np.uint64, high: np.uint64) -> tuple:  # type: ignore[type-arg]  # numba's
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
def balance(found: U64, bounds: U64, sink: U8, state: U64) -> None:
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
def close(found: U64, starts: U64, counts: U64, sink: U8, state: U64, done: U8) -> None:
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
        _end, low, high, over, _marks = _step(found, at, last, sink[hid], found[at, 4], found[at, 5])
        if over:
            state[hid, 2] = np.uint64(1)
        else:
            state[hid, 0], state[hid, 1] = low, high
