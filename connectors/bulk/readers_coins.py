"""Reads bitcoin-etl's transactions: JSON lines or Parquet, with inputs and outputs nested in each record.

Inputs must be enriched (`bitcoinetl enrich_transactions`, or the public data sets): without the value of what it
spends, a transaction's fee and what it moved cannot be told. A coinbase is split into new coins and the fees it
collects where the chain's schedule is known; where it is not, all of it counts as new, and the reader says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from connectors.bulk.batch import Batch, CoinBatch
from connectors.bulk.readers_by_row import batches_of
from connectors.bulk.readers_coins_columns import COIN, LEG, coins_of
from connectors.bulk.readers_coins_json import legs_in_lines
from connectors.bulk.readers_coins_parquet import legs_in_parquet
from connectors.bulk.readers_ethereum_rows import EVIDENCE
from connectors.bulk.readers_tables import Chunk, Kind, look_at
from connectors.fields import address, moment_in, number_in, text_in, units_in
from tracer.addresses import parse_tx
from tracer.errors import BadAddress, BadAmount, BadRow, InputError
from tracer.values import UNKNOWN_INDEX, Address, Block, Chain, Family, Leg, SinkKind, Transfer, TransferId

Row = Mapping[str, object]

NEEDED = ("hash", "block_number", "block_timestamp", "inputs", "outputs")
_READ = (*NEEDED, "index", "is_coinbase", "input_count", "output_count", "fee")
_HALVINGS = {"bitcoin": 210_000, "bitcoin-cash": 210_000, "litecoin": 840_000}  # each began with 50 coins a block
_MOST = 2**64 - 1  # what a leg's amount may be: every coin there will be of any such chain is less


class BitcoinEtl:
    """bitcoin-etl's transactions of one chain of the Bitcoin family."""

    name = "bitcoin-etl"

    def __init__(self, chain: Chain) -> None:
        if chain.family is not Family.BITCOIN:
            raise InputError(f"bitcoin-etl's tables are about Bitcoin and its kin, not {chain}", "name the chain")
        self.chain = chain
        self.assets: dict[str, tuple[str, int]] = {}
        self._collected = False

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the files read so far cannot tell."""
        if self._collected and self.chain.name not in _HALVINGS:
            return (f"coinbases of {self.chain} count as new coins, the fees that they collect included",)
        return ()

    def batches(self, path: Path, skip_rows: int = 0) -> Iterator[Batch | CoinBatch]:
        """The file's rows after the first `skip_rows`. Raises `InputError` where the file is unusable."""
        table = look_at(path)
        missing = [name for name in NEEDED if name not in table.columns]
        if missing and table.kind is not Kind.JSON:
            raise InputError(f"{path} has no column {missing[0]}", f"transactions have {', '.join(NEEDED)}")
        if table.kind is Kind.CSV:
            raise InputError(f"{path} is CSV, which cannot nest inputs and outputs", "export JSON lines or Parquet")
        yield from batches_of(
            table, self._transfers, self.chain, skip_rows, wanted=_READ, inner=LEG, by_columns=self._columns
        )

    def _columns(self, chunk: Chunk, live: NDArray[np.bool_]) -> tuple[CoinBatch, NDArray[np.bool_]] | None:
        legs = legs_in_lines(chunk) if chunk.table.kind is Kind.JSON else legs_in_parquet(chunk)
        if legs is None:
            return None
        batch, sure, collected = coins_of(chunk.first, legs, live, self.chain, _HALVINGS.get(self.chain.name))
        self._collected |= collected
        return batch, sure

    def _transfers(self, row: dict[str, object]) -> tuple[Transfer, ...]:
        tx = parse_tx(text_in(row, "hash"), self.chain)
        block = Block(number_in(row, "block_number"), moment_in(row, "block_timestamp"))
        inputs, outputs = _legs(row, "inputs"), _legs(row, "outputs")
        got = tuple(self._got(tx, leg) for leg in outputs)
        total = sum(leg.units for leg in got)
        if _is_coinbase(row, inputs):
            paid = self._issued(block.number, total)
        else:
            paid = tuple(self._spent(leg) for leg in inputs)
            fee = sum(leg.units for leg in paid) - total
            if fee < 0:
                raise BadRow(f"the outputs hold {-fee} more than the inputs", "an input is missing, or was changed")
            said = row.get("fee")
            if said is not None and units_in(row, "fee") != fee:
                raise BadRow(f"fee is {said}, but the inputs hold {fee} more than the outputs", "a leg is missing")
            got += (Leg.sink(self.chain.coin, SinkKind.FEE, fee),) if fee else ()
        if not got:
            raise BadRow("outputs is empty", "a transaction has at least one")
        index = number_in(row, "index", UNKNOWN_INDEX)
        return (Transfer(TransferId(self.chain, tx), block, index, self.chain.coin, paid, got, EVIDENCE),)

    def _issued(self, height: int, claimed: int) -> tuple[Leg, ...]:
        self._collected = True
        coin, every = self.chain.coin, _HALVINGS.get(self.chain.name)
        new = min(claimed, (50 * COIN >> height // every) if every else claimed)
        fees = claimed - new
        return (
            Leg.sink(coin, SinkKind.ISSUE, new),
            *((Leg.sink(coin, SinkKind.FEE, fees),) if fees else ()),
        )

    def _spent(self, leg: Row) -> Leg:
        if leg.get("spent_transaction_hash") in (None, ""):
            raise BadRow("an input does not say what it spends", "shielded and unknown inputs cannot be followed")
        if leg.get("value") is None:
            raise BadRow("an input has no value", "run bitcoinetl enrich_transactions over the table")
        tx = parse_tx(text_in(leg, "spent_transaction_hash"), self.chain)
        index = number_in(leg, "spent_output_index", most=2**32 - 1)
        return Leg.coin(tx, index, self.chain, _value(leg), self._owner(leg))

    def _got(self, tx: str, leg: Row) -> Leg:
        units = _value(leg)
        script = text_in(leg, "script_hex", "")
        if text_in(leg, "type", "") == "nulldata" or script.startswith("6a"):
            return Leg.sink(self.chain.coin, SinkKind.UNSPENDABLE, units)
        return Leg.coin(tx, number_in(leg, "index", most=2**32 - 1), self.chain, units, self._owner(leg))

    def _owner(self, leg: Row) -> Address | None:
        """The one address of a leg; None where there is none, or several, as in a bare multisignature script."""
        listed = leg.get("addresses")
        if listed is None:
            return None
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise BadAddress("addresses is not a list of texts", "as bitcoin-etl writes it")
        if len(listed) != 1 or listed[0].startswith("nonstandard"):  # a name that bitcoin-etl makes up for a script
            return None
        return address(listed[0], self.chain)


def _is_coinbase(row: Row, inputs: list[Row]) -> bool:
    said = row.get("is_coinbase")
    if said not in (True, False, None):
        raise BadRow(f"is_coinbase is {said!r:.60}", "true or false")
    if said and inputs:
        raise BadRow("is_coinbase is true, but it has inputs")
    if said is False and not inputs:
        raise BadRow("inputs is empty, and it is no coinbase", "an input is missing")
    return not inputs


def _legs(row: Row, side: str) -> list[Row]:
    legs = row.get(side)
    if not isinstance(legs, list) or not all(isinstance(leg, dict) for leg in legs):
        raise BadRow(f"{side} is not a list of objects", "as bitcoin-etl writes it")
    count = side.removesuffix("s") + "_count"
    if row.get(count) is not None and number_in(row, count) != len(legs):
        raise BadRow(f"{count} is {row[count]}, but {len(legs)} are here", "the record was cut")
    return legs


def _value(leg: Row) -> int:
    units = units_in(leg, "value")
    if units > _MOST:
        raise BadAmount(f"value is {units}, more than 2**64 - 1", "no chain of this family has so many coins")
    return units
