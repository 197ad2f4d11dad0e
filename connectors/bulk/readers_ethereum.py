"""Reads what ethereum-etl and the public data sets made with it export: transactions, token_transfers, traces.

The columns are those of its schema (github.com/blockchain-etl/ethereum-etl, docs/schema.md), and those that the data
sets add from receipts and blocks: receipt_*, block_timestamp. Rows are read all at once; a row that does not fit is
read again by itself, which either reads it after all (a checksummed address, 2**128 units) or says what is wrong.

What a table cannot tell stays a caveat of the reader, in words for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.bulk import readers_ethereum_rows as by_row
from connectors.bulk.batch import Batch, Rejected
from connectors.bulk.readers_batches import Numbered, Part, Texts, batch_of, encoded, fits, fixed, one_text, rejected
from connectors.bulk.readers_blocks import BlockTimes
from connectors.bulk.readers_columns import EMPTY, OK, ZERO, Cells, addresses, codes, hashes, numbers, times, units
from connectors.bulk.readers_kernels import add_product
from connectors.bulk.readers_tables import Chunk, Kind, Table, chunks, look_at
from tracer.errors import FundtrailError, InputError
from tracer.values import UNKNOWN_INDEX, Chain, Family, Transfer

TABLES: Mapping[str, tuple[str, ...]] = {
    "traces": (
        "transaction_hash",
        "block_number",
        "from_address",
        "to_address",
        "value",
        "trace_type",
        "trace_address",
    ),
    "token_transfers": (
        "transaction_hash",
        "block_number",
        "token_address",
        "from_address",
        "to_address",
        "value",
        "log_index",
    ),
    "transactions": ("hash", "block_number", "from_address", "to_address", "value"),
}
_ALSO = {
    "traces": ("transaction_index", "block_timestamp", "call_type", "reward_type", "status", "error"),
    "token_transfers": ("transaction_index", "block_timestamp"),
    "transactions": (
        "transaction_index",
        "block_timestamp",
        "gas_price",
        "max_fee_per_gas",
        "receipt_gas_used",
        "receipt_effective_gas_price",
        "receipt_contract_address",
        "receipt_status",
        "receipt_l1_fee",
        "receipt_blob_gas_used",
        "receipt_blob_gas_price",
    ),
}
_NFT = (
    "token_transfers also holds transfers of unique tokens (ERC-721), and does not say which they are: their "
    "units are the number of the token"
)


def table_of(columns: tuple[str, ...]) -> str:
    """Which of ethereum-etl's tables has these columns, "" for none."""
    return next((name for name, needed in TABLES.items() if set(needed) <= set(columns)), "")


