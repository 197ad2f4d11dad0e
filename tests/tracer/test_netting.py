"""Netting: what only passed through an address in one transaction is gone; what anybody kept or paid is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drawn_exchanges import drawn, hid, ledger
from graphs.seeds import seeds_of
from notation import ETH, address, name_of
from tracer.engine import move
from tracer.ledger import Ledger, Movement, Order, Row
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Seeds
from tracer.netting import exchanges, netted
from tracer.trace import Spot, StopCode, issue
from tracer.values import Address, Transfer, TransferId

EDGES = (1, 2**53 + 1, 2**63, 2**64, 2**128, 2**255)


def nobody(hid: int) -> bool:
    return False


def pays(*rows: tuple[int, int, int]) -> list[Movement]:
    """Payments (payer, payee, units) in order."""
    return [Movement(at, ((payer, units),), ((payee, units),)) for at, (payer, payee, units) in enumerate(rows)]


def legs(one: Movement) -> tuple[Row, Row]:
    """Both sides, in no particular order."""
    return tuple(sorted(one.inputs)), tuple(sorted(one.outputs))


def told(movements: Iterable[Movement]) -> list[tuple[Row, Row, tuple[int, ...]]]:
    """What moved, in no particular order."""
    return sorted((*legs(one), tuple(sorted(one.through))) for one in movements)


def net(movements: Iterable[Movement]) -> dict[int, int]:
    """Holding -> what it has more (or less) afterwards."""
    found: dict[int, int] = {}
    for one in movements:
        for hid_, units in one.inputs:
            found[hid_] = found.get(hid_, 0) - units
        for hid_, units in one.outputs:
            found[hid_] = found.get(hid_, 0) + units
    return {hid_: units for hid_, units in found.items() if units}


def gross(movements: Iterable[Movement], hid_: int) -> tuple[int, int]:
    """(paid, got) of one holding."""
    rows = list(movements)
    paid = sum(units for one in rows for at, units in one.inputs if at == hid_)
    return paid, sum(units for one in rows for at, units in one.outputs if at == hid_)


# Worked examples


@pytest.mark.parametrize("units", EDGES)
def test_what_a_router_passes_on_goes_from_its_payer_to_its_payee(units: int) -> None:
    assert netted(pays((1, 2, units), (2, 3, units)), nobody) == (Movement(0, ((1, units),), ((3, units),), (2,)),)


def test_what_a_router_keeps_stays_with_it() -> None:
    (one,) = netted(pays((1, 2, 10), (2, 3, 9)), nobody)
    assert legs(one) == (((1, 10),), ((2, 1), (3, 9)))
    assert one.through == (), "it kept something"


def test_what_a_router_adds_is_paid_by_it() -> None:
    (one,) = netted(pays((1, 2, 10), (2, 3, 12)), nobody)
    assert legs(one) == (((1, 10), (2, 2)), ((3, 12),))


@pytest.mark.parametrize("units", EDGES)
def test_a_flash_loan_vanishes(units: int) -> None:
    assert netted(pays((1, 2, units), (2, 3, units), (3, 1, units)), nobody) == ()


def test_of_a_flash_loan_only_its_price_is_left() -> None:
    (one,) = netted(pays((1, 2, 1_000), (2, 3, 1_000), (3, 2, 1_000), (2, 1, 1_001)), nobody)
    assert (one.inputs, one.outputs, one.through) == (((2, 1),), ((1, 1),), (3,))


def test_a_batch_payment_stays_payer_by_payer() -> None:
    rows = pays((1, 5, 10), (2, 6, 20), (3, 5, 30))
    assert netted(rows, nobody) == tuple(rows)


def test_several_who_pay_through_one_router_are_one_movement() -> None:
    (one,) = netted(pays((1, 9, 10), (2, 9, 20), (9, 5, 25), (9, 6, 5)), nobody)
    assert legs(one) == (((1, 10), (2, 20)), ((5, 25), (6, 5)))
    assert one.through == (9,)


def test_who_pays_beside_a_router_without_it_is_not_joined() -> None:
    rows = pays((1, 9, 10), (7, 8, 40), (9, 5, 10))
    found = netted(rows, nobody)
    assert found[1] == rows[1]
    assert legs(found[0]) == (((1, 10),), ((5, 10),))


def test_a_batch_payment_beside_a_router_stays_payer_by_payer() -> None:
    rows = pays((1, 9, 10), (2, 6, 20), (3, 6, 30), (9, 5, 10))
    found = netted(rows, nobody)
    assert found[1:] == tuple(rows[1:3])


def test_two_routers_that_have_nothing_in_common_are_two_movements() -> None:
    found = netted(pays((1, 9, 10), (2, 8, 20), (9, 5, 10), (8, 6, 20)), nobody)
    assert [legs(one) for one in found] == [(((1, 10),), ((5, 10),)), (((2, 20),), ((6, 20),))]


def test_an_address_that_is_kept_stays_gross() -> None:
    rows = pays((1, 2, 10), (2, 3, 9))
    assert netted(rows, lambda hid_: hid_ == 2) == tuple(rows)


def test_an_address_that_is_kept_stays_gross_beside_one_that_is_not() -> None:
    """4 is a labelled exchange that a router passes: 3 is netted away, 4 is not."""
    found = netted(pays((1, 3, 10), (3, 4, 10), (4, 3, 6), (3, 5, 6)), lambda hid_: hid_ == 4)
    assert gross(found, 4) == (6, 10)
    assert net(found) == {1: -10, 4: 4, 5: 6}


def test_who_is_kept_does_not_join_those_who_dealt_with_it() -> None:
    """0 is where tokens are issued and burned: 1 and 2 are strangers, though a router stands on either side."""
    rows = pays((1, 8, 10), (8, 0, 10), (0, 9, 20), (9, 2, 20))
    found = netted(rows, lambda hid_: hid_ == 0)
    assert [legs(one) for one in found] == [(((1, 10),), ((0, 10),)), (((0, 20),), ((2, 20),))]
    assert [one.through for one in found] == [(8,), (9,)]


def test_a_payment_between_two_that_are_kept_is_left_as_it_is() -> None:
    rows = pays((0, 9, 5), (1, 2, 10), (2, 3, 10))
    assert netted(rows, lambda hid_: hid_ in (0, 9))[0] == rows[0]


def test_an_amount_that_changes_where_it_is_stays_alone() -> None:
    """A rebasing token: holding 2 has 100 and then 110; the same transaction passes 2 by another way."""
    rebase = Movement(0, ((2, 100), (7, 10)), ((2, 110),))
    rows = [rebase, *(one._replace(ordinal=one.ordinal + 1) for one in pays((1, 3, 5), (3, 4, 5)))]
    found = netted(rows, lambda hid_: hid_ == 7)
    assert found == (rebase, Movement(1, ((1, 5),), ((4, 5),), (3,)))


def test_a_payment_to_oneself_makes_nobody_a_router() -> None:
    rows = pays((2, 2, 50), (1, 2, 10))
    assert netted(rows, nobody) == tuple(rows)


@pytest.mark.parametrize(
    ("rows", "of", "expected"),
    [
        (((1, 2, 5), (12, 11, 9)), {1: "a", 2: "b", 11: "a", 12: "b"}, True),  # gave one asset, got the other
        (((1, 2, 5), (11, 12, 9)), {1: "a", 2: "b", 11: "a", 12: "b"}, False),  # gave both
        (((1, 2, 5), (2, 1, 5)), {1: "a", 2: "b"}, False),  # there and back
        (((1, 2, 5), (12, 13, 9)), {1: "a", 2: "b", 12: "c", 13: "d"}, False),  # strangers
        (((1, 2, 5), (3, 1, 5), (12, 11, 9)), {1: "a", 2: "b", 3: "c", 11: "a", 12: "d"}, False),  # got it back
        (((0, 2, 5), (3, 10, 5)), {2: "b", 3: "c"}, False),  # sinks are nobody
    ],
)
def test_who_gave_one_asset_and_got_another_exchanged(
    rows: tuple[tuple[int, int, int], ...], of: dict[int, str], expected: bool
) -> None:
    owner: Callable[[int], Address | None] = lambda hid_: address(of[hid_]) if hid_ in of else None  # noqa: E731
    assert exchanges(pays(*rows), owner) is expected


# Whatever happens in a transaction

KEPT = (0, 5)  # a sink and a labelled address
amounts = st.one_of(st.integers(1, 9), st.sampled_from(EDGES))
transactions = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), amounts), min_size=1, max_size=9)


def kept(hid_: int) -> bool:
    return hid_ in KEPT


@given(transactions)
@example([(1, 2, 2**255), (2, 3, 2**255), (3, 1, 2**255 - 1)])
def test_everybody_has_afterwards_what_the_record_says(rows: list[tuple[int, int, int]]) -> None:
    assert net(netted(pays(*rows), kept)) == net(pays(*rows))


@given(transactions)
def test_every_movement_gives_out_what_it_takes_in_and_nothing_of_no_units(rows: list[tuple[int, int, int]]) -> None:
    for one in netted(pays(*rows), kept):
        assert sum(units for _, units in one.inputs) == sum(units for _, units in one.outputs)
        assert all(units > 0 for _, units in one.inputs + one.outputs)


@given(transactions)
def test_who_is_kept_pays_and_gets_what_the_record_says(rows: list[tuple[int, int, int]]) -> None:
    found = netted(pays(*rows), kept)
    for hid_ in KEPT:
        assert gross(found, hid_) == gross(pays(*rows), hid_)


@given(transactions)
def test_nobody_both_pays_and_gets_but_by_paying_oneself(rows: list[tuple[int, int, int]]) -> None:
    found = [one for one in netted(pays(*rows), kept) if one.inputs[0][0] != one.outputs[0][0]]
    paying = {hid_ for one in found for hid_, _ in one.inputs}
    assert not (paying & {hid_ for one in found for hid_, _ in one.outputs}) - set(KEPT)


@given(transactions)
def test_a_movement_joins_only_whom_a_pass_through_connects(rows: list[tuple[int, int, int]]) -> None:
    """Walk the payments like a graph, on through whoever both got and paid: only whom that meets may be joined."""
    real = [row for row in rows if row[0] != row[1]]
    passing = ({payer for payer, _, _ in real} & {payee for _, payee, _ in real}) - set(KEPT)
    for one in netted(pays(*rows), kept):
        together = ({hid_ for hid_, _ in one.inputs + one.outputs} | set(one.through)) - set(KEPT)
        if len(one.inputs) == len(one.outputs) == 1 and not one.through:
            continue
        met = {min(together)}
        edge = list(met)
        while edge:
            here = edge.pop()
            for payer, payee, _ in real:
                if here in (payer, payee) and not {payer, payee} & set(KEPT):
                    edge += [to for to in (payer, payee) if to not in met]
                    met |= {payer, payee}
        assert together <= met
        assert met & passing, "nothing is pooled that nobody passed"


@given(transactions, st.randoms(use_true_random=False))
def test_the_order_of_the_transfers_changes_nothing(rows: list[tuple[int, int, int]], chance: random.Random) -> None:
    other = list(rows)
    chance.shuffle(other)
    assert told(netted(pays(*rows), kept)) == told(netted(pays(*other), kept))


# The ledger

SWAP = """
    1 bank   -> w 100 USDT
    2 w calls router
    2 w -> router 60 USDT
    2 router -> pool 60 USDT
    2 pool -> router 9 WETH
    2 router -> w 9 WETH
    2 w signs
    3 w -> shop 40 USDT
