"""Several losses, wallets among them, on ledgers full of exchanges: books close, and no rule leaves the bounds.

Each pinned example is one that a search through some hundred thousand drawings brought up, made as small as it gets.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claimed_exchanges import BOOK, Claim, drawings, losses
from followed_exchanges import followed
from notation import ETHEREUM, name_of
from tracer.errors import InputError
from tracer.lots import Between, Rule


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(drawing=drawings(), between=st.sampled_from(Between))
def test_books_close_and_no_rule_leaves_the_bounds(drawing: tuple[str, tuple[Claim, ...]], between: Between) -> None:
    text, claims = drawing
    try:
        followed(text, BOOK, losses=losses(text, claims), between=between)
    except InputError:  # claims that exclude each other
        return


PINNED = {
    "two losses that are given for one unit": (
        "2 router -> y 1 A\n2 y -> router 2 B\n6 y -> w 1 A",
        (Claim(1, units=1), Claim(1, units=1)),
    ),
    "what was exchanged comes back to a wallet lost from": (
        "3 y -> pool 1 A\n3 pool -> y 1 B\n4 victim -> y 1 B\n5 pool -> y 2 A\n5 y -> pool 1 B\n6 y -> victim 2 A",
        (Claim(wallet="y", asset="A"),),
    ),
    "what was paid out in an exchange is claimed too": (
        "1 pool -> w 1 A\n1 w -> pool 1 B\n2 y -> w 1 A\n3 w -> router 1 A\n3 router -> w 2 B\n4 w -> bybit 2 B",
        (Claim(4), Claim(1)),
    ),
    "a wallet's whole content, and what came to it": (
        "1 z -> x 1 A\n2 router -> y 1 B\n2 x -> router 2 A\n7 y -> router 1 B",
        (Claim(wallet="x", asset="A"), Claim(0)),
    ),
    "each loss is rounded by itself, though both together come out even": (
        "2 router -> victim 2 A\n2 z -> router 3 B\n2 router -> z 2 A\n3 victim -> y 2 A",
        (Claim(1, units=1), Claim(1, units=1)),
    ),
    "each loss by itself comes to less than one unit": (
        "2 pool -> z 7 A\n3 router -> z 1 B\n3 z -> router 14 A\n4 z -> router 1 B",
        (Claim(2), Claim(0)),
    ),
    "one unit that stands for twenty is given for what two get": (
        "1 router -> w 1 A\n1 w -> router 20 B\n2 pool -> w 6 B\n2 w -> pool 1 A\n2 w -> bybit 3 B",
        (Claim(1),),
    ),
    "how much of a loss is left hangs on the rule, before an exchange at another scale": (
        "1 x -> z 501 A\n4 z -> pool 2 A\n4 pool -> z 13 B",
        (Claim(0, units=500), Claim(1, units=1)),
    ),
    "a payment to oneself beside what is got": (
        "2 pool -> x 1 A\n2 x -> x 1 A\n2 x -> pool 1 B",
        (Claim(wallet="x", asset="A", since=1),),
    ),
    "a payment to oneself beside what is given": (
        "1 victim -> victim 1 A\n1 router -> victim 1 B\n1 victim -> router 1 A\n2 victim -> y 1 A",
        (Claim(wallet="victim", asset="A", since=2),),
    ),
    "a payment beside a rebase that adds": (
        "1 y -> z 538 A\n4 z -> bybit 1 A\n4 z has 537 -> 975 A\n5 z -> bybit 975 A",
        (Claim(0),),
    ),
    "a payment beside a rebase that takes": (
        "1 y -> z 538 A\n4 z -> bybit 1 A\n4 z has 537 -> 100 A\n5 z -> bybit 100 A",
        (Claim(0),),
    ),
}


@pytest.mark.parametrize("between", Between)
@pytest.mark.parametrize("name", PINNED)
def test_found_before(name: str, between: Between) -> None:
    text, claims = PINNED[name]
    followed(text, BOOK, losses=losses(text, claims), between=between)


@pytest.mark.parametrize(("claimed", "lost", "stolen"), [(4, 0, 5), (5, 5, 10)])
def test_a_claim_to_what_the_market_paid_takes_nothing_of_what_somebody_else_paid(
    claimed: int, lost: int, stolen: int
) -> None:
    text = """
        1 victim -> w 4 B
        2 w -> pool 4 B
        2 pool -> w 4 A
        3 w -> pool 4 A
        3 pool -> w 5 B
        3 y -> w 5 B
        4 w -> bybit 10 B
    """
    found = followed(text, BOOK, losses=losses(text, (Claim(0), Claim(claimed))))
    for rule, trace in found.traces().items():
        assert found.moves[rule].lost == {1: 4, 2: lost}
        assert {name_of(end.place.address): end.units for end in trace.ends} == {"bybit": stolen}


@pytest.mark.parametrize("rule", Rule.of(ETHEREUM.family))
def test_clean_value_of_the_step_in_which_stolen_value_comes_is_in_the_wallet_too(rule: Rule) -> None:
    """Else what is paid on would come from nowhere, and a wallet lost from would have lost it."""
    text = "1 victim -> w 4 B\n1 y -> w 1 B\n2 w -> bybit 3 B"
    claims = (Claim(wallet="w", asset="B", since=2), Claim(1))
    found = followed(text, BOOK, losses=losses(text, claims))
    assert found.traces()[rule].books.lost == 1
    assert not found.moves[rule].unseen


def test_what_is_paid_beside_an_exchange_by_who_made_it_is_reached() -> None:
    text = "2 y -> pool 2 B\n2 y -> w 1 B\n2 pool -> victim 5 A\n3 w -> pool 6 B"
    found = followed(text, BOOK, losses=losses(text, (Claim(wallet="y", asset="B"),)))
    reached = {name_of(a) for hid in found.reached() if (a := found.ledger.address(hid))}
    assert reached == {"victim", "w", "pool"}
    bounds = {name_of(place.address): (one.least, one.most) for place, one in found.bounds().items()}
    assert bounds == {"victim": (5, 5), "pool": (1, 1)}
