"""Looking up steps and passing all rows are two ways to the same answer, and either may take over at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import drawing
import utxo
from tracer import steps
from tracer.ledger import Ledger
from tracer.lots import Fees, Rule
from tracer.memory import MemoryLedger
from tracer.moves import Course
from tracer.reach import reach


@contextmanager
def forced(*passing: bool) -> Iterator[None]:
    """Nothing decides but this: whether rows are passed, at each thought about it, in turn."""
    turn = cycle(passing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "SOME", 1)
        patch.setattr(MemoryLedger, "rows_per_look_up", 8)
        patch.setattr(steps, "pass_on", lambda *_: next(turn))
        patch.setattr(steps, "look_on", lambda *_: not next(turn))
        yield


ANY = st.one_of(
    drawing.thefts(drawing.rows(), losses=3, partial=True),
    drawing.wallet_losses(drawing.rows()),
    drawing.wallet_losses(drawing.rows(), capped=True),
)
FORCED = st.sampled_from([(True,), (True, False), (True, True, False, False), (False, True, True, False, True)])


@given(drawing.cut_off(ANY), FORCED)
def test_accounts_rest_the_same_when_rows_are_passed(of: drawing.Drawn, passing: tuple[bool, ...]) -> None:
    for rule in Rule:
        with forced(False):
            looked_up = of.moves(rule)
        with forced(*passing):
            assert of.moves(rule) == looked_up
    seeds, followed = of.seeds(of.ledger), of.followed(of.ledger)
    with forced(False):
        looked_up_reach = reach(of.ledger, seeds, followed)
    with forced(*passing):
        assert reach(of.ledger, seeds, followed) == looked_up_reach


@given(utxo.thefts(utxo.chains(mined=True), losses=2, unseen=True), FORCED, st.sampled_from(Fees))
def test_coins_rest_the_same_when_rows_are_passed(of: utxo.Drawn, passing: tuple[bool, ...], fees: Fees) -> None:
    for rule in Rule:
        with forced(False):
            looked_up = of.moves(rule, fees)
        with forced(*passing):
            assert of.moves(rule, fees) == looked_up
    given = of.ledger, of.seeds(of.ledger), of.followed(of.ledger), Course(fees)
    with forced(False):
        looked_up_reach = reach(*given)
    with forced(*passing):
        assert reach(*given) == looked_up_reach


def test_a_pass_is_tried_once_it_cannot_cost_more_than_half_of_what_was_spent() -> None:
    of = Ledger.of([])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryLedger, "rows_per_look_up", 100)
        assert steps.pass_on(of, 20_000, 1_000, 1_000_000)
        assert not steps.pass_on(of, 19_999, 1_000, 1_000_000)  # look-ups have not cost as much
        assert not steps.pass_on(of, 20_000, 100 * steps.SOME, 1_000_000)  # the last ones were far between
        assert steps.look_on(of, 4, 1_000, 10, 10_000)
        assert not steps.look_on(of, 5, 1_000, 10, 10_000)  # enough of what is passed is visited
        assert not steps.look_on(of, 4, 1_000, 50, 10_000)  # as many to look up as to pass
        patch.setattr(MemoryLedger, "rows_per_look_up", 0)
        assert not steps.pass_on(of, 10**9, 0, 0)
