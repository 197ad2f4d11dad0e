"""Maximum flow with gains, against a linear program solved by hand-written simplex, against networkx, and by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

import networkx as nx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracer.gains import Network, most, most_worth, whole

EDGES = (1, 2**53 + 1, 2**63, 2**64, 2**128, 2**255, 2**256 - 1)
Arc = tuple[int, int, int, tuple[int, int]]  # tail, head, room, gain


@dataclass(frozen=True)
class Drawn:
    """A network as drawn, before anything is built."""

    supplies: tuple[int, ...]
    arcs: tuple[Arc, ...]
    targets: tuple[int, ...]
    worth: tuple[Fraction, ...]

    def network(self) -> Network:
        network = Network()
        for units in self.supplies:
            network.node(units)
        for arc in self.arcs:
            network.arc(*arc)
        return network

    def most(self) -> Fraction:
        return most(self.network(), self.targets)

    def most_worth(self) -> Fraction:
        return most_worth(self.network(), self.targets, dict(enumerate(self.worth)))


@st.composite
def networks(draw: st.DrawFn, most_nodes: int = 6, most_arcs: int = 11, *, units: int = 12, gain: int = 4) -> Drawn:
    size = draw(st.integers(2, most_nodes))
    amounts = st.integers(0, units)
    ends = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda two: two[0] != two[1])
    gains = st.tuples(st.integers(1, gain), st.integers(1, gain))
    arcs = draw(st.lists(st.tuples(ends, amounts, gains), min_size=1, max_size=most_arcs))
    return Drawn(
        tuple(draw(st.lists(amounts, min_size=size, max_size=size))),
        tuple((min(two), max(two), room, rate) for two, room, rate in arcs),
        tuple(draw(st.sets(st.integers(size // 2, size - 1), min_size=1, max_size=2))),
        tuple(draw(st.lists(st.fractions(0, 3, max_denominator=4), min_size=size, max_size=size))),
    )


# --- an independent oracle: the linear program itself, by the simplex method with Bland's rule, in fractions


def simplex(aim: list[Fraction], rows: list[tuple[dict[int, Fraction], int]]) -> Fraction:
    """The greatest aim * x with each row * x <= its limit and x >= 0. All limits >= 0, so x = 0 is a start."""
    width = len(aim) + len(rows)
    table = []
    for at, (row, limit) in enumerate(rows):
        line = [Fraction(0)] * (width + 1)
        for column, factor in row.items():
            line[column] += factor
        line[len(aim) + at], line[-1] = Fraction(1), Fraction(limit)
        table.append(line)
    basis = list(range(len(aim), width))
    last = [-factor for factor in aim] + [Fraction(0)] * (len(rows) + 1)
    while True:
        entering = next((column for column in range(width) if last[column] < 0), None)
        if entering is None:
            return last[-1]
        ratios = [
            (line[-1] / line[entering], basis[at], at) for at, line in enumerate(table) if line[entering] > 0
        ]  # never empty: all flows are limited
        at = min(ratios)[2]
        pivot = table[at] = [value / table[at][entering] for value in table[at]]
        basis[at] = entering
        for line in [*(line for line in table if line is not pivot), last]:
            if factor := line[entering]:
                line[:] = [value - factor * own for value, own in zip(line, pivot, strict=True)]


def by_linear_program(of: Drawn, *, at_the_sources: bool) -> Fraction:
    """Columns: what each arc takes, what each supply gives, what stays at each target. What comes to a node leaves."""
    nodes, arcs = len(of.supplies), len(of.arcs)
    rows: list[tuple[dict[int, Fraction], int]] = []
    balance: list[dict[int, Fraction]] = [{} for _ in range(nodes)]
    for column, (tail, head, room, gain) in enumerate(of.arcs):
        rows.append(({column: Fraction(1)}, room))
        balance[tail][column] = Fraction(-1)
        balance[head][column] = Fraction(*gain)
    aim = [Fraction(0)] * (arcs + nodes + len(of.targets))
    for node, units in enumerate(of.supplies):
        rows.append(({arcs + node: Fraction(1)}, units))
        balance[node][arcs + node] = Fraction(1)
        aim[arcs + node] = of.worth[node] if at_the_sources else Fraction(0)
    for at, target in enumerate(of.targets):
        balance[target][arcs + nodes + at] = Fraction(-1)
        aim[arcs + nodes + at] = Fraction(0 if at_the_sources else 1)
    for line in balance:
        rows += [(line, 0), ({column: -factor for column, factor in line.items()}, 0)]
    return simplex(aim, rows)


def by_networkx(supplies: Mapping[int, int], arcs: Iterable[tuple[int, int, int]], targets: Iterable[int]) -> int:
    graph = nx.DiGraph()
    graph.add_nodes_from(("in", "out"))
    arcs = list(arcs)
    total = sum(supplies.values()) + 1
    for source, units in supplies.items():
        graph.add_edge("in", source, capacity=units)
    for tail, head, room in arcs:
        before = graph.edges[tail, head]["capacity"] if graph.has_edge(tail, head) else 0
        graph.add_edge(tail, head, capacity=before + room)
    for target in targets:
        graph.add_edge(target, "out", capacity=total)
    found: int = nx.maximum_flow_value(graph, "in", "out")
    return found


# The best way first, then a part of it taken back for a way around: what a greedy search cannot find.
TAKEN_BACK = Drawn(
    (4, 0, 0, 0), ((0, 1, 2, (1, 1)), (0, 2, 2, (1, 1)), (1, 2, 2, (3, 1)), (1, 3, 2, (1, 1)), (2, 3, 3, (2, 1))), (3,),
    (Fraction(1),) * 4,
)  # fmt: skip


@example(TAKEN_BACK)
@given(networks())
def test_what_arrives_is_the_optimum_of_the_linear_program(of: Drawn) -> None:
    assert of.most() == by_linear_program(of, at_the_sources=False)


@example(TAKEN_BACK)
@given(networks())
def test_the_worth_sent_is_the_optimum_of_the_linear_program(of: Drawn) -> None:
    assert of.most_worth() == by_linear_program(of, at_the_sources=True)


@pytest.mark.parametrize("seed", range(6))
def test_a_dense_network_with_a_gain_on_every_arc_is_solved_to_the_optimum(seed: int) -> None:
    dice = Random(seed)
    arcs = []
    for _ in range(26):
        tail, head = sorted(dice.sample(range(10), 2))
        arcs.append((tail, head, dice.randrange(1, 10**6), (dice.randrange(1, 10**4), dice.randrange(1, 10**4))))
    supplies = tuple(dice.randrange(10**6) if dice.random() < 0.5 else 0 for _ in range(10))
    of = Drawn(supplies, tuple(arcs), (8, 9), tuple(Fraction(dice.randrange(9), 7) for _ in range(10)))
    assert of.most() == by_linear_program(of, at_the_sources=False)
    assert of.most_worth() == by_linear_program(of, at_the_sources=True)


@given(networks(12, 40, units=2**256 - 1, gain=1))
def test_without_gains_it_is_the_ordinary_maximum_flow(of: Drawn) -> None:
    flow = by_networkx(dict(enumerate(of.supplies)), (arc[:3] for arc in of.arcs), of.targets)
    assert of.most() == flow
    assert most_worth(of.network(), of.targets) == flow


@given(networks(gain=1))
def test_with_prices_but_without_swaps_it_is_the_optimum_of_the_linear_program(of: Drawn) -> None:
    assert of.most_worth() == by_linear_program(of, at_the_sources=True)


@given(networks(10, 30, units=2**255, gain=1), st.lists(st.integers(1, 2**90), min_size=10, max_size=10))
def test_where_every_asset_has_one_price_it_is_the_maximum_flow_of_value(of: Drawn, prices: list[int]) -> None:
    arcs = tuple((tail, head, room, (prices[tail], prices[head])) for tail, head, room, _ in of.arcs)
    value = by_networkx(
        {node: units * prices[node] for node, units in enumerate(of.supplies)},
        ((tail, head, room * prices[tail]) for tail, head, room, _ in of.arcs),
        of.targets,
    )
    network = replace(of, arcs=arcs).network()
    assert most_worth(network, of.targets, {node: Fraction(price) for node, price in enumerate(prices)}) == value
    target = of.targets[0]
    assert most(network, [target]) * prices[target] <= value
    if len(of.targets) == 1:
        assert most(network, [target]) * prices[target] == value


def test_a_ledger_of_two_thousand_payments_agrees_with_networkx() -> None:
    dice = Random(4)
    network, arcs, has, now = Network(), [], {}, {}
    supplies = {}
    for wallet in range(40):
        has[wallet] = dice.randrange(2**128)
        now[wallet] = network.node(has[wallet])
        supplies[now[wallet]] = has[wallet]
    for _ in range(2000):
        payer, payee = dice.sample(range(40), 2)
        units, fresh = dice.randrange(has[payer] + 1), network.node()
        for tail, room in ((now[payee], has[payee]), (now[payer], units)):
            network.arc(tail, fresh, room)
            arcs.append((tail, fresh, room))
        has[payer], has[payee], now[payee] = has[payer] - units, has[payee] + units, fresh
    last = sorted(now.values())
    some = dict(list(supplies.items())[:9])
    for targets in (last[:1], last[20:21], last[1:]):
        flow = by_networkx(some, arcs, targets)
        assert most(network, targets, supplies=some) == flow
        assert most_worth(network, targets, supplies=some) == flow


# --- worked by hand


def a_swap() -> tuple[Network, int, int]:
    """500 clean and 1000 stolen USDT, 900 of them swapped to 0.45 WETH; of that 0.30 to E, 0.15 stays."""
    network = Network()
    usdt, weth = network.node(1_000_000_000), network.node()
    end, rest = network.node(), network.node()
    network.arc(usdt, weth, 900_000_000, (450_000_000_000_000_000, 900_000_000))
    network.arc(usdt, rest, 600_000_000)
    network.arc(weth, end, 300_000_000_000_000_000)
    return network, usdt, end


def test_behind_a_swap_all_that_arrives_can_be_stolen_and_is_worth_what_was_swapped_for_it() -> None:
    network, _, end = a_swap()
    assert most(network, [end]) == 300_000_000_000_000_000
    assert most_worth(network, [end]) == 600_000_000


def test_the_least_stolen_behind_a_swap_is_what_the_clean_money_cannot_fill() -> None:
    network, usdt, end = a_swap()
    clean = most(network, [end], supplies={usdt: 500_000_000})
    assert 300_000_000_000_000_000 - whole(clean) == 50_000_000_000_000_000  # as first in, first out says too


def test_a_commingled_wallet_without_swaps_has_the_bounds_of_the_ledger_example() -> None:
    # +100 clean, +60 stolen, -80 to A, +40 clean, -50 to B, -70 to Z
    network = Network()
    mixed, later = network.node(60), network.node()
    a, b, z = (network.node() for _ in range(3))
    for arc in ((mixed, a, 80), (mixed, later, 80), (later, b, 50), (later, z, 70)):
        network.arc(*arc)
    assert [most(network, [end]) for end in (a, b, z)] == [60, 50, 60]
    clean = {mixed: 100, later: 40}
    least = [units - most(network, [end], supplies=clean) for end, units in ((a, 80), (b, 50), (z, 70))]
    assert least == [0, 0, 0]


def two_rates() -> tuple[Network, int]:
    """Ten units can be swapped at 2 for 1, ten at 3 for 1; one wallet gets both and pays on 20."""
    network = Network()
    start, wallet, end = network.node(15), network.node(), network.node()
    network.arc(start, wallet, 10, (2, 1))
    network.arc(start, wallet, 10, (3, 1))
    network.arc(wallet, end, 20)
    return network, wallet


def test_most_arrives_by_the_best_rate_first() -> None:
    network, wallet = two_rates()
    assert most(network, [wallet]) == 10 * 3 + 5 * 2


def test_most_is_sent_by_the_worst_rate_first() -> None:
    network, wallet = two_rates()
    assert most_worth(network, [wallet + 1]) == 10  # 10 at 2 for 1 fill the 20; at 3 for 1 it takes only 6 2/3
    assert most(network, [wallet + 1]) == 20


def test_a_way_is_taken_back_where_that_lets_more_arrive() -> None:
    # One unit by 0-1-2-3, at 6 for 1, fills 2-3. The other unit at 1 goes straight. Then two by 0-2 take the place
    # of two thirds of a unit at 1, which go straight as well.
    assert TAKEN_BACK.most() == 6 + 1 + Fraction(2, 3)


def test_of_sources_with_prices_the_dearest_come_first() -> None:
    network = Network()
    cheap, dear, joint = network.node(10), network.node(4), network.node()
    end = network.node()
    for arc in ((cheap, joint, 10), (dear, joint, 9), (joint, end, 7)):
        network.arc(*arc)
    assert most_worth(network, [end], {cheap: Fraction(1, 3), dear: Fraction(5, 2)}) == 4 * Fraction(5, 2) + 1
    assert most_worth(network, [end], {dear: Fraction(0)}) == 7
    assert most_worth(network, [end], {cheap: Fraction(0), dear: Fraction(0)}) == 0


@pytest.mark.parametrize("units", EDGES)
def test_amounts_of_any_size_keep_their_last_unit(units: int) -> None:
    network = Network()
    start, third, again = network.node(units), network.node(), network.node()
    network.arc(start, third, units, (1, 3))
    network.arc(third, again, units, (3, 1))
    assert most(network, [third]) == Fraction(units, 3)
    assert most(network, [again]) == units
    assert most_worth(network, [again]) == units
    assert whole(most(network, [third])) == units // 3


def test_several_targets_share_what_there_is_and_a_unit_is_counted_once() -> None:
    network = Network()
    start, middle, end = network.node(10), network.node(), network.node()
    network.arc(start, middle, 8)
    network.arc(middle, end, 5)
    assert most(network, [middle, end, end]) == 8
    assert most(network, [start, middle]) == 10  # what starts at a target is there


def test_what_leads_nowhere_is_nothing() -> None:
    network = Network()
    start, end, behind = network.node(10), network.node(), network.node(5)
    network.arc(start, end, 0)
    network.arc(end, behind, 5, (1, 2))
    for question in (most, most_worth):
        assert question(network, [end]) == 0
        assert question(network, []) == 0
        assert question(network, [end], supplies={}) == 0


# --- what must hold whatever is drawn


@given(networks(), st.data())
def test_more_supply_never_means_less(of: Drawn, data: st.DataObject) -> None:
    node = data.draw(st.integers(0, len(of.supplies) - 1))
    more = of.network()
    more.supply(node, data.draw(st.integers(1, 9)))
    assert most(more, of.targets) >= of.most()
    assert most_worth(more, of.targets, dict(enumerate(of.worth))) >= of.most_worth()


@given(networks(), st.sampled_from(EDGES))
def test_all_amounts_times_a_number_give_that_number_times_the_answer(of: Drawn, times: int) -> None:
    arcs = tuple((tail, head, room * times, gain) for tail, head, room, gain in of.arcs)
    scaled = replace(of, supplies=tuple(units * times for units in of.supplies), arcs=arcs)
    assert scaled.most() == of.most() * times
    assert scaled.most_worth() == of.most_worth() * times


@given(networks())
def test_asking_changes_nothing(of: Drawn) -> None:
    network = of.network()
    first = most(network, of.targets), most_worth(network, of.targets)
    assert network == of.network()
    assert (most(network, of.targets), most_worth(network, of.targets)) == first


@given(networks())
def test_supplies_named_in_the_question_replace_those_of_the_network(of: Drawn) -> None:
    named = dict(enumerate(of.supplies))
    other = replace(of, supplies=tuple(7 for _ in of.supplies)).network()
    assert most(other, of.targets, supplies=named) == of.most()
    assert most_worth(other, of.targets, dict(enumerate(of.worth)), supplies=named) == of.most_worth()


def test_whole_is_the_floor_however_large() -> None:
    assert whole(Fraction(19, 2)) == 9
    assert whole(Fraction(2**256 - 1)) == 2**256 - 1
    assert whole(Fraction(3 * 2**128 - 1, 3)) == 2**128 - 1


@pytest.mark.parametrize(
    ("tail", "head", "room", "gain"),
    [(1, 0, 5, (1, 1)), (0, 0, 5, (1, 1)), (-1, 1, 5, (1, 1)), (0, 2, 5, (1, 1)), (0, 1, -1, (1, 1)),
     (0, 1, 5, (0, 1)), (0, 1, 5, (1, -1))],
)  # fmt: skip
def test_an_arc_back_in_time_or_of_no_sense_is_refused(tail: int, head: int, room: int, gain: tuple[int, int]) -> None:
    network = Network()
    network.node(), network.node()
    with pytest.raises(ValueError, match="no such arc"):
        network.arc(tail, head, room, gain)


def test_unknown_nodes_and_negative_amounts_are_refused() -> None:
    network = Network()
    node = network.node(3)
    for question in (most, most_worth):
        for targets, supplies in (([-1], None), ([1], None), ([node], {1: 5}), ([node], {node: -1})):
            with pytest.raises(ValueError, match="name nodes of the network"):
                question(network, targets, supplies=supplies)
    with pytest.raises(ValueError, match="worth less than nothing"):
        most_worth(network, [node], {node: Fraction(-1)})
    with pytest.raises(ValueError, match="cannot be given"):
        network.supply(node, -1)
    with pytest.raises(ValueError, match="cannot be given"):
        network.supply(1, 1)
