"""The worked numbers of the method, as ledgers: each rule, what is left, how far poison reaches, the envelope.

Where a figure of the design is a fraction, the ledger is drawn in units small enough to make it whole; where it cannot
be (A5 in units, see there), the largest remainder is what is checked.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing import hid_of, resting
from notation import ledger, name_of
from tracer.engine import move
from tracer.envelope import Bounds, envelope
from tracer.ledger import Ledger
from tracer.lots import Between, Rule
from tracer.moves import Seeds
from tracer.reach import reach

RULES = pytest.mark.parametrize("rule", Rule)
EVERYTHING = 2**256 - 1


def follow(drawn: Ledger, wallets: str) -> dict[int, int]:
    found = {hid_of(drawn, name): len(drawn) for name in wallets.split()}
    return {hid: last for hid, last in found.items() if hid is not None}


def stolen(
    drawn: Ledger, rule: Rule, wallets: str = "w", payers: str = "thief", between: Between = Between.PARI_PASSU
) -> dict[str, int]:
    """Where the stolen units rest: whatever each of `payers` paid is stolen, each a loss of its own."""
    moves = move(drawn, seeds(drawn, payers), follow(drawn, wallets), rule, between)
    return {name: sum(by_label.values()) for name, by_label in resting(drawn, moves).items()}


def seeds(drawn: Ledger, payers: str = "thief") -> Seeds:
    paid = {}
    for label, payer in enumerate(payers.split(), start=1):
        for ordinal in drawn.events(hid_of(drawn, payer) or 0):
            if drawn.inputs(ordinal)[0][0] == hid_of(drawn, payer):
                paid[ordinal] = ((label, EVERYTHING),)
    return Seeds(paid)


def bounds(drawn: Ledger, wallets: str = "w", payers: str = "thief") -> dict[str, tuple[int, int]]:
    found = envelope(drawn, seeds(drawn, payers), follow(drawn, wallets))
    return {name_of(place.address): (b.least, b.most) for place, b in found.items()}


def poisoned(drawn: Ledger, wallets: str = "w") -> set[str]:
    return {name_of(drawn.address(hid)) for hid in reach(drawn, seeds(drawn), follow(drawn, wallets))}


# A1: commingling. In tenths, so that half units of the design are whole.
A1 = """
    1 friend -> w 1000
    2 thief  -> w 600
    3 w      -> a 800
    4 friend -> w 400
    5 w      -> b 500
    6 w      -> z 700
"""


@pytest.mark.parametrize(
    ("rule", "a", "b", "z", "left"),
    [
        (Rule.PRO_RATA, 300, 125, 175, 0),
        (Rule.FIFO, 0, 300, 300, 0),
        (Rule.LIFO, 600, 0, 0, 0),
        (Rule.CLEAN_FIRST, 0, 0, 600, 0),
        (Rule.TAINT_FIRST, 600, 0, 0, 0),
    ],
)
def test_a1_commingling(rule: Rule, a: int, b: int, z: int, left: int) -> None:
    found = stolen(ledger(A1), rule)
    assert [found.get(name, 0) for name in ("a", "b", "z", "w")] == [a, b, z, left]


def test_a1_poison_reaches_all_three_and_the_envelope_bounds_them() -> None:
    assert poisoned(ledger(A1)) == {"w", "a", "b", "z"}
    assert bounds(ledger(A1)) == {"a": (0, 600), "b": (0, 500), "z": (0, 600)}


# A2: the balance dips to 25 and is topped up with clean money, which does not restore the claim.
A2 = """
    1 thief  -> w 600
    2 friend -> w 400
    3 w      -> a 750
    4 friend -> w 1000
    5 w      -> b 300
