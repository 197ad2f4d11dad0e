"""The ledger of a folder answers as the one in memory does, on whatever transfers are put into both."""

from __future__ import annotations

from itertools import cycle, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_batches import JsonReader, write
from bulk_ledgers import ETH, FEW, account_ledgers, agree, both, coin_ledgers, paid, place, tokens, traced
from connectors.bulk.folder import verify
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from tracer import steps
from tracer.ledger import Ledger, Order
from tracer.values import Transfer


@FEW
@given(account_ledgers(), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_a_folder_of_account_transfers_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], at_once: bool, kept: bool, exact: bool, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(transfers)))
    again = data.draw(st.lists(st.sampled_from(transfers), max_size=3)) if transfers else []
    chain = transfers[0].id.chain if transfers else ETH
    keep = [place(chain, 1)] if kept else []
    order = Order.EXACT if exact else Order.ATOMIC
    with both([transfers[:cut], transfers[cut:] + again], keep, order, at_once) as (memory, bulk):
        agree(memory, bulk)


@FEW
@given(coin_ledgers(), st.booleans(), st.data())
def test_a_folder_of_coins_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], at_once: bool, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(transfers)))
    again = data.draw(st.lists(st.sampled_from(transfers), max_size=3))
    with both([transfers[cut:], transfers[:cut] + again], at_once=at_once) as (memory, bulk):
        agree(memory, bulk)


@FEW
@given(st.one_of(account_ledgers(), coin_ledgers()), st.booleans(), st.data())
def test_a_folder_that_grows_in_order_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], kept: bool, data: st.DataObject
) -> None:
    """What is added behind all there is gets an index of its own, which goes on from the balances before it."""
    chain = transfers[0].id.chain if transfers else ETH
    transfers = list(Ledger.of(transfers).transfers)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(transfers))] * 2)))
    files = [transfers[:first], transfers[first:last], transfers[last:]]
    with both(files, [place(chain, 1)] if kept else [], at_once=False) as (memory, bulk):
        agree(memory, bulk)


def test_only_what_is_new_is_indexed_until_there_are_too_many_stretches(tmp_path: Path) -> None:
    seen = []
    for number in range(1, 10):
        file = [paid(3 * number + more, number, number % 2, (number + more) % 4) for more in range(3)]
        ingest([write(tmp_path / f"{number}.jsonl", file)], tmp_path / "ledger", reader=JsonReader(ETH))
        seen.append(len(BulkLedger(tmp_path / "ledger").files.stretches))
        assert verify(tmp_path / "ledger") == ()
    assert seen == [1, 2, 3, 4, 5, 6, 1, 2, 3]
    bulk = BulkLedger(tmp_path / "ledger")
    agree(Ledger.of(list(bulk.transfers)), bulk)


def test_tables_grow_in_layers_until_there_are_too_many_or_too_much_is_new(tmp_path: Path) -> None:
    seen = []
    for number in range(1, 12):
        # Addresses of earlier files get holdings of another token: the newest is found first, and leads to the others.
        asset = tokens(ETH)[number % 3]
        file = [
            paid(1000 * number + more, number, number % 2, (number + more) % 4, asset)
            for more in range(200 if number == 10 else 3)
        ]
        ingest([write(tmp_path / f"{number}.jsonl", file)], tmp_path / "ledger", reader=JsonReader(ETH))
        bulk = BulkLedger(tmp_path / "ledger")
        seen.append((len(bulk.files.by_tx), len(bulk.files.by_holding), len(bulk.files.by_address)))
        assert verify(tmp_path / "ledger") == ()
        agree(Ledger.of(list(bulk.transfers)), bulk)
    assert [txs for txs, _, _ in seen] == [1, 2, 3, 4, 5, 6, 7, 1, 2, 1, 2]
    assert all(max(sizes) > 2 for sizes in zip(*seen, strict=True))


@FEW
@given(st.one_of(account_ledgers(), coin_ledgers()), st.integers(2, 9), st.booleans(), st.data())
def test_a_folder_that_is_added_to_again_and_again_answers_as_a_ledger_in_memory(
    transfers: list[Transfer], times: int, in_order: bool, data: st.DataObject
) -> None:
    transfers = list(Ledger.of(transfers).transfers) if in_order else transfers
    cuts = [0, *sorted(data.draw(st.integers(0, len(transfers))) for _ in range(times - 1)), len(transfers)]
    with both([transfers[one:two] for one, two in pairwise(cuts)], at_once=False) as (memory, bulk):
        agree(memory, bulk)


@FEW
@given(st.one_of(account_ledgers(), coin_ledgers()), st.data())
def test_a_trace_and_its_envelope_are_the_same_on_both(transfers: list[Transfer], data: st.DataObject) -> None:
    moved = [one for one in transfers if one.units]
    if not moved:
        return
    with both([transfers]) as (memory, bulk):
        loss = memory.ordinal(data.draw(st.sampled_from(moved)).id)
        assert loss is not None
        everyone = sorted({leg.address for one in transfers for leg in one.outputs if leg.address})
        following = frozenset(data.draw(st.sets(st.sampled_from(everyone))) if everyone else ())
        expected = traced(memory, loss, following)
        assert traced(bulk, loss, following) == expected
        for turns in ((True,), (True, False, False), (False, True)):  # all rows are passed, or now and then
            turn = cycle(turns)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(steps, "SOME", 1)
                patch.setattr(BulkLedger, "rows_per_look_up", data.draw(st.sampled_from((4, 12, 400))))
                patch.setattr(steps, "pass_on", lambda *_, turn=turn: next(turn))
                patch.setattr(steps, "look_on", lambda *_, turn=turn: not next(turn))
                assert traced(bulk, loss, following) == expected


MANY = settings(FEW, max_examples=200)


@pytest.mark.slow
@MANY
@given(st.one_of(account_ledgers(), coin_ledgers()), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_many_more_ledgers_in_files_of_any_order_answer_alike(
    transfers: list[Transfer], in_order: bool, kept: bool, exact: bool, data: st.DataObject
) -> None:
    chain = transfers[0].id.chain if transfers else ETH
    if in_order:
        transfers = list(Ledger.of(transfers).transfers)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(transfers))] * 2)))
    again = data.draw(st.lists(st.sampled_from(transfers), max_size=3)) if transfers else []
    files = [transfers[:first], transfers[first:last], transfers[last:] + again]
    order = Order.EXACT if exact else Order.ATOMIC
    with both(files, [place(chain, 1)] if kept else [], order, data.draw(st.booleans())) as (memory, bulk):
        agree(memory, bulk)
        moved = [one for one in transfers if one.units]
        if moved:
            loss = memory.ordinal(data.draw(st.sampled_from(moved)).id)
            everyone = sorted({leg.address for one in transfers for leg in one.outputs if leg.address})
            following = frozenset(data.draw(st.sets(st.sampled_from(everyone))) if everyone else ())
            assert loss is not None
            assert traced(bulk, loss, following) == traced(memory, loss, following)
