"""Real answers that others recorded: every usable one of the kinds we read parses, and balances to the base unit."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from bitcoin_blocks import needs_blocks, told
from connectors.bitcoin.rows import Output, Told, from_core, transfer_of
from connectors.strict_json import parse_json
from tracer.addresses import parse
from tracer.addresses.scripts import address_of
from tracer.values import Block, Chain, Leg

FIXTURES = Path(__file__).parents[3].parent / "shared" / "data" / "api-fixtures"
_ABSENT = not FIXTURES.exists() and os.environ.get("CI") != "true"
pytestmark = pytest.mark.skipif(_ABSENT, reason="the recorded answers are not beside the repository")
BTC = Chain.named("bitcoin")


def core_answers() -> Iterator[Any]:
    """The results in the batches of a node of August 2025 (graphsense-lib, MIT)."""
    recorded = yaml.safe_load((FIXTURES / "graphsense-pipeline-cassette" / "test_pipeline.yaml").read_text())
    for one in recorded["interactions"]:
        answers = parse_json(one["response"]["body"]["string"], "an answer", decimals=True)
        assert isinstance(answers, list)
        yield from (answer["result"] for answer in answers)


def test_every_block_in_the_batches_of_a_node_is_read() -> None:
    blocks = [one for one in core_answers() if isinstance(one, dict) and isinstance(one.get("tx", [0])[0], dict)]
    transfers = []
    for block in blocks:
        for place, tx in enumerate(block["tx"]):
            decoded = from_core(tx, BTC)
            at = Block(block["height"], block["time"], block["hash"])
            transfers.append(transfer_of(decoded, BTC, at, place, "recorded#0"))
    assert len(blocks) == len({block["hash"] for block in blocks}) > 10
    coinbases = [one for one in transfers if one.index == 0]
    assert {one.units for one in coinbases} == {50 * 10**8}
    assert {leg.address for one in coinbases for leg in one.outputs} == {None}  # to bare keys, in 2009


def blockbook(name: str) -> list[dict[str, Any]]:
    (path,) = (FIXTURES / "blockatlas").glob(name)
    found: list[dict[str, Any]] = json.loads(path.read_text(), parse_float=Decimal)["transactions"]
    return found


@pytest.mark.parametrize(
    ("chain", "name"),
    [
        ("bitcoin", "bitcoin-api_v2_address_*"),
        ("bitcoin-cash", "bitcoincash-api_v2_address_*"),
        ("dogecoin", "doge-api_v2_address_*"),
        ("litecoin", "litecoin-api_v2_address_*"),
    ],
)
def test_scripts_have_the_addresses_that_four_chains_explorers_give_them(chain: str, name: str) -> None:
    """Blockbook (trustwallet/blockatlas, MIT) tells script and address of each output, and fee beside the sums."""
    on, checked = Chain.named(chain), 0
    for tx in blockbook(name):
        for one in tx["vout"]:
            if one["isAddress"] and one.get("hex"):
                assert address_of(bytes.fromhex(one["hex"]), on) == parse(one["addresses"][0], on)
                checked += 1
        spent = sum(int(one["value"]) for one in tx["vin"])
        assert spent - sum(int(one["value"]) for one in tx["vout"]) == int(tx["fees"])
    assert checked >= 10


def rawtx() -> Iterator[dict[str, Any]]:
    """blockchain.info's transactions of which every input and output is listed (recorded by rotki)."""
    with gzip.open(FIXTURES / "rotki-recordings" / "bitcoin-explorers.jsonl.gz", "rt") as lines:
        for line in lines:
            record = json.loads(line)
            if record["status"] != 200 or "blockchain.info/" not in record["uri"] or "haskoin" in record["uri"]:
                continue
            answer = json.loads(record["response"])
            for tx in answer.get("txs", [answer]):
                if {"inputs", "out", "vin_sz"} <= tx.keys() and (len(tx["inputs"]), len(tx["out"])) == (
                    tx["vin_sz"], tx["vout_sz"],
                ):  # fmt: skip
                    yield tx


def test_every_whole_transaction_of_an_explorer_balances_and_has_our_addresses() -> None:
    checked = 0
    for tx in rawtx():
        outputs = tuple(Output(one["value"], bytes.fromhex(one["script"])) for one in tx["out"])
        spent = tuple(
            ((f"{number:064x}", 0), Output(one["prev_out"]["value"], bytes.fromhex(one["prev_out"]["script"])))
            for number, one in enumerate(tx["inputs"])
        )
        fee = tx["fee"]
        transfer = transfer_of(Told(tx["hash"], spent, outputs, False, fee), BTC, Block(1, 1), 0, "recorded#0")
        for leg, one in zip(transfer.outputs, tx["out"], strict=False):
            _is(leg, one.get("addr"))
        for leg, one in zip(transfer.inputs, tx["inputs"], strict=True):
            _is(leg, one["prev_out"].get("addr"))
        checked += 1
    assert checked >= 100


def _is(leg: Leg, text: str | None) -> None:
    if leg.address is not None and text is not None:
        assert leg.address.text == text


@needs_blocks
def test_a_block_of_2026_as_a_node_names_its_transactions_is_the_block_of_its_bytes() -> None:
    block, _, named = told()
    assert tuple(tx.txid for tx in block.transactions) == named
    for tx in block.transactions:
        for output in tx.outputs:
            address = address_of(output.script, BTC)
            assert address is None or parse(address.text, BTC) == address