class EthereumEtl:
    """Tables of ethereum-etl about one EVM chain. `blocks`: its blocks table, for exports without block_timestamp."""

    name = "ethereum-etl"

    def __init__(self, chain: Chain, blocks: Path | None = None) -> None:
        if chain.family is not Family.EVM:
            raise InputError(f"ethereum-etl's tables are about EVM chains, not {chain}", "name the chain they are of")
        self.chain = chain
        self.assets: dict[str, tuple[str, int]] = {}
        self._blocks = BlockTimes.read(blocks) if blocks else None
        self._unsure: dict[str, int] = {}
        self._nfts = False

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the files read so far cannot tell, for the person who relies on them."""
        counted = tuple(text.format(count=count) for text, count in self._unsure.items() if count)
        return (*counted, _NFT) if self._nfts else counted

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch]:
        """The file's rows after the first `skip_rows`. Raises `InputError` where the file is unusable."""
        table = look_at(path)
        kind = table_of(table.columns)
        if not kind:
            raise InputError(
                f"{path} is no table of ethereum-etl that holds transfers",
                "; ".join(f"{name} has {', '.join(needed)}" for name, needed in TABLES.items()),
            )
        if kind == "traces" and "status" not in table.columns:
            raise InputError(
                f"{path} has no column status",
                "without it a call that was reverted would count as paid; export with a later version of ethereum-etl",
            )
        if "block_timestamp" not in table.columns and self._blocks is None and table.kind is not Kind.JSON:
            raise InputError(
                f"{path} has no column block_timestamp", "give the table of blocks too: it has number and timestamp"
            )
        yield from self._read(table, kind, skip_rows)

    def _read(self, table: Table, kind: str, skip_rows: int) -> Iterator[Batch]:
        wanted = (*TABLES[kind], *_ALSO[kind])
        twins = by_row.Twins()
        for chunk in chunks(table, wanted, 0 if kind == "traces" else skip_rows):
            live = chunk.usable() & (np.arange(chunk.first, chunk.first + chunk.rows) > skip_rows)
            if table.kind is Kind.JSON:
                parts: list[Part] = []
                slow = chunk.usable()
            elif kind == "transactions":
                parts, slow = self._transactions(chunk, live)
            elif kind == "token_transfers":
                parts, slow = self._token_transfers(chunk, live)
            else:
                parts, slow = self._traces(chunk, live)
            read, bad = self._by_row(chunk, kind, slow, skip_rows, twins)
            bad += [
                rejected(chunk.first + at, InputError(why))
                for at, why in chunk.broken.items()
                if chunk.first + at > skip_rows
            ]
            batch = batch_of(parts, read, bad, self.chain)
            if batch is not None:
                yield batch

    def _by_row(
        self, chunk: Chunk, kind: str, slow: NDArray[np.bool_], skip_rows: int, twins: by_row.Twins
    ) -> tuple[list[Numbered], list[Rejected]]:
        read: list[Numbered] = []
        bad: list[Rejected] = []
        for place in np.flatnonzero(slow).tolist():
            number = chunk.first + place
            try:
                found = self._transfers_of(chunk.row(place), kind, twins)
                for transfer in found:
                    fits(transfer)
            except FundtrailError as error:
                if number > skip_rows:
                    bad.append(rejected(number, error))
                continue
            if number > skip_rows:
                read += [(number, transfer) for transfer in found]
        return read, bad

    def _transfers_of(self, row: dict[str, object], kind: str, twins: by_row.Twins) -> tuple[Transfer, ...]:
        if self._blocks is not None and row.get("block_timestamp") in (None, ""):
            row["block_timestamp"] = self._blocks.of(row.get("block_number"))
        if kind == "transactions":
            found = by_row.transaction(row, self.chain)
            self._count_unsure(*by_row.unsure(row))
            return found
        if kind == "traces":
            return by_row.trace(row, self.chain, twins)
        self._nfts = True
        found = by_row.token_transfer(row, self.chain)
        self.assets.setdefault(found[0].asset.contract, ("", 0))
        return found

    def _count_unsure(self, outcome: int, fee: int) -> None:
        failed = "{count} transactions do not say whether they failed (receipt_status is empty): they count as made"
        unpaid = "{count} transactions do not say what fee was paid: no fee is taken from their sender"
        self._unsure[failed] = self._unsure.get(failed, 0) + outcome
        self._unsure[unpaid] = self._unsure.get(unpaid, 0) + fee

    def _place(self, chunk: Chunk) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]:
        """Block, time and index of every row, and where all three could be read."""
        block, block_state = numbers(chunk.columns["block_number"], chunk.rows)
        stamps = chunk.columns.get("block_timestamp")
        if stamps is None:
            time, known = self._blocks.times(block) if self._blocks else (block, np.zeros(chunk.rows, np.bool_))
        else:
            time, time_state = times(stamps)
            known = time_state == OK
        index, index_state = numbers(chunk.columns.get("transaction_index"), chunk.rows)
        index = np.where(index_state == EMPTY, UNKNOWN_INDEX, index)
        good = (block_state == OK) & (block >= 0) & known & (index_state <= EMPTY)
        return block, time, index.astype(np.int32), good & (index >= UNKNOWN_INDEX) & (index < 2**31)

    def _transactions(self, chunk: Chunk, live: NDArray[np.bool_]) -> tuple[list[Part], NDArray[np.bool_]]:
        columns = chunk.columns
        block, time, index, good = self._place(chunk)
        tx, tx_state = hashes(columns["hash"])
        payer, payer_state = addresses(columns["from_address"])
        payee, payee_state = addresses(columns["to_address"])
        low, high, state = units(columns["value"])
        status, status_state = numbers(columns.get("receipt_status"), chunk.rows)
        good &= live & _read(tx_state) & _read(payer_state) & (state == OK)
        good &= (status_state == EMPTY) | ((status_state == OK) & (status >= 0) & (status <= 1))
        made = payee_state == EMPTY
        if "receipt_contract_address" in columns:
            contract, contract_state = addresses(columns["receipt_contract_address"])
            payee = np.where(made[:, None], contract, payee)
            payee_state = np.where(made, contract_state, payee_state)
        moves = (status_state == EMPTY) | (status == 1)
        good &= _read(payee_state) | ~moves
        fee_low, fee_high, paid, fee_good = _fees(chunk)
        good &= fee_good
        if fee_high.any():
            good &= fee_high < 2**32  # a fee of 2**96 wei is not a fee: look at the row
        self._count_unsure(int((good & (status_state == EMPTY)).sum()), int((good & ~paid).sum()))

        at, fee = _twice(good & moves, good & paid)
        nothing, sink = np.zeros(len(at), np.uint8), fee.astype(np.uint8) * np.uint8(by_row.FEE)
        found = Part(
            chunk.first + at,
            block[at],
            time[at],
            index[at],
            _at(tx, at),
            (fee.astype(np.int32), ["tx", "fee"]),
            one_text("", len(at)),
            _at(payer, at),
            _at(payee, at),
            nothing,
            sink,
            np.where(fee, fee_low[at], low[at]),
            np.where(fee, fee_high[at], high[at]),
        )
        return [found], live & ~good

    def _token_transfers(self, chunk: Chunk, live: NDArray[np.bool_]) -> tuple[list[Part], NDArray[np.bool_]]:
        columns = chunk.columns
        block, time, index, good = self._place(chunk)
        tx, tx_state = hashes(columns["transaction_hash"])
        contract, contract_state = addresses(columns["token_address"])
        payer, payer_state = addresses(columns["from_address"])
        payee, payee_state = addresses(columns["to_address"])
        low, high, state = units(columns["value"])
        log, log_state = numbers(columns["log_index"], chunk.rows)
        good &= live & _read(tx_state) & _read(contract_state) & _read(payer_state) & _read(payee_state)
        good &= (state == OK) & (log_state == OK) & (log >= 0) & (log < 1 << 24)
        good &= (payer_state != ZERO) | (payee_state != ZERO)
        at = np.flatnonzero(good)
        which, contracts = encoded(fixed(contract[at]))
        for text in contracts:
            self.assets.setdefault(text, ("", 0))
        self._nfts |= bool(len(at))
        found = Part(
            chunk.first + at,
            block[at],
            time[at],
            index[at],
            _at(tx, at),
            _numbered("log:", log[at]),
            (which, contracts),
            _at(payer, at),
            _at(payee, at),
            np.where(payer_state[at] == ZERO, by_row.ISSUE, 0).astype(np.uint8),
            np.where(payee_state[at] == ZERO, by_row.BURN, 0).astype(np.uint8),
            low[at],
            high[at],
        )
        return [found], live & ~good

    def _traces(self, chunk: Chunk, live: NDArray[np.bool_]) -> tuple[list[Part], NDArray[np.bool_]]:
        columns, rows = chunk.columns, chunk.rows
        block, time, index, good = self._place(chunk)
        kind = codes(columns["trace_type"], by_row.TRACE_TYPES, rows)
        call = codes(columns.get("call_type"), by_row.CALL_TYPES, rows)
        status, status_state = numbers(columns["status"], rows)
        low, high, state = units(columns["value"])
        apart = chunk.usable() & (kind >= by_row.FIRST_WITHOUT_TX)  # rewards and what is like them: counted from row 1
        told = (status_state == OK) & (status >= 0) & (status <= 1) & (kind >= 0)
        still = told & ((status == 0) | ((kind == 0) & (call > 0)))
        still |= told & (state == OK) & (low == 0) & (high == 0) & ((kind != 0) | (call == 0))
        tx, tx_state = hashes(columns["transaction_hash"])
        payer, payer_state = addresses(columns["from_address"])
        payee, payee_state = addresses(columns["to_address"])
        good &= live & told & ~apart & _read(tx_state) & _read(payer_state) & _read(payee_state) & (state == OK)
        good &= (kind != 0) | (call == 0)
        trace = columns["trace_address"]
        position = _trace_positions(trace if isinstance(trace, Cells) else None, rows)
        good &= (position[0] >= 0) & ~still
        at = np.flatnonzero(good)
        found = Part(
            chunk.first + at,
            block[at],
            time[at],
            index[at],
            _at(tx, at),
            (position[0][at], position[1]),
            one_text("", len(at)),
            _at(payer, at),
            _at(payee, at),
            np.zeros(len(at), np.uint8),
            np.zeros(len(at), np.uint8),
            low[at],
            high[at],
        )
        return [found], apart | (live & ~good & ~still)


