"""The start: an address or a transaction, as somebody has it, becomes one loss, or an error that says how to choose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.investigation import investigate, start
from connectors.protocol import Connector
from graphs.stops import StopRules
from made_up import LATER, Clock, MadeUp
from notation import ETH, ETHEREUM, address, payment
from tracer.coverage import State
from tracer.errors import BadAddress, BadAmount, CaseConflict, InputError
from tracer.losses import Loss
from tracer.trace import StopCode
from tracer.values import Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

BSC = Chain.named("bsc")
TRON = Chain.named("tron")
USDT, DAI = Asset(ETHEREUM, "0xusdt", "USDT", 6), Asset(ETHEREUM, "0xdai", "DAI", 18)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.create(tmp_path / "case", at=LATER) as case:
        yield case


def tx(number: int) -> str:
    """A transaction hash."""
    return f"0x{number:064x}"


def moved(number: int, position: str, asset: Asset, units: int, source: str = "victim", to: str = "thief") -> Transfer:
    """One transfer of a transaction; a fee goes to nobody."""
    out = Leg.sink(asset, SinkKind.FEE, units) if position == "fee" else Leg.slot(address(to), asset, units)
    return Transfer(
        TransferId(ETHEREUM, tx(number), position), Block(number, LATER), 0, asset,
        (Leg.slot(address(source), asset, units),), (out,), ("made-up#1",),
    )  # fmt: skip


def source(*transfers: Transfer, rows: int = 1) -> MadeUp:
    return MadeUp(transfers, rows=rows)


def begin(case: Case, text: str, *sources: Connector, **said: object) -> Loss:
    return start(case, text, connectors=sources, now=Clock(), **said)  # type: ignore[arg-type]


def refused(case: Case, text: str, sources: Sequence[Connector], **said: object) -> InputError:
    """The error; the case must know of nothing after it."""
    with pytest.raises(InputError) as error:
        begin(case, text, *sources, **said)
    assert case.losses() == ()
    assert error.value.hint
    return error.value


def test_an_address_is_all_that_the_wallet_had(case: Case) -> None:
    loss = begin(case, f" {str(address('thief')).upper().replace('X', 'x')} ", MadeUp(), victim="V-1", since=7)
    assert (loss.wallet, loss.asset, loss.units, loss.since) == (address("thief"), ETH, None, 7)
    assert (loss.victim, loss.paid) == ("V-1", None)
    assert case.losses() == (loss,)
    assert re.fullmatch(r"loss-[0-9a-f]{8}", loss.name)


def test_an_amount_takes_only_the_first_so_much(case: Case) -> None:
    assert begin(case, str(address("thief")), MadeUp(), amount="1.5").units == 15 * 10**17
    with Case.create(case.path.with_name("usdt"), at=1) as other:
        assert begin(other, str(address("thief")), MadeUp(), amount="1.5", asset=USDT).units == 1_500_000


def test_a_transaction_is_what_it_paid_and_its_transfer_is_kept_with_its_evidence(case: Case) -> None:
    world = source(moved(1, "tx", ETH, 60), moved(1, "fee", ETH, 1), moved(2, "tx", ETH, 50, "thief", "mule"))
    loss = begin(case, tx(1), world)
    assert (loss.paid, loss.asset, loss.units) == (TransferId(ETHEREUM, tx(1)), ETH, None)
    (kept,) = (transfer for transfer in case.ledger().transfers if transfer.id == loss.paid)
    assert case.evidence(kept.evidence[0]).source == world.name
    assert world.asked == [("thief", "")], "reading stops at the page that holds it"
    found = investigate(case, [world], rules=StopRules(), max_requests=99, now=Clock())
    assert world.asked == [("thief", ""), ("thief", "1"), ("mule", "")]
    assert found.stops[address("mule")].code in (StopCode.UNSPENT, StopCode.DORMANT)
    assert case.verify() == []


def test_if_the_payee_was_not_recorded_the_payers_history_serves(case: Case) -> None:
    world = MadeUp([moved(1, "tx", ETH, 60)], states={"thief": State.NOT_RECORDED})
    assert begin(case, tx(1), world).paid == TransferId(ETHEREUM, tx(1))
    assert world.asked == [("thief", ""), ("victim", "")]


def test_a_transaction_in_no_history_is_an_error_that_names_the_other_ways(case: Case) -> None:
    world = MadeUp([moved(1, "tx", ETH, 60)], states={"thief": State.NOT_RECORDED, "victim": State.FAILED})
    error = refused(case, tx(1), [world])
    assert "no history" in str(error)
    assert case.requests() == 2
    refused(case, tx(1), [world])
    assert len(world.asked) == 2, "what was answered is not asked again"


def test_the_same_start_again_is_the_same_loss_and_asks_nothing(case: Case) -> None:
    world = source(moved(1, "tx", ETH, 60), moved(2, "tx", ETH, 50, "thief", "mule"))
    first = begin(case, tx(1), world, amount="0.00000000000000005")
    asked, head = list(world.asked), case.head
    assert begin(case, tx(1).upper().replace("X", "x"), world, amount="0.00000000000000005") == first
    assert begin(case, tx(1)[2:], amount="0.00000000000000005") == first, "and needs no source"
    assert (world.asked, case.head) == (asked, head)


def test_another_start_is_a_second_loss(case: Case) -> None:
    world = source(moved(1, "tx", ETH, 60), moved(2, "tx", ETH, 50))
    names = [
        begin(case, tx(1), world).name,
        begin(case, tx(2), world).name,
        begin(case, str(address("mule")), world).name,
    ]
    assert [loss.name for loss in case.losses()] == names
    others = [
        begin(case, tx(2), world, victim="another", keep=False).name,
        begin(case, tx(2), world, amount="0.00000000000000001", keep=False).name,
        begin(case, str(address("mule")), world, asset=USDT, keep=False).name,
    ]
    assert len({*names, *others}) == len(names) + len(others)
    assert [loss.name for loss in case.losses()] == names


def test_a_loss_that_could_not_stand_beside_the_others_is_not_taken_in(case: Case) -> None:
    """A case never gives a loss back, so a mistaken second command must not spoil the first for good."""
    world = source(moved(1, "tx", ETH, 60), moved(2, "tx", ETH, 50))
    begin(case, tx(1), world, amount="0.00000000000000004")
    begin(case, tx(1), world, amount="0.00000000000000002", victim="another")
    before = case.losses()
    for words in ({"victim": "a third", "amount": "0.00000000000000001"}, {"victim": "a third"}):
        with pytest.raises(CaseConflict, match="is a loss of this case already"):
            begin(case, tx(1), world, **words)
    with pytest.raises(CaseConflict, match="the case is about ethereum"):
        begin(case, str(address("mule")), world, asset=USDT)
    assert case.losses() == before


def test_a_losss_name_follows_from_what_it_is_not_from_what_a_token_calls_itself(case: Case) -> None:
    named = {
        begin(case, str(address("thief")), MadeUp(), asset=Asset(ETHEREUM, "0xusdt", symbol, 6)).name
        for symbol in ("USDT", "USD\u0421", "\ud800")
    }
    assert len(named) == len(case.losses()) == 1


def test_one_wallet_cannot_be_lost_twice(case: Case) -> None:
    begin(case, str(address("thief")), MadeUp())
    with pytest.raises(CaseConflict, match="same wallet"):
        begin(case, str(address("thief")), MadeUp(), since=5)
    investigate(case, [MadeUp()], rules=StopRules(), max_requests=9, now=Clock())


def test_a_loss_asked_about_backward_is_not_kept(case: Case) -> None:
    begin(case, str(address("thief")), MadeUp(), keep=False)
    assert case.losses() == ()


def test_a_transaction_nobody_knows_is_an_error(case: Case) -> None:
    for sources in ([MadeUp()], []):
        assert "no source knows" in str(refused(case, tx(9), sources))


class NoPower:
    """A source without the power to find transactions."""

    def __init__(self, inner: MadeUp) -> None:
        self.name, self.chains, self.history = inner.name, inner.chains, inner.history


def test_a_source_that_cannot_find_transactions_is_passed_over(case: Case) -> None:
    world = source(moved(1, "tx", ETH, 60))
    assert "no source knows" in str(refused(case, tx(1), [NoPower(world)]))
    case.store_page(world.name, address("thief"), next(world.history(address("thief"))), at=2)
    assert begin(case, tx(1), NoPower(world)).paid == TransferId(ETHEREUM, tx(1))


def test_a_failed_transaction_moved_nothing_but_its_fee(case: Case) -> None:
    error = refused(case, tx(1), [source(moved(1, "fee", ETH, 3))])
    assert "this transaction failed and moved nothing but its fee" in str(error)


def test_a_call_without_value_moved_nothing(case: Case) -> None:
    error = refused(case, tx(1), [source(moved(1, "tx", ETH, 0), moved(1, "fee", ETH, 3))])
    assert "this transaction moved nothing:" in str(error)


def test_the_largest_transfer_of_the_asset_is_meant(case: Case) -> None:
    world = source(
        moved(1, "tx", ETH, 900),
        moved(1, "log:1", USDT, 5),
        moved(1, "log:2", USDT, 7, to="mule"),
        moved(1, "fee", ETH, 9),
    )
    assert begin(case, tx(1), world, asset=USDT, keep=False).paid == TransferId(ETHEREUM, tx(1), "log:2")
    assert begin(case, tx(1), world, asset=ETH).paid == TransferId(ETHEREUM, tx(1), "tx")


@pytest.mark.parametrize(
    ("other", "listed"),
    [
        (moved(1, "tx", ETH, 900), "tx (0.0000000000000009 ETH)"),
        (moved(1, "log:2", USDT, 5, to="mule"), "log:2 (0.000005 USDT)"),
    ],
)
def test_where_several_may_be_meant_they_are_listed_and_one_can_be_chosen(
    case: Case, other: Transfer, listed: str
) -> None:
    world = source(moved(1, "log:1", USDT, 5), other)
    error = refused(case, tx(1), [world])
    assert f"{tx(1)}:log:1 (0.000005 USDT)" in error.hint
    assert f"{tx(1)}:{listed}" in error.hint
    chosen = begin(case, f"{tx(1)}:log:1", world)
    assert chosen.paid == TransferId(ETHEREUM, tx(1), "log:1")
    assert chosen.asset == USDT


def test_a_position_or_asset_that_is_not_there_is_an_error_that_lists_what_is(case: Case) -> None:
    world = source(moved(1, "log:1", USDT, 5), moved(1, "fee", ETH, 5))
    for error in (
        refused(case, f"{tx(1)}:log:2", [world]),
        refused(case, f"{tx(1)}:fee", [world]),
        refused(case, tx(1), [world], asset=DAI),
    ):
        assert f"it has: {tx(1)}:log:1 (0.000005 USDT)" in error.hint


def test_more_than_was_paid_and_nothing_at_all_are_no_losses(case: Case) -> None:
    world = source(moved(1, "tx", ETH, 60))
    assert "is more than" in str(refused(case, tx(1), [world], amount="1"))
    assert "no loss" in str(refused(case, str(address("thief")), [world], amount="0"))
    with pytest.raises(BadAmount):
        begin(case, str(address("thief")), world, amount="much")


def test_a_block_to_start_from_goes_with_a_wallet_only(case: Case) -> None:
    assert "does not go with" in str(refused(case, tx(1), [source(moved(1, "tx", ETH, 6))], since=5))


def test_the_chain_is_that_of_the_source_where_there_is_only_one(case: Case) -> None:
    with pytest.raises(BadAddress, match="tron"):
        begin(case, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", MadeUp())
    mistyped = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
    with pytest.raises(BadAddress, match="checksum"):
        begin(case, mistyped, MadeUp())


def test_where_the_chain_may_be_several_it_must_be_said(case: Case) -> None:
    two = MadeUp(chains=[ETHEREUM, BSC, TRON])
    error = refused(case, str(address("thief")), [two])
    assert "bsc or ethereum" in str(error)
    assert "--chain" in error.hint
    assert begin(case, str(address("thief")), two, chain=BSC, keep=False).asset == BSC.coin
    assert begin(case, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", two, keep=False).asset == TRON.coin


def test_an_asset_says_the_chain_and_must_be_of_it(case: Case) -> None:
    assert begin(case, str(address("thief")), asset=USDT).wallet == address("thief")
    with pytest.raises(InputError, match="no asset of tron"):
        begin(case, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", chain=TRON, asset=USDT)


@pytest.mark.parametrize("text", ["", "thief", "0x12", "\x00", "x" * 100_000, "0x" + "g" * 64])
def test_what_is_neither_is_an_error(case: Case, text: str) -> None:
    refused(case, text, [MadeUp(chains=[ETHEREUM, TRON])])
    refused(case, text, [MadeUp()])
    refused(case, text, [])


def test_a_hash_known_on_two_chains_must_be_said_of_which(case: Case) -> None:
    here = moved(1, "tx", ETH, 5)
    bsc = Chain.named("bsc")
    there = Transfer(
        TransferId(bsc, tx(1)), here.block, 0, bsc.coin,
        (Leg.slot(Address(bsc, str(address("victim"))), bsc.coin, 5),),
        (Leg.slot(Address(bsc, str(address("thief"))), bsc.coin, 5),), ("made-up#1",),
    )  # fmt: skip
    both = MadeUp([here, there], chains=[ETHEREUM, bsc])
    assert "bsc or ethereum" in str(refused(case, tx(1), [both]))
    assert begin(case, tx(1), both, chain=ETHEREUM).asset == ETH


def test_a_transaction_is_read_from_the_second_source_if_the_first_knows_nothing(case: Case) -> None:
    empty, world = MadeUp([], name="made-up:empty"), source(moved(1, "tx", ETH, 60))
    assert begin(case, tx(1), empty, world).paid == TransferId(ETHEREUM, tx(1))
    assert case.sources() == ("made-up:empty", "made-up:world")


def test_the_drawings_own_payments_can_be_started_from(case: Case) -> None:
    loss = begin(case, payment(1).tx, MadeUp())
    assert loss.paid == payment(1)
