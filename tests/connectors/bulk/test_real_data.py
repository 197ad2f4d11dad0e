"""Real blocks and recordings into a folder and out again: nothing lost, and the same answers as from memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import bitcoin_blocks
import btc2009
import eth_tokens
import ronin_facts
from bulk_batches import write
from connectors.bulk.folder import verify
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers import open_reader
from connectors.transfer_writing import write_transfers
from eth_tokens import Call, gathered
from graphs.follow import follow
from graphs.following import Following
from graphs.stops import StopRules
from tracer.coverage import Coverage, CoverageBook, Kind, State
from tracer.labels import LabelBook
from tracer.ledger import Ledger, Movement
from tracer.losses import Loss
from tracer.lots import Fees, Rule
from tracer.trace import StopCode
from tracer.values import UNKNOWN_METHOD, Address, Holding, Outpoint, Sink, SinkKind, Slot, Transfer

EXPLOITER = Address(ronin_facts.ETHEREUM, "0x098b716b8aaf21512996dc57eb0615e2383e2f96")
needs_ronin = pytest.mark.skipif(
    not ronin_facts.RECORDED.exists() and os.environ.get("CI") != "true",
    reason="the recording of the Ronin theft is not beside the repository",
)
FIRST_PAID = 9  # this block's coinbase was the first that anybody was paid with
EVERYTHING = StopRules(dust_one_in=0, diluted_one_in=0, hops=10_000, window_days=0)


def ingested(transfers: Iterable[Transfer], at: Path, keep: Iterable[Address] = ()) -> BulkLedger:
    """The transfers through our own format in a folder that says it is whole."""
    listed = list(transfers)
    path = write(at / "transfers.jsonl", listed)
    done = ingest([path], at / "ledger", reader=open_reader(path), whole=True)
    refused = (at / "ledger" / "rejected.jsonl").read_text().splitlines()[:3]
    assert (done.rows, done.added, done.rejected, done.contradictions) == (len(listed), len(listed), 0, 0), refused
    assert verify(at / "ledger") == ()
    return BulkLedger(at / "ledger", frozenset(keep))


def facts(transfers: Iterable[Transfer]) -> list[Transfer]:
    """What of transfers does not depend on the file that they came from.

    The called function is left out too: a folder does not keep it (tests/cases/test_bulk_trace.py).
    """
    return [replace(one, evidence=("any",), method="") for one in transfers]


def comes_out_as_it_went_in(bulk: BulkLedger, transfers: Sequence[Transfer]) -> None:
    memory = Ledger.of(transfers)
    assert len(bulk) == len(memory) == len(transfers)
    assert facts(bulk.transfers) == facts(memory.transfers)
    assert {one.id: facts([one]) for one in bulk.transfers} == {one.id: facts([one]) for one in transfers}
    for number, one in enumerate(bulk.transfers):
        (cited,) = one.evidence
        row = int(cited.rpartition("#")[2])
        assert transfers[row - 1].id == one.id, number


Nets = dict[Holding, int]


def nets(ledger: Ledger, movements: Iterable[Movement]) -> Nets:
    found: Nets = {}
    for one in movements:
        for row, sign in ((one.inputs, -1), (one.outputs, 1)):
            for hid, units in row:
                holding = ledger.holding(hid)
                found[holding] = found.get(holding, 0) + sign * units
    return {holding: units for holding, units in found.items() if units}


def steps_are_equal(bulk: BulkLedger, memory: Ledger) -> None:
    for at in range(len(memory)):
        assert bulk.step_of(at) == memory.step_of(at)
        assert nets(bulk, bulk.movements(at)) == nets(memory, memory.movements(at))


def the_same(one: Following, two: Following) -> None:
    """Both tell the same of every address, to the unit."""
    assert one.traces().keys() == two.traces().keys()
    for rule, mine in one.traces().items():
        theirs = two.traces()[rule]
        ends, others = ({end.place: (end.stop, end.amounts, end.basis) for end in of.ends} for of in (mine, theirs))
        assert ends == others
        assert mine.books == theirs.books
        assert sorted(map(repr, mine.hops)) == sorted(map(repr, theirs.hops))
    assert one.stops == two.stops
    assert one.expand == two.expand


def closes(found: Following) -> None:
    for trace in found.traces().values():
        books = trace.books
        assert books.lost == books.ends + books.held + books.fees + books.not_followed > 0
        assert books.lost == sum(end.stolen for end in trace.ends)


# The Ronin theft: 3,755 transactions of Ethereum


@needs_ronin
@pytest.mark.slow
def test_the_ronin_theft_followed_in_a_folder_ends_where_it_ends_in_memory(tmp_path: Path) -> None:
    told, coverage = ronin_facts.facts()
    transfers = [replace(one, method=UNKNOWN_METHOD) for one in told]  # a folder keeps no called functions
    labels = LabelBook(ronin_facts.labels())
    written = write_transfers(transfers, (), tmp_path / "facts")
    done = ingest(written, tmp_path / "ledger", reader=open_reader(written[0]), whole=True)
    assert (done.transfers, done.rejected, done.contradictions) == (len(transfers), 0, 0)
    bulk = BulkLedger(tmp_path / "ledger", labels.custodians())
    assert facts(bulk.transfers) == facts(transfers)
    book = CoverageBook(coverage)
    bulk.coverage = book  # what was read of whom is the recording's to say
    memory = Ledger.of(transfers, book, keep=labels.custodians())
    loss = (Loss("theft", ronin_facts.ETHEREUM.coin, wallet=EXPLOITER),)
    from_memory, from_folder = (follow(of, labels, loss, spent=True) for of in (memory, bulk))
    the_same(from_memory, from_folder)
    closes(from_folder)
    assert {end.stop for end in from_folder.traces()[Rule.FIFO].ends} >= {StopCode.MIXER, StopCode.FEE}
    assert from_memory.bounds() == from_folder.bounds()


# Bitcoin


@cache
def of_2009(blocks: int) -> tuple[Transfer, ...]:
    return tuple(one for one in btc2009.transfers() if one.block.number < blocks)


def read_to_the_end(transfers: Sequence[Transfer]) -> CoverageBook:
    last = max(one.block.number for one in transfers)
    named = {leg.address for one in transfers for leg in one.inputs + one.outputs if leg.address}
    return CoverageBook(Coverage(who, State.READ, frozenset(Kind), "chain", "chain", 0, last) for who in sorted(named))


def coinbase_of(transfers: Sequence[Transfer], block: int) -> Loss:
    (paid,) = (one for one in transfers if one.block.number == block and one.index == 0)
    return Loss("coinbase", btc2009.BTC, paid=paid.id, output=0)


@btc2009.needs_2009
@pytest.mark.parametrize(
    "blocks", [pytest.param(800, id="the first 800"), pytest.param(10**9, id="all", marks=pytest.mark.slow)]
)
def test_the_bitcoin_of_2009_comes_out_as_it_went_in_and_is_followed_under_every_rule(
    blocks: int, tmp_path: Path
) -> None:
    transfers = of_2009(blocks)
    bulk = ingested(transfers, tmp_path)
    comes_out_as_it_went_in(bulk, transfers)
    book = read_to_the_end(transfers)
    memory = Ledger.of(transfers, book)
    bulk.coverage = book
    loss = (coinbase_of(transfers, FIRST_PAID),)
    for fees in Fees:
        found = follow(bulk, LabelBook(), loss, EVERYTHING, fees=fees)
        assert set(found.traces()) == set(Rule)
        assert not found.expand
        closes(found)
        assert {trace.books.lost for trace in found.traces().values()} == {btc2009.SUBSIDY}
        the_same(follow(memory, LabelBook(), loss, EVERYTHING, fees=fees), found)
        assert len(found.hops) > 5


@bitcoin_blocks.needs_blocks
@pytest.mark.parametrize("height", sorted(bitcoin_blocks.WITH_PREVOUTS))
def test_a_real_block_with_what_it_spends_comes_out_as_it_went_in(height: int, tmp_path: Path) -> None:
    block, prevouts = bitcoin_blocks.WITH_PREVOUTS[height]()
    transfers = bitcoin_blocks.transfers(block, height, prevouts)
    bulk = ingested(transfers, tmp_path)
    comes_out_as_it_went_in(bulk, transfers)
    steps_are_equal(bulk, Ledger.of(transfers))
    # by the block's own bytes: each transaction's outputs, and the fees of all in its coinbase
    known = dict(prevouts) | bitcoin_blocks.made_in(block)
    for tx in block.transactions:
        (found,) = bulk.of_tx(bitcoin_blocks.BITCOIN, tx.txid)
        got = [leg.units for leg in found.outputs if not _is_fee(leg.holding)]
        assert got == [output.units for output in tx.outputs]
        if not tx.coinbase:
            assert [leg.units for leg in found.inputs] == [known[one.point].units for one in tx.inputs]
            points = [Outpoint(bitcoin_blocks.BITCOIN, *one.point) for one in tx.inputs]
            assert [leg.holding for leg in found.inputs] == points


def _is_fee(holding: Holding) -> bool:
    return isinstance(holding, Sink) and holding.kind is SinkKind.FEE


# Ethereum blocks with tokens


@eth_tokens.needs_eth_tokens
def test_blocks_with_tokens_come_out_as_they_went_in_and_every_step_nets_alike(tmp_path: Path) -> None:
    transfers = eth_tokens.transfers()
    bulk = ingested(transfers, tmp_path)
    comes_out_as_it_went_in(bulk, transfers)
    steps_are_equal(bulk, Ledger.of(transfers))
    compared = 0
    for tx, moved in gathered().items():
        by_hand: dict[tuple[str, str], int] = {}
        for one in moved:
            token = "" if isinstance(one, Call) else one.contract
            for who, units in ((one.payer, -one.units), (one.paid, one.units)):
                by_hand[who, token] = by_hand.get((who, token), 0) + units
        told: dict[tuple[str, str], int] = {}
        for transfer in bulk.of_tx(eth_tokens.ETHEREUM, tx):
            if transfer.id.position != "fee":
                ordinal = bulk.ordinal(transfer.id)
                assert ordinal is not None
                for holding, units in nets(bulk, bulk.movements(ordinal)).items():
                    assert isinstance(holding, Slot | Sink)
                    key = holding.address.text if isinstance(holding, Slot) else "", holding.asset.contract
                    told[key] = told.get(key, 0) + units
        assert {key: units for key, units in told.items() if units} == {
            key: units for key, units in by_hand.items() if units
        }
        compared += 1
    assert compared == len(gathered()) > 500
