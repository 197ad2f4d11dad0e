"""A fake Etherscan in memory: a `Transport` that answers like API V2 about a made-up chain, caps and errors included.

    provider = EtherscanProvider(random_chain(1), page=100, window=1000)
    source = open_source("etherscan:ethereum", provider.network())

`page` rows an answer, `window` rows of a listing that can be reached by pages, the lists `lag` blocks behind the chain.
`short`, where given, cuts answers of lists at random, but never to nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.settings import Settings
from explorer_chain import FEE, FILLER, GAS, GAS_PRICE, WETH, Chain, Inner, Transaction

Row = dict[str, Any]
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
DEPOSIT = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
KEY = "CANARYKEY0123456789"


class EtherscanProvider:
    """See the module. `requests` are all that came; `spoil`, where set, may replace an answer's body before it goes."""

    def __init__(
        self, chain: Chain, *, page: int = 1000, window: int = 10_000, lag: int = 0, key: str = "",
        short: random.Random | None = None, finality: int | None = 64, traces: bool = True,
    ) -> None:  # fmt: skip
        self.chain, self.page, self.window, self.lag, self.key = chain, page, window, lag, key
        self.short, self.finality, self.traces = short, finality, traces
        self.requests: list[Request] = []
        self._lists: dict[object, list[tuple[int, Row]]] = {}
        self.spoil: Callable[[Request, Any], Any] = lambda request, body: body

    def network(self, **more: Any) -> Network:
        """A network whose only door is this provider, and whose key is the provider's."""
        environ = {"ETHERSCAN_API_KEY": self.key} if self.key else {}
        return Network(Settings(environ=environ), transport=self, **more)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        assert not {"apikey", "key"} & set(request.params)
        if self.key and request.secret_params.get("apikey") != self.key:
            body: Any = _error("Invalid API Key")
        else:
            body = self.answer(dict(request.params))
        body = self.spoil(request, body)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Response(200, raw, {"content-type": "application/json"}, self.chain.time_of(self.chain.head))

    def answer(self, asked: dict[str, str]) -> Any:
        if asked.get("chainid", str(self.chain.number)) != str(self.chain.number):
            return _error("Missing or unsupported chainid parameter (required for v2 api), please see chainlist")
        module, action = asked.get("module"), asked.get("action", "")
        if module == "proxy":
            return {"jsonrpc": "2.0", "id": 1, "result": self._node(action, asked)}
        if module == "logs":
            return self._listed(self._logs(asked), asked, "fromBlock", "toBlock", "No records found")
        if action in ("balance", "tokenbalance"):
            units = self.chain.balance(asked["address"], asked.get("contractaddress", ""), self.chain.head)
            return {"status": "1", "message": "OK", "result": str(units)}
        if module == "account" and action == "txlistinternal" and "txhash" in asked:
            one = self.chain.by_hash(asked["txhash"])
            rows = [self._inner_row(one, call) for call in one.inner] if one else []
            kept = [{k: v for k, v in row.items() if k not in ("hash", "traceId")} for row in rows]
            return _rows(kept, "No transactions found")
        if module == "account" and action in ("txlist", "txlistinternal", "tokentx"):
            return self._listed(
                self._remembered(action, asked), asked, "startblock", "endblock", "No transactions found"
            )
        return _error("Error! Missing Or invalid Action name")

    def rows(self, action: str, asked: dict[str, str]) -> Iterator[tuple[int, Row]]:
        """Block and row of all that the list holds of the address, oldest first."""
        address = asked["address"]
        if action == "txlist" and address == FILLER:
            last = min(int(asked["endblock"]), self.chain.head - self.lag)
            blocks = range(last, max(last - 3, -1), -1)
            fillers = [self.chain.in_block(n)[0] for n in blocks]
            yield from ((one.block, self._payment(one)) for one in reversed(fillers) if one.sender == FILLER)
        for one in self.chain.transactions:
            if action == "txlist" and address in (one.sender, one.payee, one.made):
                yield one.block, self._payment(one)
            elif action == "txlistinternal":
                for call in one.inner:
                    if address in (call.sender, call.payee):
                        yield one.block, self._inner_row(one, call)
            elif action == "tokentx":
                for event in one.events:
                    if address in (event.sender, event.payee):
                        yield one.block, self._token(one, event)

    def _remembered(self, action: str, asked: dict[str, str]) -> list[tuple[int, Row]]:
        if asked["address"] == FILLER:
            return list(self.rows(action, asked))
        key = (action, asked["address"], id(self.chain), self.chain.forked_at, self.lag)
        if key not in self._lists:
            self._lists[key] = list(self.rows(action, asked))
        return self._lists[key]

    def _listed(self, rows: Iterable[tuple[int, Row]], asked: dict[str, str], first: str, last: str, none: str) -> Any:
        number, size = int(asked.get("page", 1)), int(asked.get("offset", 10_000))
        if number * size > self.window:
            told = "Result window is too large, PageNo x Offset size must be less than or equal to"
            return _error(f"{told} {self.window}")
        bounds = int(asked.get(first, 0)), min(int(asked.get(last, 10**9)), self.chain.head - self.lag)
        found = [row for block, row in rows if bounds[0] <= block <= bounds[1]]
        if asked.get("sort") == "desc":
            found.reverse()
        size = min(size, self.page)
        found = found[(number - 1) * size : number * size]
        if self.short and len(found) > 1:
            found = found[: self.short.randint(1, len(found))]
        return _rows(found, none)

    def _node(self, action: str, asked: dict[str, str]) -> Any:
        if action == "eth_blockNumber":
            return hex(self.chain.head)
        if action == "eth_getBlockByNumber":
            final = -1 if self.finality is None else max(self.chain.head - self.finality, 0)
            number = final if asked["tag"] == "finalized" else int(asked["tag"], 16)
            return self._block(number) if 0 <= number <= self.chain.head else None
        one = self.chain.by_hash(asked.get("txhash", ""))
        if one is None:
            return None
        place: Row = {"blockHash": self.chain.hash_of(one.block), "blockNumber": hex(one.block)}
        place |= {"from": one.sender, "to": one.payee or None, "transactionIndex": hex(one.index)}
        if action == "eth_getTransactionByHash":
            return place | {"hash": one.hash, "value": hex(one.units), "chainId": hex(self.chain.number)}
        if action == "eth_getTransactionReceipt":
            logs = [*(_event(e) for e in one.events), *(_wrap(w) for w in one.wraps)]
            logs = [log | {"transactionHash": one.hash} for log in logs]
            return place | {"status": hex(not one.failed), "logs": logs, "gasUsed": hex(GAS)}
        return None

    def _block(self, number: int) -> Any:
        return {
            "number": hex(number),
            "hash": self.chain.hash_of(number),
            "timestamp": hex(self.chain.time_of(number)),
            "transactions": [one.hash for one in self.chain.in_block(number)],
        }

    def _place(self, one: Transaction) -> Row:
        since = self.chain.head - self.lag - one.block + 1
        return {
            "blockNumber": str(one.block), "timeStamp": str(self.chain.time_of(one.block)), "hash": one.hash,
            "blockHash": self.chain.hash_of(one.block), "transactionIndex": str(one.index),
            "confirmations": str(since), "gas": str(GAS), "gasPrice": str(GAS_PRICE), "gasUsed": str(GAS),
            "input": "deprecated", "methodId": "0x", "functionName": "", "nonce": "0", "cumulativeGasUsed": str(GAS),
        }  # fmt: skip

    def _payment(self, one: Transaction) -> Row:
        return self._place(one) | {
            "from": one.sender, "to": one.payee, "value": str(one.units), "contractAddress": one.made,
            "isError": str(int(one.failed)), "txreceipt_status": str(int(not one.failed)),
        }  # fmt: skip

    def _inner_row(self, one: Transaction, call: Inner) -> Row:
        row = {
            "blockNumber": str(one.block), "timeStamp": str(self.chain.time_of(one.block)), "hash": one.hash,
            "from": call.sender, "to": call.payee, "value": str(call.units), "contractAddress": "", "input": "",
            "type": call.type, "gas": "0", "gasUsed": "0", "traceId": "_".join(map(str, call.trace)),
            "isError": str(int(call.failed)), "errCode": "",
        }  # fmt: skip
        return row if self.traces else {name: value for name, value in row.items() if name != "traceId"}

    def _token(self, one: Transaction, event: Any) -> Row:
        return self._place(one) | {
            "from": event.sender, "to": event.payee, "value": str(event.units), "contractAddress": event.contract,
            "tokenName": "Made up", "tokenSymbol": "MADE", "tokenDecimal": "6",
        }  # fmt: skip

    def _logs(self, asked: dict[str, str]) -> Iterator[tuple[int, Row]]:
        for one in self.chain.transactions:
            for log in [*(_event(e) for e in one.events), *(_wrap(w) for w in one.wraps)]:
                if log["address"] != asked.get("address", log["address"]) or log["topics"][0] != asked.get("topic0"):
                    continue
                if log["topics"][1] != asked.get("topic1", log["topics"][1]):
                    continue
                place = {"blockNumber": hex(one.block), "blockHash": self.chain.hash_of(one.block)}
                place |= {"timeStamp": hex(self.chain.time_of(one.block)), "transactionHash": one.hash}
                yield one.block, log | place | {"transactionIndex": hex(one.index) if one.index else "0x"}


def _event(event: Any) -> Row:
    topics = [TRANSFER, _topic(event.sender), _topic(event.payee)]
    return {"address": event.contract, "topics": topics, "data": f"0x{event.units:064x}", "logIndex": hex(event.log)}


def _wrap(wrap: Any) -> Row:
    topics = [DEPOSIT if wrap.made else WITHDRAWAL, _topic(wrap.owner)]
    return {"address": WETH, "topics": topics, "data": f"0x{wrap.units:064x}", "logIndex": hex(wrap.log)}


def _topic(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def _rows(rows: list[Row], none: str) -> Any:
    if not rows:
        return {"status": "0", "message": none, "result": []}
    return {"status": "1", "message": "OK", "result": rows}


def _error(told: str) -> Any:
    return {"status": "0", "message": "NOTOK", "result": told}


__all__ = ["FEE", "KEY", "EtherscanProvider"]
