"""Which chain a node or an explorer is of is read off its blocks, never off its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.bitcoin.chains import FORKED, GENESIS, chain_of
from connectors.bitcoin.core import Core
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from tracer.errors import InputError, SourceUnusable
from tracer.values import Chain

MAIN = next(iter(GENESIS))
BY_NAME = {name: hash for hash, name in FORKED.items()}


class Bare:
    """A node that tells its chain and nothing else."""

    def __init__(self, genesis: str, fork: str = "", *, blocks: int = 900_000, headers: int = 900_000) -> None:
        self._hashes = {0: genesis, 478_559: fork}
        self._info = {"chain": "main", "blocks": blocks, "headers": headers, "pruned": False}

    def send(self, request: Request) -> Response:
        call = json.loads(request.body)
        result: Any = self._info if call["method"] == "getblockchaininfo" else self._hashes[call["params"][0]]
        return Response(200, json.dumps({"result": result, "error": None, "id": 0}).encode())


def core(node: Bare, chain: Chain | None = None) -> Core:
    return Core("http://127.0.0.1:8332", Network(transport=node), chain)


@pytest.mark.parametrize("name", ["bitcoin", "bitcoin-cash"])
def test_two_chains_of_one_genesis_are_told_apart_by_the_block_at_which_they_part(name: str) -> None:
    chain, other = Chain.named(name), Chain.named("bitcoin" if name != "bitcoin" else "bitcoin-cash")
    assert core(Bare(MAIN, BY_NAME[name])).chains == {chain}
    assert core(Bare(MAIN, BY_NAME[name]), chain).chains == {chain}
    with pytest.raises(SourceUnusable, match=f"is of {name}, not of {other}"):
        _ = core(Bare(MAIN, BY_NAME[name]), other).chains
    with pytest.raises(SourceUnusable, match="not known here"):
        _ = core(Bare(MAIN, "00" * 32)).chains


def test_every_genesis_is_of_its_chains() -> None:
    for genesis, names in GENESIS.items():
        assert chain_of(genesis, "", None) == Chain.named(names[0])
        for name in names:
            assert chain_of(genesis, "", Chain.named(name)).name == name
    with pytest.raises(InputError, match="not known here"):
        chain_of("00" * 32, "", None)


def test_a_node_says_that_it_is_behind_and_that_a_schedule_is_not_known() -> None:
    assert core(Bare(MAIN, BY_NAME["bitcoin"])).problems == ()
    (behind,) = core(Bare(MAIN, BY_NAME["bitcoin"], blocks=800_000)).problems
    assert behind.text.startswith("the node is 100,000 blocks behind")
    doge = next(hash for hash, names in GENESIS.items() if names == ("dogecoin",))
    (fees,) = core(Bare(doge, "unrelated")).problems
    assert "count as new coins" in fees.text


def test_the_usual_port_is_that_of_the_chain() -> None:
    assert Core("", Network()).name == "core:http://127.0.0.1:8332"
    assert Core("", Network(), Chain.named("dogecoin")).name == "core:http://127.0.0.1:22555"
    with pytest.raises(InputError, match="where is the node of litecoin-regtest"):
        Core("", Network(), Chain.named("litecoin-regtest"))
