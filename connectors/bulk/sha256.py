"""SHA-256, compiled: of many short texts, or of one, without a Python object for each."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

_MASK = np.uint64(2**32 - 1)


def _fractions(roots: int, count: int) -> U64:
    """The first 32 bits of the fractions of square or cubic roots of the first primes: SHA-256's constants."""
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, n))][:count]
    found = []
    for prime in primes:
        shifted, low, high = prime << 32 * roots, 0, 1 << 40
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**roots <= shifted else (low, middle - 1)
        found.append(low & 0xFFFFFFFF)
    return np.array(found, np.uint64)


_ROUNDS, START = _fractions(3, 64), _fractions(2, 8)


@njit(cache=True, nogil=True)
def _turned(word: np.uint64, by: int) -> np.uint64:
    return ((word >> np.uint64(by)) | (word << np.uint64(32 - by))) & _MASK


@njit(cache=True, nogil=True)
def take_block(block: U64, state: U64) -> None:
    """Let `state` go on over the 64 bytes in `block[:16]`, four to a word; the rest of `block` is scratch."""
    for t in range(16, 64):
        one, two = block[t - 15], block[t - 2]
        mixed = (_turned(one, 7) ^ _turned(one, 18) ^ (one >> np.uint64(3))) + block[t - 16]
        mixed += (_turned(two, 17) ^ _turned(two, 19) ^ (two >> np.uint64(10))) + block[t - 7]
        block[t] = mixed & _MASK
    a, b, c, d = state[0], state[1], state[2], state[3]
    e, f, g, h = state[4], state[5], state[6], state[7]
    for t in range(64):
        more = h + (_turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)) + ((e & f) ^ (~e & g & _MASK))
        more += _ROUNDS[t] + block[t]
        other = (_turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        h, g, f, e = g, f, e, (d + more) & _MASK
        d, c, b, a = c, b, a, (more + other) & _MASK
    state[0], state[1] = (state[0] + a) & _MASK, (state[1] + b) & _MASK
    state[2], state[3] = (state[2] + c) & _MASK, (state[3] + d) & _MASK
    state[4], state[5] = (state[4] + e) & _MASK, (state[5] + f) & _MASK
    state[6], state[7] = (state[6] + g) & _MASK, (state[7] + h) & _MASK


@njit(cache=True, nogil=True)
def digests(data: U8, starts: I64, ends: I64, out: U8) -> None:
    """The hash of each cell `data[starts[i]:ends[i]]`, as a row of 32 bytes."""
    block, state = np.zeros(64, np.uint64), np.zeros(8, np.uint64)
    for i in range(len(starts)):
        length = ends[i] - starts[i]
        state[:] = START
        for first in range(0, length + 9, 64):
            block[:16] = 0
            for place in range(64):
                at = first + place
                if at <= length:
                    byte = np.uint64(data[starts[i] + at]) if at < length else np.uint64(0x80)
                    block[place // 4] |= byte << np.uint64(24 - 8 * (place % 4))
            if first + 64 >= length + 9:  # room for the length: the last block
                block[14] = np.uint64(length) >> np.uint64(29)
                block[15] = (np.uint64(length) << np.uint64(3)) & _MASK
            take_block(block, state)
        for place in range(32):
            out[i, place] = (state[place // 4] >> np.uint64(24 - 8 * (place % 4))) & np.uint64(255)
