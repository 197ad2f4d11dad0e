"""A made-up JSON-RPC node of a few blocks, which misbehaves as a test wants it to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from anvil_node import START, Stopped
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.settings import Settings
from tracer.values import Address, Chain

ETHEREUM = Chain.named("ethereum")
ME = "0x" + "a1" * 20
YOU = "0x" + "b2" * 20
TOKEN = "0x" + "c3" * 20
NOBODY = "0x" + "0" * 40
ADDRESS = Address(ETHEREUM, ME)
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
NO_METHOD = {"code": -32601, "message": "the method does not exist/is not available"}
Row = dict[str, Any]


class Refusal(Exception):
    """An error object instead of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.told = {"code": code, "message": message}


def word(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def block_hash(number: int) -> str:
    return f"0x{0xB10C << 200 | number:064x}"


def transaction_hash(number: int) -> str:
    return f"0x{0x7A << 200 | number:064x}"


def log(block: int, index: int, units: int, payer: str = YOU, payee: str = ME, **more: Any) -> Row:
    """A Transfer of TOKEN, as a node tells it."""
    row = {
        "address": TOKEN, "topics": [TRANSFER, word(payer), word(payee)], "data": f"0x{units:064x}",
        "blockNumber": hex(block), "blockHash": block_hash(block), "transactionHash": transaction_hash(block),
        "transactionIndex": "0x0", "logIndex": hex(index), "removed": False,
    }  # fmt: skip
    row |= more
    return {name: value for name, value in row.items() if value is not None}


@dataclass
class FakeNode:
    """`methods` answer calls by name (parameters -> result), over those that every node has. `logs` are what it has
    of events. `whole` may change the bytes of an answer, `asked` are the calls it got."""  # fmt: skip

    tip: int = 100
    chain_id: str = "0x1"
    logs: list[Row] = field(default_factory=list)
    methods: dict[str, Callable[..., Any]] = field(default_factory=dict)
    whole: Callable[[bytes], Response | bytes] = lambda body: body
    takes_batches: bool = True
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)

    def network(self, **settings: str) -> Network:
        self.clock = Stopped(START)
        return Network(Settings(environ=settings), transport=self, clock=self.clock)

    def send(self, request: Request) -> Response:
        calls = json.loads(request.body)
        if isinstance(calls, list) and not self.takes_batches:
            told: Any = {
                "jsonrpc": "2.0",
                "id": None,
                "error": {"code": -32600, "message": "batches are not supported"},
            }
        else:
            told = [self._answer(call) for call in calls] if isinstance(calls, list) else self._answer(calls)
        given = self.whole(json.dumps(told).encode())
        return given if isinstance(given, Response) else Response(200, given, {}, START)

    def _answer(self, call: Row) -> Row:
        method, params = call["method"], call["params"]
        self.asked.append((method, params))
        known: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: self.chain_id,
            "eth_getBlockByNumber": self.block,
            "eth_getLogs": self.get_logs,
            "eth_getBalance": lambda *_: "0x0",
            "eth_call": lambda *_: "0x",
            **self.methods,
        }
        try:
            if method not in known:
                return {"jsonrpc": "2.0", "id": call["id"], "error": NO_METHOD}
            return {"jsonrpc": "2.0", "id": call["id"], "result": known[method](*params)}
        except Refusal as refusal:
            return {"jsonrpc": "2.0", "id": call["id"], "error": refusal.told}

    def block(self, tag: str, full: bool = False) -> Row | None:
        number = {"latest": self.tip, "finalized": max(self.tip - 10, 0)}.get(tag)
        number = int(tag, 16) if number is None else number
        if number > self.tip:
            return None
        when = hex(START + 12 * number)
        row = {"number": hex(number), "hash": block_hash(number), "timestamp": when, "transactions": []}
        return {**row, "withdrawals": []}

    def get_logs(self, query: Row) -> list[Row]:
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        return [row for row in self.logs if fits(row, query["topics"], first, last)]


def fits(row: Row, topics: Iterable[Any], first: int, last: int) -> bool:
    """Whether a node would give the log for that question."""
    number = row.get("blockNumber")
    if isinstance(number, str) and not first <= int(number, 16) <= last:
        return False
    told = row.get("topics", [])
    for at, asked in enumerate(topics):
        if asked is not None and (at >= len(told) or told[at] not in (asked if isinstance(asked, list) else [asked])):
            return False
    return True
