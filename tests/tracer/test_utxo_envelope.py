"""The envelope on Bitcoin ledgers: no rule leaves it under any fee convention, and assignments reach its ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracer.lots import Between, Fees, Rule
from utxo import EVERYTHING, Drawn, Tx, chains, drawing, few, grown, large, recipes, thefts

Bound = tuple[int, int]
State = tuple[tuple[str, int], ...]  # stolen units by coin, sink or block's fees; what has none is left out


def every_assignment(of: Drawn, fees: Fees = Fees.LAST) -> dict[str, Bound]:
    """Least and most stolen units per place over all ways to hand on each transaction's stolen units. Tiny chains only.

    Satoshis have no order here: a transaction's outputs and its fee each get some of the stolen and fill up with clean.
    """
    states: set[State] = {()}
    paid: dict[int, int] = {}  # block -> fees so far
    for tx in of.in_order:
        states = {after for state in states for after in _after(of, tx, dict(state), fees, paid.get(tx.block, 0))}
        paid[tx.block] = paid.get(tx.block, 0) + tx.fee
    found: dict[str, Bound] = {}
    ends = [of.by_place({_end(name): units for name, units in _merged(state).items()}) for state in states]
    for name in sorted({name for end in ends for name in end}):
        units = [end.get(name, 0) for end in ends]
        found[name] = min(units), max(units)
    return {name: bound for name, bound in found.items() if bound[1]}


def _merged(state: State) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, units in state:
        found[_end(name)] = found.get(_end(name), 0) + units
    return found


def _end(name: str) -> str:
    return name.partition(" ")[0]  # "fee 7": the fees of block 7


def _after(of: Drawn, tx: Tx, state: dict[str, int], fees: Fees, paid: int) -> Iterator[State]:
    pool = f"fee {tx.block}"
    collects = next((units for what, units in tx.inputs if what == "fees"), 0) if fees is Fees.IN_RATIO else 0
    stolen = 0
    for at, (what, units) in enumerate(tx.inputs):
        known = what in state and not _outside(of, what)
        stolen += units if tx.source(at) in of.unseen else state.pop(what) if known else 0
    there = max(paid, collects)
    waiting = state.get(pool, 0) if collects else 0
    for brought in range(max(0, collects - (there - waiting)), min(waiting, collects) + 1) if collects else (0,):
        rest = {**state, pool: waiting - brought} if collects else state
        yield from _handed_on(of, tx, rest, stolen + brought, pool if fees is Fees.IN_RATIO else "fee")


def _outside(of: Drawn, coin: str) -> bool:
    name, _, number = coin.partition(".")
    return any(tx.name == name and tx.outputs[int(number)][0] in of.outside for tx in of.txs)


def _handed_on(of: Drawn, tx: Tx, state: dict[str, int], stolen: int, fee: str) -> Iterator[State]:
    total = sum(units for _, units in tx.inputs)
    if tx.name in of.paid:
        stolen += min(of.paid[tx.name][1], total - stolen)
    parts = [(tx.coin(at), units) for at, (_, units) in enumerate(tx.outputs)] + ([(fee, tx.fee)] if tx.fee else [])
    for shares in _ways(stolen, [units for _, units in parts]):
        after = dict(state)
        for (name, units), share in zip(parts, shares, strict=True):
            claim = min(of.coins[name][1], units - share) if name in of.coins else 0
            after[name] = after.get(name, 0) + share + claim
        yield tuple(sorted((name, units) for name, units in after.items() if units))


def _ways(stolen: int, sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """Every way to put `stolen` units into parts of these sizes."""
    if not sizes:
        yield ()
        return
    for first in range(max(0, stolen - sum(sizes[1:])), min(stolen, sizes[0]) + 1):
        for rest in _ways(stolen - first, sizes[1:]):
            yield (first, *rest)


def by_flow(of: Drawn, fees: Fees = Fees.LAST) -> dict[str, Bound]:
    """The same by networkx' maximum flow over the whole chain: a node for each coin and each transaction."""
    import networkx as nx

    net = nx.DiGraph()
    total = 0
    live: dict[str, int] = {}  # what rests unspent at the end, with its size
    paid: dict[int, int] = {}

    def arc(tail: object, head: object, units: int) -> None:
        known = net.get_edge_data(tail, head, {"capacity": 0})["capacity"]
        net.add_edge(tail, head, capacity=known + units)

    def supply(head: object, units: int) -> None:
        nonlocal total
        total += units
        arc("source", head, units)

    for tx in of.in_order:
        joined: object = ("tx", tx.name)
        for at, (what, units) in enumerate(tx.inputs):
            if what == "fees" and fees is Fees.IN_RATIO:
                pool = f"fee {tx.block}"
                arc(pool, joined, units)
                live[pool] = max(0, paid.get(tx.block, 0) - units)
            elif tx.source(at) in of.unseen:
                supply(joined, units)
            elif what in live and not _outside(of, what):
                arc(what, joined, live.pop(what))
        if tx.name in of.paid:
            arc(joined, "home", sum(units for _, units in tx.inputs))
            joined = ("loss", tx.name)
            supply(joined, sum(units for _, units in tx.inputs))
        paid[tx.block] = paid.get(tx.block, 0) + tx.fee
        for at, (_, units) in enumerate(tx.outputs):
            name = tx.coin(at)
            if name in of.coins:
                arc(joined, "home", units)
                supply(name, units)
            else:
                arc(joined, name, units)
            live[name] = live.get(name, 0) + units if name == "unspendable" else units
        if tx.fee:
            name = f"fee {tx.block}" if fees is Fees.IN_RATIO else "fee"
            arc(joined, name, tx.fee)
            live[name] = live.get(name, 0) + tx.fee
    for name, units in live.items():
        arc(name, ("end", *of.by_place({_end(name): 0})), units)
    ends = [node for node in net.nodes if node == "home" or node[0] == "end"]
    found = {}
    for end in ends:
        if end != "home" and (most := _flow(net, [end])):
            found[end[1]] = (total - _flow(net, [other for other in ends if other != end]), most)
    return found


