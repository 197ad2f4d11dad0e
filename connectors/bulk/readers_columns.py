"""Columns of a table as numbers, hashes and amounts, all rows at once; with a state for each row that needs a look.

A column is `Cells` (text in a buffer: CSV, or Parquet strings) or an Arrow array of another type. Nothing here passes
an amount through a float: a column of floats is refused as a whole, because its digits are gone already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk import readers_kernels as kernels
from connectors.bulk.readers_kernels import BAD, EMPTY, OK, ZERO
from connectors.fields import EARLIEST, LATEST
from tracer.errors import InputError

Bytes = NDArray[np.uint8]
States = NDArray[np.uint8]
Int64s = NDArray[np.int64]
_MOMENTS = ("block_timestamp", "timestamp", "time")  # columns that may be Arrow timestamps
Uint64s = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Text in a buffer: cell `i` is `data[starts[i]:ends[i]]`."""

    data: Bytes
    starts: Int64s
    ends: Int64s

    def __len__(self) -> int:
        return len(self.starts)

    def texts(self) -> pa.Array:
        """The cells as Arrow strings. Raises `InputError` where one is not UTF-8."""
        offsets = np.zeros(len(self) + 1, np.int64)
        np.cumsum(self.ends - self.starts, out=offsets[1:])
        out = np.empty(int(offsets[-1]), np.uint8)
        kernels.copied(self.data, self.starts, self.ends, offsets, out)
        found = pa.LargeStringArray.from_buffers(len(self), pa.py_buffer(offsets), pa.py_buffer(out))
        try:
            found.validate(full=True)
        except pa.ArrowInvalid:
            raise InputError("a cell is not UTF-8", "save the file as UTF-8 text") from None
        return found


Column: TypeAlias = Cells | pa.Array


def column_of(array: pa.Array, name: str) -> Column:
    """An Arrow array as a column. Raises `InputError` for types that cannot be read exactly."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return column_of(array.dictionary_decode(), name)
    if pa.types.is_string_view(kind):
        array = array.cast(pa.large_string())
        kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _cells_of(array)
    if pa.types.is_null(kind):
        nothing = np.zeros(len(array), np.int64)
        return Cells(np.zeros(0, np.uint8), nothing, nothing)
    refuse_type(name, kind)
    if pa.types.is_timestamp(kind):
        return array.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64())
    return array


def refuse_type(name: str, kind: pa.DataType) -> None:
    """Raise `InputError` for a column type that is no text, whole number, decimal or time in UTC."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        raise InputError(
            f"the column {name} holds floating point numbers ({kind}), which cannot hold amounts above 2**53 exactly",
            "export the table again with this column as text, integer or decimal",
        )
    moment = pa.types.is_timestamp(kind) and name in _MOMENTS
    if moment and kind.tz is None:
        raise InputError(
            f"the column {name} holds times that do not say in which time zone ({kind})",
            "export it as a timestamp in UTC, or as whole seconds since 1970",
        )
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    number = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    flag = pa.types.is_boolean(kind) and name.startswith("is_")
    if not (text or number or moment or flag or pa.types.is_null(kind)):
        raise InputError(f"the column {name} is of type {kind}", "text, integer, decimal or a time in UTC is read")


def _cells_of(array: pa.Array) -> Cells:
    wide = np.int64 if pa.types.is_large_string(array.type) else np.int32
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        nothing = np.zeros(len(array), np.int64)
        return Cells(np.zeros(0, np.uint8), nothing, nothing)
    at = np.frombuffer(offsets, wide)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    starts, ends = at[:-1], at[1:]
    if array.null_count:
        ends = np.where(array.is_valid().to_numpy(zero_copy_only=False), ends, starts)
    return Cells(np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8), starts, ends)


def _absent(array: pa.Array) -> States:
    states = np.zeros(len(array), np.uint8)
    if array.null_count:
        states[~array.is_valid().to_numpy(zero_copy_only=False)] = EMPTY
    return states


def addresses(column: Column) -> tuple[Bytes, States]:
    """0x and 40 hex digits as rows of 20 bytes. Mixed case, which carries a checksum, is `BAD`: look at it slowly."""
    return _hex(column, 20, False, True)


