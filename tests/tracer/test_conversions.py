"""What comes out of a conversion holds stolen value as what went in did, and its books are kept by strain."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drawn_exchanges import hid, ledger
from notation import address, name_of
from tracer.conversions import Conversion, Exchanged, Strain, converted
from tracer.engine import move
from tracer.ledger import Ledger
from tracer.lots import CLEAN, Lot, Rule
from tracer.moves import Course, Moves, Seeds

EDGES = (2**53 + 1, 2**63, 2**64, 2**128, 2**255)
LOST = 9  # the loss of every label, where labels are asked to become one


def itself(label: int) -> int:
    return label


def one_loss(label: int) -> int:
    return LOST


# Worked examples


def test_a_swap_keeps_the_order_and_the_shares_of_what_was_given() -> None:
    given_in = [(Exchanged(1, 900), [(CLEAN, 500), (1, 400)])]
    ((lots, parents),) = converted(given_in, [Exchanged(2, 45)], itself)
    assert lots == [(CLEAN, 25), (1, 20)]
    assert parents == {1: [(1, 400)]}


def test_a_half_unit_is_not_claimed() -> None:
    ((lots, _),) = converted([(Exchanged(1, 2), [(1, 1), (CLEAN, 1)])], [Exchanged(2, 1)], itself)
    assert lots == [(CLEAN, 1)]


def test_more_than_a_half_is() -> None:
    ((lots, _),) = converted([(Exchanged(1, 3), [(1, 2), (CLEAN, 1)])], [Exchanged(2, 1)], itself)
    assert lots == [(1, 1)]


@pytest.mark.parametrize("units", EDGES)
def test_what_is_all_stolen_comes_out_all_stolen(units: int) -> None:
    ((lots, parents),) = converted([(Exchanged(1, units), [(1, units)])], [Exchanged(2, units - 1)], itself)
    assert lots == [(1, units - 1)]
    assert parents == {1: [(1, units)]}


def test_a_parent_whose_share_is_less_than_one_unit_is_still_a_parent() -> None:
    ((lots, parents),) = converted([(Exchanged(1, 1_000), [(CLEAN, 999), (1, 1)])], [Exchanged(2, 10)], itself)
    assert lots == [(CLEAN, 10)]
    assert parents == {1: [(1, 1)]}


def test_two_who_got_share_what_was_given_by_their_weights() -> None:
    got = [Exchanged(2, 30, 30), Exchanged(3, 15, 15)]
    (one, two) = converted([(Exchanged(1, 900), [(1, 900)])], got, itself)
    assert one == ([(1, 30)], {1: [(1, 600)]})
    assert two == ([(1, 15)], {1: [(1, 300)]})


def test_of_two_given_each_brings_what_it_weighs() -> None:
    """100 DAI, stolen, and 15 WETH, clean, of three times its worth: a quarter of the share token is stolen."""
    given_in = [(Exchanged(1, 100, 1), [(1, 100)]), (Exchanged(2, 15, 3), [(CLEAN, 15)])]
    ((lots, parents),) = converted(given_in, [Exchanged(3, 400)], itself)
    assert lots == [(1, 100), (CLEAN, 300)]
    assert parents == {1: [(1, 100)]}


def test_lots_that_become_one_share_a_label_and_keep_their_parents_apart() -> None:
    given_in = [(Exchanged(1, 10), [(1, 3), (CLEAN, 4), (2, 3)])]
    ((lots, parents),) = converted(given_in, [Exchanged(2, 20)], one_loss)
    assert lots == [(LOST, 6), (CLEAN, 8), (LOST, 6)]
    assert parents == {LOST: [(1, 3), (2, 3)]}


# Whatever is given

units = st.one_of(st.integers(1, 20), st.sampled_from(EDGES))
weights = st.one_of(st.just(1), st.integers(1, 9), st.sampled_from(EDGES))


@st.composite
def givens(draw: st.DrawFn) -> tuple[Exchanged, list[Lot]]:
    lots = draw(st.lists(st.tuples(st.integers(0, 3), units), min_size=1, max_size=5))
    return Exchanged(1, sum(part for _, part in lots), draw(weights)), lots


gives = st.lists(givens(), min_size=1, max_size=3)
gets = st.lists(st.builds(Exchanged, st.integers(2, 5), units, weights), min_size=1, max_size=3)
keys = st.sampled_from([itself, one_loss])
Given = list[tuple[Exchanged, list[Lot]]]


@given(gives, gets, keys)
@example([(Exchanged(1, 2**255), [(1, 2**255 - 1), (2, 1)])], [Exchanged(2, 2**255), Exchanged(3, 1, 2**64)], itself)
def test_each_leg_comes_out_whole(gave: Given, got: list[Exchanged], key: Callable[[int], int]) -> None:
    for leg, (lots, _) in zip(got, converted(gave, got, key), strict=True):
        assert sum(part for _, part in lots) == leg.units
        assert all(part > 0 for _, part in lots)


@given(gives, gets, keys)
def test_each_stolen_lot_is_a_parent_of_what_came_once_and_whole(
    gave: Given, got: list[Exchanged], key: Callable[[int], int]
) -> None:
    came: dict[int, int] = {}
    for _, parents in converted(gave, got, key):
        for one, given_in in parents.items():
            for label, part in given_in:
                assert key(label) == one
                came[label] = came.get(label, 0) + part
    stolen: dict[int, int] = {}
    for _, lots in gave:
        for label, part in lots:
            if label:
                stolen[label] = stolen.get(label, 0) + part
    assert came == stolen


@given(gives, gets, keys)
def test_the_stolen_share_of_a_leg_is_the_nearest_whole_unit_and_a_half_is_not_claimed(
    gave: Given, got: list[Exchanged], key: Callable[[int], int]
) -> None:
    total = sum(leg.weight for leg, _ in gave)
    share = sum(
        Fraction(sum(part for label, part in lots if label) * leg.weight, leg.units * total) for leg, lots in gave
    )
    for leg, (lots, _) in zip(got, converted(gave, got, key), strict=True):
        stolen = sum(part for label, part in lots if label)
        assert Fraction(-1, 2) <= stolen - leg.units * share < Fraction(1, 2) or stolen == leg.units * share


@given(gives, gets)
def test_what_comes_has_labels_only_of_what_was_given_and_in_its_order(gave: Given, got: list[Exchanged]) -> None:
    before = [label for _, lots in gave for label, _ in lots]
    for lots, parents in converted(gave, got, itself):
        left = iter(before)
        assert all(any(label == one for one in left) for label, _ in lots)
        assert {label for label, _ in lots if label} <= set(parents), "no stolen unit without what it stems from"


# The engine


def swap(text: str, rule: Rule, *conversions: tuple[int, str, int, str, int]) -> tuple[Ledger, Moves]:
    """The first payment is the loss. Conversions: (step, asset, units, other asset, units) of `w`."""
    of = ledger(text)
    made = {
        step: (Conversion(step, (Exchanged(hid(of, "w", gave), paid),), (Exchanged(hid(of, "w", got), came),)),)
        for step, gave, paid, got, came in conversions
    }
    lost = sum(units for _, units in of.outputs(0))
    hids = {at: len(of) for at in of.holdings_of(address("w"))}
    return of, move(of, Seeds({0: ((1, lost),)}), hids, rule, course=Course(conversions=made))


BOUGHT = "1 victim -> w 60 A\n2 bank -> w 40 A\n3 w -> p 90 A\n3 p -> w 45 B\n4 w -> e 30 B"


@pytest.mark.parametrize("rule", [Rule.FIFO, Rule.LIFO, Rule.PRO_RATA, Rule.TAINT_FIRST, Rule.CLEAN_FIRST])
def test_what_was_got_is_a_strain_of_what_was_given_and_nothing_of_it_goes_to_who_was_paid(rule: Rule) -> None:
    of, moves = swap(BOUGHT, rule, (2, "A", 90, "B", 45))
    given_in = {Rule.FIFO: 60, Rule.LIFO: 50, Rule.PRO_RATA: 54, Rule.TAINT_FIRST: 60, Rule.CLEAN_FIRST: 50}[rule]
    (strain,) = moves.strains.values()
    assert strain == Strain(2, 1, 2, hid(of, "w", "B"), given_in // 2, ((1, given_in),), given_in)
    assert {flow.target for flow in moves.flows} <= {hid(of, "w", "A"), hid(of, "w", "B"), hid(of, "e", "B")}
    assert {label for flow in moves.flows if flow.target == hid(of, "e", "B") for label, _ in flow.lots} <= {2}


def test_lots_stand_for_what_was_given_for_them() -> None:
    _, moves = swap(BOUGHT, Rule.FIFO, (2, "A", 90, "B", 45))
    assert moves.worth([(2, 30)]) == 60
    assert moves.worth([(1, 7), (2, 3), (CLEAN, 100)]) == 13
    assert (moves.loss(1), moves.loss(2)) == (1, 1)


def test_a_strain_of_a_strain_is_of_the_loss_and_its_basis_is_in_what_was_stolen() -> None:
    text = "1 victim -> w 60 A\n2 w -> p 60 A\n2 p -> w 30 B\n3 w -> q 30 B\n3 q -> w 10 A2"
    of, moves = swap(text, Rule.FIFO, (1, "A", 60, "B", 30), (3, "B", 30, "A2", 10))
    assert [(one.label, one.loss, one.parents, one.units, one.basis) for one in moves.strains.values()] == [
        (2, 1, ((1, 60),), 30, 60),
        (3, 1, ((2, 30),), 10, 60),
    ]
    assert moves.rest == {hid(of, "w", "A2"): [(3, 10)]}
    assert moves.worth([(3, 5)]) == 30


def test_a_strain_of_no_units_keeps_its_basis_where_it_came() -> None:
    of, moves = swap("1 victim -> w 1 A\n2 bank -> w 999 A\n3 w -> p 1000 A\n3 p -> w 10 B", Rule.FIFO,
                     (2, "A", 1_000, "B", 10))  # fmt: skip
    (strain,) = moves.strains.values()
    assert (strain.units, strain.basis, strain.hid) == (0, 1, hid(of, "w", "B"))
    assert moves.rest == {}


def test_what_is_clean_makes_no_strain() -> None:
    text = "1 victim -> w 60 A\n2 w -> e 60 A\n3 bank -> w 9 A\n4 w -> p 9 A\n4 p -> w 3 B"
    assert swap(text, Rule.FIFO, (3, "A", 9, "B", 3))[1].strains == {}


def given_to(of: Ledger, *names: str) -> frozenset[int]:
    return frozenset(hid(of, name, "A") for name in names)


SPLIT = "1 victim -> w 60 A\n2 bank -> w 40 A\n3 w -> r 100 A\n3 r -> p 70 A\n3 r -> friend 30 A\n3 p -> w 7 B"


@pytest.mark.parametrize(
    ("rule", "bought", "gift"),
    # p stands before the friend: under fifo its 70 are the 60 stolen and 10 clean, under lifo the 40 clean and 30 more
    [
        (Rule.FIFO, 60, 0),
        (Rule.LIFO, 30, 30),
        (Rule.TAINT_FIRST, 60, 0),
        (Rule.CLEAN_FIRST, 30, 30),
        (Rule.PRO_RATA, 42, 18),
    ],
)
def test_what_went_elsewhere_in_the_same_step_is_no_part_of_the_exchange(rule: Rule, bought: int, gift: int) -> None:
    of = ledger(SPLIT)
    leg = Exchanged(hid(of, "w", "A"), 70, to=given_to(of, "p"))
    made = {2: (Conversion(2, (leg,), (Exchanged(hid(of, "w", "B"), 7),)),)}
    hids = {hid(of, "w", name): len(of) for name in "AB"}
    moves = move(of, Seeds({0: ((1, 60),)}), hids, rule, course=Course(conversions=made))
    (strain,) = moves.strains.values()
    assert strain.parents == ((1, bought),)
    came = {flow.target: sum(part for _, part in flow.lots) for flow in moves.flows}
    assert came.get(hid(of, "friend", "A"), 0) == gift
    assert hid(of, "p", "A") not in came


def test_lifo_pays_two_through_a_router_as_it_pays_them_one_by_one() -> None:
    """What came last leaves first, whether w pays both itself or one contract pays them in turn."""
    came = "1 victim -> w 60 A\n2 bank -> w 40 A\n"
    found = []
    for paid in ("3 w -> one 70 A\n4 w -> two 30 A", "3 w -> r 100 A\n3 r -> one 70 A\n3 r -> two 30 A"):
        of = ledger(came + paid)
        moves = move(of, Seeds({0: ((1, 60),)}), {hid(of, "w", "A"): len(of)}, Rule.LIFO)
        found.append({name_of(of.address(flow.target)): flow.lots for flow in moves.flows[1:]})
    assert found[0] == found[1] == {"one": ((1, 30),), "two": ((1, 30),)}


def test_of_one_payment_lifo_gives_in_an_exchange_what_left_first() -> None:
    """The 70 of 100 that p keeps are the 40 clean ones that came last and 30 of the stolen."""
    of = ledger("1 victim -> w 60 A\n2 bank -> w 40 A\n3 w -> p 100 A\n3 p -> w 7 B")
    exchanged = Conversion(2, (Exchanged(hid(of, "w", "A"), 70),), (Exchanged(hid(of, "w", "B"), 7),))
    hids = {hid(of, "w", name): len(of) for name in "AB"}
    moves = move(of, Seeds({0: ((1, 60),)}), hids, Rule.LIFO, course=Course(conversions={2: (exchanged,)}))
    (strain,) = moves.strains.values()
    assert strain.parents == ((1, 30),)
