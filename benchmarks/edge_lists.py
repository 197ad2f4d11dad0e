"""Reads a case of the expert-traced edge lists (AnonymousMFTracer/Ground-Truth) into transfers."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tracer.addresses import parse
from tracer.values import Address, Asset, Block, Chain, Leg, Transfer, TransferId, units_of

ETHEREUM = Chain.named("ethereum")
USD = Asset(ETHEREUM, "usd", "USD", 6)  # made up: the lists give the value of each payment, not what was paid


@dataclass(frozen=True, slots=True)
class EdgeList:
    """One case: its payments, where the money came from, where the experts say it ends, and what they call whom."""

    name: str
    transfers: tuple[Transfer, ...]
    sources: tuple[Address, ...]
    terminals: tuple[Address, ...]
    names: Mapping[Address, str]

    @property
    def addresses(self) -> frozenset[Address]:
        """Everybody who paid or was paid."""
        return frozenset(leg.address for one in self.transfers for leg in one.inputs + one.outputs if leg.address)

    def payers(self) -> dict[Address, set[Address]]:
        """Who paid each address."""
        found: dict[Address, set[Address]] = {}
        for one in self.transfers:
            source, target = one.inputs[0].address, one.outputs[0].address
            if source and target:
                found.setdefault(target, set()).add(source)
        return found


def read_edge_list(folder: Path, name: str) -> EdgeList:
    """The case `name` of `folder`. Raises `InputError` if an address or an amount cannot be read.

    The place in the block is not told. Transactions of a block stand in the order of their first rows; inside a
    transaction an address is paid before it pays, else row order: the rows themselves are not in order of time.
    """
    with (folder / f"{name} - {name}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    by_tx: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, row in enumerate(rows, start=2):
        by_tx.setdefault(row["Tx_hash"], []).append((number, row))
    transfers = tuple(
        _transfer(name, number, row, index, step)
        for index, of_tx in enumerate(by_tx.values())
        for step, (number, row) in enumerate(_as_paid(of_tx))
    )
    names = {
        parse(row[side], ETHEREUM): row[f"{side}_label"]
        for row in rows
        for side in ("From", "To")
        if row[f"{side}_label"]
    }
    sources, terminals = (_addresses(folder / f"{name} - {kind} addresses.csv") for kind in ("source", "terminal"))
    return EdgeList(name, transfers, sources, terminals, names)


def units(value: str) -> int:
    """Millionths of a dollar from the exact decimal text, cut, never rounded.

    >>> units("377.51095643040003"), units("50.0")
    (377510956, 50000000)
    """
    whole, _, part = value.partition(".")
    return units_of(whole + part[:6].ljust(6, "0"))


def _as_paid(rows: Iterable[tuple[int, dict[str, str]]]) -> list[tuple[int, dict[str, str]]]:
    left, ordered = list(rows), []
    while left:
        paid_later = {row["To"] for _, row in left}
        ready = next((one for one in left if one[1]["From"] not in paid_later), left[0])  # a circle: row order
        left.remove(ready)
        ordered.append(ready)
    return ordered


def _transfer(name: str, number: int, row: Mapping[str, str], index: int, step: int) -> Transfer:
    source, target, moved = parse(row["From"], ETHEREUM), parse(row["To"], ETHEREUM), units(row["Value_in_USD"])
    time = datetime.strptime(row["Timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return Transfer(
        TransferId(ETHEREUM, row["Tx_hash"].lower(), f"step:{step}"),
        Block(int(row["Block"]), int(time.timestamp())),
        index,
        USD,
        (Leg.slot(source, USD, moved),),
        (Leg.slot(target, USD, moved),),
        (f"{name}.csv#{number}",),
    )


def _addresses(path: Path) -> tuple[Address, ...]:
    return tuple(parse(text.strip(), ETHEREUM) for text in path.read_text("utf-8-sig").split())
