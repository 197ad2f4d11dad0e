"""Reads single transactions from a node, with what their inputs spent, and no more evidence than that needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.bitcoin.finding import Place
from connectors.bitcoin.rows import Output, Point, from_core, objects, outputs_from_core, transfer_of, untold
from connectors.bitcoin.rpc import Call, Node, Refused
from connectors.fields import moment_in, number_in, problem_of, text_in
from connectors.protocol import Evidence, Problem
from tracer.addresses import parse_tx
from tracer.errors import BadRow, FundtrailError, SourceSkipped
from tracer.values import Block, Chain, Transfer

_MANY = 50  # transactions asked for in one request


@dataclass(slots=True)
class Read:
    """What was read. `bad` is the lowest block of which a transaction could not be, None where all could."""

    transfers: list[Transfer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    evidence: tuple[Evidence, ...] = ()
    bad: int | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A transaction as the node told it, and which row of which evidence it is."""

    place: Place
    block: Block
    tx: str
    row: Any
    cited: str


def transfers_at(node: Node, chain: Chain, places: Sequence[Place]) -> Read:
    """The transactions at `places`. Raises `SourceError`; one that cannot be read is a problem that names it."""
    found = _transactions(node, chain, places)
    told, prevouts = _prevouts(node, chain, found)
    into = Read()
    for one in found:
        row, cited = told.get(one.tx, (one.row, one.cited))
        try:
            if isinstance(row, Refused):
                raise BadRow(f"the node does not give it: {row.text} ({row.code})")
            into.transfers.append(
                transfer_of(from_core(row, chain, prevouts), chain, one.block, one.place.index, cited)
            )
        except FundtrailError as error:
            into.problems.append(problem_of(error, f"{chain}, block {one.block.number}, transaction {one.tx}"))
            into.bad = min(one.block.number, into.bad if into.bad is not None else one.block.number)
    into.evidence = node.take()
    return into


def _transactions(node: Node, chain: Chain, places: Sequence[Place]) -> list[_Found]:
    blocks = _blocks(node, chain, list(dict.fromkeys(place.hash for place in places)))
    wanted: list[tuple[Place, Block, str]] = []
    for place in places:
        block, txs = blocks[place.hash]
        if block.number != place.height or place.index >= len(txs):
            raise SourceSkipped(f"block {place.hash} has no transaction {place.index}", source=chain.name)
        wanted.append((place, block, txs[place.index]))
    # 2 tells what the inputs spent (Core 25 and later); before, it is taken for true. The hash spares it -txindex.
    calls: list[Call] = [("getrawtransaction", (tx, 2, place.hash)) for place, _, tx in wanted]
    found = []
    for (place, block, tx), answer in zip(wanted, node.ask_all(calls), strict=True):
        row = answer.told
        if not isinstance(row, Refused) and (not isinstance(row, dict) or row.get("txid") != tx):
            row = Refused(0, "asked for it, it gave another one")
        found.append(_Found(place, block, tx, row, answer.cited))
    return found


def _blocks(node: Node, chain: Chain, hashes: Sequence[str]) -> dict[str, tuple[Block, list[str]]]:
    """Number, time and transactions of each block, by its hash. One that is not in the chain is refused."""
    found = {}
    for hash, answer in zip(hashes, node.ask_all([("getblock", (hash, 1)) for hash in hashes]), strict=True):
        told = answer.told
        if not isinstance(told, dict) or number_in(told, "confirmations", least=-1) < 1:
            raise SourceSkipped(f"block {hash} is not in the chain: it was reorganised", source=chain.name)
        txs = told.get("tx")
        if told.get("hash") != hash or not isinstance(txs, list):
            raise SourceSkipped(f"asked for block {hash}, the node gave another one", source=chain.name)
        block = Block(number_in(told, "height"), moment_in(told, "time"), hash)
        found[hash] = block, [parse_tx(text_in({"tx": tx}, "tx"), chain) for tx in txs]
    return found


def _prevouts(
    node: Node, chain: Chain, found: Sequence[_Found]
) -> tuple[dict[str, tuple[Any, str]], dict[Point, Output]]:
    """What inputs spent that transactions do not tell: from the transactions that made those coins.

    Where the node gives one of these not, for want of -txindex, the blocks are asked for with what they spent (Core 23
    and later): then a transaction is taken from there, with its evidence.
    """
    missing: dict[str, None] = {}
    wanting: dict[str, str] = {}
    for one in found:
        try:
            points = [] if isinstance(one.row, Refused) else untold(one.row, chain)
        except FundtrailError:
            continue  # its turn comes, and then it is named
        if points:
            wanting[one.tx] = one.place.hash
            missing |= dict.fromkeys(tx for tx, _ in points)
    prevouts: dict[Point, Output] = {}
    refused, wanted = False, list(missing)
    for start in range(0, len(wanted), _MANY):
        some = wanted[start : start + _MANY]
        for tx, answer in zip(some, node.ask_all([("getrawtransaction", (tx, True)) for tx in some]), strict=True):
            try:
                if not isinstance(answer.told, dict) or answer.told.get("txid") != tx:
                    raise BadRow("not told")
                prevouts |= {(tx, n): output for n, output in enumerate(outputs_from_core(answer.told, chain))}
            except FundtrailError:
                refused = True  # who spends it is named, if the block does not tell it either
    return (_from_blocks(node, wanting) if refused else {}), prevouts


def _from_blocks(node: Node, wanting: dict[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    for hash in dict.fromkeys(wanting.values()):
        (answer,) = node.ask_all([("getblock", (hash, 3))])
        if isinstance(answer.told, Refused):
            continue
        for place, tx in _rows(answer.told):
            if tx.get("txid") in wanting and any("prevout" in one for one in objects(tx, "vin")):
                found[str(tx["txid"])] = tx, f"{answer.cited}/{place}"
    return found


def _rows(block: Any) -> Iterable[tuple[int, Any]]:
    return enumerate(objects(block, "tx"))


__all__ = ["Read", "transfers_at"]
