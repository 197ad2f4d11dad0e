"""A node or explorer whose answers are of another shape is at fault itself: never an empty history, never a crash."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from connectors.bitcoin.chains import FORKED, GENESIS
from connectors.bitcoin.core import Core
from connectors.bitcoin.esplora import Esplora
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from connectors.http.retrying import Patience
from esplora_provider import URL, EsploraProvider
from tracer.addresses import parse
from tracer.coverage import State
from tracer.errors import SourceError
from tracer.values import Block, Chain, Leg, SinkKind, Transfer, TransferId

BTC = Chain.named("bitcoin")
ADDRESS = parse("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", BTC)
TIP, BLOCK, TX = "ab" * 32, "cd" * 32, "11" * 32
SCRIPT = "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"
HASHES = {0: next(iter(GENESIS)), 478_559: next(hash for hash, name in FORKED.items() if name == "bitcoin")}
ODD: list[Any] = [None, 5, "text", [], {}, [{}], {"tx": 5}, {"height": "x"}, {"activity": [5]}, True]


class Odd:
    """A node with one transaction of the address, all of whose answers to `method` are `result`."""

    def __init__(self, method: str = "", result: Any = None) -> None:
        self._method, self._odd = method, result

    def send(self, request: Request) -> Response:
        calls = json.loads(request.body)
        many = isinstance(calls, list)
        answers = [
            {"result": self._result(one["method"], one["params"]), "error": None, "id": one["id"]}
            for one in (calls if many else [calls])
        ]
        return Response(200, json.dumps(answers if many else answers[0]).encode())

    def _result(self, method: str, params: list[Any]) -> Any:
        if method == self._method:
            return self._odd
        match method:
            case "getblockchaininfo":
                return {"blocks": 500_000, "headers": 500_000, "bestblockhash": TIP}
            case "getblockhash":
                return HASHES.get(params[0], TIP)
            case "getindexinfo":
                return {"basic block filter index": {"synced": True, "best_block_height": 500_000}}
            case "scanblocks" if params[0] == "start":
                found = [BLOCK] if params[2] == 0 else []
                return {"from_height": params[2], "to_height": params[3], "relevant_blocks": found}
            case "getdescriptoractivity":
                return {"activity": [{"type": "receive", "txid": TX, "blockhash": BLOCK}] if params[0] else []}
            case "getblock":
                return {"hash": BLOCK, "height": 5, "time": 1_300_000_000, "confirmations": 9, "tx": [TX]}
            case "getrawtransaction":
                output = {"n": 0, "value": 1, "scriptPubKey": {"hex": SCRIPT}}
                return {"txid": TX, "blockhash": BLOCK, "vin": [{"coinbase": "00"}], "vout": [output]}
            case "scantxoutset":
                return {"success": True, "height": 500_000, "total_amount": 1}
        return None


def core(method: str = "", result: Any = None) -> Core:
    return Core("http://127.0.0.1:8332", Network(transport=Odd(method, result)))


def test_where_nothing_is_odd_it_is_read() -> None:
    (page,) = core().history(ADDRESS)
    assert [one.units for one in page.transfers] == [10**8]
    assert core().transaction(BTC, TX)[0].id == page.transfers[0].id
    assert core().balances(ADDRESS, [BTC.coin], 500_000)[0] == {BTC.coin: 10**8}


@pytest.mark.parametrize("result", ODD)
@pytest.mark.parametrize(
    "method", ["getblockchaininfo", "getblockhash", "scanblocks", "getdescriptoractivity", "getblock"]
)
def test_an_answer_of_another_shape_is_an_error_of_the_source(method: str, result: Any) -> None:
    with pytest.raises(SourceError):
        list(core(method, result).history(ADDRESS))


@pytest.mark.parametrize("result", [*ODD, {"txid": TX}, {"txid": "22" * 32}, {"txid": TX, "vin": [5], "vout": []}])
def test_a_transaction_of_another_shape_is_a_problem_that_names_it(result: Any) -> None:
    (page,) = core("getrawtransaction", result).history(ADDRESS)
    assert page.transfers == ()
    assert TX in page.problems[0].where
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.last) == (State.FAILED, 4)


@pytest.mark.parametrize("result", ODD)
def test_a_look_up_of_another_shape_is_an_error_of_the_source(result: Any) -> None:
    for method in ("getrawtransaction", "getblock"):
        with pytest.raises(SourceError):
            core(method, result).transaction(BTC, TX)


@pytest.mark.parametrize("result", ODD)
def test_a_balance_of_another_shape_is_none(result: Any) -> None:
    with contextlib.suppress(SourceError):
        assert core("scantxoutset", result).balances(ADDRESS, [BTC.coin], 500_000)[0] == {}


@pytest.mark.parametrize("result", [*ODD, "", "zz", [[]], [{"txid": TX}], {"chain_stats": {"tx_count": 1.5}}])
@pytest.mark.parametrize("path", ["/blocks/tip/hash", "/block/", "/address/", "/txs/chain", "/block-height/0"])
def test_an_explorer_of_another_shape_never_has_all_of_an_address_or_nothing(path: str, result: Any) -> None:
    class OddExplorer(EsploraProvider):
        def _answer(self, parts: list[str]) -> tuple[int, Any]:
            asked = "/" + "/".join(parts)
            odd = asked.endswith(path) or (path.endswith("/") and asked.startswith(path) and "txs" not in asked)
            return (200, result) if odd and not (path == "/txs/chain" and result == []) else super()._answer(parts)

    leg = Leg.coin(TX, 0, BTC, 7, ADDRESS)
    paid = Transfer(
        TransferId(BTC, TX),
        Block(5, 1_300_000_000),
        0,
        BTC.coin,
        (Leg.sink(BTC.coin, SinkKind.ISSUE, 7),),
        (leg,),
        ("x",),
    )
    network = Network(transport=OddExplorer.of_transfers([paid]), patience=Patience(attempts=1))
    try:
        *_, last = Esplora(URL, network).history(ADDRESS)
    except SourceError:
        return
    assert last.coverage is not None
    whole = last.coverage.state is State.READ and last.coverage.rows == 1
    assert (whole and result == [] and path == "/txs/chain") or last.coverage.state in (State.CUT, State.FAILED)
