"""From what a step looks like, through what is believed of it, to books that close in what was stolen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from drawn_exchanges import hid, labels, ledger, prices
from graphs.conversions import ExchangeRules, Kind, Worth, exchange
from notation import address, name_of
from tracer.conversions import Conversion
from tracer.engine import move
from tracer.labels import LabelBook, Role
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Rule
from tracer.moves import Course, Moves, Seeds
from tracer.trace import Spot, StopCode, Trace, issue
from tracer.values import MAX_UNITS

RULES = (Rule.FIFO, Rule.LIFO, Rule.PRO_RATA, Rule.TAINT_FIRST, Rule.CLEAN_FIRST)
PROTOCOLS = labels(router=Role.PROTOCOL, pool=Role.PROTOCOL, p=Role.PROTOCOL, q=Role.PROTOCOL)
edges = st.sampled_from([1, 2, 3, 97, 2**53 + 1, 2**63, 2**64, 2**128, 2**255])


@dataclass(frozen=True)
class Carried:
    """A drawing traced: what was stolen is what the payments of `victim` moved."""

    drawing: Ledger
    moves: Moves
    trace: Trace
    kinds: tuple[Kind, ...]

    def at(self, name: str, of: str) -> tuple[int, int]:
        """(units there, what they stand for) of an address, or `fee`."""
        found = [
            (end.units, end.stolen)
            for end in self.trace.ends
            if end.place.asset.symbol == of
            and (name_of(end.place.address) if end.place.address else end.stop.value) == name
        ]
        return found[0] if found else (0, 0)


def carried(
    text: str,
    rule: Rule,
    *,
    followed: Iterable[str] = ("w",),
    book: LabelBook = PROTOCOLS,
    worth: Worth | None = None,
    between: Between = Between.PARI_PASSU,
) -> Carried:
    drawing = ledger(text)
    conversions: dict[int, tuple[Conversion, ...]] = {}
    kinds = []
    for ordinal in range(len(drawing)):
        found = exchange(drawing, book, ordinal, ExchangeRules(unlabelled=1), worth)
        if found is not None:
            kinds.append(found.kind)
            if found.trusted:
                conversions[ordinal] = found.conversions
    paid: dict[int, tuple[tuple[int, int], ...]] = {}
    losses: list[Loss] = []
    for ordinal in range(len(drawing)):
        transfer = drawing.transfer(ordinal)
        if transfer.inputs[0].address in (address("victim"), address("victim2")):
            paid[ordinal] = ((len(losses) + 1, transfer.units),)
            losses.append(Loss(f"theft {len(losses) + 1}", transfer.asset, paid=transfer.id))
    whom = {address(name) for name in followed}
    everybody = {leg.address for one in drawing.transfers for leg in one.inputs + one.outputs if leg.address}
    hids = {at: len(drawing) for one in whom for at in drawing.holdings_of(one)}
    moves = move(drawing, Seeds(paid), hids, rule, between, Course(conversions=conversions))
    stops: dict[Spot, StopCode] = {
        one: StopCode.UNSPENT if one in whom else StopCode.SERVICE for one in sorted(everybody)
    }
    return Carried(drawing, moves, issue(drawing, losses, moves, between, stops), tuple(kinds))


def lost(one: Carried) -> int:
    return sum(units for _, units in one.trace.lost)


def closes(one: Carried) -> None:
    """Everything stolen is somewhere, once; and nowhere is more stolen than there is."""
    assert sum(end.stolen for end in one.trace.ends) == lost(one)
    books = one.trace.books
    assert books.lost == books.ends + books.held + books.fees + books.not_followed == lost(one)
    for at, lots in one.moves.rest.items():
        assert all(units > 0 for _, units in lots)
        assert sum(units for _, units in lots) <= one.drawing.balance_before(at, len(one.drawing))
    came: dict[tuple[int, int], int] = {}
    for flow in one.moves.flows:
        assert all(units > 0 for _, units in flow.lots)
        key = flow.ordinal, flow.target
        came[key] = came.get(key, 0) + sum(units for _, units in flow.lots)
    for (ordinal, target), units in came.items():
        stepped = one.drawing.movements(one.drawing.step_of(ordinal))
        assert units <= sum(got for movement in stepped for to, got in movement.outputs if to == target)


# --- A4 of the specification: a swap of a mixed holding, and what became of it

A4 = """
    1 bank   -> w 500 USDT
    2 victim -> w 1000 USDT
    3 bank   -> w 100 ETH
    4 w calls router
    4 w -> router 900 USDT
    4 router -> p 900 USDT
    4 p -> q 13 WBTC          # two pools, one after the other
    4 q -> router 450 WETH
    4 router -> w 450 WETH
    4 w -> fee 1 ETH
    5 w -> e 300 WETH
