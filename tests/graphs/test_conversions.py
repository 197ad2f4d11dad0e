"""What is taken for an exchange, on whose word, and above all what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_exchanges import labels, ledger, prices, said
from graphs.conversions import ExchangeRules, Kind, exchange
from judged_exchanges import LENIENT, ROUTER, SWAP, found, legs
from notation import START, address
from tracer.errors import InputError
from tracer.labels import Role
from tracer.values import Asset

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


def test_what_anybody_can_make_up_is_no_reason_unless_asked_for() -> None:
    """A router's label says nothing of a pool behind it, nor does a record that one can trade with oneself."""
    strict = ExchangeRules()
    assert found(SWAP + market(10)).trusted
    assert not found(SWAP + market(10), rules=strict).trusted
    assert found(SWAP, labels(**ROUTER)).trusted
    assert not found(SWAP, labels(**ROUTER), rules=strict).trusted
    assert found(SWAP, labels(pool=Role.PROTOCOL), rules=strict).trusted