def _at(rows: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Some of the rows; no copy where it is all of them."""
    whole = len(places) == len(rows) and (len(rows) == 0 or (places[0] == 0 and bool((np.diff(places) == 1).all())))
    return rows if whole else rows.take(places, axis=0)


def _twice(value: NDArray[np.bool_], fee: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The places of rows that state a value, a fee, or both, in order; and which of them stand for the fee."""
    count = value.astype(np.int64) + fee
    places = np.repeat(np.arange(len(count)), count)
    last = np.cumsum(count)[fee] - 1
    found = np.zeros(len(places), np.bool_)
    found[last] = True
    return places, found


def _read(states: NDArray[np.uint8]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (states == OK) | (states == ZERO)
    return found


def _numbered(prefix: str, of: NDArray[np.int64]) -> Texts:
    """`prefix` and the number, as positions; the numbers are small, so a table finds the different ones."""
    present = np.zeros(int(of.max()) + 1 if len(of) else 0, np.int32)
    present[of] = 1
    values = np.flatnonzero(present)
    present[values] = np.arange(len(values), dtype=np.int32)
    return present[of], [f"{prefix}{value}" for value in values.tolist()]


def _trace_positions(cells: Cells | None, rows: int) -> Texts:
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


def _fees(chunk: Chunk) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.bool_], NDArray[np.bool_]]:
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
