"""Loops over bytes, compiled: a table's text as numbers, hashes and amounts, without a Python object per cell.

Cells are a buffer of bytes and, for each cell, where it starts and ends. Every loop writes a state for each cell:
`OK`, `EMPTY`, or something that the slow way must look at, which reads the cell again and says what is wrong.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
I8 = NDArray[np.int8]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]

OK, EMPTY, BAD, ZERO = 0, 1, 2, 3  # ZERO: read well, and every byte of it is 0
BLANK_LINE, WRONG_COUNT, OPEN_QUOTE, AFTER_QUOTE = 1, 2, 3, 4  # of a line; 0 is well

_COMMA, _LF, _CR, _QUOTE, _SPACE = 44, 10, 13, 34, 32
_TEN9 = np.uint64(10**9)
_MASK = np.uint64(2**32 - 1)
_32 = np.uint64(32)
_4, _5, _6, _8, _9, _16, _39 = (np.uint64(one) for one in (4, 5, 6, 8, 9, 16, 39))
_ONES = np.uint64(0x0101010101010101)  # in each byte of a word
_SIXES, _FIFTEENS, _SIXTEENS, _ZEROS = (_ONES * np.uint64(one) for one in (6, 15, 16, 48))


@njit(cache=True, nogil=True)
def split_lines(data: U8, stop: int, slots: I64, starts: I64, ends: I64, lines: I64, states: U8) -> tuple[int, int]:
    """Split whole lines of CSV into cells. Returns how many lines, and where the first unfinished one starts.

    `slots[column]` is the row of `starts` and `ends` that the column's cells go to, -1 for a column nobody wants;
    `lines` gets where each line starts. A quoted cell cannot hold a line break; doubled quotes stay as they are.
    """
    columns = len(slots)
    row, at = 0, 0
    while at < stop:
        begin, column, state, blank = at, 0, 0, True
        done = False
        while not done:
            if at < stop and data[at] == _QUOTE:
                blank = False
                first = at + 1
                at = first
                while at < stop and data[at] != _LF:
                    if data[at] == _QUOTE:
                        if at + 1 < stop and data[at + 1] == _QUOTE:
                            at += 1
                        else:
                            break
                    at += 1
                last = at
                if at >= stop:
                    return row, begin
                if data[at] == _LF:
                    state = 3
                else:
                    at += 1
                    if at < stop and data[at] == _CR:
                        at += 1
                    if at < stop and data[at] != _COMMA and data[at] != _LF:
                        state = 4
                        while at < stop and data[at] != _LF:
                            at += 1
            else:
                first = at
                while at < stop and data[at] != _COMMA and data[at] != _LF:
                    if data[at] > _SPACE:
                        blank = False
                    at += 1
                last = at
                if last > first and at < stop and data[at] == _LF and data[last - 1] == _CR:
                    last -= 1
            if at >= stop:
                return row, begin
            if column < columns and slots[column] >= 0:
                starts[slots[column], row] = first
                ends[slots[column], row] = last
            column += 1
            done = data[at] == _LF
            at += 1
        if column == 1 and blank:
            state = 1
        elif state == 0 and column != columns:
            state = 2
        lines[row] = begin
        states[row] = state
        if state != 0:
            for slot in range(starts.shape[0]):
                starts[slot, row] = begin
                ends[slot, row] = begin
        row += 1
    return row, at


@njit(cache=True, nogil=True)
def plain_lines(data: U8, lines: I64, plain: Flags) -> None:
    """Set `plain` where a line holds nothing that Python's reader of CSV may see otherwise than `split_lines`.

    That is a return that does not end the line, a zero byte, and a cell of more than 131,072 characters.
    """
    for i in range(len(plain)):
        stop = lines[i + 1]
        same = stop - lines[i] < 100_000
        for at in range(lines[i], stop if same else lines[i]):
            if data[at] == 0 or (data[at] == _CR and at + 2 != stop):
                same = False
                break
        plain[i] = same


@njit(cache=True, nogil=True)
def hex_bytes(data: U8, starts: I64, ends: I64, bare: bool, checksum: bool, out: U32, states: U8) -> None:
    """Hex digits after 0x as bytes, four to a word. `bare`: 0x may be missing. `checksum`: mixed case is left to the
    slow way.

    Eight digits at a time, in the bytes of one word: a letter has bit 6 and is worth 9 more than its lower half says.
    Whether they were digits is seen by writing them again.
    """
    words = out.shape[1]
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        states[i] = 0
        if start == end:
            states[i] = 1
            continue
        if end - start == 8 * words + 2 and data[start] == 48 and (data[start + 1] | 32) == 120:
            start += 2
        elif not bare or end - start != 8 * words:
            states[i] = 2
            continue
        wrong = small = capital = any_bit = np.uint64(0)
        for word in range(words):
            at = np.uint64(start + 8 * word)  # unsigned: or each byte is fetched by itself, lest it count from the end
            text = np.uint64(data[at])
            for place in range(1, 8):
                text |= np.uint64(data[at + np.uint64(place)]) << np.uint64(8 * place)
            letters = (text >> _6) & _ONES
            digits = (text & _FIFTEENS) + letters * _9
            above_nine = ((digits + _SIXES) >> _4) & _ONES
            again = digits + _ZEROS + above_nine * _39
            wrong |= (again ^ (text | (letters << _5))) | (digits & _SIXTEENS)
            small |= letters & (text >> _5)
            capital |= letters & ~(text >> _5)
            pairs = ((digits << _4) | (digits >> _8)) & np.uint64(0x00FF00FF00FF00FF)
            pairs = (pairs | (pairs >> _8)) & np.uint64(0x0000FFFF0000FFFF)
            pairs = (pairs | (pairs >> _16)) & _MASK
            any_bit |= pairs
            out[i, word] = pairs
        if wrong or (checksum and small and capital):
            states[i] = 2
        elif any_bit == 0:
            states[i] = 3


@njit(cache=True, nogil=True)
def whole_numbers(data: U8, starts: I64, ends: I64, out: I64, states: U8) -> None:
    """Decimal digits as int64."""
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        states[i] = 0
        out[i] = 0
        if start == end:
            states[i] = 1
            continue
        if end - start > 18:
            states[i] = 2
            continue
        value = np.int64(0)
        for at in range(start, end):
            digit = data[at] - 48
            if digit < 0 or digit > 9:
                states[i] = 2
                break
            value = value * 10 + digit
        out[i] = value


@njit(cache=True, nogil=True)
def amounts(data: U8, starts: I64, ends: I64, low: U64, high: U64, states: U8) -> None:
    """Decimal digits as units = high * 2**64 + low. What does not fit in 128 bits is left to the slow way."""
    limbs = np.zeros(4, np.uint64)
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        states[i] = 0
        low[i] = 0
        high[i] = 0
        if start == end:
            states[i] = 1
            continue
        if end - start > 39:
            states[i] = 2
            continue
        limbs[:] = 0
        at = start
        while at < end and states[i] == 0:
            chunk, scale = np.uint64(0), np.uint64(1)
            upto = min(end, at + 9)
            while at < upto:
                digit = np.uint64(data[at]) - np.uint64(48)
                if digit > np.uint64(9):  # below "0" the difference wraps to a huge number
                    states[i] = 2
                    break
                chunk = chunk * np.uint64(10) + digit
                scale = scale * np.uint64(10)
                at += 1
            for place in range(4):
                part = limbs[place] * scale + chunk
                limbs[place] = part & _MASK
                chunk = part >> _32
            if chunk != 0:
                states[i] = 2
        low[i] = limbs[0] | (limbs[1] << _32)
        high[i] = limbs[2] | (limbs[3] << _32)


@njit(cache=True, nogil=True)
def unscaled(words: U32, scale: int, low: U64, high: U64, states: U8) -> None:
    """Arrow decimals as units: `words` are 32-bit limbs, the least first; the last `scale` digits must be 0.

    Negative numbers, fractions and what does not fit in 128 bits are left to the slow way.
    """
    rows, width = words.shape
    limbs = np.zeros(max(width, 4), np.uint64)
    for i in range(rows):
        if states[i] != 0:
            low[i] = 0
            high[i] = 0
            continue
        for place in range(width):
            limbs[place] = words[i, place]
        if limbs[width - 1] >> np.uint64(31):
            states[i] = 2
        left = scale
        while left > 0 and states[i] == 0:
            by = np.uint64(1)
            for _ in range(min(left, 9)):
                by = by * np.uint64(10)
            left -= 9
            rest = np.uint64(0)
            for place in range(width - 1, -1, -1):
                part = (rest << _32) | limbs[place]
                limbs[place] = part // by
                rest = part - limbs[place] * by
            if rest != 0:
                states[i] = 2
        for place in range(4, width):
            if limbs[place] != 0:
                states[i] = 2
        low[i] = limbs[0] | (limbs[1] << _32)
        high[i] = limbs[2] | (limbs[3] << _32)


@njit(cache=True, nogil=True)
def add_product(one: U64, two: U64, low: U64, high: U64, fits: Flags) -> None:
    """units += one * two, for columns of 64-bit numbers; `fits` becomes False where that passes 128 bits."""
    for i in range(len(one)):
        a, b = one[i] & _MASK, one[i] >> _32
        c, d = two[i] & _MASK, two[i] >> _32
        middle = (a * c >> _32) + (b * c & _MASK) + (a * d & _MASK)
        product = (a * c & _MASK) | (middle << _32)
        upper = b * d + (b * c >> _32) + (a * d >> _32) + (middle >> _32)
        total = low[i] + product
        if total < low[i]:
            upper += np.uint64(1)  # the product's upper half is at most 2**64 - 2
        low[i] = total
        high[i] = high[i] + upper
        if high[i] < upper:
            fits[i] = False


@njit(cache=True, nogil=True)
def moments(data: U8, starts: I64, ends: I64, out: I64, states: U8) -> None:
    """Seconds since 1970 from digits, or from 2015-08-07T03:30:33 followed by Z, UTC or +00:00."""
    for i in range(len(starts)):
        start, end = starts[i], ends[i]
        states[i] = 0
        out[i] = 0
        length = end - start
        if length == 0:
            states[i] = 1
            continue
        if length <= 18:
            value = np.int64(0)
            for at in range(start, end):
                digit = data[at] - 48
                if digit < 0 or digit > 9:
                    states[i] = 2
                    break
                value = value * 10 + digit
            out[i] = value
            continue
        states[i] = 2
        if not (data[start + 4] == 45 and data[start + 7] == 45 and data[start + 13] == 58 and data[start + 16] == 58):
            continue
        if data[start + 10] != 84 and data[start + 10] != _SPACE:
            continue
        zone = start + 19
        if zone < end and data[zone] == 46:  # a fraction, which must be 0
            zone += 1
            while zone < end and data[zone] == 48:
                zone += 1
        left = end - zone
        utc = left == 1 and data[zone] == 90
        utc |= left == 4 and data[zone] == 32 and data[zone + 1] == 85 and data[zone + 2] == 84 and data[zone + 3] == 67
        if left == 6 and data[zone] == 43 and data[zone + 3] == 58:
            utc = data[zone + 1] == data[zone + 2] == data[zone + 4] == data[zone + 5] == 48
        if not utc:
            continue
        year = _digits(data, start, 4)
        month, day = _digits(data, start + 5, 2), _digits(data, start + 8, 2)
        hour, minute, second = _digits(data, start + 11, 2), _digits(data, start + 14, 2), _digits(data, start + 17, 2)
        if min(year, month, day, hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
            continue
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        days_in = 31 - (month == 4 or month == 6 or month == 9 or month == 11)
        if month == 2:
            days_in = 29 if leap else 28
        if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= days_in:
            continue
        years = year - (month <= 2)  # counted from March, the leap day is the last of its year
        days = 365 * years + years // 4 - years // 100 + years // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1
        out[i] = (days - 719468) * 86400 + hour * 3600 + minute * 60 + second
        states[i] = 0


@njit(cache=True, nogil=True)
def _digits(data: U8, start: int, count: int) -> int:
    value = 0
    for at in range(start, start + count):
        digit = data[at] - 48
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@njit(cache=True, nogil=True)
def word_codes(data: U8, starts: I64, ends: I64, words: U8, offsets: I64, out: I8) -> None:
    """Which of a few words each cell is, by number; -1 for any other. Words are one buffer with offsets."""
    for i in range(len(starts)):
        length = ends[i] - starts[i]
        out[i] = -1
        for word in range(len(offsets) - 1):
            if offsets[word + 1] - offsets[word] != length:
                continue
            same = True
            for at in range(length):
                if data[starts[i] + at] != words[offsets[word] + at]:
                    same = False
                    break
            if same:
                out[i] = word
                break


@njit(cache=True, nogil=True)
def copied(data: U8, starts: I64, ends: I64, offsets: I64, out: U8) -> None:
    """Cells one after the other in `out`, whose `offsets` are known."""
    for i in range(len(starts)):
        for at in range(ends[i] - starts[i]):
            out[offsets[i] + at] = data[starts[i] + at]