"""


@pytest.mark.parametrize(
    ("rule", "left", "to_e", "kept"),
    [
        (Rule.FIFO, 600, (50, 100), (150, 300)),
        (Rule.LIFO, 100, (300, 600), (150, 300)),
        (Rule.PRO_RATA, 400, (200, 400), (100, 200)),
        (Rule.CLEAN_FIRST, 600, (50, 100), (150, 300)),
    ],
)
def test_oracle_a4(rule: Rule, left: int, to_e: tuple[int, int], kept: tuple[int, int]) -> None:
    one = carried(A4, rule)
    assert one.kinds == (Kind.SWAP,)
    assert one.at("w", "USDT") == (left, left)
    assert one.at("e", "WETH") == to_e
    assert one.at("w", "WETH") == kept
    assert one.at("fee", "ETH") == (0, 0), "the fee was paid from a holding that nothing stolen touched"
    assert {name_of(end.place.address) for end in one.trace.ends} == {"w", "e"}, "no pool has anything of it"
    assert sum(end.stolen for end in one.trace.ends) == 1000
    closes(one)


def test_oracle_a4_names_what_was_given_for_what() -> None:
    (hop,) = [hop for hop in carried(A4, Rule.FIFO).trace.hops if hop.gave]
    assert [(asset.symbol, loss, units) for asset, loss, units in hop.gave] == [("USDT", 1, 400)]
    assert hop.lots == ((1, 200),)
    assert hop.target == address("w")


@pytest.mark.parametrize("rule", RULES)
def test_without_a_reason_a4_is_followed_to_the_pool(rule: Rule) -> None:
    one = carried(A4.replace("w calls router", "w signs").replace("router", "somebody"), rule, book=labels())
    assert one.kinds == (Kind.UNPROVEN,)
    assert one.at("w", "WETH") == one.at("e", "WETH") == (0, 0)
    assert one.at("p", "USDT")[0] + one.at("w", "USDT")[0] == 1000
    closes(one)


# --- wraps, refunds, recipients


@pytest.mark.parametrize("rule", RULES)
def test_a_wrap_and_back_keeps_every_unit(rule: Rule) -> None:
    text = """
        1 bank   -> w 30 ETH
        2 victim -> w 70 ETH
        3 w -> WETH 60 ETH
        3 issue -> w 60 WETH
        4 w -> burn 60 WETH
        4 WETH -> w 60 ETH
    """
    one = carried(text, rule, book=labels())
    assert one.kinds == (Kind.WRAP, Kind.WRAP)
    assert one.at("w", "ETH") == (70, 70)
    assert one.at("w", "WETH") == (0, 0)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_a_refund_never_left(rule: Rule) -> None:
    text = "1 victim -> w 1000 USDT\n2 w calls router\n2 w -> p 1000 USDT\n2 p -> w 100 USDT\n2 p -> w 45 WETH\n"
    one = carried(text, rule)
    assert one.at("w", "USDT") == (100, 100)
    assert one.at("w", "WETH") == (45, 900)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_several_recipients_share_by_what_they_got(rule: Rule) -> None:
    text = "1 victim -> w 900 USDT\n2 w -> p 900 USDT\n2 p -> w 30 WETH\n2 p -> friend 15 WETH\n"
    one = carried(text, rule)
    assert one.at("w", "WETH") == (30, 600)
    assert one.at("friend", "WETH") == (15, 300)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_several_assets_share_by_worth(rule: Rule) -> None:
    text = "1 victim -> w 1000 USDT\n2 w -> p 1000 USDT\n2 p -> w 30 WETH\n2 p -> w 400 DAI\n"
    one = carried(text, rule, worth=prices(USDT=1, WETH=20, DAI=1))
    assert one.kinds == (Kind.SWAP,)
    assert one.at("w", "WETH") == (30, 600)
    assert one.at("w", "DAI") == (400, 400)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_two_assets_given_bring_each_what_they_weigh(rule: Rule) -> None:
    text = """
        1 victim -> w 100000000 DAI
        2 bank   -> w 15000000 WETH
        3 w -> PAIR 100000000 DAI
        3 w -> PAIR 15000000 WETH
        3 issue -> w 40000000 PAIR    # a quarter of it is for the DAI
        4 w -> burn 40000000 PAIR
        4 PAIR -> w 90000000 DAI
        4 PAIR -> w 16000000 WETH
    """
    one = carried(text, rule, worth=prices(DAI=1, WETH=20, PAIR=10))
    assert one.kinds == (Kind.POSITION, Kind.POSITION)
    dai, weth = Fraction(90, 90 + 16 * 20), Fraction(16 * 20, 90 + 16 * 20)
    for of, share, price in (("DAI", dai, 1), ("WETH", weth, 20)):
        units, stolen = one.at("w", of)
        assert abs(stolen - share * 10**8) <= 10  # one unit of the share token stands for ten that were stolen
        assert abs(units - Fraction(1, 4) * (90, 16)[price == 20] * 10**6) <= 1
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_two_persons_who_exchange_have_each_what_they_got(rule: Rule) -> None:
    text = "1 victim -> w 900 USDT\n2 victim2 -> y 45 WETH\n3 w -> y 900 USDT\n3 y -> w 45 WETH\n"
    one = carried(text, rule, followed=("w", "y"), worth=prices(USDT=1, WETH=20))
    assert one.kinds == (Kind.SWAP,)
    assert {end.place.asset.symbol for end in one.trace.ends} == {"USDT", "WETH"}
    basis = {(name_of(end.place.address), end.place.asset.symbol): end.basis for end in one.trace.ends}
    assert basis == {("w", "WETH"): ((1, 900),), ("y", "USDT"): ((2, 45),)}


# --- what is not carried out


@pytest.mark.parametrize("rule", RULES)
def test_a_lossy_swap_is_followed_to_whoever_was_paid(rule: Rule) -> None:
    """Stolen value for a worthless token through a pool of one's own: the labels of the router do not help."""
    text = """
        1 w -> own 1000000 JUNK       # the pool's only liquidity
        2 victim -> w 900 USDT
        3 w calls router
        3 w -> router 900 USDT
        3 router -> own 900 USDT
        3 own -> w 10 JUNK
        4 own -> cash 900 USDT
    """
    one = carried(text, rule, followed=("w", "own"))
    assert one.kinds == (Kind.LOSSY_SWAP,)
    assert one.at("w", "JUNK") == (0, 0)
    assert one.at("cash", "USDT") == (900, 900)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("price", [14, 13])
