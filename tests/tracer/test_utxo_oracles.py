"""Worked Bitcoin examples that were computed apart, with exact fractions, under every rule and fee convention."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tracer.engine import move
from tracer.envelope import envelope
from tracer.ledger import Ledger
from tracer.lots import Fees, Rule
from tracer.moves import Course, Seeds
from tracer.trace import place_of
from tracer.values import Address, Chain, Outpoint, Sink, SinkKind
from utxo import BITCOIN, EVERYTHING, Drawn, drawing, transfers, txid

# U1: clean 5.0, stolen 3.0, clean 2.0, in that order; U2 goes on from its second output. Times 7,000, so that no share
# of U2's, of which the smallest is 33/700, has to be rounded.
U1 = "1 one: old:35000 -> x:35000\n1 theft: old:21000 -> x:21000\n1 two: old:14000 -> x:14000\n"
JOINED = U1 + "2 u1: one.0 theft.0 two.0 -> o1:28000 o2:38500\n"
U2 = JOINED + "3 u2: u1.1 old:10500 -> p1:14000 p2:33600\n"
U3 = U1 + "2 u1: theft.0 one.0 two.0 -> o1:28000 o2:38500\n"
STOLEN = {"theft": (1, EVERYTHING)}


def came(text: str, rule: Rule, fees: Fees = Fees.LAST, tx: str = "u1") -> tuple[int, ...]:
    """The stolen units of each output of a transaction and of its fee, in tenths of a thousandth of seven."""
    of = Drawn(drawing(text), paid=STOLEN)
    step = of.step(of.ledger, tx)
    flows = [flow for flow in of.moves(rule, fees).flows if flow.ordinal == step]
    by_hid = {flow.target: sum(units for _, units in flow.lots) for flow in flows}
    return tuple(by_hid.get(hid, 0) for hid, _ in of.ledger.outputs(step))


def units(*whole: float) -> tuple[int, ...]:
    """As the example writes them: 2.85 is 19,950 here."""
    return tuple(round(one * 7_000) for one in whole)


U1_AS_PUBLISHED = {
    (Rule.FIFO, Fees.LAST): (0, 3.0, 0),
    (Rule.LIFO, Fees.LAST): (2.0, 1.0, 0),
    (Rule.PRO_RATA, Fees.LAST): (1.2, 1.65, 0.15),
    (Rule.HIGHEST_OUT, Fees.LAST): (0, 3.0, 0),
    (Rule.TAINT_FIRST, Fees.LAST): (3.0, 0, 0),
    (Rule.CLEAN_FIRST, Fees.LAST): (0, 2.5, 0.5),
    (Rule.FIFO, Fees.PRORATA): (0, 2.85, 0.15),
    # Of 5 C, 3 T, 2 C the fee takes 0.25, 0.15 and 0.1. LIFO: 1.9 C and 2.1 T are o1, the rest is o2.
    (Rule.LIFO, Fees.PRORATA): (2.1, 0.75, 0.15),
    (Rule.PRO_RATA, Fees.PRORATA): (1.2, 1.65, 0.15),
    (Rule.HIGHEST_OUT, Fees.PRORATA): (0, 2.85, 0.15),
    (Rule.TAINT_FIRST, Fees.PRORATA): (2.85, 0, 0.15),
    (Rule.CLEAN_FIRST, Fees.PRORATA): (0, 2.85, 0.15),
}


@pytest.mark.parametrize(("rule", "fees"), U1_AS_PUBLISHED)
def test_u1_a_coin_spent_with_others_and_a_fee(rule: Rule, fees: Fees) -> None:
    assert came(JOINED, rule, fees) == units(*U1_AS_PUBLISHED[rule, fees])


@pytest.mark.parametrize("rule", Rule)
def test_u1_a_fee_in_ratio_is_shared_as_a_fee_pro_rata(rule: Rule) -> None:
    assert came(JOINED, rule, Fees.IN_RATIO) == came(JOINED, rule, Fees.PRORATA)


def test_u1_poison_is_on_every_output_and_on_the_fee() -> None:
    of = Drawn(drawing(JOINED), paid=STOLEN)
    step = of.step(of.ledger, "u1")
    assert of.poisoned() == {"theft.0": of.step(of.ledger, "theft"), "u1.0": step, "u1.1": step, "fee": step}


def test_u1_the_lots_of_an_output_keep_their_order() -> None:
    """O2 is C1, T3, C1.5: paid out one by one they come in that order."""
    of = Drawn(drawing(JOINED + "3 out: u1.1 -> a:7000 b:10500 c:10500 d:10500"), paid=STOLEN)
    assert of.stolen(Rule.FIFO) == {"out.1": 10_500, "out.2": 10_500}


U2_AS_PUBLISHED = {
    Rule.FIFO: (1.0, 2.0, 0),
    Rule.PRO_RATA: (33 / 70, 198 / 175, 33 / 700),
    # LIFO: O2 was filled with T1, C4.5; of C1.5 and that, P1 gets C1.5 C0.5 and P2 the other C4 and T0.8; 0.2 T is fee.
    Rule.LIFO: (0, 0.8, 0.2),
    Rule.HIGHEST_OUT: (0, 3.0, 0),
    Rule.TAINT_FIRST: (0, 0, 0),
    Rule.CLEAN_FIRST: (0, 2.3, 0.2),
}


@pytest.mark.parametrize("rule", U2_AS_PUBLISHED)
def test_u2_a_merge_behind_u1(rule: Rule) -> None:
    assert came(U2, rule, tx="u2") == units(*U2_AS_PUBLISHED[rule])


def test_u2_all_that_came_in_rests_somewhere() -> None:
    for rule in Rule:
        for fees in Fees:
            assert sum(Drawn(drawing(U2), paid=STOLEN).stolen(rule, fees).values()) == 21_000


@pytest.mark.parametrize("fees", Fees)
def test_u3_the_order_of_inputs_is_all_to_fifo_and_nothing_to_the_average(fees: Fees) -> None:
    share = 1 if fees is Fees.LAST else 0.95
    assert came(U3, Rule.FIFO, fees) == units(3.0 * share, 0, 3.0 * (1 - share))
    assert came(U3, Rule.PRO_RATA, fees) == came(JOINED, Rule.PRO_RATA, fees) == units(1.2, 1.65, 0.15)


# 3.0 of 10 that U1 brings together are stolen, so 0.15 of its fee; another in the block pays a clean 0.5. The coinbase
# has 4.0 new, and both fees: of 5.0 in all 0.15 is stolen, and it pays 1.0 to its pool and 4.0 to its miner.
MINED = JOINED + "2 other: old:7000 -> y:3500\n2 mined: new:28000 fees:7000 -> pool:7000 miner:28000\n"


@pytest.mark.parametrize(
    ("rule", "pool", "miner"),
    [
        (Rule.PRO_RATA, 0.03, 0.12),
        (Rule.FIFO, 0, 0.15),  # what is new comes first
        (Rule.TAINT_FIRST, 0.15, 0),
        (Rule.CLEAN_FIRST, 0, 0.15),
        (Rule.HIGHEST_OUT, 0, 0.15),
        # The other's 0.5 came last and leaves first, then of U1's fee 0.1 C, 0.15 T and 0.25 C.
        (Rule.LIFO, 0.15, 0),
    ],
)
def test_fees_in_ratio_go_on_into_the_coinbase_of_their_block(rule: Rule, pool: float, miner: float) -> None:
    assert came(MINED, rule, Fees.IN_RATIO, tx="mined") == units(pool, miner)
    rests = Drawn(drawing(MINED), paid=STOLEN).stolen(rule, Fees.IN_RATIO)
    assert "fee" not in rests
    assert sum(rests.values()) == 21_000


def test_lifo_pays_of_a_coinbase_the_fee_of_its_blocks_last_transaction_first() -> None:
    mined = MINED.replace("pool:7000 miner:28000", "pool:4200 miner:30800")  # 0.6: the other's 0.5, and 0.1 C
    assert came(mined, Rule.LIFO, Fees.IN_RATIO, tx="mined") == units(0, 0.15)


def test_fifo_takes_the_fees_of_a_block_in_the_order_of_its_transactions() -> None:
    before = "2 other: old:7000 -> y:3500\n"
    mined = JOINED.replace("2 u1", before + "2 u1") + "2 mined: new:28000 fees:7000 -> pool:32900 miner:2100\n"
    assert came(mined, Rule.FIFO, Fees.IN_RATIO, tx="mined") == units(0, 0.15)  # 4.0 new, 0.5 C, 0.2 of U1's 0.25 C


@pytest.mark.parametrize(("rule", "collected"), [(Rule.PRO_RATA, 5), (Rule.CLEAN_FIRST, 0)])
def test_of_fees_that_a_coinbase_left_unclaimed_a_part_is_clean(rule: Rule, collected: int) -> None:
    """Fees of 10 stolen and 90 clean, of which the coinbase took 50: the average of that is 5."""
    text = "1 theft: old:10 -> a:0\n1 other: old:90 -> y:0\n1 mined: new:50 fees:50 -> miner:100"
    assert came(text, rule, Fees.IN_RATIO, tx="mined") == (collected,)


@pytest.mark.parametrize("fees", [Fees.LAST, Fees.PRORATA])
def test_a_coinbase_takes_nothing_on_under_the_other_conventions(fees: Fees) -> None:
    for rule in Rule:
        assert came(MINED, rule, fees, tx="mined") == (0, 0)


def test_a_coinbase_comes_after_all_that_paid_it_and_before_the_next_block() -> None:
    of = Drawn(drawing(MINED + "3 next: old:1 -> a:1"), paid=STOLEN)
    assert [tx.name for tx in of.in_order][-2:] == ["mined", "next"]
    assert [transfer.id.tx for transfer in of.ledger.transfers] == [txid(tx.name) for tx in of.in_order]


def test_fees_whose_coinbase_was_not_read_stay_fees() -> None:
    of = Drawn(drawing(JOINED), paid=STOLEN)
    for rule in Rule:
        assert of.stolen(rule, Fees.IN_RATIO) == of.stolen(rule, Fees.PRORATA)


CASH = Chain.named("bitcoin-cash")
TWO_CHAINS = Ledger.of(
    [
        *transfers(drawing("7 theft: old:10 -> a:0\n7 mined: new:50 fees:4 -> miner:54")),
        *transfers(drawing("7 theft: old:30 -> b:0\n7 mined: new:50 fees:30 -> miner:80"), CASH),
    ]
)
OF_BOTH = Seeds({at: ((1, EVERYTHING),) for at, one in enumerate(TWO_CHAINS.transfers) if one.id.tx == txid("theft")})
COINS = {hid: 4 for at in range(4) for hid, _ in TWO_CHAINS.outputs(at) if TWO_CHAINS.is_coin(hid)}


def test_fees_of_two_chains_in_blocks_of_one_number_are_two() -> None:
    """A coinbase collects its own block's stolen fee, all of it or 4 of 10; 6 stay a fee of their own chain."""
    rests = move(TWO_CHAINS, OF_BOTH, COINS, Rule.FIFO, course=Course(Fees.IN_RATIO)).rest
    assert {TWO_CHAINS.holding(hid): lots for hid, lots in rests.items()} == {
        Outpoint(BITCOIN, txid("mined"), 0): [(1, 4)],
        Sink(BITCOIN.coin, SinkKind.FEE): [(1, 6)],
        Outpoint(CASH, txid("mined"), 0): [(1, 30)],
    }


