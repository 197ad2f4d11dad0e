"""Recorded Etherscan answers as tests write them: rows, whole answers, and a source that reads them."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.etherscan.recorded import EtherscanRecorded
from connectors.protocol import Page
from tracer.addresses import parse
from tracer.coverage import Coverage
from tracer.values import Chain, Transfer

ETH = Chain.named("ethereum")
A, B, C = ("0x" + letter * 40 for letter in "abc")
T0 = 1648041417
EMPTY = {"status": "0", "message": "No transactions found", "result": []}
LIMIT = {
    "status": "0",
    "message": "NOTOK",
    "result": "Max rate limit reached, please use API Key for higher rate limit",
}


def tx(number: int) -> str:
    return f"0x{number:064x}"


def row(number: int, payer: str = A, payee: str = B, block: int = 0, **other: object) -> dict[str, object]:
    told: dict[str, object] = {
        "blockNumber": str(block or number),
        "timeStamp": str(T0 + (block or number)),
        "hash": tx(number),
        "blockHash": tx(10**6 + (block or number)),
        "transactionIndex": "195",
        "from": payer,
        "to": payee,
        "value": str(number),
        "gasPrice": "3",
        "gasUsed": "21000",
        "isError": "0",
        "txreceipt_status": "1",
        "input": "0x",
        "contractAddress": "",
        "confirmations": str(1001 - (block or number)),
        "methodId": "0x",
        "functionName": "",
    }
    return told | other


def ok(*rows: object) -> dict[str, object]:
    return {"status": "1", "message": "OK", "result": list(rows)}


def answer(
    body: object, address: str = A, at: str = "2023-09-21T11:19:43+00:00", **request: object
) -> dict[str, object]:
    asked = {"module": "account", "action": "txlist", "address": address, "sort": "asc"}
    return {
        "recorded_at": at,
        "request": asked | {"startblock": "0", "endblock": "99999999"} | request,
        "http_status": 200,
        "body": body,
    }


def recorded(folder: Path, *answers: object) -> EtherscanRecorded:
    path = folder / "answers.jsonl"
    path.write_text("".join((a if isinstance(a, str) else json.dumps(a)) + "\n" for a in answers))
    return EtherscanRecorded(path)


def pages_of(source: EtherscanRecorded, address: str = A, chain: Chain = ETH) -> list[Page]:
    return list(source.history(parse(address, chain)))


def coverage_of(source: EtherscanRecorded, address: str = A, chain: Chain = ETH) -> Coverage:
    coverage = pages_of(source, address, chain)[-1].coverage
    assert coverage is not None
    return coverage


def transfers_of(source: EtherscanRecorded, address: str = A) -> list[Transfer]:
    return [transfer for page in pages_of(source, address) for transfer in page.transfers]


def internal(trace: str, **other: object) -> dict[str, object]:
    told = {name: value for name, value in row(9).items() if name not in ("confirmations", "methodId", "gasPrice")}
    return told | {"type": "call", "traceId": trace, "errCode": ""} | other


def token(units: int, payer: str = A, payee: str = B, **other: object) -> dict[str, object]:
    told = {
        "value": str(units),
        "contractAddress": C,
        "tokenSymbol": "USDT",
        "tokenDecimal": "6",
        "input": "deprecated",
    }
    return row(9, payer, payee) | told | other
