"""A ledger in a folder at its edges: amounts, balances, coinbases of one hash, what is unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bulk_batches import JsonReader, write
from bulk_ledgers import BTC, EDGES, ETH, TRON, agree, both, paid, place, tokens, tx
from connectors.bulk.arrays import open_arrays
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from tracer.coverage import State
from tracer.values import MAX_UNITS, Address, Asset, Block, Leg, Outpoint, SinkKind, Slot, Transfer, TransferId


@pytest.mark.parametrize("units", [*EDGES, *(2**bits + more for bits in range(126, 129) for more in (-1, 0, 1))])
def test_every_amount_survives(units: int) -> None:
    first, again = paid(1, units, 0, 1), paid(2, units, 2, 1)
    with both([[first, again, paid(3, units, 1, 3)]]) as (memory, bulk):
        assert [one.units for one in bulk.transfers] == [units] * 3
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        assert [bulk.balance_before(hid, at) for at in range(4)] == [0, units, 2 * units, units]
        assert [one.units for one in bulk.history(place(ETH, 1))] == [units] * 3
        agree(memory, bulk)


def test_a_balance_above_the_largest_amount_is_exact() -> None:
    inflows = [paid(number, MAX_UNITS, 0, 1) for number in range(1, 6)]
    with both([[*inflows, paid(9, 7, 1, 2)]]) as (memory, bulk):
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        assert bulk.balance_before(hid, 5) == 5 * MAX_UNITS
        assert bulk.balance_before(hid, 6) == 5 * MAX_UNITS - 7
        agree(memory, bulk)


def test_a_balance_that_grows_past_128_bits_payment_by_payment_is_exact() -> None:
    inflows = [paid(number, 2**127, 0, 1) for number in range(1, 6)]
    with both([[*inflows, paid(9, 2**127, 1, 2), paid(10, 1, 1, 3)]]) as (memory, bulk):
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        assert [bulk.balance_before(hid, at) for at in range(8)] == [
            0, 2**127, 2**128, 3 * 2**127, 4 * 2**127, 5 * 2**127, 4 * 2**127, 4 * 2**127 - 1,
        ]  # fmt: skip
        agree(memory, bulk)


def test_a_router_passes_value_on_and_is_no_event_unless_it_is_kept() -> None:
    usdt = tokens(ETH)[1]
    through = [paid(1, 10, 0, 1, usdt, "log:1"), paid(1, 10, 1, 2, usdt, "log:2")]
    with both([through]) as (memory, bulk):
        router = bulk.hid(Slot(place(ETH, 1), usdt))
        assert router is not None
        assert list(bulk.events(router)) == []
        assert bulk.movements(0)[0].through == (router,)
        agree(memory, bulk)
    with both([through], keep=[place(ETH, 1)]) as (memory, bulk):
        router = bulk.hid(Slot(place(ETH, 1), usdt))
        assert router is not None
        assert list(bulk.events(router)) == [0]
        agree(memory, bulk)


def test_a_transfer_of_nothing_amid_a_step_is_an_event_of_its_own() -> None:
    usdt = tokens(ETH)[1]
    amid = [
        paid(1, 10, 0, 1, usdt, "log:1"),
        paid(1, 0, 1, 1, usdt, "log:2"),
        paid(1, 4, 1, 2, usdt, "log:3"),
        paid(1, 0, 2, 1, usdt, "log:4"),
    ]
    with both([amid]) as (memory, bulk):
        hid = bulk.hid(Slot(place(ETH, 1), usdt))
        assert hid is not None
        assert list(bulk.events(hid)) == [0, 1, 3]
        assert [bulk.balance_before(hid, at) for at in range(4)] == [0, 6, 6, 6]
        agree(memory, bulk)


def test_the_arrays_hold_what_the_ledger_tells() -> None:
    file = [paid(number, number, number % 3, (number + 1) % 3) for number in range(1, 9)]
    with both([file[:5], file[5:]], at_once=False) as (_, bulk):
        arrays = open_arrays(bulk)
        assert len(arrays.stretches) == 2
        hid = bulk.hid(Slot(place(ETH, 1), ETH.coin))
        assert hid is not None
        seen = []
        for starts, records in arrays.stretches:
            for word, _, low, high, before_low, before_high in records[starts[hid] : starts[hid + 1]].tolist():
                seen.append((word & 0xFFFFFFFF, word >> 32, high << 64 | low))
                assert before_high << 64 | before_low == bulk.balance_before(hid, word & 0xFFFFFFFF)
        assert seen == [(one.ordinal, one.time, one.units) for one in bulk.history(place(ETH, 1))]
        assert not arrays.sink.any()
        assert not arrays.asset.any()


def test_two_coinbases_of_one_hash_leave_the_earlier_one_lost_in_whatever_order_they_come() -> None:
    def coinbase(block: int) -> Transfer:
        issued = (Leg.sink(BTC.coin, SinkKind.ISSUE, 50),)
        mined = (Leg.coin(tx(BTC, 1), 0, BTC, 50, place(BTC, 0)),)
        return Transfer(
            TransferId(BTC, tx(BTC, 1)), Block(block, 1_300_000_000 + block), 0, BTC.coin, issued, mined, ("x",)
        )

    early, late = coinbase(91_722), coinbase(91_880)
    for files in ([[early, late]], [[late], [early]], [[early], [late, early]], [[late, early, late]]):
        for at_once in (True, False):
            with both(files, at_once=at_once) as (memory, bulk):
                assert {one.id.position for one in bulk.transfers} >= {"tx", "tx:91722"}
                agree(memory, bulk)


def test_transactions_whose_id_is_no_hash_keep_their_name_and_order() -> None:
    def genesis(number: int, index: int = -1) -> Transfer:
        one = paid(0, 5, 0, number)
        return replace(one, id=replace(one.id, tx="GENESIS_" + place(ETH, number).text[2:]), index=index)

    with both([[genesis(3), paid(0, 1, 0, 1), genesis(1), genesis(2)]]) as (memory, bulk):
        assert bulk.ordinal(genesis(3).id) == memory.ordinal(genesis(3).id)
        agree(memory, bulk)


def test_a_place_told_later_moves_a_transaction_that_is_there_already() -> None:
    late, early = (replace(paid(1, units, 0, 1), index=-1) for units in (3, 4))
    late = replace(late, id=replace(late.id, tx=min(tx(ETH, 1), tx(ETH, 2)), position="log:1"))
    early = replace(early, id=replace(early.id, tx=max(tx(ETH, 1), tx(ETH, 2)), position="log:1"))
    places = [replace(one, id=replace(one.id, position="tx"), index=place) for one, place in ((late, 9), (early, 2))]
    with both([[late, early], places], at_once=False) as (memory, bulk):
        assert [one.id.tx for one in bulk.transfers] == [early.id.tx] * 2 + [late.id.tx] * 2
        agree(memory, bulk)


def test_what_no_transfer_touches_is_unknown() -> None:
    with both([[paid(1, 5, 0, 1)]]) as (_, bulk):
        assert bulk.hid(Slot(place(ETH, 9), ETH.coin)) is None
        assert bulk.hid(Slot(place(TRON, 0), TRON.coin)) is None
        assert bulk.hid(Slot(Address(ETH, "nonsense"), ETH.coin)) is None
        assert bulk.hid(Slot(place(ETH, 0), Asset(ETH, "0x00"))) is None
        assert bulk.hid(Outpoint(BTC, tx(BTC, 1), 0)) is None
        assert bulk.hid(Outpoint(BTC, "nonsense", 0)) is None
        assert bulk.holdings_of(place(ETH, 9)) == ()
        assert bulk.ordinal(TransferId(ETH, tx(ETH, 9))) is None
        assert bulk.ordinal(TransferId(ETH, tx(ETH, 1), "fee")) is None
        assert bulk.of_tx(ETH, "nonsense") == bulk.of_tx(BTC, tx(BTC, 1)) == ()
        assert bulk.latest(BTC) == 0
        with pytest.raises(IndexError):
            bulk.transfer(1)


def test_coverage_is_not_stated_unless_the_user_states_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [paid(5, 5, 0, 1)])
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETH))
    book = BulkLedger(tmp_path / "ledger").coverage
    assert book.of(place(ETH, 0)).state is State.UNSTATED
    assert book.of(place(ETH, 9)).state is State.NOT_RECORDED
    assert book.of(place(TRON, 0)).state is State.NOT_ASKED
    ingest([path], tmp_path / "ledger", reader=JsonReader(ETH), whole=True)
    book = BulkLedger(tmp_path / "ledger").coverage
    read = book.of(place(ETH, 0))
    assert (read.state, read.first, read.last, read.rows) == (State.READ, 5, 5, 1)
    assert not read.complete
    assert book.of(place(ETH, 9)).state is State.EMPTY
