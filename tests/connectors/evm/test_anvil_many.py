"""Five thousand transfers of one address, and chains that change while they are read, on a real node."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from anvil_node import ETHEREUM, Anvil, anvil, on, somebody
from connectors.evm.source import Rpc
from connectors.http.network import Network
from connectors.http.protocol import Request, Response
from evm_plan import Row, told
from tracer.coverage import State

BUSY, OTHER = somebody(201), somebody(202)


@pytest.fixture(scope="module")
def crowd() -> Iterator[tuple[Anvil, list[Row]]]:
    """1,000 payments in blocks of 100, 2,000 by a contract's calls and 2,000 of a token, in blocks of several."""
    with anvil("--gas-limit", "60000000") as node:
        rich = node.accounts
        splitter, usd = node.deploy("Splitter"), node.deploy("Token", "USDX", 6, 10**15, 0)
        usd.send(rich[0], "approve", splitter.address, 10**15)
        rows: list[Row] = []
        node.ask("evm_setAutomine", False)
        for block in range(10):
            sent = [node.send(rich[at % 10], BUSY, 1 + block * 100 + at, mined=False) for at in range(100)]
            node.ask("anvil_mine", 1)
            for at, tx in enumerate(sent):
                rows.append((tx, "tx", "", rich[at % 10], BUSY, 1 + block * 100 + at))
        for start in range(0, 10, 5):
            data = splitter.data("spray", BUSY, 200)
            sent = [node.send(rich[0], splitter.address, 20_100, data, 8_000_000, mined=False) for _ in range(5)]
            node.ask("anvil_mine", 1)
            rows += [(tx, f"trace:{at}", "", splitter.address, BUSY, at + 1) for tx in sent for at in range(200)]
            data = splitter.data("multisend", usd.address, [BUSY] * 200, start + 1)
            sent = [node.send(rich[0], splitter.address, 0, data, 10_000_000, mined=False) for _ in range(5)]
            node.ask("anvil_mine", 1)
            logs = [int(log["logIndex"], 16) for tx in sent for log in node.receipt(tx)["logs"]]
            assert logs == list(range(1_000))
            rows += [
                (tx, f"log:{200 * of + at}", usd.address, rich[0], BUSY, start + 1)
                for of, tx in enumerate(sent)
                for at in range(200)
            ]
        yield node, rows


@pytest.mark.slow
@pytest.mark.parametrize("finds", ["trace_filter", "ots", "blocks"])
@pytest.mark.parametrize("traces", ["trace_transaction", "debug_traceTransaction"])
def test_five_thousand_transfers_are_all_there_and_no_other(
    crowd: tuple[Anvil, list[Row]], finds: str, traces: str
) -> None:
    node, rows = crowd
    rpc = Rpc(node.url, node.network(), finds=finds, traces=traces)
    pages = list(rpc.history(on(BUSY)))
    found = [transfer for page in pages for transfer in page.transfers]
    assert len(rows) == 5_000
    assert Counter(map(told, found)) == Counter(rows)
    assert found == sorted(found, key=lambda one: one.order)
    assert len(pages) > 1
    coverage = pages[-1].coverage
    assert coverage is not None
    assert (coverage.state, coverage.rows) == (State.READ, 5_000)


class _Then:
    """Sends on, and does something once the first questions about events were answered."""

    def __init__(self, node: Anvil, then: Callable[[], None]) -> None:
        self._node, self._then, self._done = node, then, False

    def send(self, request: Request) -> Response:
        response = self._node.door.send(request)
        asked = json.loads(request.body)
        if not self._done and isinstance(asked, list) and any(BUSY[2:] in str(call["params"]) for call in asked):
            self._done = True
            self._then()
        return response


def test_a_chain_that_is_reorganised_while_it_is_read_gives_no_answer_and_the_next_reading_is_right() -> None:
    with anvil() as node:
        rich = node.accounts[0]
        first = node.send(rich, BUSY, 5)
        gone = node.send(rich, BUSY, 7)
        network = Network(transport=_Then(node, lambda: node.ask("anvil_reorg", 1, [])))
        (page,) = Rpc(node.url, network, ETHEREUM).history(on(BUSY))
        assert page.transfers == ()
        assert page.coverage is not None
        assert page.coverage.state is State.FAILED
        assert page.coverage.last is None
        assert "reorganised" in page.coverage.reason
        again = Rpc(node.url, node.network(), ETHEREUM)
        (page,) = again.history(on(BUSY))
        assert [told(one) for one in page.transfers] == [(first, "tx", "", rich, BUSY, 5)]
        assert again.transaction(ETHEREUM, gone) == ()


def test_another_branch_gives_another_history_with_other_block_hashes() -> None:
    with anvil() as node:
        rich = node.accounts[0]
        node.send(rich, BUSY, 5)
        branch = node.ask("evm_snapshot")
        node.send(rich, BUSY, 7)
        rpc = Rpc(node.url, node.network(), ETHEREUM)
        (before,) = rpc.history(on(BUSY))
        node.ask("evm_revert", branch)
        node.send(rich, OTHER, 1)
        node.send(rich, BUSY, 8)
        (after,) = rpc.history(on(BUSY))
        assert [one.units for one in before.transfers] == [5, 7]
        assert [one.units for one in after.transfers] == [5, 8]
        assert before.coverage is not None
        assert before.coverage.last is not None
        now = rpc.block_hash(ETHEREUM, before.coverage.last)
        assert before.coverage.tip != now != ""  # how the caller knows that what it kept is no longer the chain
        assert after.transfers[0].block.hash == before.transfers[0].block.hash


def test_blocks_that_came_later_do_not_change_what_a_cursor_gives() -> None:
    with anvil() as node:
        rich = node.accounts[0]
        node.send(rich, BUSY, 5)
        rpc = Rpc(node.url, node.network(), ETHEREUM)
        cursor = rpc.cursor_from(ETHEREUM, 0)
        node.send(rich, BUSY, 7)
        (page,) = rpc.history(on(BUSY), cursor)
        assert [one.units for one in page.transfers] == [5]
        later = rpc.cursor_from(ETHEREUM, 2)
        (page,) = rpc.history(on(BUSY), later)
        assert [one.units for one in page.transfers] == [7]
        assert page.coverage is not None
        assert page.coverage.first == 2
