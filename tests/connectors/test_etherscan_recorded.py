"""Recorded Etherscan answers: what each class of answer means, and what hostile ones cannot do."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.etherscan.recorded import EtherscanRecorded
from connectors.reading import Caps
from etherscan_rows import (
    ETH,
    T0,
    A,
    B,
    C,
    answer,
    coverage_of,
    internal,
    ok,
    pages_of,
    recorded,
    row,
    token,
    transfers_of,
    tx,
)
from tracer.addresses import parse
from tracer.coverage import Kind, State
from tracer.errors import InputError
from tracer.values import MAX_UNITS, Leg, Sink, SinkKind

# --- rows


def test_a_payment_is_its_value_and_its_fee(tmp_path: Path) -> None:
    value, fee = transfers_of(recorded(tmp_path, answer(ok(row(7)))))
    a, b = parse(A, ETH), parse(B, ETH)
    assert (value.inputs, value.outputs) == ((Leg.slot(a, ETH.coin, 7),), (Leg.slot(b, ETH.coin, 7),))
    assert (value.id.position, fee.id.position) == ("tx", "fee")
    assert fee.outputs[0].holding == Sink(ETH.coin, SinkKind.FEE)
    assert fee.units == 63000
    assert (value.block.number, value.block.time, value.block.hash, value.index) == (7, T0 + 7, tx(10**6 + 7), 195)
    assert value.method == ""


def test_the_payee_does_not_pay_the_fee(tmp_path: Path) -> None:
    (value,) = transfers_of(recorded(tmp_path, answer(ok(row(7)), B)), B)
    assert value.id.position == "tx"


@pytest.mark.parametrize(
    "failed", [{"isError": "1", "txreceipt_status": "0"}, {"txreceipt_status": "0"}, {"isError": "1"}]
)
def test_a_failed_transaction_costs_its_fee_and_moves_nothing(tmp_path: Path, failed: dict[str, Any]) -> None:
    (fee,) = transfers_of(recorded(tmp_path, answer(ok(row(7, **failed)))))
    assert fee.id.position == "fee"
    assert transfers_of(recorded(tmp_path, answer(ok(row(7, **failed)), B)), B) == []


def test_a_call_that_moves_nothing_is_kept_as_a_fact(tmp_path: Path) -> None:
    value, _ = transfers_of(recorded(tmp_path, answer(ok(row(7, value="0", methodId="0xA9059CBB")))))
    assert (value.units, value.method) == (0, "0xa9059cbb")


def test_a_payment_to_oneself_is_kept(tmp_path: Path) -> None:
    value, _ = transfers_of(recorded(tmp_path, answer(ok(row(7, payee=A)))))
    assert value.inputs == value.outputs


def test_a_made_contract_gets_the_value(tmp_path: Path) -> None:
    value, _ = transfers_of(recorded(tmp_path, answer(ok(row(7, payee="", contractAddress=C)))))
    assert value.outputs[0].address == parse(C, ETH)


def test_coins_of_block_0_are_issued_and_cost_no_fee(tmp_path: Path) -> None:
    first = row(7, payer="GENESIS", payee=A, blockNumber="0", hash="GENESIS_" + A[2:], confirmations="1001")
    (issued,) = transfers_of(recorded(tmp_path, answer(ok(first))))
    assert issued.inputs == (Leg.sink(ETH.coin, SinkKind.ISSUE, 7),)


def test_before_byzantium_there_was_no_receipt_status(tmp_path: Path) -> None:
    assert len(transfers_of(recorded(tmp_path, answer(ok(row(7, txreceipt_status="")))))) == 2


def test_the_selector_is_the_method_because_names_are_guesses(tmp_path: Path) -> None:
    old = row(8, input="0xb438689f0000")
    del old["methodId"]
    rows = row(7, methodId="0x60806040", functionName="atInversebrah(int248 a)"), old
    values = transfers_of(recorded(tmp_path, answer(ok(*rows))))
    assert [t.method for t in values[::2]] == ["0x60806040", "0xb438689f"]


def test_internal_calls_are_placed_by_their_trace(tmp_path: Path) -> None:
    rows = [
        internal("0_1"),
        internal("0_2", isError="1"),
        internal("0_3", type="delegatecall"),
        internal("1", to="", contractAddress=C),
    ]
    source = recorded(tmp_path, answer(ok(*rows), action="txlistinternal"))
    moved = transfers_of(source)
    assert [t.id.position for t in moved] == ["trace:0_1", "trace:1"]
    assert moved[1].outputs[0].address == parse(C, ETH)
    assert coverage_of(source).kinds == {Kind.INTERNAL}
    assert coverage_of(source).state is State.READ


def test_a_token_event_has_one_name_in_the_lists_of_payer_and_payee(tmp_path: Path) -> None:
    """The payee's list does not show the event before it, so a running number would differ."""
    of_payer = answer(ok(token(1, payee="0x" + "d" * 40), token(5)), action="tokentx")
    of_payee = answer(ok(token(5)), B, action="tokentx")
    source = recorded(tmp_path, of_payer, of_payee)
    (got,) = transfers_of(source, B)
    assert got.id in {t.id for t in transfers_of(source)}
    assert (got.asset.contract, got.asset.symbol, got.asset.decimals) == (C, "USDT", 6)
    assert "log indexes" in pages_of(source)[-1].problems[-1].text


