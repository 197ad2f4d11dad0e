"""What is taken for an exchange, on whose word, and above all what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_exchanges import labels, ledger, prices, said, step
from graphs.conversions import Exchange, ExchangeRules, Kind, Worth, exchange
from notation import START, address
from tracer.errors import InputError
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger
from tracer.values import MAX_UNITS, Asset

SWAP = """
    9 x calls router
    9 x -> pool 900 USDT
    9 pool -> x 45 WETH
"""
ROUTER = {"router": Role.PROTOCOL}

LENIENT = ExchangeRules(unlabelled=1)  # most reasons here are such as anybody can make up


def judged(
    text: str,
    book: LabelBook | None = None,
    worth: Worth | None = None,
    rules: ExchangeRules | None = None,
    at: int = 9,
    keep: tuple[str, ...] = (),
) -> tuple[Ledger, Exchange | None]:
    drawing = ledger(text, keep)
    return drawing, exchange(drawing, book or labels(), step(drawing, at), rules or LENIENT, worth)


def found(text: str, book: LabelBook | None = None, worth: Worth | None = None, **more: object) -> Exchange:
    result = judged(text, book, worth, **more)[1]  # type: ignore[arg-type]
    assert result is not None
    return result


def legs(text: str, book: LabelBook | None = None, worth: Worth | None = None) -> list[tuple[list[str], list[str]]]:
    drawing, result = judged(text, book, worth)
    assert result is not None
    assert result.trusted, result
    return said(drawing, result.conversions)


# --- a swap, and the reasons to believe in it


def test_a_swap_is_not_believed_for_looking_like_one() -> None:
    result = found(SWAP)
    assert result.kind is Kind.UNPROVEN
    assert not result.trusted
    assert "nothing says" in result.why
    assert "900 USDT" in result.why
    assert "45 WETH" in result.why


def test_a_swap_is_believed_on_a_label_of_the_contract_called() -> None:
    result = found(SWAP, labels(**ROUTER))
    assert result.kind is Kind.SWAP
    assert "labelled 'router' (protocol) by drawing" in result.why
    assert "drawing:router" in result.evidence
    assert legs(SWAP, labels(**ROUTER)) == [(["x 900 USDT"], ["x 45 WETH"]), (["pool 45 WETH"], ["pool 900 USDT"])]


def test_a_labelled_pool_is_no_party_of_its_own() -> None:
    assert legs(SWAP, labels(pool=Role.PROTOCOL)) == [(["x 900 USDT"], ["x 45 WETH"])]


def test_a_label_that_is_not_sure_enough_says_nothing() -> None:
    assert found(SWAP, labels(**ROUTER), rules=ExchangeRules(label_confidence=51, unlabelled=1)).kind is Kind.UNPROVEN


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PROTOCOL])
def test_no_other_role_makes_a_swap_believed(role: Role) -> None:
    assert found(SWAP, labels(router=role, pool=role)).kind is Kind.UNPROVEN


def test_a_swap_is_believed_on_a_label_of_whom_it_passed_through() -> None:
    routed = """
        9 x signs
        9 x -> router 900 USDT
        9 router -> pool 900 USDT
        9 pool -> router 45 WETH
        9 router -> x 45 WETH
    """
    assert legs(routed, labels(**ROUTER))[0] == (["x 900 USDT"], ["x 45 WETH"])
    assert found(routed).kind is Kind.UNPROVEN


def test_whom_something_else_passed_through_does_not_count() -> None:
    beside = SWAP.replace("calls router", "signs") + "9 y -> router 1 DAI\n9 router -> z 1 DAI\n"
    assert found(beside, labels(**ROUTER)).kind is Kind.UNPROVEN


def test_that_the_first_pool_is_known_says_nothing_of_the_last() -> None:
    hops = "9 x signs\n9 x -> known 900 USDT\n9 known -> own 45 WETH\n9 own -> x 7 JUNK\n"
    assert found(hops, labels(known=Role.PROTOCOL)).kind is Kind.UNPROVEN
    assert found(hops, labels(known=Role.PROTOCOL, own=Role.PROTOCOL)).kind is Kind.SWAP


@pytest.mark.parametrize(
    ("price", "kind"),
    [(20, Kind.SWAP), (14, Kind.SWAP), (13, Kind.LOSSY_SWAP), (21, Kind.SWAP), (22, Kind.LOSSY_SWAP)],
)
def test_a_rate_is_believed_from_70_to_105_percent_and_else_refused(price: int, kind: Kind) -> None:
    for book in (labels(), labels(router=Role.PROTOCOL, pool=Role.PROTOCOL)):
        assert found(SWAP, book, prices(USDT=1, WETH=price)).kind is kind


def test_worth_of_one_side_only_is_no_rate() -> None:
    assert found(SWAP, worth=prices(USDT=1)).kind is Kind.UNPROVEN
    assert found(SWAP, worth=prices(WETH=20)).kind is Kind.UNPROVEN
    assert found(SWAP, worth=prices(USDT=0, WETH=0)).kind is Kind.UNPROVEN


def test_worth_is_asked_for_the_time_of_the_exchange() -> None:
    asked: set[tuple[str, int, int]] = set()

    def worth(asset: Asset, units: int, time: int) -> int | None:
        asked.add((asset.symbol, units, time))
        return None

    found(SWAP, worth=worth)
    assert asked == {("USDT", 900, START + 108), ("WETH", 45, START + 108)}


# --- a market by the record


def market(parties: int, back: int = 1) -> str:
    """`pool` sells WETH to so many, and buys of so many of them."""
    rows = [f"{100 + n} c{n} -> pool 20 USDT\n{100 + n} pool -> c{n} 1 WETH\n" for n in range(parties)]
    rows += [f"{200 + n} c{n} -> pool 1 WETH\n{200 + n} pool -> c{n} 20 USDT\n" for n in range(back)]
    return "".join(rows)


def test_whoever_exchanged_the_same_two_both_ways_with_ten_others_is_a_market() -> None:
    text = SWAP.replace("router", "unknown")
    result = found(text + market(10))
    assert result.kind is Kind.SWAP
    assert "with 10 others" in result.why
    assert sum(":log:" in text for text in result.evidence) >= 10
    assert found(text + market(9)).kind is Kind.UNPROVEN
    assert found(text + market(10, back=0)).kind is Kind.UNPROVEN


def test_a_market_that_the_record_shows_is_no_party_of_its_own() -> None:
    assert legs(SWAP + market(10)) == [(["x 900 USDT"], ["x 45 WETH"])]


def test_those_whom_the_giver_dealt_with_do_not_make_a_market() -> None:
    funded = "5 x -> c3 1 ETH\n"
    assert found(SWAP + market(10) + funded).kind is Kind.UNPROVEN
    assert found(SWAP + market(11) + funded).kind is Kind.SWAP


def test_only_so_much_of_the_record_is_looked_at() -> None:
    assert found(SWAP + market(10), rules=ExchangeRules(look_back=10, unlabelled=1)).kind is Kind.UNPROVEN
    assert found(SWAP + market(10), rules=ExchangeRules(look_back=11, unlabelled=1)).kind is Kind.SWAP


def test_each_pool_of_a_route_has_to_be_a_market() -> None:
    route = "9 x -> pool 900 USDT\n9 x signs\n9 pool -> own 45 WETH\n9 own -> x 7 JUNK\n"
    assert found(route + market(12)).kind is Kind.UNPROVEN


def test_a_wrapper_on_the_way_to_a_market_needs_no_customers_of_its_own() -> None:
    text = """
        9 x calls router
        9 x -> WETH 45 ETH
        9 issue -> pool 45 WETH
        9 pool -> x 900 USDT
    """
    assert legs(text + market(10)) == [(["x 45 ETH"], ["x 900 USDT"])]
    assert found(text + market(9)).kind is Kind.UNPROVEN


# --- somebody's own pool


OWNED = "3 x -> pool 100 WETH\n3 x -> pool 2000 USDT\n"


@pytest.mark.parametrize("who", ["x", "friend"])
def test_a_pool_that_one_party_filled_is_refused_whatever_the_labels_say(who: str) -> None:
    funded = "2 x -> friend 1 ETH\n" if who == "friend" else ""
    text = SWAP + OWNED.replace("x", who) + funded
    result = found(text, labels(router=Role.PROTOCOL, pool=Role.PROTOCOL))
    assert result.kind is Kind.LOSSY_SWAP
    assert not result.trusted
    assert "one party owns" in result.why
    assert f"came from {address(who)}" in result.why
    assert any(f"{3:064x}" in one for one in result.evidence)


def test_a_pool_that_strangers_filled_is_not_its_users_own() -> None:
    assert found(SWAP + OWNED.replace("x", "stranger"), labels(**ROUTER)).kind is Kind.SWAP


def test_half_is_not_more_than_half() -> None:
    half = OWNED + OWNED.replace("x", "stranger")
    assert found(SWAP + half, labels(**ROUTER)).kind is Kind.SWAP
    assert found(SWAP + half + "4 x -> pool 1 WETH\n", labels(**ROUTER)).kind is Kind.LOSSY_SWAP


def test_what_a_pool_got_in_exchanges_is_not_its_liquidity() -> None:
    bought = "3 x -> pool 5000 USDT\n3 pool -> x 250 WETH\n"
    assert found(SWAP + bought, labels(**ROUTER)).kind is Kind.SWAP


def test_less_than_half_of_what_the_pool_now_paid_owns_nothing() -> None:
    """The rest of what it paid out came unseen, from others as far as anybody knows."""
    assert found(SWAP + "3 x -> pool 22 WETH\n", labels(**ROUTER)).kind is Kind.SWAP
    assert found(SWAP + "3 x -> pool 23 WETH\n", labels(**ROUTER)).kind is Kind.LOSSY_SWAP


def test_liquidity_brought_later_does_not_make_the_earlier_swap_lossy() -> None:
    assert found(SWAP + OWNED.replace("3 x", "30 x"), labels(**ROUTER)).kind is Kind.SWAP


def test_an_exchange_that_paid_both_links_nobody() -> None:
    text = SWAP + OWNED.replace("x", "cex") + "2 cex -> x 10 ETH\n"
    assert found(text, labels(**ROUTER)).kind is Kind.LOSSY_SWAP
    assert found(text, labels(router=Role.PROTOCOL, cex=Role.EXCHANGE)).kind is Kind.SWAP


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


PUSHED = "9 x calls multi\n9 x -> friend 900 USDT\n9 {} -> x 45 JUNK\n"


@pytest.mark.parametrize("giver", ["issue", "somebody", "friend", "zero"])
def test_a_token_pushed_beside_a_payment_is_not_what_the_payment_bought(giver: str) -> None:
    text = PUSHED.format(giver)
    for worth in (None, prices(USDT=1)):
        assert found(text, worth=worth).kind is Kind.UNPROVEN
    assert not found(text, labels(somebody=Role.PROTOCOL), prices(USDT=1, JUNK=0)).trusted


def test_a_label_of_who_pushed_the_token_or_was_called_does_not_tie_it_to_a_payment() -> None:
    book = labels(multi=Role.PROTOCOL, somebody=Role.PROTOCOL)
    assert found(PUSHED.format("somebody"), book).kind is Kind.UNPROVEN
    assert found(PUSHED.format("somebody"), book, prices(USDT=1, JUNK=20)).kind is Kind.UNPROVEN


def test_an_airdrop_beside_a_swap_changes_nothing() -> None:
    text = SWAP + "9 issue -> x 1000 JUNK\n9 dropper -> x 5 CRV\n"
    assert legs(text, labels(**ROUTER))[0] == (["x 900 USDT"], ["x 45 WETH"])


def test_a_step_is_asked_where_it_stands_and_nowhere_else() -> None:
    drawing = ledger(SWAP)
    asked = [exchange(drawing, labels(**ROUTER), at, LENIENT) for at in range(len(drawing))]
    assert sum(one is not None for one in asked) == 1


def test_the_settings_are_whole_numbers() -> None:
    with pytest.raises(InputError, match="market_parties"):
        ExchangeRules(market_parties=-1)


NAMES = ["x", "y", "pool", "USDT", "issue", "burn", "router"]
ROW = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 9), st.sampled_from(["USDT", "WETH"]))


@given(st.lists(ROW, min_size=1, max_size=7), st.booleans(), st.booleans())
def test_no_more_is_given_or_got_than_moved(rows: list[tuple[str, str, int, str]], priced: bool, known: bool) -> None:
    moving = [row for row in rows if not (row[0] in ("issue", "burn") and row[1] in ("issue", "burn"))]
    text = "\n".join(f"9 {payer} -> {payee} {units} {asset}" for payer, payee, units, asset in moving)
    if not moving:
        return
    drawing = ledger(text)
    book = labels(router=Role.PROTOCOL, pool=Role.PROTOCOL) if known else labels()
    nets: dict[tuple[str, str], int] = {}
    for payer, payee, units, asset in moving:
        nets[payer, asset] = nets.get((payer, asset), 0) - units
        nets[payee, asset] = nets.get((payee, asset), 0) + units
    for ordinal in range(len(drawing)):
        result = exchange(drawing, book, ordinal, LENIENT, worth=prices(USDT=1, WETH=1) if priced else None)
        if result is None:
            continue
        assert result.why
        assert result.evidence
        for conversion in result.conversions:
            legs_of = said(drawing, [conversion])[0]
            for side, sign in zip(legs_of, (-1, 1), strict=True):
                for leg in side:
                    name, units_text, asset = leg.split()[:3]
                    assert 0 < int(units_text) <= sign * nets[name, asset]
            assert not {leg.hid for leg in conversion.gave} & {leg.hid for leg in conversion.got}


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


def test_what_anybody_can_make_up_is_no_reason_unless_asked_for() -> None:
    """A router's label says nothing of a pool behind it, nor does a record that one can trade with oneself."""
    strict = ExchangeRules()
    assert found(SWAP + market(10)).trusted
    assert not found(SWAP + market(10), rules=strict).trusted
    assert found(SWAP, labels(**ROUTER)).trusted
    assert not found(SWAP, labels(**ROUTER), rules=strict).trusted
    assert found(SWAP, labels(pool=Role.PROTOCOL), rules=strict).trusted
