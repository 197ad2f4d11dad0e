"""What must hold of any ledger, drawn at random: the invariants of the method that concern account ledgers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing import (
    ENDS,
    OUTSIDE,
    WALLETS,
    Drawn,
    Row,
    covered,
    covered_rows,
    cut_off,
    hid_of,
    resting,
    rows,
    thefts,
    wallet_losses,
    written,
)
from notation import ledger, name_of
from tracer.engine import move
from tracer.ledger import Ledger
from tracer.lots import Between, Rule
from tracer.moves import Moves, Seeds
from tracer.reach import reach

ANY = st.one_of(thefts(rows(), losses=3, partial=True), wallet_losses(rows()), wallet_losses(rows(), capped=True))
EXACT = (Rule.FIFO, Rule.LIFO, Rule.TAINT_FIRST, Rule.CLEAN_FIRST)
EVERYTHING = 2**256 - 1


def total(of: Drawn, rule: Rule) -> dict[str, int]:
    return of.stolen(rule)


# 1. Conservation


@given(cut_off(ANY), st.sampled_from(Between))
def test_every_label_rests_whole(of: Drawn, between: Between) -> None:
    for rule in Rule:
        rests: Counter[int] = Counter()
        for by_label in of.rests(rule, between).values():
            rests.update(by_label)
        assert +rests == +Counter(of.moves(rule, between).lost)


@given(thefts(rows(), losses=3))
def test_a_loss_is_all_of_its_payments(of: Drawn) -> None:
    expected: Counter[int] = Counter()
    for at, ((label, _),) in of.paid.items():
        expected[label] += of.rows[at][2]
    assert all(+Counter(of.moves(rule).lost) == expected for rule in Rule)


@given(thefts(rows(), losses=3))
def test_no_flow_moves_more_than_its_payment_nor_less_than_one_unit(of: Drawn) -> None:
    for rule in Rule:
        for flow in of.moves(rule).flows:
            assert all(units > 0 for _, units in flow.lots)
            assert sum(units for _, units in flow.lots) <= of.rows[flow.ordinal][2]


# 2. Support and causality


@given(cut_off(ANY))
def test_what_is_stolen_was_reached_by_poison_no_earlier_and_fits_the_balance(of: Drawn) -> None:
    drawn = of.ledger
    reached = reach(drawn, of.seeds(drawn), of.followed(drawn))
    for rule in Rule:
        moves = of.moves(rule)
        for flow in moves.flows:
            assert reached[flow.target] <= flow.ordinal
        for hid, lots in moves.rest.items():
            if of.until.get(name_of(drawn.address(hid)), len(drawn)) == len(drawn):
                assert sum(units for _, units in lots) <= drawn.balance_before(hid, len(drawn))


@given(thefts(rows()))
def test_nothing_is_stolen_before_the_theft(of: Drawn) -> None:
    first = min(of.paid, default=len(of.rows))
    assert all(flow.ordinal >= first for rule in Rule for flow in of.moves(rule).flows)


# 3. and 4. Where no choice is left


@given(covered_rows())
def test_where_nothing_is_commingled_all_rules_agree(drawn: list[Row]) -> None:
    paid = {at: ((1, EVERYTHING),) for at, (source, _, _) in enumerate(drawn) if source in OUTSIDE}
    of = Drawn(drawn, paid)
    assert all(total(of, rule) == total(of, Rule.FIFO) for rule in Rule)
    assert all(bounds.rule_independent for bounds in of.bounds().values())


@given(rows())
def test_where_each_payment_empties_the_wallet_all_rules_agree(drawn: list[Row]) -> None:
    emptied = covered((source, target, 10**9 if source in WALLETS else units) for source, target, units in drawn)
    paid = {at: ((1, EVERYTHING),) for at, (source, _, _) in enumerate(drawn) if source == "victim"}
    of = Drawn(emptied, paid)
    assert all(total(of, rule) == total(of, Rule.FIFO) for rule in Rule)


# 5. Dominance


@given(st.lists(st.tuples(st.sampled_from(["victim", "friend", "out"]), st.integers(0, 40)), max_size=20))
def test_at_every_moment_clean_first_has_let_out_least_and_taint_first_most(events: list[tuple[str, int]]) -> None:
    drawn = covered(("a", "shop", units) if who == "out" else (who, "a", units) for who, units in events)
    of = Drawn(drawn, {at: ((1, EVERYTHING),) for at, (source, _, _) in enumerate(drawn) if source == "victim"})
    out = {rule: _let_out(of.moves(rule), len(drawn)) for rule in Rule}
    for at in range(len(drawn)):
        for rule in Rule:
            assert out[Rule.CLEAN_FIRST][at] <= out[rule][at] <= out[Rule.TAINT_FIRST][at]


def _let_out(moves: Moves, length: int) -> list[int]:
    each = [0] * length
    for flow in moves.flows:
        if flow.target not in moves.followed:
            each[flow.ordinal] += sum(units for _, units in flow.lots)
    return [sum(each[: at + 1]) for at in range(length)]


# 6. Additivity


@given(thefts(rows(), losses=3))
def test_fifo_and_lifo_of_several_losses_are_the_sum_of_each_alone(of: Drawn) -> None:
    for rule in (Rule.FIFO, Rule.LIFO):
        together = of.rests(rule)
        for label in (1, 2, 3):
            mine = {name: {label: by_label[label]} for name, by_label in together.items() if label in by_label}
            assert _alone(of, label).rests(rule) == mine


@given(thefts(rows(), losses=3))
def test_pro_rata_of_several_losses_is_the_sum_of_each_alone_but_for_rounding(of: Drawn) -> None:
    """Each payment rounds by at most half a unit in each run, and passes earlier rounding on without adding to it."""
    together = total(of, Rule.PRO_RATA)
    alone: Counter[str] = Counter()
    labels = {label for ((label, _),) in of.paid.values()}
    for label in labels:
        alone.update(total(_alone(of, label), Rule.PRO_RATA))
    for name in {*together, *alone}:
        assert abs(together.get(name, 0) - alone[name]) * 2 <= len(of.rows) * (1 + len(labels))


def _alone(of: Drawn, label: int) -> Drawn:
    return replace(of, paid={at: lots for at, lots in of.paid.items() if lots[0][0] == label})


@given(thefts(rows()))
def test_pro_rata_is_the_exact_average_within_half_a_unit_per_payment(of: Drawn) -> None:
    has = dict.fromkeys(WALLETS, Fraction(0))
    stolen = dict.fromkeys((*WALLETS, *ENDS), Fraction(0))
    for at, (source, target, units) in enumerate(of.rows):
        if source == target:
            continue
        moved = Fraction(units if at in of.paid else 0)
        if source in has:
            has[source] = max(has[source], Fraction(units))  # what was not seen to come came clean and at once
            moved = stolen[source] * units / has[source] if units else Fraction(0)
            has[source] -= units
            stolen[source] -= moved
        if target in has:
            has[target] += units
        stolen[target] += moved
    found = total(of, Rule.PRO_RATA)
    assert all(abs(found.get(name, 0) - units) * 2 <= len(of.rows) for name, units in stolen.items())


# 7. Permutation and scale


@given(
    st.lists(st.tuples(st.sampled_from(OUTSIDE), st.integers(0, 40)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_inflows_between_two_outflows_is_nothing_to_rules_without_a_queue(
    came: list[tuple[str, int]], chance: random.Random
) -> None:
    def drawn(order: list[tuple[str, int]]) -> Drawn:
        inflow: list[Row] = [(who, "a", units) for who, units in order]
        paid = {at: ((1, EVERYTHING),) for at, (who, _) in enumerate(order) if who == "victim"}
        return Drawn(covered([*inflow, ("a", "shop", 30), ("a", "bank", 20)]), paid)

    shuffled = chance.sample(came, len(came))
    for rule in (Rule.PRO_RATA, Rule.TAINT_FIRST, Rule.CLEAN_FIRST):
        assert total(drawn(came), rule) == total(drawn(shuffled), rule)
    assert drawn(came).bounds() == drawn(shuffled).bounds()


@given(thefts(rows()), st.integers(2, 10**30))
def test_all_amounts_times_n_give_all_results_times_n(of: Drawn, n: int) -> None:
    large = replace(of, rows=[(source, target, units * n) for source, target, units in of.rows])
    for rule in EXACT:
        assert total(large, rule) == {name: units * n for name, units in total(of, rule).items()}
    small = {name: (b.least * n, b.most * n) for name, b in of.bounds().items()}
    assert {name: (b.least, b.most) for name, b in large.bounds().items()} == small


# 8. Reversibility


@given(covered_rows())
def test_fifo_read_backward_leads_every_unit_back_to_who_paid_it_in(drawn: list[Row]) -> None:
    """Every origin is a label; the ledger turned round, with every end a label, must show the same pairs."""
    drawn = [row for row in drawn if row[0] != row[1]]
    has = dict.fromkeys(WALLETS, 0)
    for source, target, units in drawn:
        has[source] = has.get(source, 0) - units
        has[target] = has.get(target, 0) + units
    drawn += [(name, "bank", has[name]) for name in WALLETS]
    turned = [(target, source, units) for source, target, units in reversed(drawn)]
    assert _pairs(drawn, OUTSIDE, ENDS) == {
        (end, origin): units for (origin, end), units in _pairs(turned, ENDS, OUTSIDE).items()
    }


def _pairs(drawn: list[Row], origins: tuple[str, ...], ends: tuple[str, ...]) -> dict[tuple[str, str], int]:
    paid = {
        at: ((1 + origins.index(source), EVERYTHING),) for at, (source, _, _) in enumerate(drawn) if source in origins
    }
    rests = Drawn(drawn, paid).rests(Rule.FIFO)
    assert rests.keys() <= set(ends)
    return {(origins[label - 1], end): units for end, by_label in rests.items() for label, units in by_label.items()}


# 9. Splitting


@given(thefts(rows(), losses=2), st.data())
def test_paying_in_two_parts_changes_nothing(of: Drawn, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of.rows) - 1))
    source, target, units = of.rows[at]
    part = data.draw(st.integers(0, units))
    split = Drawn(
        [*of.rows[:at], (source, target, part), (source, target, units - part), *of.rows[at + 1 :]],
        {**_later(of, at, 1), **({at: of.paid[at], at + 1: of.paid[at]} if at in of.paid else {})},
    )
    for rule in (Rule.FIFO, Rule.LIFO):
        assert of.rests(rule) == split.rests(rule)
    for rule in EXACT:
        assert total(of, rule) == total(split, rule)
    assert of.bounds() == split.bounds()
    one, two = total(of, Rule.PRO_RATA), total(split, Rule.PRO_RATA)  # but for rounding, half a unit per payment
    assert all(abs(one.get(name, 0) - two.get(name, 0)) <= len(split.rows) for name in {*one, *two})


def _later(of: Drawn, at: int, by: int) -> dict[int, tuple[tuple[int, int], ...]]:
    """What is paid, but for row `at`; rows after it have moved by so many."""
    return {(row if row < at else row + by): lots for row, lots in of.paid.items() if row != at}


# 10. What is nothing


@given(thefts(rows(), losses=2), st.data())
def test_nothing_happens_by_payments_to_oneself_and_of_nothing(of: Drawn, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of.rows)))
    wallet = st.sampled_from(WALLETS)
    nothing = data.draw(
        st.one_of(
            wallet.flatmap(lambda name: st.tuples(st.just(name), st.just(name), st.integers(0, 1_000))),
            st.tuples(wallet, wallet, st.just(0)),
        )
    )
    paid = {(row if row < at else row + 1): lots for row, lots in of.paid.items()}
    more = Drawn([*of.rows[:at], nothing, *of.rows[at:]], paid)
    assert all(of.rests(rule) == more.rests(rule) for rule in Rule)
    assert of.bounds() == more.bounds()


@pytest.mark.parametrize("rule", Rule)
def test_a_transaction_that_failed_moves_its_fee_only(rule: Rule) -> None:
    drawn = ledger("1 victim -> a 60\n2 a -> shop 0 gas 7\n3 a -> bank 53")
    moves = move(drawn, Seeds({0: ((1, 60),)}), {hid_of(drawn, "a") or 0: len(drawn)}, rule)
    assert resting(drawn, moves) == {"-": {1: 7}, "bank": {1: 53}}


@given(thefts(rows(), losses=2), st.data())
def test_payments_that_share_no_holding_may_change_places(of: Drawn, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(of.rows)))
    if at + 1 >= len(of.rows) or {*of.rows[at][:2]} & {*of.rows[at + 1][:2]}:
        return
    places = {at: at + 1, at + 1: at}
    swapped = [of.rows[places.get(n, n)] for n in range(len(of.rows))]
    other = Drawn(swapped, {places.get(n, n): lots for n, lots in of.paid.items()})
    assert all(of.rests(rule) == other.rests(rule) for rule in Rule)
    assert of.bounds() == other.bounds()


# 11. Determinism


@given(thefts(rows(), losses=3), st.randoms(use_true_random=False))
def test_the_order_in_which_transfers_arrive_and_repeats_change_nothing(of: Drawn, chance: random.Random) -> None:
    arrived = chance.choices(list(of.ledger.transfers), k=len(of.rows)) + list(of.ledger.transfers)
    chance.shuffle(arrived)
    again = Ledger.of(arrived)
    for rule in Rule:
        moves = move(again, of.seeds(again), of.followed(again), rule)
        assert resting(again, moves) == of.rests(rule)
        assert [(f.ordinal, name_of(again.address(f.target)), f.lots) for f in moves.flows] == [
            (f.ordinal, name_of(of.ledger.address(f.target)), f.lots) for f in of.moves(rule).flows
        ]


# 12. The future does not change the past


@given(thefts(rows()), st.lists(st.tuples(st.sampled_from(OUTSIDE), st.sampled_from(WALLETS), st.integers(0, 40))))
def test_clean_inflow_after_the_last_payment_changes_no_flow(of: Drawn, later: list[Row]) -> None:
    more = replace(of, rows=of.rows + later)
    for rule in Rule:
        assert [(f.ordinal, f.lots) for f in of.moves(rule).flows] == [
            (f.ordinal, f.lots) for f in more.moves(rule).flows
        ]
        assert of.rests(rule) == more.rests(rule)


@given(thefts(rows()), rows())
def test_what_comes_after_does_not_change_what_flowed_before(of: Drawn, later: list[Row]) -> None:
    more = replace(of, rows=of.rows + later)
    for rule in Rule:
        before = [(f.ordinal, f.lots) for f in of.moves(rule).flows]
        assert [(f.ordinal, f.lots) for f in more.moves(rule).flows if f.ordinal < len(of.rows)] == before


def test_rows_are_written_as_a_ledger() -> None:
    assert written([("victim", "a", 5)]) == "1 victim -> a 5"