def _flow(net: Any, into: list[Any]) -> int:
    import networkx as nx

    one = net.copy()
    one.add_nodes_from(["source", "sink"])
    one.add_edges_from((end, "sink") for end in into)  # without a capacity: as much as comes
    return int(nx.maximum_flow_value(one, "source", "sink"))


def bounds(of: Drawn, fees: Fees = Fees.LAST) -> dict[str, Bound]:
    return {name: (found.least, found.most) for name, found in of.bounds(fees).items()}


TINY = recipes(4, st.integers(0, 4), most_outputs=3).map(grown)
TINY_MINED = recipes(3, st.integers(0, 3), most_outputs=3).map(lambda drawn: grown(drawn, mined=True))


@few
@given(thefts(TINY))
def test_it_is_exactly_what_the_assignments_reach(of: Drawn) -> None:
    assert bounds(of) == every_assignment(of)


@few
@given(thefts(TINY, losses=2, unseen=True))
def test_it_is_exact_for_coins_that_nobody_saw_made(of: Drawn) -> None:
    assert bounds(of) == every_assignment(of)


@few
@given(thefts(TINY_MINED))
def test_it_is_exact_where_fees_go_on_into_coinbases(of: Drawn) -> None:
    assert bounds(of, Fees.IN_RATIO) == every_assignment(of, Fees.IN_RATIO)


@few
@given(thefts(TINY, losses=2, partial=True))
def test_it_contains_every_assignment_of_losses_in_part(of: Drawn) -> None:
    found = bounds(of)
    for name, (least, most) in every_assignment(of).items():
        assert found[name][0] <= least <= most <= found[name][1]


@few
@given(thefts(st.one_of(chains(14), chains(units=large())), losses=2, unseen=True))
def test_it_agrees_with_another_maximum_flow_over_the_whole_chain(of: Drawn) -> None:
    assert bounds(of) == by_flow(of)


@few
@given(thefts(chains(14, units=st.integers(0, 10**6), mined=True), losses=2))
def test_it_agrees_with_another_maximum_flow_through_coinbases(of: Drawn) -> None:
    assert bounds(of, Fees.IN_RATIO) == by_flow(of, Fees.IN_RATIO)


@few
@given(
    thefts(st.one_of(chains(mined=True), chains(units=large(), mined=True)), losses=3, partial=True, unseen=True),
    st.sampled_from(Fees),
    st.sampled_from(Between),
)
def test_it_contains_every_rule_under_every_fee_convention(of: Drawn, fees: Fees, between: Between) -> None:
    found = bounds(of, fees)
    for rule in Rule:
        rests = of.by_place(of.stolen(rule, fees, between))
        assert rests.keys() <= found.keys(), rule
        for name, (least, most) in found.items():
            assert least <= rests.get(name, 0) <= most, (rule, name)


UNCLAIMED = Drawn(
    drawing("1 theft: old:10 -> a:0\n1 other: old:90 -> b:0\n1 mined: new:50 fees:50 -> miner:100"),
    paid={"theft": (1, EVERYTHING)},
)


@few
@given(of=thefts(recipes(4, st.integers(0, 9)).map(lambda drawn: grown(drawn, mined=True, kept=2))))
@example(of=UNCLAIMED)
def test_it_is_exact_where_a_coinbase_leaves_fees_unclaimed(of: Drawn) -> None:
    assert bounds(of, Fees.IN_RATIO) == by_flow(of, Fees.IN_RATIO)


@pytest.mark.parametrize("units", [1, 2**53 + 1, 2**63, 2**64, 21 * 10**14, 2**128, 2**255])
def test_the_provable_minimum_to_the_satoshi(units: int) -> None:
    """Of one clean satoshi and the stolen ones all but one satoshi go to the shop."""
    of = Drawn(drawing(f"1 theft: old:{units} -> a:{units}\n2 on: theft.0 old:1 -> shop:{units} a:1"),
               {"theft.0": (1, EVERYTHING)})  # fmt: skip
    assert bounds(of) == {"shop": (units - 1, units), "a": (0, 1)}


def test_coins_of_one_address_are_one_place_and_bare_scripts_each_their_own() -> None:
    text = "1 theft: old:9 -> x:9\n1 on: theft.0 old:9 -> a:4 ?:5 a:4 ?:5"
    of = Drawn(drawing(text), {"theft.0": (1, EVERYTHING)})
    assert bounds(of) == every_assignment(of) == {"a": (0, 8), "on.1": (0, 5), "on.3": (0, 5)}


def test_a_chain_longer_than_the_recursion_limit() -> None:
    lines = ["1 t0: old:5 -> a:5"]
    for at in range(1_500):
        lines.append(f"{at + 2} t{at + 1}: t{at}.0 old:5 -> a:5 shop:5")
    of = Drawn(drawing("\n".join(lines)), {"t0.0": (1, EVERYTHING)})
    assert bounds(of) == {"shop": (0, 5), "a": (0, 5)}