def test_a_rate_out_of_bounds_is_not_carried_out(rule: Rule, price: int) -> None:
    text = "1 victim -> w 900 USDT\n2 w -> p 900 USDT\n2 p -> w 45 WETH\n"
    one = carried(text, rule, worth=prices(USDT=1, WETH=price))
    assert one.at("w", "WETH") == ((45, 900) if price == 14 else (0, 0))
    assert one.at("p", "USDT") == ((0, 0) if price == 14 else (900, 900))
    closes(one)


# --- tokens that change their amounts


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("after", "stolen"), [(300, 180), (150, 90), (50, 30), (5, 3)])
def test_a_rebase_scales_clean_and_stolen_alike(rule: Rule, after: int, stolen: int) -> None:
    text = f"1 bank -> w 40 AMPL\n2 victim -> w 60 AMPL\n3 w has 100 -> {after} AMPL\n"
    one = carried(text, rule)
    assert one.kinds == (Kind.REBASE,)
    assert one.at("w", "AMPL") == (stolen, 60)
    assert one.drawing.balance_before(hid(one.drawing, "w", "AMPL"), len(one.drawing)) == after
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_what_a_token_keeps_is_a_fee_and_the_rest_is_exchanged(rule: Rule) -> None:
    text = "1 victim -> w 100 TAX lost 2\n2 w -> e 50 TAX lost 1\n3 w -> p 48 TAX lost 1\n"
    one = carried(text, rule)
    assert one.at("fee", "TAX") == (4, 4)
    assert one.at("e", "TAX") == (49, 49)
    assert one.at("p", "TAX") == (47, 47)
    closes(one)


