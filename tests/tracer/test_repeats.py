"""One movement that two sources name in two ways moves once; likes that are several are all counted."""

from __future__ import annotations

import pytest

from notation import ETH, ETHEREUM, address
from tracer.ledger import Ledger
from tracer.values import Asset, Block, Leg, Slot, Transfer, TransferId

A, B, C = map(address, "abc")
TOKEN = Asset(ETHEREUM, "0x" + "7" * 40, "TOK", 6)
TX = "0x" + "1" * 64
MADE_UP, OTHER = 231_910_936_770_334, 15_951_946_565_745


def moves(*told: str, asset: Asset = TOKEN, units: int = 5) -> list[Transfer]:
    """A pays B so much at each of these positions of one transaction."""
    legs = (Leg.slot(A, asset, units),), (Leg.slot(B, asset, units),)
    return [Transfer(TransferId(ETHEREUM, TX, each), Block(7, 1_600_000_084), 0, asset, *legs, ("-",)) for each in told]


def got(transfers: list[Transfer], asset: Asset = TOKEN) -> int:
    ledger = Ledger.of(transfers)
    hid = ledger.hid(Slot(B, asset))
    assert hid is not None
    return ledger.balance_before(hid, len(ledger))


@pytest.mark.parametrize(
    ("told", "times"),
    [
        (("log:4",), 1),
        (("log:4", f"log:{MADE_UP}_0"), 1),
        (("log:4", "log:6", f"log:{MADE_UP}_0"), 2),
        (("log:4", f"log:{MADE_UP}_0", f"log:{MADE_UP}_1"), 2),
        (("log:4", "log:6", f"log:{MADE_UP}_0", f"log:{MADE_UP}_1", f"log:{OTHER}_0"), 2),
        ((f"log:{MADE_UP}_0", f"log:{MADE_UP}_1"), 2),
        (("log:4", "log:6"), 2),
    ],
)
def test_likes_are_as_many_as_the_source_with_the_most_of_them_says(told: tuple[str, ...], times: int) -> None:
    assert got(moves(*told)) == 5 * times
    assert got(moves(*reversed(told))) == 5 * times
    assert len(Ledger.of(moves(*told))) == len(told), "what was told stays told"


@pytest.mark.parametrize(
    ("told", "times"),
    [
        (("trace:0_1", f"trace:{2**48}_3"), 1),
        (("trace:0_1", f"trace:{2**48}_3", f"trace:{MADE_UP}_0"), 1),
        (("trace:0_1", "trace:0_2", f"trace:{2**48}_3"), 2),
        (("tx", "trace:0_1"), 2),
        (("tx", f"trace:{2**48}_1"), 2),  # the call of the transaction itself, and one inside it
    ],
)
def test_so_it_is_with_calls(told: tuple[str, ...], times: int) -> None:
    assert got(moves(*told, asset=ETH), ETH) == 5 * times


def test_what_differs_in_who_or_how_much_is_something_else() -> None:
    more = moves(f"log:{MADE_UP}_0", units=6)
    assert got([*moves("log:4"), *more]) == 11
    legs = (Leg.slot(A, TOKEN, 5),), (Leg.slot(C, TOKEN, 5),)
    other = Transfer(TransferId(ETHEREUM, TX, f"log:{OTHER}_0"), Block(7, 1_600_000_084), 0, TOKEN, *legs, ("-",))
    assert got([*moves("log:4"), other]) == 5


def test_a_repeat_belongs_to_the_step_of_what_it_repeats() -> None:
    ledger = Ledger.of(moves("log:4", f"log:{MADE_UP}_0"))
    first, second = (ledger.ordinal(one.id) for one in ledger.transfers)
    assert first is not None
    assert second is not None
    assert ledger.step_of(second) == first
