"""Who is followed is decided while lots move: the answer is the one that waiting for the end of each run gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import utxo
from claimed_exchanges import BOOK, Claim, drawings, losses
from drawing import WALLETS, covered, rows
from drawn_exchanges import drawn
from drawn_exchanges import labels as marked
from graphs.follow import _Walk, follow
from graphs.following import Expand, Following
from graphs.stops import StopRules
from notation import ETH, address, ledger, name_of, payment
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.errors import InputError
from tracer.labels import LabelBook, Role
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


def read(
    transfers: list[Transfer], keep: LabelBook | None = None, since: Mapping[str, int] | None = None, but: str = ""
) -> Ledger:
    """All histories were read, some of them from a block on, and not that of `but`."""
    everyone = {leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address}
    everyone -= {one for one in everyone if one.text == but}
    first = {address(name): block for name, block in (since or {}).items()}
    book = CoverageBook(
        Coverage(one, State.READ, frozenset(Kind), "drawing", "drawing", first.get(one, 0)) for one in sorted(everyone)
    )
    return Ledger.of(transfers, book, keep=keep.custodians(ALL.label_confidence) if keep else ())


def both(of: Ledger, labels: LabelBook, lost: list[Loss], rules: StopRules, **how: Any) -> tuple[Following, Following]:
    """Followed as we do, and with everybody let in only when all lots have moved."""
    grown = follow(of, labels, lost, rules, **how)
    with patch.object(_Walk, "let_in", lambda *_: {}):
        return grown, follow(of, labels, lost, rules, **how)


def told(found: Following) -> dict[str, Any]:
    """All that an answer is made of."""
    return {
        "followed": found.followed, "coins": found.coins, "exchanges": found.exchanges, "course": found.course,
        "rules": tuple(found.moves), "stops": found.stops,
        "hops": found.hops, "expand": found.expand,
        "traces": found.traces(), "bounds": found.bounds(),
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


#: From which block on the histories of some were read.
PARTLY = st.dictionaries(st.sampled_from("vwxyz"), st.integers(1, 6), max_size=2)


@st.composite
def crowds(draw: st.DrawFn) -> tuple[str, tuple[Claim, ...]]:
    """Transactions of several payments, where several pay one and one pays several; up to three losses, wallets too."""
    people = ("v", "w", "x", "y", "z", "bank")
    payment = st.tuples(st.sampled_from(people[:-1]), st.sampled_from(people), st.integers(1, 12))
    steps = draw(st.lists(st.lists(payment, min_size=1, max_size=4), min_size=2, max_size=9))
    lines = [f"{at} {one} -> {two} {units} A" for at, step in enumerate(steps, 1) for one, two, units in step]
    part, block = st.sampled_from((None, 1, 5)), st.integers(0, 5)
    paid = st.builds(Claim, line=st.integers(0, len(lines) - 1), units=part)
    wallet = st.builds(Claim, wallet=st.sampled_from(people[:3]), asset=st.just("A"), units=part, since=block)
    return "\n".join(lines), tuple(draw(st.lists(paid | wallet, min_size=1, max_size=3)))


@given(theft(), RULES, st.sampled_from(Between))
def test_accounts(text: str, rules: StopRules, between: Between) -> None:
    alike(ledger(text), LabelBook(()), [Loss("loss", ETH, paid=payment(1))], rules, between=between)


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(
    crowds(), RULES, st.sampled_from(Between), st.dictionaries(st.sampled_from("vwxyz"), st.integers(1, 6), max_size=2)
)
def test_several_who_pay_one_in_a_step(
    drawing: tuple[str, tuple[Claim, ...]], rules: StopRules, between: Between, since: dict[str, int]
) -> None:
    text, claims = drawing
    try:
        alike(read(drawn(text), since=since), LabelBook(()), losses(text, claims), rules, between=between)
    except InputError:  # claims that exclude each other
        return


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


@st.composite
def wraps(draw: st.DrawFn) -> str:
    """A theft, payments, and wraps in which others pay out some of what is got: exchanges that may be undone."""
    people, units = st.sampled_from(("w", "m", "p", "q", "x", "y")), st.integers(1, 12)
    lines = ["1 v -> w 40 A"]
    for at in range(2, draw(st.integers(3, 10))):
        who = draw(people)
        if draw(st.booleans()):
            lines += [f"{at} {who} -> T {draw(units)} A", f"{at} issue -> {who} {draw(units)} T"]
            lines += [f"{at} {draw(people)} -> {who} {draw(units)} T"] if draw(st.booleans()) else []
        for _ in range(draw(st.integers(0, 2))):
            lines.append(f"{at} {draw(people)} -> {draw(people)} {draw(units)} {draw(st.sampled_from('AAT'))}")
    return "\n".join(lines)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(wraps(), RULES | st.just(ALL), PARTLY)
def test_exchanges_that_are_undone(text: str, rules: StopRules, since: dict[str, int]) -> None:
    made = drawn(text)
    of, lost = read(made, since=since), [Loss("loss", made[0].asset, paid=made[0].id)]
    alike(of, marked(T=Role.PROTOCOL), lost, rules)


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
        assert moved.call_count == len(Rule.of(ETH.chain.family))
        moved.reset_mock()
        with patch.object(_Walk, "let_in", lambda *_: {}):
            follow(of, LabelBook(()), [LOSS], ALL)
        assert moved.call_count > 2 * len(Rule.of(ETH.chain.family))


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


#: Drawings on which an earlier form gave one answer while lots move and another one at the end of a run.
OFF = replace(ALL, hops=2)
NAMED = {
    "x is three payments away; who is none away pays somebody else in the same transaction": (
        "1 v -> a 40 A\n2 a -> b 20 A\n3 b -> c 10 A\n3 b -> d 10 A\n"
        "4 c -> x 10 A\n4 d -> x 10 A\n4 a -> s 10 A\n5 x -> s 20 A",
        (Claim(0),), OFF, {},
    ),
    "each of two payments in one transaction is 28 % of what x then has, both are 44 %": (
        "1 v -> a 40 A\n2 f -> x 5 A\n3 a -> b 2 A\n4 a -> x 2 A\n4 b -> x 2 A\n5 x -> s 9 A",
        (Claim(0),), replace(ALL, diluted_one_in=2, diluted_percent=30), {},
    ),
    "15 are lost on average and 20 first in first out, and 8 is dust to half of the one only": (
        "1 f -> v 10 A\n2 t -> v 10 A\n3 f -> a 10 A\n4 v -> a 10 A\n"
        "5 f -> a 30 A\n6 a -> s 10 A\n7 a -> b 8 A\n8 b -> s 8 A",
        (Claim(wallet="v", asset="A", since=2), Claim(3)), replace(ALL, dust_one_in=2), {},
    ),
    "who was paid passed some of it on in the lost payment's own transaction": (
        "2 a -> e 2 A\n2 e -> v 1 A\n3 v -> d 1 A\n5 e -> f 1 A\n5 d -> c 1 A\n6 f -> d 1 A",
        (Claim(0),), replace(ALL, hops=1), {},
    ),
    "x is barred for what came early, and y is not for what came through x": (
        "1 v -> a 40 A\n2 a -> b 10 A\n3 b -> x 10 A\n4 x -> y 10 A\n"
        "5 a -> x 10 A\n6 a -> y 10 A\n7 x -> s 10 A\n7 y -> t 20 A",
        (Claim(0),), ALL, {"x": 5, "y": 5},
    ),
    "the same where b is let in late": (
        "1 v -> a 40 A\n2 a -> b 2 A\n3 b -> x 2 A\n4 x -> y 2 A\n5 a -> x 10 A\n"
        "6 a -> y 10 A\n7 a -> b 8 A\n8 x -> s 10 A\n8 y -> t 10 A\n9 b -> s 8 A",
        (Claim(0),), replace(ALL, dust_one_in=8), {"x": 5, "y": 5},
    ),
    "something came before the blocks that were read of x": (
        "1 v -> a 40 A\n2 a -> b 10 A\n3 b -> x 10 A\n4 a -> x 30 A\n5 x -> s 40 A", (Claim(0),), ALL, {"x": 4}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_drawings_that_once_came_out_in_two_ways(name: str) -> None:
    text, claims, rules, since = NAMED[name]
    alike(read(drawn(text), since=since), LabelBook(()), losses(text, claims), rules)


def coins(text: str, but: str = "") -> tuple[Ledger, Loss]:
    of = utxo.drawing(text)
    return read(utxo.transfers(of), but=but), Loss(
        "loss", utxo.BITCOIN.coin, paid=TransferId(utxo.BITCOIN, utxo.txid(of[0].name)), output=0
    )


def test_hops_are_counted_through_an_output_that_names_no_address() -> None:
    """x is two payments away by the bare script, three by b and c: the limit is two."""
    of, lost = coins(
        "1 theft: old:60 -> a:60\n2 one: theft.0 -> ?:20 b:40\n3 two: one.1 -> c:40\n4 three: two.0 -> x:40\n"
        "5 four: one.0 -> x:20\n6 five: four.0 three.0 -> y:60"
    )
    alike(of, LabelBook(()), [lost], OFF)
    found = follow(of, LabelBook(()), [lost], OFF)
    hops = {who.text: hops for who, hops in found.hops.items()}
    assert hops == {"a": 0, "b": 1, "c": 2, "x": 2, "y": 3}


#: An exchange of which the other side, p, is followed: it is undone, and whom it led to is not followed for it.
UNDONE = {
    "x is met through it": (
        "1 v -> w 40 A\n2 w -> m 10 A\n3 m -> p 5 A\n4 w -> T 10 A\n4 issue -> w 3 T\n4 p -> w 5 T\n"
        "5 w -> x 5 T\n6 x -> s 5 T\n7 p -> s 5 A",
        ALL,
    ),
    "x, met through it, would undo another": (
        "1 v -> w 40 A\n2 w -> m 10 A\n3 m -> p 5 A\n4 w -> T 10 A\n4 issue -> w 3 T\n4 p -> w 5 T\n"
        "5 w -> x 5 T\n6 x -> s 1 T\n7 w -> T 10 A\n7 issue -> w 3 T\n7 x -> w 4 T\n8 w -> y 7 T\n9 p -> s 5 A",
        ALL,
    ),
    "p is met late, and x would undo another": (
        "1 v -> w 40 A\n2 w -> m 10 A\n4 w -> T 10 A\n4 issue -> w 3 T\n4 p -> w 5 T\n5 w -> x 5 T\n"
        "6 m -> p 5 A\n6 x -> s 1 T\n7 w -> T 10 A\n7 issue -> w 3 T\n7 x -> w 4 T\n8 w -> y 7 T\n9 p -> s 5 A",
        ALL,
    ),
    "x is beyond the limit but for it": (
        "1 v -> w 40 A\n2 w -> m 10 A\n3 m -> p 5 A\n3 m -> q 5 A\n4 w -> T 10 A\n4 issue -> w 3 T\n4 p -> w 5 T\n"
        "5 w -> x 5 T\n6 q -> r 5 A\n7 r -> x 5 A\n8 x -> s 5 A\n8 x -> s 1 T\n9 p -> s 5 A",
        replace(ALL, hops=3),
    ),
    "x is nearer by it": (
        "1 v -> w 40 A\n2 w -> m 10 A\n3 m -> q 5 A\n4 w -> T 10 A\n4 issue -> w 3 T\n4 p -> w 5 T\n5 w -> x 2 T\n"
        "6 m -> p 5 A\n6 q -> r 5 A\n6 r -> s 1 T\n7 r -> x 5 A\n8 x -> s 5 A\n8 x -> s 1 T\n9 p -> s 5 A",
        replace(ALL, hops=3, dust_one_in=8),
    ),
}


@pytest.mark.parametrize("name", UNDONE)
def test_an_exchange_of_which_the_other_side_is_followed_leads_to_nobody(name: str) -> None:
    text, rules = UNDONE[name]
    made = drawn(text)
    lost = [Loss("loss", made[0].asset, paid=made[0].id)]
    grown, waited = both(read(made), marked(T=Role.PROTOCOL), lost, rules)
    assert told(grown) == told(waited)
    assert address("x") not in grown.followed
    assert "is followed too" in grown.exchanges[0].why


def test_what_cannot_be_shared_out_evenly_does_not_go_by_the_order_of_the_data() -> None:
    made = drawn("1 v -> w 40 A\n2 w -> T 7 A\n2 issue -> w 2 T\n3 w -> x 12 T\n8 x -> w 5 T")
    lost = [Loss("loss", made[0].asset, paid=made[0].id)]
    one, two = (follow(read(data), marked(T=Role.PROTOCOL), lost, ALL).traces() for data in (made, made[::-1]))
    assert one == two


def test_who_rests_on_many_coins_is_not_asked_about_them_all_at_each() -> None:
    """A question at each of n arrivals that goes through the n coins of the address would be n times n."""
    asked = {}
    for n in (50, 200):
        lines, left = [f"1 t0: old:{10 * n} -> a:{10 * n}"], 10 * n
        for at in range(1, n + 1):
            left -= 1
            lines.append(f"{at + 1} t{at}: t{at - 1}.{0 if at == 1 else 1} -> x:1 a:{left}")
        of, lost = coins("\n".join(lines))
        with patch.object(of, "events", side_effect=of.events) as events:
            follow(of, LabelBook(()), [lost], ALL)
        asked[n] = events.call_count
    assert asked[200] < 5 * asked[50]


def test_while_something_is_to_be_read_who_was_just_followed_counts_as_budget() -> None:
    of, lost = coins("1 t: old:60 -> a:60\n2 u: t.0 -> ?:20 d:40\n3 w: u.0 -> x:20\n4 z: w.0 -> y:20", but="d")
    found = follow(of, LabelBook(()), [lost], ALL)
    assert [step.address.text for step in found.expand] == ["d"]
    for trace in found.traces().values():
        assert trace.books.lost == trace.books.ends + trace.books.held + trace.books.fees + trace.books.not_followed
