"""Finds the transactions of an address on a node: by its block filters, or by an index of our own of its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.bitcoin.index import BlockIndex
from connectors.bitcoin.rows import objects
from connectors.bitcoin.rpc import NO_METHOD, Node, Refused
from connectors.fields import number_in, plain, text_in
from tracer.addresses.scripts import script_of
from tracer.errors import BadRow, SourceSkipped
from tracer.values import Address, Chain

FILTERS = "basic block filter index"
CHUNK = 10_000  # blocks a scanblocks: the node answers when it is done, and the answer must come in time
AT_ONCE = 20  # blocks a getdescriptoractivity, or a batch of getblock 1
MOST_UNINDEXED = 250_000  # blocks that are read one by one for want of an index, at most, in one run
_BATCH_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a transaction stands: its block, and its place in it."""

    height: int
    hash: str
    index: int


class Finder(Protocol):
    """Says where the transactions are that pay to an address or spend from it; too many, but never too few."""

    def places(self, address: Address, first: int, last: int) -> list[Place]:
        """The places in blocks `first` to `last`, in order. Raises `SourceError`."""
        ...


class ByFilters:
    """A node with `-blockfilterindex=1`: Core 25 and later for `scanblocks`, 29 for `getdescriptoractivity`.

    The filters hold the scripts that a block spends as well as those it pays. A range for which the node has no
    filters yet would be passed over in silence, so `usable` asks first how far they reach.
    """

    def __init__(self, node: Node, name: str) -> None:
        self._node, self._name = node, name
        self._activity = True

    @classmethod
    def usable(cls, node: Node, last: int) -> bool:
        """Whether the node can scan, and has the filters of all blocks up to `last`."""
        status = node.ask("getindexinfo")
        filters = status.get(FILTERS) if isinstance(status, dict) else None
        if not isinstance(filters, dict) or filters.get("synced") is not True:
            return False
        return number_in(filters, "best_block_height") >= last and not isinstance(
            node.ask("scanblocks", "status"), Refused
        )

    def places(self, address: Address, first: int, last: int) -> list[Place]:
        """See `Finder`."""
        wanted = [f"addr({address.text})"]
        blocks: list[str] = []
        for start in range(first, last + 1, CHUNK):
            stop = min(start + CHUNK - 1, last)
            scan = self._node.get("scanblocks", "start", wanted, start, stop, "basic")
            if not isinstance(scan, dict) or scan.get("completed") is False:
                raise self._skipped(f"blocks {start} to {stop} were not scanned to their end")
            if (number_in(scan, "from_height"), number_in(scan, "to_height")) != (start, stop):
                raise self._skipped(f"asked to scan blocks {start} to {stop}, the node scanned others")
            blocks += [text_in({"block": hash}, "block") for hash in scan["relevant_blocks"]]
        found: list[Place] = []
        for start in range(0, len(blocks), AT_ONCE):
            some = blocks[start : start + AT_ONCE]
            told = self._by_activity(some, wanted) if self._activity else None
            found += self._by_reading(some, address) if told is None else told
        return sorted(set(found))

    def _by_activity(self, blocks: Sequence[str], wanted: Sequence[str]) -> list[Place] | None:
        """None where the node has no such method."""
        told = self._node.ask("getdescriptoractivity", blocks, wanted, False)
        if isinstance(told, Refused):
            if told.code == NO_METHOD:
                self._activity = False
                return None
            raise self._skipped(f"getdescriptoractivity was refused: {told.text} ({told.code})")
        txs: dict[str, set[str]] = {}
        for one in objects(told, "activity"):
            tx = text_in(one, "spend_txid" if one.get("type") == "spend" else "txid")
            txs.setdefault(text_in(one, "blockhash"), set()).add(tx)
        found = []
        for answer in self._node.ask_all([("getblock", (hash, 1)) for hash in txs]):
            block = answer.told
            if isinstance(block, Refused):
                raise self._skipped(f"getblock was refused: {block.text} ({block.code})")
            hash, height = text_in(block, "hash"), number_in(block, "height")
            found += [Place(height, hash, index) for index, tx in enumerate(block["tx"]) if tx in txs.get(hash, ())]
        if len(found) != sum(map(len, txs.values())):
            raise self._skipped("getdescriptoractivity names transactions that are not in their blocks")
        return found

    def _by_reading(self, blocks: Iterable[str], address: Address) -> list[Place]:
        script, found = script_of(address).hex(), []
        for hash in blocks:
            block = self._node.get("getblock", hash, 3)
            self._node.take()  # as large as a block, and what is in it is read again by itself
            height = number_in(block, "height")
            found += [
                Place(height, hash, index) for index, tx in enumerate(objects(block, "tx")) if script in _scripts(tx)
            ]
        return found

    def _skipped(self, why: str) -> SourceSkipped:
        return SourceSkipped(f"{self._name}: {why}", source=self._name)


