"""Which transactions concern an address, apart from what token events tell: three ways, as the node has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.evm.calls import calls_in_list, calls_in_tree
from connectors.evm.faults import Fault, Meaning
from connectors.evm.node import Call, Node, Told
from connectors.evm.powers import BLOCKS, FILTER, SEARCH, Powers
from connectors.evm.quantities import Row, hash_in, hexadecimal, moment_in, number_in, quantity_in, row_in
from connectors.fields import address_in, text_in
from connectors.protocol import Problem
from tracer.errors import BadAddress, BadRow, SourceSkipped
from tracer.values import Address, Block, Leg, SinkKind, Transfer, TransferId

_PAGE = 25  # transactions an answer of ots_search*; nodes take no more
_GWEI = 10**9
_LAST = 2**31 - 1  # issued when the block was done, so after every transaction in it


class TooMuch(Exception):
    """The node refuses a question about so many blocks."""

    def __init__(self, fault: Fault | str) -> None:
        super().__init__(str(fault))


@dataclass(slots=True)
class Found:
    """`txs`: hash to block number. `issued`: what needs no transaction. `blind`: blocks whose calls nobody told."""

    txs: dict[str, int] = field(default_factory=dict)
    issued: list[Transfer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    blind: list[int] = field(default_factory=list)
    idle: set[str] = field(default_factory=set)  # evidence of which nothing is cited


class Finds(Protocol):
    """One way to find an address's transactions in blocks `first` to `last`."""

    def questions(self, address: Address, first: int, last: int) -> list[Call]:
        """What to ask together with the questions about events."""
        ...

    def found(self, node: Node, address: Address, first: int, last: int, told: Sequence[Told]) -> Found:
        """What the answers say, and what else has to be asked for it. Raises `TooMuch`, `BadRow`, `SourceError`."""
        ...


def way(powers: Powers, blocks: int) -> Finds | None:
    """How this node finds transactions in a reading of so many blocks; None where it cannot."""
    finds = powers.found_in(blocks)
    if finds == FILTER:
        return ByFilter()
    if finds == SEARCH:
        return BySearch()
    return ByBlocks(powers.traces) if finds == BLOCKS else None


class ByFilter:
    """`trace_filter`: every call that names the address, also inside a transaction of others."""

    def questions(self, address: Address, first: int, last: int) -> list[Call]:
        """See `Finds`."""
        blocks = {"fromBlock": hexadecimal(first), "toBlock": hexadecimal(last)}
        return [Call("trace_filter", ({**blocks, side: [address.text]},)) for side in ("fromAddress", "toAddress")]

    def found(self, node: Node, address: Address, first: int, last: int, told: Sequence[Told]) -> Found:
        """See `Finds`."""
        found = Found()
        rewards: dict[str, int] = {}
        seen: set[str] = set()
        for answer in told:
            for at, row in enumerate(listed(answer), 1):
                block = number_in(row, "blockNumber")
                if not first <= block <= last:
                    raise BadRow(f"trace_filter told of block {block}, asked about {first} to {last}")
                if text_in(row, "type") == "reward":
                    if repr(row) not in seen:  # the same row from both sides
                        seen.add(repr(row))
                        found.issued += _reward(row, address, block, rewards, f"{answer.cited}.{at}", node)
                else:
                    found.txs[hash_in(row, "transactionHash")] = block
        return found


class BySearch:
    """`ots_searchTransactionsAfter`, Otterscan's index: transactions that touch the address in any way."""

    def questions(self, address: Address, first: int, last: int) -> list[Call]:
        """See `Finds`."""
        return []

    def found(self, node: Node, address: Address, first: int, last: int, told: Sequence[Told]) -> Found:
        """See `Finds`. An answer holds whole blocks, so the next one goes on after its highest."""
        found, after = Found(), max(first - 1, 0)
        while after < last:
            answer = node.ask("ots_searchTransactionsAfter", address.text, after, _PAGE)
            if answer.fault is not None:
                raise TooMuch(answer.fault)
            rows = row_in(answer.result, "the answer").get("txs")
            if not isinstance(rows, list):
                raise BadRow("ots_searchTransactionsAfter gave no list of txs")
            blocks = []
            for row in (row_in(one, "a transaction") for one in rows):
                block = number_in(row, "blockNumber")
                blocks.append(block)
                if first <= block <= last:
                    found.txs[hash_in(row, "hash")] = block
            if not blocks or max(blocks) <= after:
                break
            after = max(blocks)
        return found


