"""Etherscan's lists, our own files, bitcoin-etl's transactions, and files that are none of them."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.bulk.readers import FORMATS, open_reader
from listed_rows import BITCOIN, ETHEREUM, OWN, PAYMENT, TIME, TOKEN, TX, ZERO, A, B, C, Row, listed, own, read
from tracer.errors import InputError, UnknownName
from tracer.values import Asset, Chain, shown

INTERNAL = {
    "Txhash": TX[0],
    "Blockno": "14442778",
    "UnixTimestamp": str(TIME),
    "DateTime": "2022-03-23 13:29:09",
    "ParentTxFrom": C,
    "ParentTxTo": A,
    "ParentTxETH_Value": "0",
    "From": A,
    "TxTo": B,
    "ContractAddress": "",
    "Value_IN(ETH)": "0.5",
    "Value_OUT(ETH)": "0",
    "CurrentValue": "1",
    "Historical $Price/Eth": "1",
    "Status": "0",
    "ErrCode": "",
    "Type": "call",
}
TOKENS = {
    "Txhash": TX[0],
    "Blockno": "14442778",
    "UnixTimestamp": str(TIME),
    "DateTime": "2022-03-23 13:29:09",
    "From": A,
    "To": B,
    "TokenValue": "2,500.000001",
    "USDValueDayOfTx": "2,500",
    "ContractAddress": TOKEN,
    "TokenName": "Tether USD",
    "TokenSymbol": "USDT",
}


@pytest.mark.parametrize("newer", [False, True])
def test_a_listed_payment_is_its_value_and_its_fee(tmp_path: Path, newer: bool) -> None:
    came = PAYMENT | {"Txhash": TX[1], "Value_IN(ETH)": "0.000000000000000001", "Value_OUT(ETH)": "0"}
    told, bad = read(listed(tmp_path, [PAYMENT, came], newer))
    assert [one[2:] for one in told] == [
        ("tx", "", A, B, 12345 * 10**17),
        ("fee", "", A, "fee", 5297856829311280),
        ("tx", "", A, B, 1),
        ("fee", "", A, "fee", 5297856829311280),
    ]
    assert not bad


@pytest.mark.parametrize("said", [{"Status": "Error(0)"}, {"ErrCode": "Out of gas"}, {"Status": "Error(1)", "To": ""}])
def test_a_listed_payment_that_failed_pays_its_fee_alone(tmp_path: Path, said: Row) -> None:
    assert [one[2] for one in read(listed(tmp_path, [PAYMENT | said]))[0]] == ["fee"]


def test_a_listed_contract_creation_pays_the_contract(tmp_path: Path) -> None:
    told, _ = read(listed(tmp_path, [PAYMENT | {"To": "", "ContractAddress": C}]))
    assert told[0][4:6] == (A, C)


def test_a_listed_call_moves_value_unless_it_failed(tmp_path: Path) -> None:
    failed = INTERNAL | {"Status": "1", "ErrCode": "reverted"}
    rows = [INTERNAL, INTERNAL, failed, INTERNAL | {"Type": "delegatecall"}]
    path = listed(tmp_path, [*rows, INTERNAL | {"Type": "create", "TxTo": "", "ContractAddress": C}])
    told, bad = read(path)
    assert [one[0] for one in told] == [1, 2, 5]
    assert [one[4:] for one in told] == [(A, B, 5 * 10**17), (A, B, 5 * 10**17), (A, C, 5 * 10**17)]
    assert len({one[2] for one in told}) == 3
    assert read(path, skip=1)[0] == told[1:]  # twins are counted from the file's beginning
    assert not bad


def test_listed_tokens_need_their_decimals(tmp_path: Path) -> None:
    path = listed(tmp_path, [TOKENS, TOKENS | {"From": ZERO}, TOKENS | {"To": ZERO, "TokenValue": "0.0000010"}])
    told, bad = read(path)
    assert not told
    assert all(f"how many decimals {TOKEN} has" in bad[row] for row in (1, 2, 3))
    told, bad = read(path, decimals={TOKEN.upper().replace("0X", "0x"): 6})
    assert [one[3:] for one in told] == [
        (TOKEN, A, B, 2500000001),
        (TOKEN, "issue", B, 2500000001),
        (TOKEN, A, "burn", 1),
    ]
    reader = open_reader(path, decimals={TOKEN: 6})
    list(reader.batches(path))
    assert dict(reader.assets) == {TOKEN: ("USDT", 6)}
    assert list(read(path, decimals={TOKEN: 5})[1]) == [1, 2, 3]  # a digit would be lost


def test_a_listed_event_has_the_position_that_the_recorded_answers_give_it(tmp_path: Path) -> None:
    from connectors.etherscan.rows import transfers_of

    api = {"hash": TX[0], "blockNumber": "14442778", "timeStamp": str(TIME), "contractAddress": TOKEN, "from": A}
    api |= {"to": B, "value": "2500000001", "tokenDecimal": "6", "transactionIndex": "1"}
    (known,) = transfers_of("tokentx", api, ETHEREUM, 0, "sha256:0")
    told, _ = read(listed(tmp_path, [TOKENS]), decimals={TOKEN: 6})
    assert told[0][2] == known.id.position


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**256 - 1), st.booleans())
def test_a_listed_amount_is_exact(tmp_path: Path, units: int, commas: bool) -> None:
    whole, dot, part = shown(units, 18).partition(".")
    text = (f"{int(whole):,}" if commas else whole) + dot + part
    told, _ = read(listed(tmp_path, [PAYMENT | {"Value_OUT(ETH)": text}]))
    assert told[0][-1] == units


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Value_OUT(ETH)": "1E-7"}, "exponent"),
        ({"Value_OUT(ETH)": "1,23"}, "not an amount"),
        ({"Value_OUT(ETH)": "-1"}, "not an amount"),
        ({"Value_OUT(ETH)": ""}, "not an amount"),
        ({"Value_OUT(ETH)": "."}, "not an amount"),
        ({"Value_OUT(ETH)": "0.0000000000000000001"}, "more decimals"),
        ({"Value_OUT(ETH)": "9" * 70}, "more than 2**256 - 1"),
        ({"Value_IN(ETH)": "1"}, "differ"),
        ({"Value_IN(ETH)": "1,234.5"}, "not one address"),
        ({"Status": "Maybe"}, "Status"),
        ({"To": ""}, "contractaddress"),
        ({"Blockno": ""}, "blockno"),
        ({"UnixTimestamp": "x"}, "unixtimestamp"),
        ({"Txhash": "0x12"}, "hash"),
    ],
)
def test_a_listed_row_that_cannot_be_read_is_refused_alone(tmp_path: Path, change: Row, why: str) -> None:
    told, bad = read(listed(tmp_path, [PAYMENT, PAYMENT | change, PAYMENT | {"Txhash": TX[1]}]))
    assert {one[0] for one in told} == {1, 3}
    assert list(bad) == [2]
    assert why in bad[2]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("Txhash,UnixTimestamp,DateTime,From,To,Value,ContractAddress,TokenName,TokenSymbol", "no column blockno"),
        (
            "Txhash,Blockno,UnixTimestamp,DateTime,From,To,ContractAddress,TokenId,TokenName,TokenSymbol",
            "unique tokens",
        ),
        ("Transaction Hash,Blockno,UnixTimestamp,DateTime (UTC),From,To,Quantity,Method", "none of the lists"),
        ("Transaction Hash,Status,Method,Blockno,DateTime (UTC),From,To,Amount,Txn Fee", "no column unixtimestamp"),
        (",".join(PAYMENT).replace("(ETH)", "(BNB)"), "coin is BNB, not ETH"),
        (",".join(PAYMENT) + ",Transaction Hash", "two columns of one meaning"),
    ],
)
def test_a_list_of_another_kind_is_refused_and_says_why(tmp_path: Path, columns: str, why: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(columns.replace("CurrentValue @ $1,843.94/Eth", "CurrentValue") + "\n")
    with pytest.raises(InputError, match=why):
        read(path)


def test_another_chains_list_needs_its_chain(tmp_path: Path) -> None:
    rows = [{name.replace("(ETH)", "(MATIC)"): value for name, value in PAYMENT.items()}]
    assert len(read(listed(tmp_path, rows), chain=Chain.named("polygon"))[0]) == 2


def buffered(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n", "is empty"),
        ("twice.csv", b"chain,tx,block,time,from,to,units,units\n", "two columns named 'units'"),
        ("other.csv", b"a,b\n1,2\n", "no format that we know"),
        ("blocks.csv", b"number,hash,timestamp\n", "no format that we know"),
        ("zeros.csv", bytes(100), "not a table"),
        ("cut.csv.gz", gzip.compress(b"a,b\n" * 1000, mtime=0)[:-20], "truncated|no format"),
        ("noise.csv.gz", b"\x1f\x8b" + bytes(50), "cannot be decompressed"),
        ("cut.parquet", buffered(pa.table({"a": [1]}))[:-5], "cannot be read as Parquet"),
        ("array.json", b"[1]\n", "no format that we know"),
        ("float.jsonl", b'{"chain":"ethereum","tx":1.5}\n', "not a whole number"),
        ("latin.csv", b"\xe9,b\n", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, body: bytes, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(InputError, match=why):
        open_reader(path)


def test_a_file_that_is_cut_off_says_so_when_the_cut_is_reached(tmp_path: Path) -> None:
    import random

    noise = random.Random(4)
    rows = [OWN | {"tx": "0x" + noise.randbytes(32).hex(), "units": str(at)} for at in range(2000)]
    body = own(tmp_path, rows).read_bytes()
    packed = tmp_path / "cut.csv.gz"
    packed.write_bytes(gzip.compress(body, mtime=0)[:-2000])
    with pytest.raises(InputError, match="truncated"):
        list(open_reader(packed).batches(packed))
    path = own(tmp_path, rows, ".parquet")
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes(5000) + whole[5200:])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        list(open_reader(path).batches(path))


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file"):
        open_reader(tmp_path)
    with pytest.raises(InputError, match="there is no file"):
        open_reader(tmp_path / "none.csv")


def test_a_format_can_be_named_and_a_wrong_name_is_refused(tmp_path: Path) -> None:
    path = own(tmp_path, [OWN])
    assert open_reader(path, "own").name == open_reader(path).name == "own"
    with pytest.raises(UnknownName, match="no format named 'etherscan'"):
        open_reader(path, "etherscan")
    for name in set(FORMATS) - {"own"}:
        chain = BITCOIN if name == "bitcoin-etl" else ETHEREUM
        with pytest.raises(InputError):
            list(open_reader(path, name, chain).batches(path))


def test_a_token_is_shown_under_one_name_whichever_row_came_first(tmp_path: Path) -> None:
    rows = [OWN, OWN | {"position": "log:8", "symbol": "ZZZ"}, OWN | {"position": "log:9", "symbol": ""}]
    for order in (rows, rows[::-1]):
        path = own(tmp_path, order)
        reader = open_reader(path)
        list(reader.batches(path))
        assert Asset(ETHEREUM, TOKEN, *reader.assets[TOKEN]).symbol == "ZZZ"
