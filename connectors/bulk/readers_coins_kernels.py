"""Loops over the legs of coin transactions, compiled: sums, and legs set out as the storage takes them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@njit(cache=True, nogil=True)
def begin_with(data: U8, starts: I64, ends: I64, prefix: U8, found: Flags) -> None:
    """Set `found` where a cell begins with `prefix`."""
    for i in range(len(starts)):
        same = ends[i] - starts[i] >= len(prefix)
        for at in range(len(prefix)):
            same = same and data[starts[i] + at] == prefix[at]
        found[i] = same


@njit(cache=True, nogil=True)
def summed(start: I64, units: U64, low: U64, high: U64) -> None:
    """What the legs `start[i]` to `start[i + 1]` add up to; 2**64 of them would be needed to pass 128 bits."""
    for i in range(len(low)):
        for leg in range(start[i], start[i + 1]):
            low[i] += units[leg]
            if low[i] < units[leg]:
                high[i] += np.uint64(1)


@njit(cache=True, nogil=True)
def all_good(start: I64, legs: Flags, good: Flags) -> None:
    """Clear `good` of a row that has a leg that is not."""
    for i in range(len(good)):
        for leg in range(start[i], start[i + 1]):
            good[i] &= legs[leg]


@njit(cache=True, nogil=True)
def set_out(
    rows: I64, tx: U8, issued: Flags, units: U64, fee: U64, fee_sink: int, issue_sink: int, data_sink: int,
    in_start: I64, in_tx: U8, in_index: I64, in_value: U64, in_owner: I32,
    out_start: I64, out_index: I64, out_value: U64, out_owner: I32, out_data: Flags,
    leg_of: I64, output: Flags, coin_tx: U8, coin_index: I64, sink: U8, owner: I32, value: U64,
) -> int:  # fmt: skip
    """The legs of `rows` one after the other: inputs, outputs, and the fee where it is not 0. How many they are.

    Where `issued`, the inputs are new coins, `units`, and the fees that are collected, `fee`. Amounts have two
    columns, low and high bits; those of legs that are there have no high bits.
    """
    at = 0
    for number in range(len(rows)):
        i = rows[number]
        first = at
        has_fee = fee[i, 0] != 0 or fee[i, 1] != 0
        if issued[i]:
            sink[at], value[at, 0], value[at, 1] = issue_sink, units[i, 0], units[i, 1]
            at += 1
            if has_fee:
                sink[at], value[at, 0], value[at, 1] = fee_sink, fee[i, 0], fee[i, 1]
                at += 1
        for leg in range(in_start[i], in_start[i + 1]):
            coin_tx[at] = in_tx[leg]
            coin_index[at], owner[at], value[at, 0] = in_index[leg], in_owner[leg], in_value[leg]
            at += 1
        inputs = at
        for leg in range(out_start[i], out_start[i + 1]):
            value[at, 0] = out_value[leg]
            if out_data[leg]:
                sink[at] = data_sink
            else:
                coin_tx[at] = tx[i]
                coin_index[at], owner[at] = out_index[leg], out_owner[leg]
            at += 1
        if has_fee and not issued[i]:
            sink[at], value[at, 0], value[at, 1] = fee_sink, fee[i, 0], fee[i, 1]
            at += 1
        leg_of[first:at] = number
        output[inputs:at] = True
    return at