class ByBlocks:
    """Every block read whole, with its calls if the node tells them: for short readings, and chains of one's own."""

    def __init__(self, traces: str) -> None:
        self._traces = {
            "trace_transaction": ("trace_block", ()),
            "debug_traceTransaction": ("debug_traceBlockByNumber", ({"tracer": "callTracer"},)),
        }.get(traces)

    def questions(self, address: Address, first: int, last: int) -> list[Call]:
        """See `Finds`."""
        return []

    def found(self, node: Node, address: Address, first: int, last: int, told: Sequence[Told]) -> Found:
        """See `Finds`."""
        found, numbers = Found(), range(first, last + 1)
        answers = node.ask_all([Call("eth_getBlockByNumber", (hexadecimal(number), True)) for number in numbers])
        busy = []
        for number, answer in zip(numbers, answers, strict=True):
            found.idle.add(answer.cited.partition("#")[0])
            if answer.fault is not None or answer.result is None:
                raise node.skipped(f"block {number} cannot be had: {answer.fault or 'null'}", answer.call)
            row = row_in(answer.result, "the block")
            self._look(row, number, address, answer.cited, found)
            if row.get("transactions"):
                busy.append(number)
        if self._traces is not None:
            self._look_inside(node, busy, address, found)
        return found

    def _look(self, row: Row, number: int, address: Address, cited: str, found: Found) -> None:
        transactions = row.get("transactions")
        if not isinstance(transactions, list):
            raise BadRow(f"block {number} has no list of transactions")
        for one in (row_in(each, "a transaction") for each in transactions):
            names = {text_in(one, "from", "").lower(), text_in(one, "to", "").lower()}
            makes = self._traces is None and not text_in(one, "to", "")  # what it made, only its receipt tells
            if address.text in names or makes:
                found.txs[hash_in(one, "hash")] = number
        block = Block(number, moment_in(row, "timestamp", number), hash_in(row, "hash"))
        withdrawals = row.get("withdrawals") or []
        if not isinstance(withdrawals, list):
            raise BadRow(f"block {number} has no list of withdrawals")
        for at, one in enumerate((row_in(each, "a withdrawal") for each in withdrawals), 1):
            if address_in(one, "address", address.chain) == address:
                units, index = quantity_in(one, "amount") * _GWEI, number_in(one, "index")
                found.issued.append(_issued(f"trace:{index}", block, address, units, f"{cited}.{at}"))

    def _look_inside(self, node: Node, numbers: Sequence[int], address: Address, found: Found) -> None:
        assert self._traces is not None  # noqa: S101  asked only then
        method, params = self._traces
        calls = [Call(method, (hexadecimal(number), *params)) for number in numbers]
        try:
            told = node.ask_all(calls)
        except SourceSkipped as error:
            told = [Told(call, None, Fault(0, str(error)), "") for call in calls]
        for number, answer in zip(numbers, told, strict=True):
            found.idle.add(answer.cited.partition("#")[0])
            try:
                for tx in self._touching(answer, address):
                    found.txs[tx] = number
            except (BadRow, BadAddress):
                found.blind.append(number)

    def _touching(self, answer: Told, address: Address) -> Iterable[str]:
        """The transactions of a block in whose calls the address has a part."""
        by_tx: dict[str, list[Row]] = {}
        for row in listed(answer):
            if answer.call.method == "trace_block":
                if row.get("transactionHash") is not None:  # a reward has none
                    by_tx.setdefault(hash_in(row, "transactionHash"), []).append(row)
            elif row.get("error") or row.get("txHash") is None:
                raise BadRow("a transaction of the block was not traced")
            else:
                by_tx[hash_in(row, "txHash")] = [row_in(row.get("result"), "the trace")]
        for tx, rows in by_tx.items():
            flat = answer.call.method == "trace_block"
            calls = calls_in_list(rows, address.chain) if flat else calls_in_tree(rows[0], address.chain)
            if any(address in (move.payer, move.payee) for move in calls.moves):
                yield tx


def listed(answer: Told) -> list[Row]:
    """The rows of an answer that is a list. Raises `TooMuch`, or `BadRow` for an error of another kind."""
    if answer.fault is not None:
        if answer.fault.meaning in (Meaning.NO_METHOD, Meaning.NO_STATE):
            raise BadRow(f"{answer.call.method}: {answer.fault}")
        raise TooMuch(answer.fault)
    if not isinstance(answer.result, list):
        raise BadRow(f"{answer.call.method} gave no list")
    return [row_in(one, "a row") for one in answer.result]


def _reward(
    row: Row, address: Address, block: int, twins: dict[str, int], cited: str, node: Node
) -> list[Transfer]:  # fmt: skip
    """What a miner was issued, named as in ledgers made from ethereum-etl."""
    action = row_in(row.get("action"), "action")
    if address_in(action, "author", address.chain) != address:
        return []
    units = quantity_in(action, "value")
    likeness = f"0x{block:064x} reward {text_in(action, 'rewardType', '')}  {address} {units}"
    twins[likeness] = twin = twins.get(likeness, -1) + 1
    digest = int.from_bytes(hashlib.sha256(likeness.encode()).digest()[:6])
    told = row_in(node.ask("eth_getBlockByNumber", hexadecimal(block), False).result, "the block")
    when = Block(block, moment_in(told, "timestamp", block), hash_in(told, "hash"))
    return [_issued(f"trace:{digest}_{twin}", when, address, units, cited)]


def _issued(position: str, block: Block, address: Address, units: int, cited: str) -> Transfer:
    """What the chain itself issued in a block. It has no transaction: its name is the block's number, as a hash."""
    coin = address.chain.coin
    id = TransferId(address.chain, f"0x{block.number:064x}", position)
    legs = (Leg.sink(coin, SinkKind.ISSUE, units),), (Leg.slot(address, coin, units),)
    return Transfer(id, block, _LAST, coin, *legs, (cited,))


__all__ = ["ByBlocks", "ByFilter", "BySearch", "Finds", "Found", "TooMuch", "listed", "way"]
