"""Our own transfer files: what is read, what is a problem, and what the file says about completeness."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.protocol import Page
from connectors.transfer_file import TransferFile
from tracer.addresses import parse
from tracer.coverage import Kind, State
from tracer.errors import BadRow, InputError
from tracer.values import Chain, Leg, Sink, SinkKind

ETH, BTC = Chain.named("ethereum"), Chain.named("bitcoin")
A, B, C = ("0x" + letter * 40 for letter in "abc")
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
HEAD = "chain,tx,position,block,time,index,asset,symbol,decimals,from,to,units,method,source"
TIME = "2022-03-23T13:29:09Z"
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


def tx(number: int) -> str:
    return f"0x{number:064x}"


def row(number: int, payer: str, payee: str, units: object, position: str = "tx", **other: str) -> str:
    told = {"chain": "ethereum", "tx": tx(number), "position": position, "block": "7", "time": TIME, "index": "3"}
    told |= {"from": payer, "to": payee, "units": str(units), "source": "etherscan"} | other
    return ",".join(told.get(column, "") for column in HEAD.split(","))


def csv(folder: Path, *rows: str, coverage: tuple[str, ...] = (), end: str = "\n") -> TransferFile:
    (folder / "transfers.csv").write_text(end.join((HEAD, *rows)) + end, newline="")
    if coverage:
        head = "chain,address,state,kinds,first,last,as_of,reason,source"
        (folder / "coverage.csv").write_text("\n".join((head, *coverage)) + "\n")
    return TransferFile(folder)


def page_of(source: TransferFile, address: str, chain: Chain = ETH) -> Page:
    (page,) = source.history(parse(address, chain))
    return page


def test_a_row_becomes_a_balanced_transfer(tmp_path: Path) -> None:
    page = page_of(csv(tmp_path, row(1, A, B, 2**256 - 1, method="0xa9059cbb")), A)
    (transfer,) = page.transfers
    a, b = parse(A, ETH), parse(B, ETH)
    assert transfer.inputs == (Leg.slot(a, ETH.coin, 2**256 - 1),)
    assert transfer.outputs == (Leg.slot(b, ETH.coin, 2**256 - 1),)
    assert (transfer.block.number, transfer.block.time, transfer.index) == (7, 1648042149, 3)
    assert transfer.method == "0xa9059cbb"
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.rows) == (State.UNSTATED, 1)


def test_fee_burn_and_issue_are_sinks(tmp_path: Path) -> None:
    source = csv(tmp_path, row(1, A, "", 9, "fee"), row(2, A, "burn", 8), row(3, "", A, 7))
    fee, burn, issue = page_of(source, A).transfers
    assert fee.outputs[0].holding == Sink(ETH.coin, SinkKind.FEE)
    assert burn.outputs[0].holding == Sink(ETH.coin, SinkKind.BURN)
    assert issue.inputs[0].holding == Sink(ETH.coin, SinkKind.ISSUE)


def test_a_token_is_known_by_its_contract(tmp_path: Path) -> None:
    source = csv(tmp_path, row(1, A, B, 5, "log:7", asset=MIXED, symbol="USDT", decimals="6"))
    asset = page_of(source, B).transfers[0].asset
    assert (asset.contract, asset.symbol, asset.decimals) == (MIXED.lower(), "USDT", 6)


def test_a_page_holds_the_address_and_the_lines_that_name_it_and_no_others(tmp_path: Path) -> None:
    rows = [row(1, A, B, 1), row(2, B, C, 2), row(3, A, A, 3)]
    page = page_of(csv(tmp_path, *rows, end="\r\n"), A)
    assert page.evidence is not None
    assert page.evidence.body.decode() == "".join(line + "\r\n" for line in (HEAD, rows[0], rows[2]))
    assert [t.evidence for t in page.transfers] == [(f"{page.evidence.id}#{line}",) for line in (2, 4)]


def test_a_page_can_be_read_again_as_a_file(tmp_path: Path) -> None:
    page = page_of(csv(tmp_path, row(1, A, B, 1), row(2, B, C, 2), row(3, C, A, 3)), A)
    assert page.evidence is not None
    (tmp_path / "again.csv").write_bytes(page.evidence.body)
    again = page_of(TransferFile(tmp_path / "again.csv"), A)
    assert [t.id for t in again.transfers] == [t.id for t in page.transfers]
    assert again.evidence is not None
    assert again.evidence.id == page.evidence.id


def test_one_address_in_two_spellings_is_one_address(tmp_path: Path) -> None:
    source = csv(tmp_path, row(1, MIXED, B, 1), row(2, MIXED.lower(), B, 2))
    assert [t.units for t in page_of(source, MIXED).transfers] == [1, 2]


def test_a_wrong_checksum_is_a_problem_on_the_other_side_of_the_row(tmp_path: Path) -> None:
    source = csv(tmp_path, row(1, MIXED.replace("aA", "Aa"), B, 1), row(2, A, B, 2))
    page = page_of(source, B)
    assert [t.units for t in page.transfers] == [2]
    assert [p.where for p in page.problems] == ["transfers.csv, line 2"] * 2
    assert "checksum" in page.problems[0].text
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.reason) == (State.FAILED, "1 rows of the file cannot be read")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(1, A, B, -5), "units: not a whole number"),
        (row(1, A, B, 10**80), "units: not a whole number"),
        (row(1, A, B, "1e18"), "units: not a whole number"),
        (row(1, A, B, "1.5"), "units: not a whole number"),
        (row(1, A, B, "NaN"), "units: not a whole number"),
        (row(1, A, B, ""), "units: not a whole number"),
        (row(1, A, B, 1, block="-7"), "block is '-7'"),
        (row(1, A, B, 1, time="2022-03-23T13:29:09"), "time zone"),
        (row(1, A, B, 1, time="1648042149000"), "milliseconds"),
        (row(1, A, B, 1, index="-2"), "index is -2"),
        (row(1, A, B, 1, tx="0x12"), "transaction hash"),
        (row(1, A, B, 1, "somewhere"), "no such position"),
        (row(1, A, B, 1, "fee"), "position fee"),
        (row(1, A, "", 1), "position fee"),
        (row(1, A, B, 1, symbol="USDT", decimals="6"), "asset is empty"),
        (row(1, A, B, 1, decimals="6"), "asset is empty"),
        (row(1, A, B, 1, asset="0x12"), "0x12"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_problem_with_its_line_and_the_rest_is_read(
    tmp_path: Path, line: str, reason: str
) -> None:
    page = page_of(csv(tmp_path, row(8, A, B, 8), line, row(9, A, B, 9)), A)
    assert [t.units for t in page.transfers] == [8, 9]
    (problem,) = page.problems
    assert problem.where == "transfers.csv, line 3"
    assert reason in problem.text
    assert page.coverage is not None
    assert page.coverage.state is State.FAILED


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(1, A, B, 1) + ",more", "15 cells, but 14 columns"),
        ("ethereum", "1 cells, but 14 columns"),
        (row(1, A, B, 1, chain="etherum"), "no chain named 'etherum'"),
        (row(1, "", "", 1), "names no address"),
        (row(1, "hello", "world", 1), "'hello'"),
        (row(1, A, B, 1, source='"open'), "not a CSV row"),
    ],
)
def test_a_row_whose_address_is_not_known_is_told_to_everybody(tmp_path: Path, line: str, reason: str) -> None:
    said = (f"ethereum,{C},empty,native,0,100,{TIME},,explorer",)
    source = csv(tmp_path, line, row(9, A, B, 9), coverage=said)
    assert reason in source.problems[0].text
    assert source.problems[0].where == "transfers.csv, line 2"
    for address, state in ((A, State.FAILED), (C, State.FAILED), ("0x" + "d" * 40, State.NOT_RECORDED)):
        page = page_of(source, address)
        assert page.problems[-1].where == "transfers.csv, line 2"
        assert page.coverage is not None
        assert page.coverage.state is state


def test_rows_that_repeat_are_left_to_the_ledger(tmp_path: Path) -> None:
    page = page_of(csv(tmp_path, row(1, A, B, 1), row(1, A, B, 1), row(1, A, B, 2)), A)
    assert [t.units for t in page.transfers] == [1, 1, 2]
    assert len({t.evidence for t in page.transfers}) == 3


def test_what_the_coverage_record_says_is_said(tmp_path: Path) -> None:
    said = (
        f"ethereum,{A},read,native token,5,100,{TIME},,explorer",
        f"ethereum,{C},empty,native,0,100,{TIME},,explorer",
    )
    source = csv(tmp_path, row(1, A, B, 1), coverage=said)
    read, empty, rest = (page_of(source, address).coverage for address in (A, C, B))
    assert read is not None
    assert (read.state, read.first, read.last, read.as_of, read.rows) == (State.READ, 5, 100, 1648042149, 1)
    assert (read.kinds, read.source) == (frozenset({Kind.NATIVE, Kind.TOKEN}), "explorer")
    assert empty is not None
    assert (empty.state, empty.rows) == (State.EMPTY, 0)
    evidence = page_of(source, C).evidence
    assert evidence is not None
    assert said[1].encode() in evidence.body
    assert rest is not None
    assert (rest.state, rest.rows) == (State.NOT_RECORDED, 1)  # the file says whom it read, and B is not among them


def test_an_address_stated_as_empty_that_has_rows_is_a_problem(tmp_path: Path) -> None:
    page = page_of(csv(tmp_path, row(1, A, B, 1), coverage=(f"ethereum,{A},empty,native,0,9,,,",)), A)
    assert "coverage says empty, but 1 rows" in page.problems[0].text
    assert page.coverage is not None
    assert (page.coverage.state, page.coverage.last) == (State.UNSTATED, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"ethereum,{A},reed,native,0,9,,,", "state is 'reed'"),
        (f"ethereum,{A},read,coins,0,9,,,", "kinds holds 'coins'"),
        (f"ethereum,{A},read,native,9,5,,,", "last is 5, before first, 9"),
        (f"ethereum,{A},read,native,0,9,yesterday,,", "as_of is 'yesterday'"),
        ("ethereum,somewhere,read,native,0,9,,,", "address: 'somewhere'"),
    ],
)
def test_a_coverage_record_that_cannot_be_read_is_a_problem_and_claims_nothing(
    tmp_path: Path, line: str, reason: str
) -> None:
    page = page_of(csv(tmp_path, row(1, A, B, 1), coverage=(line,)), A)
    assert reason in page.problems[0].text
    assert page.problems[0].where == "coverage.csv, line 2"
    assert page.coverage is not None
    assert page.coverage.state is State.UNSTATED


def test_a_byte_order_mark_and_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    body = "\r\n".join((HEAD, row(1, A, B, 1), "", row(2, A, B, 2))).encode()
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + body)
    page = page_of(TransferFile(tmp_path / "t.csv"), A)
    assert [t.units for t in page.transfers] == [1, 2]
    assert page.problems == ()


def test_columns_may_stand_in_any_order_and_optional_ones_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"units,to,from,time,block,tx,chain\n5,{B},{A},{TIME},7,{tx(1)},ethereum\n")
    (transfer,) = page_of(TransferFile(tmp_path / "t.csv"), A).transfers
    assert (transfer.units, transfer.index, transfer.id.position) == (5, -1, "tx")


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (HEAD.replace("units", "amount"), "no column is named 'amount'"),
        (HEAD.replace(",units", ""), "no column units"),
        (HEAD + ",units", "a column twice"),
        ("<html>Bad gateway</html>", "no column is named"),
    ],
)
def test_a_header_that_is_not_ours_is_an_error(tmp_path: Path, head: str, reason: str) -> None:
    (tmp_path / "t.csv").write_text(head + "\n" + row(1, A, B, 1) + "\n")
    with pytest.raises(BadRow, match=reason):
        TransferFile(tmp_path / "t.csv")


def test_what_cannot_be_opened_is_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        TransferFile(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"holds no transfers\.csv"):
        TransferFile(tmp_path)
    for name in ("empty.csv", "empty.jsonl"):
        (tmp_path / name).touch()
        with pytest.raises(InputError, match="is empty"):
            TransferFile(tmp_path / name)
    (tmp_path / "table.xlsx").write_text("x")
    with pytest.raises(InputError, match=r"neither \.csv nor \.jsonl"):
        TransferFile(tmp_path / "table.xlsx")
    (tmp_path / "transfers.csv").write_text(HEAD + "\n")
    (tmp_path / "transfers.csv.gz").write_bytes(gzip.compress(HEAD.encode()))
    with pytest.raises(InputError, match=r"holds transfers\.csv and transfers\.csv\.gz"):
        TransferFile(tmp_path)


def jsonl(folder: Path, *records: object) -> TransferFile:
    text = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    (folder / "transfers.jsonl").write_text(text)
    return TransferFile(folder)


PAID: dict[str, Any] = {
    "chain": "bitcoin",
    "tx": "11" * 32,
    "block": 170,
    "time": "2009-01-12T03:30:25Z",
    "index": 1,
    "inputs": [{"outpoint": "22" * 32 + ":0", "address": GENESIS, "units": "5000000000"}],
    "outputs": [
        {"n": 0, "address": GENESIS, "units": 1000000000},
        {"n": 1, "address": None, "units": "3999999999"},
        {"fee": True, "units": "1"},
    ],
}


def test_a_bitcoin_transaction_is_one_transfer_with_all_its_legs(tmp_path: Path) -> None:
    page = page_of(jsonl(tmp_path, PAID), GENESIS, BTC)
    (transfer,) = page.transfers
    owner = parse(GENESIS, BTC)
    assert transfer.inputs == (Leg.coin("22" * 32, 0, BTC, 5000000000, owner),)
    assert transfer.outputs == (
        Leg.coin("11" * 32, 0, BTC, 1000000000, owner),
        Leg.coin("11" * 32, 1, BTC, 3999999999, None),
        Leg.sink(BTC.coin, SinkKind.FEE, 1),
    )


def test_coverage_can_stand_among_json_lines(tmp_path: Path) -> None:
    said = {"coverage": {"chain": "bitcoin", "address": GENESIS, "state": "read", "kinds": "native", "last": 200}}
    coverage = page_of(jsonl(tmp_path, PAID, said), GENESIS, BTC).coverage
    assert coverage is not None
    assert (coverage.state, coverage.last, coverage.rows) == (State.READ, 200, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"outputs": PAID["outputs"][:2]}, "inputs 5000000000, outputs 4999999999"),
        ({"outputs": [*PAID["outputs"], {"fee": "true", "units": "0"}]}, "nothing else"),
        ({"outputs": [*PAID["outputs"], {"issue": True, "units": "0"}]}, "cannot stand among the outputs"),
        ({"outputs": [*PAID["outputs"], {"n": -1, "units": "0"}]}, "n is '-1'"),
        ({"outputs": [*PAID["outputs"], {"n": 3, "unit": "0"}]}, "no field is named 'unit'"),
        ({"inputs": [*PAID["inputs"], {"outpoint": "22", "units": "0"}]}, "outpoint is '22'"),
        ({"adress": "x"}, "no field is named 'adress'"),
    ],
)
def test_a_record_that_cannot_be_read_is_a_problem(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    page = page_of(jsonl(tmp_path, PAID | change, PAID), GENESIS, BTC)
    assert len(page.transfers) == 1
    assert reason in page.problems[0].text
    assert page.problems[0].where == "transfers.jsonl, line 1"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"chain": "bitcoin", "tx": "1', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"chain": "bitcoin", "chain": "ethereum"}', "stands twice"),
        (json.dumps(PAID).replace('"5000000000"', "5e9"), "'units' is 5e9, not a whole number"),
        (json.dumps(PAID).replace('"5000000000"', "NaN"), "NaN"),
        (json.dumps(PAID | {"inputs": {}}), "inputs is not a list"),
        (json.dumps(PAID | {"chain": 5}), "chain"),
    ],
)
def test_a_broken_line_does_not_take_the_others_with_it(tmp_path: Path, line: str, reason: str) -> None:
    source = jsonl(tmp_path, line, PAID)
    assert reason in source.problems[0].text
    assert source.problems[0].where == "transfers.jsonl, line 1"
    assert len(page_of(source, GENESIS, BTC).transfers) == 1


def test_bytes_that_are_no_text_are_a_problem_of_their_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(f"{HEAD}\n\xff\n{row(1, A, B, 1)}\n".encode("latin-1"))
    source = TransferFile(tmp_path / "t.csv")
    assert "not UTF-8" in source.problems[0].text
    assert len(page_of(source, A).transfers) == 1


def test_a_folder_with_both_formats_gives_two_pages(tmp_path: Path) -> None:
    record = {"chain": "ethereum", "tx": tx(5), "block": 9, "time": TIME, "from": A, "to": B, "units": "5"}
    (tmp_path / "transfers.jsonl").write_text(json.dumps(record))
    source = csv(tmp_path, row(1, A, B, 1))
    first, last = source.history(parse(A, ETH))
    assert [t.units for t in first.transfers + last.transfers] == [1, 5]
    assert list(source.history(parse(A, ETH), first.cursor)) == [last]
    with pytest.raises(InputError, match="no page after 'x'"):
        list(source.history(parse(A, ETH), "x"))


def test_a_transaction_is_found_by_its_hash(tmp_path: Path) -> None:
    source = csv(tmp_path, row(1, A, B, 1), row(1, A, "", 2, "fee"), row(2, A, B, 3))
    found = source.transaction(ETH, tx(1))
    assert [t.units for t in found] == [1, 2]
    body = "".join(f"{line}\n" for line in (HEAD, row(1, A, B, 1), row(1, A, "", 2, "fee")))
    cited = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
    assert [t.evidence for t in found] == [(f"{cited}#2",), (f"{cited}#3",)]
    assert source.transaction(ETH, tx(3)) == ()
    assert source.transaction(BTC, tx(1)[2:]) == ()
