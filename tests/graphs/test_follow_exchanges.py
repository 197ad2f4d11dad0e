"""Following through exchanges as a whole: what a launderer may try, and that every rule stays inside the bounds."""

from __future__ import annotations

import pytest

from drawn_exchanges import asset, drawn, labels
from followed_exchanges import followed
from graphs.following import Following
from notation import ETH, address, name_of
from tracer.labels import Label, LabelBook, Role
from tracer.losses import Loss
from tracer.lots import Between, Rule


def resting(found: Following, rule: Rule) -> dict[tuple[str, str], int]:
    """(name, symbol) -> units at each end."""
    ends = found.traces()[rule].ends
    return {(name_of(end.place.address), end.place.asset.symbol): end.units for end in ends}


@pytest.mark.parametrize("rule", Rule.of(ETH.chain.family))
def test_a_thief_who_is_the_market_too_makes_no_unit_twice(rule: Rule) -> None:
    text = """
        1 victim -> thief 100 ETH
        2 thief -> d 40 ETH
        3 thief -> p 60 ETH
        3 p -> thief 500 USDT
        4 d -> p 40 ETH
        5 thief -> p 500 USDT
        5 p -> thief 40 ETH
        6 thief -> bybit 40 ETH
    """
    found = followed(text, labels(bybit=Role.EXCHANGE))
    assert sum(units for (_, symbol), units in resting(found, rule).items() if symbol == "ETH") <= 100
    assert found.traces()[rule].books.lost == 100


@pytest.mark.parametrize("between", Between)
@pytest.mark.parametrize("got", [1, 3])
def test_what_was_stolen_before_its_exchange_is_not_lost_again_by_whom_it_came_to(between: Between, got: int) -> None:
    """Another victim's claim to all that came to a wallet is to what is clean of it, as in any other payment."""
    text = f"""
        1 victim -> w 1 A
        2 w -> x {got} B
        2 w -> router 1 A
        2 router -> w {got} B
        3 bank -> x 5 B
        4 x -> bybit {got + 5} B
    """
    losses = [Loss("one", asset("A"), paid=drawn(text)[0].id), Loss("all of x", asset("B"), wallet=address("x"))]
    found = followed(text, labels(router=Role.PROTOCOL, bybit=Role.EXCHANGE), losses=losses, between=between)
    for trace in found.traces().values():
        assert trace.books.lost == 1 + 5
        assert {name_of(end.place.address): end.units for end in trace.ends} == {"bybit": got + 5}


def test_a_loss_that_is_exchanged_in_its_own_payment_is_followed_into_what_came_for_it() -> None:
    text = """
        1 victim -> thief 100 ETH
        2 bank -> mule 50 ETH
        3 mule -> pool 40 ETH
        3 pool -> mule 800 DAI
        4 bank -> mule 800 DAI
        5 mule -> bybit 700 DAI
    """
    found = followed(text, labels(pool=Role.PROTOCOL, bybit=Role.EXCHANGE), (0, 2))
    assert resting(found, Rule.FIFO)["bybit", "DAI"] == 700
    assert {one.kind.value for one in found.exchanges} == {"swap"}


def test_a_victim_who_swaps_into_the_thiefs_hands_is_judged_though_nobody_follows_the_victim() -> None:
    text = "1 victim -> pool 100 ETH\n1 pool -> thief 500 USDT\n2 thief -> bybit 200 USDT\n"
    found = followed(text, labels(pool=Role.PROTOCOL, bybit=Role.EXCHANGE))
    assert resting(found, Rule.PRO_RATA) == {("bybit", "USDT"): 200, ("thief", "USDT"): 300}


def test_a_wallet_that_pays_twice_in_one_transaction_spends_what_it_had_once() -> None:
    text = "1 bank -> wallet 40 ETH\n6 wallet -> a 40 ETH\n6 wallet -> b 290 ETH\n"
    found = followed(text, labels(), losses=[Loss("l", ETH, wallet=address("wallet"), since=5)])
    assert {trace.books.lost for trace in found.traces().values()} == {290}


def test_a_label_that_is_not_acted_on_changes_nothing() -> None:
    text = "1 victim -> thief 100 ETH\n2 thief -> relay 100 ETH\n2 relay -> cave 100 ETH\n"
    weak = Label(address("relay"), "X", "X", Role.EXCHANGE, "somebody", None, 5, "sha256:label")
    book = LabelBook([*labels(), weak])
    assert resting(followed(text, book), Rule.FIFO) == {("cave", "ETH"): 100}


@pytest.mark.parametrize(
    "text",
    [
        "2 thief calls router\n2 thief -> pool 100 ETH\n2 pool -> thief 5 JUNK\n3 pool -> cave 100 ETH\n",
        "2 thief -> FAKE 100 ETH\n2 issue -> thief 100 FAKE\n3 FAKE -> cave 100 ETH\n",
    ],
    ids=["a pool of one's own behind a known router", "a wrapper of one's own"],
)
def test_rubbish_got_for_it_does_not_hide_the_money(text: str) -> None:
    found = followed("1 victim -> thief 100 ETH\n" + text, labels(router=Role.PROTOCOL))
    assert resting(found, Rule.FIFO) == {("cave", "ETH"): 100}
    assert [one.trusted for one in found.exchanges] == [False]


def test_a_rebase_to_nothing_leaves_what_it_stood_for_where_it_was() -> None:
    text = "1 victim -> w 60 AAA\n2 bank -> w 40 AAA\n3 w -> e 10 AAA\n4 w has 90 -> 0 AAA\n"
    for trace in followed(text, labels()).traces().values():
        assert trace.books.lost == 60 == sum(end.stolen for end in trace.ends)
