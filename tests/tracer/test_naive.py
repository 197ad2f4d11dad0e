"""A second tracer, one unit at a time: every unit is a label in a list. Slow, and it must agree with the engine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing import ENDS, OUTSIDE, WALLETS, Drawn, cut_off, rows, thefts, wallet_losses
from tracer.lots import Between, Rule

Units = list[int]  # the label of each unit, in the order in which they came; 0 is clean


def naive(of: Drawn, rule: Rule, between: Between) -> dict[str, Counter[int]]:
    """Where the stolen units rest: name -> label -> units."""
    wallets: dict[str, Units] = {name: [] for name in of.wallets}
    elsewhere: dict[str, Units] = {}
    left = dict(of.caps)

    def marked(units: Units, label: int, most: int) -> Units:
        for at, known in enumerate(units):
            if known == 0 and most > 0 and left.get(label, 1) > 0:
                units[at], most = label, most - 1
                if label in left:
                    left[label] -= 1
        return units

    for at, (source, target, number) in enumerate(of.rows):
        if source == target:
            continue
        if source in wallets and at <= of.until.get(source, len(of.rows)):
            inside = wallets[source]
            short = [0] * max(0, number - len(inside))
            came = marked(short, of.unseen[source], len(short)) if source in of.unseen else short
            # Decision 0007: what the record does not show comes when the wallet is empty, so it leaves last.
            units = _PICK[rule](inside, number - len(short), between) + came
        else:
            units = [0] * number
        for label, most in of.paid.get(at, ()):
            units = marked(units, label, most)
        wallets.get(target, elsewhere.setdefault(target, [])).extend(units)
    found = {name: Counter(label for label in units if label) for name, units in {**elsewhere, **wallets}.items()}
    return {name: labels for name, labels in found.items() if labels}


def _first(inside: Units, number: int, between: Between) -> Units:
    return [inside.pop(0) for _ in range(number)]


def _last(inside: Units, number: int, between: Between) -> Units:
    return [inside.pop() for _ in range(number)]


def _mixed(stolen_of: Callable[[int, int, int], int]) -> Callable[[Units, int, Between], Units]:
    def pick(inside: Units, number: int, between: Between) -> Units:
        stolen = [label for label in inside if label]
        clean = len(inside) - len(stolen)
        theirs = stolen_of(number, len(stolen), clean)
        taken = _of_the_victims(stolen, theirs, between)
        taken += [0] * (number - theirs)
        for label in taken:
            inside.remove(label)
        return taken

    return pick


def _of_the_victims(stolen: Units, number: int, between: Between) -> Units:
    if between is Between.FIRST_IN_FIRST_OUT:
        return stolen[:number]
    if between is Between.PRIORITY:
        return sorted(stolen)[:number]
    shares = {label: Fraction(number * count, len(stolen)) for label, count in Counter(stolen).items()}
    parts = {label: floor(share) for label, share in shares.items()}
    by_remainder = sorted(shares, key=lambda label: (floor(shares[label]) - shares[label], label))
    for label in by_remainder[: number - sum(parts.values())]:
        parts[label] += 1
    return [label for label in sorted(parts) for _ in range(parts[label])]


def _average(number: int, stolen: int, clean: int) -> int:
    """Rounded to the nearest unit, a half down."""
    return ceil(Fraction(number * stolen, stolen + clean) - Fraction(1, 2)) if number else 0


_PICK: dict[Rule, Callable[[Units, int, Between], Units]] = {
    Rule.FIFO: _first,
    Rule.LIFO: _last,
    Rule.PRO_RATA: _mixed(_average),
    Rule.TAINT_FIRST: _mixed(lambda number, stolen, clean: min(number, stolen)),
    Rule.HIGHEST_OUT: _mixed(lambda number, stolen, clean: min(number, stolen)),
    Rule.CLEAN_FIRST: _mixed(lambda number, stolen, clean: max(0, number - clean)),
}


def agree(of: Drawn, betweens: tuple[Between, ...] = (Between.PARI_PASSU,)) -> None:
    for rule in Rule:
        for between in betweens:
            assert {name: +Counter(labels) for name, labels in of.rests(rule, between).items()} == naive(
                of, rule, between
            )


@given(thefts(rows()))
def test_one_loss(of: Drawn) -> None:
    agree(of)


@given(thefts(rows(), losses=3))
def test_several_losses_under_every_rule_between_victims(of: Drawn) -> None:
    agree(of, tuple(Between))


@given(thefts(rows(), losses=3, partial=True))
def test_losses_that_are_part_of_a_payment(of: Drawn) -> None:
    agree(of, tuple(Between))


@given(thefts(rows(), losses=3, partial=True, payers=(*OUTSIDE, *WALLETS)))
def test_losses_that_a_followed_wallet_pays(of: Drawn) -> None:
    agree(of, tuple(Between))


@given(wallet_losses(rows()))
def test_all_that_a_wallet_ever_had(of: Drawn) -> None:
    agree(of)


@given(wallet_losses(rows(), capped=True))
def test_the_first_so_many_units_that_a_wallet_had(of: Drawn) -> None:
    agree(of)


@given(cut_off(thefts(rows(), losses=2)))
def test_histories_that_are_known_only_so_far(of: Drawn) -> None:
    agree(of)


@given(thefts(rows(), losses=2), st.sets(st.sampled_from(WALLETS)))
def test_whichever_wallets_are_followed(of: Drawn, wallets: set[str]) -> None:
    agree(replace(of, wallets=tuple(sorted(wallets))))


@pytest.mark.parametrize("between", Between)
@pytest.mark.parametrize("seed", range(2))
def test_ten_thousand_units(seed: int, between: Between) -> None:
    """60 payments of up to 900 units, 10,000 units of them stolen or clean from outside."""
    chance = random.Random(seed)
    drawn, outside = [], 0
    while outside < 10_000:
        source, target = (
            chance.choice(WALLETS + OUTSIDE),
            chance.choice(WALLETS + (ENDS if chance.random() < 0.3 else ())),
        )
        units = min(chance.randrange(900), 10_000 - outside)
        outside += units if source in OUTSIDE else 0
        drawn.append((source, target, units))
    entries = [at for at, (source, _, _) in enumerate(drawn) if source == "victim"]
    agree(Drawn(drawn, {at: ((1 + at % 3, 2**256 - 1),) for at in entries}), (between,))
