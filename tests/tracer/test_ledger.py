"""The ledger: one order whatever the arrival, repeats dropped, contradictions named, nothing rounded or clipped."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing import Drawn, rows, written
from notation import ETH, ETHEREUM, address, ledger, payment, transfers
from tracer.coverage import CoverageBook
from tracer.errors import BadAmount, Contradiction, Unbalanced
from tracer.ledger import Ledger
from tracer.values import UNKNOWN_INDEX, Asset, Block, Leg, Sink, SinkKind, Slot, Transfer, TransferId

EDGES = (0, 1, 2**53 + 1, 2**63, 2**64, 2**128, 2**256 - 1)


def paid(
    units: int, position: str = "tx", *, asset: Asset = ETH, block: int = 1, index: int = 0, tx: str = "0x1"
) -> Transfer:
    return Transfer(
        TransferId(ETHEREUM, tx, position), Block(block, 1_600_000_000), index, asset,
        (Leg.slot(address("payer"), asset, units),), (Leg.slot(address("paid"), asset, units),), ("one#1",),
    )  # fmt: skip


def told(of: Ledger) -> list[object]:
    """Everything a reader can ask of a ledger, without its small integers."""
    return [
        [(t, t.block.hash, t.asset.symbol, t.asset.decimals) for t in of.transfers],
        [
            [of.holding(hid) for hid, _ in (*of.inputs(at), *of.outputs(at))] + [of.ordinal(of.transfer(at).id)]
            for at in range(len(of))
        ],
        {
            str(of.holding(hid)): (
                list(of.events(hid)),
                of.address(hid),
                [of.balance_before(hid, at) for at in of.events(hid)],
            )
            for at in range(len(of))
            for hid, _ in of.inputs(at) + of.outputs(at)
        },
        sorted(of.ambiguous(range(len({hid for at in range(len(of)) for hid, _ in of.inputs(at) + of.outputs(at)})))),
    ]


@given(rows(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_and_any_repeats_make_the_same_ledger(
    drawn: list[tuple[str, str, int]], chance: random.Random
) -> None:
    once = Drawn(drawn, {}).ledger
    arrived = list(once.transfers) + chance.choices(list(once.transfers), k=5)
    chance.shuffle(arrived)
    assert told(Ledger.of(arrived)) == told(once)


@given(rows(), st.randoms(use_true_random=False))
def test_a_ledger_that_grew_is_the_ledger_of_all(drawn: list[tuple[str, str, int]], chance: random.Random) -> None:
    everything = list(Drawn(drawn, {}).ledger.transfers)
    some = chance.sample(everything, chance.randint(0, len(everything)))
    first = Ledger.of(some)
    before = told(first)
    assert told(first.with_more(everything)) == told(Ledger.of(everything))
    assert told(first) == before, "a ledger that others grew from stays as it was"


@given(rows())
def test_every_transfer_is_found_at_its_place(drawn: list[tuple[str, str, int]]) -> None:
    of = Drawn(drawn, {}).ledger
    assert [of.ordinal(transfer.id) for transfer in of.transfers] == list(range(len(of)))
    assert of.ordinal(payment(10**6)) is None


@given(st.permutations(["fee", "tx", "trace:2", "trace:10", "trace:10_1", "trace:1_2"]))
def test_in_a_transaction_the_value_comes_first_and_the_fee_last(positions: list[str]) -> None:
    of = Ledger.of(paid(5, position) for position in positions)
    assert [t.id.position for t in of.transfers] == ["tx", "trace:1_2", "trace:2", "trace:10", "trace:10_1", "fee"]


@given(st.permutations([paid(7, "log:7", asset=Asset(ETHEREUM, "0xt")), paid(5, "trace:7"), paid(3, "step:7")]))
def test_an_inner_call_and_an_event_of_one_number_are_two_transfers_in_one_order(arrived: list[Transfer]) -> None:
    of = Ledger.of(arrived)
    assert [of.ordinal(transfer.id) for transfer in of.transfers] == [0, 1, 2]
    assert told(of) == told(Ledger.of(reversed(arrived)))


def test_blocks_are_ordered_by_number_and_then_by_place_not_by_text() -> None:
    of = Ledger.of(
        [paid(1, block=10, tx="0xa"), paid(2, block=9, index=11, tx="0xb"), paid(3, block=9, index=2, tx="0xc")]
    )
    assert [t.units for t in of.transfers] == [3, 2, 1]


def test_two_sources_of_one_transfer_are_one_transfer_with_both_evidences() -> None:
    one, two = paid(5), replace(paid(5), evidence=("two#9",))
    for arrived in ((one, two), (two, one), (two, one, two)):
        assert [t.evidence for t in Ledger.of(arrived).transfers] == [("one#1", "two#9")]


def test_what_one_source_does_not_know_another_adds_whichever_comes_first() -> None:
    whole = replace(paid(5), block=Block(1, 1_600_000_000, "0xb10c"), index=4, method="0xa9059cbb", evidence=("two#9",))
    bare = replace(paid(5), index=UNKNOWN_INDEX)
    for arrived in ((whole, bare), (bare, whole)):
        (transfer,) = Ledger.of(arrived).transfers
        assert (transfer.index, transfer.method, transfer.block.hash) == (4, "0xa9059cbb", "0xb10c")


CONTRADICTIONS = {
    "units": replace(paid(6), evidence=("two#9",)),
    "block": replace(paid(5), block=Block(2, 1_600_000_000), evidence=("two#9",)),
    "time": replace(paid(5), block=Block(1, 1_600_000_001), evidence=("two#9",)),
    "place": replace(paid(5), index=3, evidence=("two#9",)),
    "receiver": replace(paid(5), outputs=(Leg.slot(address("other"), ETH, 5),), evidence=("two#9",)),
    "payer": replace(paid(5), inputs=(Leg.slot(address("other"), ETH, 5),), evidence=("two#9",)),
    "asset": replace(paid(5, asset=Asset(ETHEREUM, "0xt")), evidence=("two#9",)),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_a_contradiction_names_both_evidences_and_the_transfer(what: str) -> None:
    for arrived in ((paid(5), CONTRADICTIONS[what]), (CONTRADICTIONS[what], paid(5))):
        with pytest.raises(Contradiction) as caught:
            Ledger.of(arrived)
        assert set(caught.value.evidence) == {"one#1", "two#9"}
        assert "ethereum:0x1:tx" in str(caught.value)
        assert "one#1" in caught.value.hint
        assert "two#9" in caught.value.hint


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param("one#1"),
        "two#9",
    ],
)
def test_two_hashes_of_one_block_are_a_contradiction_whoever_says_so(evidence: str) -> None:
    one = replace(paid(5), block=Block(1, 1_600_000_000, "0xaaa"))
    two = replace(paid(5), block=Block(1, 1_600_000_000, "0xbbb"), evidence=(evidence,))
    with pytest.raises(Contradiction, match="hash"):
        Ledger.of([one, two])


def test_what_a_token_is_called_does_not_depend_on_who_said_it_first() -> None:
    one = paid(5, asset=Asset(ETHEREUM, "0xt", "USDT", 6))
    two = replace(paid(5, asset=Asset(ETHEREUM, "0xt", "FAKE", 18)), evidence=("two#9",))
    assert told(Ledger.of([one, two])) == told(Ledger.of([two, one]))


def test_sides_that_differ_are_refused() -> None:
    with pytest.raises(Unbalanced):
        replace(paid(5), outputs=(Leg.slot(address("paid"), ETH, 4),))


@pytest.mark.parametrize("units", EDGES)
def test_amounts_of_any_width_come_out_as_they_went_in(units: int) -> None:
    of = ledger(f"1 x -> w {units}\n2 w -> y {units}")
    hid = of.hid(Slot(address("w"), ETH))
    assert hid is not None
    assert [of.balance_before(hid, at) for at in (0, 1, 2)] == [0, units, 0]
    assert of.inputs(1) == ((hid, units),)


@pytest.mark.parametrize("units", [-1, 2**256, True, 1.0, "1", None])
def test_what_is_no_amount_is_refused(units: object) -> None:
    with pytest.raises(BadAmount):
        Leg.slot(address("w"), ETH, units)  # type: ignore[arg-type]


def test_a_balance_may_pass_the_widest_amount_a_chain_can_pay() -> None:
    most = 2**256 - 1
    of = ledger(f"1 x -> w {most}\n2 y -> w {most}\n3 z -> w {most}\n4 w -> s {most}")
    hid = of.hid(Slot(address("w"), ETH))
    assert hid is not None
    assert [of.balance_before(hid, at) for at in range(5)] == [0, most, 2 * most, 3 * most, 2 * most]


def test_a_balance_is_never_negative_nor_moved_by_a_payment_to_oneself() -> None:
    of = ledger("1 x -> w 5\n2 w -> w 99\n3 w -> y 7\n4 x -> w 2")
    hid = of.hid(Slot(address("w"), ETH))
    assert hid is not None
    assert [of.balance_before(hid, at) for at in range(5)] == [0, 5, 5, 0, 2]


def test_payments_in_one_block_whose_order_nobody_tells_are_named() -> None:
    known = ledger("7 x -> w 5\n7 w -> y 5")
    assert known.ambiguous(range(2)) == ()
    unknown = Ledger.of(replace(t, index=UNKNOWN_INDEX) for t in known.transfers)
    assert unknown.ambiguous(range(2)) == ((Slot(address("w"), ETH), 7),)


def test_holdings_of_an_address_and_of_none() -> None:
    token = Asset(ETHEREUM, "0xt")
    of = Ledger.of([*transfers("1 x -> w 5 gas 1"), *transfers("2 w -> y 5", token)])
    assert {of.holding(hid) for hid in of.holdings_of(address("w"))} == {
        Slot(address("w"), ETH),
        Slot(address("w"), token),
    }
    assert of.holdings_of(address("stranger")) == ()
    fee = of.hid(Sink(ETH, SinkKind.FEE))
    assert fee is not None
    assert of.is_sink(fee)
    assert of.address(fee) is None
    assert not of.is_coin(fee)


def test_the_next_event_is_after_not_at() -> None:
    of = ledger("1 x -> w 5\n2 x -> v 1\n3 w -> y 5")
    hid = of.hid(Slot(address("w"), ETH))
    assert hid is not None
    assert [of.next_event(hid, after) for after in (-1, 0, 1, 2)] == [0, 2, 2, None]


def test_the_transfers_of_one_transaction() -> None:
    of = ledger("1 x -> w 5 gas 2\n2 w -> y 5")
    assert [t.id.position for t in of.of_tx(ETHEREUM, payment(1).tx)] == ["tx", "fee"]


def test_coverage_stays_unless_new_is_given() -> None:
    of = ledger(written([("x", "w", 5)]))
    assert of.with_more([]).coverage is of.coverage
    assert len(of.with_more([], CoverageBook()).coverage) == 0
