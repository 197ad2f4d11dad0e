"""Walks over lines of JSON, compiled: where in a transaction's line its fields and those of its legs are.

A line is walked only while it is plain: one object of single values, lists of such, and lists of objects with those.
Anything else makes the line one for the slow way, `connectors.strict_json`: an escape or a byte that is not ASCII in a
text, a number that is not whole or is long, a key that may stand twice in its object, something nested deeper.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]

NOTHING, TEXT, NUMBER, TRUE, FALSE = 0, 1, 2, 3, 4  # what a cell is: null or not there, ...
_LIST, _OBJECT, _WRONG = 5, 6, -1
_KEYS = 64  # of an object; one with more is left to the slow way
_DIGITS = 78  # as connectors.strict_json: 2**256 - 1 has as many
_QUOTE, _COMMA, _COLON, _MINUS, _ZERO, _NINE = 34, 44, 58, 45, 48, 57
_BEGIN, _END, _OPEN, _CLOSE, _BACKSLASH = 123, 125, 91, 93, 92
_PRIME, _SEED = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)


def hashed(name: bytes) -> int:
    """The hash by which a key is told from others (FNV-1a)."""
    found = int(_SEED)
    for byte in name:
        found = (found ^ byte) * int(_PRIME) % 2**64
    return found


@njit(cache=True, nogil=True)
def _past_space(data: U8, at: int, stop: int) -> int:
    while at < stop and (data[at] == 32 or data[at] == 9 or data[at] == 13 or data[at] == 10):
        at += 1
    return at


@njit(cache=True, nogil=True)
def _text(data: U8, at: int, stop: int) -> int:
    """Where the text ends that begins after the quote before `at`, -1 where it is not plain."""
    while at < stop:
        letter = data[at]
        if letter == _QUOTE:
            return at
        if letter < 32 or letter > 126 or letter == _BACKSLASH:
            return _WRONG
        at += 1
    return _WRONG


@njit(cache=True, nogil=True)
def _word(data: U8, at: int, stop: int, one: int, two: int, three: int, four: int) -> bool:
    return at + 4 <= stop and data[at] == one and data[at + 1] == two and data[at + 2] == three and data[at + 3] == four


@njit(cache=True, nogil=True)
def _value(data: U8, at: int, stop: int, cell: I64) -> int:
    """Read a single value into `cell`: its kind, start and end. Where it stops, a list or an object where it begins."""
    cell[0], cell[1], cell[2] = NOTHING, at, at
    if at >= stop:
        return _WRONG
    letter = data[at]
    if letter == _QUOTE:
        end = _text(data, at + 1, stop)
        cell[0], cell[1], cell[2] = TEXT, at + 1, end
        return end + 1 if end != _WRONG else _WRONG
    if letter in (_OPEN, _BEGIN):
        cell[0] = _LIST if letter == _OPEN else _OBJECT
        return at
    if letter == _MINUS or _ZERO <= letter <= _NINE:
        begin = at
        at += letter == _MINUS
        first = at
        while at < stop and _ZERO <= data[at] <= _NINE:
            at += 1
        if at == first or at - first > _DIGITS or (data[first] == _ZERO and at - first > 1):
            return _WRONG
        cell[0], cell[1], cell[2] = NUMBER, begin, at
        return at
    if _word(data, at, stop, 110, 117, 108, 108):  # null
        return at + 4
    if _word(data, at, stop, 116, 114, 117, 101):  # true
        cell[0] = TRUE
        return at + 4
    if _word(data, at, stop, 102, 97, 108, 115) and at + 5 <= stop and data[at + 4] == 101:  # false
        cell[0] = FALSE
        return at + 5
    return _WRONG


@njit(cache=True, nogil=True)
def _key(data: U8, at: int, stop: int, seen: U64, count: int, names: U8, offsets: I64, hashes: U64, found: I64) -> int:
    """Read `"key" :` and put into `found` which of `names` it is, -1 for none. Where its value begins.

    -1 for a key that was seen in this object, by its hash, and for what is no key.
    """
    if at >= stop or data[at] != _QUOTE or count >= _KEYS:
        return _WRONG
    begin = at + 1
    end = _text(data, begin, stop)
    if end == _WRONG:
        return _WRONG
    mixed = _SEED
    for place in range(begin, end):
        mixed = (mixed ^ np.uint64(data[place])) * _PRIME
    for before in range(count):
        if seen[before] == mixed:
            return _WRONG
    seen[count] = mixed
    found[0] = -1
    for name in range(len(hashes)):
        if hashes[name] == mixed:
            if offsets[name + 1] - offsets[name] != end - begin:
                return _WRONG
            for place in range(end - begin):
                if data[begin + place] != names[offsets[name] + place]:
                    return _WRONG
            found[0] = name
    at = _past_space(data, end + 1, stop)
    if at >= stop or data[at] != _COLON:
        return _WRONG
    return _past_space(data, at + 1, stop)


@njit(cache=True, nogil=True)
def _after(data: U8, at: int, stop: int, close: int) -> int:
    """What comes after a member: past the comma, or `stop + 1 + where` past `close`; -1 for anything else."""
    at = _past_space(data, at, stop)
    if at < stop and data[at] == _COMMA:
        return _past_space(data, at + 1, stop)
    if at < stop and data[at] == close:
        return stop + 2 + at
    return _WRONG


@njit(cache=True, nogil=True)
def _values(data: U8, at: int, stop: int, texts_only: bool, cell: I64) -> int:
    """Read a list of single values from its bracket on. `cell`: how many, and where the first starts and ends."""
    count, first, last = 0, at, at
    at = _past_space(data, at + 1, stop)
    if at < stop and data[at] == _CLOSE:
        cell[0], cell[1], cell[2] = 0, first, first
        return at + 1
    while True:
        at = _value(data, at, stop, cell)
        if at == _WRONG or cell[0] >= _LIST or (texts_only and cell[0] != TEXT):
            return _WRONG
        if count == 0:
            first, last = cell[1], cell[2]
        count += 1
        at = _after(data, at, stop, _CLOSE)
        if at == _WRONG:
            return _WRONG
        if at > stop + 1:
            cell[0], cell[1], cell[2] = count, first, last
            return at - stop - 1


@njit(cache=True, nogil=True)
def _leg(
    data: U8, at: int, stop: int, names: U8, offsets: I64, hashes: U64, seen: U64, cell: I64, leg: int,
    starts: I64, ends: I64, owners: I64,
) -> int:  # fmt: skip
    """Read one object of a list of legs; the last of `names` is a list of texts, the others are single values."""
    fields = len(hashes) - 1
    for name in range(fields):
        starts[name, leg] = ends[name, leg] = 0
    owners[leg, 0] = owners[leg, 1] = owners[leg, 2] = 0
    if at >= stop or data[at] != _BEGIN:
        return _WRONG
    at = _past_space(data, at + 1, stop)
    if at < stop and data[at] == _END:
        return at + 1
    count = 0
    while True:
        at = _key(data, at, stop, seen, count, names, offsets, hashes, cell)
        if at == _WRONG:
            return _WRONG
        count += 1
        name = cell[0]
        at = _value(data, at, stop, cell)
        if at == _WRONG or cell[0] == _OBJECT:
            return _WRONG
        if cell[0] == _LIST:
            at = _values(data, at, stop, name == fields, cell)
            if at == _WRONG or 0 <= name < fields:
                return _WRONG
            if name == fields:
                owners[leg] = cell
        elif name == fields:
            if cell[0] != NOTHING:
                return _WRONG
        elif name >= 0:
            if cell[0] in (TRUE, FALSE):
                return _WRONG
            starts[name, leg], ends[name, leg] = cell[1], cell[2]
        at = _after(data, at, stop, _END)
        if at == _WRONG:
            return _WRONG
        if at > stop + 1:
            return at - stop - 1


@njit(cache=True, nogil=True)
def transactions(
    data: U8, lines: I64, names: U8, offsets: I64, hashes: U64, flag: int,
    leg_names: U8, leg_offsets: I64, leg_hashes: U64,
    starts: I64, ends: I64, flags: U8, listed: Flags, legs: I64, leg_starts: I64, leg_ends: I64, owners: I64,
    good: Flags,
) -> None:  # fmt: skip
    """Walk over each line from `lines[i]` to `lines[i + 1]`; `good` becomes True where it is plain;
    elsewhere `listed` stays False.

    The last two of `names` are the lists of legs, sides 0 and 1; the one of number `flag` is true, false or null, put
    into `flags` by kind; the others are single values but true and false, put into `starts` and `ends`, which are
    equal where there is nothing. Empty text is not plain. `legs[side, i]` is where the legs of the row begin in that
    side's columns; `owners` has, for the last of `leg_names`, how many texts there are and where the first starts and
    ends. A line whose legs have no room there is not plain.
    """
    fields = len(hashes) - 2
    seen, inner = np.zeros(_KEYS, np.uint64), np.zeros(_KEYS, np.uint64)
    cell = np.zeros(3, np.int64)
    wrong = int(np.int64(_WRONG))  # not the constant, whose type would be its own
    for i in range(len(good)):
        at, stop = lines[i], lines[i + 1]
        for side in range(2):
            legs[side, i + 1] = legs[side, i]
        at = _past_space(data, at, stop)
        if at >= stop or data[at] != _BEGIN:
            continue
        at = _past_space(data, at + 1, stop)
        count = 0
        while at < stop:
            at = _key(data, at, stop, seen, count, names, offsets, hashes, cell)
            if at == _WRONG:
                break
            count += 1
            name = cell[0]
            at = _value(data, at, stop, cell)
            if at == _WRONG or cell[0] == _OBJECT:
                at = wrong
                break
            kind = cell[0]
            if kind == _LIST and name >= fields:
                side = name - fields
                listed[side, i] = True
                at = _past_space(data, at + 1, stop)
                ended = at < stop and data[at] == _CLOSE
                at += ended
                while not ended:
                    leg = legs[side, i + 1]
                    if leg >= owners.shape[1]:
                        at = wrong
                        break
                    at = _leg(data, at, stop, leg_names, leg_offsets, leg_hashes, inner, cell, leg,
                              leg_starts[side], leg_ends[side], owners[side])  # fmt: skip
                    if at == _WRONG:
                        break
                    legs[side, i + 1] += 1
                    at = _after(data, at, stop, _CLOSE)
                    if at == _WRONG:
                        break
                    if at > stop + 1:
                        at, ended = at - stop - 1, True
            elif kind == _LIST:
                at = _values(data, at, stop, False, cell)
                if name >= 0:
                    at = wrong
            elif name == flag:
                flags[i] = kind
                if kind in (TEXT, NUMBER):
                    at = wrong
            elif name >= fields:
                if kind != NOTHING:
                    at = wrong
            elif name >= 0:
                starts[name, i], ends[name, i] = cell[1], cell[2]
                if kind in (TRUE, FALSE) or (kind == TEXT and cell[1] == cell[2]):
                    at = wrong
            if at == _WRONG:
                break
            at = _after(data, at, stop, _END)
            if at > stop + 1:
                good[i] = _past_space(data, at - stop - 1, stop) == stop
                break
            if at == _WRONG:
                break
        if not good[i]:
            for side in range(2):
                legs[side, i + 1] = legs[side, i]
                listed[side, i] = False
