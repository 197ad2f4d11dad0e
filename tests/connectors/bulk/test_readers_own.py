"""Our own rows and Bitcoin transactions are read into a folder as they were written, and what is cut is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.bulk.batch import SINK_CODES, SINKS, CoinBatch
from connectors.bulk.readers import open_reader
from connectors.transfer_writing import write_transfers
from listed_rows import BITCOIN, OWN, TIME, TOKEN, TX, A, B, Row, own, read
from tracer.coverage import CoverageBook
from tracer.values import Block, Chain, Leg, SinkKind, Transfer, TransferId


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
    assert "dogecoin" in reader.caveats[0]  # type: ignore[attr-defined]  # not in the protocol of readers


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
