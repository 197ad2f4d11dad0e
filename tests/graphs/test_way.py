"""What lies on the way: each step is judged once, and nothing depends on when wallets were looked at."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import utxo
from drawn_exchanges import hid, labels, ledger, step
from graphs.conversions import Kind
from graphs.way import Way
from notation import address
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger
from tracer.lots import Fees
from tracer.moves import Course
from tracer.values import TransferId

KNOWN = labels(router=Role.PROTOCOL, p=Role.PROTOCOL)
SWAPS = """
    1 bank -> w 100 USDT
    2 w calls router
    2 w -> p 60 USDT
    2 p -> w 9 WETH
    3 w calls somebody
    3 w -> q 30 USDT
    3 q -> w 4 WBTC
    4 w -> e 5 USDT
"""
MIX = """
    1 theft: old:1200 -> thief:1000 victim:200
    1 pa: old:1000 -> anna:1000
    1 pb: old:1000 -> berta:1000
    2 mix: theft.0 pa.0 pb.0 -> x:900 y:900 z:900 c1:91 c2:93 c3:95
    3 pay: mix.0 mix.3 -> shop:500 rest:491
"""


def everything(of: Ledger) -> dict[int, int]:
    """All holdings, known to the end."""
    hids = {at for n in range(len(of)) for at, _ in of.inputs(n) + of.outputs(n)}
    return dict.fromkeys(sorted(hids), len(of))


def wallet(of: Ledger, name: str = "w") -> dict[int, int]:
    """The holdings of one, known to the end."""
    return {at: until for at, until in everything(of).items() if of.address(at) == address(name)}


def way(of: Ledger, book: LabelBook = KNOWN, fees: Fees = Fees.LAST) -> Way:
    return Way(of, book, fees, label_confidence=20)


def chain(text: str) -> tuple[Ledger, dict[str, int]]:
    """The ledger, and where each transaction stands."""
    txs = utxo.drawing(text)
    of = Ledger.of(utxo.transfers(txs))
    places = {tx.name: of.ordinal(TransferId(utxo.BITCOIN, utxo.txid(tx.name))) for tx in txs}
    return of, {name: at for name, at in places.items() if at is not None}


def test_before_anything_was_looked_at_nothing_lies_on_the_way() -> None:
    mine = way(ledger(SWAPS), fees=Fees.PRORATA)
    assert mine.course() == Course(Fees.PRORATA)
    assert mine.exchanges() == ()


def test_an_exchange_that_is_believed_is_carried_out() -> None:
    of = ledger(SWAPS)
    mine = way(of, fees=Fees.IN_RATIO)
    mine.look(wallet(of))
    course = mine.course()
    assert course.fees is Fees.IN_RATIO
    assert list(course.conversions) == [step(of, 2)]
    (made,) = course.conversions[step(of, 2)]
    assert [(leg.hid, leg.units) for leg in made.gave] == [(hid(of, "w", "USDT"), 60)]
    assert [(leg.hid, leg.units) for leg in made.got] == [(hid(of, "w", "WETH"), 9)]


def test_one_that_is_not_believed_is_told_and_not_carried_out() -> None:
    of = ledger(SWAPS)
    mine = way(of)
    mine.look(wallet(of))
    trusted, doubted = mine.exchanges()
    assert (trusted.ordinal, trusted.trusted) == (step(of, 2), True)
    assert (doubted.ordinal, doubted.trusted, doubted.kind) == (step(of, 3), False, Kind.UNPROVEN)
    assert step(of, 3) not in mine.course().conversions


def test_an_exchange_with_somebody_who_is_followed_too_is_told_and_not_carried_out() -> None:
    """What he pays out may be stolen itself: then it stays what it is, and no unit is there twice."""
    of = ledger(SWAPS)
    mine = way(of)
    mine.look(everything(of))
    assert mine.course() == Course()
    assert [one.trusted for one in mine.exchanges()] == [False, False]
    assert "is followed too" in mine.exchanges()[0].why


def test_who_paid_out_in_an_exchange_changes_what_was_carried_out_if_he_is_followed_later() -> None:
    of = ledger(SWAPS)
    mine = way(of)
    mine.look(wallet(of))
    (made,) = mine.course().conversions
    others = set(everything(of)) - set(wallet(of))
    paid_out = {hid for hid in others if any(hid == who for who, _ in of.inputs(made))}
    assert paid_out
    assert mine.changes(paid_out, made)
    assert mine.changes(paid_out, made + 5)  # it was carried out before
    assert not mine.changes(paid_out, made - 1)  # and then it was still to come
    assert not mine.changes(others - paid_out, made - 1)
    mine.look({hid: len(of) for hid in paid_out})
    assert mine.course() == Course()


def test_without_labels_no_exchange_is_carried_out() -> None:
    of = ledger(SWAPS)
    mine = way(of, LabelBook())
    mine.look(everything(of))
    assert mine.course() == Course()
    assert [one.trusted for one in mine.exchanges()] == [False, False]


def test_only_steps_up_to_which_a_holding_is_known_are_judged_and_later_ones_when_it_is() -> None:
    of = ledger(SWAPS)
    mine, usdt = way(of), hid(of, "w", "USDT")
    mine.look({usdt: step(of, 2) - 1})
    assert mine.exchanges() == ()
    mine.look({usdt: step(of, 2)})
    assert [one.ordinal for one in mine.exchanges()] == [step(of, 2)]
    mine.look({usdt: len(of)})
    assert [one.ordinal for one in mine.exchanges()] == [step(of, 2), step(of, 3)]


def test_who_is_not_followed_has_no_steps_judged() -> None:
    of = ledger(SWAPS)
    mine = way(of)
    mine.look({hid(of, "e", "USDT"): len(of), hid(of, "bank", "USDT"): len(of)})
    assert mine.exchanges() == ()


def test_through_a_coinjoin_nothing_is_followed_and_it_says_why() -> None:
    of, at = chain(MIX)
    mine = way(of)
    mine.look(everything(of))
    assert mine.course().barriers == {at["mix"]}
    assert "CoinJoin" in mine.why(at["mix"])
    assert mine.exchanges() == ()


def test_a_payment_with_equal_outputs_from_one_coin_is_no_coinjoin() -> None:
    of, _ = chain("1 theft: old:1000 -> thief:1000\n2 pay: theft.0 -> x:300 y:300 z:300 rest:90")
    mine = way(of)
    mine.look(everything(of))
    assert mine.course().barriers == frozenset()


def test_coins_that_are_not_followed_have_no_coinjoins_judged() -> None:
    of, at = chain(MIX)
    mine = way(of)
    mine.look({at_: until for at_, until in everything(of).items() if at["mix"] not in of.events(at_)})
    assert mine.course().barriers == frozenset()


@pytest.mark.parametrize("text", [SWAPS, MIX])
@given(chance=st.randoms(use_true_random=False), times=st.integers(1, 4))
def test_the_order_of_looking_changes_nothing(text: str, chance: random.Random, times: int) -> None:
    of = ledger(text) if text is SWAPS else chain(text)[0]
    whole = way(of)
    whole.look(everything(of))
    piecewise = way(of)
    looks: list[tuple[int, int]] = [(at, until) for at in everything(of) for until in range(0, len(of) + 1, times)]
    chance.shuffle(looks)
    for at, until in looks:
        piecewise.look({at: until})
    piecewise.look(everything(of))
    assert told(piecewise, of) == told(whole, of)


def told(of: Way, drawn: Ledger) -> tuple[Course, Sequence[object], list[str]]:
    course = of.course()
    return course, of.exchanges(), [of.why(at) for at in sorted(course.barriers)]


@given(utxo.chains())
def test_every_barrier_is_a_transaction_of_several_coins(txs: tuple[utxo.Tx, ...]) -> None:
    of = Ledger.of(utxo.transfers(txs))
    mine = way(of, LabelBook())
    mine.look(everything(of))
    for at in mine.course().barriers:
        assert len(of.inputs(at)) > 1
        assert mine.why(at)
    assert not mine.course().conversions
