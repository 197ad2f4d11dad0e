"""bitcoin-etl's transactions by columns: those that are plainly fine as a `CoinBatch`, the others for the slow way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.bulk import readers_coins_kernels as kernels
from connectors.bulk.batch import SINK_CODES, CoinBatch
from connectors.bulk.readers_address_kernels import plainly_right
from connectors.bulk.readers_batches import fixed
from connectors.bulk.readers_columns import (
    EMPTY,
    OK,
    Cells,
    Column,
    column_of,
    hashes,
    moments,
    numbers,
    units,
    well,
)
from connectors.fields import address
from tracer.errors import FundtrailError
from tracer.values import UNKNOWN_INDEX, Chain, SinkKind

Flags = NDArray[np.bool_]
Int64s = NDArray[np.int64]
Uint64s = NDArray[np.uint64]
LEG = ("index", "spent_transaction_hash", "spent_output_index", "value", "type", "script_hex", "addresses")
COIN = 10**8
_LARGEST_INDEX = 2**32 - 1
_FEE, _ISSUE, _DATA = (SINK_CODES[kind] for kind in (SinkKind.FEE, SinkKind.ISSUE, SinkKind.UNSPENDABLE))


@dataclass(frozen=True, slots=True)
class Side:
    """The inputs or the outputs of a chunk: row `i` has the legs `start[i]` to `start[i + 1]`.

    A column that is None is not there. `owners`: the one address of a leg, where it has one to tell.
    """

    start: Int64s
    listed: Flags  # of a row: that this is a list at all
    good: Flags  # of a leg: that it is a record, and its addresses are a list of texts
    columns: dict[str, Column]
    owners: Cells
    owned: Flags

    def __len__(self) -> int:
        return len(self.good)


@dataclass(frozen=True, slots=True)
class Legs:
    """The rows of a chunk: their own columns, and their legs. A row that could not be read has no list of them.

    `empty_is_nothing`: an empty cell is one that says nothing, and not empty text.
    """

    columns: Mapping[str, Column]
    paid: Side
    got: Side
    empty_is_nothing: bool


def coins_of(first: int, legs: Legs, live: Flags, chain: Chain, halving: int | None) -> tuple[CoinBatch, Flags, bool]:
    """The `live` rows that are plainly fine; which rows those are; and whether a coinbase is among them.

    `first`: the number of the first row. `halving`: after how many blocks the new coins of a block are halved.
    """
    paid, got, columns, rows, nothing = legs.paid, legs.got, legs.columns, len(live), legs.empty_is_nothing
    tx, tx_state = hashes(columns["hash"])
    block, block_state = numbers(columns["block_number"], rows)
    time, time_state = moments(columns["block_timestamp"])
    index, index_state = numbers(columns.get("index"), rows)
    index = np.where(index_state == EMPTY, UNKNOWN_INDEX, index)
    good = live & well(tx_state) & (block_state == OK) & (block >= 0) & (time_state == OK) & (index_state <= EMPTY)
    good &= (index < 2**31) & paid.listed & got.listed
    for name, side in (("input_count", paid), ("output_count", got)):
        good &= _agrees(columns.get(name), np.diff(side.start), nothing)
    issued = np.diff(paid.start) == 0
    good &= _coinbase(columns.get("is_coinbase"), issued)

    spent, spent_state = _hashes(paid, "spent_transaction_hash")
    spent_index, index_good = _indexes(paid, "spent_output_index")
    in_value, in_good = _values(paid)
    made_index, made_good = _indexes(got, "index")
    out_value, out_good = _values(got)
    data, data_good = _unspendable(got)
    owners, (in_owner, out_owner) = _owners(paid, got, ~data, chain)
    in_good &= paid.good & well(spent_state) & index_good & (in_owner >= 0)
    out_good &= got.good & data_good & (data | (made_good & (out_owner >= 0)))
    kernels.all_good(paid.start, in_good, good)
    kernels.all_good(got.start, out_good, good)

    new, fee, balanced = _fees(paid.start, in_value, got.start, out_value, issued, block, halving)
    good &= issued | (balanced & _fee_said(columns.get("fee"), fee, nothing))
    good &= np.diff(got.start) > 0
    at = np.flatnonzero(good)
    most = int((np.diff(paid.start) + np.diff(got.start))[at].sum()) + 2 * len(at)
    leg_of, output = np.zeros(most, np.int64), np.zeros(most, np.bool_)
    coin_tx, coin_index, sink = np.zeros((most, 32), np.uint8), np.zeros(most, np.int64), np.zeros(most, np.uint8)
    owner, value = np.zeros(most, np.int32), np.zeros((most, 2), np.uint64)
    count = kernels.set_out(
        at, tx, issued, new, fee, _FEE, _ISSUE, _DATA,
        paid.start, spent, spent_index, in_value, in_owner,
        got.start, made_index, out_value, out_owner, data,
        leg_of, output, coin_tx, coin_index, sink, owner, value,
    )  # fmt: skip
    batch = CoinBatch(
        first + at,
        block[at],
        time[at],
        index[at].astype(np.int32),
        fixed(tx[at]),
        leg_of[:count],
        output[:count],
        fixed(coin_tx[:count]),
        coin_index[:count],
        sink[:count],
        owners.take(pa.array(owner[:count])),
        value[:count, 0].copy(),
        value[:count, 1].copy(),
    )
    return batch, good, bool((good & issued).any())


def _agrees(column: Column | None, counts: Int64s, empty_is_nothing: bool) -> Flags:
    """Where the number of legs is what is said of it, or nothing is. Empty text is no number."""
    if column is None:
        return np.ones(len(counts), np.bool_)
    said, state = numbers(column, len(counts))
    found: Flags = (state == OK) & (said == counts)
    return found if isinstance(column, Cells) and not empty_is_nothing else found | (state == EMPTY)


def _coinbase(column: Column | None, issued: Flags) -> Flags:
    """Where what is said fits what is there. What is no truth value at all is left to the slow way."""
    if column is None:
        return np.ones(len(issued), np.bool_)
    if isinstance(column, Cells) or not pa.types.is_boolean(column.type):
        return np.zeros(len(issued), np.bool_)
    said = np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)
    found: Flags = (said == issued) | np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)
    return found


def _hashes(side: Side, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if name in side.columns:
        return hashes(side.columns[name])
    return np.zeros((len(side), 32), np.uint8), np.full(len(side), EMPTY, np.uint8)


def _indexes(side: Side, name: str) -> tuple[Int64s, Flags]:
    found, state = numbers(side.columns.get(name), len(side))
    return found, (state == OK) & (found >= 0) & (found <= _LARGEST_INDEX)


def _values(side: Side) -> tuple[Uint64s, Flags]:
    """Amounts of less than 2**64, which is more than any such chain has coins."""
    if "value" not in side.columns:
        return np.zeros(len(side), np.uint64), np.zeros(len(side), np.bool_)
    low, high, state = units(side.columns["value"])
    return low, (state == OK) & (high == 0)


def _unspendable(side: Side) -> tuple[Flags, Flags]:
    """Which legs nobody can spend, and where that could be told."""
    found, known = np.zeros(len(side), np.bool_), np.ones(len(side), np.bool_)
    for name, prefix in (("type", b"nulldata"), ("script_hex", b"6a")):
        column = side.columns.get(name)
        if isinstance(column, Cells):
            begins = np.zeros(len(side), np.bool_)
            kernels.begin_with(column.data, column.starts, column.ends, np.frombuffer(prefix, np.uint8), begins)
            found |= begins if name == "script_hex" else begins & (column.ends - column.starts == len(prefix))
        elif column is not None:
            known[:] = False
    return found, known


def _owners(paid: Side, got: Side, asked: Flags, chain: Chain) -> tuple[pa.Array, list[NDArray[np.int32]]]:
    """All different addresses, "" among them; and of each side's legs which one it has, -1 where it is no address."""
    named: list[Flags] = []
    for side, wanted in ((paid, True), (got, asked)):
        made_up = np.zeros(len(side), np.bool_)
        prefix = np.frombuffer(b"nonstandard", np.uint8)  # a name that bitcoin-etl makes up for a script
        kernels.begin_with(side.owners.data, side.owners.starts, side.owners.ends, prefix, made_up)
        named.append(side.owned & ~made_up & wanted)
    picked = [
        Cells(side.owners.data, side.owners.starts[which], side.owners.ends[which]).texts()
        for side, which in zip((paid, got), named, strict=True)
    ]
    coded = pa.concat_arrays(picked).dictionary_encode()
    texts, numbers = _spelled(coded.dictionary, chain)
    codes = numbers[coded.indices.to_numpy(zero_copy_only=False)]
    found = []
    for which in named:
        owner = np.zeros(len(which), np.int32)
        owner[which], codes = codes[: which.sum()], codes[which.sum() :]
        found.append(owner)
    return texts, found