# --- chains of exchanges, any amounts

ASSETS = ("AAA", "BBB", "CCC")


@st.composite
def chains(draw: st.DrawFn, more: tuple[str, ...] = ()) -> str:
    """A victim's payment, then swaps, wraps and payments of what the wallets have, amounts from 1 to 2^255."""
    amount = st.one_of(st.integers(1, 50), edges)
    text = [f"1 victim -> w {draw(amount)} AAA"]
    has = {(who, of): 0 for who in ("w", "v") for of in ASSETS}
    has["w", "AAA"] = int(text[0].split()[4])
    for number in range(2, 2 + draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["in", "swap", "swap", "pay", "loss", *more]))
        who = draw(st.sampled_from(["w", "v"]))
        of, other = draw(st.permutations(ASSETS))[:2]
        units, got = min(has[who, of], draw(amount)), draw(amount)
        if kind in ("in", "loss"):
            of = "AAA" if kind == "loss" else of
            if has[who, of] + got <= MAX_UNITS:
                text.append(f"{number} {'victim' if kind == 'loss' else 'bank'} -> {who} {got} {of}")
                has[who, of] += got
        elif not units:
            continue
        elif kind == "pay":
            to = draw(st.sampled_from(["e", "v" if who == "w" else "w"]))
            if to == "e" or has[to, of] + units <= MAX_UNITS:
                text.append(f"{number} {who} -> {to} {units} {of}")
                has[who, of] -= units
                if to != "e":
                    has[to, of] += units
        elif kind == "rebase":
            before, after = has[who, of], min(got, MAX_UNITS)
            if before != after:
                text.append(f"{number} {who} has {before} -> {after} {of}")
                has[who, of] = after
        elif has[who, other] + got <= MAX_UNITS:
            text += [f"{number} {who} -> pool {units} {of}", f"{number} pool -> {who} {got} {other}"]
            if kind == "split":
                text.append(f"{number} pool -> e {draw(amount)} {other}")
            has[who, of] -= units
            has[who, other] += got
    return "\n".join(text)


