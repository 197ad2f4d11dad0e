"""Loops over addresses that are text, compiled: which of them are in their chain's one spelling, checksum and all.

`tracer.addresses` has the last word: what is not plainly right here is left to it, which reads other spellings and
says what is wrong. So what is written here may be too strict, and must never be too lax; tests hold it to that.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from connectors.bulk.sha256 import START, take_block
from tracer.addresses.networks import NETWORKS
from tracer.values import Chain, Family

U8 = NDArray[np.uint8]
I8 = NDArray[np.int8]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_TRON = 0x41
_MASK = np.uint64(2**32 - 1)
_32 = np.uint64(32)
_BECH32, _BECH32M = 1, 0x2BC830A3


def _digits(letters: str) -> I8:
    """For each byte its worth as a digit, -1 where it is none."""
    found = np.full(256, -1, np.int8)
    for worth, letter in enumerate(letters):
        found[ord(letter)] = worth
    return found


_BASE58 = _digits("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
_BASE32 = _digits("qpzry9x8gf2tvdw0s3jn54khce6mua7l")


def plainly_right(chain: Chain, data: U8, starts: I64, ends: I64) -> Flags:
    """Where the text is an address of `chain`, of Tron or of Bitcoin's kin, as `tracer.addresses.parse` spells it."""
    found = np.zeros(len(starts), np.bool_)
    network = NETWORKS.get(chain.name)
    if chain.family is Family.TRON:
        _base58_right(data, starts, ends, _TRON, _TRON, found)
    elif network is not None and not network.cashaddr:
        _base58_right(data, starts, ends, network.key[0], network.script[0], found)
        if network.segwit:
            _segwit_right(data, starts, ends, np.frombuffer(network.segwit.encode(), np.uint8), found)
    return found


@njit(cache=True, nogil=True)
def _base58_right(data: U8, starts: I64, ends: I64, one: int, other: int, found: Flags) -> None:
    """Set `found` where 25 bytes with a version of these two and the right checksum are written in base58."""
    limbs, raw = np.zeros(7, np.uint64), np.zeros(28, np.uint64)
    block, state = np.zeros(64, np.uint64), np.zeros(8, np.uint64)
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        if not 25 <= end - start <= 35:
            continue
        limbs[:] = 0
        ones, leading, small, right = 0, True, False, True
        for at in range(start, end):
            digit = _BASE58[data[at]]
            if digit < 0:
                right = False
                break
            leading = leading and digit == 0
            ones += leading
            small = small or data[at] >= 97
            carry = np.uint64(digit)
            for place in range(7):
                carry += limbs[place] * np.uint64(58)
                limbs[place] = carry & _MASK
                carry >>= _32
            if carry:
                right = False
                break
        # All capitals could be the prefix of another form ("LTC1...") to the slow way.
        if not right or not small or limbs[6] > np.uint64(255):
            continue
        for place in range(7):
            for byte in range(4):
                raw[27 - 4 * place - byte] = (limbs[place] >> np.uint64(8 * byte)) & np.uint64(255)
        zeros = 0
        while zeros < 25 and raw[3 + zeros] == 0:
            zeros += 1
        if zeros != ones or (raw[3] != one and raw[3] != other):
            continue
        block[:16] = 0
        for byte in range(21):
            block[byte // 4] |= raw[3 + byte] << np.uint64(24 - 8 * (byte % 4))
        block[5] |= np.uint64(0x00800000)
        block[15] = np.uint64(21 * 8)
        state[:] = START
        take_block(block, state)
        block[:16] = 0
        block[:8] = state
        block[8] = np.uint64(0x80000000)
        block[15] = np.uint64(32 * 8)
        state[:] = START
        take_block(block, state)
        found[i] = state[0] == limbs[0]


@njit(cache=True, nogil=True)
def _fed(check: int, value: int) -> int:
    """The checksum of BIP173 after one more value of five bits."""
    top = check >> 25
    check = (check & 0x1FFFFFF) << 5 ^ value
    if top & 1:
        check ^= 0x3B6A57B2
    if top & 2:
        check ^= 0x26508E6D
    if top & 4:
        check ^= 0x1EA119FA
    if top & 8:
        check ^= 0x3D4233DD
    if top & 16:
        check ^= 0x2A1462B3
    return check


@njit(cache=True, nogil=True)
def _segwit_right(data: U8, starts: I64, ends: I64, prefix: U8, found: Flags) -> None:
    """Set `found` where a witness program stands in small letters after `prefix`, its kind of checksum included."""
    begin = 1
    for letter in prefix:
        begin = _fed(begin, int(letter) >> 5)
    begin = _fed(begin, 0)
    for letter in prefix:
        begin = _fed(begin, int(letter) & 31)
    head = len(prefix) + 1
    for i in range(len(starts)):
        start, length = starts[i], ends[i] - starts[i]
        if length < head + 7 or length > 90 or data[start + head - 1] != 49:
            continue
        right = True
        for at in range(len(prefix)):
            right = right and data[start + at] == prefix[at]
        if not right:
            continue
        check, version, held = begin, 0, 0
        for at in range(head, length):
            value = int(_BASE32[data[start + at]])
            if value < 0:
                right = False
                break
            check = _fed(check, value)
            if at == head:
                version = value
            if at == length - 7:  # the last before the checksum
                held = value
        values = length - head - 7
        size, left = values * 5 // 8, values * 5 % 8
        if not right or version > 16 or check != (_BECH32M if version else _BECH32) or left > 4:
            continue
        if values and held & ((1 << left) - 1):
            continue
        found[i] = (size == 20 or size == 32) if version == 0 else 2 <= size <= 40
