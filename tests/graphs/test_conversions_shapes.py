"""The shapes of exchanges: wraps, shares, liquidity, routes, several parties, rebases."""

from __future__ import annotations

import pytest

from drawn_exchanges import labels, ledger, prices, said
from graphs.conversions import Kind, exchange
from judged_exchanges import LENIENT, ROUTER, SWAP, found, judged, legs
from tracer.labels import Role
from tracer.values import MAX_UNITS

# --- wraps and positions


@pytest.mark.parametrize("sink", ["issue", "WETH", "zero"])
def test_a_wrap_needs_no_label(sink: str) -> None:
    text = f"9 x calls WETH\n9 x -> WETH 70 ETH\n9 {sink} -> x 70 WETH\n"
    result = found(text)
    assert result.kind is Kind.WRAP
    assert legs(text) == [(["x 70 ETH"], ["x 70 WETH"])]


@pytest.mark.parametrize("sink", ["burn", "WETH", "zero"])
def test_neither_does_an_unwrap(sink: str) -> None:
    assert legs(f"9 x calls WETH\n9 x -> {sink} 70 WETH\n9 WETH -> x 70 ETH\n") == [(["x 70 WETH"], ["x 70 ETH"])]


def test_a_wrap_whose_worth_is_known_to_be_otherwise_is_refused() -> None:
    text = "9 x calls WETH\n9 x -> WETH 70 ETH\n9 issue -> x 70 WETH\n"
    assert found(text, worth=prices(ETH=1, WETH=1)).kind is Kind.WRAP
    assert found(text, labels(WETH=Role.TOKEN), prices(ETH=100, WETH=1)).kind is Kind.LOSSY_SWAP


def test_a_wrap_at_a_rate_for_somebody_else() -> None:
    text = "9 x -> wstETH 110 stETH\n9 issue -> friend 100 wstETH\n"
    assert legs(text) == [(["x 110 stETH"], ["friend 100 wstETH"])]


def test_a_wrapper_that_lets_go_of_what_it_took_is_none() -> None:
    text = "9 x calls FAKE\n9 x -> FAKE 70 ETH\n9 issue -> x 70 FAKE\n"
    assert found(text + "12 FAKE -> y 35 ETH\n").kind is Kind.WRAP
    assert found(text + "12 FAKE -> y 36 ETH\n").kind is Kind.UNPROVEN
    assert found(text + "12 FAKE -> y 36 ETH\n12 y -> burn 36 FAKE\n").kind is Kind.WRAP
    assert found(text + "12 FAKE -> y 36 ETH\n", labels(FAKE=Role.TOKEN)).kind is Kind.WRAP


VAULT = "9 x -> vault 100 DAI\n9 issue -> x 90 SHARE\n"


def test_a_share_whose_contract_is_not_who_was_paid_needs_a_reason() -> None:
    assert found(VAULT).kind is Kind.UNPROVEN
    assert found(VAULT, labels(vault=Role.PROTOCOL)).kind is Kind.POSITION
    assert found(VAULT, labels(vault=Role.TOKEN)).kind is Kind.POSITION
    assert found(VAULT, labels(SHARE=Role.TOKEN)).kind is Kind.UNPROVEN  # whoever was paid may be anybody
    assert found(VAULT, worth=prices(DAI=1, SHARE=1)).kind is Kind.POSITION
    assert found(VAULT, worth=prices(DAI=2, SHARE=1)).kind is Kind.LOSSY_SWAP


def test_a_share_is_given_back() -> None:
    text = "9 x -> burn 90 SHARE\n9 vault -> x 105 DAI\n"
    assert legs(text, labels(SHARE=Role.PROTOCOL)) == [(["x 90 SHARE"], ["x 105 DAI"])]


LP = "9 x -> PAIR 100 DAI\n9 x -> PAIR 5 WETH\n9 issue -> x 22 PAIR\n"


def test_liquidity_of_two_assets_is_weighed_by_worth_or_not_at_all() -> None:
    result = found(LP)
    assert (result.kind, result.conversions) == (Kind.UNPRICED, ())
    assert legs(LP, worth=prices(DAI=1, WETH=20)) == [(["x 100 DAI *100", "x 5 WETH *100"], ["x 22 PAIR"])]


def test_liquidity_is_taken_out_as_two_assets() -> None:
    text = "9 x -> burn 22 PAIR\n9 PAIR -> x 100 DAI\n9 PAIR -> x 5 WETH\n"
    assert found(text).kind is Kind.UNPRICED
    assert legs(text, worth=prices(DAI=1, WETH=20)) == [(["x 22 PAIR"], ["x 100 DAI *100", "x 5 WETH *100"])]
    assert found(text, worth=prices(DAI=1)).kind is Kind.UNPRICED
    assert found(text, worth=prices(DAI=1, WETH=20)).kind is Kind.POSITION


