"""Machine code for the loops of an ingest that run once a row: hash tables, and telling repeats from new rows.

Compiled by numba at the first use and kept on disk. Every array is C-contiguous and writable and of the types named
here, so that each function is compiled for one signature only. 32-bit fields that hold nothing are 2**32 - 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from connectors.bulk.tables import MIX as _MIX

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

MIX = np.uint64(_MIX)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
ONE = np.uint64(1)
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
NONE = np.uint32(0xFFFFFFFF)
AHEAD = 128  # keys hashed ahead of their turn: their slots are fetched from memory together, not one by one

# What became of a row
ADDED, REPEATED, CONTRADICTS, MISPLACED, COMPARE = 0, 1, 2, 3, 4
# What became of a row's transaction: fine, in another block, at another place, its place now told
FINE, ELSEWHERE, OTHER_PLACE, NOW_TOLD = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def tags(keys: U32, tail: U32, with_tail: bool, salt: np.uint64, first: int, last: int, found: U64) -> None:
    """The tags of the keys `first`..`last`, each followed by its word of `tail` if so asked."""
    for i in range(first, last):
        mixed = salt
        for j in range(keys.shape[1]):
            mixed = (mixed ^ np.uint64(keys[i, j])) * MIX
            mixed ^= mixed >> HALF
        if with_tail:
            mixed = (mixed ^ np.uint64(tail[i])) * MIX
            mixed ^= mixed >> HALF
        found[i - first] = (mixed * MIX) >> HALF


@njit(cache=True, nogil=True)
def grown(slots: U64, bits: int) -> U64:
    """The same table with 2**bits slots."""
    more = np.zeros(1 << bits, np.uint64)
    mask = np.int64((1 << bits) - 1)
    shift = np.uint64(32 - bits)
    for slot in slots:
        if slot:
            at = np.int64((slot >> HALF) >> shift)
            while more[at]:
                at = (at + 1) & mask
            more[at] = slot
    return more


@njit(cache=True, nogil=True)
def newer(slots: U64, sealed: int) -> U64:
    """The slots of the records from number `sealed` on, as they come."""
    count = 0
    for slot in slots:
        if np.int64(slot & LOW) > sealed:
            count += 1
    found = np.empty(count, np.uint64)
    count = 0
    for slot in slots:
        if np.int64(slot & LOW) > sealed:
            found[count] = slot
            count += 1
    return found


@njit(cache=True, nogil=True)
def merge(slots: U64, more: U64, keys: U32, width: int) -> None:
    """Put the slots of `more` into the table, in the place of the one with the same key: `width` words of `keys`.

    0 where none of the keys is there already.
    """
    mask = np.int64(slots.size - 1)
    shift = HALF
    while slots.size > (1 << (32 - np.int64(shift))):
        shift -= ONE
    for slot in more:
        if not slot:
            continue
        at = np.int64((slot >> HALF) >> shift)
        while slots[at]:
            if width and slots[at] >> HALF == slot >> HALF:
                one, two = np.int64((slots[at] & LOW) - ONE), np.int64((slot & LOW) - ONE)
                same = True
                for j in range(width):
                    if keys[one, j] != keys[two, j]:
                        same = False
                        break
                if same:
                    break
            at = (at + 1) & mask
        slots[at] = slot


@njit(cache=True, nogil=True)
def take_transactions(
    keys: U32, block: U32, time: U32, index: I32, slots: U64, txs: U32, count: int, sealed: int, salt: np.uint64,
    ids: U32, state: U8,
) -> int:  # fmt: skip
    """Number each row's transaction (`ids`) and compare block, time and place with what is known of it (`state`).

    A place that was not told before is noted at once, but for the first `sealed` transactions, which the manifest
    speaks of: there the state is NOW_TOLD. Returns how many transactions there are now.
    """
    mask = np.int64(slots.size - 1)
    shift = HALF
    while slots.size > (1 << (32 - np.int64(shift))):
        shift -= ONE
    ahead = np.empty(AHEAD, np.uint64)
    peek = np.empty(AHEAD, np.uint64)
    for start in range(0, keys.shape[0], AHEAD):
        end = min(start + AHEAD, keys.shape[0])
        tags(keys, ids, False, salt, start, end, ahead)
        for i in range(end - start):
            peek[i] = slots[np.int64(ahead[i] >> shift)]
        for i in range(start, end):
            tag = ahead[i - start]
            at = np.int64(tag >> shift)
            known = np.int64(-1)
            while slots[at]:
                if slots[at] >> HALF == tag:
                    id = np.int64((slots[at] & LOW) - ONE)
                    same = True
                    for j in range(8):
                        if txs[id, j] != keys[i, j]:
                            same = False
                            break
                    if same:
                        known = id
                        break
                at = (at + 1) & mask
            state[i] = FINE
            if known < 0:
                for j in range(8):
                    txs[count, j] = keys[i, j]
                txs[count, 8] = block[i]
                txs[count, 9] = time[i]
                txs[count, 10] = np.uint32(index[i])
                txs[count, 11] = NONE
                slots[at] = (tag << HALF) | np.uint64(count + 1)
                known = np.int64(count)
                count += 1
            elif txs[known, 8] != block[i] or txs[known, 9] != time[i]:
                state[i] = ELSEWHERE
            elif index[i] >= 0 and txs[known, 10] != np.uint32(index[i]):
                if txs[known, 10] != NONE:
                    state[i] = OTHER_PLACE
                elif known < sealed:
                    state[i] = NOW_TOLD
                else:
                    txs[known, 10] = np.uint32(index[i])
            ids[i] = known
    return count


@njit(cache=True, nogil=True)
def take_holdings(
    keys: U32, kind: U32, slots: U64, heads: U64, chained: bool, holdings: U32, count: int, salt: np.uint64, hids: U32,
    origin: U32,
) -> int:  # fmt: skip
    """Number each row's holding (`hids`), which is a key and a `kind` (asset | sink code << 24).

    `heads` finds the latest holding of an address, which points to the one before (where `chained`). The row that
    holding `count + i` was made from is `origin[i]`. Returns how many holdings there are now.
    """
    width = keys.shape[1]
    mask = np.int64(slots.size - 1)
    head_mask = np.int64(heads.size - 1)
    shift = HALF
    while slots.size > (1 << (32 - np.int64(shift))):
        shift -= ONE
    head_shift = HALF
    while heads.size > (1 << (32 - np.int64(head_shift))):
        head_shift -= ONE
    before = count
    ahead = np.empty(AHEAD, np.uint64)
    peek = np.empty(AHEAD, np.uint64)
    one = np.empty(1, np.uint64)
    touched = np.uint32(0)
    for start in range(0, keys.shape[0], AHEAD):
        end = min(start + AHEAD, keys.shape[0])
        tags(keys, kind, True, salt, start, end, ahead)
        for i in range(end - start):
            peek[i] = slots[np.int64(ahead[i] >> shift)]
        for i in range(end - start):
            if peek[i] and peek[i] >> HALF == ahead[i]:
                touched ^= holdings[np.int64((peek[i] & LOW) - ONE), 0]
        for i in range(start, end):
            tag = ahead[i - start]
            at = np.int64(tag >> shift)
            known = np.int64(-1)
            while slots[at]:
                if slots[at] >> HALF == tag:
                    hid = np.int64((slots[at] & LOW) - ONE)
                    same = holdings[hid, width] == kind[i]
                    for j in range(width):
                        if holdings[hid, j] != keys[i, j]:
                            same = False
                            break
                    if same:
                        known = hid
                        break
                at = (at + 1) & mask
            if known < 0:
                for j in range(width):
                    holdings[count, j] = keys[i, j]
                holdings[count, width] = kind[i]
                holdings[count, width + 1] = NONE
                slots[at] = (tag << HALF) | np.uint64(count + 1)
                origin[count - before] = i
                if chained and kind[i] < np.uint32(1 << 24):
                    tags(keys, kind, False, salt, i, i + 1, one)
                    at = np.int64(one[0] >> head_shift)
                    while heads[at]:
                        if heads[at] >> HALF == one[0]:
                            hid = np.int64((heads[at] & LOW) - ONE)
                            same = True
                            for j in range(width):
                                if holdings[hid, j] != keys[i, j]:
                                    same = False
                                    break
                            if same:
                                holdings[count, width + 1] = hid
                                break
                        at = (at + 1) & head_mask
                    heads[at] = (one[0] << HALF) | np.uint64(count + 1)
                known = np.int64(count)
                count += 1
            hids[i] = known
    peek[0] = touched  # or the compiler leaves the fetching out
    return count


@njit(cache=True, nogil=True)
def take_rows(
    ids: U32, state: U8, position: U32, payer: U32, payee: U32, low: U64, high: U64, number: U64, txs: U32, rows: U64,
    slots: U64, salt: np.uint64, fresh: U64, outcome: U8, twin: U32,
) -> int:  # fmt: skip
    """Tell new rows from repeats and contradictions; the new ones, as records, come to stand in `fresh`.

    A transaction's first row is named by the transaction; further ones are found through `slots` by transaction and
    position. `number` is the last word of a record: source and row in the file. `twin` is the row that a repeat
    repeats. Amounts that are all ones may stand in the table of large ones: COMPARE. Returns how many are new.
    """
    mask = np.int64(slots.size - 1)
    shift = HALF
    while slots.size > (1 << (32 - np.int64(shift))):
        shift -= ONE
    base = rows.shape[0]
    key = np.empty((1, 2), np.uint32)
    one = np.empty(1, np.uint64)
    count = 0
    for i in range(ids.size):
        id = ids[i]
        if state[i] == ELSEWHERE or state[i] == OTHER_PLACE:
            outcome[i] = MISPLACED
            twin[i] = txs[id, 11]
            continue
        name = np.uint64(id) | (np.uint64(position[i]) << HALF)
        ends = np.uint64(payer[i]) | (np.uint64(payee[i]) << HALF)
        known = np.int64(-1)
        first = np.int64(txs[id, 11])
        at = np.int64(-1)
        if txs[id, 11] != NONE:
            there = rows[first, 0] if first < base else fresh[first - base, 0]
            if there == name:
                known = first
            else:
                key[0, 0] = id
                key[0, 1] = position[i]
                tags(key, txs[0], False, salt, 0, 1, one)
                at = np.int64(one[0] >> shift)
                while slots[at]:
                    if slots[at] >> HALF == one[0]:
                        row = np.int64((slots[at] & LOW) - ONE)
                        there = rows[row, 0] if row < base else fresh[row - base, 0]
                        if there == name:
                            known = row
                            break
                    at = (at + 1) & mask
        if known < 0:
            fresh[count, 0] = name
            fresh[count, 1] = ends
            fresh[count, 2] = low[i]
            fresh[count, 3] = high[i]
            fresh[count, 4] = number[i]
            if at < 0:
                txs[id, 11] = base + count
            else:
                slots[at] = (one[0] << HALF) | np.uint64(base + count + 1)
            twin[i] = base + count
            outcome[i] = ADDED
            count += 1
            continue
        twin[i] = known
        if known < base:
            same = rows[known, 1] == ends and rows[known, 2] == low[i] and rows[known, 3] == high[i]
        else:
            same = (
                fresh[known - base, 1] == ends
                and fresh[known - base, 2] == low[i]
                and fresh[known - base, 3] == high[i]
            )
        outcome[i] = REPEATED if same else CONTRADICTS
        if same and low[i] == FULL and high[i] == FULL:
            outcome[i] = COMPARE
    return count
