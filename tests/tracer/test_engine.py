"""The engine on ledgers one can follow by eye: what is followed, what was not seen to come, what is cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from drawing import Drawn, hid_of, resting, wallet_losses
from drawing import rows as random_rows
from notation import ETH, ETHEREUM, ledger, name_of, transfers
from tracer.engine import move
from tracer.ledger import Ledger
from tracer.lots import Rule
from tracer.moves import Seeds
from tracer.reach import reach
from tracer.values import UNKNOWN_INDEX, Asset

RULES = pytest.mark.parametrize("rule", Rule)
EVERYTHING = 2**256 - 1
EDGES = (1, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1)


def wallets(of: Ledger, **until: int | None) -> dict[int, int]:
    """The holdings that are followed, each to the given ordinal, or to the end."""
    found = {hid_of(of, name): len(of) if last is None else last for name, last in until.items()}
    return {hid: last for hid, last in found.items() if hid is not None}


@RULES
@pytest.mark.parametrize("units", EDGES)
def test_amounts_of_any_width_are_moved_to_the_unit(rule: Rule, units: int) -> None:
    of = ledger(f"1 victim -> w {units}\n2 w -> x {units}\n3 x -> shop {units - 1} gas 1")
    moves = move(of, Seeds({0: ((1, EVERYTHING),)}), wallets(of, w=None, x=None), rule)
    expected = {"shop": {1: units - 1}, "-": {1: 1}}
    assert resting(of, moves) == {name: lots for name, lots in expected.items() if lots[1]}


@RULES
def test_a_wallet_may_hold_more_than_one_payment_can_be(rule: Rule) -> None:
    most = 2**256 - 1
    of = ledger(f"1 victim -> w {most}\n2 victim -> w {most}\n3 w -> a {most}\n4 w -> b {most}")
    moves = move(of, Seeds({0: ((1, EVERYTHING),), 1: ((2, EVERYTHING),)}), wallets(of, w=None), rule)
    found = resting(of, moves)
    assert {name: sum(by_label.values()) for name, by_label in found.items()} == {"a": most, "b": most}
    assert moves.lost == {1: most, 2: most}


@RULES
def test_who_is_not_followed_keeps_what_came(rule: Rule) -> None:
    of = ledger("1 victim -> w 60\n2 w -> x 60\n3 x -> shop 60")
    moves = move(of, Seeds({0: ((1, EVERYTHING),)}), wallets(of, w=None), rule)
    assert resting(of, moves) == {"x": {1: 60}}


@RULES
def test_a_history_that_is_cut_freezes_what_is_there(rule: Rule) -> None:
    of = ledger("1 victim -> w 60\n2 w -> a 10\n3 w -> b 20\n4 victim -> w 5\n5 w -> a 15")
    seeds = Seeds({0: ((1, EVERYTHING),), 3: ((1, EVERYTHING),)})
    assert resting(of, move(of, seeds, wallets(of, w=1), rule)) == {"a": {1: 10}, "w": {1: 55}}
    assert resting(of, move(of, seeds, wallets(of, w=2), rule)) == {"a": {1: 10}, "b": {1: 20}, "w": {1: 35}}
    assert resting(of, move(of, seeds, wallets(of, w=-1), rule)) == {"w": {1: 65}}


@RULES
def test_what_was_not_seen_to_come_is_said_and_is_not_stolen(rule: Rule) -> None:
    of = ledger("1 victim -> w 60\n2 w -> a 100\n3 friend -> w 7\n4 w -> b 7")
    moves = move(of, Seeds({0: ((1, EVERYTHING),)}), wallets(of, w=None), rule)
    assert resting(of, moves) == {"a": {1: 60}}
    assert {name_of(of.address(hid)): units for hid, units in moves.unseen.items()} == {"w": {0: 40}}


@RULES
@pytest.mark.parametrize("paid", ["2 a -> b 2", "2 a -> b 1\n3 a -> b 1"])
def test_what_was_not_seen_to_come_leaves_last_however_the_payment_is_cut(rule: Rule, paid: str) -> None:
    of = ledger(f"1 victim -> a 1\n{paid}\n4 b -> shop 1")
    moves = move(of, Seeds({0: ((1, 1),)}), wallets(of, a=None, b=None), rule)
    stays = rule in (Rule.LIFO, Rule.CLEAN_FIRST, Rule.PRO_RATA)  # half a unit is rounded down
    assert resting(of, moves) == ({"b": {1: 1}} if stays else {"shop": {1: 1}})


@RULES
def test_of_a_wallet_that_is_the_loss_what_was_not_seen_to_come_is_stolen_too(rule: Rule) -> None:
    of = ledger("1 friend -> w 60\n2 w -> a 100")
    w = hid_of(of, "w")
    assert w is not None
    moves = move(of, Seeds({0: ((1, 60),)}, {w: 1}), {w: len(of)}, rule)
    assert (moves.lost, moves.unseen) == ({1: 100}, {w: {1: 40}})
    assert resting(of, moves) == {"a": {1: 100}}


@RULES
def test_an_unseen_inflow_before_the_day_of_the_loss_is_clean(rule: Rule) -> None:
    of = ledger("1 w -> a 10\n2 w -> b 20")
    w = hid_of(of, "w")
    assert w is not None
    moves = move(of, Seeds({}, {w: 1}, since={w: 1}), {w: len(of)}, rule)
    assert resting(of, moves) == {"b": {1: 20}}
    assert moves.unseen == {w: {0: 10, 1: 20}}


@RULES
def test_a_cap_is_all_that_a_loss_can_be(rule: Rule) -> None:
    of = ledger("1 friend -> w 60\n2 friend -> w 60\n3 w -> a 150")
    w = hid_of(of, "w")
    assert w is not None
    moves = move(of, Seeds({0: ((1, 60),), 1: ((1, 60),)}, {w: 1}, {1: 100}), {w: len(of)}, rule)
    assert moves.lost == {1: 100}
    assert resting(of, moves) == {"a": {1: 100}}
    assert moves.unseen == {w: {0: 30, 1: 0}} or moves.unseen == {w: {0: 30}}


def test_the_first_units_of_a_payment_are_the_loss() -> None:
    of = ledger("1 victim -> w 60\n2 w -> a 30\n3 w -> b 30")
    moves = move(of, Seeds({0: ((1, 30),)}), wallets(of, w=None), Rule.FIFO)
    assert resting(of, moves) == {"a": {1: 30}}


@RULES
def test_what_is_one_victims_already_does_not_become_anothers(rule: Rule) -> None:
    of = ledger("1 anna -> w 60\n2 w -> x 60\n3 x -> shop 60")
    moves = move(of, Seeds({0: ((1, EVERYTHING),), 1: ((2, EVERYTHING),)}), wallets(of, w=None, x=None), rule)
    assert resting(of, moves) == {"shop": {1: 60}}
    assert moves.lost == {1: 60, 2: 0}


def test_lots_keep_their_order_through_a_payment() -> None:
    """anna 3, clean 2, berta 4 are passed on whole: FIFO in that order, LIFO in the order in which they left."""
    drawn = "1 anna -> w 3\n2 friend -> w 2\n3 berta -> w 4\n4 w -> x 9\n5 x -> shop 4"
    of = ledger(drawn)
    seeds = Seeds({0: ((1, EVERYTHING),), 2: ((2, EVERYTHING),)})
    assert resting(of, move(of, seeds, wallets(of, w=None, x=None), Rule.FIFO)) == {"shop": {1: 3}, "x": {2: 4}}
    assert resting(of, move(of, seeds, wallets(of, w=None, x=None), Rule.LIFO)) == {"shop": {1: 3}, "x": {2: 4}}
    assert resting(of, move(of, seeds, wallets(of, w=None, x=None), Rule.TAINT_FIRST)) == {
        "shop": {1: 2, 2: 2},
        "x": {1: 1, 2: 2},
    }


def test_in_one_block_payments_follow_their_place() -> None:
    """In and out at equal times: first in first out pays the clean, last in first out the stolen."""
    of = ledger("7 friend -> w 5\n7 victim -> w 5\n7 w -> shop 5")
    seeds = Seeds({1: ((1, EVERYTHING),)})
    assert resting(of, move(of, seeds, wallets(of, w=None), Rule.FIFO)) == {"w": {1: 5}}
    assert resting(of, move(of, seeds, wallets(of, w=None), Rule.LIFO)) == {"shop": {1: 5}}
    unknown = Ledger.of(replace(t, index=UNKNOWN_INDEX) for t in of.transfers)
    again = Ledger.of(reversed(unknown.transfers))
    assert unknown.transfers == again.transfers, "an order that nobody tells is still one order"


@RULES
def test_one_asset_is_not_another(rule: Rule) -> None:
    token = Asset(ETHEREUM, "0xt", "T", 6)
    of = Ledger.of(
        [*transfers("1 victim -> w 60\n9 w -> shop 60", token), *transfers("2 friend -> w 60\n3 w -> bank 60")]
    )
    w = of.hid(replace(of.transfers[0].outputs[0]).holding)
    assert w is not None
    moves = move(of, Seeds({0: ((1, EVERYTHING),)}), dict.fromkeys(wallets(of, w=None), len(of)) | {w: len(of)}, rule)
    assert resting(of, moves) == {"shop": {1: 60}}
    assert {of.transfer(flow.ordinal).asset for flow in moves.flows} == {token}
    assert token != ETH


@RULES
def test_payments_from_nobody_stolen_from_are_not_visited(rule: Rule) -> None:
    of = ledger("1 victim -> w 5\n2 x -> y 9\n3 y -> x 9\n4 w -> shop 5")
    moves = move(of, Seeds({0: ((1, EVERYTHING),)}), wallets(of, w=None, x=None, y=None), rule)
    assert [flow.ordinal for flow in moves.flows] == [0, 3]
    assert moves.followed.keys() == wallets(of, w=None, x=None, y=None).keys()


def test_poison_reaches_on_after_the_wallet_was_emptied_and_is_no_accounting() -> None:
    of = ledger("1 victim -> w 5\n2 w -> a 5\n3 friend -> w 5\n4 w -> b 5\n5 w -> c 0\n6 friend -> d 5")
    reached = reach(of, Seeds({0: ((1, EVERYTHING),)}), wallets(of, w=None))
    assert {name_of(of.address(hid)): ordinal for hid, ordinal in reached.items()} == {"w": 0, "a": 1, "b": 3}


def test_poison_stops_where_a_history_is_cut() -> None:
    of = ledger("1 victim -> w 5\n2 w -> a 2\n3 w -> b 3")
    reached = reach(of, Seeds({0: ((1, EVERYTHING),)}), wallets(of, w=1))
    assert {name_of(of.address(hid)) for hid in reached} == {"w", "a"}


@given(wallet_losses(random_rows()))
def test_all_that_left_a_wallet_that_is_the_loss_was_stolen(of: Drawn) -> None:
    for rule in Rule:
        flows = (
            [f for f in of.moves(rule).flows if name_of(of.ledger.address(f.source)) == "a"]
            if "a" in of.stolen(rule)
            else []
        )
        assert all(
            sum(units for _, units in flow.lots) == of.rows[flow.ordinal][2] for flow in flows if flow.source >= 0
        )