def test_the_envelope_too_knows_two_chains_apart() -> None:
    found = envelope(TWO_CHAINS, OF_BOTH, COINS, Course(Fees.IN_RATIO))
    assert {(place.asset.chain, place.address or place.holding): (one.least, one.most)
            for place, one in found.items()} == {
        (BITCOIN, Address(BITCOIN, "miner")): (4, 4),
        (BITCOIN, Sink(BITCOIN.coin, SinkKind.FEE)): (6, 6),
        (CASH, Address(CASH, "miner")): (30, 30),
    }  # fmt: skip


def test_poison_in_a_fee_goes_into_the_coinbase_of_its_own_block_only() -> None:
    text = "1 theft: old:9 -> x:8\n2 other: old:9 -> y:8\n2 m: new:5 fees:1 -> a:2 b:4"
    of = Drawn(drawing(text), {"m.0": (1, EVERYTHING)}, paid=STOLEN)
    assert of.poisoned(Fees.IN_RATIO).keys() == {"theft.0", "fee", "m.0"}


def test_poison_is_not_in_a_fee_beside_a_loss_of_one_output() -> None:
    """Of the payment in block 2 one output is the loss; its fee was paid with the clean rest."""
    text = "1 theft: old:9 -> x:8\n2 other: old:9 -> y:4 z:4\n2 m: new:5 fees:1 -> a:2 b:4"
    of = Drawn(drawing(text), {"other.0": (1, EVERYTHING)}, paid=STOLEN)
    assert of.poisoned(Fees.IN_RATIO).keys() == {"theft.0", "fee", "other.0"}
    assert of.stolen(Rule.FIFO, Fees.IN_RATIO) == {"theft.0": 8, "fee": 1, "other.0": 4}


