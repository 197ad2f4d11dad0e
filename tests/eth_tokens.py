"""Ethereum's blocks 15,000,000 to 15,000,004 and 84 early ones, with logs and traces, as our transfers, for tests.

The files hold all traces and logs of those blocks, but the rows of some transactions only: of the others, the
transaction's own value is that of its outermost call, its place in the block is told by its logs if there are any, and
its fee is not here. Three transactions have a row and no trace (their hashes were made up); they are left out. Some
values are written as a spreadsheet would, `199e17`. WETH tells what it issues and burns by events of its own, `Deposit`
and `Withdrawal`, with no `Transfer`; they are read as an issue and a burn.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tracer.values import UNKNOWN_INDEX, Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

ETHEREUM = Chain.named("ethereum")
ETH = ETHEREUM.coin
FOLDER = Path(__file__).parents[1].parent / "shared" / "data" / "eth-tokens"
# Skipped where the data are absent, except in CI, where the tests then run and fail for want of them.
_ABSENT = not FOLDER.exists() and os.environ.get("CI") != "true"
needs_eth_tokens = pytest.mark.skipif(_ABSENT, reason="the Ethereum blocks with tokens are not beside the repository")

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
DEPOSIT = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
NOBODY = "0x" + "0" * 40

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """An inner or outer call that moved value, or would have: `path` its numbers, () for the transaction itself."""

    tx: str
    path: tuple[int, ...]
    payer: str
    paid: str
    units: int
    moves: bool  # neither it nor a call around it failed, and it is of a kind that carries value


@dataclass(frozen=True, slots=True)
class Event:
    """A token movement that a log tells: "" for where tokens are issued or burned."""

    tx: str
    number: int
    contract: str
    payer: str
    paid: str
    units: int


def rows(name: str) -> Iterator[Row]:
    """The rows of one file."""
    with (FOLDER / f"{name}.csv").open(newline="") as stream:
        yield from csv.DictReader(stream)


@cache
def logs() -> list[dict[str, Any]]:
    """Every log, as the file has it."""
    return [json.loads(line) for line in (FOLDER / "logs.json").read_text().splitlines()]


def written(text: str) -> int:
    """A whole number, also as a spreadsheet writes it.

    >>> written("199e17")
    19900000000000000000
    """
    digits, _, zeros = text.partition("e")
    return int(digits + "0" * int(zeros or 0))


@cache
def calls() -> tuple[Call, ...]:
    """Every call and creation inside a transaction; genesis and block rewards are none."""
    told = [row for row in rows("traces") if row["txHash"]]
    failed = {(row["txHash"], _path(row)) for row in told if row["status"] != "1"}
    found = []
    for row in told:
        path = _path(row)
        stands = not any((row["txHash"], path[:depth]) in failed for depth in range(len(path) + 1))
        moves = stands and row["callType"] in ("call", "")
        found.append(Call(row["txHash"], path, row["fromAddress"], row["toAddress"], written(row["value"]), moves))
    return tuple(found)


def _path(row: Row) -> tuple[int, ...]:
    numbers = row["traceId"].split("_")[2:]
    return tuple(int(number) for number in numbers if number)


@cache
def events() -> tuple[tuple[Event, ...], Counter[str]]:
    """Token movements, and how many `Transfer` logs are of which shape: three topics are fungible, four an NFT."""
    found = []
    shapes: Counter[str] = Counter()
    for log in logs():
        topics, contract = log["topics"], log["address"]
        if contract == WETH and topics[0] in (DEPOSIT, WITHDRAWAL):
            ends = ["", _address(topics[1])]
            payer, paid = ends if topics[0] == DEPOSIT else ends[::-1]
            shapes["wrapped"] += 1
        elif topics and topics[0] == TRANSFER and len(topics) == 3 and len(log["data"]) == 66:
            payer, paid = (_address(topic).replace(NOBODY, "") for topic in topics[1:])
            shapes["fungible"] += 1
        else:
            shapes["nft" if topics and topics[0] == TRANSFER and len(topics) == 4 else "other"] += 1
            continue
        found.append(Event(log["txHash"], int(log["logIndex"]), contract, payer, paid, int(log["data"], 16)))
    return tuple(found), shapes


def _address(topic: str) -> str:
    return "0x" + topic[-40:]


@cache
def transfers() -> tuple[Transfer, ...]:
    """Every movement of value in the blocks but the genesis and the block rewards."""
    times = {int(row["blockId"]): int(row["timestamp"]) for row in rows("blocks")}
    told = {row["txHash"]: row for row in rows("transactions")}
    number = {row["txHash"]: int(row["blockId"]) for row in rows("traces") if row["txHash"]}
    index = {log["txHash"]: int(log["transactionIndex"]) for log in logs()}
    index |= {tx: int(row["transactionIndex"]) for tx, row in told.items()}
    found = []

    def made(tx: str, position: str, asset: Asset, paid: Leg, got: Leg, source: str) -> None:
        block, place = Block(number[tx], times[number[tx]]), index.get(tx, UNKNOWN_INDEX)
        id = TransferId(ETHEREUM, tx, position)
        method = told[tx]["input"][:10] if tx in told and position == "tx" and told[tx]["input"] != "0x" else ""
        found.append(Transfer(id, block, place, asset, (paid,), (got,), (source,), method))

    for call in calls():
        position = f"trace:{'_'.join(map(str, call.path))}" if call.path else "tx"
        if call.moves and (call.units or not call.path):
            legs = _leg(call.payer, ETH, call.units), _leg(call.paid, ETH, call.units)
            made(call.tx, position, ETH, *legs, f"traces.csv#{call.tx}")
    for event in events()[0]:
        asset = Asset(ETHEREUM, event.contract, "WETH" if event.contract == WETH else "", 0)
        paid = _leg(event.payer, asset, event.units, SinkKind.ISSUE)
        made(event.tx, f"log:{event.number}", asset, paid, _leg(event.paid, asset, event.units), "logs.json")
    for tx, row in told.items():
        if tx in number:
            fee = written(row["gasPrice"]) * int(row["receiptGasUsed"])
            payer, sink = _leg(row["fromAddress"], ETH, fee), Leg.sink(ETH, SinkKind.FEE, fee)
            made(tx, "fee", ETH, payer, sink, f"transactions.csv#{tx}")
    return tuple(found)


def _leg(text: str, asset: Asset, units: int, sink: SinkKind = SinkKind.BURN) -> Leg:
    return Leg.slot(Address(ETHEREUM, text), asset, units) if text else Leg.sink(asset, sink, units)


def gathered() -> dict[str, list[Call | Event]]:
    """Whatever moves anything, by transaction."""
    found: dict[str, list[Call | Event]] = defaultdict(list)
    for call in calls():
        if call.moves and call.units:
            found[call.tx].append(call)
    for event in events()[0]:
        if event.units:
            found[event.tx].append(event)
    return found
