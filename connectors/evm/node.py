"""Speaks JSON-RPC with a node, one call or many in one request, through our door. web3 lives here.

The node is a provider of web3's, so whatever web3 can do works over it; but each answer passes the door, is kept as
evidence before anything is read from it, and is read by our own strict reader: web3's rounds nothing, but believes
more than a court should.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.evm.faults import Fault, Meaning, judge
from connectors.fields import plain
from connectors.http.live import KEY
from connectors.http.network import Network
from connectors.http.protocol import Request
from connectors.protocol import Evidence
from connectors.strict_json import parse_json
from tracer.errors import BadAddress, BadAmount, BadRow, SourceError, SourceSkipped

if TYPE_CHECKING:
    from web3 import Web3

MOST_CALLS = 50  # in one request; nodes and providers limit it to between 100 and 1,000


@dataclass(frozen=True, slots=True)
class Call:
    """One method with its parameters."""

    method: str
    params: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.method}{json.dumps(self.params)}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a node told of one call: `result`, or `fault`. `cited` is the answer's evidence and the place in it, `at`
    when it came (UTC seconds)."""  # fmt: skip

    call: Call
    result: Any
    fault: Fault | None
    cited: str
    at: int = 0


class Node:
    """A JSON-RPC endpoint. `url` may hold `{key}`, which the configured key of the kind `rpc` stands for."""

    def __init__(self, url: str, network: Network, source: str) -> None:
        self.source = source
        key = network.settings.key("rpc") if KEY in url else None
        self._url, self._secret = url, key.value if key else ""
        self._door = network.door(source, "rpc", url, judge)
        self._clock = network.clock
        self._most = MOST_CALLS
        self._provider: Any = None
        self._at = 0

    @property
    def web3(self) -> Web3:
        """web3 over this node, for whoever wants more than histories; its answers are kept like all others."""
        connected = self._connected()
        from web3 import Web3

        return Web3(connected)

    def ask(self, method: str, *params: Any) -> Told:
        """What the node tells of one call. Raises `SourceSkipped` or `SourceUnusable`."""
        call = Call(method, params)
        answer = self._connected().make_request(method, list(params))
        return self._read(call, answer, self._provider.last)

    def ask_all(self, calls: Sequence[Call]) -> list[Told]:
        """What the node tells of each call, in their order, with as few requests as it lets us."""
        found: list[Told] = []
        while len(found) < len(calls):
            some = calls[len(found) : len(found) + self._most]
            found += self._together(some) if len(some) > 1 else [self.ask(some[0].method, *some[0].params)]
        return found

    def take(self) -> tuple[Evidence, ...]:
        """The evidence of all that was told since the last time."""
        return self._door.take()

    @property
    def sent(self) -> int:
        """How many requests were sent so far."""
        return self._door.sent

    def wait(self, seconds: float) -> None:
        """Give the node time."""
        self._clock.sleep(seconds)

    def _together(self, calls: Sequence[Call]) -> list[Told]:
        provider = self._connected()
        try:
            answers = provider.make_batch_request([(call.method, list(call.params)) for call in calls])
        except SourceSkipped:  # too long in all, or one that cannot be read: the others are not to suffer for it
            half = len(calls) // 2
            return self.ask_all(calls[:half]) + self.ask_all(calls[half:])
        if isinstance(answers, list):
            evidence = provider.last
            by_id = {one.get("id"): one for one in answers if isinstance(one, dict)}
            if len(by_id) == len(answers) == len(calls) and set(by_id) == set(range(1, len(calls) + 1)):
                return [self._read(call, by_id[at], f"{evidence}#{at}") for at, call in enumerate(calls, 1)]
            if not by_id:
                answers = None
            else:
                raise self.skipped(f"the node answered {len(answers)} of {len(calls)} calls of a request", calls[0])
        if answers is not None or len(calls) <= 10:
            self._most = 1  # it does not take several calls in one request
        else:
            self._most = 10
        return [self.ask(call.method, *call.params) for call in calls] if self._most == 1 else self.ask_all(calls)

    def _read(self, call: Call, answer: Any, cited: str) -> Told:
        cited = cited if "#" in cited else f"{cited}#1"
        if not isinstance(answer, dict) or ("result" not in answer and answer.get("error") is None):
            raise self.skipped(f"the answer to {call.method} is no JSON-RPC answer: {plain(answer)}", call)
        if answer.get("error") is not None:
            return Told(call, None, Fault.of(answer["error"]), cited, self._at)
        return Told(call, answer["result"], None, cited, self._at)

    def skipped(self, why: str, call: Call | None = None) -> SourceSkipped:
        """The error for what this node did not answer."""
        return SourceSkipped(f"{self.source}: {why}", source=self.source, request=str(call or ""))

    @contextmanager
    def readable(self) -> Iterator[None]:
        """What cannot be read in the node's answers is the node's fault, not that of whoever asked."""
        try:
            yield
        except (BadRow, BadAddress, BadAmount) as error:
            raise self.skipped(f"the node's answer cannot be read: {error}") from None

    def _connected(self) -> Any:  # a subclass of web3's, which is not imported before it is used
        if self._provider is None:
            self._provider = _provider(self)
        return self._provider

    def _spoken(self, body: bytes) -> tuple[Any, str]:
        """The value of the answer to `body`, and the evidence id."""
        headers = {"content-type": "application/json"}
        request = Request(self._url, "POST", headers=headers, body=body, secret_key=self._secret)
        response = self._door.send(request)
        self._at = response.at
        id = Evidence(response.body, self.source, "").id
        if response.status == 413:
            return {"error": {"code": 413, "message": "HTTP status 413: too large"}}, id
        try:
            return parse_json(response.body.decode(), "the answer"), id
        except BadRow as error:  # the judge let it pass, so it is not a matter of asking again
            raise SourceSkipped(f"{self.source}: {error}", source=self.source, request=str(request)) from None


def _provider(node: Node) -> Any:
    limit = sys.getrecursionlimit()
    from web3.providers.base import JSONBaseProvider

    # Importing web3 raises the limit a hundredfold: then a deeply nested answer would end the whole process.
    sys.setrecursionlimit(limit)

    class Through(JSONBaseProvider):
        """Sends through the door. Numbers of calls begin anew with each request, so that the same one has the same
        bytes and is found again in a recording."""  # fmt: skip

        last = ""  # the evidence of the last answer

        def make_request(self, method: Any, params: Any) -> Any:
            answer, self.last = node._spoken(_encoded(_call(method, params, 1)))
            return answer

        def make_batch_request(self, requests: Any) -> Any:
            calls = [_call(method, params, at) for at, (method, params) in enumerate(requests, 1)]
            answer, self.last = node._spoken(_encoded(calls))
            return answer

        def is_connected(self, show_traceback: bool = False) -> bool:
            try:
                return node.ask("eth_chainId").fault is None
            except SourceError:
                return False

    return Through()


def _call(method: Any, params: Any, id: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": str(method), "params": list(params or ()), "id": id}


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def unanswerable(told: Told) -> bool:
    """Whether the node has no such method, for us."""
    return told.fault is not None and told.fault.meaning is Meaning.NO_METHOD


__all__ = ["MOST_CALLS", "Call", "Node", "Told", "unanswerable"]