def test_the_highest_out_is_an_output_and_never_the_fee() -> None:
    of = Drawn(drawing("1 theft: old:9 -> a:9\n2 out: theft.0 old:9 -> b:3 c:4"), paid=STOLEN)
    assert of.stolen(Rule.HIGHEST_OUT) == {"out.0": 3, "out.1": 4, "fee": 2}


# An unseen hop: a bare script in between must not end the trace.
def test_a_coin_without_an_address_is_followed_like_any_other() -> None:
    of = Drawn(drawing("1 theft: old:9 -> ?:9\n2 on: theft.0 -> ?:4 a:5\n3 out: on.0 -> shop:4"), paid=STOLEN)
    for rule in Rule:
        assert of.stolen(rule) == {"on.1": 5, "out.0": 4}


def test_a_coin_without_an_address_that_is_not_followed_is_an_end_by_itself() -> None:
    of = Drawn(drawing("1 theft: old:9 -> ?:4 ?:5\n2 on: theft.0 -> a:4"), paid=STOLEN)
    ledger = of.ledger
    known = {hid: at for hid, at in of.followed(ledger).items() if hid != of.hid(ledger, "theft.0")}
    flows = move(ledger, of.seeds(ledger), known, Rule.FIFO).flows
    places = [place_of(ledger, flow.target) for flow in flows]
    assert [place.holding for place in places] == [Outpoint(BITCOIN, txid("theft"), at) for at in (0, 1)]


