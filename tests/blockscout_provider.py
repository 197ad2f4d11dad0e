"""A fake Blockscout in memory: a `Transport` that answers like its REST interface about a made-up chain.

    provider = BlockscoutProvider(random_chain(1), page=10)
    source = open_source("blockscout:ethereum", provider.network())

Lists come newest first, `page` rows at a time, and go on where `next_page_params` says. It knows the chain up to `lag`
blocks before its head, and the internal transfers of all but the newest `pending` blocks of those.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.settings import Settings
from explorer_chain import FEE, NOBODY, WETH, Chain, Transaction

Row = dict[str, Any]
KEY = "proapi_CANARY0123456789"


class BlockscoutProvider:
    """See the module. `requests` are all that came; `spoil`, where set, may replace an answer's body before it goes."""

    def __init__(self, chain: Chain, *, page: int = 50, lag: int = 0, pending: int = 0, key: str = "") -> None:
        self.chain, self.page, self.lag, self.pending, self.key = chain, page, lag, pending, key
        self.requests: list[Request] = []
        self.spoil: Callable[[Request, Any], Any] = lambda request, body: body

    def network(self, **more: Any) -> Network:
        """A network whose only door is this provider, and whose key is the provider's."""
        environ = {"BLOCKSCOUT_API_KEY": self.key} if self.key else {}
        return Network(Settings(environ=environ), transport=self, **more)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        assert not {"apikey", "key"} & set(request.params)
        if self.key and request.secret_params.get("apikey") != self.key:
            return Response(401, b'{"message":"Invalid API key"}')
        body = self.spoil(request, self.answer(request))
        status = 404 if body == {"message": "Not found"} else 200
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Response(status, raw, {"x-credits-remaining": "99"}, self.chain.time_of(self.chain.head))

    @property
    def head(self) -> int:
        return self.chain.head - self.lag

    def answer(self, request: Request) -> Any:
        path, asked = urlsplit(request.url).path, dict(request.params)
        if path.endswith(("/json-rpc", "/eth-rpc")):
            return {"jsonrpc": "2.0", "id": 1, "result": hex(self.chain.number)}
        if path.endswith("/api"):
            whole = int(asked["endblock"]) <= self.head - self.pending
            told = "OK" if whole else "Some internal transactions within this block range have not yet been processed"
            return {"status": "1" if whole else "2", "message": told, "result": []}
        parts = path.partition("/api/v2/")[2].split("/")
        match parts:
            case ["blocks"]:
                return {"items": [self._block(number) for number in range(self.head, max(self.head - 3, -1), -1)],
                        "next_page_params": None}  # fmt: skip
            case ["blocks", number]:
                return self._block(int(number)) if int(number) <= self.head else {"message": "Not found"}
            case ["addresses", address, name]:
                return self._list(name, asked, address.lower())
            case ["transactions", tx]:
                one = self.chain.by_hash(tx)
                return self._payment(one) if one and one.block <= self.head else {"message": "Not found"}
            case ["transactions", tx, name]:
                one = self.chain.by_hash(tx)
                return self._paged(self._rows(name, asked, [one] if one else [], ""), asked)
        return {"message": "Not found"}

    def _list(self, name: str, asked: dict[str, str], address: str) -> Any:
        if not any(address in fact[2:4] for one in self.chain.transactions for fact in one.facts()):
            return {"message": "Not found"}
        if name == "coin-balance-history":
            blocks = sorted({one.block for one in self.chain.transactions if one.block <= self.head}, reverse=True)
            rows = [((n, 0), {"block_number": n, "value": str(self.chain.balance(address, "", n)), "delta": "0"})
                    for n in blocks]  # fmt: skip
            return self._paged(iter(rows), asked)
        return self._paged(self._rows(name, asked, self.chain.transactions, address), asked)

    def _rows(
        self, name: str, asked: dict[str, str], transactions: Any, address: str
    ) -> Iterator[tuple[tuple[int, ...], Row]]:
        """Place and row of all that the list holds of the address, newest first; all of them where it is ""."""
        for one in sorted(transactions, key=lambda one: (-one.block, -one.index)):
            if one.block > self.head:
                continue
            if name == "transactions" and address in (one.sender, one.payee, one.made, ""):
                yield (one.block, one.index), self._payment(one)
            elif name == "internal-transactions" and one.block <= self.head - self.pending:
                calls = list(enumerate(one.inner, 1))
                for number, call in reversed(calls):
                    if address in (call.sender, call.payee, ""):
                        yield (one.block, one.index, number), self._inner(one, number, call)
        if name == "token-transfers":
            yield from self._tokens(asked, transactions, address)

    def _tokens(self, asked: dict[str, str], transactions: Any, address: str) -> Iterator[tuple[tuple[int, ...], Row]]:
        found = []
        for one in (one for one in transactions if one.block <= self.head):
            for event in one.events:
                found.append((one, event.log, event.contract, event.sender, event.payee, event.units, "ERC-20"))
            for wrap in one.wraps:
                sides = (NOBODY, wrap.owner) if wrap.made else (wrap.owner, NOBODY)
                found.append((one, wrap.log, WETH, *sides, wrap.units, "ERC-20"))
            if one.payee and asked.get("type") != "ERC-20":
                found.append((one, 900 + one.index, WETH, one.sender, one.payee, 1, "ERC-721"))
        for told in sorted(found, key=lambda told: (-told[0].block, -told[1])):
            if address in (told[3], told[4], ""):
                yield (told[0].block, told[1]), self._token(*told)

    def _paged(self, rows: Iterator[tuple[tuple[int, ...], Row]], asked: dict[str, str]) -> Any:
        listed = list(rows)
        if "block_number" in asked:
            names = ("block_number", "transaction_index", "index")
            after = tuple(int(asked[name]) for name in names if name in asked)
            listed = [(place, row) for place, row in listed if place < after]
        page, rest = listed[: self.page], listed[self.page :]
        following = None
        if rest:
            place = page[-1][0]
            following = {"block_number": place[0], "index": place[-1], "items_count": len(page), "hash": None}
            following |= {"transaction_index": place[1]} if len(place) == 3 else {}
        return {"items": [row for _, row in page], "next_page_params": following}

    def _time(self, number: int) -> str:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.chain.time_of(number), UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    def _block(self, number: int) -> Row:
        return {"height": number, "hash": self.chain.hash_of(number), "timestamp": self._time(number), "type": "block",
                "gas_used_percentage": 48.02, "burnt_fees_percentage": None}  # fmt: skip

    def _payment(self, one: Transaction) -> Row:
        return {
            "hash": one.hash, "block_number": one.block, "position": one.index, "timestamp": self._time(one.block),
            "from": _party(one.sender), "to": _party(one.payee) if one.payee else None, "value": str(one.units),
            "created_contract": _party(one.made) if one.made else None, "status": "error" if one.failed else "ok",
            "result": "success", "fee": {"type": "actual", "value": str(FEE)}, "raw_input": "0x", "method": None,
            "confirmation_duration": [0, 11.5], "exchange_rate": "1833.09",
        }  # fmt: skip

    def _inner(self, one: Transaction, number: int, call: Any) -> Row:
        return {
            "transaction_hash": one.hash, "block_number": one.block, "index": number, "transaction_index": one.index,
            "timestamp": self._time(one.block), "from": _party(call.sender), "to": _party(call.payee),
            "created_contract": None, "value": str(call.units), "type": call.type, "success": not call.failed,
            "error": "Reverted" if call.failed else None, "gas_limit": "0",
        }  # fmt: skip

    def _token(self, one: Transaction, log: int, contract: str, sender: str, payee: str, units: int, kind: str) -> Row:
        total = {"value": str(units), "decimals": "6"} if kind == "ERC-20" else {"token_id": "1"}
        return {
            "transaction_hash": one.hash, "block_number": one.block, "block_hash": self.chain.hash_of(one.block),
            "log_index": log, "timestamp": self._time(one.block), "from": _party(sender), "to": _party(payee),
            "token": {"address_hash": contract, "decimals": "6", "symbol": "MADE", "type": kind}, "total": total,
            "token_type": kind, "type": "token_transfer", "method": None,
        }  # fmt: skip


def _party(address: str) -> Row:
    return {"hash": address, "name": None, "is_contract": False, "is_scam": False}


__all__ = ["KEY", "BlockscoutProvider"]