def _spelled(texts: pa.Array, chain: Chain) -> tuple[pa.Array, NDArray[np.int32]]:
    """ "" and the addresses in their one spelling; and for each text its place there, -1 where it is no address."""
    numbers = np.arange(1, len(texts) + 1, dtype=np.int32)
    cells = column_of(texts, "addresses")
    assert isinstance(cells, Cells)  # noqa: S101  they are texts
    odd = np.flatnonzero(~plainly_right(chain, cells.data, cells.starts, cells.ends)).tolist()
    others: list[str] = []
    for at in odd:
        try:
            others.append(address(texts[at].as_py(), chain).text)
            numbers[at] = len(texts) + len(others)
        except FundtrailError:
            numbers[at] = -1
    kind = pa.large_string()
    return pa.concat_arrays([pa.array([""], kind), texts.cast(kind), pa.array(others, kind)]), numbers


def _fees(
    in_start: Int64s, in_value: Uint64s, out_start: Int64s, out_value: Uint64s,
    issued: Flags, block: Int64s, halving: int | None,
) -> tuple[Uint64s, Uint64s, Flags]:  # fmt: skip
    """New coins and fees as low and high bits, and where no more comes out than goes in."""
    rows = len(issued)
    paid, got = np.zeros((2, rows), np.uint64), np.zeros((2, rows), np.uint64)
    kernels.summed(in_start, in_value, paid[0], paid[1])
    kernels.summed(out_start, out_value, got[0], got[1])
    due = got
    if halving:
        halved = np.minimum(np.maximum(block, 0) // halving, 63).astype(np.uint64)
        limit = np.uint64(50 * COIN) >> halved
        within = (got[1] == 0) & (got[0] <= limit)
        due = np.stack([np.where(within, got[0], limit), np.zeros(rows, np.uint64)])
    more, less = np.where(issued, got, paid), np.where(issued, due, got)
    balanced = (less[1] < more[1]) | ((less[1] == more[1]) & (less[0] <= more[0]))
    fee = more - less
    fee[1] -= less[0] > more[0]
    return np.ascontiguousarray(due.T), np.ascontiguousarray(fee.T), balanced


def _fee_said(column: Column | None, fee: Uint64s, empty_is_nothing: bool) -> Flags:
    """Where the fee is what is said of it, or nothing is. Empty text is no amount."""
    if column is None:
        return np.ones(len(fee), np.bool_)
    low, high, state = units(column)
    found: Flags = (state == OK) & (low == fee[:, 0]) & (high == fee[:, 1])
    return found if isinstance(column, Cells) and not empty_is_nothing else found | (state == EMPTY)
