"""What must hold of any Bitcoin ledger, drawn at random: the invariants of the method that concern coins."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stolen_coins import ANY, MINED, alone
from tracer.engine import move
from tracer.ledger import Ledger
from tracer.lots import Between, Fees, Rule
from tracer.moves import Course, Flow
from utxo import (
    EDGES,
    EVERYTHING,
    Drawn,
    Tx,
    chains,
    drawing,
    entered,
    entries,
    few,
    grown,
    large,
    recipes,
    resting,
    thefts,
    times,
    transfers,
)

EXACT = tuple(rule for rule in Rule if rule is not Rule.PRO_RATA)
WITHOUT_COINBASES = st.one_of(chains(), chains(units=large()))


# 1. Conservation


@few
@given(
    st.one_of(ANY, MINED, thefts(chains(units=large(), mined=True), losses=3)),
    st.sampled_from(Fees),
    st.sampled_from(Between),
)
def test_every_label_rests_whole_in_coins_fees_and_burns(of: Drawn, fees: Fees, between: Between) -> None:
    for rule in Rule:
        rests: Counter[int] = Counter()
        for by_label in of.rests(rule, fees, between).values():
            rests.update(by_label)
        assert +rests == +Counter(of.moves(rule, fees, between).lost)


@few
@given(entered(st.one_of(chains(mined=True), chains(units=large(), mined=True)), losses=3))
def test_a_loss_is_all_that_entered_as_it(of: Drawn) -> None:
    expected: Counter[int] = Counter()
    for tx in of.txs:
        if tx.name in of.paid:
            expected[of.paid[tx.name][0]] += sum(units for _, units in tx.inputs)
    for rule in Rule:
        for fees in Fees:
            assert +Counter(of.moves(rule, fees).lost) == +expected


@pytest.mark.parametrize("units", EDGES)
@pytest.mark.parametrize("fees", Fees)
def test_amounts_beyond_64_bits_are_whole_to_the_satoshi(units: int, fees: Fees) -> None:
    text = f"1 theft: old:{units} -> a:{units}\n1 one: theft.0 old:{units + 1} -> b:{units} ?:{units - 1} burn:0"
    of = Drawn(drawing(text + f"\n1 m: new:5 fees:2 -> miner:7\n2 two: one.0 one.1 -> shop:{units} a:{units - 2}"),
               paid={"theft": (1, EVERYTHING)})  # fmt: skip
    for rule in Rule:
        assert sum(of.stolen(rule, fees).values()) == units
    share = Fraction(units, 2 * units + 1)
    found = of.passed(Rule.PRO_RATA, fees)
    assert abs(found["one.0"] - units * share) <= 2
    assert abs(found["one.1"] - (units - 1) * share) <= 2


# 2. Support and causality


@few
@given(st.one_of(ANY, MINED), st.sampled_from(Fees))
def test_what_is_stolen_was_reached_by_poison_no_earlier_and_fits_its_coin(of: Drawn, fees: Fees) -> None:
    reached = of.poisoned(fees)
    sizes = _sizes(of.txs)
    for rule in Rule:
        for flow in of.moves(rule, fees).flows:
            name = of.names[of.ledger.holding(flow.target)]
            assert reached[name] <= flow.ordinal
            assert all(units > 0 for _, units in flow.lots)
        for name, units in of.passed(rule, fees).items():
            assert units <= sizes[name]


def _sizes(txs: Iterable[Tx]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for tx in txs:
        sizes["fee"] += tx.fee
        sizes.update({tx.source(at): units for at, (_, units) in enumerate(tx.inputs) if tx.source(at) not in sizes})
        for at, (_, units) in enumerate(tx.outputs):
            sizes[tx.coin(at)] += units
    return sizes


@few
@given(entered(chains(mined=True)))
def test_nothing_is_stolen_before_the_theft(of: Drawn) -> None:
    first = min((of.step(of.ledger, name) for name in of.paid), default=len(of.ledger))
    assert all(flow.ordinal >= first for rule in Rule for flow in of.moves(rule).flows)


# 3. and 4. Where no choice is left


def unmixed(one: list[tuple[Tx, ...]]) -> Drawn:
    """Two chains side by side: all of the second is stolen, nothing of the first."""
    first, second = one
    stolen = tuple(
        tx._replace(name="s" + tx.name, inputs=tuple((_second(what), units) for what, units in tx.inputs))
        for tx in second
    )
    return Drawn(first + stolen, paid={tx.name: (1, EVERYTHING) for tx in stolen})


def _second(what: str) -> str:
    return "s" + what if "." in what else what


@few
@given(st.lists(WITHOUT_COINBASES, min_size=2, max_size=2).map(unmixed), st.sampled_from(Fees))
def test_where_nothing_is_commingled_all_rules_agree_and_poison_too(of: Drawn, fees: Fees) -> None:
    poisoned, sizes = of.poisoned(fees), _sizes(tx for tx in of.txs if tx.name in of.paid)
    for rule in Rule:
        assert of.passed(rule, fees) == {name: sizes[name] for name in poisoned if sizes[name]}
        assert of.stolen(rule, fees) == of.stolen(Rule.FIFO)
    assert all(bounds.rule_independent for bounds in of.bounds(fees).values())


@few
@given(st.sampled_from(Fees), recipes(most_outputs=1), st.data())
def test_where_each_transaction_has_one_output_all_rules_agree(
    fees: Fees, drawn: list[tuple[bool, list[int], int, list[tuple[str, int]], int]], data: st.DataObject
) -> None:
    txs = grown((later, picks, fresh, parts, 0) for later, picks, fresh, parts, _ in drawn)
    of = data.draw(entered(st.just(txs)))
    for rule in Rule:
        assert of.stolen(rule, fees) == of.stolen(Rule.FIFO)
    assert all(bounds.rule_independent for bounds in of.bounds(fees).values())


# 5. Dominance


@few
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=6), st.data())
def test_up_to_each_output_clean_first_paid_least_and_taint_first_most(
    came: list[tuple[bool, int]], data: st.DataObject
) -> None:
    left, outputs = sum(units for _, units in came), []
    for _ in range(data.draw(st.integers(1, 5))):
        outputs.append(("?", data.draw(st.integers(0, left))))
        left -= outputs[-1][1]
    sources = [Tx(f"t{at}", 1, (("old", units),), (("a", units),)) for at, (_, units) in enumerate(came)]
    joined = Tx("joined", 2, tuple((f"t{at}.0", units) for at, (_, units) in enumerate(came)), tuple(outputs))
    of = Drawn((*sources, joined), paid={f"t{at}": (1, EVERYTHING) for at, (stolen, _) in enumerate(came) if stolen})
    got = {rule: of.stolen(rule) for rule in Rule}
    for upto in range(1, len(outputs) + 1):
        sums = {rule: sum(got[rule].get(f"joined.{at}", 0) for at in range(upto)) for rule in Rule}
        assert all(sums[Rule.CLEAN_FIRST] <= units <= sums[Rule.TAINT_FIRST] for units in sums.values())
    largest = max(range(len(outputs)), key=lambda at: outputs[at][1])
    assert all(got[rule].get(f"joined.{largest}", 0) <= got[Rule.HIGHEST_OUT].get(f"joined.{largest}", 0)
               for rule in Rule)  # fmt: skip


# 6. Additivity; of the average in test_utxo_average.py


@few
@given(entered(st.one_of(chains(10), chains(units=large())), losses=3))
def test_fifo_and_lifo_of_several_losses_are_the_sum_of_each_alone(of: Drawn) -> None:
    for rule in (Rule.FIFO, Rule.LIFO):
        together = of.rests(rule)
        for label in (1, 2, 3):
            mine = {name: {label: by_label[label]} for name, by_label in together.items() if label in by_label}
            assert alone(of, label).rests(rule) == mine


@few
@given(entered(chains()), st.integers(2, 10**30))
def test_all_amounts_times_n_give_all_results_times_n(of: Drawn, n: int) -> None:
    many = times(of, n)
    for rule in EXACT:
        assert many.stolen(rule) == {name: units * n for name, units in of.stolen(rule).items()}
    small = {name: (bounds.least * n, bounds.most * n) for name, bounds in of.bounds().items()}
    assert {name: (bounds.least, bounds.most) for name, bounds in many.bounds().items()} == small


# 8. Reversibility


@few
@given(st.one_of(chains(10), chains(units=large())))
def test_fifo_read_backward_leads_every_satoshi_back_to_the_coin_it_came_from(txs: tuple[Tx, ...]) -> None:
    """Every coin that nobody saw made is a label; the chain turned round, with every end a label, shows the same."""
    forward = Drawn(txs, unseen=_labels(_old(txs)), outside=frozenset())
    there = _pairs(forward, _old(txs))
    ends = [name for name in _sizes(txs) if "." in name and name not in {what for tx in txs for what, _ in tx.inputs}]
    ends += [f"{tx.name} fee" for tx in txs if tx.fee]
    ends += [f"{tx.name} burn {at}" for tx in txs for at, (who, _) in enumerate(tx.outputs) if who == "burn"]
    back, origin, label = backward(txs, ends)
    turned_round = _pairs(Drawn(back, unseen=label, outside=frozenset()), ends)
    again: Counter[tuple[str, str]] = Counter()
    for (end, coin), units in turned_round.items():
        again[origin[coin], "fee" if " fee" in end else "unspendable" if " burn" in end else end] += units
    assert Counter(there) == again


def _old(txs: Iterable[Tx]) -> list[str]:
    return [tx.source(at) for tx in txs for at, (what, _) in enumerate(tx.inputs) if what == "old"]


def _labels(names: Iterable[str]) -> dict[str, int]:
    return {name: label for label, name in enumerate(names, start=1)}


def _pairs(of: Drawn, labels: list[str]) -> dict[tuple[str, str], int]:
    return {
        (labels[label - 1], name): units
        for name, by_label in of.rests(Rule.FIFO).items()
        for label, units in by_label.items()
    }


def backward(txs: tuple[Tx, ...], ends: list[str]) -> tuple[tuple[Tx, ...], dict[str, str], dict[str, int]]:
    """The chain turned round: what was paid pays. Also whose coin each of its coins was, and the labels of the ends."""
    found: list[Tx] = []
    origin: dict[str, str] = {}  # its coin -> the coin it was
    label: dict[str, int] = {}
    made: dict[str, str] = {}  # the coin it was -> its coin
    for block, tx in enumerate(reversed(txs), start=1):
        name = "r" + tx.name
        inputs = []
        parts = [(f"{tx.name} burn {at}" if who == "burn" else tx.coin(at), units)
                 for at, (who, units) in enumerate(tx.outputs)]  # fmt: skip
        for at, (coin, units) in enumerate([*parts, *([(f"{tx.name} fee", tx.fee)] if tx.fee else [])]):
            inputs.append((made.get(coin, "old"), units))
            if coin not in made:
                label[f"{name}<{at}"] = 1 + ends.index(coin)
        for at, (what, _) in enumerate(tx.inputs):
            made[what if what != "old" else tx.source(at)] = f"{name}.{at}"
            origin[f"{name}.{at}"] = tx.source(at)
        found.append(Tx(name, block, tuple(inputs), tuple(("a", units) for _, units in tx.inputs)))
    return tuple(found), origin, label


# 10. What is nothing


def with_nothing(of: Drawn, at: int, *, burnt: bool) -> Drawn:
    """The same with one more output, of nothing, at the end of a transaction."""
    return replace(of, txs=tuple(
        tx._replace(outputs=(*tx.outputs, ("burn" if burnt else "a", 0))) if n == at else tx
        for n, tx in enumerate(of.txs)))  # fmt: skip


ONE_OUTPUT = Drawn(
    drawing("1 one: old:5 -> a:5\n1 two: old:5 -> a:5\n2 joined: one.0 two.0 -> a:10\n3 out: joined.0 -> shop:5 b:5"),
    paid={"one": (1, EVERYTHING)},
)


@few
@given(of=st.one_of(ANY, MINED), data=st.data(), fees=st.sampled_from(Fees))
@example(of=ONE_OUTPUT, data=None, fees=Fees.LAST)
def test_an_output_of_nothing_changes_nothing(of: Drawn, data: st.DataObject | None, fees: Fees) -> None:
    """Least of all an OP_RETURN beside a payment."""
    at = data.draw(st.integers(0, len(of.txs) - 1)) if data else 2
    for burnt in (True, False):
        more = with_nothing(of, at, burnt=burnt)
        for rule in Rule:
            assert more.rests(rule, fees) == of.rests(rule, fees)
        assert more.bounds(fees) == of.bounds(fees)


@few
@given(st.one_of(ANY, thefts(chains(units=large()))), st.data())
def test_transactions_of_one_block_that_share_no_coin_may_change_places(of: Drawn, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of.txs) - 1))
    if at + 1 >= len(of.txs) or of.txs[at].block != of.txs[at + 1].block:
        return
    one, two = of.txs[at : at + 2]
    if any(what.startswith(f"{one.name}.") for what, _ in two.inputs):
        return
    swapped = replace(of, txs=(*of.txs[:at], two, one, *of.txs[at + 2 :]))
    for rule in Rule:
        for fees in (Fees.LAST, Fees.PRORATA):
            assert swapped.rests(rule, fees) == of.rests(rule, fees)
    assert swapped.bounds() == of.bounds()


# 11. Determinism


@few
@given(st.one_of(ANY, MINED), st.sampled_from(Fees), st.randoms(use_true_random=False))
def test_the_order_in_which_transactions_arrive_and_repeats_change_nothing(
    of: Drawn, fees: Fees, chance: random.Random
) -> None:
    once = transfers(of.txs)
    arrived = [*once, *chance.choices(once, k=3)]
    chance.shuffle(arrived)
    again = Ledger.of(arrived)
    for rule in Rule:
        moves = move(again, of.seeds(again), of.followed(again), rule, course=Course(fees))
        assert resting(of, again, moves) == of.rests(rule, fees)
        assert _told(of, again, moves.flows) == _told(of, of.ledger, of.moves(rule, fees).flows)


def _told(of: Drawn, ledger: Ledger, flows: Iterable[Flow]) -> list[object]:
    return [(flow.ordinal, of.names[ledger.holding(flow.target)], flow.lots) for flow in flows]


def test_a_chain_of_spends_within_one_block_is_followed_in_block_order() -> None:
    of = Drawn(drawing("1 z: old:9 -> a:9\n1 y: z.0 -> b:9\n1 x: y.0 -> a:4 ?:5\n1 w: x.1 -> shop:5"),
               paid={"z": (1, EVERYTHING)})  # fmt: skip
    for arrived in (transfers(of.txs), transfers(of.txs)[::-1]):
        ledger = Ledger.of(arrived)
        for rule in Rule:
            moves = move(ledger, of.seeds(ledger), of.followed(ledger), rule)
            assert resting(of, ledger, moves) == {"x.0": {1: 4}, "w.0": {1: 5}}


# 12. The future does not change the past


@few
@given(st.one_of(ANY, MINED), chains(4), st.sampled_from(Fees))
def test_what_others_do_later_changes_nothing(of: Drawn, later: tuple[Tx, ...], fees: Fees) -> None:
    last = max(tx.block for tx in of.txs)
    clean = tuple(
        tx._replace(
            name="s" + tx.name, block=last + tx.block, inputs=tuple((_second(what), n) for what, n in tx.inputs)
        )
        for tx in later
    )
    more = replace(of, txs=of.txs + clean)
    for rule in Rule:
        assert more.rests(rule, fees) == of.rests(rule, fees)
    assert more.bounds(fees) == of.bounds(fees)


def test_the_strategies_draw_what_the_tests_are_about() -> None:
    """Chains with spends in one block, bare scripts spent on, nothing paid, burns and collected fees all occur."""
    seen: Counter[str] = Counter()

    @settings(max_examples=200, derandomize=True)
    @given(chains(mined=True))
    def look(txs: tuple[Tx, ...]) -> None:
        made: Mapping[str, Tx] = {tx.coin(at): tx for tx in txs for at in range(len(tx.outputs))}
        for tx in txs:
            sources = [made[what] for what, _ in tx.inputs if what in made]
            seen["in block"] += any(source.block == tx.block for source in sources)
            seen["bare"] += any(what in made and made[what].outputs[int(what.partition(".")[2])][0] == "?"
                                for what, _ in tx.inputs)  # fmt: skip
            seen["nothing"] += any(not units for _, units in tx.outputs)
            seen["burn"] += any(who == "burn" and units for who, units in tx.outputs)
            seen["joined"] += len(sources) > 1
            seen["collected"] += any(what == "fees" for what, _ in tx.inputs)
            seen["fee"] += tx.fee > 0
        seen["entries"] += bool(entries(txs))

    look()
    assert all(seen[what] for what in ("in block", "bare", "nothing", "burn", "joined", "collected", "fee", "entries"))
