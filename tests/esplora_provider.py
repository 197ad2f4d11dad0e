"""An Esplora instance for tests: answers requests from transactions it was given, and misbehaves as it is told to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from connectors.bitcoin.chains import GENESIS
from connectors.http.protocol import Request, Response
from tracer.addresses.scripts import script_of
from tracer.values import Chain, Outpoint, Sink, SinkKind, Transfer

URL = "http://esplora.test/api"
Row = dict[str, Any]


@dataclass
class EsploraProvider:
    """`send` answers as Esplora does. `rows` are its transactions, oldest first; `blocks` the hash of each height.

    `page` is how many a page holds; `lag` and `stats_lag` are by how many blocks the listing and the figures of an
    address are behind the tip it tells; `most` is how many transactions an address may have before it is refused.
    """

    rows: list[Row]
    blocks: list[str]
    page: int = 25
    lag: int = 0
    stats_lag: int = 0
    most: int | None = None
    waiting: dict[str, int] = field(default_factory=dict)  # address -> transactions in no block
    asked: list[str] = field(default_factory=list)
    at: int = 1_700_000_000

    @classmethod
    def of_node(cls, decoded: Sequence[Sequence[Row]], **knobs: Any) -> EsploraProvider:
        """From the blocks of a node, as getblock 2 decodes them (tests.litecoin_node.LitecoinNode.decoded)."""
        made: dict[tuple[str, int], Row] = {}
        rows, blocks = [], []
        for block in decoded:
            for tx in block:
                outputs = [_output(one) for one in tx["vout"]]
                made |= {(tx["txid"], n): output for n, output in enumerate(outputs)}
                rows.append(_row(tx["txid"], [_input(one, made) for one in tx["vin"]], outputs, tx))
            blocks.append(block[0]["block_hash"])
        return cls(rows, blocks, **knobs)

    @classmethod
    def of_transfers(cls, transfers: Iterable[Transfer], tip: int = 0, **knobs: Any) -> EsploraProvider:
        """From transfers in the order of the chain; the chain goes on to block `tip` at least."""
        rows, hashes, chain = [], dict[int, str](), Chain.named("bitcoin")
        for transfer in sorted(transfers, key=lambda one: one.order):
            chain, number = transfer.id.chain, transfer.block.number
            hashes[number] = transfer.block.hash or hashlib.sha256(f"block {number}".encode()).hexdigest()
            facts = {"block_height": number, "block_hash": hashes[number], "block_time": transfer.block.time}
            rows.append(_row(transfer.id.tx, _spent(transfer), _made(transfer), facts))
        genesis = next(hash for hash, names in GENESIS.items() if chain.name in names)
        heights = range(max([tip, *hashes]) + 1)
        blocks = [
            genesis if not n else hashes.get(n, hashlib.sha256(f"block {n}".encode()).hexdigest()) for n in heights
        ]
        return cls(rows, blocks, **knobs)

    def send(self, request: Request) -> Response:
        """See `connectors.http.protocol.Transport`."""
        path = urlsplit(request.url).path.removeprefix(urlsplit(URL).path)
        self.asked.append(path)
        status, told = self._answer([part for part in path.split("/") if part])
        body = told if isinstance(told, str) else json.dumps(told, separators=(",", ":"))
        return Response(status, body.encode(), {"content-type": "application/json"}, self.at)

    def _answer(self, path: list[str]) -> tuple[int, Any]:
        tip = len(self.blocks) - 1
        match path:
            case ["blocks", "tip", "hash"]:
                return 200, self.blocks[-1]
            case ["blocks", "tip", "height"]:
                return 200, str(tip)
            case ["block-height", number]:
                return (200, self.blocks[int(number)]) if int(number) <= tip else (404, "Block not found")
            case ["block", hash] if hash in self.blocks:
                return 200, {"id": hash, "height": self.blocks.index(hash), "difficulty": 4.65e-10}
            case ["tx", tx]:
                found = [row for row in self.rows if row["txid"] == tx]
                return (200, found[-1]) if found else (404, "Transaction not found")
            case ["address", address]:
                return self._figures(address)
            case ["address", address, "txs", "chain", *last]:
                return self._listing(address, last[0] if last else "")
        return 404, "Block not found" if path[:1] == ["block"] else "endpoint does not exist"

    def _of(self, address: str, lag: int) -> list[Row]:
        newest = len(self.blocks) - 1 - lag
        return [
            row
            for row in self.rows
            if row["status"]["block_height"] <= newest and address in (*_owners(row, "vin"), *_owners(row, "vout"))
        ]

    def _listing(self, address: str, last: str) -> tuple[int, Any]:
        rows = self._of(address, self.lag)[::-1]
        if self.most is not None and len(rows) > self.most:
            return 400, "Too many history entries"
        start = [row["txid"] for row in rows].index(last) + 1 if last in {row["txid"] for row in rows} else 0
        return 200, rows[start : start + self.page]

    def _figures(self, address: str) -> tuple[int, Any]:
        rows = self._of(address, self.stats_lag)
        got = [one["value"] for row in rows for one in row["vout"] if one.get("scriptpubkey_address") == address]
        paid = [
            one["prevout"]["value"]
            for row in rows
            for one in row["vin"]
            if one["prevout"] and one["prevout"].get("scriptpubkey_address") == address
        ]
        figures = {
            "tx_count": len(rows),
            "funded_txo_count": len(got),
            "funded_txo_sum": sum(got),
            "spent_txo_count": len(paid),
            "spent_txo_sum": sum(paid),
        }
        return 200, {
            "address": address,
            "chain_stats": figures,
            "mempool_stats": {"tx_count": self.waiting.get(address, 0)},
        }


def _row(tx: str, inputs: list[Row], outputs: list[Row], facts: Row) -> Row:
    status = {name: facts[name] for name in ("block_height", "block_hash", "block_time")}
    coinbase = inputs[0]["is_coinbase"]
    paid = sum(one["prevout"]["value"] for one in inputs if one["prevout"])
    fee = 0 if coinbase else paid - sum(one["value"] for one in outputs)
    return {"txid": tx, "vin": inputs, "vout": outputs, "fee": fee, "status": {"confirmed": True, **status}}


def _output(told: Row) -> Row:
    """Esplora names no address for a bare key, though the old node does."""
    script = told["scriptPubKey"]
    found: Row = {"scriptpubkey": script["hex"], "value": int(Decimal(told["value"]) * 10**8)}
    listed = script.get("addresses", [])
    return found | ({"scriptpubkey_address": listed[0]} if len(listed) == 1 and script["type"] != "pubkey" else {})


def _input(told: Row, made: dict[tuple[str, int], Row]) -> Row:
    if "coinbase" in told:
        return {"txid": "0" * 64, "vout": 2**32 - 1, "prevout": None, "is_coinbase": True}
    point = told["txid"], told["vout"]
    return {"txid": point[0], "vout": point[1], "prevout": made[point], "is_coinbase": False}


def _spent(transfer: Transfer) -> list[Row]:
    inputs: list[Row] = []
    for leg in transfer.inputs:
        if isinstance(leg.holding, Outpoint):
            prevout = _leg(leg.units, leg.address)
            inputs.append({"txid": leg.holding.tx, "vout": leg.holding.index, "prevout": prevout, "is_coinbase": False})
    return inputs or [{"txid": "0" * 64, "vout": 2**32 - 1, "prevout": None, "is_coinbase": True}]


def _made(transfer: Transfer) -> list[Row]:
    return [
        {"scriptpubkey": "6a0400000000", "value": leg.units}
        if isinstance(leg.holding, Sink)
        else _leg(leg.units, leg.address)
        for leg in transfer.outputs
        if not (isinstance(leg.holding, Sink) and leg.holding.kind is SinkKind.FEE)
    ]


def _leg(units: int, address: Any) -> Row:
    if address is None:
        return {"scriptpubkey": "51", "value": units}
    return {"scriptpubkey": script_of(address).hex(), "scriptpubkey_address": address.text, "value": units}


def _owners(row: Row, side: str) -> list[str | None]:
    legs = row["vout"] if side == "vout" else [one["prevout"] for one in row["vin"] if one["prevout"]]
    return [leg.get("scriptpubkey_address") for leg in legs]
