"""Real answers of Etherscan, Routescan and Blockscout: each one is read, or says why it cannot be."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.blockscout import asking as blockscout
from connectors.blockscout.rows import transfers_of as blockscout_transfers
from connectors.etherscan.asking import Asking, quantity
from connectors.etherscan.chains import WRAPPED
from connectors.etherscan.judging import judge
from connectors.etherscan.rows import KINDS, likeness, transfers_of
from connectors.etherscan.twins import parties
from connectors.http.judging import Use
from connectors.http.keeping import Keeping
from connectors.http.protocol import Request, Response
from connectors.strict_json import parse_json
from tracer.coverage import Kind
from tracer.errors import BadRow, SourceSkipped
from tracer.values import Chain, Transfer

FIXTURES = Path(__file__).parents[3].parent / "shared" / "data" / "api-fixtures"
ROTKI = FIXTURES / "rotki-recordings"
ETH = Chain.named("ethereum")
CHAINS = {"1": "ethereum", "10": "optimism", "8453": "base", "100": "gnosis", "534352": "scroll", "42161": "arbitrum"}

pytestmark = pytest.mark.skipif(not FIXTURES.exists(), reason="the real data is not beside the repository")


class Canned:
    """Gives one answer, whatever is asked."""

    def __init__(self, response: Response) -> None:
        self._response = response

    def send(self, request: Request) -> Response:
        return self._response


def recorded(name: str) -> Iterator[tuple[dict[str, Any], Response, dict[str, str]]]:
    with gzip.open(ROTKI / f"{name}.jsonl.gz") as stream:
        for line in stream:
            record = json.loads(line)
            asked = dict(parse_qsl(urlsplit(record["uri"]).query.replace("txHash", "txhash")))
            yield record, Response(record["status"], record["response"].encode()), asked


def read_list(response: Response, asked: dict[str, str]) -> tuple[str, list[Transfer], int]:
    """What an answer to an account list is, the transfers in it, and how many rows."""
    verdict = judge(response)
    if not isinstance(verdict, Use):
        return f"{type(verdict).__name__}: {verdict.why[:29]}", [], 0
    asking = Asking(Keeping(Canned(response), "test"), "http://127.0.0.1", "test", {})
    listed = asking.rows("account", asked["action"])
    twins: Counter[object] = Counter()
    found: list[Transfer] = []
    for number, row in enumerate(listed.rows):
        assert isinstance(row, dict)
        told = {"hash": asked["txhash"], **row} if "txhash" in asked else row  # such a list does not repeat the hash
        found += transfers_of(asked["action"], told, ETH, twins[likeness(told)], f"{listed.evidence.id}#{number}")
        twins[likeness(told)] += 1
    assert len({one.id for one in found}) == len(found)
    what = "not processed yet" if listed.partial else "rows" if listed.rows else "empty"
    if listed.rows and str(len(listed.rows)) == asked.get("offset"):
        what = "a full page"
    return what, found, len(listed.rows)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        (
            "etherscan-v2",
            {
                "empty": 83,
                "rows": 40,
                "a full page": 14,
                "Stop: NOTOK: Free API access is not": 2,
                "rows in all": 152,
                "transfers in all": 228,
            },
        ),
        (
            "routescan",
            {
                "empty": 17,
                "rows": 12,
                "a full page": 5,
                "Stop: chain not supported": 1,
                "rows in all": 281,
                "transfers in all": 292,
            },
        ),
        (
            "blockscout",
            {"empty": 37, "rows": 21, "not processed yet": 10, "rows in all": 1112, "transfers in all": 2141},
        ),
    ],
)
def test_every_recorded_list_is_read_or_says_why_not(name: str, seen: dict[str, int]) -> None:
    found: Counter[str] = Counter()
    for _, response, asked in recorded(name):
        if asked.get("module") == "account" and asked.get("action") in KINDS:
            what, transfers, rows = read_list(response, asked)
            found[what] += 1
            found["rows in all"] += rows
            found["transfers in all"] += len(transfers)
    assert found == seen


@pytest.mark.parametrize(("name", "blocks", "receipts"), [("etherscan-v2", 72, 85), ("routescan", 6, 10)])
def test_every_recorded_block_and_receipt_is_read(name: str, blocks: int, receipts: int) -> None:
    seen: Counter[str] = Counter()
    for _, response, asked in recorded(name):
        action = asked.get("action")
        if action not in ("eth_getBlockByNumber", "eth_getTransactionReceipt"):
            continue
        assert judge(response) == Use()
        asking = Asking(Keeping(Canned(response), "test"), "http://127.0.0.1", "test", {})
        result, _ = asking.node(action)
        assert isinstance(result, dict)
        seen[action] += 1
        if action == "eth_getBlockByNumber":
            assert result["number"] == asked["tag"]
            assert quantity(result["timestamp"])
            assert len(result["hash"]) == 66
            seen["empty blocks"] += not result["transactions"]
        else:
            told = [log for log in result["logs"] if log["topics"] and log["topics"][0].startswith("0xddf252ad")]
            fungible = [log for log in told if len(log["topics"]) == 3]
            assert len(parties(result)) == len(fungible)
    empty = {"empty blocks": 3 if name == "etherscan-v2" else 0}
    assert seen == {"eth_getBlockByNumber": blocks, "eth_getTransactionReceipt": receipts} | empty


def test_every_recorded_blockscout_transaction_is_read() -> None:
    seen: Counter[str] = Counter()
    for record, response, _ in recorded("blockscout"):
        path = urlsplit(record["uri"]).path
        if "/api/v2/transactions/" not in path:
            continue
        assert blockscout.judge(response) == Use()
        row = parse_json(record["response"], "row", decimals=True)
        assert isinstance(row, dict)
        chain = Chain.named(CHAINS[path.split("/")[1]] if "api.blockscout.com" in record["uri"] else "base")
        if row["fee"]["value"] is None:  # one on Base, of which the explorer does not know the fee
            with pytest.raises(BadRow, match="value is missing"):
                blockscout_transfers(Kind.NATIVE, row, chain, "sha256:0#1")
            seen["fee not known"] += 1
            continue
        stated = blockscout_transfers(Kind.NATIVE, row, chain, "sha256:0#1")
        seen[row["status"]] += 1
        assert len(stated) == (2 if row["status"] == "ok" else 1)
        assert stated[-1].units == int(row["fee"]["value"])
        if scroll := row.get("scroll"):  # what is paid to the chain below is in the fee
            assert stated[-1].units == int(scroll["l2_fee"]["value"]) + int(scroll["l1_fee"])
        for token in row["token_transfers"] or ():
            timed = {**token, "timestamp": row["timestamp"]}
            if token["token_type"] == "ERC-20":
                (moved,) = blockscout_transfers(Kind.TOKEN, timed, chain, "sha256:0#1")
                assert moved.units == int(token["total"]["value"])
                assert moved.id.position == f"log:{token['log_index']}"
                seen["ERC-20"] += 1
            else:
                with pytest.raises(BadRow, match="where ERC-20 was asked for"):
                    blockscout_transfers(Kind.TOKEN, timed, chain, "sha256:0#1")
                seen["other tokens"] += 1
    assert seen == {"ok": 67, "error": 3, "fee not known": 1, "ERC-20": 187, "other tokens": 4}


def test_a_known_transaction_on_optimism_is_what_it_was() -> None:
    """0x99f2657b...: 0.01 ETH to the Seaport contract, of which the fee of the chain below is nearly all of the fee."""
    (row,) = [
        parse_json(record["response"], "row", decimals=True)
        for record, _, _ in recorded("blockscout")
        if record["uri"].endswith("0x99f2657bb052a58fb88e8f38710d2d02f89f62059b500129bdb3e5607c5ff3e0")
    ]
    assert isinstance(row, dict)
    value, fee = blockscout_transfers(Kind.NATIVE, row, Chain.named("optimism"), "sha256:0#1")
    assert (value.units, fee.units) == (10**16, 107_221_394_374_976)
    assert value.outputs[0].address is not None
    assert value.outputs[0].address.text == "0x998ef16ea4111094eb5ee72fc2c6f4e6e8647666"
    assert (value.block.number, value.index) == (54_733_674, 0)


@pytest.mark.parametrize(
    ("name", "action", "rows"),
    [
        ("get_normal_txs_by_address", "txlist", 41),
        ("get_internal_txs_by_address", "txlistinternal", 66),
        ("get_erc20_token_transfer_events_by_address", "tokentx", 1209),
    ],
)
def test_answers_of_2020_are_read_too(name: str, action: str, rows: int) -> None:
    record = json.loads((FIXTURES / "etherscan-v1-python" / f"{name}.json").read_text())
    body = json.dumps({"status": "1", "message": "OK", "result": record["res"]}).encode()
    what, _, seen = read_list(Response(200, body), {"action": action})
    assert (what, seen) == ("rows", rows)


def test_an_answer_cut_short_anywhere_is_never_used() -> None:
    (body,) = [
        response.body for _, response, asked in recorded("routescan")
        if asked.get("page") == "3" and asked.get("action") == "txlistinternal"
    ]  # fmt: skip
    for cut in range(1, len(body), 211):
        assert not isinstance(judge(Response(200, body[:cut])), Use)


def test_the_wrapped_coins_are_contracts_that_the_recordings_know() -> None:
    """A mistyped address would silently read no wraps."""
    everything = b"".join(
        response.body.lower() for name in ("etherscan-v2", "routescan", "blockscout")
        for _, response, _ in recorded(name)
    )  # fmt: skip
    known = {chain for chain, (contract, _) in WRAPPED.items() if contract.encode() in everything}
    assert known == {"ethereum", "optimism", "base", "gnosis", "polygon"}


def test_an_excuse_recorded_by_others_raises() -> None:
    response = Response(200, b'{"status":"0","message":"chain not supported","result":null}')
    asking = Asking(Keeping(Canned(response), "test"), "http://127.0.0.1", "test", {})
    with pytest.raises(SourceSkipped):
        asking.rows("account", "txlist")
