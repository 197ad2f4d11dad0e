"""Etherscan's lists, our own files, bitcoin-etl's transactions, and files that are none of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.bulk.batch import SINK_CODES, SINKS, Batch, CoinBatch
from connectors.bulk.readers import FORMATS, open_reader
from connectors.transfer_writing import write_transfers
from tracer.coverage import CoverageBook
from tracer.errors import InputError, UnknownName
from tracer.values import Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId, shown

ETHEREUM, BITCOIN, TRON = Chain.named("ethereum"), Chain.named("bitcoin"), Chain.named("tron")
A, B, C, TOKEN = ("0x" + letter * 40 for letter in "abcd")
ZERO = "0x" + "0" * 40
TX = ["0x" + f"{number:064x}" for number in range(1, 20)]
TIME = 1648042149
Row = dict[str, Any]

PAYMENT = {
    "Txhash": TX[0],
    "Blockno": "14442778",
    "UnixTimestamp": str(TIME),
    "DateTime": "2022-03-23 13:29:09",
    "From": A,
    "To": B,
    "ContractAddress": "",
    "Value_IN(ETH)": "0",
    "Value_OUT(ETH)": "1,234.5",
    "CurrentValue @ $1,843.94/Eth": "1",
    "TxnFee(ETH)": "0.00529785682931128",
    "TxnFee(USD)": "1.2",
    "Historical $Price/Eth": "1",
    "Status": "",
    "ErrCode": "",
    "Method": "Transfer",
}
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


def listed(path: Path, rows: list[Row], newer: bool = False) -> Path:
    """A list as Etherscan writes it: every cell in quotes; the newer generation under newer names."""
    again = {"Txhash": "Transaction Hash", "DateTime": "DateTime (UTC)"} if newer else {}
    path = path / "export.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow([again.get(name, name) for name in rows[0]])
        writer.writerows(row.values() for row in rows)
    return path


def read(path: Path, skip: int = 0, **wanted: Any) -> tuple[list[tuple[Any, ...]], dict[int, str]]:
    """Row, tx, position, asset, payer, payee, units of each transfer; and what was refused."""
    told: list[tuple[Any, ...]] = []
    bad: dict[int, str] = {}
    for batch in open_reader(path, **wanted).batches(path, skip):
        assert isinstance(batch, Batch)
        columns = (batch.tx, batch.position, batch.asset, batch.payer, batch.payee)
        for at, (tx, position, asset, payer, payee) in enumerate(zip(*(c.to_pylist() for c in columns), strict=True)):
            ends = [
                str(SINKS[int(sink[at])]) if sink[at] else raw if isinstance(raw, str) else "0x" + raw.hex()
                for raw, sink in ((payer, batch.payer_sink), (payee, batch.payee_sink))
            ]
            units = batch.overflow.get(at, int(batch.high[at]) * 2**64 + int(batch.low[at]))
            told.append((int(batch.rows[at]), tx if isinstance(tx, str) else tx.hex(), position, asset, *ends, units))
        bad |= {one.row: one.why for one in batch.rejected}
    return told, bad


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


OWN = {
    "chain": "ethereum",
    "tx": TX[0],
    "position": "log:7",
    "block": "5",
    "time": "2022-03-23T13:29:09Z",
    "asset": TOKEN,
    "symbol": "USDT",
    "decimals": "6",
    "from": A,
    "to": B,
    "units": str(2**256 - 1),
}


def own(path: Path, rows: list[Row], ending: str = ".csv") -> Path:
    path = path / f"transfers{ending}"
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif ending == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_our_own_rows_are_read_as_the_source_file_reads_them(tmp_path: Path, ending: str) -> None:
    coin = OWN | {"asset": "", "symbol": "", "decimals": "", "units": "3"}
    rows = [
        OWN,
        coin | {"position": "tx"},
        coin | {"position": "fee", "to": ""},
        OWN | {"from": "", "position": "log:8"},
        OWN | {"to": "burn", "position": "log:9"},
        OWN | {"chain": "bsc"},
        OWN | {"units": "1.5"},
        OWN | {"position": "slot:1"},
    ]
    path = own(tmp_path, rows, ending)
    told, bad = read(path)
    assert [one[2:] for one in told] == [
        ("log:7", TOKEN, A, B, 2**256 - 1),
        ("tx", "", A, B, 3),
        ("fee", "", A, "fee", 3),
        ("log:8", TOKEN, "issue", B, 2**256 - 1),
        ("log:9", TOKEN, A, "burn", 2**256 - 1),
    ]
    assert list(bad) == [6, 7, 8]
    assert "about bsc, the ledger about ethereum" in bad[6]
    reader = open_reader(path)
    list(reader.batches(path))
    assert dict(reader.assets) == {TOKEN: ("USDT", 6)}


def test_our_own_file_of_tron_has_texts_for_addresses(tmp_path: Path) -> None:
    one, two = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TXLAQ63Xg1NAzckPwKHvzw7CSEmLMEqcdj"
    row = OWN | {"chain": "tron", "tx": TX[0][2:], "from": one, "to": two, "asset": one}
    told, bad = read(own(tmp_path, [row, row | {"from": one[:-1] + "u"}]))
    assert told == [(1, TX[0][2:], "log:7", one, one, two, 2**256 - 1)]
    assert list(bad) == [2]


def test_a_record_about_coverage_is_not_taken_for_a_transfer(tmp_path: Path) -> None:
    said = {"coverage": {"chain": "ethereum", "address": A, "state": "read"}}
    told, bad = read(own(tmp_path, [OWN, said], ".jsonl"))
    assert (len(told), list(bad)) == (1, [])


def coin(tx: str, spent: list[tuple[str, int, int]], made: list[int], fee: int, index: int = 1) -> Transfer:
    owner = None
    inputs = tuple(Leg.coin(of, n, BITCOIN, units, owner) for of, n, units in spent)
    outputs = tuple(Leg.coin(tx, n, BITCOIN, units, owner) for n, units in enumerate(made))
    outputs += (Leg.sink(BITCOIN.coin, SinkKind.FEE, fee),) if fee else ()
    return Transfer(TransferId(BITCOIN, tx), Block(7, TIME), index, BITCOIN.coin, inputs, outputs, ("e",))


def transfers_in(batch: Any) -> list[Transfer]:
    """The batch as transfers again."""
    assert isinstance(batch, CoinBatch)
    found = []
    columns = [one.to_pylist() for one in (batch.tx, batch.coin_tx, batch.address)]
    for at, tx in enumerate(columns[0]):
        sides: tuple[list[Leg], list[Leg]] = ([], [])
        for leg in (batch.leg_of == at).nonzero()[0].tolist():
            units = int(batch.high[leg]) * 2**64 + int(batch.low[leg])
            if batch.sink[leg]:
                made = Leg.sink(BITCOIN.coin, SINKS[int(batch.sink[leg])], units)
            else:
                made = Leg.coin(columns[1][leg].hex(), int(batch.coin_index[leg]), BITCOIN, units, None)
            sides[bool(batch.output[leg])].append(made)
        block = Block(int(batch.block[at]), int(batch.time[at]))
        name = TransferId(BITCOIN, tx.hex())
        found.append(
            Transfer(name, block, int(batch.index[at]), BITCOIN.coin, tuple(sides[0]), tuple(sides[1]), ("e",))
        )
    return found


T = [f"{number:064x}" for number in range(1, 20)]


def test_our_own_bitcoin_transactions_come_back_whole(tmp_path: Path) -> None:
    whole = [coin(T[0], [(T[5], 3, 10), (T[6], 0, 7)], [4, 12], 1), coin(T[1], [(T[0], 1, 12)], [12], 0, 2)]
    write_transfers(whole, CoverageBook(), tmp_path)
    path = tmp_path / "transfers.jsonl.gz"
    (batch,) = open_reader(path).batches(path)
    assert transfers_in(batch) == whole


def record(**more: Any) -> Row:
    """A transaction as bitcoin-etl writes it once its inputs are enriched."""
    source = {"index": 0, "spent_transaction_hash": T[5], "spent_output_index": 3, "script_asm": "", "type": "x"}
    paid = source | {"addresses": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"], "value": 2**53 + 1}
    got = {"index": 0, "script_hex": "76a9", "type": "pubkeyhash", "value": 2**53 - 5}
    got["addresses"] = ["12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"]
    data = {"index": 1, "script_hex": "6a0461", "type": "nulldata", "addresses": ["nonstandard12"], "value": 2}
    base = {"type": "transaction", "hash": T[0], "block_number": 7, "block_timestamp": TIME, "is_coinbase": False}
    base |= {"index": 4, "inputs": [paid], "outputs": [got, data], "input_count": 1, "output_count": 2, "fee": 4}
    return base | more


COINBASE = record(inputs=[], is_coinbase=True, hash=T[1], input_count=0, fee=0)


def bitcoin_etl(path: Path, rows: list[Row], ending: str) -> Path:
    path = path / f"transactions{ending}"
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif ending == ".jsonl.gz":
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("ending", [".json", ".jsonl.gz", ".parquet"])
def test_a_bitcoin_transaction_keeps_all_its_legs(tmp_path: Path, ending: str) -> None:
    path = bitcoin_etl(tmp_path, [record(), COINBASE], ending)
    (batch,) = open_reader(path).batches(path)
    assert isinstance(batch, CoinBatch)
    assert batch.rows.tolist() == [1, 2]
    assert batch.index.tolist() == [4, 4]
    assert batch.leg_of.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert batch.output.tolist() == [False, True, True, True, False, False, True, True]
    sinks = {code: name for name, code in SINK_CODES.items()}
    found = [str(sinks.get(int(code), "coin")) for code in batch.sink]
    assert found == ["coin", "coin", "unspendable", "fee", "issue", "fee", "coin", "unspendable"]
    assert batch.low.tolist() == [2**53 + 1, 2**53 - 5, 2, 4, 50 * 10**8, 2**53 - 3 - 50 * 10**8, 2**53 - 5, 2]
    assert [one.hex() for one, sink in zip(batch.coin_tx.to_pylist(), batch.sink, strict=True) if not sink] == [
        T[5],
        T[0],
        T[1],
    ]
    assert batch.coin_index.tolist()[:2] == [3, 0]
    assert batch.address.to_pylist()[:4] == [
        record()["inputs"][0]["addresses"][0],
        "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S",
        "",
        "",
    ]
    assert not batch.rejected


def changed(side: str, **more: Any) -> Row:
    legs = [dict(leg) for leg in record()[side]]
    legs[0] |= more
    return record(**{side: legs})


@pytest.mark.parametrize("ending", [".json", ".parquet"])
@pytest.mark.parametrize(
    ("row", "why"),
    [
        (changed("inputs", value=None), "enrich_transactions"),
        (changed("inputs", value=1), "more than the inputs"),
        (changed("inputs", value=2**53 + 2), "a leg is missing"),
        (changed("inputs", spent_transaction_hash=None), "does not say what it spends"),
        (changed("inputs", addresses=["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"]), "checksum"),
        (changed("outputs", index=-1), "index"),
        (record(input_count=2), "the record was cut"),
        (record(output_count=3), "the record was cut"),
        (record(is_coinbase=True), "is_coinbase"),
        (record(inputs=[], input_count=0), "no coinbase"),
        (record(hash="12"), "hash"),
        (record(outputs=[], inputs=[], is_coinbase=True, input_count=0, output_count=0), "outputs is empty"),
    ],
)
def test_a_bitcoin_transaction_that_was_cut_is_refused(tmp_path: Path, row: Row, why: str, ending: str) -> None:
    path = bitcoin_etl(tmp_path, [record(), row], ending)
    (batch,) = open_reader(path).batches(path)
    assert batch.rows.tolist() == [1]
    assert [one.row for one in batch.rejected] == [2]
    assert why in batch.rejected[0].why


def test_a_script_of_several_keys_has_no_address(tmp_path: Path) -> None:
    both = ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"]
    path = bitcoin_etl(tmp_path, [changed("outputs", addresses=both)], ".json")
    (batch,) = open_reader(path).batches(path)
    assert isinstance(batch, CoinBatch)
    assert batch.address.to_pylist()[1] == ""


def test_where_no_schedule_is_known_a_coinbase_is_all_new_and_that_is_a_caveat(tmp_path: Path) -> None:
    plain = [dict(leg) | {"addresses": None} for leg in COINBASE["outputs"]]
    path = bitcoin_etl(tmp_path, [COINBASE | {"outputs": plain}], ".json")
    reader = open_reader(path, chain=Chain.named("dogecoin"))
    (batch,) = reader.batches(path)
    assert isinstance(batch, CoinBatch)
    assert batch.sink.tolist()[:1] == [SINK_CODES[SinkKind.ISSUE]]
    assert batch.low.tolist()[0] == 2**53 - 3
    assert "dogecoin" in reader.caveats[0]  # type: ignore[attr-defined]


def test_many_rows_come_in_several_batches_and_each_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.bulk import readers_by_row

    rows = [OWN | {"position": f"log:{at}", "units": str(at) if at % 5 else "x"} for at in range(23)]
    path = own(tmp_path, rows)
    whole = read(path)
    monkeypatch.setattr(readers_by_row, "ROWS", 4)
    for skip in range(24):
        told, bad = read(path, skip)
        assert told == [one for one in whole[0] if one[0] > skip]
        assert bad == {row: why for row, why in whole[1].items() if row > skip}
    assert len(list(open_reader(path).batches(path))) == 6


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
