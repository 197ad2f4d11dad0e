"""The pinned amounts, and a story of each: what a mule got and paid on, as transfers and as rows of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from notation import ETHEREUM, START, address
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.lots import Rule
from tracer.values import MAX_UNITS, Asset, Block, Leg, Transfer, TransferId

PINNED = (
    0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64, 10**21, 2**127, 2**128 - 1, 2**128,
    MAX_UNITS,
)  # fmt: skip
NUMBERS = range(len(PINNED))
RULES = Rule.of(ETHEREUM.family)


def token(number: int) -> Asset:
    """A token of its own for each amount, so that each balance is of that amount alone."""
    return Asset(ETHEREUM, address(f"token {number}").text, f"T{number}", 18)


def tx(number: int, part: int) -> str:
    return f"0x{100 * number + part:064x}"


def paid(number: int, part: int, payer: str, payee: str, units: int) -> Transfer:
    """The payment `part` of the story of one amount."""
    block = 10 * number + part
    legs = (Leg.slot(address(who), token(number), units) for who in (payer, payee))
    id = TransferId(ETHEREUM, tx(number, part), "log:0")
    source, target = ((leg,) for leg in legs)
    return Transfer(id, Block(block, START + 12 * block), 0, token(number), source, target, ("drawn",))


def outs(units: int) -> tuple[int, int, int]:
    """What the mule pays on of `units`."""
    return units // 2, units - units // 2, units // 3


def story() -> list[Transfer]:
    """Of each amount as much stolen as clean comes to the mule, who pays shop, bank and shop."""
    found = []
    for number, units in enumerate(PINNED):
        found += [paid(number, 1, "victim", "mule", units), paid(number, 2, "friend", "mule", units)]
        found += [paid(number, 3 + at, "mule", ("shop", "bank")[at % 2], out) for at, out in enumerate(outs(units))]
    return found


def units_in(transfers: Iterator[Transfer] | list[Transfer]) -> dict[TransferId, int]:
    return {one.id: one.units for one in transfers}


def etl_rows(table: str) -> list[dict[str, Any]]:
    """A table of ethereum-etl with a row of each amount, as text."""
    a, b = address("payer").text, address("payee").text
    found: list[dict[str, Any]] = []
    for number, units in enumerate(PINNED):
        row = {"from_address": a, "to_address": b, "value": str(units), "block_number": str(number + 1)}
        row |= {"block_timestamp": str(START + number)}
        if table == "token_transfers":
            row |= {"token_address": token(0).contract, "transaction_hash": tx(number, 1), "log_index": "7"}
        elif table == "transactions":
            row |= {"hash": tx(number, 1), "transaction_index": "0", "gas_price": "0", "receipt_gas_used": "0"}
            row |= {"input": "0x", "receipt_status": "1"}
        else:
            row |= {"transaction_hash": tx(number, 1), "transaction_index": "0", "trace_type": "call"}
            row |= {"call_type": "call", "trace_address": "0,1", "status": "1"}
        found.append(row)
    return found


def rows_key(table: str) -> str:
    return "hash" if table == "transactions" else "transaction_hash"


def tabled(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def nearest(part: int, whole: int) -> int:
    """The nearest integer; of two equally near, the lower: in doubt a unit is clean."""
    return ceil(Fraction(part, whole) - Fraction(1, 2))


def left_by(rule: Rule, units: int) -> list[int]:
    """What of each payment is stolen, where first `units` stolen and then as much clean came: plain arithmetic."""
    stolen, clean, found = units, units, []
    for out in outs(units):
        whole = stolen + clean
        part = {
            Rule.FIFO: min(out, stolen),
            Rule.LIFO: max(0, out - clean),
            Rule.PRO_RATA: nearest(out * stolen, whole) if whole else 0,
            Rule.TAINT_FIRST: min(out, stolen),
            Rule.CLEAN_FIRST: max(0, out - clean),
        }[rule]
        stolen, clean = stolen - part, clean - (out - part)
        found.append(part)
    return found


def read_whole(transfers: list[Transfer]) -> CoverageBook:
    everybody = {leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address}
    last = max(one.block.number for one in transfers)
    return CoverageBook(
        Coverage(one, State.READ, frozenset(Kind), "drawn", "drawn", 0, last) for one in sorted(everybody)
    )