def test_two_token_events_that_look_alike_are_two(tmp_path: Path) -> None:
    both = transfers_of(recorded(tmp_path, answer(ok(token(5), token(5)), action="tokentx")))
    assert len({t.id for t in both}) == 2


def test_a_log_index_is_used_where_there_is_one(tmp_path: Path) -> None:
    (event,) = transfers_of(recorded(tmp_path, answer(ok(token(5, logIndex="17")), action="tokentx")))
    assert event.id.position == "log:17"


def test_a_token_with_silly_decimals_or_half_a_letter_does_not_spoil_the_answer(tmp_path: Path) -> None:
    rows = token(5, tokenDecimal=str(MAX_UNITS)), token(6, tokenSymbol="\ud800"), token(7, tokenDecimal="")
    source = recorded(tmp_path, answer(ok(*rows), action="tokentx"))
    assert [t.asset.decimals for t in transfers_of(source)] == [255, 6, 0]
    assert transfers_of(source)[1].asset.symbol == "?"
    assert coverage_of(source).state is State.READ


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": "-1"}, "value: not a whole number"),
        ({"value": str(10**80)}, "value: not a whole number"),
        ({"value": "1e18"}, "value: not a whole number"),
        ({"value": None}, "value is missing"),
        ({"value": ["1"]}, "value is list"),
        ({"gasUsed": str(2**255)}, "base units"),
        ({"blockNumber": "latest"}, "blockNumber is 'latest'"),
        ({"timeStamp": "1648041417000"}, "milliseconds"),
        ({"hash": "0x12"}, "transaction hash"),
        ({"from": "0x12"}, "from: '0x12'"),
        ({"to": ""}, "contractAddress"),
        ({"isError": "maybe"}, "isError is 'maybe'"),
        ({"tokenDecimal": "6"}, "not a row of txlist"),
        ({"from": B, "to": C}, "does not concern"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_problem_and_the_address_is_not_complete(
    tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    source = recorded(tmp_path, answer(ok(row(7), row(8) | change, row(9))))
    (page,) = pages_of(source)
    assert {t.units for t in page.transfers if t.id.position == "tx"} == {7, 9}
    (problem,) = page.problems
    assert reason in problem.text
    assert problem.where == "answers.jsonl, line 1, row 2"
    assert coverage_of(source).state is State.FAILED
    assert coverage_of(source).last is None
    assert coverage_of(source).reason == "native: 1 of 3 rows cannot be read"


@pytest.mark.parametrize("thing", [None, 5, "row", [], True])
def test_a_row_that_is_no_object_is_a_problem(tmp_path: Path, thing: object) -> None:
    (page,) = pages_of(recorded(tmp_path, answer(ok(row(7), thing))))
    assert [p.where for p in page.problems] == ["answers.jsonl, line 1, row 2"]


# --- files


def test_the_evidence_is_the_line_byte_for_byte(tmp_path: Path) -> None:
    line = json.dumps(answer(ok(row(7))), indent=None).encode() + b"\r\n"
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + line))
    (page,) = pages_of(EtherscanRecorded(tmp_path / "a.jsonl.gz"))
    assert page.evidence is not None
    assert page.evidence.body == b"\xef\xbb\xbf" + line
    assert page.transfers[0].evidence == (f"{page.evidence.id}#1",)
    assert len(page.transfers) == 2


def test_the_key_of_a_request_stays_out_of_the_evidence_name_and_is_reported(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(ok(row(7)), apikey="SECRET"))
    (page,) = pages_of(source)
    assert page.evidence is not None
    assert "SECRET" not in page.evidence.request
    assert "API key" in source.problems[0].text


@pytest.mark.parametrize(
    "order", [("body", "request"), ("request", "body"), ("http_status", "request", "recorded_at", "body")]
)
def test_a_record_may_be_written_in_any_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    whole = answer(ok(row(7)))
    assert coverage_of(recorded(tmp_path, {name: whole[name] for name in order})).state is State.READ


