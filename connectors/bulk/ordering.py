"""The total order of a ledger's rows: block, place in block, transaction, place in transaction.

Extracts mostly come in this order already; then a row's number is its ordinal and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from connectors.bulk.kernels import NONE, U8, U32, U64
from tracer.values import Chain, TransferId

_LAST = 2**31 + 1  # a coinbase that collects fees comes last in its block, as in `tracer.values.Transfer.order`


def ordered(
    rows: U64, txs: U32, positions: Sequence[str], chain: Chain, odd: Mapping[int, str], coins: bool, known: int = 0
) -> U32 | None:  # fmt: skip
    """Row numbers in the ledger's order, None where they are in order as they stand.

    `odd`: the text of transactions whose id is not 32 bytes in hex, by number. `known`: so many rows are in order.
    """
    rank = _ranks(positions, chain)
    is_odd = np.zeros(len(txs), np.uint8)
    is_odd[list(odd)] = 1
    if _in_order(rows, txs, rank, is_odd, coins, max(known, 1)):
        return None
    of = (rows[:, 0] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    place = rank[(rows[:, 0] >> np.uint64(32)).astype(np.int64)]
    return np.lexsort((place, _transaction_ranks(rows, txs, of, odd, coins)[of])).astype(np.uint32)


def _ranks(positions: Sequence[str], chain: Chain) -> NDArray[np.int64]:
    by_place = sorted(range(len(positions)), key=lambda at: TransferId(chain, "", positions[at]).place)
    ranks = np.empty(len(positions), np.int64)
    ranks[by_place] = np.arange(len(positions))
    return ranks


def _transaction_ranks(rows: U64, txs: U32, of: U32, odd: Mapping[int, str], coins: bool) -> U32:
    place = (txs[:, 10] + np.uint32(1)).astype(np.uint64)  # not told is 2**32 - 1, which becomes 0
    if coins:
        place[of[rows[:, 1] >> np.uint64(63) == 1]] = _LAST
    key = (txs[:, 8].astype(np.uint64) << np.uint64(32)) | place
    words = [txs[:, at].byteswap().astype(np.uint64) for at in (0, 1)]
    start = (words[0] << np.uint64(32)) | words[1]
    order = np.lexsort((start, key))
    alike = key[order][1:] == key[order][:-1]
    doubtful = alike & (start[order][1:] == start[order][:-1])  # 64 bits alike: compare the whole
    for number in odd:
        doubtful |= alike & (key[order][1:] == key[number])
    end = 0
    for at in map(int, np.flatnonzero(doubtful)):
        if at < end:
            continue
        first = at
        while first and alike[first - 1]:
            first -= 1
        end = at
        while end < len(alike) and alike[end]:
            end += 1
        order[first : end + 1] = sorted(
            order[first : end + 1], key=lambda n: odd.get(int(n)) or _text(txs, int(n), odd)
        )
    ranks = np.empty(len(txs), np.uint32)
    ranks[order] = np.arange(len(txs), dtype=np.uint32)
    return ranks


def _text(txs: U32, number: int, odd: Mapping[int, str]) -> str:
    # In the same writing as the odd ones, which are of EVM chains: 0x and hex.
    return ("0x" if odd else "") + txs[number, :8].tobytes().hex()


@njit(cache=True, nogil=True)
def _swapped(word: np.uint32) -> np.int64:
    wide = np.int64(word)
    return ((wide & 0xFF) << 24) | ((wide & 0xFF00) << 8) | ((wide >> 8) & 0xFF00) | (wide >> 24)


@njit(cache=True, nogil=True)
def _in_order(rows: U64, txs: U32, rank: NDArray[np.int64], is_odd: U8, coins: bool, begin: int) -> bool:
    for at in range(begin, rows.shape[0]):
        one = np.int64(rows[at - 1, 0] & np.uint64(0xFFFFFFFF))
        two = np.int64(rows[at, 0] & np.uint64(0xFFFFFFFF))
        if one == two:
            if rank[np.int64(rows[at - 1, 0] >> np.uint64(32))] >= rank[np.int64(rows[at, 0] >> np.uint64(32))]:
                return False
            continue
        if txs[one, 8] != txs[two, 8]:
            if txs[one, 8] > txs[two, 8]:
                return False
            continue
        first = np.int64(0) if txs[one, 10] == NONE else np.int64(txs[one, 10]) + 1
        second = np.int64(0) if txs[two, 10] == NONE else np.int64(txs[two, 10]) + 1
        if coins:
            if rows[at - 1, 1] >> np.uint64(63):
                first = np.int64(_LAST)
            if rows[at, 1] >> np.uint64(63):
                second = np.int64(_LAST)
        if first != second:
            if first > second:
                return False
            continue
        if is_odd[one] or is_odd[two]:
            return False
        for word in range(8):
            if txs[one, word] != txs[two, word]:
                if _swapped(txs[one, word]) > _swapped(txs[two, word]):
                    return False
                break
    return True
