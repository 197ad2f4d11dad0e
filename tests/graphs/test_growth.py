"""Who is followed is decided while lots move: the answer is the one that waiting for the end of each run gives."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import utxo
from claimed_exchanges import BOOK, Claim, drawings, losses
from drawing import WALLETS, covered, rows
from drawn_exchanges import drawn
from graphs.follow import _Walk, follow
from graphs.following import Expand, Following
from graphs.stops import StopRules
from notation import ETH, address, ledger, name_of, payment
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.errors import InputError
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.values import Transfer, TransferId

ALL = StopRules(dust_one_in=0, diluted_one_in=0, window_days=0)
#: Shares so large that in a small drawing much is dust, or diluted, until more has come.
RULES = st.builds(
    StopRules,
    dust_one_in=st.sampled_from([0, 3, 8, 100]), diluted_one_in=st.sampled_from([0, 2, 4]),
    diluted_percent=st.sampled_from([1, 30, 60]), hops=st.sampled_from([1, 2, 3, 12]),
    window_days=st.sampled_from([0, 365]),
)  # fmt: skip


def read(transfers: list[Transfer], keep: LabelBook | None = None) -> Ledger:
    """All histories were read."""
    everyone = {leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address}
    book = CoverageBook(Coverage(one, State.READ, frozenset(Kind), "drawing", "drawing") for one in sorted(everyone))
    return Ledger.of(transfers, book, keep=keep.custodians(ALL.label_confidence) if keep else ())


def both(of: Ledger, labels: LabelBook, lost: list[Loss], rules: StopRules, **how: Any) -> tuple[Following, Following]:
    """Followed as we do, and with everybody let in only when all lots have moved."""
    grown = follow(of, labels, lost, rules, **how)
    with patch.object(_Walk, "came", lambda *_: {}):
        return grown, follow(of, labels, lost, rules, **how)


def told(found: Following) -> dict[str, Any]:
    """All that an answer is made of."""
    return {
        "followed": found.followed, "coins": found.coins, "exchanges": found.exchanges, "course": found.course,
        "stops": found.stops, "hops": found.hops, "expand": found.expand, "traces": found.traces(),
        "bounds": found.bounds(),
    }  # fmt: skip


def alike(of: Ledger, labels: LabelBook, lost: list[Loss], rules: StopRules, **how: Any) -> None:
    grown, waited = both(of, labels, lost, rules, **how)
    assert told(grown) == told(waited)


@st.composite
def theft(draw: st.DrawFn) -> str:
    """What a thief is paid, and what then is paid among wallets, from outside in and out to the ends."""
    drawing = draw(rows(40, 30).map(covered))
    later = (f"{n} {source} -> {target} {units}" for n, (source, target, units) in enumerate(drawing, start=2))
    return "\n".join(("1 victim -> a 40", *later))


@given(theft(), RULES, st.sampled_from(Between))
def test_accounts(text: str, rules: StopRules, between: Between) -> None:
    alike(ledger(text), LabelBook(()), [Loss("loss", ETH, paid=payment(1))], rules, between=between)


@given(theft(), RULES, st.sets(st.sampled_from(WALLETS)))
def test_what_is_to_be_read_next(text: str, rules: StopRules, unread: set[str]) -> None:
    of = ledger(text, coverage=dict.fromkeys(unread, State.NOT_ASKED))
    lost = [Loss("loss", ETH, paid=payment(1))]
    grown, waited = both(of, LabelBook(()), lost, rules)
    assert grown.followed >= waited.followed or not waited.expand
    spent = both(of, LabelBook(()), lost, rules, spent=True)
    assert told(spent[0]) == told(spent[1])


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(drawings(), RULES | st.just(ALL), st.sampled_from(Between))
def test_exchanges(drawing: tuple[str, tuple[Claim, ...]], rules: StopRules, between: Between) -> None:
    text, claims = drawing
    try:
        alike(read(drawn(text), BOOK), BOOK, losses(text, claims), rules, between=between, spent=True)
    except InputError:  # claims that exclude each other
        return


@given(utxo.chains(14), RULES, st.sampled_from(Fees), st.data())
def test_coins(txs: tuple[utxo.Tx, ...], rules: StopRules, fees: Fees, data: st.DataObject) -> None:
    outputs = [(tx.name, n) for tx in txs for n, (who, units) in enumerate(tx.outputs) if units and who != "burn"]
    if not outputs:
        return
    name, output = data.draw(st.sampled_from(outputs))
    lost = Loss("loss", utxo.BITCOIN.coin, paid=TransferId(utxo.BITCOIN, utxo.txid(name)), output=output)
    alike(read(utxo.transfers(txs)), LabelBook(()), [lost], rules, fees=fees)


#: What came to b is dust (below 5) until it is paid a second time; of the first time it has paid on already.
LATE = """
    1 victim -> a 40
    2 a -> b 3
    3 b -> c 3
    4 a -> b 6
    5 b -> c 5
    6 a -> bank 31
    7 c -> bank 5
