"""TronGrid's answers and a block as they were recorded: all of them parse, and what is known of them holds."""

from __future__ import annotations

import base64
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from connectors.fields import address
from connectors.http.protocol import Request, Response
from connectors.tron.assets import TRON
from connectors.tron.events import events_of
from connectors.tron.held import held
from tracer.coverage import State
from tracer.errors import BadRow
from tracer.values import Asset, Block, SinkKind
from tron_provider import AT, Chain, Faults, TronProvider, fact_of
from tron_reading import opened, read

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
TRON_DATA, BLOCKATLAS = SHARED / "tron", SHARED / "api-fixtures" / "blockatlas"
_ABSENT = not TRON_DATA.exists() and os.environ.get("CI") != "true"
pytestmark = pytest.mark.skipif(_ABSENT, reason="the recorded Tron data are not beside the repository")

USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
WALLET = "TFFriedwRtWdFuzerDDtkoQTZ29smDZ1MB"


def recorded(name: str) -> Any:
    (path,) = BLOCKATLAS.glob(name)
    return json.loads(path.read_text())


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TRON_DATA / "graphsense-lib" / "trx" / name).read_text().splitlines()]


def test_the_73_usdt_transfers_of_block_50000011_are_read_to_the_unit() -> None:
    """465,704.41 USDT, by the data's own description; counted here from the raw words of the logs."""
    logs = json.loads((TRON_DATA / "graphsense-lib" / "block-sample" / "account_trx_logs.json").read_text())
    by_tx: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for log in sorted(logs, key=lambda log: log["log_index"]):
        topics = [topic.removeprefix("0x") for topic in log["topics"]]
        by_tx[log["tx_hash"]].append(log | {"address": log["address"].removeprefix("0x"), "topics": topics})
    found = []
    for tx, told in by_tx.items():
        events = events_of({"log": told}, tx, Block(50_000_011, 1_680_612_831), {}, "sha256:0")
        assert events.odd == {}
        found += events.transfers
    usdt = [transfer for transfer in found if transfer.asset.contract == USDT]
    assert len(usdt) == 73
    raw = sum(
        int(log["data"], 16) for log in logs if log["address"].endswith("a614f803b6fd780986a42c78ec9c7f77e6ded13c")
    )
    assert sum(transfer.units for transfer in usdt) == raw
    assert raw == 465_704_408_725
    first = next(transfer for transfer in usdt if transfer.id.tx.startswith("0x2b24564f"))
    payee = address("41804087a70980dbe2fb54bc3e4e2b79f995b8bfcd", TRON)
    assert (first.units, first.outputs[0].address) == (100_000_000, payee)
    assert len(found) == 75  # the other token's two; the 76th log is no Transfer


def test_the_inner_calls_of_a_thousand_blocks_are_read_and_rejected_ones_move_nothing() -> None:
    """The file keeps amounts in 32 bits: 22 of them came out below nothing, and no such amount is read."""
    by_tx: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    expected = 0
    damaged = {row["txHash"] for row in lines("56804500to56805500/traces.json") if row["callValue"] < 0}
    for row in lines("56804500to56805500/traces.json"):
        tx = base64.b64decode(row["txHash"]).hex()
        call = by_tx[tx].setdefault(row["traceIndex"], {
            "caller_address": "41" + base64.b64decode(row["callerAddress"]).hex(),
            "transferTo_address": "41" + base64.b64decode(row["transfertoAddress"]).hex(),
            "note": row["note"].encode().hex(), "rejected": row["rejected"], "callValueInfo": [],
        })  # fmt: skip
        entry = {"callValue": row["callValue"]} if row["callValue"] else {}
        call["callValueInfo"].append(entry)
        expected += 0 if row["rejected"] or row["txHash"] in damaged else row["callValue"]
    moved = []
    lost = {base64.b64decode(tx).hex() for tx in damaged}
    for tx, calls in by_tx.items():
        info = {"internal_transactions": [calls[number] for number in sorted(calls)]}
        if tx in lost:
            with pytest.raises(BadRow, match="callValue is '-"):
                events_of(info, tx, Block(56_804_500, 1_701_000_000), {}, "sha256:0")
            continue
        moved += events_of(info, tx, Block(56_804_500, 1_701_000_000), {}, "sha256:0").transfers
    assert moved
    assert sum(transfer.units for transfer in moved if not transfer.asset.contract) == expected > 0
    assert len({transfer.id for transfer in moved}) == len(moved)