# --- recipients, refunds, routes


def test_a_swap_for_somebody_else() -> None:
    text = "9 x calls router\n9 x -> pool 900 USDT\n9 pool -> friend 45 WETH\n"
    assert legs(text, labels(**ROUTER)) == [(["x 900 USDT"], ["friend 45 WETH"])]


def test_several_recipients_of_one_asset_weigh_what_they_got() -> None:
    text = SWAP + "9 pool -> friend 15 WETH\n"
    assert legs(text, labels(**ROUTER)) == [(["x 900 USDT"], ["x 45 WETH *45", "friend 15 WETH *15"])]


def test_several_assets_got_are_weighed_by_worth_or_not_at_all() -> None:
    text = SWAP + "9 pool -> x 100 DAI\n"
    assert found(text, labels(**ROUTER)).kind is Kind.UNPRICED
    assert legs(text, labels(**ROUTER), prices(USDT=1, WETH=17, DAI=1)) == [
        (["x 900 USDT"], ["x 45 WETH *765", "x 100 DAI *100"])
    ]


def test_what_a_pool_pays_a_third_in_another_asset_is_none_of_the_givers() -> None:
    text = SWAP + "9 pool -> treasury 3 CRV\n"
    assert legs(text, labels(pool=Role.PROTOCOL)) == [(["x 900 USDT"], ["x 45 WETH"])]


def test_two_pools_are_one_exchange() -> None:
    text = "9 x calls router\n9 x -> p 600 USDT\n9 x -> q 300 USDT\n9 p -> x 30 WETH\n9 q -> x 15 WETH\n"
    assert legs(text, labels(**ROUTER)) == [(["x 900 USDT"], ["x 45 WETH"])]


def test_two_assets_bought_in_two_pools_weigh_what_was_paid_for_each() -> None:
    text = "9 x calls router\n9 x -> p 600 USDT\n9 x -> q 300 USDT\n9 p -> x 30 WETH\n9 q -> x 7 CRV\n9 q -> y 14 CRV\n"
    ((gave, got),) = legs(text, labels(**ROUTER))
    assert gave == ["x 900 USDT"]
    weights = {leg.split(" *")[0]: int(leg.split("*")[1]) for leg in got}
    assert weights["x 30 WETH"] * 100 == weights["x 7 CRV"] * 600
    assert weights["y 14 CRV"] == 2 * weights["x 7 CRV"]


def test_two_assets_sold_in_two_pools_are_two_conversions() -> None:
    text = "9 x calls router\n9 x -> p 600 USDT\n9 x -> q 7 CRV\n9 p -> x 30 WETH\n9 q -> x 15 WETH\n"
    both = legs(text, labels(p=Role.PROTOCOL, q=Role.PROTOCOL))
    assert sorted(both) == [(["x 600 USDT"], ["x 30 WETH"]), (["x 7 CRV"], ["x 15 WETH"])]


def test_a_refund_is_not_given() -> None:
    text = SWAP + "9 pool -> x 100 USDT\n"
    assert legs(text, labels(**ROUTER))[0] == (["x 800 USDT"], ["x 45 WETH"])
    drawing, result = judged(text, labels(**ROUTER), keep=("x",))
    assert result is not None
    assert said(drawing, result.conversions)[0] == (["x 800 USDT"], ["x 45 WETH"])


def test_a_gift_beside_a_swap_is_not_given_for_it() -> None:
    direct = SWAP + "9 x -> friend 50 USDT\n"
    routed = "9 x calls router\n9 x -> router 950 USDT\n9 router -> pool 900 USDT\n9 router -> friend 50 USDT\n"
    for text in (direct, routed + "9 pool -> x 45 WETH\n"):
        assert legs(text, labels(**ROUTER))[0] == (["x 900 USDT"], ["x 45 WETH"])


def test_what_a_token_keeps_of_the_payment_did_not_reach_the_pool() -> None:
    text = "9 x calls router\n9 x -> pool 100 TAX lost 2\n9 pool -> x 5 WETH\n"
    assert legs(text, labels(**ROUTER))[0] == (["x 98 TAX"], ["x 5 WETH"])


def test_a_route_of_many_hops_and_a_flash_loan_are_one_swap() -> None:
    text = """
        9 x calls router
        9 bank -> router 100000 DAI   # a flash loan
        9 x -> p 900 USDT
        9 p -> q 45 WETH
        9 q -> r 7 WBTC
        9 r -> x 300 CRV
        9 router -> bank 100000 DAI
    """
    assert legs(text, labels(**ROUTER)) == [(["x 900 USDT"], ["x 300 CRV"])]


def test_the_wallet_contract_that_was_called_exchanges_not_who_called_it() -> None:
    text = "9 owner calls bot\n9 bot -> p 900 USDT\n9 p -> bot 45 WETH\n"
    assert legs(text, labels(p=Role.PROTOCOL)) == [(["bot 900 USDT"], ["bot 45 WETH"])]