class ByIndex:
    """Any node: its blocks are read one by one, once for all addresses and runs, into an index of our own."""

    def __init__(self, node: Node, name: str, chain: Chain, index: BlockIndex, lowest: int) -> None:
        self._node, self._name, self._chain, self._index, self._lowest = node, name, chain, index, lowest

    def places(self, address: Address, first: int, last: int) -> list[Place]:
        """See `Finder`."""
        self._bring_to(last)
        self._node.take()  # what the index is made of is not kept: it is the whole chain
        if self._lowest and not self._index.told:
            why = "the node is pruned, and does not tell what inputs spend: what was paid before cannot be known"
            raise self._skipped(f"{why}; ask a node that keeps all blocks, started with -txindex=1")
        return [Place(*one) for one in self._index.places(script_of(address), first, last)]

    def _bring_to(self, last: int) -> None:
        index = self._index
        if index.lowest is not None and index.lowest > self._lowest:
            index.forget(0)
        self._forget_others()
        for _ in range(3):  # the chain may change while its blocks are read
            next = self._lowest if index.highest is None else index.highest + 1
            if last - next + 1 > MOST_UNINDEXED:
                why = f"the node has no index by address, and {last - next + 1:,} blocks would have to be read"
                hint = "start it with -blockfilterindex=1 (Core 25 and later), or ask esplora:"
                raise self._skipped(f"{why} one by one; the limit is {MOST_UNINDEXED:,}. {hint}")
            try:
                self._read(next, last)
                return
            except BadRow as error:
                if "does not follow" not in str(error):
                    raise self._skipped(plain(error)) from None
                self._forget_others()
        raise self._skipped("the chain changed three times while its blocks were read; ask again")

    def _forget_others(self) -> None:
        """Go back to the last block that the index and the node have in common."""
        highest = self._index.highest
        while highest is not None and self._node.ask("getblockhash", highest) != self._index.hash(highest):
            self._index.forget(highest)
            highest = self._index.highest

    def _read(self, next: int, last: int) -> None:
        size = 1
        while next <= last:
            heights = range(next, min(next + size, last + 1))
            hashes = self._results([("getblockhash", (height,)) for height in heights])
            blocks = self._results([("getblock", (hash, 3)) for hash in hashes])
            told = sum(len(evidence.body) for evidence in self._node.take())
            self._index.add(blocks, self._chain)
            next = heights.stop
            size = max(1, min(100, _BATCH_BYTES * len(heights) // max(told, 1)))

    def _results(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        results = [answer.told for answer in self._node.ask_all(calls)]
        for (method, params), result in zip(calls, results, strict=True):
            if isinstance(result, Refused):
                raise self._skipped(f"{method} {params[0]} was refused: {result.text} ({result.code})")
        return results

    def _skipped(self, why: str) -> SourceSkipped:
        return SourceSkipped(f"{self._name}: {why}", source=self._name)


def _scripts(tx: Any) -> set[str]:
    outputs = [*objects(tx, "vout"), *(one["prevout"] for one in objects(tx, "vin") if "prevout" in one)]
    return {text_in(one["scriptPubKey"], "hex") for one in outputs}


__all__ = ["FILTERS", "MOST_UNINDEXED", "ByFilters", "ByIndex", "Finder", "Place"]
