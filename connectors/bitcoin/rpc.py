"""Speaks JSON-RPC as Bitcoin Core and its kin do: over HTTP, with a login, single or many calls in one request."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.fields import plain
from connectors.http.judging import Again, Skip, Stop, Use, Verdict, by_status
from connectors.http.keeping import Keeping
from connectors.http.protocol import Request, Response
from connectors.protocol import Evidence
from connectors.settings import Key
from connectors.strict_json import parse_json
from tracer.errors import BadRow, InputError, SourceSkipped

NOT_FOUND, OUT_OF_RANGE, NO_METHOD, WARMING_UP = -5, -8, -32601, -28
_SHORT = 4096  # an answer this short may be an error; a longer one is not parsed twice


@dataclass(frozen=True, slots=True)
class Refused:
    """What the node said instead of a result."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one call, or `Refused`; and `cited`, the evidence that holds it, with the row."""

    told: Any
    cited: str


Call = tuple[str, tuple[Any, ...]]  # method, parameters


class Node:
    """One node. `take` gives the answers since the last `take`; `at` is when the latest one came (UTC seconds)."""

    def __init__(self, door: Keeping, name: str, url: str, login: str) -> None:
        self._door, self._name, self._url = door, name, url
        self._secret = {"authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
        self.at = 0

    def take(self) -> tuple[Evidence, ...]:
        """See `Keeping.take`."""
        return self._door.take()

    def ask(self, method: str, *params: Any) -> Any:
        """The result, or `Refused`. Raises `SourceError`."""
        request, response = self._send(_call(0, method, params))
        told = self._read(request, response)
        if not isinstance(told, dict):
            raise self._skipped(f"{method} was answered with no object", request, response)
        return _result(told)

    def get(self, method: str, *params: Any) -> Any:
        """The result. Raises `SourceSkipped` where the node refuses."""
        told = self.ask(method, *params)
        if isinstance(told, Refused):
            raise SourceSkipped(
                f"{self._name}: {method} was refused: {told.text} ({told.code})", source=self._name, request=method
            )
        return told

    def ask_all(self, calls: Sequence[Call]) -> list[Answer]:
        """The answer to each call, all of them asked in one request. Raises `SourceError`."""
        if not calls:
            return []
        request, response = self._send([_call(number, *call) for number, call in enumerate(calls)])
        told = self._read(request, response)
        id = "sha256:" + hashlib.sha256(response.body).hexdigest()
        found: dict[int, Answer] = {}
        for row, one in enumerate(told if isinstance(told, list) else ()):
            if isinstance(one, dict) and type(one.get("id")) is int:
                found.setdefault(one["id"], Answer(_result(one), f"{id}#{row}"))
        if set(found) != set(range(len(calls))):
            raise self._skipped(f"{len(calls)} calls got {len(found)} answers", request, response)
        return [found[number] for number in range(len(calls))]

    def _send(self, body: object) -> tuple[Request, Response]:
        text = json.dumps(body, separators=(",", ":")).encode()
        request = Request(
            self._url, "POST", headers={"content-type": "application/json"}, body=text, secret_headers=self._secret
        )
        response = self._door.send(request)
        self.at = response.at
        return request, response

    def _read(self, request: Request, response: Response) -> object:
        try:
            return parse_json(response.body.decode(), "the answer", decimals=True)
        except (BadRow, UnicodeDecodeError) as error:
            raise self._skipped(plain(error), request, response) from None

    def _skipped(self, why: str, request: Request, response: Response) -> SourceSkipped:
        return SourceSkipped(f"{self._name}: {why}", source=self._name, request=str(request), body=response.body)


def _call(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "1.0", "id": number, "method": method, "params": list(params)}


def _result(told: dict[str, Any]) -> Any:
    error = told.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        return Refused(code if type(code) is int else 0, plain(error.get("message", "")))
    if error is not None or "result" not in told:
        return Refused(0, "an answer with neither result nor error")
    return told["result"]


def judge(response: Response) -> Verdict:
    """A node answers errors with status 500 (404 for a method it has not), or, asked by JSON-RPC 2.0, with 200.

    Again while it warms up (-28), its queue is full (503), or another scan runs; the rest is for who asked.
    """
    if response.status == 401:
        hint = "set BITCOIN_RPC_LOGIN to USER:PASSWORD, to the content of its .cookie, or to that file's path"
        return Stop("the node refuses the login (HTTP status 401)", hint)
    if response.status not in (200, 404, 500):
        return by_status(response)
    error = _error_in(response.body)
    if error is None:
        if response.status == 404:
            return Stop("nothing answers JSON-RPC there (HTTP status 404)", "check the address of the node")
        if response.status == 500:
            return by_status(response)
        return _whole(response.body)
    if error.code == WARMING_UP or "scan already in progress" in error.text.lower():
        return Again(f"{error.text} ({error.code})")
    return Use()


def _error_in(body: bytes) -> Refused | None:
    if len(body) > _SHORT:
        return None
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = _result(told) if isinstance(told, dict) and told.get("error") is not None else None
    return found if isinstance(found, Refused) else None


def _whole(body: bytes) -> Verdict:
    start, end = body.lstrip()[:1], body.rstrip()[-1:]
    if start + end in (b"{}", b"[]"):
        return Use()
    if start in (b"{", b"[", b""):
        return Again("an empty answer" if not start else "an answer that is cut short")
    return Skip(f"no JSON: {plain(body[:400].decode(errors='replace'))}")


def login_of(key: Key | None) -> str:
    """USER:PASSWORD from what is configured: that itself, or the path of Core's .cookie, which holds it."""
    if key is None or ":" in key.value:
        return key.value if key else ""
    path = Path(key.value).expanduser()
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if ":" not in text:
        hint = "USER:PASSWORD, the content of the node's .cookie, or the path of that file"
        raise InputError(f"the login for the node, from {key.origin}, is none", hint)
    return text


__all__ = ["NOT_FOUND", "NO_METHOD", "OUT_OF_RANGE", "Answer", "Call", "Node", "Refused", "judge", "login_of"]