@settings(max_examples=120)
@given(chains(), st.sampled_from(RULES), st.sampled_from(list(Between)))
def test_chains_of_exchanges_close_to_the_unit(text: str, rule: Rule, between: Between) -> None:
    one = carried(text, rule, followed=("w", "v"), between=between)
    assert set(one.kinds) <= {Kind.SWAP}
    closes(one)
    for label, units in one.trace.lost:
        assert sum(part for end in one.trace.ends for of, part in end.basis if of == label) == units


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("units", [2**53 + 1, 2**63, 2**64, 2**128, 2**255, MAX_UNITS])
def test_great_amounts_lose_nothing(rule: Rule, units: int) -> None:
    text = f"""
        1 victim -> w {units} AAA
        2 w -> pool {units} AAA
        2 pool -> w 3 BBB
        3 w -> pool 2 BBB
        3 pool -> w {units} CCC
        4 w -> e {units} CCC
    """
    one = carried(text, rule)
    assert one.at("w", "BBB")[0] == 1
    assert one.at("e", "CCC")[0] == units
    assert one.at("w", "BBB")[1] + one.at("e", "CCC")[1] == units
    assert one.at("w", "BBB")[1] in (units // 3, units // 3 + 1)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_what_buys_less_than_a_unit_is_kept_in_the_books(rule: Rule) -> None:
    text = "1 bank -> w 1000 AAA\n2 victim -> w 7 AAA\n3 w -> pool 1007 AAA\n3 pool -> w 1 BBB\n"
    one = carried(text, rule)
    (end,) = one.trace.ends
    assert (end.units, end.stolen) == (0, 7)
    assert end.stop is StopCode.INDIVISIBLE
    closes(one)


# --- what the engine does not carry out yet as it must: each fails until it does


def test_after_a_rebase_lots_leave_in_the_order_they_came() -> None:
    text = "1 bank -> w 40 AMPL\n2 victim -> w 60 AMPL\n3 w has 100 -> 200 AMPL\n4 w -> e 100 AMPL\n"
    assert carried(text, Rule.FIFO).at("e", "AMPL") == (20, 10)
    assert carried(text, Rule.LIFO).at("e", "AMPL") == (100, 50)
    assert carried(text, Rule.PRO_RATA).at("e", "AMPL") == (60, 30)


@pytest.mark.parametrize("rule", RULES)
def test_a_route_over_two_pools_is_one_exchange(rule: Rule) -> None:
    text = """
        1 victim -> w 900 USDT
        2 w calls router
        2 w -> p 600 USDT
        2 w -> q 300 USDT
        2 p -> w 30 WETH
        2 q -> w 15 WETH
        3 w -> e 9 WETH
    """
    one = carried(text, rule)
    assert one.at("w", "WETH") == (36, 720)
    assert one.at("e", "WETH") == (9, 180)
    closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_what_two_pools_paid_out_is_got_once(rule: Rule) -> None:
    text = "1 victim -> w 900 USDT\n2 w -> p 900 USDT\n2 p -> q 13 DAI\n2 p -> w 30 WETH\n2 q -> w 15 WETH\n"
    one = carried(text, rule)
    assert one.at("w", "WETH") == (45, 900)
    closes(one)


def test_a_gift_beside_a_swap_is_followed_to_the_friend() -> None:
    orders = ("w -> p 600 USDT", "w -> friend 300 USDT"), ("w -> friend 300 USDT", "w -> p 600 USDT")
    for rule, order in product(RULES, orders):
        text = f"1 victim -> w 900 USDT\n2 w calls router\n2 {order[0]}\n2 {order[1]}\n2 p -> w 30 WETH\n"
        one = carried(text, rule)
        assert one.at("w", "WETH") == (30, 600)
        assert one.at("friend", "USDT") == (300, 300)
        assert one.at("p", "USDT") == (0, 0)
        closes(one)


def test_a_gift_through_the_router_is_followed_to_the_friend() -> None:
    for rule, order in product(RULES, (("p 600", "friend 300"), ("friend 300", "p 600"))):
        paid = "\n".join(f"2 router -> {one} USDT" for one in order)
        text = f"1 victim -> w 900 USDT\n2 w calls router\n2 w -> router 900 USDT\n{paid}\n2 p -> w 30 WETH\n"
        one = carried(text, rule)
        assert one.at("w", "WETH") == (30, 600)
        assert one.at("friend", "USDT") == (300, 300)
        closes(one)


@pytest.mark.parametrize("rule", RULES)
def test_one_unit_that_buys_one_for_each_of_two_closes(rule: Rule) -> None:
    one = carried("1 victim -> w 1 AAA\n2 w -> pool 1 AAA\n2 pool -> w 1 BBB\n2 pool -> e 1 BBB\n", rule)
    assert one.kinds == (Kind.SWAP,)
    closes(one)


def test_what_a_token_keeps_of_a_swap_is_a_fee() -> None:
    for rule in RULES:
        one = carried("1 victim -> w 100 TAX\n2 w calls router\n2 w -> p 100 TAX lost 2\n2 p -> w 49 WETH\n", rule)
        assert one.at("fee", "TAX") == (2, 2)
        assert one.at("w", "WETH") == (49, 98)
        closes(one)


@settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
@given(chains(("rebase", "split")), st.sampled_from(RULES), st.sampled_from(list(Between)))
@example("1 victim -> w 2 AAA\n2 w has 2 -> 1 AAA\n3 w -> pool 1 AAA\n3 pool -> w 1 BBB", Rule.FIFO, Between.PARI_PASSU)
def test_chains_with_rebases_and_several_recipients_close_to_the_unit(text: str, rule: Rule, between: Between) -> None:
    one = carried(text, rule, followed=("w", "v"), between=between)
    assert set(one.kinds) <= {Kind.SWAP, Kind.REBASE}
    closes(one)