"""


def at(of: Ledger, number: int, position: str) -> int:
    found = of.ordinal(TransferId(ETH.chain, f"0x{number:064x}", position))
    assert found is not None
    return found


def test_a_transaction_is_one_step_at_its_first_transfer_that_moves_anything() -> None:
    of = ledger(SWAP)
    parts = [of.ordinal(one.id) for one in of.of_tx(ETH.chain, f"0x{2:064x}") if one.units and one.id.position != "fee"]
    first = parts[0]
    assert first is not None
    assert {of.step_of(part) for part in parts if part is not None} == {first}
    assert of.step_of(at(of, 2, "tx")) == at(of, 2, "tx"), "a call that moves nothing is no part of it"
    assert [len(of.movements(part)) for part in parts if part is not None] == [2, 0, 0, 0]
    assert [(legs(one), one.through) for one in of.movements(first)] == [
        ((((hid(of, "w", "USDT"), 60),), ((hid(of, "pool", "USDT"), 60),)), (hid(of, "router", "USDT"),)),
        ((((hid(of, "pool", "WETH"), 9),), ((hid(of, "w", "WETH"), 9),)), (hid(of, "router", "WETH"),)),
    ]


def test_a_fee_comes_after_the_step() -> None:
    of = ledger(SWAP)
    fee = at(of, 2, "fee")
    assert of.step_of(fee) == fee > max(of.step_of(one) for one in range(fee))
    assert [legs(one) for one in of.movements(fee)] == [(((hid(of, "w", "ETH"), 1),), ((hid(of, "fee", "ETH"), 1),))]


def test_events_and_balances_are_those_of_the_steps() -> None:
    of = ledger(SWAP)
    usdt, through = hid(of, "w", "USDT"), hid(of, "router", "USDT")
    steps = [of.step_of(at(of, 1, "log:1")), at(of, 2, "log:3"), at(of, 3, "log:8")]
    assert list(of.events(usdt)) == steps
    assert [of.balance_before(usdt, step) for step in steps] == [0, 100, 40]
    assert of.balance_before(usdt, len(of)) == 0
    assert list(of.events(through)) == [], "what only passed through an address is no event of it"
    assert of.balance_before(through, len(of)) == 0


def test_an_address_to_stop_at_is_asked_for_and_stays_in_the_record() -> None:
    of = ledger(SWAP, keep=["router"])
    through = hid(of, "router", "USDT")
    (step,) = of.events(through)
    assert [legs(one) for one in of.movements(step)][:2] == [
        (((hid(of, "w", "USDT"), 60),), ((through, 60),)),
        (((through, 60),), ((hid(of, "pool", "USDT"), 60),)),
    ]


def test_tokens_burned_and_issued_in_one_transaction_join_no_strangers() -> None:
    of = ledger("1 a -> x 10 T\n1 x -> burn 10 T\n1 b -> y 20 T\n1 y -> burn 20 T\n1 issue -> z 5 T\n1 z -> c 5 T")
    found = [legs(one) for one in of.movements(0)]
    assert found == [
        (((hid(of, "a", "T"), 10),), ((hid(of, "burn", "T"), 10),)),
        (((hid(of, "b", "T"), 20),), ((hid(of, "burn", "T"), 20),)),
        (((hid(of, "issue", "T"), 5),), ((hid(of, "c", "T"), 5),)),
    ]


def test_a_hop_names_whom_it_passed_through() -> None:
    of = ledger("1 victim -> w 60 T\n2 w -> x 60 T\n2 x -> y 60 T\n2 y -> e 60 T")
    moves = move(of, Seeds({0: ((1, 60),)}), {hid(of, "w", "T"): len(of)}, Rule.FIFO)
    stops: dict[Spot, StopCode] = {address("e"): StopCode.SERVICE}
    loss = Loss("loss", of.transfer(0).asset, paid=of.transfer(0).id)
    first, second = issue(of, [loss], moves, Between.PARI_PASSU, stops).hops
    assert first.through == ()
    assert (name_of(second.source), name_of(second.target)) == ("w", "e")
    assert sorted(map(name_of, second.through)) == ["x", "y"]
    assert second.lots == ((1, 60),)


# As executed


def exact(text: str, *, order: Order = Order.EXACT) -> Ledger:
    """The drawing, its transfers told in the order of execution."""
    executed = [
        replace(one, id=TransferId(one.id.chain, one.id.tx, one.id.position.replace("log:", "step:")))
        for one in drawn(text)
    ]
    return Ledger.of(executed, order=order)


LOAN = "1 bank -> w 10 T\n2 w -> x 10 T\n2 x -> e 4 T\n2 x -> w 6 T"


def test_as_executed_each_transfer_is_a_step_of_its_own() -> None:
    of = exact(LOAN)
    assert [of.step_of(one) for one in range(len(of))] == [0, 1, 2, 3]
    assert [legs(of.movements(one)[0]) for one in range(1, 4)] == [
        (((hid(of, "w", "T"), 10),), ((hid(of, "x", "T"), 10),)),
        (((hid(of, "x", "T"), 4),), ((hid(of, "e", "T"), 4),)),
        (((hid(of, "x", "T"), 6),), ((hid(of, "w", "T"), 6),)),
    ]
    assert [of.balance_before(hid(of, "x", "T"), one) for one in range(1, 5)] == [0, 10, 6, 0]


def test_the_order_told_is_not_used_unless_it_is_asked_for() -> None:
    of = exact(LOAN, order=Order.ATOMIC)
    assert [of.step_of(one) for one in range(len(of))] == [0, 1, 1, 1]
    (one,) = of.movements(1)
    assert legs(one) == (((hid(of, "w", "T"), 4),), ((hid(of, "e", "T"), 4),))


def test_where_no_order_is_told_none_is_made_up() -> None:
    of = Ledger.of(drawn(LOAN), order=Order.EXACT)
    assert [of.step_of(one) for one in range(len(of))] == [0, 1, 1, 1]


def test_an_exchange_is_one_step_even_as_executed() -> None:
    of = exact("1 w -> p 90 T\n1 p -> w 45 U")
    assert [of.step_of(one) for one in range(len(of))] == [0, 0]
    assert len(of.movements(0)) == 2


def test_what_is_executed_in_turn_moves_the_lots_in_turn() -> None:
    """The clean 10 pass x before the stolen ones come: as executed fifo gives e the clean, netted it cannot tell."""
    text = "1 victim -> w 10 T\n2 bank -> x 10 T\n3 x -> e 10 T\n3 w -> x 10 T"
    of = exact(text)
    followed = {hid(of, "w", "T"): len(of), hid(of, "x", "T"): len(of)}
    moves = move(of, Seeds({0: ((1, 10),)}), followed, Rule.FIFO)
    assert moves.rest == {hid(of, "x", "T"): [(1, 10)]}
    together = exact(text, order=Order.ATOMIC)
    moves = move(together, Seeds({0: ((1, 10),)}), followed, Rule.FIFO)
    assert moves.rest == {}
    assert [together.address(flow.target) for flow in moves.flows][-1] == address("e")


WHO = ("v", "w", "x", "y", "e")
lines = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(WHO), st.sampled_from(WHO), st.integers(1, 20)), min_size=1, max_size=9
)


def ends(of: Ledger) -> dict[str, int]:
    """What everybody has more at the end, by the movements of the steps."""
    found: dict[str, int] = {}
    for step in range(len(of)):
        for hid_, units in net(of.movements(step)).items():
            name = name_of(of.address(hid_))
            found[name] = found.get(name, 0) + units
    return {name: units for name, units in found.items() if units}


def recorded(transfers: Sequence[Transfer]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in transfers:
        for sign, side in ((-1, one.inputs), (1, one.outputs)):
            for leg in side:
                found[name_of(leg.address)] = found.get(name_of(leg.address), 0) + sign * leg.units
    return {name: units for name, units in found.items() if units}


@given(lines, st.sampled_from(Order), st.randoms(use_true_random=False))
def test_the_steps_add_up_to_the_record_in_either_order_and_however_it_came(
    rows: list[tuple[int, str, str, int]], order: Order, chance: random.Random
) -> None:
    text = "\n".join(f"{number} {payer} -> {payee} {units} T" for number, payer, payee, units in sorted(rows))
    of = exact(text, order=order)
    again = list(of.transfers)
    chance.shuffle(again)
    assert ends(of) == recorded(of.transfers) == ends(Ledger.of(again, order=order))


def test_a_loss_may_be_a_transfer_of_whom_it_only_passed_through() -> None:
    of = ledger("1 victim -> w 60 T\n2 w -> x 60 T\n2 x -> e 60 T")
    told_of = of.transfer(2)
    seeds = seeds_of(of, [Loss("loss", told_of.asset, paid=told_of.id)])
    assert move(of, seeds, {}, Rule.FIFO).lost == {1: 60}
