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
from connectors.bulk.readers_batches import Numbered, Part, batch_of, encoded, fits, fixed, one_text, rejected
from connectors.bulk.readers_blocks import BlockTimes
from connectors.bulk.readers_columns import (
    EMPTY,
    OK,
    ZERO,
    Cells,
    addresses,
    codes,
    hashes,
    numbers,
    times,
    units,
    well,
)
from connectors.bulk.readers_ethereum_columns import fees, numbered, taken, trace_positions, value_and_fee
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
        good &= live & well(tx_state) & well(payer_state) & (state == OK)
        good &= (status_state == EMPTY) | ((status_state == OK) & (status >= 0) & (status <= 1))
        made = payee_state == EMPTY
        if "receipt_contract_address" in columns:
            contract, contract_state = addresses(columns["receipt_contract_address"])
            payee = np.where(made[:, None], contract, payee)
            payee_state = np.where(made, contract_state, payee_state)
        moves = (status_state == EMPTY) | (status == 1)
        good &= well(payee_state) | ~moves
        fee_low, fee_high, paid, fee_good = fees(chunk)
        good &= fee_good
        if fee_high.any():
            good &= fee_high < 2**32  # a fee of 2**96 wei is not a fee: look at the row
        self._count_unsure(int((good & (status_state == EMPTY)).sum()), int((good & ~paid).sum()))

        at, fee = value_and_fee(good & moves, good & paid)
        nothing, sink = np.zeros(len(at), np.uint8), fee.astype(np.uint8) * np.uint8(by_row.FEE)
        found = Part(
            chunk.first + at,
            block[at],
            time[at],
            index[at],
            taken(tx, at),
            (fee.astype(np.int32), ["tx", "fee"]),
            one_text("", len(at)),
            taken(payer, at),
            taken(payee, at),
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
        good &= live & well(tx_state) & well(contract_state) & well(payer_state) & well(payee_state)
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
            taken(tx, at),
            numbered("log:", log[at]),
            (which, contracts),
            taken(payer, at),
            taken(payee, at),
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
        good &= live & told & ~apart & well(tx_state) & well(payer_state) & well(payee_state) & (state == OK)
        good &= (kind != 0) | (call == 0)
        trace = columns["trace_address"]
        position = trace_positions(trace if isinstance(trace, Cells) else None, rows)
        good &= (position[0] >= 0) & ~still
        at = np.flatnonzero(good)
        found = Part(
            chunk.first + at,
            block[at],
            time[at],
            index[at],
            taken(tx, at),
            (position[0][at], position[1]),
            one_text("", len(at)),
            taken(payer, at),
            taken(payee, at),
            np.zeros(len(at), np.uint8),
            np.zeros(len(at), np.uint8),
            low[at],
            high[at],
        )
        return [found], apart | (live & ~good & ~still)