"""
DUST = StopRules(dust_one_in=8, diluted_one_in=0, window_days=0)
LOSS = Loss("loss", ETH, paid=payment(1))


def test_who_is_let_in_late_has_all_that_came_to_him_in_the_end() -> None:
    grown, waited = both(ledger(LATE), LabelBook(()), [LOSS], DUST)
    assert {name_of(one) for one in grown.followed} == {"a", "b", "c"}
    assert told(grown) == told(waited)


def test_what_is_asked_for_next_is_told_of_all_that_came() -> None:
    grown, _ = both(ledger(LATE, coverage={"c": State.NOT_ASKED}), LabelBook(()), [LOSS], DUST)
    assert grown.expand == (Expand(address("c"), 3, 8),)


def test_lots_move_once_to_find_all_of_a_chain_of_wallets_and_once_for_each_rule() -> None:
    chain = [f"{at} w{at - 1} -> w{at} 40" for at in range(2, 10)]
    of = ledger("\n".join(("1 victim -> w1 40", *chain)))
    with patch.object(_Walk, "_move", autospec=True, side_effect=_Walk._move) as moved:
        follow(of, LabelBook(()), [LOSS], ALL)
        assert moved.call_count == 1 + len(Rule.of(ETH.chain.family))  # and once to see how much is lost
        moved.reset_mock()
        with patch.object(_Walk, "came", lambda *_: {}):
            follow(of, LabelBook(()), [LOSS], ALL)
        assert moved.call_count > 2 * (1 + len(Rule.of(ETH.chain.family)))


def test_whom_one_rule_lets_in_the_others_go_through_too() -> None:
    text = "1 victim -> a 40\n2 friend -> a 40\n3 a -> b 8\n4 b -> bank 8"
    grown, waited = both(ledger(text), LabelBook(()), [LOSS], DUST)
    assert address("b") in grown.followed  # first in, first out all of it is stolen; on average half, and that is dust
    average = {end.place.address: end.units for end in grown.traces()[Rule.PRO_RATA].ends}
    assert average[address("bank")] == 4
    assert told(grown) == told(waited)


def test_what_somebody_who_is_let_in_exchanges_is_exchanged() -> None:
    transfers = drawn("1 victim -> w 40 A\n2 w -> router 40 A\n2 router -> w 9 B\n3 w -> x 9 B\n3 w -> y 0 B")
    of, lost = read(transfers, BOOK), [Loss("loss", transfers[0].asset, paid=transfers[0].id)]
    grown, waited = both(of, BOOK, lost, ALL)
    for trace in grown.traces().values():
        assert [(end.place.address, end.units, end.stolen) for end in trace.ends] == [(address("x"), 9, 40)]
    assert told(grown) == told(waited)


@pytest.mark.parametrize("second", [3, 4])
def test_one_payment_in_a_step_counts_once(second: int) -> None:
    """Two transfers to b in one transaction are one arrival there, and asked about as one."""
    of = ledger(f"1 victim -> a 40\n2 a -> b 1\n2 a -> c {second}\n3 b -> c 1\n4 c -> bank {second}")
    alike(of, LabelBook(()), [LOSS], DUST)