"""


@pytest.mark.parametrize(
    ("rule", "a", "b", "left"),
    [
        (Rule.PRO_RATA, 450, 36, 114),
        (Rule.FIFO, 600, 0, 0),
        (Rule.LIFO, 350, 0, 250),
        (Rule.CLEAN_FIRST, 350, 0, 250),
        (Rule.TAINT_FIRST, 600, 0, 0),
    ],
)
def test_a2_clean_money_does_not_restore_the_claim(rule: Rule, a: int, b: int, left: int) -> None:
    found = stolen(ledger(A2), rule)
    assert [found.get(name, 0) for name in ("a", "b", "w")] == [a, b, left]


def test_a2_envelope() -> None:
    assert bounds(ledger(A2)) == {"a": (350, 600), "b": (0, 250), "w": (0, 250)}
    assert poisoned(ledger(A2)) == {"w", "a", "b"}


# A3: out and back, then a payment; and the same with a payment to oneself, which is nothing at all.
A3 = """
    1 thief  -> w 10
    2 friend -> w 10
    3 w      -> x 10
    4 x      -> w 10
    5 w      -> e 10
"""
A3_TO_ITSELF = """
    1 thief  -> w 10
    2 friend -> w 10
    3 w      -> w 10
    4 w      -> e 10
"""


@pytest.mark.parametrize(
    ("rule", "e", "left"),
    [
        (Rule.FIFO, 0, 10),
        (Rule.LIFO, 0, 10),
        (Rule.PRO_RATA, 5, 5),
        (Rule.CLEAN_FIRST, 0, 10),
        (Rule.TAINT_FIRST, 10, 0),
    ],
)
def test_a3_a_round_trip_ends_and_loses_nothing(rule: Rule, e: int, left: int) -> None:
    found = stolen(ledger(A3), rule, "w x")
    assert [found.get(name, 0) for name in ("e", "w", "x")] == [e, left, 0]


def test_a3_envelope_and_poison() -> None:
    assert bounds(ledger(A3), "w x") == {"e": (0, 10), "w": (0, 10)}
    assert poisoned(ledger(A3), "w x") == {"w", "x", "e"}


@pytest.mark.parametrize(
    ("rule", "e"),
    [(Rule.FIFO, 10), (Rule.LIFO, 0), (Rule.PRO_RATA, 5), (Rule.CLEAN_FIRST, 0), (Rule.TAINT_FIRST, 10)],
)
def test_a3_a_payment_to_oneself_does_not_turn_the_queue(rule: Rule, e: int) -> None:
    found = stolen(ledger(A3_TO_ITSELF), rule)
    assert [found.get(name, 0) for name in ("e", "w")] == [e, 10 - e]
    assert bounds(ledger(A3_TO_ITSELF)) == {"e": (0, 10), "w": (0, 10)}


# A5: the fee comes last. In thirtieths of a coin, so that 1/15 and 14/15 are whole.
A5 = """
    1 thief  -> w 60
    2 friend -> w 30
    3 w      -> a 45 gas 3
"""


@pytest.mark.parametrize(
    ("rule", "a", "fee", "left"),
    [
        (Rule.FIFO, 45, 3, 12),
        (Rule.PRO_RATA, 30, 2, 28),
        (Rule.LIFO, 15, 3, 42),
        (Rule.CLEAN_FIRST, 15, 3, 42),
        (Rule.TAINT_FIRST, 45, 3, 12),
    ],
)
def test_a5_gas_is_paid_after_the_value(rule: Rule, a: int, fee: int, left: int) -> None:
    found = stolen(ledger(A5), rule)
    assert [found.get(name, 0) for name in ("a", "-", "w")] == [a, fee, left]


def test_a5_in_tenths_rounds_by_largest_remainder() -> None:
    """20 stolen and 10 clean pay 15, then 1 of gas from 10 stolen and 5 clean: two thirds of it is nearer 1 than 0."""
    found = stolen(ledger("1 thief -> w 20\n2 friend -> w 10\n3 w -> a 15 gas 1"), Rule.PRO_RATA)
    assert found == {"a": 10, "-": 1, "w": 9}


def test_a5_envelope_and_poison() -> None:
    assert bounds(ledger(A5)) == {"a": (15, 45), "-": (0, 3), "w": (12, 42)}
    assert poisoned(ledger(A5)) == {"w", "a", "-"}


# M1: two victims in one wallet.
M1 = """
    1 anna  -> w 50
    2 berta -> w 50
    3 w     -> e 50
