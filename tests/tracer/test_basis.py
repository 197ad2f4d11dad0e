"""The basis is shared out exactly: what became of a label has together what the label stands for, unit by unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracer.basis import basis_of
from tracer.conversions import Strain
from tracer.errors import BooksDoNotClose
from tracer.lots import Lot, Rule
from tracer.moves import Amounts, Moves

EDGES = (2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1)


def strain(label: int, units: int, *parents: Lot, loss: int = 1) -> Strain:
    return Strain(label, loss, 0, label, units, parents, 0)


def moved(lost: Amounts, *strains: Strain) -> Moves:
    return Moves(Rule.FIFO, {}, lost, (), {}, {}, {one.label: one for one in strains})


# Worked examples


def test_without_conversions_the_basis_is_the_units() -> None:
    assert basis_of(moved({1: 60, 2: 5}), {"e": {1: 50}, "w": {1: 10, 2: 5}}, {}) == {
        "e": {1: 50},
        "w": {1: 10, 2: 5},
    }


def test_a_strain_takes_along_what_was_given_for_it() -> None:
    """400 of 1000 were exchanged for 200 of something: 50 of those stand for 100."""
    found = basis_of(moved({1: 1_000}, strain(2, 200, (1, 400))), {"w": {1: 600, 2: 150}, "e": {2: 50}}, {2: "w"})
    assert found == {"w": {1: 600 + 300}, "e": {1: 100}}


def test_of_what_cannot_be_shared_evenly_the_largest_remainder_gets_the_unit() -> None:
    """Seven were given for ten; 3, 3 and 4 units of them stand for 2.1, 2.1 and 2.8."""
    found = basis_of(moved({1: 7}, strain(2, 10, (1, 7))), {"a": {2: 3}, "b": {2: 3}, "c": {2: 4}}, {2: "a"})
    assert found == {"a": {1: 2}, "b": {1: 2}, "c": {1: 3}}


def test_of_equal_remainders_the_earlier_gets_the_unit() -> None:
    found = basis_of(moved({1: 1}, strain(2, 2, (1, 1))), {"a": {2: 1}, "b": {2: 1}}, {2: "a"})
    assert found == {"a": {1: 1}, "b": {1: 0}}


def test_a_strain_of_a_strain_is_in_what_was_stolen() -> None:
    strains = strain(2, 30, (1, 60)), strain(3, 10, (2, 15))
    assert basis_of(moved({1: 60}, *strains), {"w": {2: 15}, "e": {3: 10}}, {2: "w", 3: "w"}) == {
        "w": {1: 30},
        "e": {1: 30},
    }


def test_a_strain_of_two_losses_lots_keeps_each_loss() -> None:
    strains = strain(3, 6, (1, 3)), strain(4, 2, (2, 1), loss=2)
    assert basis_of(moved({1: 3, 2: 1}, *strains), {"e": {3: 6, 4: 2}}, {3: "e", 4: "e"}) == {"e": {1: 3, 2: 1}}


def test_the_basis_of_a_strain_of_no_units_stays_where_it_came() -> None:
    assert basis_of(moved({1: 5}, strain(2, 0, (1, 5))), {}, {2: "w"}) == {"w": {1: 5}}


@pytest.mark.parametrize("units", EDGES)
def test_amounts_of_any_width_keep_their_last_unit(units: int) -> None:
    found = basis_of(moved({1: units}, strain(2, 3, (1, units))), {"a": {2: 1}, "b": {2: 2}}, {2: "a"})
    assert sum(mine[1] for mine in found.values()) == units
    assert abs(found["a"][1] - Fraction(units, 3)) < 1


@pytest.mark.parametrize("off", [-1, 1])
@pytest.mark.parametrize("label", [1, 2])
def test_what_does_not_add_up_is_not_issued(label: int, off: int) -> None:
    rests = {"w": {1: 600, 2: 200}}
    rests["w"][label] += off
    with pytest.raises(BooksDoNotClose, match=f"lots {label} are"):
        basis_of(moved({1: 1_000}, strain(2, 200, (1, 400))), rests, {2: "w"})


def test_lots_of_a_label_that_nobody_lost_are_not_issued() -> None:
    with pytest.raises(BooksDoNotClose, match="lots 7 are 0"):
        basis_of(moved({1: 3}), {"w": {1: 3, 7: 1}}, {})


# Whatever became of what was lost

Became = tuple[Moves, dict[str, Amounts], dict[int, str]]
PLACES = ("a", "b", "c")


@st.composite
def became(draw: st.DrawFn) -> Became:
    """Losses, then conversions of parts of any label there is so far; what is left of each rests somewhere."""
    amount = st.one_of(st.integers(1, 40), st.sampled_from(EDGES))
    lost = {label: draw(amount) for label in range(1, draw(st.integers(1, 2)) + 1)}
    left, loss = dict(lost), {label: label for label in lost}
    strains: list[Strain] = []
    for label in range(len(lost) + 1, len(lost) + 1 + draw(st.integers(0, 4))):
        of = draw(st.sampled_from(sorted(set(loss.values()))))
        parents = []
        for parent in [one for one in left if loss[one] == of and left[one]]:
            part = draw(st.integers(0, left[parent]))
            if part:
                parents.append((parent, part))
                left[parent] -= part
        if parents:
            left[label], loss[label] = draw(st.one_of(st.just(0), amount)), of
            strains.append(strain(label, left[label], *parents, loss=of))
    rests: dict[str, Amounts] = {}
    for label, units in left.items():
        first = draw(st.integers(0, units))
        for place, part in zip(draw(st.permutations(PLACES)), (first, units - first), strict=False):
            if part:
                rests.setdefault(place, {})[label] = part
    return moved(lost, *strains), rests, {one.label: draw(st.sampled_from(PLACES)) for one in strains}


def exactly(moves: Moves, rests: dict[str, Amounts], homes: dict[int, str]) -> dict[str, dict[int, Fraction]]:
    """The same in fractions, strain by strain."""
    worth: dict[int, Fraction] = dict.fromkeys(moves.lost, Fraction(1))
    found: dict[str, dict[int, Fraction]] = {}
    for label, one in moves.strains.items():
        basis = sum((worth[parent] * units for parent, units in one.parents), Fraction(0))
        worth[label] = basis / one.units if one.units else Fraction(0)
        if not one.units:
            mine = found.setdefault(homes[label], {})
            mine[one.loss] = mine.get(one.loss, Fraction(0)) + basis
    for place, by_label in rests.items():
        for label, units in by_label.items():
            mine = found.setdefault(place, {})
            mine[moves.loss(label)] = mine.get(moves.loss(label), Fraction(0)) + worth[label] * units
    return found


@given(became())
@example((moved({1: 2}, strain(2, 0, (1, 1)), strain(3, 5, (1, 1))), {"a": {3: 2}, "b": {3: 3}}, {2: "a", 3: "b"}))
def test_every_loss_is_shared_out_whole(of: Became) -> None:
    moves, rests, homes = of
    found = basis_of(moves, rests, homes)
    for label, lost in moves.lost.items():
        assert sum(mine.get(label, 0) for mine in found.values()) == lost
    assert all(units >= 0 for mine in found.values() for units in mine.values())


@given(became())
def test_each_place_has_its_exact_share_but_for_a_unit_at_each_sharing_on_the_way(of: Became) -> None:
    moves, rests, homes = of
    found, exact = basis_of(moves, rests, homes), exactly(moves, rests, homes)
    sharings = len(moves.strains) + len(moves.lost)
    for place in {*found, *exact}:
        for loss in moves.lost:
            near = found.get(place, {}).get(loss, 0) - exact.get(place, {}).get(loss, Fraction(0))
            assert abs(near) <= sharings * (sharings + 1)


@given(became())
def test_where_value_was_not_converted_the_basis_is_exact(of: Became) -> None:
    moves, rests, homes = of
    found = basis_of(moves, rests, homes)
    for place, by_label in rests.items():
        for loss in moves.lost:
            assert found[place].get(loss, 0) >= by_label.get(loss, 0), "what is not converted stands for itself"
