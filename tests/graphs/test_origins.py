"""Backward: whose money arrived in a wallet, drawn as ledgers. Its books always close."""

from __future__ import annotations

import pytest
from hypothesis import given

from drawing import Row, rows, written
from graphs.origins import BACKWARD_RULES, Origins, originate
from graphs.stops import StopRules
from notation import ETH, address, ledger, name_of
from tracer.coverage import State
from tracer.errors import InputError
from tracer.labels import Label, LabelBook, Role
from tracer.losses import Loss
from tracer.lots import Rule
from tracer.trace import Place, StopCode

NO_DUST = StopRules(dust_one_in=0)


def asked(text: str, wallet: str = "w", since: int = 0, book: LabelBook | None = None, **states: State) -> Origins:
    of = ledger(text, coverage=states)
    return originate(of, book or LabelBook(), (Loss("in", ETH, wallet=address(wallet), since=since),), NO_DUST)


def came(found: Origins, rule: Rule = Rule.FIFO) -> dict[str, int]:
    """By origin, after checking that the books close and that the bounds hold."""
    bounds = found.bounds()
    for trace in found.traces().values():
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed == found.received()
        for end in trace.ends:
            assert bounds[end.place].least <= end.units <= bounds[end.place].most
    return {name_of(end.place.address): end.units for end in found.traces()[rule].ends}


def exchange(name: str) -> LabelBook:
    return LabelBook([Label(address(name), "Acme", "Acme 1", Role.EXCHANGE, "us", None, 50, "sha256:0")])


def test_money_is_followed_back_to_the_service_it_came_from() -> None:
    found = asked("1 acme -> a 60\n2 friend -> a 40\n3 a -> w 50", book=exchange("acme"), friend=State.NOT_RECORDED)
    assert came(found, Rule.FIFO) == {"acme": 50}
    assert came(found, Rule.LIFO) == {"acme": 10, "friend": 40}
    assert came(found, Rule.PRO_RATA) == {"acme": 30, "friend": 20}
    assert {name_of(a): stop.code for a, stop in found.stops.items()} == {
        "acme": StopCode.EXCHANGE, "friend": StopCode.NOT_READ, "a": StopCode.NOT_SHOWN, "w": StopCode.NOT_SHOWN,
    }  # fmt: skip
    bounds = found.bounds()
    assert (bounds[Place(ETH, address("acme"))].least, bounds[Place(ETH, address("acme"))].most) == (10, 50)


def test_the_wallets_own_money_that_comes_back_is_not_somebodys() -> None:
    found = asked("1 x -> a 100\n2 a -> w 50\n3 w -> a 30\n4 a -> w 80", x=State.NOT_RECORDED)
    assert came(found) == {"x": 100, "w": 30}


def test_inflow_that_is_not_shown_is_an_origin_of_its_own() -> None:
    found = asked("1 x -> a 10\n2 a -> w 50\n3 w -> y 70", x=State.NOT_RECORDED)
    assert came(found) == {"x": 10, "a": 40, "w": 20}
    assert found.stops[address("a")].code is StopCode.NOT_SHOWN


def test_since_counts_what_came_from_that_block_on() -> None:
    found = asked(
        "1 x -> w 10\n2 x -> a 7\n3 a -> w 5\n5 y -> w 10\n6 a -> w 2", since=5, x=State.FAILED, y=State.FAILED
    )
    assert came(found) == {"y": 10, "x": 2}


def test_a_cut_history_on_the_way_leaves_what_came_after_unexplained() -> None:
    found = asked("1 x -> a 10\n2 a -> w 10", a=State.CUT, x=State.NOT_RECORDED)
    assert sum(came(found).values()) == 10


def test_backward_needs_one_wallet() -> None:
    with pytest.raises(InputError, match="needs one wallet"):
        originate(ledger("1 x -> w 10"), LabelBook(), ())


@given(rows(20, 9))
def test_whatever_happened_all_that_came_has_an_origin_and_the_books_close(drawn: list[Row]) -> None:
    found = asked(written([("victim", "a", 1), *drawn]), "a")
    assert set(found.moves) == set(BACKWARD_RULES)
    for rule in BACKWARD_RULES:
        assert sum(came(found, rule).values()) == found.received()
