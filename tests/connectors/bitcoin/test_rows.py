"""A decoded transaction becomes one transfer, exact to the base unit, or an error that says what does not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitcoin_blocks import WITH_PREVOUTS, needs_blocks
from bitcoin_blocks import transfers as as_read_raw
from connectors.bitcoin.chains import CONFIRMATIONS, FORKED, GENESIS, HALVINGS, final_block, new_coins
from connectors.bitcoin.rows import Output, Told, coins, from_core, transfer_of
from connectors.bulk.readers_coins import _HALVINGS as HALVINGS_OF_FILES
from connectors.strict_json import parse_json
from tracer.addresses.networks import NETWORKS
from tracer.errors import BadAddress, BadAmount, BadRow, FundtrailError
from tracer.ledger import Ledger
from tracer.values import CHAINS, Block, Chain, Family

BTC = Chain.named("bitcoin")
EDGES = (0, 1, 546, 2**53 + 1, 2**63, 2**64 - 1)
BLOCK = Block(800_000, 1_690_168_629, "00" * 32)


def as_core(units: int) -> str:
    """As Core writes an amount: eight decimals."""
    return f"{units // 10**8}.{units % 10**8:08}"


def exact(text: str) -> Any:
    return parse_json(text, "an answer", decimals=True)


@given(st.integers(0, 2**64 - 1) | st.sampled_from(EDGES))
def test_an_amount_of_a_node_is_read_to_the_base_unit(units: int) -> None:
    assert coins(exact(as_core(units)), BTC) == units


@pytest.mark.parametrize(
    "text", ["0.000000001", "-1.00000000", "1e-9", "2e11", "184467440737.09551616", '"1.5"', "true", "null", "1e78"]
)
def test_what_is_no_amount_of_a_coin_is_refused(text: str) -> None:
    with pytest.raises(BadAmount):
        coins(exact(text), BTC)


def test_amounts_with_an_exponent_are_exact_too() -> None:
    assert [coins(exact(text), BTC) for text in ("1e-8", "2.1E7", "5", "0.10")] == [1, 21 * 10**14, 5 * 10**8, 10**7]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e79", "1e999999999", "0." + "1" * 79, '{"a":1.5,"a":1.5}'])
def test_reading_decimals_keeps_every_other_refusal(text: str) -> None:
    with pytest.raises(BadRow):
        exact(text)


def test_without_decimals_a_fraction_is_refused_as_before() -> None:
    with pytest.raises(BadRow, match=r"'units' is 1\.5, not a whole number"):
        parse_json('{"units": 1.5}', "a file")
    assert parse_json("1.50", "a file", decimals=True) == Decimal("1.50")


def spend(**changes: Any) -> dict[str, Any]:
    """A transaction of one input of 3 coins and outputs of 1 and 1.5, as Core 25 decodes it."""
    key = {"hex": "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "address": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}
    told = {
        "txid": "11" * 32,
        "fee": Decimal("0.5"),
        "vin": [{"txid": "22" * 32, "vout": 7, "prevout": {"value": Decimal("3.00000000"), "scriptPubKey": key}}],
        "vout": [
            {"n": 0, "value": Decimal("1.00000000"), "scriptPubKey": key},
            {"n": 1, "value": Decimal("1.50000000"), "scriptPubKey": {"hex": "6a0401020304", "type": "nulldata"}},
        ],
    }
    return told | changes


def test_the_whole_transaction_is_one_transfer_with_the_fee_last() -> None:
    transfer = transfer_of(from_core(spend(), BTC), BTC, BLOCK, 4, "sha256:0#1")
    assert transfer.id.position == "tx"
    assert [(str(leg.address), leg.units) for leg in transfer.inputs] == [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 3 * 10**8)
    ]
    assert [leg.units for leg in transfer.outputs] == [10**8, 15 * 10**7, 5 * 10**7]
    kinds = [getattr(leg.holding, "kind", "coin") for leg in transfer.outputs]
    assert kinds == ["coin", "unspendable", "fee"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fee": Decimal("0.4")}, "said to be 40000000"),
        ({"vout": []}, "no outputs"),
        ({"vin": []}, "no inputs"),
        ({"vin": None}, "vin is not a list"),
        ({"vin": [{"txid": "22" * 32, "vout": 7}]}, "is not told"),
        ({"vin": [{"ismweb": True, "output_id": "33" * 32}]}, "MWEB"),
        ({"txid": "11"}, "not a transaction hash"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(FundtrailError, match=words):
        transfer_of(from_core(spend(**change), BTC), BTC, BLOCK, 4, "sha256:0#1")


def test_outputs_may_not_hold_more_than_inputs() -> None:
    told = spend(fee=None)
    told["vout"][0]["value"] = Decimal(4)
    with pytest.raises(BadRow, match="250000000 more than the inputs"):
        transfer_of(from_core(told, BTC), BTC, BLOCK, 4, "sha256:0#1")


def test_an_address_beside_a_script_must_be_that_of_the_script() -> None:
    told = spend()
    told["vout"][0]["scriptPubKey"] = {"hex": "76a914" + "00" * 20 + "88ac", "address": told["vin"][0]["prevout"]
                                       ["scriptPubKey"]["address"]}  # fmt: skip
    with pytest.raises(BadAddress, match="but its script is of 1111111111111111111114oLvT2"):
        from_core(told, BTC)


def test_an_old_node_lists_an_address_for_a_bare_key_and_it_is_not_taken() -> None:
    told = spend()
    told["vout"][0]["scriptPubKey"] = {
        "hex": "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac", "type": "pubkey",
        "addresses": ["1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"],
    }  # fmt: skip
    transfer = transfer_of(from_core(told, BTC), BTC, BLOCK, 4, "sha256:0#1")
    assert transfer.outputs[0].address is None


@needs_blocks
@pytest.mark.parametrize("height", WITH_PREVOUTS)
def test_real_blocks_become_the_same_transfers_as_by_the_parser_of_raw_blocks(height: int) -> None:
    """The raw parser of tests is a second opinion: its own code from the block's bytes, ids and legs the same."""
    block, prevouts = WITH_PREVOUTS[height]()
    wanted = as_read_raw(block, height, prevouts, "raw")
    known = {point: Output(one.units, one.script) for point, one in prevouts.items()}
    known |= {
        (tx.txid, n): Output(one.units, one.script) for tx in block.transactions for n, one in enumerate(tx.outputs)
    }
    found = []
    for place, tx in enumerate(block.transactions):
        spent = () if tx.coinbase else tuple((one.point, known[one.point]) for one in tx.inputs)
        told = Told(tx.txid, spent, tuple(Output(one.units, one.script) for one in tx.outputs), tx.coinbase)
        found.append(transfer_of(told, BTC, Block(height, block.time, block.hash), place, f"raw#{place}"))
    assert found == wanted


