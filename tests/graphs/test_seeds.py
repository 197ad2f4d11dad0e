"""From losses as reported to where stolen value enters a ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drawing import hid_of
from graphs.seeds import seeds_of
from notation import ETH, ETHEREUM, address, ledger, payment, transfers
from tracer.errors import InputError
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.values import Asset, Slot, Transfer, TransferId

DRAWN = "1 victim -> w 60\n2 friend -> w 40\n3 w -> w 5\n4 w -> shop 90 gas 1\n5 friend -> w 0"


def test_a_payment_is_a_loss_whole_or_in_part() -> None:
    of = ledger(DRAWN)
    losses = (Loss("one", ETH, paid=payment(1)), Loss("two", ETH, paid=payment(2), units=30))
    seeds = seeds_of(of, losses)
    assert seeds.paid == {0: ((1, 60),), 1: ((2, 30),)}
    assert seeds.caps == {2: 30}


def test_a_payment_that_is_not_in_the_data_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError, match=payment(77).tx) as caught:
        seeds_of(ledger(DRAWN), (Loss("one", ETH, paid=payment(77)),))
    assert caught.value.hint


def test_a_wallet_is_a_loss_by_all_it_received_and_nothing_it_paid_itself() -> None:
    of = ledger(DRAWN)
    seeds = seeds_of(of, (Loss("all", ETH, wallet=address("w")),))
    w = hid_of(of, "w")
    assert seeds.paid == {}
    assert seeds.legs == {0: ((w, 1, 60),), 1: ((w, 1, 40),)}
    assert seeds.unseen == {w: 1}


def test_a_wallet_from_a_block_on() -> None:
    of = ledger(DRAWN)
    seeds = seeds_of(of, (Loss("all", ETH, wallet=address("w"), since=2),))
    w = hid_of(of, "w")
    assert (seeds.paid, seeds.legs) == ({}, {1: ((w, 1, 40),)})
    assert seeds.since == {w: 1}
    after = seeds_of(of, (Loss("all", ETH, wallet=address("w"), since=99),))
    assert (after.paid, after.legs, after.since) == ({}, {}, {w: len(of)})


def test_a_wallet_that_was_not_read_yet_enters_nothing() -> None:
    seeds = seeds_of(ledger(DRAWN), (Loss("all", ETH, wallet=address("stranger")),))
    assert (seeds.paid, seeds.legs, seeds.unseen) == ({}, {}, {})


def test_a_wallet_is_a_loss_in_its_own_asset_only() -> None:
    token = Asset(ETHEREUM, "0xt", "T", 6)
    of = Ledger.of([*transfers("1 friend -> w 5"), *transfers("2 friend -> w 7", token)])
    seeds = seeds_of(of, (Loss("all", token, wallet=address("w")),))
    tokens = of.hid(Slot(address("w"), token))
    assert (seeds.paid, seeds.legs) == ({}, {1: ((tokens, 1, 7),)})


def test_two_losses_cannot_both_be_all_of_one_wallet() -> None:
    both = (Loss("one", ETH, wallet=address("w")), Loss("two", ETH, wallet=address("w")))
    with pytest.raises(InputError, match="two losses"):
        seeds_of(ledger(DRAWN), both)


@pytest.mark.parametrize("where", [{}, {"paid": payment(1), "wallet": address("w")}])
def test_a_loss_enters_by_one_payment_or_by_one_wallet(where: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one transfer or by one wallet"):
        Loss("odd", ETH, **where)  # type: ignore[arg-type]


@pytest.mark.parametrize("units", [-1, True, 1.5, "60"])
def test_a_loss_of_no_amount_is_refused(units: object) -> None:
    with pytest.raises((InputError, TypeError, ValueError)):
        Loss("odd", ETH, paid=payment(1), units=units)  # type: ignore[arg-type]


def test_an_event_is_not_taken_for_the_inner_call_of_the_same_number() -> None:
    token = Asset(ETHEREUM, "0xt", "T", 6)
    call, event = next(transfers("1 x -> y 5")), next(transfers("1 victim -> w 60", token))
    of = Ledger.of([_at(call, "trace:7"), _at(event, "log:7")])
    (ordinal,) = seeds_of(of, (Loss("one", token, paid=_at(event, "log:7").id),)).paid
    assert of.transfer(ordinal).asset == token


def _at(transfer: Transfer, position: str) -> Transfer:
    return replace(transfer, id=TransferId(ETHEREUM, transfer.id.tx, position))


@pytest.mark.parametrize(
    ("losses", "most"),
    [
        ((Loss("one", ETH, paid=payment(1)), Loss("two", ETH, paid=payment(2), units=30)), 60 + 30),
        ((Loss("all", ETH, wallet=address("w")),), 60 + 40),
        ((Loss("all", ETH, wallet=address("w"), units=70),), 70),
        ((Loss("all", ETH, wallet=address("w"), since=2), Loss("one", ETH, paid=payment(1))), 40 + 60),
        ((Loss("all", ETH, wallet=address("shop")),), 90),
        ((Loss("unseen", ETH, wallet=address("friend")),), 40),  # what it paid without having been seen to get it
    ],
)
def test_the_most_that_can_be_lost_hangs_on_no_rule(losses: tuple[Loss, ...], most: int) -> None:
    of = ledger(DRAWN)
    assert seeds_of(of, losses).most(of) == most
