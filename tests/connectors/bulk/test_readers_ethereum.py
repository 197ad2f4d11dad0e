"""ethereum-etl's tables, in each of its file formats, as the transfers they state."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.bulk import readers_tables
from connectors.bulk.batch import SINKS, Batch
from connectors.bulk.readers import open_reader
from tracer.addresses.evm import checksummed
from tracer.errors import InputError
from tracer.values import Chain

A, B, C, TOKEN = ("0x" + letter * 40 for letter in "abcd")
ZERO = "0x" + "0" * 40
TX = ["0x" + f"{number:064x}" for number in range(1, 20)]
TIME = 1648042149
PINNED = [0, 1, 2**53 - 1, 2**53 + 1, 2**63, 2**64, 10**21, 2**127, 2**128 - 1, 2**128, 2**256 - 1]

PAID = {
    "hash": TX[0],
    "nonce": "7",
    "block_number": "14442778",
    "transaction_index": "195",
    "from_address": A,
    "to_address": B,
    "value": "1500000000000000000",
    "gas_price": "20",
    "input": "0x",
    "block_timestamp": str(TIME),
    "receipt_gas_used": "21000",
    "receipt_effective_gas_price": "30",
    "receipt_contract_address": "",
    "receipt_status": "1",
}
EVENT = {
    "token_address": TOKEN,
    "from_address": A,
    "to_address": B,
    "value": "5",
    "transaction_hash": TX[0],
    "log_index": "7",
    "block_number": "14442778",
    "block_timestamp": "2022-03-23 13:29:09 UTC",
}
CALL = {
    "transaction_hash": TX[0],
    "block_number": "14442778",
    "transaction_index": "3",
    "block_timestamp": str(TIME),
    "from_address": A,
    "to_address": B,
    "value": "9",
    "trace_type": "call",
    "call_type": "call",
    "reward_type": "",
    "trace_address": "0,1",
    "status": "1",
    "error": "",
}
Told = tuple[int, str, str, str, str, str, int]  # row, tx, position, asset, payer, payee, units
Row = dict[str, Any]


def written(path: Path, rows: list[Row], ending: str = ".csv") -> Path:
    path = path / f"table{ending}"
    if ending == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
        return path
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    with opener(path, "wt", newline="") as stream:
        if ".jsonl" in ending:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


def told_in(batch: Any) -> Iterator[Told]:
    assert isinstance(batch, Batch)
    columns = (batch.tx, batch.position, batch.asset, batch.payer, batch.payee)
    for at, (tx, position, asset, payer, payee) in enumerate(zip(*(c.to_pylist() for c in columns), strict=True)):
        ends = [
            str(SINKS[int(sink[at])]) if sink[at] else "0x" + raw.hex()
            for raw, sink in ((payer, batch.payer_sink), (payee, batch.payee_sink))
        ]
        units = batch.overflow.get(at, int(batch.high[at]) * 2**64 + int(batch.low[at]))
        assert at not in batch.overflow or (units >= 2**128 and batch.high[at] == batch.low[at] == 0)
        yield int(batch.rows[at]), tx if isinstance(tx, str) else "0x" + tx.hex(), position, asset, *ends, units


def read(path: Path, skip: int = 0, **wanted: Any) -> tuple[list[Told], dict[int, str]]:
    batches = list(open_reader(path, **wanted).batches(path, skip))
    for batch in batches:
        assert list(batch.rows) == sorted(batch.rows)
    bad = {one.row: one.why for batch in batches for one in batch.rejected}
    return [one for batch in batches for one in told_in(batch)], bad


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.xz", ".jsonl", ".jsonl.gz", ".parquet"])
def test_a_transaction_is_its_value_and_its_fee(tmp_path: Path, ending: str) -> None:
    told, bad = read(written(tmp_path, [PAID, PAID | {"hash": TX[1], "value": "0"}], ending))
    assert told == [
        (1, TX[0], "tx", "", A, B, 15 * 10**17),
        (1, TX[0], "fee", "", A, "fee", 630000),
        (2, TX[1], "tx", "", A, B, 0),
        (2, TX[1], "fee", "", A, "fee", 630000),
    ]
    assert not bad


def test_place_and_time_are_kept_and_an_unknown_index_is_minus_one(tmp_path: Path) -> None:
    path = written(tmp_path, [PAID, PAID | {"hash": TX[1], "transaction_index": ""}])
    (batch,) = open_reader(path).batches(path)
    assert isinstance(batch, Batch)
    assert batch.block.tolist() == [14442778] * 4
    assert batch.time.tolist() == [TIME] * 4
    assert batch.index.tolist() == [195, 195, -1, -1]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_pinned_amounts_survive(tmp_path: Path, ending: str) -> None:
    rows = [PAID | {"hash": TX[at], "value": str(value)} for at, value in enumerate(PINNED)]
    told, bad = read(written(tmp_path, rows, ending))
    assert [one[-1] for one in told if one[2] == "tx"] == PINNED
    assert not bad


@pytest.mark.parametrize(("precision", "scale"), [(38, 0), (38, 9), (76, 0), (76, 38)])
def test_pinned_amounts_survive_decimal_columns(tmp_path: Path, precision: int, scale: int) -> None:
    kind = pa.decimal128(38, scale) if precision == 38 else pa.decimal256(76, scale)
    fit = [value for value in PINNED if len(str(value)) + scale <= precision]
    table = pa.Table.from_pylist([PAID | {"hash": TX[at]} for at in range(len(fit))])
    values = pa.array([Decimal(value) for value in fit], kind)
    path = tmp_path / "t.parquet"
    pq.write_table(table.set_column(table.schema.get_field_index("value"), "value", values), path)
    told, bad = read(path)
    assert [one[-1] for one in told if one[2] == "tx"] == fit
    assert not bad


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.one_of(st.sampled_from(PINNED), st.integers(0, 2**256 - 1)), min_size=1, max_size=9))
def test_any_amounts_survive(tmp_path: Path, values: list[int]) -> None:
    rows = [PAID | {"hash": TX[at], "value": str(value)} for at, value in enumerate(values)]
    for ending in (".csv", ".parquet"):
        told, _ = read(written(tmp_path, rows, ending))
        assert [one[-1] for one in told if one[2] == "tx"] == values


def test_a_failed_transaction_pays_its_fee_alone(tmp_path: Path) -> None:
    told, bad = read(written(tmp_path, [PAID | {"receipt_status": "0"}]))
    assert told == [(1, TX[0], "fee", "", A, "fee", 630000)]
    assert not bad


def test_a_contract_that_is_made_gets_the_value(tmp_path: Path) -> None:
    made = PAID | {"to_address": ""}
    told, bad = read(written(tmp_path, [made | {"receipt_contract_address": C}, made, made | {"value": "0"}]))
    assert [(one[0], one[2], one[5]) for one in told] == [(1, "tx", C), (1, "fee", "fee"), (3, "fee", "fee")]
    assert list(bad) == [2]
    assert "receipt_contract_address" in bad[2]


@pytest.mark.parametrize(
    ("more", "fee"),
    [
        ({"receipt_effective_gas_price": ""}, 21000 * 20),  # before EIP-1559 the price offered is the price paid
        ({"receipt_effective_gas_price": "", "max_fee_per_gas": "99"}, None),
        ({"receipt_gas_used": ""}, None),
        ({"receipt_blob_gas_used": "131072", "receipt_blob_gas_price": "3"}, 630000 + 3 * 131072),
        ({"receipt_l1_fee": "5000000000"}, 630000 + 5 * 10**9),
        ({"receipt_gas_used": str(2**53 + 1), "receipt_effective_gas_price": str(2**40)}, (2**53 + 1) * 2**40),
    ],
)
def test_the_fee_is_what_the_receipt_says(tmp_path: Path, more: Row, fee: int | None) -> None:
    for ending in (".csv", ".jsonl"):
        path = written(tmp_path, [PAID | more], ending)
        reader = open_reader(path)
        told = [one for batch in reader.batches(path) for one in told_in(batch)]
        assert [one[-1] for one in told if one[2] == "fee"] == ([] if fee is None else [fee])
        assert any("what fee" in text for text in reader.caveats) == (fee is None)  # type: ignore[attr-defined]


def test_a_transaction_that_does_not_say_whether_it_failed_counts_as_made_and_is_a_caveat(tmp_path: Path) -> None:
    plain = {name: value for name, value in PAID.items() if not name.startswith("receipt_")}
    path = written(tmp_path, [plain, plain | {"hash": TX[1]}])
    reader = open_reader(path)
    told = [one for batch in reader.batches(path) for one in told_in(batch)]
    assert [one[2] for one in told] == ["tx", "tx"]
    assert "2 transactions do not say whether they failed" in reader.caveats[0]  # type: ignore[attr-defined]  # not in the protocol


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_token_event_is_a_transfer_an_issue_or_a_burn(tmp_path: Path, ending: str) -> None:
    rows = [EVENT, EVENT | {"from_address": ZERO, "log_index": "8"}, EVENT | {"to_address": ZERO, "log_index": "300"}]
    path = written(tmp_path, [*rows, EVENT | {"from_address": ZERO, "to_address": ZERO}], ending)
    reader = open_reader(path)
    told = [one for batch in reader.batches(path) for one in told_in(batch)]
    assert told == [
        (1, TX[0], "log:7", TOKEN, A, B, 5),
        (2, TX[0], "log:8", TOKEN, "issue", B, 5),
        (3, TX[0], "log:300", TOKEN, A, "burn", 5),
    ]
    assert read(path)[1].keys() == {4}
    assert dict(reader.assets) == {TOKEN: ("", 0)}
    assert any("unique tokens" in text for text in reader.caveats)  # type: ignore[attr-defined]


def test_the_zero_address_is_an_address_for_the_coin(tmp_path: Path) -> None:
    told, _ = read(written(tmp_path, [PAID | {"from_address": ZERO}, PAID | {"to_address": ZERO}]))
    assert [one[4:6] for one in told] == [(ZERO, B), (ZERO, "fee"), (A, ZERO), (A, "fee")]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_trace_moves_value_where_it_says_so_and_only_there(tmp_path: Path, ending: str) -> None:
    rows = [
        CALL,
        CALL | {"trace_address": ""},  # the top call is the transaction's own value, under its identity
        CALL | {"status": "0"},
        CALL | {"call_type": "delegatecall"},
        CALL | {"call_type": "staticcall"},
        CALL | {"call_type": "callcode"},
        CALL | {"value": "0"},
        CALL | {"trace_type": "create", "call_type": "", "trace_address": "2"},
        CALL | {"trace_type": "suicide", "call_type": "", "trace_address": "3,0,11"},
        CALL | {"value": str(2**200), "trace_address": "4"},
    ]
    told, bad = read(written(tmp_path, rows, ending))
    assert told == [
        (1, TX[0], "trace:0_1", "", A, B, 9),
        (2, TX[0], "tx", "", A, B, 9),
        (8, TX[0], "trace:2", "", A, B, 9),
        (9, TX[0], "trace:3_0_11", "", A, B, 9),
        (10, TX[0], "trace:4", "", A, B, 2**200),
    ]
    assert not bad


def test_the_top_call_has_the_identity_and_the_facts_of_the_transaction(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    traced, _ = read(written(tmp_path, [CALL | {"trace_address": "", "value": PAID["value"]}]))
    paid, _ = read(written(tmp_path / "t", [PAID]))
    assert traced[0] == paid[0]


def test_rewards_are_issued_and_those_that_look_alike_stay_apart(tmp_path: Path) -> None:
    reward = CALL | {"transaction_hash": "", "from_address": "", "trace_type": "reward", "call_type": ""}
    reward |= {"trace_address": "", "transaction_index": ""}
    rows = [reward | {"reward_type": "block"}, reward | {"reward_type": "uncle"}, reward | {"reward_type": "uncle"}]
    path = written(tmp_path, rows)
    told, bad = read(path)
    assert not bad
    assert [one[4:] for one in told] == [("issue", B, 9)] * 3
    assert len({one[2] for one in told}) == 3
    assert {one[1] for one in told} == {f"0x{14442778:064x}"}
    assert read(path, skip=2)[0] == told[2:]  # the twin is counted from the file's beginning
    (batch,) = open_reader(path).batches(path)
    assert isinstance(batch, Batch)
    assert batch.index.tolist() == [2**31 - 1] * 3  # paid when the block is done


def test_what_block_0_allotted_is_issued_under_the_name_that_etherscan_gives_it(tmp_path: Path) -> None:
    genesis = CALL | {"transaction_hash": "", "from_address": "", "trace_type": "genesis", "call_type": ""}
    told, _ = read(written(tmp_path, [genesis | {"trace_address": "", "block_number": "0"}, CALL]))
    assert told == [(1, "GENESIS_" + B[2:], "tx", "", "issue", B, 9), (2, TX[0], "trace:0_1", "", A, B, 9)]


def test_an_irregular_change_of_state_moves_between_addresses(tmp_path: Path) -> None:
    told, _ = read(written(tmp_path, [CALL | {"trace_type": "daofork", "call_type": "", "transaction_hash": ""}]))
    assert told[0][4:] == (A, B, 9)


BAD = [
    (PAID, {"value": "1.5"}, "1.5"),
    (PAID, {"value": "1e18"}, "1e18"),
    (PAID, {"value": "-1"}, "-1"),
    (PAID, {"value": ""}, "value"),
    (PAID, {"value": str(2**256)}, "more than 2**256 - 1"),
    (PAID, {"from_address": A[:-1]}, "from_address"),
    (PAID, {"from_address": ""}, "from_address"),
    (PAID, {"to_address": "0x5AAEb6053f3e94c9b9a09f33669435e7ef1beaed"}, "checksum"),
    (PAID, {"hash": TX[0][:-1]}, "63 hex digits"),
    (PAID, {"hash": ""}, "not a transaction hash"),
    (PAID, {"block_number": "x"}, "block_number"),
    (PAID, {"block_number": "-1"}, "block_number"),
    (PAID, {"block_timestamp": str(TIME * 1000)}, "milliseconds"),
    (PAID, {"block_timestamp": ""}, "block_timestamp"),
    (PAID, {"transaction_index": "1.0"}, "transaction_index"),
    (PAID, {"transaction_index": str(2**31)}, "no block can hold"),
    (PAID, {"receipt_status": "2"}, "receipt_status"),
    (PAID, {"receipt_gas_used": "1e5"}, "receipt_gas_used"),
    (PAID, {"receipt_gas_used": str(2**60), "receipt_effective_gas_price": str(2**60)}, "do not fit together"),
    (EVENT, {"token_address": ""}, "token_address"),
    (EVENT, {"log_index": "-1"}, "log_index"),
    (EVENT, {"value": "0x10"}, "0x10"),
    (CALL, {"trace_type": "transfer"}, "trace_type"),
    (CALL, {"call_type": ""}, "call_type"),
    (CALL, {"status": ""}, "status"),
    (CALL, {"trace_address": "0,,1"}, "trace_address"),
    (CALL, {"transaction_hash": ""}, "traces of geth"),
    (CALL, {"to_address": ""}, "to_address"),
]


ODD = ["", "0", "1", "2", "00", "-0", "1.0", "1e3", "x", " 1", "0x", A, "0X" + A[2:], A.upper(), ZERO, "A" * 64, TX[3]]
ODD += [str(one) for one in PINNED] + ["0,1", "1,", "call", "create", "reward", "genesis", "2022-03-23T13:29:09Z"]
ODD += [
    " ",
    "9" * 18,
    "9" * 19,
    "0" * 40,
    "0" * 80,
    "\u0661",
    "0" * 38 + "17",
    "2022-03-23 13:29:09.000 UTC",
    "staticcall",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([PAID, EVENT, CALL]))
def test_all_rows_at_once_give_what_each_row_by_itself_gives(tmp_path: Path, data: st.DataObject, base: Row) -> None:
    changes = st.dictionaries(st.sampled_from(sorted(base)), st.sampled_from(ODD), max_size=2)
    rows = [base | change for change in data.draw(st.lists(changes, min_size=1, max_size=8))]
    by_itself = read(written(tmp_path, rows, ".jsonl"))
    assert read(written(tmp_path, rows, ".csv")) == by_itself
    assert read(written(tmp_path, rows, ".parquet")) == by_itself


@pytest.mark.parametrize("base", [PAID, EVENT, CALL])
@pytest.mark.parametrize("value", ["5", str(2**200)])
def test_columns_have_the_types_that_the_storage_was_promised(tmp_path: Path, base: Row, value: str) -> None:
    path = written(tmp_path, [base | {"value": value}, base | {"value": "x"}])
    (batch,) = open_reader(path).batches(path)
    assert isinstance(batch, Batch)
    types = [getattr(batch, name).dtype.name for name in ("rows", "block", "time", "index", "low", "high")]
    assert types == ["int64"] * 3 + ["int32"] + ["uint64"] * 2
    assert batch.payer_sink.dtype.name == batch.payee_sink.dtype.name == "uint8"
    assert (batch.tx.type, batch.payer.type, batch.payee.type) == (pa.binary(32), pa.binary(20), pa.binary(20))
    assert batch.position.type == batch.asset.type == pa.dictionary(pa.int32(), pa.string())
    for name in ("tx", "position", "asset", "payer", "payee"):
        getattr(batch, name).validate(full=True)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize(("base", "change", "why"), BAD)
def test_a_bad_row_is_refused_with_its_reason_and_spoils_no_other(
    tmp_path: Path, base: Row, change: Row, why: str, ending: str
) -> None:
    name = "hash" if "hash" in base else "transaction_hash"
    told, bad = read(written(tmp_path, [base, base | change, base | {name: TX[5]}], ending))
    assert list(bad) == [2]
    assert why in bad[2]
    assert {one[0] for one in told} == {1, 3}


def test_a_checksummed_address_is_read_by_the_slow_way(tmp_path: Path) -> None:
    mixed = "0x" + checksummed("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    told, bad = read(written(tmp_path, [PAID, PAID | {"to_address": mixed, "hash": TX[1]}, PAID | {"hash": TX[2]}]))
    assert [(one[0], one[5]) for one in told if one[2] == "tx"] == [(1, B), (2, mixed.lower()), (3, B)]
    assert not bad


def test_lines_that_are_no_rows_are_refused_and_blank_ones_count(tmp_path: Path) -> None:
    path = written(tmp_path, [PAID, PAID | {"hash": TX[1]}])
    head, one, two = path.read_bytes().splitlines(keepends=True)
    short, quoted, latin = b",".join(one.split(b",")[:3]) + b"\n", b'"' + one, one.replace(A.encode(), b"\xe9")
    path.write_bytes(b"\xef\xbb\xbf" + head + one + b"\n" + short + quoted + latin + two.rstrip())
    told, bad = read(path)
    assert {row[0] for row in told} == {1, 6}
    assert {row: why.split(":")[0] for row, why in bad.items()} == {
        3: "3 cells, but 14 columns",
        4: "a quote is opened and not closed in its line; a cell cannot hold a line break",
        5: "row 5 is not UTF-8",
    }


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_rows_are_numbered_and_skipped_alike_wherever_a_chunk_ends(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [PAID | {"hash": TX[at % 19], "value": "1" if at % 4 else "x"} for at in range(40)]
    path = written(tmp_path, rows, ending)
    told, bad = read(path)
    monkeypatch.setattr(readers_tables, "BLOCK", 1000)
    monkeypatch.setattr(readers_tables, "ROWS", 2)
    for skip in (0, 1, 7, 8, 39, 40, 41):
        found, refused = read(path, skip)
        assert found == [one for one in told if one[0] > skip]
        assert refused == {row: why for row, why in bad.items() if row > skip}


def test_a_table_of_blocks_gives_the_times_that_an_export_leaves_out(tmp_path: Path) -> None:
    event = {name: value for name, value in EVENT.items() if name != "block_timestamp"}
    (tmp_path / "b").mkdir()
    blocks = [{"number": "14442778", "timestamp": str(TIME)}, {"number": "5", "timestamp": str(TIME - 9)}]
    for ending in (".csv", ".jsonl", ".parquet"):
        times = written(tmp_path / "b", blocks, ending)
        path = written(tmp_path, [event, event | {"block_number": "6"}, event | {"block_number": "5"}], ending)
        (batch,) = open_reader(path, blocks=times).batches(path)
        assert batch.time.tolist() == [TIME, TIME - 9]
        assert [(one.row, one.why) for one in batch.rejected] == [(2, "block 6 is not in the table of blocks")]
    with pytest.raises(InputError, match="block_timestamp"):
        read(written(tmp_path, [event]))
    with pytest.raises(InputError, match="gives block 5 two times"):
        open_reader(path, blocks=written(tmp_path, [blocks[1], blocks[1] | {"timestamp": str(TIME)}]))
    with pytest.raises(InputError, match="no table of blocks"):
        open_reader(path, blocks=path)


def test_another_evm_chain_can_be_named_but_no_other_family(tmp_path: Path) -> None:
    path = written(tmp_path, [PAID])
    assert open_reader(path, chain=Chain.named("bsc")).chain.name == "bsc"
    with pytest.raises(InputError, match="not bitcoin"):
        open_reader(path, "ethereum-etl", Chain.named("bitcoin"))


@pytest.mark.parametrize("name", ["value", "block_number", "receipt_gas_used", "receipt_status"])
def test_a_column_of_floats_stops_the_file(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, [PAID | {name: 1.0}], ".parquet")
    with pytest.raises(InputError, match=f"{name} holds floating point numbers"):
        read(path)


def test_traces_without_status_are_refused_because_reverted_calls_would_count(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column status"):
        read(written(tmp_path, [{name: value for name, value in CALL.items() if name != "status"}]))
