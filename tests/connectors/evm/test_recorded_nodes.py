"""Answers that real nodes gave, as recorded by rotki's tests: every usable one is read, and what is known holds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.etherscan.answers import CHAIN_IDS
from connectors.evm.blocks import block_in
from connectors.evm.events import event_in
from connectors.evm.faults import judge
from connectors.evm.node import Call, Told
from connectors.evm.quantities import hash_in, number_in
from connectors.evm.transactions import Whole, fee_of, moved
from connectors.http.judging import Stop, Use
from connectors.http.protocol import Response
from connectors.strict_json import parse_json
from tracer.values import Block, Chain

RECORDED = Path(__file__).parents[4] / "shared/data/api-fixtures/rotki-recordings/json-rpc.jsonl.gz"
pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason=f"the recorded answers are not there: {RECORDED.name}")

HOSTS = {"mainnet.optimism.io": "10", "optimism.drpc.org": "10", "mainnet.base.org": "8453", "polygon.drpc.org": "137"}


def recorded() -> list[tuple[str, dict[str, Any], Response]]:
    """(host, question, answer) of each JSON-RPC call."""
    found = []
    with gzip.open(RECORDED, "rt") as lines:
        for line in lines:
            record = json.loads(line)
            if record["method"] == "POST":
                response = Response(record["status"], record["response"].encode())
                found.append((record["uri"].split("/")[2], json.loads(record["request_body"]), response))
    return found


def results(method: str) -> list[tuple[str, Any]]:
    """(host, result) of each answer to `method` that says anything."""
    told = []
    for host, asked, response in recorded():
        if asked["method"] == method:
            assert judge(response) == Use()
            answer = parse_json(response.body.decode(), "recorded")
            assert isinstance(answer, dict)
            if answer["result"] is not None:
                told.append((host, answer["result"]))
    return told


def chain_of(host: str) -> Chain:
    return Chain.named(CHAIN_IDS[HOSTS.get(host, "1")])


def test_every_block_is_read() -> None:
    blocks = [block_in(Told(Call("eth_getBlockByNumber"), row, None, "")) for _, row in results("eth_getBlockByNumber")]
    assert len(blocks) == 25
    assert all(block is not None and block.hash for block in blocks)


def test_every_transaction_with_its_receipt_is_read_and_its_fee_is_known() -> None:
    rows = {(host, hash_in(row, "hash")): row for host, row in results("eth_getTransactionByHash")}
    receipts = {(host, hash_in(row, "transactionHash")): row for host, row in results("eth_getTransactionReceipt")}
    assert len(receipts) > 20
    pairs = [(at, rows[at], receipt) for at, receipt in receipts.items() if at in rows]
    assert len(pairs) > 15
    for (host, tx), row, receipt in pairs:
        whole = Whole(row, receipt, None, ("sha256:0#1",))
        assert whole.tx == tx
        assert fee_of(whole) >= 0
        if whole.made is not None:
            block = Block(whole.block, 1_700_000_000, whole.block_hash)
            found = {one.id.position: one for one in moved(whole, block, chain_of(host))}
            assert found["fee"].units == fee_of(whole)
            assert ("tx" in found) is whole.made


def test_every_log_is_read() -> None:
    count = 0
    for host, receipt in results("eth_getTransactionReceipt"):
        for row in receipt["logs"]:
            event = event_in(row, chain_of(host))
            count += event is not None
            if event is not None:
                assert event.log == number_in(row, "logIndex")
    assert count > 50


def test_a_refused_key_ends_the_source() -> None:
    with gzip.open(RECORDED, "rt") as lines:
        refused = [record for line in lines if (record := json.loads(line))["status"] == 401]
    assert len(refused) == 1
    assert all(isinstance(judge(Response(401, one["response"].encode())), Stop) for one in refused)
