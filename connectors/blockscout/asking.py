"""Asks a Blockscout one thing at a time: the question in its words, the answer with its evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.explorer import Asks
from connectors.fields import plain
from connectors.http.judging import Again, Skip, Stop, Use, Verdict, as_json, by_status
from connectors.http.keeping import Keeping
from connectors.http.protocol import Request, Response
from connectors.protocol import Evidence
from connectors.reading import text_of
from connectors.strict_json import parse_json
from tracer.errors import BadRow

_EVERYTHING = {"show-scam-tokens": "true"}  # else it hides tokens that somebody called a fraud, and their transfers


def judge(response: Response) -> Verdict:
    """The verdict on one answer. "Not found" can be used: of an address it says that nothing is known of it.

    >>> judge(Response(404, b'{"message":"Not found"}'))
    Use()
    >>> judge(Response(429, b'{}', {"x-ratelimit-reset": "1500"}))
    Again(why='HTTP status 429: {}', after=1.5)
    """
    if response.status == 402:
        return Stop(f"HTTP status 402: {_words(response)}", "the credits of the key are spent: wait, or buy more")
    verdict = by_status(response)
    if isinstance(verdict, Again) and verdict.after is None:
        return Again(verdict.why, _reset(response))
    if response.status == 404 and "not found" in _words(response).lower():
        verdict = Use()
    elif isinstance(verdict, Use):
        verdict = as_json(response)
    if not isinstance(verdict, Use):
        return verdict
    try:
        body = parse_json(text_of(response.body, "the answer"), "the answer", decimals=True)
    except BadRow as error:
        return Again(f"{error}: {_words(response)}")
    return Use() if isinstance(body, dict) else Skip(f"not an answer of Blockscout: {_words(response)}")


def _words(response: Response) -> str:
    return plain(response.body[:800].decode(errors="replace"))


def _reset(response: Response) -> float | None:
    """Seconds until more may be asked; Blockscout tells milliseconds, and -1 where it does not know."""
    told = response.headers.get("x-ratelimit-reset", "")
    return int(told) / 1000 if told.isascii() and told.isdecimal() and len(told) < 7 else None


@dataclass(frozen=True, slots=True)
class Items:
    """One page of a list: its rows, newest first, and what to send for the next one, None on the last."""

    rows: Sequence[object]
    following: Mapping[str, str] | None
    evidence: Evidence


@dataclass(slots=True)
class Asking(Asks):
    """Sends through `door`: REST to `rest`, the Etherscan-like interface at `lists`, a node's at `node`.

    `at` is when the newest answer had come, in UTC seconds.
    """

    door: Keeping
    source: str
    rest: str
    lists: str
    node: str
    secret: Mapping[str, str] = field(repr=False, default_factory=dict)
    at: int = 0

    def ask(self, path: str, params: Mapping[str, str] | None = None) -> tuple[Mapping[str, Any], Evidence]:
        """The answer at a path of the REST interface. Raises `SourceError`; "not found" is an answer."""
        return self._send(Request(self.rest + path, params=params or {}, headers=_EVERYTHING))

    def items(self, path: str, params: Mapping[str, str]) -> Items:
        """One page of a list, empty where Blockscout does not know whom it is about. Raises `SourceError`."""
        body, evidence = self.ask(path, params)
        if "items" not in body and "not found" in str(body.get("message")).lower():
            return Items((), None, evidence)
        rows, following = body.get("items"), body.get("next_page_params")
        if not isinstance(rows, list) or not (following is None or isinstance(following, dict)):
            raise self.skipped(f"no list: {plain(body)}", evidence)
        if following is not None:  # a null in it is no value to send back
            following = {str(name): _text(value) for name, value in following.items() if value is not None}
        return Items(rows, following, evidence)

    def like_etherscan(self, **params: str) -> tuple[Mapping[str, Any], Evidence]:
        """The answer of the interface that speaks like Etherscan's. Raises `SourceError`."""
        return self._send(Request(self.lists, params=params))

    def chain_id(self) -> tuple[object, Evidence]:
        """The chain's number as its node tells it. Raises `SourceError`."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
        headers = {"content-type": "application/json"}
        told, evidence = self._send(Request(self.node, "POST", body=body, headers=headers))
        return told.get("result"), evidence

    def _send(self, request: Request) -> tuple[Mapping[str, Any], Evidence]:
        response = self.door.send(
            Request(request.url, request.method, request.params, request.headers, request.body, self.secret)
        )
        self.at = response.at
        (evidence,) = self.door.take()
        body = parse_json(text_of(response.body, "the answer"), "the answer", decimals=True)
        assert isinstance(body, dict)  # noqa: S101 - as judged
        return body, evidence


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ["Asking", "Items", "judge"]
