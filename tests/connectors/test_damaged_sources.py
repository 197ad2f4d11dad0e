"""Whatever happens to the bytes of a source, it is an error in words or a problem, never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from connectors.etherscan.recorded import EtherscanRecorded
from connectors.protocol import Connector
from connectors.transfer_file import TransferFile
from tracer.addresses import parse
from tracer.coverage import State
from tracer.errors import InputError
from tracer.values import Chain

A, B = (parse("0x" + letter * 40, Chain.named("ethereum")) for letter in "ab")
ROW = {"blockNumber": "7", "timeStamp": "1648041417", "hash": "0x" + "1" * 64, "transactionIndex": "0", "from": str(A)}
ROW |= {"to": str(B), "value": "5", "gasPrice": "3", "gasUsed": "2", "isError": "0", "contractAddress": ""}
ASKED = {"action": "txlist", "address": str(A)}
ANSWER = json.dumps({"request": ASKED, "body": {"status": "1", "message": "OK", "result": [ROW]}}).encode()
CSV = f"chain,tx,block,time,from,to,units\nethereum,0x{'1' * 64},7,1648041417,{A},{B},5\n".encode()

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ROW, "status", "result"]), inner),
    max_leaves=8,
)
damages = st.tuples(st.integers(0, 10_000), st.integers(0, 40), st.binary(max_size=6))


def damaged(body: bytes, damage: tuple[int, int, bytes]) -> bytes:
    """The bytes with a piece replaced by others."""
    start = damage[0] % (len(body) + 1)
    return body[:start] + damage[2] + body[start + damage[1] :]


def survives(kind: type[TransferFile] | type[EtherscanRecorded], name: str, body: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(body)
        try:
            source: Connector = kind(path)
        except InputError:
            return
        for address in (A, B):
            coverage = list(source.history(address))[-1].coverage
            assert coverage is not None
            if any(page.problems for page in source.history(address)):
                assert coverage.state not in (State.READ, State.EMPTY)


@given(damages)
def test_a_transfer_file_with_any_damage(damage: tuple[int, int, bytes]) -> None:
    survives(TransferFile, "t.csv", damaged(CSV, damage))


@given(damages)
def test_a_recorded_answer_with_any_damage(damage: tuple[int, int, bytes]) -> None:
    survives(EtherscanRecorded, "a.jsonl", damaged(ANSWER, damage))


@given(values)
def test_a_recorded_answer_with_any_body(body: object) -> None:
    survives(EtherscanRecorded, "a.jsonl", json.dumps({"request": ASKED, "body": body}).encode())


@given(values, st.sampled_from(sorted(ROW)))
def test_a_recorded_row_with_anything_in_a_field(value: object, field: str) -> None:
    body = {"status": "1", "message": "OK", "result": [ROW | {field: value}]}
    survives(EtherscanRecorded, "a.jsonl", json.dumps({"request": ASKED, "body": body}).encode())


@given(values, st.sampled_from(["chain", "tx", "block", "time", "from", "to", "units", "inputs", "coverage", "index"]))
def test_a_transfer_record_with_anything_in_a_field(value: object, field: str) -> None:
    record = {
        "chain": "ethereum",
        "tx": "1" * 64,
        "block": 7,
        "time": 1648041417,
        "from": str(A),
        "to": str(B),
        "units": 5,
    }
    survives(TransferFile, "t.jsonl", json.dumps(record | {field: value}).encode())
