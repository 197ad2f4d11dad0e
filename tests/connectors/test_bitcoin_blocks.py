"""Real blocks of Bitcoin go into the ledger and into our own transfer files, and come out whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import bitcoin_blocks as blocks
import btc2009
from bitcoin_blocks import RawBlock
from connectors.transfer_file import TransferFile
from connectors.transfer_writing import write_transfers
from tracer.addresses import parse
from tracer.ledger import Ledger
from tracer.values import Leg, Outpoint, Sink, SinkKind, Transfer

HEIGHTS = sorted(blocks.WITH_PREVOUTS)


def sunk(legs: tuple[Leg, ...], kind: SinkKind) -> int:
    return sum(leg.units for leg in legs if isinstance(leg.holding, Sink) and leg.holding.kind is kind)


def points(legs: tuple[Leg, ...]) -> list[tuple[tuple[str, int], int]]:
    return [((leg.holding.tx, leg.holding.index), leg.units) for leg in legs if isinstance(leg.holding, Outpoint)]


def script_of(text: str) -> bytes:
    """The script that a base58 address stands for, by long division and not by our own reader."""
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number = 0
    for letter in text:
        number = number * 58 + letters.index(letter)
    body = number.to_bytes(25, "big")
    assert hashlib.sha256(hashlib.sha256(body[:21]).digest()).digest()[:4] == body[21:]
    before, after = {0: (b"\x76\xa9\x14", b"\x88\xac"), 5: (b"\xa9\x14", b"\x87")}[body[0]]
    return before + body[1:21] + after


def checked(block: RawBlock, data: bytes) -> None:
    """What was parsed is every byte of the block, and its transactions are those that its header commits to."""
    again = data[:80] + blocks._size(len(block.transactions))
    for tx in block.transactions:
        again += blocks.serialised(tx, witness=any(one.witness for one in tx.inputs))
    assert again == data
    assert blocks.merkle_root([tx.txid for tx in block.transactions]) == block.merkle
    assert [tx.coinbase for tx in block.transactions] == [True] + [False] * (len(block.transactions) - 1)


@blocks.needs_blocks
@pytest.mark.parametrize("name", blocks.WHOLE)
def test_every_byte_of_a_real_block_is_parsed(name: str) -> None:
    block, data = blocks.whole(name)
    checked(block, data)
    assert block.hash in name or not name.endswith(".blk")


@blocks.needs_blocks
def test_a_block_parses_to_the_transactions_that_a_node_names() -> None:
    block, data, named = blocks.told()
    checked(block, data)
    assert tuple(tx.txid for tx in block.transactions) == named
    kinds: Counter[str] = Counter()
    for tx in block.transactions:
        for output in tx.outputs:
            if address := blocks.address_of(output.script):
                assert parse(address.text, blocks.BITCOIN) == address
                kinds[f"{address.text[:4]} {len(address.text)}" if address.text[:3] == "bc1" else address.text[0]] += 1
    assert {"bc1q 42", "bc1q 62", "bc1p 62", "1", "3"} <= kinds.keys()


@blocks.needs_blocks
@pytest.mark.parametrize("height", HEIGHTS)
def test_what_a_block_spends_is_told_of_every_input_and_pays_for_every_output(height: int) -> None:
    block, prevouts = blocks.WITH_PREVOUTS[height]()
    rest = block.transactions[1:]
    spent = [one.point for tx in rest for one in tx.inputs]
    assert len(spent) == len(set(spent))
    assert set(spent) == prevouts.keys()
    made = blocks.made_in(block)
    inside = made.keys() & prevouts.keys()
    assert len(inside) > 50
    assert {point: prevouts[point] for point in inside} == {point: made[point] for point in inside}
    fees = [blocks.fee_of(tx, prevouts) for tx in rest]
    assert min(fees) >= 0
    claimed = sum(output.units for output in block.transactions[0].outputs)
    assert 25 * 10**8 < claimed <= 25 * 10**8 + sum(fees)


@blocks.needs_blocks
@pytest.mark.parametrize("height", HEIGHTS)
def test_a_block_goes_into_the_ledger_and_out_without_loss(height: int) -> None:
    block, prevouts = blocks.WITH_PREVOUTS[height]()
    ledger = Ledger.of(reversed(blocks.transfers(block, height, prevouts)))
    assert len(ledger) == len(block.transactions)
    by_tx = {transfer.id.tx: transfer for transfer in ledger.transfers}
    for place, tx in enumerate(block.transactions):
        transfer = by_tx[tx.txid]
        assert (transfer.index, transfer.block.number, transfer.block.hash) == (place, height, block.hash)
        if not tx.coinbase:
            assert points(transfer.inputs) == [(one.point, prevouts[one.point].units) for one in tx.inputs]
            for one, leg in zip(tx.inputs, transfer.inputs, strict=True):
                assert _fits(leg, prevouts[one.point].script)
        spendable = [(n, out) for n, out in enumerate(tx.outputs) if not out.script.startswith(b"\x6a")]
        assert points(transfer.outputs) == [((tx.txid, n), out.units) for n, out in spendable]
        coins = [leg for leg in transfer.outputs if isinstance(leg.holding, Outpoint)]
        assert all(_fits(leg, out.script) for leg, (_, out) in zip(coins, spendable, strict=True))
        carved = [out.units for out in tx.outputs if out.script.startswith(b"\x6a")]
        assert sunk(transfer.outputs, SinkKind.UNSPENDABLE) == sum(carved)
        assert len(transfer.outputs) == len(tx.outputs) + (sunk(transfer.outputs, SinkKind.FEE) > 0)
        assert sum(leg.units for leg in transfer.inputs) == sum(leg.units for leg in transfer.outputs)
    coinbase = by_tx[block.transactions[0].txid]
    paid = sum(sunk(transfer.outputs, SinkKind.FEE) for transfer in ledger.transfers)
    assert sunk(coinbase.inputs, SinkKind.ISSUE) == 25 * 10**8
    assert 0 < sunk(coinbase.inputs, SinkKind.FEE) <= paid


def _fits(leg: Leg, script: bytes) -> bool:
    """Whether the address is that of the script; a bare key, a bare multisig and the like have none."""
    usual = (len(script), script[:2]) in ((25, b"\x76\xa9"), (23, b"\xa9\x14"))
    return script_of(leg.address.text) == script if leg.address else not usual


@blocks.needs_blocks
@pytest.mark.parametrize("height", HEIGHTS)
def test_a_coin_made_and_spent_in_one_block_has_two_events_in_their_order(height: int) -> None:
    block, prevouts = blocks.WITH_PREVOUTS[height]()
    ledger = Ledger.of(blocks.transfers(block, height, prevouts))
    inside = blocks.made_in(block).keys() & prevouts.keys()
    spender = {one.point: tx.txid for tx in block.transactions for one in tx.inputs}
    for point in inside:
        hid = ledger.hid(Outpoint(blocks.BITCOIN, *point))
        assert hid is not None
        made, spent = ledger.events(hid)
        assert made < spent
        assert (ledger.transfer(made).id.tx, ledger.transfer(spent).id.tx) == (point[0], spender[point])
        assert ledger.balance_before(hid, made) == 0
        assert ledger.balance_before(hid, spent) == prevouts[point].units
        assert ledger.balance_before(hid, len(ledger)) == 0
    for point in blocks.made_in(block).keys() - inside:
        hid = ledger.hid(Outpoint(blocks.BITCOIN, *point))
        assert hid is None or len(ledger.events(hid)) == 1


@blocks.needs_blocks
@pytest.mark.parametrize("height", HEIGHTS)
def test_a_block_survives_our_own_transfer_file(height: int, tmp_path: Path) -> None:
    block, prevouts = blocks.WITH_PREVOUTS[height]()
    transfers = blocks.transfers(block, height, prevouts)
    source = _written(transfers, tmp_path)
    for transfer in transfers[1:]:  # the coinbase: the test below
        (again,) = source.transaction(blocks.BITCOIN, transfer.id.tx)
        assert _content(again) == _content(transfer)


@blocks.needs_blocks
@pytest.mark.parametrize("height", HEIGHTS)
def test_the_coinbase_of_a_block_survives_our_own_transfer_file(height: int, tmp_path: Path) -> None:
    block, prevouts = blocks.WITH_PREVOUTS[height]()
    coinbase = blocks.transfers(block, height, prevouts)[0]
    (again,) = _written([coinbase], tmp_path).transaction(blocks.BITCOIN, coinbase.id.tx)
    assert _content(again) == _content(coinbase)


def _written(transfers: list[Transfer], folder: Path) -> TransferFile:
    write_transfers(transfers, [], folder)
    return TransferFile(folder)


def _content(transfer: Transfer) -> Transfer:
    """The transfer without what names its source: a file gives evidence of its own, and has no block hash."""
    return replace(transfer, evidence=("#",), block=replace(transfer.block, hash=""))


@blocks.needs_blocks
@btc2009.needs_2009
def test_the_chain_of_2009_agrees_with_the_blocks_themselves() -> None:
    from Crypto.Hash import RIPEMD160

    by_height: dict[int, list[Transfer]] = {}
    for transfer in btc2009.transfers():
        by_height.setdefault(transfer.block.number, []).append(transfer)
    bare = 0
    first = blocks.first_blocks()
    assert len(first) == 255
    for height, block in enumerate(first, start=1):
        assert [transfer.id.tx for transfer in by_height[height]] == [tx.txid for tx in block.transactions]
        for transfer, tx in zip(by_height[height], block.transactions, strict=True):
            if not tx.coinbase:
                assert [point for point, _ in points(transfer.inputs)] == [one.point for one in tx.inputs]
            assert points(transfer.outputs) == [((tx.txid, n), out.units) for n, out in enumerate(tx.outputs)]
            for leg, out in zip(transfer.outputs, tx.outputs, strict=False):
                assert leg.address is not None
                if out.script[-1:] == b"\xac" and len(out.script) == 67:  # a bare key: its P2PKH address stands there
                    digest = RIPEMD160.new(hashlib.sha256(out.script[1:66]).digest()).digest()
                    assert script_of(leg.address.text)[3:23] == digest
                    bare += 1
                else:
                    assert script_of(leg.address.text) == out.script
    assert bare > 250


@btc2009.needs_2009
def test_the_books_of_2009_close() -> None:
    transfers = btc2009.transfers()
    heights = [transfer.block.number for transfer in transfers]
    assert heights == sorted(heights)
    assert set(heights) == set(range(32_490))
    made: dict[Outpoint, int] = {}
    for transfer in transfers:
        spent = [leg for leg in transfer.inputs if isinstance(leg.holding, Outpoint)]
        assert all(made.pop(leg.holding) == leg.units for leg in spent if isinstance(leg.holding, Outpoint))
        for leg in transfer.outputs:
            if isinstance(leg.holding, Outpoint):
                assert leg.holding not in made
                made[leg.holding] = leg.units
    issued = sum(sunk(transfer.inputs, SinkKind.ISSUE) for transfer in transfers)
    paid = sum(sunk(transfer.outputs, SinkKind.FEE) for transfer in transfers)
    claimed = sum(sunk(transfer.inputs, SinkKind.FEE) for transfer in transfers)
    assert issued == 50 * 10**8 * 32_490
    assert 0 < paid == claimed
    assert sum(made.values()) + paid - claimed == issued


@btc2009.needs_2009
def test_the_files_of_2009_agree_with_each_other() -> None:
    made = btc2009.outputs()
    rows = list(btc2009.rows("tx_input"))
    assert {int(row["output_index"]) for row in rows} <= made.keys()
    for row in rows:
        output = made[int(row["output_index"])]
        assert (output.units, output.spent_in) == (int(row["input_value"]), int(row["tx_index"]))
        assert output.tx == int(row["spent_index"])  # there, the transaction that made it
    within = [output for output in made.values() if output.spent_in is not None and output.spent_in < 32_709]
    assert len(within) == len(rows)
    assert sum(1 for output in made.values() if output.address is None) == 21
    named = sorted({output.address for output in made.values() if output.address})
    assert [parse(address.text, btc2009.BITCOIN) for address in named[::50]] == named[::50]


@btc2009.needs_2009
def test_the_first_payment_of_all_is_found_by_its_hash() -> None:
    by_tx = {transfer.id.tx: transfer for transfer in btc2009.transfers()}
    genesis = by_tx["4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"]
    assert genesis.block.number == 0
    payment = by_tx["f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"]
    assert (payment.block.number, payment.index) == (170, 1)
    assert [(leg.units, str(leg.address)) for leg in payment.outputs] == [
        (10 * 10**8, "1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3"),
        (40 * 10**8, "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"),
    ]
