"""Where the rules part: every end over all of them, and the payments at which the choice was made."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import utxo
from drawing import ENDS, WALLETS, Row, covered_rows, hid_of, written
from graphs.comparison import Choice, Commingling, Compared, commingling, compared
from notation import ETH, ETHEREUM, address, ledger, name_of, payment
from tracer.engine import move
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Moves, Seeds
from tracer.trace import Place, Spot, StopCode, Trace, issue
from tracer.values import Family

RULES = Rule.of(Family.EVM)
EVERYTHING = 2**256 - 1
Moved = dict[Rule, Moves]


def moved(of: Ledger, *losses: int, wallets: tuple[str, ...] = ("w",)) -> Moved:
    """The payments at these places are one loss each."""
    seeds = Seeds({at: ((label, EVERYTHING),) for label, at in enumerate(losses, start=1)})
    followed = {at: len(of) for name in wallets if (at := hid_of(of, name)) is not None}
    return {rule: move(of, seeds, followed, rule) for rule in RULES}


def traced(of: Ledger, moves: Moved, *losses: int) -> dict[Rule, Trace]:
    """The traces of those."""
    names = {leg.address for one in of.transfers for leg in one.inputs + one.outputs if leg.address}
    stops: dict[Spot, StopCode] = dict.fromkeys(sorted(names), StopCode.SERVICE)
    reported = [Loss(f"loss {at}", ETH, paid=of.transfer(at).id) for at in losses]
    return {rule: issue(of, reported, mine, Between.PARI_PASSU, stops) for rule, mine in moves.items()}


# A1 of the specification

A1 = "1 clean -> w 100\n2 victim -> w 60\n3 w -> a 80\n4 clean -> w 40\n5 w -> b 50\n6 w -> z 70"
TAKEN = {Rule.FIFO: 0, Rule.LIFO: 60, Rule.PRO_RATA: 30, Rule.TAINT_FIRST: 60, Rule.CLEAN_FIRST: 0}


def test_a1_each_end_goes_from_the_least_of_the_rules_to_the_most() -> None:
    of = ledger(A1)
    found = {name_of(one.place.address): one for one in compared(traced(of, moved(of, 1), 1))}
    assert {name: (one.least, one.most) for name, one in found.items()} == {"a": (0, 60), "b": (0, 30), "z": (0, 60)}
    assert found["a"].by_rule == TAKEN, "a rule that leaves nothing there is named too"


def test_a1_the_payment_at_which_the_rules_part() -> None:
    of = ledger(A1)
    (found,) = commingling(of, moved(of, 1), RULES)
    assert (found.place, found.pooled) == (Place(ETH, address("w")), False)
    first = found.choices[0]
    assert first == Choice(payment(3), 80, 160, dict.fromkeys(RULES, 60), TAKEN)
    later = [choice.transfer for choice in found.choices[1:]]
    assert later == [payment(5)], "what leaves last leaves whole, under any rule"


def test_a1_what_a_rule_that_had_no_choice_left_is_told_from_what_moved() -> None:
    """At the second payment lifo and taint_first have nothing stolen left; the other three have."""
    of = ledger(A1)
    (found,) = commingling(of, moved(of, 1), RULES)
    second = found.choices[1]
    assert (second.units, second.total) == (50, 120)
    assert second.held == {Rule.FIFO: 60, Rule.LIFO: 0, Rule.PRO_RATA: 30, Rule.TAINT_FIRST: 0, Rule.CLEAN_FIRST: 60}
    assert second.taken[Rule.FIFO] == 30
    assert second.taken[Rule.PRO_RATA] in (12, 13), "an average of 12.5"
    assert second.taken[Rule.LIFO] == second.taken[Rule.TAINT_FIRST] == second.taken[Rule.CLEAN_FIRST] == 0


def test_a_rule_that_has_nothing_but_stolen_left_takes_all_of_it() -> None:
    """fifo paid the clean 40 first, so at the second payment all it has is stolen; lifo has a mixture."""
    of = ledger("1 clean -> w 40\n2 victim -> w 60\n3 w -> a 40\n4 w -> b 30")
    (found,) = commingling(of, moved(of, 1), RULES)
    second = found.choices[1]
    assert (second.total, second.held[Rule.FIFO], second.taken[Rule.FIFO]) == (60, 60, 30)
    assert (second.held[Rule.LIFO], second.taken[Rule.LIFO]) == (20, 20)


def test_only_the_rules_asked_for_are_compared() -> None:
    of = ledger(A1)
    moves = moved(of, 1)
    (found,) = commingling(of, moves, (Rule.LIFO, Rule.TAINT_FIRST, Rule.PRO_RATA))
    assert found.choices[0].taken == {Rule.LIFO: 60, Rule.TAINT_FIRST: 60, Rule.PRO_RATA: 30}
    assert commingling(of, moves, (Rule.LIFO, Rule.TAINT_FIRST)) == (), "these two agree throughout"


@pytest.mark.parametrize(
    "text",
    [
        "1 victim -> w 60\n2 w -> a 30\n3 w -> b 30",  # nothing but stolen
        "1 clean -> w 40\n2 w -> a 40\n3 victim -> w 60\n4 w -> b 60",  # one after the other
        "1 clean -> w 40\n2 victim -> w 60\n3 w -> a 100",  # mixed, but it leaves whole
        "1 clean -> w 40\n2 victim -> w 60",  # mixed, but nothing leaves
    ],
)
def test_where_nothing_hangs_on_the_rule_there_is_no_choice(text: str) -> None:
    of = ledger(text)
    at = next(at for at in range(len(of)) if of.transfer(at).inputs[0].address == address("victim"))
    assert commingling(of, moved(of, at), RULES) == ()


@pytest.mark.parametrize("units", [2**53 + 1, 2**63, 2**64, 2**128, 2**255])
def test_a_choice_is_told_to_the_unit(units: int) -> None:
    of = ledger(f"1 clean -> w {units}\n2 victim -> w 1\n3 w -> a {units}")
    (found,) = commingling(of, moved(of, 1), RULES)
    assert found.choices[0].total == units + 1
    assert found.choices[0].taken[Rule.CLEAN_FIRST] == 0
    assert found.choices[0].taken[Rule.LIFO] == 1


def test_places_come_in_the_order_of_the_first_payment_at_which_rules_part() -> None:
    text = "1 clean -> x 10\n2 victim -> x 10\n3 clean -> w 10\n4 victim -> w 10\n5 w -> a 10\n6 x -> a 10\n7 w -> b 9"
    of = ledger(text)
    found = commingling(of, moved(of, 1, 3, wallets=("x", "w")), RULES)
    assert [name_of(one.place.address) for one in found] == ["w", "x"]
    assert [len(one.choices) for one in found] == [2, 1]


# Coins

U1 = "1 loss: old:300 -> thief:300\n2 t: old:500 loss.0 old:200 -> a:400 b:550  # fee 50"


def test_what_several_coins_brought_together_is_a_choice_at_each_output() -> None:
    """U1 of the specification, in cents: of the 10.00 that came together 3.00 are stolen."""
    of = utxo.Drawn(utxo.drawing(U1), paid={"loss": (1, EVERYTHING)})
    rules = Rule.of(Family.BITCOIN)
    found = commingling(of.ledger, {rule: of.moves(rule) for rule in rules}, rules)
    taken = {of.place(one.place): dict(one.choices[0].taken) for one in found if one.pooled}
    assert taken == {
        "a": {"fifo": 0, "lifo": 200, "pro_rata": 120, "taint_first": 300, "clean_first": 0, "highest_out": 0},
        "b": {"fifo": 300, "lifo": 100, "pro_rata": 165, "taint_first": 0, "clean_first": 250, "highest_out": 300},
        "fee": {"fifo": 0, "lifo": 0, "pro_rata": 15, "taint_first": 0, "clean_first": 50, "highest_out": 0},
    }
    assert [one.pooled for one in found] == [True] * 3, "a coin is spent whole: it leaves nothing to choose"
    assert {(choice.total, units) for one in found for choice in one.choices for units in choice.held.values()} == {
        (1_000, 300)
    }


# Whatever is drawn


def of_rows(rows: list[Row], thefts: list[int]) -> tuple[Ledger, Moved, dict[Rule, Trace]] | None:
    losses = sorted(
        {at % len(rows) for at in thefts if rows[at % len(rows)][0] == "victim" and rows[at % len(rows)][2]}
    )
    if not losses:
        return None
    of = ledger(written(rows))
    moves = moved(of, *losses, wallets=WALLETS)
    return of, moves, traced(of, moves, *losses)


places = st.lists(st.integers(0, 13), min_size=1, max_size=6)


@given(covered_rows(), places)
@example([("friend", "a", 5), ("victim", "a", 5), ("a", "shop", 5)], [1])
@example([("victim", "a", 5), ("a", "shop", 5)], [0])
def test_where_the_rules_part_nowhere_all_ends_are_equal(rows: list[Row], thefts: list[int]) -> None:
    drawn = of_rows(rows, thefts)
    if drawn and not commingling(drawn[0], drawn[1], RULES):
        assert all(one.least == one.most for one in compared(drawn[2]))


@given(covered_rows(), places)
def test_all_rules_share_out_the_same_loss(rows: list[Row], thefts: list[int]) -> None:
    drawn = of_rows(rows, thefts)
    if drawn:
        found = compared(drawn[2])
        lost = sum(units for _, units in drawn[2][Rule.FIFO].lost)
        assert {sum(one.by_rule[rule] for one in found) for rule in RULES} == {lost}
        assert sum(one.least for one in found) <= lost <= sum(one.most for one in found)
        assert {name_of(one.place.address) for one in found} <= {*WALLETS, *ENDS}


@given(covered_rows(), places)
def test_a_choice_is_between_what_can_be_taken_and_rules_do_differ_in_it(rows: list[Row], thefts: list[int]) -> None:
    drawn = of_rows(rows, thefts)
    for choice in choices(commingling(drawn[0], drawn[1], RULES) if drawn else ()):
        assert len(set(choice.taken.values())) > 1
        for rule, taken in choice.taken.items():
            clean = choice.total - choice.held[rule]
            assert max(0, choice.units - clean) <= taken <= min(choice.units, choice.held[rule])


def choices(found: tuple[Commingling, ...]) -> list[Choice]:
    return [choice for one in found for choice in one.choices]


def test_ends_of_no_traces_are_none() -> None:
    assert compared({}) == ()
    assert Compared(Place(ETHEREUM.coin, None), {Rule.FIFO: 3, Rule.LIFO: 8}).most == 8
