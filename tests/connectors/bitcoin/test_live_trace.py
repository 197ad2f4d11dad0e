"""A theft on a real node, traced live through the node and through an Esplora of its blocks: the answer is the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.tracing import Question, trace
from coin_theft import LOST, Theft, steal
from connectors.protocol import Connector, Evidence, Problem
from connectors.sources import open_source
from esplora_provider import URL, EsploraProvider
from graphs.stops import StopRules
from litecoin_node import INDEXED, REGTEST, LitecoinNode, litecoin_node
from made_up import Clock
from modern_node import ModernNode
from tracer.addresses import parse
from tracer.coverage import State
from tracer.labels import Label, Role

NO_DUST = StopRules(dust_one_in=0, diluted_one_in=0)


@dataclass(frozen=True)
class Pinned:
    """One label, as a label file would hold it."""

    labels: tuple[Label, ...]
    evidence: Evidence
    rejected: tuple[Problem, ...] = ()


def hot_wallet(address: str) -> Pinned:
    evidence = Evidence(b"the exchange said so", "test", "")
    at = parse(address, REGTEST)
    label = Label(at, "An Exchange", "its hot wallet", Role.EXCHANGE, "test", None, 90, evidence.id)
    return Pinned((label,), evidence)


@pytest.fixture(scope="module")
def stolen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LitecoinNode, Theft]]:
    with litecoin_node(tmp_path_factory.mktemp("litecoin"), *INDEXED) as node:
        yield node, steal(node)


def traced(source: Connector, theft: Theft, folder: Path) -> dict[str, Any]:
    clock = Clock()
    with Case.create(folder / "theft.fundtrail", at=clock()) as case:
        case.pin_labels(hot_wallet(theft.hot_wallet), at=clock())
        answer = trace(case, Question(theft.start, REGTEST, stops=NO_DUST), [source], now=clock)
        assert case.verify() == []
        again = trace(case, Question(theft.start, REGTEST, stops=NO_DUST), [source], now=clock)
        assert again["ends"] == answer["ends"]
    return answer


def is_the_plan(answer: dict[str, Any], theft: Theft) -> None:
    assert [loss["lost"] for loss in answer["losses"]] == [dict.fromkeys(answer["rules"], str(LOST))]
    for rule in answer["rules"]:
        ends = {end["address"] or "fee": int(end["amounts"][rule]) for end in answer["ends"]}
        assert ends == theft.ends, rule
    assert {end["stop"] for end in answer["ends"] if end["address"] == theft.hot_wallet} == {"exchange"}


def test_through_the_node(stolen: tuple[LitecoinNode, Theft], tmp_path: Path) -> None:
    node, theft = stolen
    is_the_plan(traced(open_source(f"core:{node.url}", node.network()), theft, tmp_path), theft)


@pytest.mark.parametrize("without", [(), ("getdescriptoractivity",)])
def test_through_the_filters_of_a_newer_node(
    stolen: tuple[LitecoinNode, Theft], tmp_path: Path, without: tuple[str, ...]
) -> None:
    node, theft = stolen
    newer = ModernNode(node, without=without)
    is_the_plan(traced(open_source(f"core:{node.url}", node.network(transport=newer)), theft, tmp_path), theft)
    assert "scanblocks" in newer.asked


@pytest.mark.parametrize("page", [1, 25])
def test_through_an_esplora_of_its_blocks(stolen: tuple[LitecoinNode, Theft], tmp_path: Path, page: int) -> None:
    node, theft = stolen
    provider = EsploraProvider.of_node(node.decoded(), page=page)
    source = open_source(f"esplora:{URL}", node.network(transport=provider), REGTEST)
    is_the_plan(traced(source, theft, tmp_path), theft)


def test_node_and_explorer_together_tell_one_story(stolen: tuple[LitecoinNode, Theft], tmp_path: Path) -> None:
    """Both tell every transaction under the same id, with the same legs: what is read twice is one transfer."""
    node, theft = stolen
    core = open_source(f"core:{node.url}", node.network())
    provider = EsploraProvider.of_node(node.decoded())
    explorer = open_source(f"esplora:{URL}", node.network(transport=provider), REGTEST)
    with Case.create(tmp_path / "both.fundtrail", at=1) as case:
        for who in theft.people.values():
            address = parse(who, REGTEST)
            for source in (core, explorer):
                after = ""
                for page in source.history(address):
                    case.store_page(source.name, address, page, at=1, after=after)
                    after = page.cursor
                assert page.coverage is not None
                assert page.coverage.state is State.READ
        transfers = case.ledger().transfers
        assert {one.id.tx for one in transfers} >= set(theft.txs.values())
        for one in transfers:
            assert {case.evidence(cited).source for cited in one.evidence} == {core.name, explorer.name}
            assert one.index >= 0