def hashes(column: Column) -> tuple[Bytes, States]:
    """64 hex digits, with or without 0x, as rows of 32 bytes."""
    return _hex(column, 32, True, False)


def _hex(column: Column, width: int, bare: bool, checksum: bool) -> tuple[Bytes, States]:
    out, states = np.zeros((len(column), width), np.uint8), np.full(len(column), BAD, np.uint8)
    if isinstance(column, Cells):
        kernels.hex_bytes(column.data, column.starts, column.ends, bare, checksum, out.view(np.uint32), states)
    return out, states


def units(column: Column) -> tuple[Uint64s, Uint64s, States]:
    """Amounts as low and high 64 bits. 2**128 and more is `BAD` here: the slow way reads it."""
    low, high = np.zeros(len(column), np.uint64), np.zeros(len(column), np.uint64)
    if isinstance(column, Cells):
        states = np.zeros(len(column), np.uint8)
        kernels.amounts(column.data, column.starts, column.ends, low, high, states)
        return low, high, states
    states = _absent(column)
    if pa.types.is_decimal(column.type):
        width = column.type.bit_width // 32
        words = np.frombuffer(column.buffers()[1], np.uint32).reshape(-1, width)
        words = words[column.offset : column.offset + len(column)]
        if column.type.scale < 0:
            states[states == OK] = BAD
        kernels.unscaled(words, max(0, column.type.scale), low, high, states)
    elif pa.types.is_integer(column.type):
        values = column.fill_null(0).to_numpy(zero_copy_only=False)
        states[(values < 0) & (states == OK)] = BAD
        low[states == OK] = values[states == OK].astype(np.uint64)
    else:
        states[:] = BAD
    return low, high, states


def numbers(column: Column | None, rows: int) -> tuple[Int64s, States]:
    """Whole numbers; a column that is not there is all `EMPTY`."""
    if column is None:
        return np.zeros(rows, np.int64), np.full(rows, EMPTY, np.uint8)
    if isinstance(column, Cells):
        found, states = np.zeros(rows, np.int64), np.zeros(rows, np.uint8)
        kernels.whole_numbers(column.data, column.starts, column.ends, found, states)
        return found, states
    low, high, states = units(column)
    states[(states == OK) & ((high != 0) | (low > np.uint64(2**63 - 1)))] = BAD
    low[states != OK] = 0
    return low.astype(np.int64), states


def times(column: Column) -> tuple[Int64s, States]:
    """UTC seconds; from text as ethereum-etl and the public data sets write it, or from whole seconds."""
    if isinstance(column, Cells):
        found, states = np.zeros(len(column), np.int64), np.zeros(len(column), np.uint8)
        kernels.moments(column.data, column.starts, column.ends, found, states)
    else:
        found, states = numbers(column, len(column))
    states[((found < EARLIEST) | (found >= LATEST)) & (states == OK)] = BAD
    return found, states


def moments(column: Column) -> tuple[Int64s, States]:
    """UTC seconds as `connectors.fields.moment_in` reads them: digits, or ISO-8601 with Z or +00:00 at the end."""
    found, states = times(column)
    if isinstance(column, Cells):
        zone = np.flatnonzero((states == OK) & (column.ends - column.starts > 18))
        letter = column.data[column.starts[zone] + 19]
        states[zone[(letter != ord("Z")) & (letter != ord("+"))]] = BAD
    return found, states


def well(states: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a cell could be read, all zeros or not."""
    found: NDArray[np.bool_] = (states == OK) | (states == ZERO)
    return found


def codes(column: Column | None, words: Sequence[str], rows: int) -> NDArray[np.int8]:
    """Which of `words` each cell is, by number, -1 for any other. A column that is not there is all -1."""
    out = np.full(rows, -1, np.int8)
    if isinstance(column, Cells):
        offsets = np.cumsum([0, *(len(word) for word in words)])
        text = np.frombuffer("".join(words).encode() or b" ", np.uint8)
        kernels.word_codes(column.data, column.starts, column.ends, text, offsets, out)
    return out


__all__ = [
    "BAD",
    "EMPTY",
    "OK",
    "ZERO",
    "Cells",
    "Column",
    "addresses",
    "codes",
    "hashes",
    "moments",
    "numbers",
    "times",
    "units",
]
