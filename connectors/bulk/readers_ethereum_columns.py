"""What the tables of ethereum-etl need of their columns besides reading them: fees, positions, which rows to take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connectors.bulk import readers_ethereum_rows as by_row
from connectors.bulk.readers_batches import Texts, encoded
from connectors.bulk.readers_columns import EMPTY, OK, Cells, units
from connectors.bulk.readers_kernels import add_product
from connectors.bulk.readers_tables import Chunk
from tracer.errors import InputError


def taken(rows: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Some of the rows; no copy where it is all of them."""
    whole = len(places) == len(rows) and (len(rows) == 0 or (places[0] == 0 and bool((np.diff(places) == 1).all())))
    return rows if whole else rows.take(places, axis=0)


def value_and_fee(value: NDArray[np.bool_], fee: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The places of rows that state a value, a fee, or both, in order; and which of them stand for the fee."""
    count = value.astype(np.int64) + fee
    places = np.repeat(np.arange(len(count)), count)
    last = np.cumsum(count)[fee] - 1
    found = np.zeros(len(places), np.bool_)
    found[last] = True
    return places, found


def numbered(prefix: str, of: NDArray[np.int64]) -> Texts:
    """`prefix` and the number, as positions; the numbers are small, so a table finds the different ones."""
    present = np.zeros(int(of.max()) + 1 if len(of) else 0, np.int32)
    present[of] = 1
    values = np.flatnonzero(present)
    present[values] = np.arange(len(values), dtype=np.int32)
    return present[of], [f"{prefix}{value}" for value in values.tolist()]


def trace_positions(cells: Cells | None, rows: int) -> Texts:
    """Positions of traces: 0,1 as trace:0_1, the top call as tx; -1 for what is no trace address."""
    if cells is None:
        return np.full(rows, -1, np.int32), []
    try:
        which, texts = encoded(cells.texts())
    except InputError:
        return np.full(rows, -1, np.int32), []
    positions: list[str] = []
    for number, text in enumerate(texts):
        try:
            positions.append(by_row.trace_position(text))
        except InputError:
            positions.append("")
            which = np.where(which == number, np.int32(-1), which)
    return which, positions


def fees(chunk: Chunk) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Fees as low and high bits, where one is stated, and False where a row needs a look."""
    rows, columns = chunk.rows, chunk.columns
    low, high, good = np.zeros(rows, np.uint64), np.zeros(rows, np.uint64), np.ones(rows, np.bool_)

    def column(name: str) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        if name not in columns:
            return np.zeros(rows, np.uint64), np.full(rows, EMPTY, np.uint8)
        value, upper, state = units(columns[name])
        np.logical_and(good, (state == EMPTY) | ((state == OK) & (upper == 0)), out=good)
        return value, state

    used, used_state = column("receipt_gas_used")
    price, price_state = column("receipt_effective_gas_price")
    offered, offered_state = column("gas_price")
    _, capped_state = column("max_fee_per_gas")
    plain = (price_state == EMPTY) & (capped_state == EMPTY)  # before EIP-1559 the price offered is the price paid
    price = np.where(plain, offered, price)
    paid = (used_state == OK) & (np.where(plain, offered_state, price_state) == OK)
    add_product(np.where(paid, used, 0).astype(np.uint64), price, low, high, good)
    blobs, blobs_state = column("receipt_blob_gas_used")
    blob_price, _ = column("receipt_blob_gas_price")
    if (blobs_state == OK).any():
        add_product(np.where(paid, blobs, 0).astype(np.uint64), blob_price, low, high, good)
    layer, layer_state = column("receipt_l1_fee")
    if (layer_state == OK).any():
        add_product(np.where(paid, layer, 0).astype(np.uint64), np.ones(rows, np.uint64), low, high, good)
    return low, high, paid, good
