"""The trace: it adds up to the base unit, or it is not issued; and it is the same whatever order the data came in."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drawing import WALLETS, Drawn, hid_of, rows, thefts
from notation import ETH, address, ledger, name_of, payment
from tracer.engine import move
from tracer.errors import BooksDoNotClose
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Seeds
from tracer.trace import Books, Part, Spot, StopCode, Trace, issue

LOSSES = tuple(Loss(f"loss {n}", ETH, paid=payment(n)) for n in (1, 2, 3))


def issued(of: Drawn, rule: Rule, on: Ledger | None = None) -> Trace:
    at = on or of.ledger
    stops: dict[Spot, StopCode] = {
        address(name): StopCode.UNSPENT if name in WALLETS else StopCode.EXCHANGE for row in of.rows for name in row[:2]
    }
    moves = move(at, of.seeds(at), of.followed(at), rule)
    return issue(at, LOSSES, moves, Between.PARI_PASSU, stops)


@given(thefts(rows(), losses=3))
def test_lost_is_ends_and_held_and_fees_and_not_followed(of: Drawn) -> None:
    for rule in Rule:
        trace = issued(of, rule)
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed
        assert {name_of(end.place.address): dict(end.amounts) for end in trace.ends} == of.rests(rule)
        assert all(end.units == sum(units for _, units in end.amounts) > 0 for end in trace.ends)


# Two wallets pay more than they got; which is told first must not hang on which was read first.
UNSEEN = Drawn(
    [("victim", "a", 5), ("victim", "b", 5), ("a", "shop", 9), ("b", "shop", 9)], {0: ((1, 5),), 1: ((1, 5),)}
)


@given(thefts(rows(), losses=3), st.randoms(use_true_random=False))
@example(UNSEEN, random.Random(0))
@example(UNSEEN, random.Random(1))
@example(UNSEEN, random.Random(2))
@example(UNSEEN, random.Random(3))
def test_a_trace_is_the_same_whatever_order_the_data_came_in(of: Drawn, chance: random.Random) -> None:
    arrived = list(of.ledger.transfers)
    chance.shuffle(arrived)
    for rule in Rule:
        assert issued(of, rule, Ledger.of(arrived)) == issued(of, rule)


@pytest.mark.parametrize("more", [1, -1])
def test_books_that_are_one_unit_off_are_not_issued(more: int) -> None:
    of = ledger("1 victim -> w 60\n2 w -> shop 50")
    w = hid_of(of, "w")
    assert w is not None
    moves = move(of, Seeds({0: ((1, 60),)}), {w: 2}, Rule.FIFO)
    stops: dict[Spot, StopCode] = {address("w"): StopCode.UNSPENT, address("shop"): StopCode.EXCHANGE}
    assert issue(of, LOSSES[:1], moves, Between.PARI_PASSU, stops).books == Books(60, 50, 10, 0, 0)
    with pytest.raises(BooksDoNotClose, match=r"59|61"):
        issue(of, LOSSES[:1], replace(moves, lost={1: 60 + more}), Between.PARI_PASSU, stops)
    with pytest.raises(BooksDoNotClose):
        issue(of, LOSSES[:1], replace(moves, rest={w: [(1, 10 + more)]}), Between.PARI_PASSU, stops)


def test_books_that_close_in_sum_but_not_by_victim_are_not_issued() -> None:
    of = ledger("1 anna -> w 60\n2 berta -> w 60")
    w = hid_of(of, "w")
    assert w is not None
    moves = move(of, Seeds({0: ((1, 60),), 1: ((2, 60),)}), {w: 2}, Rule.FIFO)
    with pytest.raises(BooksDoNotClose):
        issue(
            of,
            LOSSES[:2],
            replace(moves, rest={w: [(1, 61), (2, 59)]}),
            Between.PARI_PASSU,
            {address("w"): StopCode.UNSPENT},
        )


@pytest.mark.parametrize("code", StopCode)
def test_every_stop_code_belongs_to_one_part_of_the_books(code: StopCode) -> None:
    assert code.part in Part
    assert StopCode.UNSPENT.part is StopCode.DORMANT.part is Part.HELD
    assert StopCode.FEE.part is Part.FEES
    assert StopCode.MIXER.part is StopCode.EXCHANGE.part is StopCode.BURNED.part is Part.ENDS
    assert StopCode.BUDGET.part is StopCode.NOT_READ.part is StopCode.DUST.part is Part.NOT_FOLLOWED


def test_hops_and_transfers_name_what_carried_stolen_units() -> None:
    of = ledger("1 victim -> w 60\n2 w -> shop 50 gas 1\n3 friend -> shop 9")
    w = hid_of(of, "w")
    assert w is not None
    trace = issue(
        of, LOSSES[:1], move(of, Seeds({0: ((1, 60),)}), {w: 9}, Rule.FIFO), Between.PARI_PASSU,
        {address("w"): StopCode.UNSPENT, address("shop"): StopCode.EXCHANGE},
    )  # fmt: skip
    assert [(name_of(hop.source), name_of(hop.target), hop.lots) for hop in trace.hops] == [
        ("victim", "w", ((1, 60),)), ("w", "shop", ((1, 50),)), ("w", "-", ((1, 1),)),
    ]  # fmt: skip
    ends = {name_of(end.place.address): end for end in trace.ends}
    assert ends["shop"].transfers == (payment(2),)
    assert ends["-"].stop is StopCode.FEE
    assert trace.books == Books(lost=60, ends=50, held=9, fees=1, not_followed=0)
