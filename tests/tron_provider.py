"""A TronGrid of made-up blocks for the tests: `send(request) -> Response`, with the faults that the real one shows.

`Chain` below makes the blocks, and says what moved in them without a word of the connector's code. `TronProvider`
serves them: `lists` and the calls of a node, in the forms recorded in 2020 to 2025. Faults are drawn from `faults`,
a `random.Random`, so that a run can be repeated; without it there are only those that are asked for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.http.protocol import Request, Response
from tracer.addresses import parse
from tracer.values import Address, Sink, Transfer
from tracer.values import Chain as ChainName

TRON = ChainName.named("tron")
START_MS = 1_700_000_000_000 // 3000 * 3000
AT = 1_800_000_000
USDT = parse("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", TRON)
SUNDOG = parse("TXL6rJbvmjD46zeN1JssfgxvSo99qC8MRT", TRON)
TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
APPROVAL = "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
_NAMES = {USDT: ("USDT", 6), SUNDOG: ("SUNDOG", 18)}

#: (position, contract of the asset or "", payer or "", payee or "fee", units): what is true, without a connector.
Fact = tuple[str, str, str, str, int]


def who(number: int) -> Address:
    """A made-up address."""
    return parse(f"0x{number:040x}", TRON)


def hexed(address: Address) -> str:
    """The address as nodes write it: 41 and 40 hex digits."""
    number = 0
    for letter in address.text:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(letter)
    return f"{number >> 32:042x}"


def fact_of(transfer: Transfer) -> tuple[str, Fact]:
    """A transfer as (transaction, fact), to be compared with what the chain made up."""
    ends = [
        str(leg.address) if leg.address else str(leg.holding.kind) if isinstance(leg.holding, Sink) else "?"
        for leg in (transfer.inputs[0], transfer.outputs[0])
    ]
    return transfer.id.tx, (transfer.id.position, transfer.asset.contract, ends[0], ends[1], transfer.units)


@dataclass
class Tx:
    """One made-up transaction: the row, what the node executed, and what is true."""

    id: str
    row: dict[str, Any]
    info: dict[str, Any]
    facts: list[Fact] = field(default_factory=list)
    tokens: list[dict[str, Any]] = field(default_factory=list)
    inner: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0

    @property
    def ms(self) -> int:
        return START_MS + 3000 * self.number


class Chain:
    """Makes up blocks, one transaction after the other."""

    def __init__(self) -> None:
        self.txs: list[Tx] = []
        self.number = 1

    def next_block(self, by: int = 1) -> Chain:
        """What follows is `by` blocks later."""
        self.number += by
        return self

    def pay(self, payer: Address, payee: Address, sun: int, fee: int = 0) -> Tx:
        """A plain payment of TRX."""
        value = {"owner_address": hexed(payer), "to_address": hexed(payee), "amount": sun}
        return self._add("TransferContract", value, payer, fee, [("tx", "", str(payer), str(payee), sun)])

    def pay_trc10(self, payer: Address, payee: Address, number: str, units: int, fee: int = 0) -> Tx:
        """A TRC-10 payment; as the real answers do, the token stands by its number."""
        value = {"owner_address": hexed(payer), "to_address": hexed(payee), "asset_name": number, "amount": units}
        facts = [("tx", number, str(payer), str(payee), units)]
        return self._add("TransferAssetContract", value, payer, fee, facts)

    def call(
        self, caller: Address, contract: Address, *, fee: int = 0, sun: int = 0, failed: str = "",
        logs: Iterable[tuple[Address, Address, Address, int]] = (),
        inner: Iterable[tuple[Address, Address, int]] = (), approves: bool = False, rejected: bool = False,
    ) -> Tx:  # fmt: skip
        """A contract called: token events (contract, payer, payee, units) and inner calls (payer, payee, sun)."""
        value: dict[str, Any] = {
            "owner_address": hexed(caller), "contract_address": hexed(contract), "data": "a9059cbb" + "0" * 128,
        }  # fmt: skip
        facts: list[Fact] = []
        if sun:
            value["call_value"] = sun
            facts.append(("tx", "", str(caller), str(contract), sun))
        tx = self._add("TriggerSmartContract", value, caller, fee, facts, failed)
        said: list[dict[str, Any]] = []
        if approves:
            said.append(_log(contract, APPROVAL, caller, caller, 2**256 - 1))
            tx.tokens.append(self._listed(tx, contract, caller, who(999), 2**256 - 1, "Approval"))
        for token, payer, payee, units in logs:
            tx.facts += [(f"log:{len(said)}", str(token), str(payer), str(payee), units)] if not failed else []
            said.append(_log(token, TRANSFER, payer, payee, units))
            tx.tokens.append(self._listed(tx, token, payer, payee, units, "Transfer"))
        calls = []
        for number, (payer, payee, units) in enumerate(inner):
            call = {
                "hash": f"{len(self.txs):032x}{number:032x}", "caller_address": hexed(payer),
                "transferTo_address": hexed(payee), "callValueInfo": [{"callValue": units} if units else {}],
                "note": b"call".hex(),
            }  # fmt: skip
            calls.append(call | ({"rejected": True} if failed or rejected else {}))
            if units and not failed and not rejected:
                tx.facts.append((f"trace:{number}", "", str(payer), str(payee), units))
            data = {"note": "call", "rejected": bool(failed or rejected), "call_value": {"_": units}}
            tx.inner.append({
                "internal_tx_id": call["hash"], "tx_id": tx.id, "block_timestamp": tx.ms,
                "from_address": call["caller_address"], "to_address": call["transferTo_address"], "data": data,
            })  # fmt: skip
        tx.info["receipt"] = {"result": failed or "SUCCESS", "energy_fee": fee, "energy_usage_total": 100}
        tx.info["contract_address"] = hexed(contract)
        if failed:
            tx.info["result"] = "FAILED"
            tx.tokens = [one for one in tx.tokens if one["type"] != "Transfer"]
        else:
            tx.info["log"] = said
        tx.info["internal_transactions"] = calls
        return tx

    def other(self, kind: str, owner: Address, fee: int = 0, **value: Any) -> Tx:
        """Any other type: freezing, voting, delegating."""
        return self._add(kind, {"owner_address": hexed(owner), **value}, owner, fee, [])

    def withdraw(self, owner: Address, sun: int) -> Tx:
        """A reward that is drawn: TRX that comes into being."""
        tx = self._add("WithdrawBalanceContract", {"owner_address": hexed(owner)}, owner, 0, [])
        tx.info["withdraw_amount"] = sun
        tx.facts.append(("tx", "", "issue", str(owner), sun))
        return tx

    def usdt(self, payer: Address, payee: Address, units: int, fee: int = 0) -> Tx:
        """A payment of USDT."""
        return self.call(payer, USDT, fee=fee, logs=[(USDT, payer, payee, units)])

    def truth(self, address: Address, first: int = 0, last: int = 10**9) -> set[tuple[str, Fact]]:
        """All that moved at the address in these blocks, as (transaction, fact)."""
        return {
            (tx.id, fact)
            for tx in self.txs
            if first <= tx.number <= last
            for fact in tx.facts
            if str(address) in fact[2:4]
        }

    def held(self, address: Address) -> dict[str, int]:
        """Units by contract, "" for TRX."""
        sums: dict[str, int] = {}
        for tx in self.txs:
            for _, contract, payer, payee, units in tx.facts:
                sums[contract] = sums.get(contract, 0) + units * ((payee == str(address)) - (payer == str(address)))
        return sums

    def _add(
        self, kind: str, value: dict[str, Any], payer: Address, fee: int, facts: list[Fact], failed: str = ""
    ) -> Tx:  # fmt: skip
        id = f"{len(self.txs) + 1:064x}"
        parameter = {"value": value, "type_url": f"type.googleapis.com/protocol.{kind}"}
        ms = START_MS + 3000 * self.number
        row = {
            "txID": id, "blockNumber": self.number, "block_timestamp": ms,
            "ret": [{"contractRet": failed or "SUCCESS", "fee": fee}], "internal_transactions": [],
            "raw_data": {"contract": [{"type": kind, "parameter": parameter}], "timestamp": ms - 1000},
        }  # fmt: skip
        info = {"id": id, "fee": fee, "blockNumber": self.number, "blockTimeStamp": ms, "contractResult": [""]}
        told = facts if not failed else []
        told = [*told, ("fee", "", str(payer), "fee", fee)] if fee else told
        tx = Tx(id, row, info, list(told), number=self.number)
        self.txs.append(tx)
        return tx

    def _listed(self, tx: Tx, token: Address, payer: Address, payee: Address, units: int, kind: str) -> dict[str, Any]:
        symbol, decimals = _NAMES.get(token, ("FAKE", 6))
        return {
            "transaction_id": tx.id, "block_timestamp": tx.ms, "from": str(payer), "to": str(payee), "type": kind,
            "value": str(units),
            "token_info": {"symbol": symbol, "address": str(token), "decimals": decimals, "name": symbol},
        }  # fmt: skip


def _log(token: Address, event: str, payer: Address, payee: Address, units: int) -> dict[str, Any]:
    topics = [event, *(hexed(end)[2:].rjust(64, "0") for end in (payer, payee))]
    return {"address": hexed(token)[2:], "topics": topics, "data": f"{units:064x}"}


@dataclass
class Faults:
    """What goes wrong. `lag`: blocks by which the lists are behind the node. `cap`: rows a page, below what is asked.

    `lose`, `repeat`, `suspend`, `break_off`: how likely (0 to 1) a fingerprint is lost, a page comes again, a request
    is answered with the suspension, or the answer is cut short.
    """

    cap: int = 200
    lag: int = 0
    lose: float = 0.0
    repeat: float = 0.0
    suspend: float = 0.0
    break_off: float = 0.0
    no_inner_list: bool = False
    seed: int = 0


class TronProvider:
    """Serves a `Chain`. `requests` are those that came, as text; `final` is the newest block, made as an empty one."""

    def __init__(
        self, chain: Chain, faults: Faults | None = None, answer: Callable[[Request], Response | None] | None = None
    ) -> None:
        self.chain, self.faults = chain, faults or Faults()
        self._answer = answer or (lambda _: None)
        self._random = random.Random(self.faults.seed)
        self._last: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.keys: list[str] = []
        self.final = chain.number + 3
        self._tail = [self._filler(self.final)]

    def send(self, request: Request) -> Response:
        """The answer."""
        self.requests.append(str(request))
        self.keys.append(request.secret_headers.get("TRON-PRO-API-KEY", ""))
        if (own := self._answer(request)) is not None:
            return own
        if self._happens(self.faults.suspend):
            told = "The key exceeds the frequency limit(15), and the query server is suspended for 30s"
            return _said({"success": False, "error": told, "statusCode": 403}, 403)
        path = urlsplit(request.url).path
        if path.startswith("/v1/accounts/"):
            answer = self._account(path.split("/")[3], "/".join(path.split("/")[4:]), request.params)
        elif path.startswith("/v1/assets/"):
            row = {"id": path.rpartition("/")[2], "abbr": "BTT", "precision": 6}
            answer = _said({"success": True, "meta": {"at": AT * 1000, "page_size": 1}, "data": [row]})
        else:
            answer = self._node(path.rpartition("/")[2], json.loads(request.body or b"{}"))
        if self._happens(self.faults.break_off):
            return Response(200, answer.body[: len(answer.body) // 2], at=AT)
        return answer

    def block(self, number: int) -> dict[str, Any]:
        """A block's header, as `getblock` tells it."""
        if not 0 <= number <= self.final:
            return {}
        raw = {"number": number, "timestamp": START_MS + 3000 * number, "witness_address": hexed(who(7))}
        return {"blockID": f"{number:016x}" + "ab" * 24, "block_header": {"raw_data": raw}}

    def _node(self, call: str, asked: dict[str, Any]) -> Response:
        if call == "getnowblock":
            rows = [
                {"txID": tx.id, **{name: tx.row[name] for name in ("raw_data",)}, "ret": [{"contractRet": "SUCCESS"}]}
                for tx in self._tail
            ]
            return _said({**self.block(self.final), "transactions": rows})
        if call == "getblock":
            return _said(self.block(int(asked["id_or_num"])))
        txs = {tx.id: tx for tx in [*self.chain.txs, *self._tail]}
        tx = txs.get(asked["value"])
        if call == "gettransactionbyid":
            return _said({} if tx is None else {k: v for k, v in tx.row.items() if k in ("txID", "raw_data", "ret")})
        return _said({} if tx is None else tx.info)

    def _account(self, address: str, path: str, asked: Mapping[str, str]) -> Response:
        if not path:
            return _said({"success": True, "meta": {"at": AT * 1000}, "data": self._held(parse(address, TRON))})
        if path == "internal-transactions" and self.faults.no_inner_list:
            return _said({"success": False, "error": "not found", "statusCode": 404}, 404)
        rows = [row for row in self._rows(parse(address, TRON), path) if self._within(row, asked)]
        rows.sort(key=lambda row: int(row["block_timestamp"]), reverse=False)
        if asked.get("order_by", "").endswith("desc"):
            rows.reverse()
        start = int(asked.get("fingerprint", "at0")[2:])
        limit = min(int(asked.get("limit", "20")), 200, self.faults.cap)
        page = rows[start : start + limit]
        key = f"{address} {path}"
        if start and self._happens(self.faults.repeat):
            page = self._last.get(key, page)
        self._last[key] = page
        meta: dict[str, Any] = {"at": AT * 1000, "page_size": len(page)}
        if start + limit < len(rows) and not self._happens(self.faults.lose):
            meta |= {"fingerprint": f"at{start + limit}", "links": {"next": "https://evil.example/v1/next"}}
        return _said({"success": True, "meta": meta, "data": page})

    def _rows(self, address: Address, path: str) -> list[dict[str, Any]]:
        reach = self.final - self.faults.lag
        found = []
        for tx in [*self.chain.txs, *self._tail]:
            if tx.number > reach:
                continue
            if path == "transactions":
                value = tx.row["raw_data"]["contract"][0]["parameter"]["value"]
                found += [tx.row] if hexed(address) in value.values() else []
            elif path == "transactions/trc20":
                found += [one for one in tx.tokens if str(address) in (one["from"], one["to"])]
            else:
                found += [one for one in tx.inner if hexed(address) in (one["from_address"], one["to_address"])]
        return found

    def _within(self, row: dict[str, Any], asked: Mapping[str, str]) -> bool:
        least, most = int(asked.get("min_timestamp", "0")), int(asked.get("max_timestamp", str(10**15)))
        return least <= int(row["block_timestamp"]) <= most

    def _held(self, address: Address) -> list[dict[str, Any]]:
        held = self.chain.held(address)
        if not held:
            return []
        return [{
            "address": hexed(address), "balance": held.pop("", 0),
            "assetV2": [{"key": name, "value": units} for name, units in held.items() if name.isdecimal()],
            "trc20": [{name: str(units)} for name, units in held.items() if not name.isdecimal()],
        }]  # fmt: skip

    def _filler(self, number: int) -> Tx:
        """What other people did in the final block: the connector looks for it in the lists."""
        aside = Chain()
        aside.number = number
        tx = aside.usdt(who(800001), who(800002), 5)
        tx.id = tx.row["txID"] = tx.info["id"] = "f" * 64
        tx.tokens[0]["transaction_id"] = tx.id
        return tx

    def _happens(self, how_likely: float) -> bool:
        return how_likely > 0 and self._random.random() < how_likely


def _said(record: Mapping[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(record).encode(), {"content-type": "application/json"}, AT)
