"""bitcoin-etl by columns: whatever the table, the same as row by row; and what is odd is left to that way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bitcoin_blocks
import btc2009
from coin_records import (
    BITCOIN,
    CASH,
    DOGE,
    IN_LEGS,
    LITECOIN,
    ODD,
    PINNED,
    SEGWIT,
    WHOLE,
    A,
    B,
    Columns,
    Row,
    T,
    alike,
    coinbase,
    fitted,
    got,
    ledgers,
    lines,
    odd_rows,
    on,
    paid,
    parquet,
    record,
    rows_of,
    told,
)
from connectors.bulk import readers_by_row, readers_tables
from tracer.values import Chain, Transfer

NUMBER_KINDS = st.sampled_from(
    [pa.int64(), pa.uint64(), pa.string(), pa.large_string(), pa.decimal128(38, 0), pa.decimal256(76, 9)]
)
TYPES = st.fixed_dictionaries({}, optional={
    **dict.fromkeys(("fee", "input_count", "index", "block_number", "block_timestamp"), NUMBER_KINDS),
    **{f"leg.{name}": NUMBER_KINDS for name in IN_LEGS},
    "hash": st.just(pa.large_string()), "leg.addresses": st.just(pa.large_list(pa.large_string())),
    "leg.type": st.sampled_from([pa.large_string(), pa.dictionary(pa.int32(), pa.string())]),
    "lists": st.just(pa.large_list), "more.flag": st.just(pa.bool_()),
})  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd_rows(), TYPES, st.sampled_from([BITCOIN, LITECOIN, CASH, DOGE]), st.integers(0, 9))
def test_parquet_by_columns_says_what_each_row_by_itself_says(
    tmp_path: Path, rows: list[Row], kinds: dict[str, Any], chain: Chain, skip: int
) -> None:
    alike(parquet(tmp_path, fitted(on(chain, rows), kinds), kinds), chain, skip)


def test_what_stands_in_no_line_s_way_is_read_by_columns(tmp_path: Path) -> None:
    """Otherwise all tests here would compare the slow way with itself."""
    rows: list[Row | str] = [
        record(),
        coinbase(50 * 10**8),
        coinbase(60 * 10**8, 1),
        record(inputs=[paid(addresses=None)]),
    ]
    for path in (parquet(tmp_path, rows), lines(tmp_path, rows)):  # type: ignore[arg-type]  # they are all records
        reader = Columns(BITCOIN)
        found, bad, _ = told(reader, path)
        assert (len(found), bad, reader.sure) == (4, {}, 4)


@pytest.mark.parametrize(("side", "name"), [(side, name) for side, fields in ODD.items() for name in fields])
def test_each_oddity_is_read_or_refused_as_by_itself(tmp_path: Path, side: str, name: str) -> None:
    rows = []
    silent: Row = {"fee": None, "input_count": None, "output_count": None}
    for base in (record(), record(**silent), coinbase(50 * 10**8, 5), coinbase(50 * 10**8, **silent)):
        for value in ODD[side][name]:
            changed = base | {name: value} if not side else base
            if side and base[side]:
                changed = base | {side: [base[side][0] | {name: value}, *base[side][1:]]}
            rows.append(changed)
    for kind in (pa.int64(), pa.string(), pa.uint64(), pa.decimal256(76, 9)):
        whole = dict.fromkeys(WHOLE, kind) | {f"leg.{one}": kind for one in IN_LEGS}
        found, bad = alike(parquet(tmp_path, fitted(rows, whole), whole))
        assert len(found) + len(bad) == len(rows)
    found, bad = alike(lines(tmp_path, list(rows)))
    assert len(found) + len(bad) == len(rows)


def test_a_place_that_no_block_has_is_refused_and_not_cut(tmp_path: Path) -> None:
    found, bad = alike(lines(tmp_path, [record(index=2**31 - 1), record(index=2**32 + 5, hash=T[2])]))
    assert [row[3] for row in found] == [2**31 - 1]
    assert "no block can hold" in bad[2]


@pytest.mark.parametrize("value", PINNED)
@pytest.mark.parametrize("kind", [pa.string(), pa.uint64(), pa.decimal256(76, 0), None])
def test_pinned_amounts_survive_or_are_refused(tmp_path: Path, value: int, kind: pa.DataType | None) -> None:
    rows = [record(inputs=[paid(value)], outputs=[got(value)], output_count=1, fee=0), coinbase(value)]
    if kind is None:
        path = lines(tmp_path, list(rows))
    elif (pa.types.is_uint64(kind) and value >= 2**64) or (pa.types.is_decimal(kind) and value >= 10**76):
        return  # no such column
    else:
        kinds = {"leg.value": kind}
        path = parquet(tmp_path, fitted(rows, kinds), kinds)
    found, bad = alike(path)
    if value >= 2**64:
        assert list(bad) == [1, 2]
        assert all("more than 2**64 - 1" in why for why in bad.values())
    else:
        assert found[0][-1] == [(False, (bytes.fromhex(T[5]), 3), A, value), (True, (bytes.fromhex(T[0]), 0), B, value)]
        assert sum(leg[-1] for leg in found[1][-1] if not leg[0]) == value


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    most = 2**64 - 1
    spend = [paid(most, spent_output_index=at) for at in range(3)]
    fees = record(inputs=spend, input_count=3, outputs=[got(1)], output_count=1, fee=str(3 * most - 1))
    issue = coinbase(most, most, most, fee=None)
    rows = [fees, issue, record(fee=None, inputs=spend, input_count=3, outputs=[got(most)], output_count=1)]
    kinds = {"leg.value": pa.uint64(), "fee": pa.string()}
    found, bad = alike(parquet(tmp_path, rows, kinds))
    assert found[0][-1][-1] == (True, (1,), "", 3 * most - 1)
    assert found[1][-1][1][-1] == 3 * most - 50 * 10**8
    assert list(bad) == [3]  # "" is no fee
    for row in rows:
        row["fee"] = row["fee"] or None
    found, bad = alike(lines(tmp_path, list(rows)))
    assert (len(found), found[2][-1][-1][-1], bad) == (3, 2 * most, {})


@pytest.mark.parametrize("height", [0, 209_999, 210_000, 629_999, 840_000, 210_000 * 33, 210_000 * 64, 210_000 * 65])
def test_new_coins_are_halved_as_by_itself(tmp_path: Path, height: int) -> None:
    for chain in (BITCOIN, LITECOIN, DOGE):
        rows = on(chain, [coinbase(51 * 10**8, height=height), coinbase(1, height=height)])
        found, _ = alike(parquet(tmp_path, rows), chain)
        assert len(found) == 2


@pytest.mark.parametrize(
    "kinds",
    [
        {"more.odd": pa.float64()},  # a float in any field of a leg
        {"more.odd": pa.struct([("x", pa.float32())])},
        {"leg.value": pa.float64()},
        {"leg.type": pa.int64()},
        {"leg.addresses": pa.string()},
        {"leg.addresses": pa.list_(pa.int64())},
        {"leg.addresses": pa.null()},
        {"leg.index": pa.bool_()},
        {"is_coinbase": pa.string()},
        {"is_coinbase": pa.int64()},
        {"is_coinbase": pa.null()},
        {"lists": lambda leg: pa.list_(leg, 1)},
    ],
)
def test_columns_of_other_types_are_read_or_refused_as_by_itself(tmp_path: Path, kinds: dict[str, Any]) -> None:
    rows = [record(outputs=[got()], output_count=1, fee=6), record(outputs=[got()], output_count=1, fee=None)]
    for row in rows:
        if "leg.type" in kinds or "leg.index" in kinds:
            for leg in (*row["inputs"], *row["outputs"]):
                leg |= {"type": 1, "index": True if "leg.index" in kinds else 0}
                leg["type"] = 1 if "leg.type" in kinds else "x"
        if "leg.addresses" in kinds:
            for leg in (*row["inputs"], *row["outputs"]):
                leg["addresses"] = A if kinds["leg.addresses"] == pa.string() else None
        if "leg.value" in kinds:
            for leg in (*row["inputs"], *row["outputs"]):
                leg["value"] = 5.0
        if "more.odd" in kinds:
            row["inputs"][0]["odd"] = 0.5 if kinds["more.odd"] == pa.float64() else {"x": 0.5}
        if kinds.get("is_coinbase") == pa.string():
            row["is_coinbase"] = "no"
        elif "is_coinbase" in kinds:
            row["is_coinbase"] = 0 if kinds["is_coinbase"] == pa.int64() else None
    found, bad = alike(parquet(tmp_path, rows, kinds))
    assert len(found) + len(bad) == 2
    if "more.odd" in kinds:
        assert sorted(bad) == [1, 2]
        assert all("floating point" in why for why in bad.values())


def test_text_that_is_not_utf_8_is_refused_and_spoils_no_other_file(tmp_path: Path) -> None:
    path = parquet(tmp_path, [record(), record(hash=T[2])])
    raw = path.read_bytes()
    assert b"pubkeyhash" in raw
    path.write_bytes(raw.replace(b"pubkeyhash", b"pubkey\xff\xfe\xfdh"))
    found, bad = alike(path)
    assert not found
    assert all("not UTF-8" in why for why in bad.values())


def test_an_address_is_the_same_in_every_spelling(tmp_path: Path) -> None:
    rows = [record(inputs=[paid(addresses=[text])]) for text in (SEGWIT, SEGWIT.upper(), f" {SEGWIT} ", SEGWIT)]
    for path in (parquet(tmp_path, rows), lines(tmp_path, list(rows))):
        found, _ = alike(path)
        assert {row[-1][0][2] for row in found} == {SEGWIT}
        assert len(found) == 4


def test_rows_are_numbered_and_skipped_alike_wherever_a_chunk_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [record(hash=f"{at + 1:064x}", fee=4 if at % 4 else 5) for at in range(40)]
    files = [parquet(tmp_path, rows), lines(tmp_path, list(rows))]
    whole = [alike(path) for path in files]
    assert whole[0] == whole[1]
    for size, block in ((1, 100), (3, 2000), (7, 9000)):
        monkeypatch.setattr(readers_by_row, "ROWS", size)
        monkeypatch.setattr(readers_tables, "NESTED_ROWS", 2 * size)
        monkeypatch.setattr(readers_tables, "BLOCK", block)
        for path in files:
            for skip in (0, 1, 13, 39, 40, 41):
                found, bad = alike(path, skip=skip)
                assert found == [one for one in whole[0][0] if one[0] > skip]
                assert bad == {row: why for row, why in whole[0][1].items() if row > skip}


@btc2009.needs_2009
@pytest.mark.parametrize("write", [parquet, lines])
def test_the_chain_of_2009_is_the_same_ledger_by_both_ways(tmp_path: Path, write: Any) -> None:
    year = list(btc2009.transfers())[:2000]
    rows = rows_of(year)
    spends = next(row for row in rows if row["inputs"])
    spends |= {"fee": 1}
    rows[77] |= {"hash": "x"}
    one, other = ledgers(write(tmp_path, rows), tmp_path)
    assert one == other
    assert len(one[0]) == len(rows) - 2
    assert len(one[1].splitlines()) == 2


@bitcoin_blocks.needs_blocks
@pytest.mark.parametrize("write", [parquet, lines])
def test_real_blocks_are_the_same_ledger_by_both_ways_and_nearly_all_by_columns(tmp_path: Path, write: Any) -> None:
    transfers: list[Transfer] = []
    for height, (block, prevouts) in (
        (277_647, bitcoin_blocks.block_277647()),
        (300_025, bitcoin_blocks.block_300025()),
    ):
        transfers += bitcoin_blocks.transfers(block, height, prevouts)
    path = write(tmp_path, rows_of(transfers))
    one, other = ledgers(path, tmp_path)
    assert one == other
    assert len(one[0]) == len(transfers)
    reader = Columns(BITCOIN)
    told(reader, path)
    assert reader.sure == len(transfers)
