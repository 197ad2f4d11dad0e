"""What a node's answers mean, and that calls and answers are never mixed up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.bitcoin.core import Core
from connectors.bitcoin.rpc import Node, Refused, judge
from connectors.http.judging import Again, Skip, Stop, Use
from connectors.http.keeping import Keeping
from connectors.http.network import Network
from connectors.http.protocol import Request, Response, Unanswered
from connectors.settings import Settings
from tracer.errors import SourceError, SourceSkipped
from tracer.values import Chain


def error(code: int, message: str) -> bytes:
    return json.dumps({"result": None, "error": {"code": code, "message": message}, "id": 0}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"result":5,"error":null,"id":0}', Use),
        (200, b'{"jsonrpc":"2.0","error":{"code":-5,"message":"Block not found"},"id":0}', Use),
        (200, b'[{"result":5,"error":null,"id":0}]', Use),
        (200, b'{"result":[1,2', Again),
        (200, b"", Again),
        (200, b"<html>a portal</html>", Skip),
        (404, error(-32601, "Method not found"), Use),
        (404, b"not here", Stop),
        (500, error(-5, "Block not found"), Use),
        (500, error(-8, "Scan already in progress, use action abort"), Again),
        (500, error(-28, "Loading block index..."), Again),
        (200, b'{"jsonrpc":"2.0","error":{"code":-28,"message":"Verifying blocks"},"id":0}', Again),
        (500, b"", Again),
        (503, b"Work queue depth exceeded", Again),
        (401, b"", Stop),
        (403, b"", Stop),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, kind: type) -> None:
    assert isinstance(judge(Response(status, body)), kind)


class Canned:
    """Gives one body."""

    def __init__(self, body: Any) -> None:
        self._body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def send(self, request: Request) -> Response:
        return Response(200, self._body)


def node(body: Any) -> Node:
    return Node(Keeping(Canned(body), "core:test"), "core:test", "http://127.0.0.1:1", "user:secret")


def test_answers_are_given_to_the_calls_they_answer_and_cite_their_row() -> None:
    answers = [{"id": 1, "result": "b", "error": None}, {"id": 0, "result": "a", "error": None}]
    asked = node(answers)
    found = asked.ask_all([("x", ()), ("y", ())])
    (kept,) = asked.take()
    assert [one.told for one in found] == ["a", "b"]
    assert [one.cited for one in found] == [f"{kept.id}#1", f"{kept.id}#0"]
    assert "secret" not in kept.request


@pytest.mark.parametrize("body", [[], [{"id": 0, "result": 1, "error": None}], {"result": 1, "error": None, "id": 0}])
def test_calls_without_an_answer_are_noticed(body: Any) -> None:
    with pytest.raises(SourceSkipped, match="2 calls got"):
        node(body).ask_all([("x", ()), ("y", ())])


@pytest.mark.parametrize("body", [b'{"result":NaN}', b'{"a":1,"a":2}', b'{"result":1e400}', b"\xff{}"])
def test_an_answer_that_is_no_strict_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(SourceSkipped):
        node(body).ask("x")


def test_a_refusal_is_a_value_and_an_error_for_who_needs_a_result() -> None:
    body = {"result": None, "error": {"code": -5, "message": "No such\x1b[31m thing"}, "id": 0}
    assert node(body).ask("x") == Refused(-5, "No such?[31m thing")
    assert isinstance(node({"id": 0}).ask("x"), Refused)
    with pytest.raises(SourceSkipped, match=r"x was refused: No such"):
        node(body).get("x")


@pytest.mark.parametrize(
    ("url", "configured", "given"),
    [
        ("http://127.0.0.1:8332", "", True),
        ("http://node.example:8332", "", False),
        ("http://node.example:8332", "http://node.example:8332", True),
    ],
)
def test_a_login_goes_to_this_machine_or_to_the_address_configured(url: str, configured: str, given: bool) -> None:
    seen: list[Request] = []

    class Silent:
        def send(self, request: Request) -> Response:
            seen.append(request)
            raise Unanswered("nobody is there", again=False)

    own = {"sources": {"core": {"url": configured}}} if configured else {}
    settings = Settings({"BITCOIN_RPC_LOGIN": "user:canary"}, own)
    with pytest.raises(SourceError):
        Core(url, Network(settings, transport=Silent())).cursor_from(Chain.named("bitcoin"), 0)
    assert seen
    assert all(bool(request.secret_headers) == given for request in seen)
