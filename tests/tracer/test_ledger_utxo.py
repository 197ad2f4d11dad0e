"""The ledger of a UTXO chain: coins made and spent once, coinbases in their place, two of one hash told apart."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.engine import move
from tracer.errors import Contradiction
from tracer.ledger import Ledger
from tracer.lots import Rule
from tracer.memory import is_coinbase
from tracer.moves import Seeds
from tracer.values import UNKNOWN_INDEX, Address, Chain, Leg, Outpoint, Sink, SinkKind, Transfer
from utxo import BITCOIN, Drawn, Tx, chains, drawing, transfers, txid

BTC = BITCOIN.coin
BURNT = Sink(BTC, SinkKind.UNSPENDABLE)


def twice(one: int, two: int) -> tuple[Transfer, Transfer]:
    """Two coinbases of one hash, in these blocks."""
    ((first,), (second,)) = (transfers(drawing(f"{block} same: new:50 -> miner:50")) for block in (one, two))
    return first, replace(second, evidence=("drawing#again",))


def told(of: Ledger) -> list[object]:
    coins = sorted({hid for at in range(len(of)) for hid, _ in of.inputs(at) + of.outputs(at)})
    return [
        [(one, one.id.position, one.evidence) for one in of.transfers],
        [[(of.holding(hid), units) for hid, units in of.inputs(at) + of.outputs(at)] for at in range(len(of))],
        {str(of.holding(hid)): (of.address(hid), list(of.events(hid))) for hid in coins},
    ]


# The two that there were: blocks 91722 and 91880, 91812 and 91842 of Bitcoin.
@pytest.mark.parametrize(("one", "two"), [(91_722, 91_880), (91_812, 91_842)])
def test_of_two_coinbases_of_one_hash_the_earlier_can_never_be_spent(one: int, two: int) -> None:
    earlier, later = twice(one, two)
    of = Ledger.of([earlier, later])
    assert [transfer.id.position for transfer in of.transfers] == [f"tx:{one}", "tx"]
    assert [transfer.block.number for transfer in of.transfers] == [one, two]
    assert of.holding(of.outputs(0)[0][0]) == BURNT
    assert of.holding(of.outputs(1)[0][0]) == Outpoint(BITCOIN, txid("same"), 0)
    assert of.transfer(of.ordinal(later.id) or 0) == later
    assert [transfer.units for transfer in of.transfers] == [50, 50]


@given(st.lists(st.integers(0, 1), min_size=1, max_size=6), st.integers(0, 6))
def test_whatever_the_order_and_the_repeats_the_same_two_come_out(arrived: list[int], cut: int) -> None:
    both = twice(91_722, 91_880)
    once = Ledger.of(both)
    several = [both[at] for at in (*arrived, 0, 1)]
    assert told(Ledger.of(several)) == told(once)
    assert told(Ledger.of(several[:cut]).with_more(several[cut:])) == told(once)
    assert told(once.with_more(once.transfers)) == told(once), "what a ledger wrote out it reads in again"


def test_evidence_of_every_report_of_either_is_kept() -> None:
    earlier, later = twice(91_722, 91_880)
    reports = [
        replace(earlier, evidence=("a",)), replace(earlier, evidence=("b",)),
        replace(later, evidence=("c",)), replace(later, evidence=("d",)),
    ]  # fmt: skip
    for arrived in permutations(reports):
        assert [one.evidence for one in Ledger.of(arrived).transfers] == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("rule", Rule)
def test_a_loss_in_the_lost_coinbase_is_burnt_and_in_the_later_one_is_not(rule: Rule) -> None:
    earlier, later = twice(91_722, 91_880)
    spent = transfers(drawing("91722 same: new:50 -> miner:50\n99999 on: same.0 -> shop:50"))[1]
    of = Ledger.of([spent, later, earlier])
    everything = {hid: len(of) for at in range(len(of)) for hid, _ in of.outputs(at) if of.is_coin(hid)}
    for at, end in ((0, BURNT), (1, Outpoint(BITCOIN, txid("on"), 0))):
        moves = move(of, Seeds({at: ((1, 50),)}), everything, rule)
        rests = [(of.holding(hid), lots) for hid, lots in moves.rest.items()]
        rests += [(of.holding(f.target), list(f.lots)) for f in moves.flows if f.target not in everything]
        assert rests == [(end, [(1, 50)])]


@pytest.mark.parametrize(("one", "two"), [(1, 2), (91_722, 91_812), (500_000, 91_722)])
def test_since_coinbases_name_their_height_two_of_one_hash_are_a_contradiction(one: int, two: int) -> None:
    for arrived in permutations(twice(one, two)):
        with pytest.raises(Contradiction, match="block"):
            Ledger.of(arrived)


def test_two_reports_of_one_coinbase_in_one_block_that_differ_are_a_contradiction() -> None:
    (one,), (two,) = (transfers(drawing(f"91722 same: new:50 -> {who}:50")) for who in ("miner", "other"))
    with pytest.raises(Contradiction, match="outputs"):
        Ledger.of([one, two])


def test_a_payment_of_one_hash_in_two_blocks_is_a_contradiction_however_early() -> None:
    one, two = (transfers(drawing(f"{block} same: old:50 -> a:50"))[0] for block in (5, 6))
    for arrived in ((one, two), (two, one)):
        with pytest.raises(Contradiction, match="block"):
            Ledger.of(arrived)


def test_what_a_coinbase_is() -> None:
    txs = drawing("1 a: new:5 -> x:5\n1 b: a.0 -> y:4\n1 c: new:5 fees:1 -> z:6\n1 d: fees:0 -> z:0")
    found = {tx.name: is_coinbase(transfer) for tx, transfer in zip(txs, transfers(txs), strict=True)}
    assert found == {"a": True, "b": False, "c": True, "d": True}


# Order


def test_a_coinbase_that_collects_fees_comes_after_those_who_paid_them() -> None:
    txs = drawing("7 m: new:50 fees:3 -> miner:53\n7 a: old:9 -> x:8\n7 b: old:9 -> x:7\n8 n: new:50 -> miner:50")
    for arrived in permutations(transfers(txs)):
        assert [one.id.tx for one in Ledger.of(arrived).transfers] == [txid(name) for name in "abmn"]


def test_a_coinbase_without_fees_comes_first_in_its_block() -> None:
    txs = drawing("7 a: old:9 -> x:9\n7 m: new:50 -> miner:50\n7 b: old:9 -> x:9")
    for arrived in permutations(transfers(txs)):
        assert [one.id.tx for one in Ledger.of(arrived).transfers] == [txid(name) for name in "mab"]


def test_a_coinbase_whose_place_is_not_told_still_comes_after_those_who_paid_it() -> None:
    paid, mined = transfers(drawing("7 a: old:9 -> x:8\n7 m: new:50 fees:1 -> miner:51"))
    of = Ledger.of([replace(mined, index=UNKNOWN_INDEX), paid])
    assert [one.id.tx for one in of.transfers] == [txid("a"), txid("m")]


@given(chains(8, mined=True), st.randoms(use_true_random=False))
def test_coins_are_made_before_they_are_spent_whatever_the_order_of_arrival(
    txs: tuple[Tx, ...], chance: random.Random
) -> None:
    once = transfers(txs)
    arrived = [*once, *chance.choices(once, k=4)]
    chance.shuffle(arrived)
    of = Ledger.of(arrived)
    assert told(of) == told(Drawn(txs).ledger)
    for tx in txs:
        for at, (who, units) in enumerate(tx.outputs):
            hid = of.hid(Outpoint(BITCOIN, txid(tx.name), at))
            if who == "burn" or hid is None:
                continue
            made, *spent = of.events(hid)
            assert len(spent) <= 1
            assert of.is_coin(hid)
            assert of.balance_before(hid, made) == 0
            assert of.balance_before(hid, made + 1) == units
            assert not spent or (made < spent[0] and of.balance_before(hid, spent[0]) == units)


def test_coins_of_an_address_are_all_found_and_bare_scripts_are_nobodys() -> None:
    of = Drawn(drawing("1 a: old:9 -> x:3 ?:3 x:3\n2 b: a.1 -> x:3")).ledger
    assert {of.holding(hid) for hid in of.holdings_of(Address(BITCOIN, "x"))} == {
        Outpoint(BITCOIN, txid("a"), 0), Outpoint(BITCOIN, txid("a"), 2), Outpoint(BITCOIN, txid("b"), 0),
    }  # fmt: skip
    bare = of.hid(Outpoint(BITCOIN, txid("a"), 1))
    assert bare is not None
    assert of.address(bare) is None
    assert list(of.events(bare)) == [0, 1]


def test_fees_and_the_coinbase_that_collects_them() -> None:
    txs = drawing("7 a: old:9 -> x:8\n7 b: old:9 -> x:7\n7 m: new:50 fees:3 -> miner:53\n8 c: old:9 -> x:5")
    of = Ledger.of(transfers(txs))
    fee = of.hid(Sink(BTC, SinkKind.FEE))
    assert fee is not None
    assert of.is_fee(fee)
    assert [of.collects(fee, at) for at in range(4)] == [2, 2, None, None]


def test_coins_of_two_chains_of_one_hash_and_number_are_two_coins() -> None:
    txs = drawing("7 a: old:9 -> x:8")
    of = Ledger.of([*transfers(txs), *transfers(txs, Chain.named("bitcoin-cash"))])
    assert len(of) == 2
    assert of.hid(Outpoint(BITCOIN, txid("a"), 0)) != of.hid(Outpoint(Chain.named("bitcoin-cash"), txid("a"), 0))


# What coins cannot do. A source that says so is wrong, or another is.

MADE = "1 made: old:9 -> x:5 y:4\n"


def spending(units: int, who: str | None = "x", name: str = "spent") -> Transfer:
    (transfer,) = transfers(drawing(f"2 {name}: old:{units} -> z:{units}"))
    owner = None if who is None else Address(BITCOIN, who)
    return replace(transfer, inputs=(Leg.coin(txid("made"), 0, BITCOIN, units, owner),), evidence=("other#1",))


@pytest.mark.parametrize("units", [4, 6])
def test_a_coin_is_spent_for_what_it_was_made_with(units: int) -> None:
    for arrived in permutations([*transfers(drawing(MADE)), spending(units)]):
        with pytest.raises(Contradiction):
            Ledger.of(arrived)


def test_a_coin_is_spent_once() -> None:
    for arrived in permutations([*transfers(drawing(MADE)), spending(5), spending(5, name="again")]):
        with pytest.raises(Contradiction):
            Ledger.of(arrived)


def test_a_coin_that_nobody_saw_made_is_spent_once() -> None:
    for arrived in permutations([spending(5), spending(5, name="again")]):
        with pytest.raises(Contradiction):
            Ledger.of(arrived)


def test_a_coin_has_one_owner() -> None:
    for arrived in permutations([*transfers(drawing(MADE)), spending(5, "thief")]):
        with pytest.raises(Contradiction):
            Ledger.of(arrived)


def test_a_coin_is_not_spent_before_it_is_made() -> None:
    early = replace(spending(5), block=replace(spending(5).block, number=0))
    for arrived in permutations([*transfers(drawing(MADE)), early]):
        with pytest.raises(Contradiction):
            Ledger.of(arrived)


def test_an_owner_that_one_source_does_not_know_another_adds() -> None:
    for arrived in permutations([*transfers(drawing(MADE)), spending(5, None)]):
        of = Ledger.of(arrived)
        assert of.address(of.hid(Outpoint(BITCOIN, txid("made"), 0)) or 0) == Address(BITCOIN, "x")


def test_a_transfer_does_not_spend_one_coin_twice() -> None:
    (transfer,) = transfers(drawing("2 spent: old:10 -> z:10"))
    leg = Leg.coin(txid("made"), 0, BITCOIN, 5, Address(BITCOIN, "x"))
    with pytest.raises(Contradiction):
        Ledger.of([*transfers(drawing(MADE)), replace(transfer, inputs=(leg, leg))])


def test_within_a_block_a_coin_is_spent_after_it_was_made_even_where_nobody_tells_the_places() -> None:
    """Some sources tell the block of a transaction and not its place in it; a spend itself says what came first."""
    names = [f"t{n}" for n in range(6)]
    lines = ["1 t0: old:9 -> x:9", *(f"1 {two}: {one}.0 -> x:9" for one, two in pairwise(names))]
    of = Ledger.of(replace(one, index=UNKNOWN_INDEX) for one in transfers(drawing("\n".join(lines))))
    assert [one.id.tx for one in of.transfers] == [txid(name) for name in names]
