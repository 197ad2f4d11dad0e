"""A node as new as Core 29, for tests: a real older one, with what the newer ones answer put in front of it.

It adds what inputs spent to getblock 3 and getrawtransaction 2, and answers scanblocks and getdescriptoractivity. What
it knows of the chain it has from the node's own blocks, read by the test's own connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.http.protocol import Request, Response
from litecoin_node import LitecoinNode

MISSING = {"code": -32601, "message": "Method not found"}


class ModernNode:
    """Stands in for the door. `without` names methods it has not after all, as in Core 25 to 28.

    `synced` is the last block that its filters reach. `false_blocks` are heights that its filters match by chance.
    """

    def __init__(
        self, node: LitecoinNode, *, without: Iterable[str] = (), synced: int | None = None,
        false_blocks: Iterable[int] = (),
    ) -> None:  # fmt: skip
        self._node, self._without, self._synced = node, set(without), synced
        self._false = set(false_blocks)
        self.asked: list[str] = []
        self.refresh()

    def refresh(self) -> None:
        """Look at the chain again."""
        self._blocks = self._node.decoded()
        self._made = {(tx["txid"], one["n"]): one for block in self._blocks for tx in block for one in tx["vout"]}
        self._index()

    def send(self, request: Request) -> Response:
        """See `connectors.http.protocol.Transport`."""
        calls = json.loads(request.body)
        single = isinstance(calls, dict)
        answers = [self._one(request, call) for call in ([calls] if single else calls)]
        self.asked += [call["method"] for call in ([calls] if single else calls)]
        body = _exact(answers[0] if single else answers)
        failed = single and answers[0]["error"] is not None
        missing = failed and answers[0]["error"]["code"] == -32601
        return Response(404 if missing else 500 if failed else 200, body.encode(), {}, 1_700_000_000)

    def _one(self, request: Request, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call["params"]
        result: Any = None
        if method in self._without:
            return {"result": None, "error": MISSING, "id": call["id"]}
        if method == "getindexinfo":
            height = len(self._blocks) - 1
            reach = {"synced": self._synced is None, "best_block_height": height if self._synced is None else 0}
            result = {"txindex": {"synced": True}, "basic block filter index": reach}
        elif method == "scanblocks":
            result = None if params[0] == "status" else self._scan(*params[1:])
        elif method == "getdescriptoractivity":
            who = _address(params[1])
            result = {"activity": [one for hash in params[0] for one in self._activities[hash].get(who, [])]}
        else:
            sent = Request(request.url, "POST", body=json.dumps(call).encode(), secret_headers=request.secret_headers)
            told: dict[str, Any] = json.loads(self._node.live.send(sent).body, parse_float=Decimal)
            if told["error"] is None and method == "getblock" and params[1:] == [3]:
                told["result"]["tx"] = [self._with_prevouts(tx) for tx in told["result"]["tx"]]
            if told["error"] is None and method == "getrawtransaction" and params[1:2] == [2]:
                told["result"] = self._with_prevouts(told["result"])
            return told
        return {"result": result, "error": None, "id": call["id"]}

    def _with_prevouts(self, tx: dict[str, Any]) -> dict[str, Any]:
        inputs = [
            one if "coinbase" in one else {**one, "prevout": self._made[one["txid"], one["vout"]]} for one in tx["vin"]
        ]
        return {**tx, "vin": inputs}

    def _scan(self, wanted: list[str], first: int, last: int, _filter: str) -> dict[str, Any]:
        address = _address(wanted)
        found = [
            block[0]["block_hash"]
            for height, block in enumerate(self._blocks)
            if first <= height <= last
            and (height in self._false or address in self._activities.get(block[0]["block_hash"], {}))
        ]
        return {"from_height": first, "to_height": last, "relevant_blocks": found, "completed": True}

    def _index(self) -> None:
        """Block -> address -> what getdescriptoractivity says of it."""
        self._activities: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for tx in (tx for block in self._blocks for tx in block):
            here = self._activities.setdefault(tx["block_hash"], {})
            facts = {"blockhash": tx["block_hash"], "height": tx["block_height"]}
            for one in tx["vin"]:
                if "coinbase" not in one and (who := _owner(self._made[one["txid"], one["vout"]])):
                    spend = {"type": "spend", "spend_txid": tx["txid"], "prevout_txid": one["txid"]}
                    here.setdefault(who, []).append({**facts, **spend})
            for one in tx["vout"]:
                if who := _owner(one):
                    here.setdefault(who, []).append({**facts, "type": "receive", "txid": tx["txid"], "vout": one["n"]})


def _owner(output: dict[str, Any]) -> str:
    script = output["scriptPubKey"]
    listed: list[str] = script.get("addresses", [])
    return listed[0] if len(listed) == 1 and script["type"] != "pubkey" else ""


def _address(wanted: list[str]) -> str:
    (only,) = wanted
    return only.removeprefix("addr(").removesuffix(")")


def _exact(value: Any) -> str:
    """JSON with decimals as the node wrote them."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_exact(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_exact, value)) + "]"
    return json.dumps(value)