def test_what_is_burnt_in_an_output_that_nobody_can_spend_ends_there() -> None:
    of = Drawn(drawing("1 theft: old:9 -> burn:0 a:4 burn:2 burn:1"), paid=STOLEN)
    for rule in Rule:
        assert of.stolen(rule) == {"unspendable": 3, "theft.1": 4, "fee": 2}


# A loss of one output, as the victim reports it: of the rest of that transaction nothing is claimed.
def test_a_loss_is_one_output_of_a_transaction_and_not_its_change() -> None:
    of = Drawn(drawing("1 theft: old:9 -> thief:6 victim:3\n2 on: theft.0 theft.1 -> a:5 b:4"),
               {"theft.0": (1, EVERYTHING)})  # fmt: skip
    assert of.stolen(Rule.FIFO) == {"on.0": 5, "on.1": 1}
    assert of.stolen(Rule.LIFO) == {"on.0": 2, "on.1": 4}
    assert of.stolen(Rule.PRO_RATA) == {"on.0": 3, "on.1": 3}
    part = replace(of, coins={"theft.0": (1, 2)})
    assert part.stolen(Rule.FIFO) == {"on.0": 2}
    assert part.stolen(Rule.CLEAN_FIRST) == {"on.1": 2}


def test_nothing_is_followed_through_a_barrier() -> None:
    of = Drawn(drawing(JOINED), paid=STOLEN)
    step = of.step(of.ledger, "u1")
    course = Course(barriers=frozenset({step}))
    for rule in Rule:
        moves = move(of.ledger, of.seeds(of.ledger), of.followed(of.ledger), rule, course=course)
        (flow,) = (flow for flow in moves.flows if flow.ordinal == step)
        place = place_of(of.ledger, flow.target)
        assert (place.holding, flow.lots, moves.rest) == (of.ledger.transfer(step).id, ((1, 21_000),), {})
