"""Lots: what goes in comes out, in the order of the rule, at every width."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.lots import Between, Lot, Rule, apportion, clean_first_share, empty, pro_rata_share, taint_first_share

WIDE = st.one_of(st.integers(0, 50), st.sampled_from([2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1]))
LOTS = st.lists(st.tuples(st.integers(0, 3), WIDE), max_size=8)


@given(LOTS, st.lists(WIDE, max_size=6), st.sampled_from(Rule), st.sampled_from(Between))
def test_what_is_taken_and_what_stays_are_what_was_put(
    lots: list[Lot], takes: list[int], rule: Rule, between: Between
) -> None:
    content = empty(rule, between)
    content.put(lots)
    was = _sum(lots)
    for wanted in takes:
        units = min(wanted, content.total)
        taken = content.take(units)
        assert sum(part for _, part in taken) == units
        assert all(part > 0 for _, part in taken)
        assert _sum(content.lots()) + _sum(taken) == was
        assert content.total == was.total() - units
        assert content.stolen == sum(part for label, part in content.lots() if label)
        was = _sum(content.lots())


def _sum(lots: list[Lot]) -> Counter[int]:
    found: Counter[int] = Counter()
    for label, units in lots:
        found[label] += units
    return +found


def test_fifo_gives_what_came_first_and_lifo_what_came_last() -> None:
    lots = [(0, 3), (1, 2), (2, 4)]
    first, last = empty(Rule.FIFO), empty(Rule.LIFO)
    first.put(lots)
    last.put(lots)
    assert first.take(4) == [(0, 3), (1, 1)]
    assert last.take(5) == [(2, 4), (1, 1)]
    assert first.lots() == [(1, 1), (2, 4)]
    assert last.lots() == [(0, 3), (1, 1)]


@pytest.mark.parametrize("rule", [Rule.FIFO, Rule.LIFO])
def test_neighbours_of_one_label_are_one_lot(rule: Rule) -> None:
    content = empty(rule)
    content.put([(1, 2), (1, 3), (0, 0), (1, 1), (2, 1)])
    assert content.lots() == [(1, 6), (2, 1)]


@given(WIDE, st.lists(WIDE, max_size=6))
def test_apportioned_parts_add_up_and_miss_the_exact_share_by_less_than_one(units: int, weights: list[int]) -> None:
    units = min(units, sum(weights))
    parts = apportion(units, weights)
    assert sum(parts) == units
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert abs(part - Fraction(units * weight, sum(weights) or 1)) < 1


def test_of_equal_remainders_the_earlier_gets_the_unit() -> None:
    assert apportion(1, [1, 1]) == [1, 0]
    assert apportion(2, [1, 1, 1]) == [1, 1, 0]
    assert apportion(5, [3, 3, 3]) == [2, 2, 1]


def test_the_larger_remainder_wins_over_the_earlier_place() -> None:
    assert apportion(1, [1, 2]) == [0, 1]
    assert apportion(10, [6, 3, 4]) == [5, 2, 3]


@given(WIDE, WIDE, WIDE)
def test_the_average_is_the_nearest_whole_unit_and_a_half_is_not_claimed(units: int, stolen: int, clean: int) -> None:
    units = min(units, stolen + clean)
    share = pro_rata_share(units, stolen, clean)
    off = share - Fraction(units * stolen, (stolen + clean) or 1)
    assert -Fraction(1, 2) <= off < Fraction(1, 2)
    assert clean_first_share(units, stolen, clean) <= share <= taint_first_share(units, stolen, clean)


@pytest.mark.parametrize("n", [2**53 + 1, 2**63 + 1, 2**64 + 1, 2**128 + 1, 2**256 - 1])
def test_the_average_is_exact_where_a_float_is_not(n: int) -> None:
    assert pro_rata_share(n, n, n) == n // 2
    assert pro_rata_share(n, n, 0) == n
    assert pro_rata_share(n - 1, n, 1) == n - 2 + (1 if n == 1 else 0)
    assert apportion(n, [n, n]) == [n // 2 + 1, n // 2]


def test_a_half_goes_to_the_clean_side() -> None:
    assert [pro_rata_share(1, 1, 1), pro_rata_share(3, 5, 5), pro_rata_share(3, 2, 2)] == [0, 1, 1]


@given(LOTS)
def test_everything_taken_is_everything_put(lots: list[Lot]) -> None:
    for rule in Rule:
        for between in Between:
            content = empty(rule, between)
            content.put(lots)
            assert _sum(content.take(content.total)) == _sum(lots)
            assert content.lots() == []
            assert (content.total, content.stolen) == (0, 0)


def test_priority_is_by_label_and_first_in_first_out_by_arrival() -> None:
    for between, taken in (
        (Between.PRIORITY, [(1, 4), (2, 1)]),
        (Between.FIRST_IN_FIRST_OUT, [(2, 4), (1, 1)]),
        (Between.PARI_PASSU, [(1, 3), (2, 2)]),
    ):
        content = empty(Rule.TAINT_FIRST, between)
        content.put([(2, 4), (0, 5), (1, 4)])
        assert content.take(5) == taken, between


def test_clean_first_takes_stolen_value_only_once_the_clean_is_gone() -> None:
    content = empty(Rule.CLEAN_FIRST)
    content.put([(1, 60), (0, 40)])
    assert content.take(40) == [(0, 40)]
    assert content.take(10) == [(1, 10)]
