"""What is asked of TronGrid, and its answers as records: lists of an account, and the calls of a Tron node."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.http.keeping import Keeping
from connectors.http.protocol import Request
from connectors.protocol import Evidence
from connectors.strict_json import parse_json
from tracer.errors import BadRow, SourceSkipped
from tracer.values import Address

MOST_ROWS = 200  # of one page, by TronGrid's documentation
_REMEMBERED = 4096  # executions kept at hand: one transaction is often in two lists
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list. `fingerprint` asks for the next one; "" says there is none, which may be wrong."""

    rows: tuple[Record, ...]
    fingerprint: str
    evidence: Evidence
    at: int


class Asking:
    """Sends what is asked, and reads the answers strictly. Raises `SourceSkipped` for one that is not in their form."""

    def __init__(self, door: Keeping, source: str, base: str, key: str = "") -> None:
        self._door, self._source, self._base, self._key = door, source, base, key
        self._executions: OrderedDict[str, tuple[Record, Evidence]] = OrderedDict()

    def page(self, address: Address, path: str, params: Mapping[str, str]) -> Listed:
        """One page of the account's list at `path`, which begins with a slash. All filters are sent with each page."""
        return self.v1(f"/v1/accounts/{address}{path}", {"limit": str(MOST_ROWS), **params})

    def v1(self, path: str, params: Mapping[str, str]) -> Listed:
        """An answer of the v1 API: `data`, `success` and `meta`."""
        request = Request(self._base + path, params=params, secret_headers=self._secret())
        answer, evidence, at = self._send(request)
        rows, meta = answer.get("data"), answer.get("meta", {})
        if answer.get("success") is not True or not isinstance(rows, list) or not isinstance(meta, dict):
            raise self._not_theirs(request, evidence, "no list of rows that it calls a success")
        if not all(isinstance(row, dict) for row in rows):
            raise self._not_theirs(request, evidence, "a row that is no object")
        fingerprint = meta.get("fingerprint") or ""
        if not isinstance(fingerprint, str):
            raise self._not_theirs(request, evidence, "a fingerprint that is no text")
        return Listed(tuple(rows), fingerprint, evidence, at)

    def node(self, path: str, body: Mapping[str, object]) -> tuple[Record, Evidence]:
        """An answer of the node itself, {} where it knows no such thing."""
        text = json.dumps(body, separators=(",", ":"), sort_keys=True)
        headers = {"content-type": "application/json"}
        request = Request(
            self._base + path, "POST", headers=headers, body=text.encode(), secret_headers=self._secret()
        )  # fmt: skip
        answer, evidence, _ = self._send(request)
        return answer, evidence

    def execution(self, tx: str) -> tuple[Record, Evidence]:
        """What the node executed for transaction `tx`: block, fee, logs and inner calls in their order; {} for none."""
        if tx not in self._executions:
            found = self.node("/walletsolidity/gettransactioninfobyid", {"value": tx})
            if not found[0]:  # it may come later: not remembered
                return found
            self._executions[tx] = found
            if len(self._executions) > _REMEMBERED:
                self._executions.popitem(last=False)
        self._executions.move_to_end(tx)
        return self._executions[tx]

    def take(self) -> tuple[Evidence, ...]:
        """The answers since the last time."""
        return self._door.take()

    def _secret(self) -> dict[str, str]:
        return {"TRON-PRO-API-KEY": self._key} if self._key else {}

    def _send(self, request: Request) -> tuple[Record, Evidence, int]:
        response = self._door.send(request)
        evidence = Evidence(response.body, self._source, str(request))
        try:
            answer = parse_json(response.body.decode(), "the answer")
        except UnicodeDecodeError:
            raise self._not_theirs(request, evidence, "no UTF-8 text") from None
        except BadRow as error:
            raise self._not_theirs(request, evidence, str(error)) from None
        if not isinstance(answer, dict):
            raise self._not_theirs(request, evidence, "no object")
        return answer, evidence, response.at

    def _not_theirs(self, request: Request, evidence: Evidence, what: str) -> SourceSkipped:
        told = f"{self._source}: its answer cannot be read: {what}"
        hint = "ask again later; if it stays so, the provider has changed its format"
        return SourceSkipped(told, hint, source=self._source, request=str(request), body=evidence.body)


__all__ = ["MOST_ROWS", "Asking", "Listed", "Record"]