def test_a_wallets_transactions_of_2020_are_read() -> None:
    """21 rows: TRC-10 gifts, one payment, freezing and voting. The node's own answers of then are not recorded; for
    rows without a block they are made up here, with the block left at 1."""
    rows = recorded("tron-*_transactions__*.json")["data"]
    assets = {name: recorded(f"tron-api_v1_assets_{name}.json") for name in ("1002000", "1002798", "1002814")}

    def answer(request: Request) -> Response | None:
        if "/v1/assets/" in request.url:
            return Response(200, json.dumps(assets[request.url.rpartition("/")[2]]).encode(), at=AT)
        if request.url.endswith(f"/{WALLET}/transactions"):
            told = sorted(rows, key=lambda row: row["block_timestamp"])
            least, order = int(request.params["min_timestamp"]), request.params["order_by"]
            told = [row for row in told if row["block_timestamp"] >= least]
            body = {"success": True, "meta": {}, "data": told[::-1] if order.endswith("desc") else told}
            return Response(200, json.dumps(body).encode(), at=AT)
        if request.url.endswith("gettransactioninfobyid"):
            row = next(row for row in rows if row["txID"] == json.loads(request.body)["value"])
            info = {"id": row["txID"], "blockNumber": 1, "blockTimeStamp": row["block_timestamp"]}
            return Response(200, json.dumps(info | {"fee": row["ret"][0]["fee"]}).encode(), at=AT)
        return None

    wallet = address(WALLET, TRON)
    facts, coverage, pages = read(opened(TronProvider(Chain(), Faults(), answer)), wallet)
    assert coverage.state is State.READ
    assert coverage.rows == 21
    assert not [problem for page in pages for problem in page.problems]
    sums: dict[str, int] = defaultdict(int)
    for _, (position, contract, _, payee, units) in facts:
        sums[contract] += units if payee == WALLET and position == "tx" else 0
    assert sums[""] == 278_720_000
    assert (sums["1002798"], sums["1002814"]) == (10_000_000, 10_000_000)
    btt = next(t for p in pages for t in p.transfers if t.asset.contract == "1002000")
    assert (btt.asset.symbol, btt.asset.decimals) == ("BTT", 6)
    # What the account held two days later, by TronGrid: all of the coin (278 TRX of it had been frozen and came back).
    account = recorded(f"tron-api_v1_accounts_{WALLET}.json")["data"]
    stated = held(account, [TRON.coin, *(Asset(TRON, name) for name in assets)])
    assert stated == {Asset(TRON, contract): units for contract, units in sums.items()}


def test_rows_of_trc20_answers_are_read_once_their_execution_is_there() -> None:
    """The executions are made up from the rows, but for the one row whose log is left out."""
    rows = json.loads((TRON_DATA / "trongrid-sample" / "trc20_TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre.json").read_text())
    wallet = address("TL24LCps5FKwp3PoU1MvrYrwhi5LU1tHre", TRON)
    told = sorted(rows["data"], key=lambda row: row["block_timestamp"])
    made = Chain()
    for row in told:
        token, payer, payee = (address(text, TRON) for text in (row["token_info"]["address"], row["from"], row["to"]))
        tx = made.call(payer, token, logs=[(token, payer, payee, int(row["value"]))])
        tx.info |= {"id": row["transaction_id"], "blockTimeStamp": row["block_timestamp"]}

    def answer(request: Request) -> Response | None:
        if request.url.endswith("/transactions/trc20") and str(wallet) in request.url:
            return Response(200, json.dumps(rows | {"data": told}).encode(), at=AT)
        if request.url.endswith("gettransactioninfobyid"):
            asked = json.loads(request.body)["value"]
            return Response(200, json.dumps(next(tx.info for tx in made.txs if tx.info["id"] == asked)).encode(), at=AT)
        return None

    provider = TronProvider(Chain(), Faults(), answer)
    provider.final = 30_000_000  # blocks of the made-up chain, three seconds each: later than the rows
    facts, coverage, _ = read(opened(provider), wallet)
    moved = [row for row in told if row["type"] == "Transfer"]
    assert len(facts) == len(moved) > 0
    assert sorted(fact[4] for _, fact in facts) == sorted(int(row["value"]) for row in moved)
    assert coverage.state in (State.READ, State.CUT)


def test_a_seizure_by_the_issuer_leaves_circulation() -> None:
    """USDT's DestroyedBlackFunds event, as its contract declares it; no recorded one is at hand."""
    word = "00" * 12 + "11" * 20
    log = {
        "address": "a614f803b6fd780986a42c78ec9c7f77e6ded13c", "data": word + f"{7:064x}",
        "topics": ["61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6"],
    }  # fmt: skip
    (transfer,) = events_of({"log": [log]}, "ab" * 32, Block(1, 1_700_000_000), {}, "sha256:0").transfers
    assert fact_of(transfer)[1][2:] == (str(address("0x" + "11" * 20, TRON)), str(SinkKind.SEIZED), 7)