# --- two persons, several parties


OTC = "9 x signs\n9 x -> y 900 USDT\n9 y -> x 45 WETH\n"


def test_two_persons_who_exchange_both_convert() -> None:
    both = [(["x 900 USDT"], ["x 45 WETH"]), (["y 45 WETH"], ["y 900 USDT"])]
    for text in (OTC, OTC.replace("9 x signs\n", "")):
        assert sorted(legs(text, worth=prices(USDT=1, WETH=20))) == both


def test_a_settlement_by_a_third_serves_everybody_in_it() -> None:
    text = """
        9 solver calls settlement
        9 u1 -> settlement 900 USDT
        9 u2 -> settlement 45 WETH
        9 settlement -> u1 45 WETH
        9 settlement -> u2 900 USDT
    """
    both = [(["u1 900 USDT"], ["u1 45 WETH"]), (["u2 45 WETH"], ["u2 900 USDT"])]
    assert sorted(legs(text, labels(settlement=Role.PROTOCOL))) == both


def test_what_several_paid_for_is_proven_to_be_no_ones() -> None:
    text = "9 u1 -> pool 900 USDT\n9 u2 -> pool 100 USDT\n9 pool -> friend 50 WETH\n"
    assert found(text, labels(pool=Role.PROTOCOL)).kind is Kind.UNPROVEN
    robbed = "9 x calls router\n9 x -> pool 1 USDT\n9 victim -> pool 900 DAI\n9 pool -> x 50 WETH\n"
    assert found(robbed, labels(**ROUTER)).kind is Kind.UNPROVEN


# --- rebases


@pytest.mark.parametrize(("before", "after"), [(100, 110), (110, 100), (1, MAX_UNITS), (MAX_UNITS, 1)])
def test_a_rebase_converts_a_holding_into_itself(before: int, after: int) -> None:
    text = f"9 x has {before} -> {after} AMPL\n"
    assert found(text).kind is Kind.REBASE
    assert legs(text) == [([f"x {before} AMPL"], [f"x {after} AMPL"])]


# --- what is no exchange


@pytest.mark.parametrize(
    "text",
    [
        "9 x -> y 5 ETH\n",
        "9 x -> a 5 DAI\n9 x -> b 6 DAI\n9 x -> c 7 USDT\n",  # a payment to several
        "9 a -> x 5 DAI\n9 b -> x 7 USDT\n",
        "9 x calls farm\n9 farm -> x 5 CRV\n9 issue -> x 3 COMP\n",  # a reward
        "9 issue -> x 5 DAI\n",  # issued for nothing
        "9 x -> burn 5 DAI\n",  # burned for nothing
        "9 x -> burn 5 DAI\n9 x -> y 3 ETH\n",
        "9 x -> y 5 DAI\n9 y -> x 5 DAI\n",  # there and back
        "9 x -> y 0 ETH\n9 y -> x 5 DAI\n",  # nothing was given
        "9 x -> y 5 ETH\n9 FAKE -> x 0 FAKE\n",  # nothing was got
        "9 x -> x 5 DAI\n9 x -> x 3 ETH\n",
        "9 x -> router 5 DAI\n9 router -> y 5 DAI\n",
        "9 x -> y 100 TAX lost 2\n",
        "9 x has 5 -> 5 AMPL\n",
    ],
)
def test_nothing_was_exchanged(text: str) -> None:
    drawing = ledger(text)
    everybody = labels(router=Role.PROTOCOL, farm=Role.PROTOCOL, y=Role.PROTOCOL)
    for ordinal in range(len(drawing)):
        for book in (labels(), everybody):
            assert exchange(drawing, book, ordinal, LENIENT, worth=prices(DAI=1, ETH=1, USDT=1, CRV=1)) is None


def test_what_a_token_sells_of_its_own_beside_goes_to_its_own_payees() -> None:
    """Tokens that keep a part of each payment sell it when a user sells, and pay their makers with the proceeds."""
    text = """
        9 x calls router
        9 x -> pool 500 TAX
        9 TAX -> pool 4000 TAX
        9 pool -> x 15 WETH
        9 pool -> maker 120 WETH
    """
    assert legs(text, labels(router=Role.PROTOCOL, pool=Role.PROTOCOL)) == [(["x 500 TAX"], ["x 15 WETH"])]
    assert found(text.replace("pool -> x 15", "pool -> y 15"), labels(**ROUTER)).kind is Kind.UNPROVEN


def test_a_payment_to_thousands_is_judged_at_once() -> None:
    """Each side is looked at once, not once for each payment."""
    text = "\n".join(f"9 x -> y{n} 1 DAI" for n in range(3000)) + "\n9 issue -> x 5 JUNK\n"
    assert found(text).kind is Kind.UNPROVEN