def test_a_broken_line_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    line = json.dumps(answer(ok(row(7))))
    source = recorded(tmp_path, line[: len(line) // 2], line[:20], json.dumps(answer(ok(row(7)), B)))
    assert [p.where for p in source.problems] == ["answers.jsonl, line 1", "answers.jsonl, line 2"]
    assert "not JSON" in source.problems[0].text
    assert coverage_of(source, B).state is State.READ
    said = coverage_of(source)  # its request can be read, so it is known to have failed
    assert said.state is State.FAILED
    assert "answers.jsonl, line 1: not JSON" in said.reason
    for address in (A, B, C):  # line 2 may be about any of them
        assert pages_of(source, address)[-1].problems[-1].where == "answers.jsonl, line 2"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"body": {}}', "holds no request"),
        ("[]", "holds no request"),
        ('{"request": 5, "body": {}}', "request is not an object"),
        ('{"request": {"action": "txlist", "address": "0x12"}, "body": {}}', "'0x12'"),
        ('{"request": {"action": "txlist", "address": ["a"]}, "body": {}}', "address is list"),
        ('{"request": {"action": "balance", "address": "' + A + '"}, "body": {}}', "'balance' is not used"),
        ('{"request": {"action": "txlist", "txhash": "' + tx(1) + '"}, "body": {}}', "about no address"),
        ('{"request": {"action": "txlist", "chainid": "777", "address": "' + A + '"}, "body": {}}', "chainid 777"),
    ],
)
def test_an_answer_that_cannot_be_used_is_a_problem(tmp_path: Path, line: str, reason: str) -> None:
    (problem,) = recorded(tmp_path, line).problems
    assert reason in problem.text
    assert problem.where == "answers.jsonl, line 1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"value": "7"', '"value": 7e0'),
        ('"value": "7"', '"value": NaN'),
        ('"value": "7"', '"value": "7", "value": "8"'),
    ],
)
def test_json_that_can_be_read_in_two_ways_fails_the_answer(tmp_path: Path, old: str, new: str) -> None:
    said = coverage_of(recorded(tmp_path, json.dumps(answer(ok(row(7)))).replace(old, new)))
    assert said.state is State.FAILED
    assert "value" in said.reason or "NaN" in said.reason


def test_a_second_request_in_the_line_cannot_change_whom_it_is_about(tmp_path: Path) -> None:
    line = json.dumps(answer(ok(row(7))))[:-1] + ', "request": {"address": "' + B + '"}}'
    source = recorded(tmp_path, line)
    assert coverage_of(source).state is State.FAILED
    assert coverage_of(source, B).state is State.NOT_RECORDED


def test_a_folder_holds_one_answer_a_file(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(json.dumps(answer(ok(row(7))), indent=2))
    (tmp_path / f"txlistinternal_{B}.json").write_text(json.dumps(ok(internal("0"))))
    (tmp_path / f"txlist_{C}.json").write_text("<html>502 Bad gateway</html>")
    (tmp_path / f"txlist_0x{'d' * 40}.json").write_text("")
    (tmp_path / "README.md").write_text("ignored")
    source = EtherscanRecorded(tmp_path)
    assert coverage_of(source).state is State.READ
    assert coverage_of(source, B).kinds == {Kind.INTERNAL}
    assert "502 Bad gateway" in coverage_of(source, C).reason
    assert coverage_of(source, "0x" + "d" * 40).state is State.FAILED


def test_a_bare_body_does_not_tell_which_blocks_were_asked(tmp_path: Path) -> None:
    (tmp_path / f"txlist_{A}.json").write_text(json.dumps(ok(row(7))))
    said = coverage_of(EtherscanRecorded(tmp_path))
    assert (said.state, said.last, said.rows) == (State.UNSTATED, None, 1)


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        EtherscanRecorded(tmp_path / "absent")
    with pytest.raises(InputError, match=r"holds no \.json"):
        EtherscanRecorded(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InputError, match="is empty"):
        EtherscanRecorded(tmp_path / "empty.jsonl")
    (tmp_path / "bomb.jsonl").write_bytes(gzip.compress(b"0" * 10**6))
    with pytest.raises(InputError, match="longer than 1,000 bytes"):
        EtherscanRecorded(tmp_path / "bomb.jsonl", Caps(line=1000))


def test_a_transaction_is_found_by_its_hash(tmp_path: Path) -> None:
    source = recorded(tmp_path, answer(ok(row(7), row(8))), answer(ok(row(7)), B))
    assert [t.id.position for t in source.transaction(ETH, tx(7))] == ["tx", "fee"]
    assert source.transaction(ETH, tx(9)) == ()
