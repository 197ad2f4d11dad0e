"""The CoinJoin rules on real blocks, where what they find was looked at one by one."""

from __future__ import annotations

from collections import Counter

import pytest

import bitcoin_blocks as blocks
import btc2009
from graphs.coinjoins import COORDINATORS, POOLS, coinjoin, payjoin_suspect, verdicts
from tracer.values import Block, Leg, Outpoint, SinkKind, Transfer, TransferId

IN_702861 = blocks.WHOLE[2]
MAY_2019 = blocks.WHOLE[3]


def of_block(height: int) -> list[Transfer]:
    block, prevouts = blocks.WITH_PREVOUTS[height]()
    return blocks.transfers(block, height, prevouts)


@btc2009.needs_2009
def test_nothing_in_the_first_year_of_bitcoin_looks_like_a_mix() -> None:
    # Nobody mixed in 2009, so each hit would be false.
    assert [transfer.id.tx for transfer in btc2009.transfers() if coinjoin(transfer)] == []


@blocks.needs_blocks
def test_nothing_in_block_277647_looks_like_a_mix() -> None:
    assert [transfer.id.tx for transfer in of_block(277647) if coinjoin(transfer)] == []


@blocks.needs_blocks
def test_four_batch_payouts_of_block_300025_look_like_a_mix_to_published_rules() -> None:
    # Payouts near 0.1 BTC of one service from many deposits, most likely: two years before there was any Wasabi, which
    # GraphSense's rules do not ask. So none of them may be called one.
    found = {place: verdict for place, transfer in enumerate(of_block(300025)) if (verdict := coinjoin(transfer))}
    assert {place: verdict.rules for place, verdict in found.items()} == {
        432: ("wasabi-1.0-graphsense", "wasabi-1.1-graphsense"),
        435: ("wasabi-1.0-graphsense", "wasabi-1.1-graphsense", "joinmarket-graphsense", "blocksci"),
        438: ("wasabi-1.1-graphsense",),
        450: ("wasabi-1.1-graphsense",),
    }
    assert {verdict.protocol for verdict in found.values()} == {"equal-output"}
    assert all(verdict.anonymity for verdict in found.values())


@blocks.needs_blocks
def test_a_payment_of_two_equal_amounts_in_block_300025_is_told_from_a_mix_by_the_stonewall_rule() -> None:
    # 0.002 and 0.0007748 BTC of two addresses into twice 0.001 BTC and change: one wallet can do that.
    (transfer,) = [transfer for transfer in of_block(300025) if verdicts(transfer)["stonewall"]]
    assert [leg.units for leg in transfer.inputs] == [200_000, 77_480]
    assert [leg.units for leg in transfer.outputs if isinstance(leg.holding, Outpoint)] == [100_000, 100_000, 57_480]
    assert verdicts(transfer)["blocksci"]
    assert coinjoin(transfer) is None


@blocks.needs_blocks
@pytest.mark.parametrize("height", sorted(blocks.WITH_PREVOUTS))
def test_payjoin_suspects_are_few_and_are_what_the_definition_says(height: int) -> None:
    transfers = of_block(height)
    suspects = [transfer for transfer in transfers if payjoin_suspect(transfer)]
    assert 0 < len(suspects) < len(transfers) // 5
    for transfer in suspects:
        smallest = min(leg.units for leg in transfer.inputs)
        coins = [leg.units for leg in transfer.outputs if isinstance(leg.holding, Outpoint)]
        assert transfer.units - smallest - max(coins) >= transfer.units - sum(coins)


@blocks.needs_blocks
def test_the_seven_whirlpool_mixes_of_block_702861_fit_the_shape_whoever_paid() -> None:
    # What was spent is not in the data: the amounts of the inputs are made up here, one newcomer each.
    block, _ = blocks.whole(IN_702861)
    pools: Counter[int] = Counter()
    for place, tx in enumerate(block.transactions):
        if len(tx.inputs) != 5 or len(tx.outputs) != 5 or len({output.units for output in tx.outputs}) != 1:
            continue
        pool = tx.outputs[0].units
        paid = [pool + 5_000 if n == 0 else pool for n in range(5)]
        found = coinjoin(_with_inputs(block, place, paid))
        assert found is not None
        assert (found.protocol, found.rules) == ("whirlpool", ("whirlpool-dumplings", "whirlpool-graphsense"))
        pools[pool] += 1
    assert pools == {100_000: 4, 1_000_000: 3}
    assert pools.keys() <= POOLS.keys()


@blocks.needs_blocks
def test_no_output_of_the_block_of_may_2019_pays_a_wasabi_coordinator() -> None:
    block, _ = blocks.whole(MAY_2019)
    paid = {
        address.text for tx in block.transactions for out in tx.outputs if (address := blocks.address_of(out.script))
    }
    assert len(paid) > 1_000
    assert not paid & COORDINATORS


def _with_inputs(block: blocks.RawBlock, place: int, paid: list[int]) -> Transfer:
    """The transaction with its real outputs, and inputs of these amounts at made-up addresses of key hashes."""
    tx = block.transactions[place]
    outputs = [
        Leg.coin(tx.txid, n, blocks.BITCOIN, output.units, blocks.address_of(output.script))
        for n, output in enumerate(tx.outputs)
    ]
    fee = sum(paid) - sum(leg.units for leg in outputs)
    inputs = [
        Leg.coin(*one.point, blocks.BITCOIN, units, blocks.address_of(b"\x00\x14" + bytes([n]) * 20))
        for n, (one, units) in enumerate(zip(tx.inputs, paid, strict=True))
    ]
    return Transfer(
        TransferId(blocks.BITCOIN, tx.txid),
        Block(702861, block.time),
        place,
        blocks.BTC,
        tuple(inputs),
        (*outputs, Leg.sink(blocks.BTC, SinkKind.FEE, fee)),
        (f"block702861#{place}",),
    )
