"""A node keeps the contract of sources: as it is, and where it lets us ask for a few blocks at a time only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import ClassVar

import pytest

from anvil_node import ETHEREUM, START, Stopped, anvil, on, somebody
from connectors.contract import ConnectorContract
from connectors.evm import source
from connectors.evm.source import Rpc
from connectors.http.network import Network
from connectors.http.protocol import Request, Response, Transport
from connectors.protocol import AsksHosts, Connector, FindsTransactions, KnowsBalances, ReadsOn
from evm_plan import WALLET, Plan, live
from tracer.values import Address

AT = START + 10**6


@pytest.fixture(scope="module")
def plan() -> Iterator[Plan]:
    with anvil() as node:
        yield live(node)


class TestRpcNode(ConnectorContract):
    """A whole node: everything in one page."""

    KIND = "rpc"
    SUPPORTS: ClassVar = {
        "native": "yes: by trace_filter or ots_*, else by reading every block of a reading of 50,000 at most",
        "internal": "yes: where the node has trace_transaction or debug_traceTransaction, else said to be missing",
        "token": "yes: ERC-20 and wrapped coins; ERC-721 and ERC-1155 are counted, not followed",
        "order": "yes: block, place in block, log and trace numbers",
        "balances": "yes: where the node has the state of the block",
        "completeness proof": "yes: each answer comes with the last block it is about; the tip is checked at the end",
    }

    @pytest.fixture
    def connector(self, plan: Plan) -> Connector:
        return Rpc(plan.node.url, plan.node.network(AT))

    @pytest.fixture
    def address(self) -> Address:
        return on(WALLET)

    @pytest.fixture
    def unknown_address(self) -> Address:
        return on(somebody(99))

    def test_it_has_every_power(self, connector: Connector) -> None:
        for power in (FindsTransactions, ReadsOn, KnowsBalances, AsksHosts):
            assert isinstance(connector, power)


class _FewBlocks:
    """In front of a real node: no question about more than seven blocks, as some providers have it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.refused = 0

    def send(self, request: Request) -> Response:
        calls = json.loads(request.body)
        for call in calls if isinstance(calls, list) else [calls]:
            asked = call["params"][0] if call["method"] in ("eth_getLogs", "trace_filter") else None
            if asked and int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) >= 7:
                self.refused += 1
                error = {"code": -32602, "message": "eth_getLogs is limited to a 7 block range"}
                told = {"jsonrpc": "2.0", "id": call["id"], "error": error}
                answers = [{**told, "id": each["id"]} for each in calls] if isinstance(calls, list) else told
                return Response(200, json.dumps(answers).encode(), at=AT)
        return self._inner.send(request)


class TestRpcNodeOfFewBlocks(TestRpcNode):
    """The same, in many pages."""

    @pytest.fixture(params=[6, pytest.param(3, marks=pytest.mark.slow)], ids=lambda rows: f"{rows} rows a page")
    def connector(self, plan: Plan, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Connector:
        monkeypatch.setattr(source, "ENOUGH", request.param)
        inner = plan.node.network(AT).transport
        assert inner is not None
        return Rpc(plan.node.url, Network(transport=_FewBlocks(inner), clock=Stopped(AT)), ETHEREUM)

    def test_it_is_read_in_many_pages(self, connector: Connector, address: Address) -> None:
        assert len(list(connector.history(address))) > 5