"""


@pytest.mark.parametrize(
    ("rule", "between", "anna", "berta"),
    [
        (Rule.FIFO, Between.PARI_PASSU, 50, 0),
        (Rule.LIFO, Between.PARI_PASSU, 0, 50),
        (Rule.PRO_RATA, Between.PARI_PASSU, 25, 25),
        (Rule.TAINT_FIRST, Between.PARI_PASSU, 25, 25),
        (Rule.CLEAN_FIRST, Between.PARI_PASSU, 25, 25),
        (Rule.PRO_RATA, Between.FIRST_IN_FIRST_OUT, 50, 0),
        (Rule.TAINT_FIRST, Between.FIRST_IN_FIRST_OUT, 50, 0),
        (Rule.CLEAN_FIRST, Between.FIRST_IN_FIRST_OUT, 50, 0),
        (Rule.PRO_RATA, Between.PRIORITY, 50, 0),
        (Rule.TAINT_FIRST, Between.PRIORITY, 50, 0),
        (Rule.CLEAN_FIRST, Between.PRIORITY, 50, 0),
    ],
)
def test_m1_two_victims_share_one_wallet(rule: Rule, between: Between, anna: int, berta: int) -> None:
    drawn = ledger(M1)
    found = resting(drawn, move(drawn, seeds(drawn, "anna berta"), follow(drawn, "w"), rule, between))
    assert {label: units for label, units in found["e"].items() if units} == {
        label: units for label, units in ((1, anna), (2, berta)) if units
    }
    assert sum(found["w"].values()) == 50


def test_m1_priority_is_the_order_of_the_losses_not_of_the_payments() -> None:
    drawn = ledger(M1)
    moves = move(drawn, seeds(drawn, "berta anna"), follow(drawn, "w"), Rule.TAINT_FIRST, Between.PRIORITY)
    assert resting(drawn, moves) == {"e": {1: 50}, "w": {2: 50}}


def test_m1_the_victims_together_leave_no_choice() -> None:
    assert bounds(ledger(M1), payers="anna berta") == {"e": (50, 50), "w": (50, 50)}


def test_m1_one_victim_alone_may_be_all_or_none_of_it() -> None:
    assert bounds(ledger(M1), payers="anna") == {"e": (0, 50), "w": (0, 50)}


# E1: the provable minimum.
E1 = """
    1 thief  -> w 60
    2 friend -> w 40
    3 w      -> e 90
"""


@pytest.mark.parametrize(
    ("rule", "e"),
    [(Rule.FIFO, 60), (Rule.PRO_RATA, 54), (Rule.LIFO, 50), (Rule.CLEAN_FIRST, 50), (Rule.TAINT_FIRST, 60)],
)
def test_e1_each_rule(rule: Rule, e: int) -> None:
    assert stolen(ledger(E1), rule).get("e", 0) == e


def test_e1_at_least_fifty_of_ninety_under_every_rule() -> None:
    found = envelope(ledger(E1), seeds(ledger(E1)), follow(ledger(E1), "w"))
    assert {name_of(place.address): b for place, b in found.items()} == {"e": Bounds(50, 60), "w": Bounds(0, 10)}
    assert not Bounds(50, 60).rule_independent
    assert Bounds(7, 7).rule_independent


@given(
    st.integers(0, 50),
    st.integers(1, 80),
    st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=12),
)
def test_the_lowest_intermediate_balance_is_what_clean_first_leaves(
    before: int, deposit: int, events: list[tuple[bool, int]]
) -> None:
    """Roscoe v Winder in closed form: one deposit, claim = min(deposit, lowest balance since)."""
    lines, balance = [f"1 friend -> w {before}", f"2 thief -> w {deposit}"], before + deposit
    lowest = balance
    for block, (comes, wanted) in enumerate(events, start=3):
        units = wanted if comes else min(wanted, balance)
        balance += units if comes else -units
        lowest = min(lowest, balance)
        lines.append(f"{block} friend -> w {units}" if comes else f"{block} w -> shop {units}")
        drawn = ledger("\n".join(lines))
        assert stolen(drawn, Rule.CLEAN_FIRST).get("w", 0) == min(deposit, lowest)


@RULES
def test_after_the_wallet_was_emptied_nothing_restores_the_claim(rule: Rule) -> None:
    drawn = ledger("1 thief -> w 60\n2 w -> a 60\n3 friend -> w 60\n4 w -> b 30")
    assert stolen(drawn, rule) == {"a": 60}
