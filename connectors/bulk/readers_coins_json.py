"""bitcoin-etl's transactions in JSON lines as columns: those lines that are plain; the others are for the slow way."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk.readers_coins_columns import LEG, Legs, Side
from connectors.bulk.readers_columns import Cells, Column
from connectors.bulk.readers_json_kernels import FALSE, TRUE, hashed, transactions
from connectors.bulk.readers_tables import Chunk

_FIELDS = ("hash", "block_number", "block_timestamp", "index", "input_count", "output_count", "fee", "is_coinbase")
_FLAG = _FIELDS.index("is_coinbase")
_SIDES = ("inputs", "outputs")
_LEAST = 32  # bytes: no real leg is shorter, and lines full of "{}" must not take memory for so many


def legs_in_lines(chunk: Chunk) -> Legs:
    """The fields of a chunk's lines, and those of their legs. Rows that are not plain have no list of legs."""
    assert chunk.raw is not None  # noqa: S101  lines of text have it
    text, lines = chunk.raw
    data, rows = np.frombuffer(text, np.uint8), chunk.rows
    most = int(lines[-1] - lines[0]) // _LEAST + 1
    starts, ends = np.zeros((2, len(_FIELDS), rows), np.int64)
    flags, good = np.zeros(rows, np.uint8), np.zeros(rows, np.bool_)
    listed, legs = np.zeros((2, rows), np.bool_), np.zeros((2, rows + 1), np.int64)
    leg_starts, leg_ends = np.zeros((2, 2, len(LEG) - 1, most), np.int64)
    owners = np.zeros((2, most, 3), np.int64)
    transactions(
        data, lines, *_names(*_FIELDS, *_SIDES), _FLAG, *_names(*LEG),
        starts, ends, flags, listed, legs, leg_starts, leg_ends, owners, good,
    )  # fmt: skip
    columns: dict[str, Column] = {name: Cells(data, starts[at], ends[at]) for at, name in enumerate(_FIELDS)}
    columns["is_coinbase"] = pa.array(flags == TRUE, mask=(flags != TRUE) & (flags != FALSE))
    sides = [_side(data, legs[side], listed[side], leg_starts[side], leg_ends[side], owners[side]) for side in range(2)]
    return Legs(columns, sides[0], sides[1], empty_is_nothing=True)


def _side(
    data: NDArray[np.uint8],
    start: NDArray[np.int64],
    listed: NDArray[np.bool_],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    owners: NDArray[np.int64],
) -> Side:
    count = int(start[-1])
    columns: dict[str, Column] = {
        name: Cells(data, starts[at, :count], ends[at, :count]) for at, name in enumerate(LEG[:-1])
    }
    owned = owners[:count, 0] == 1
    first = Cells(data, np.where(owned, owners[:count, 1], 0), np.where(owned, owners[:count, 2], 0))
    return Side(start, listed, np.ones(count, np.bool_), columns, first, owned)


def _names(*names: str) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint64]]:
    """The names one after the other, where each begins, and their hashes."""
    offsets = np.cumsum([0, *(len(name) for name in names)], dtype=np.int64)
    hashes = np.array([hashed(name.encode()) for name in names], np.uint64)
    return np.frombuffer("".join(names).encode(), np.uint8), offsets, hashes