def test_the_two_pairs_of_coinbases_with_one_hash_are_kept_apart_by_the_ledger() -> None:
    script = bytes.fromhex("76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac")
    told = Told("d5" * 32, (), (Output(50 * 10**8, script),), True)
    both = [
        transfer_of(told, BTC, Block(height, 1_289_000_000 + height), 0, f"x#{height}") for height in (91_812, 91_842)
    ]
    ledger = Ledger.of(both)
    assert [(one.block.number, one.id.position) for one in ledger.transfers] == [(91_812, "tx:91812"), (91_842, "tx")]


def test_tables_agree_with_one_another() -> None:
    assert {name for names in GENESIS.values() for name in names} == set(NETWORKS)
    assert set(FORKED.values()) == {"bitcoin", "bitcoin-cash"}
    assert set(CONFIRMATIONS) == {name for name, chain in CHAINS.items() if chain.family is Family.BITCOIN}
    assert HALVINGS_OF_FILES.items() <= HALVINGS.items()
    for name in NETWORKS:
        main = name.removesuffix("-testnet").removesuffix("-regtest")
        assert final_block(Chain.named(name), 10**6) == 10**6 - CONFIRMATIONS[main] + 1
    assert new_coins(Chain.named("dogecoin"), 5_000_000, 10_001 * 10**8) == 10_001 * 10**8
    assert new_coins(BTC, 210_000 * 33, 5) == 0
