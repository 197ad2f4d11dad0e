"""A trace over a real node: a victim pays, four hops, a split, a swap, a hot wallet; the answer is the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from anvil_node import ETHEREUM, Anvil, Contract, anvil, somebody
from cases.case_file import Case
from cases.tracing import Question, trace
from connectors.evm.source import Rpc
from connectors.labels import read_labels
from made_up import Clock

VICTIM, FIRST, SECOND, THIRD, FOURTH, FIFTH, HOT = (somebody(number) for number in range(101, 108))
ETHER = 10**18
LABELS = "chain,address,entity,name,role,source,seen,confidence,note\n"


@dataclass
class Theft:
    """What was sent, and what is to come out."""

    node: Anvil
    pool: Contract
    usd: Contract
    start: str = ""
    bought: int = 0
    paid_on: int = 0
    fees: int = 0
    kept: dict[str, int] = field(default_factory=dict)

    def labels(self, file: Path) -> Path:
        """Who is known: the pool, and the exchange's hot wallet."""
        rows = ((self.pool.address, "Swap", "protocol"), (HOT, "Acme", "exchange"))
        told = (f"ethereum,{address},{name},{name} 1,{role},us,,50,\n" for address, name, role in rows)
        file.write_text(LABELS + "".join(told))
        return file


@pytest.fixture(scope="module")
def theft() -> Iterator[Theft]:
    with anvil() as node:
        rich = node.accounts[0]
        splitter = node.deploy("Splitter")
        usd = node.deploy("Token", "USDX", 6, 10**15, 0)
        pool = node.deploy("Pool", usd.address, value=50 * ETHER)
        usd.send(rich, "transfer", pool.address, 150_000 * 10**6)
        for who in (FIRST, SECOND, THIRD, FOURTH, FIFTH):
            node.ask("anvil_impersonateAccount", who)
        node.rich(VICTIM, 100 * ETHER)
        theft = Theft(node, pool, usd)
        theft.start = node.send(VICTIM, FIRST, 10 * ETHER)
        sent = [
            node.send(FIRST, SECOND, 99 * ETHER // 10),
            splitter.send(SECOND, "split", [THIRD, FIFTH], value=98 * ETHER // 10),
            node.send(THIRD, FOURTH, 48 * ETHER // 10),
            pool.send(FOURTH, "buy", FOURTH, value=47 * ETHER // 10),
        ]
        theft.bought = usd.number("balanceOf", FOURTH)
        theft.paid_on = theft.bought * 3 // 4  # the rest stays, or it would look like a deposit address
        sent += [usd.send(FOURTH, "transfer", HOT, theft.paid_on), node.send(FIFTH, HOT, 48 * ETHER // 10)]
        node.send(rich, HOT, 77 * ETHER)  # the exchange has other customers
        theft.fees = sum(node.fee(tx) for tx in sent)
        theft.kept = {who: node.balance(who) for who in (FIRST, SECOND, THIRD, FOURTH, FIFTH)}
        yield theft


@pytest.mark.parametrize("finds", ["trace_filter", "ots", "blocks"])
def test_the_answer_over_a_live_node_is_the_plan(theft: Theft, tmp_path: Path, finds: str) -> None:
    rpc = Rpc(theft.node.url, theft.node.network(), ETHEREUM, finds=finds)
    with Case.create(tmp_path / "live.fundtrail", at=1) as case:
        case.pin_labels(read_labels(theft.labels(tmp_path / "labels.csv")), at=2)
        answer = trace(case, Question(theft.start, ETHEREUM), [rpc], now=Clock())
        assert case.verify() == []
        asked = case.requests()
        again = Question(theft.start, ETHEREUM)
        assert trace(case, again, [rpc], now=Clock())["ends"] == answer["ends"]
        assert case.requests() == asked
    assert answer["partial"] is False
    assert answer["problems"] == []
    (exchange,) = answer["exchanges"]
    assert (exchange["kind"], exchange["trusted"]) == ("swap", True)
    planned: dict[tuple[str | None, str, str], int] = {
        (HOT, "ETH", "exchange"): 48 * ETHER // 10,
        (HOT, "USDX", "exchange"): theft.paid_on,
        (FOURTH, "USDX", "dormant"): theft.bought - theft.paid_on,
        (None, "ETH", "fee"): theft.fees,
        **{(who, "ETH", "dormant"): units for who, units in theft.kept.items()},
    }
    for rule in answer["rules"]:
        found = {
            (end["address"], end["symbol"], end["stop"]): int(end["amounts"][rule])
            for end in answer["ends"]
            if end["amounts"] is not None
        }
        assert found == planned
        assert answer["books"][rule]["lost"] == str(10 * ETHER)
        assert answer["books"][rule]["not_followed"] == "0"
