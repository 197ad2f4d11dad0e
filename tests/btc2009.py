"""The whole Bitcoin chain of 2009 (blocks 0 to 32,489) as our transfers, for tests.

The files number transactions through the year, in the order of the chain; an output's key is the transaction's number
times ten plus its own. They say nothing of time: block `n` is given the genesis block's time and `n` times ten minutes,
which is made up. A transaction hash that ends in "b" is written without it, and is given it back here. Coins that were
paid to a bare key stand under that key's P2PKH address, as the files have them: no script was looked at. Five addresses
are numbered but not named; their 21 outputs have none here.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from tracer.values import Address, Block, Chain, Leg, SinkKind, Transfer, TransferId

BITCOIN = Chain.named("bitcoin")
BTC = BITCOIN.coin
FOLDER = Path(__file__).parents[1].parent / "shared" / "data" / "btc-2009-utxo" / "2009"
# Skipped where the data are absent, except in CI, where the tests then run and fail for want of them.
_ABSENT = not FOLDER.exists() and os.environ.get("CI") != "true"
needs_2009 = pytest.mark.skipif(_ABSENT, reason="the Bitcoin chain of 2009 is not beside the repository")

SUBSIDY = 50 * 10**8
GENESIS_TIME = 1_231_006_505


@dataclass(frozen=True, slots=True)
class Output:
    """An output as the files have it; `spent_in` is the number of the spending transaction, also of later years."""

    tx: int
    n: int
    units: int
    address: Address | None
    spent_in: int | None


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one file."""
    with (FOLDER / f"{name}.csv").open(newline="") as stream:
        yield from csv.DictReader(stream)


@cache
def hashes() -> list[str]:
    """The hash of each transaction, by its number."""
    found = [row["tx_hash"] if len(row["tx_hash"]) == 64 else row["tx_hash"] + "b" for row in rows("tx_hash")]
    if wrong := [tx for tx in found if len(tx) != 64]:
        raise ValueError(f"not the hash of a transaction: {wrong[0]}")
    return found


@cache
def heights() -> list[int]:
    """The block of each transaction, by its number."""
    return [int(row["block_index"]) for row in rows("tx_height")]


@cache
def outputs() -> dict[int, Output]:
    """Every output of the year, by its key."""
    owners = {row["adr_index"]: Address(BITCOIN, row["adr_hash"]) for row in rows("adr_hash")}
    found = {}
    for row in rows("tx_output"):
        key, tx = int(row["output_index"]), int(row["tx_index"])
        later = row["spent_index"].removesuffix(".0")  # whoever wrote the column had let it become a float
        spent_in = int(later) if later else None
        found[key] = Output(tx, key - 10 * tx, int(row["output_value"]), owners.get(row["adr_index"]), spent_in)
    return found


@cache
def inputs() -> dict[int, list[int]]:
    """The keys of the outputs that each transaction spends, by its number; a coinbase is not among them."""
    found: dict[int, list[int]] = {}
    for row in rows("tx_input"):
        found.setdefault(int(row["tx_index"]), []).append(int(row["output_index"]))
    return found


@cache
def transfers() -> tuple[Transfer, ...]:
    """One transfer for each transaction of 2009, in the order of the chain; made once for all tests."""
    got: dict[int, list[Output]] = {}
    for output in outputs().values():
        got.setdefault(output.tx, []).append(output)
    found: list[Transfer] = []
    for height, numbers in groupby(range(len(heights())), key=heights().__getitem__):
        first, *rest = numbers
        paid = {tx: _fee(tx, got[tx]) for tx in rest}
        found.append(_transfer(first, height, 0, _issued(got[first], sum(paid.values())), got[first], 0))
        found += [
            _transfer(tx, height, place, tuple(_leg(outputs()[key]) for key in inputs()[tx]), got[tx], paid[tx])
            for place, tx in enumerate(rest, start=1)
        ]
    return tuple(found)


def _fee(tx: int, got: list[Output]) -> int:
    return sum(outputs()[key].units for key in inputs()[tx]) - sum(output.units for output in got)


def _issued(got: list[Output], fees: int) -> tuple[Leg, ...]:
    claimed = sum(output.units for output in got)
    if claimed > SUBSIDY + fees:
        raise ValueError(f"transaction {got[0].tx} claims {claimed} with fees of {fees}")
    return (Leg.sink(BTC, SinkKind.ISSUE, min(claimed, SUBSIDY)), *_fees(max(0, claimed - SUBSIDY)))


def _fees(units: int) -> tuple[Leg, ...]:
    return (Leg.sink(BTC, SinkKind.FEE, units),) if units else ()


def _leg(output: Output) -> Leg:
    return Leg.coin(hashes()[output.tx], output.n, BITCOIN, output.units, output.address)


def _transfer(tx: int, height: int, place: int, paid: tuple[Leg, ...], got: list[Output], fee: int) -> Transfer:
    return Transfer(
        TransferId(BITCOIN, hashes()[tx]),
        Block(height, GENESIS_TIME + 600 * height),
        place,
        BTC,
        paid,
        (*(_leg(output) for output in sorted(got, key=lambda output: output.n)), *_fees(fee)),
        (f"btc-2009-utxo#{tx}",),
    )
