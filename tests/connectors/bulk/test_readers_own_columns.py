"""Our own CSV by columns: whatever the table, the same as row by row; and what is odd is left to that way."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.bulk import readers_by_row, readers_tables
from connectors.bulk.batch import Batch
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers_own import OwnFiles
from connectors.transfer_rows import COLUMNS, REQUIRED
from tracer.addresses.evm import checksummed
from tracer.values import Chain

ETHEREUM = Chain.named("ethereum")
A, B, TOKEN = ("0x" + letter * 40 for letter in "abd")
MIXED = "0x" + checksummed("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
TX = ["0x" + f"{number:064x}" for number in range(1, 20)]
PINNED = [0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64, 10**21, 2**127, 2**128 - 1, 2**128]
PINNED += [2**256 - 1, 2**256]
Row = dict[str, str]

EVENT = {
    "chain": "ethereum", "tx": TX[0], "position": "log:7", "block": "5", "time": "2022-03-23T13:29:09Z", "index": "3",
    "asset": TOKEN, "symbol": "USDT", "decimals": "6", "from": A, "to": B, "units": "5", "method": "",
    "source": "nearby",
}  # fmt: skip
PAID = EVENT | {"position": "tx", "asset": "", "symbol": "", "decimals": ""}
FEE = EVENT | {"position": "fee", "to": "", "asset": "", "symbol": "ETH", "decimals": "18"}
ODD = {
    "chain": ["ethereum", "Ethereum", "bsc", "", "nowhere", "tron"],
    "tx": [TX[3], TX[3][2:], TX[3].upper(), "GENESIS_" + A, "0x12", "", " " + TX[3]],
    "position": ["tx", "fee", "", "log:0", "log:07", "trace:0_1", "trace:x", "slot:1", "step:4", "log:7 ", "Fee", '"',
                 "log:"],
    "block": ["0", "007", "-1", "", "x", str(2**31), str(2**63 - 1), str(2**63), "1" * 18, "1" * 19],
    "time": ["1648042149", "2022-03-23 13:29:09+00:00", "2022-03-23 13:29:09 UTC", "2022-03-23T13:29:09.000Z", "", "0",
             "x", "2022-03-23T13:29:09.0000Z", "2022-03-23T13:29:09", "2022-02-30T00:00:00Z", "1648042149000"],
    "index": ["", "-1", "-2", "0", str(2**31 - 1), str(2**31), str(2**32 + 5), "x", "-01", "- 1"],
    "asset": ["", TOKEN, TOKEN.upper().replace("X", "x"), MIXED, MIXED.swapcase(), "0x12", "x"],
    "symbol": ["", "ETH", "USDT", "USD₮0", 'a"b', '"', "\ufeffETH", "x,y", " ETH", "eth"],
    "decimals": ["", "6", "18", "018", "-1", "x", str(2**63)],
    "from": [A, "", "burn", MIXED, MIXED.swapcase(), "0x" + "0" * 40, A.upper(), A[2:], " " + A, "é"],
    "to": [B, "", "burn", "Burn", MIXED, "0x" + "0" * 40, B + " ", "fee"],
    "units": [*(str(one) for one in PINNED), "007", "", "-1", "1.0", "1e18", "0x1", " 1", "1,000", "\u0661"],
    "method": ["", "transfer", "swap é", 'a "b"', "a\rb", "x" * 131_073, "\0", "a,b"],
    "source": ["", "sha256:1 sha256:2", "é", "\r"],
}  # fmt: skip


class ByRow(OwnFiles):
    """The way that has the last word, alone."""

    def _columns(self, chunk: Any, live: Any) -> None:
        return None


class Columns(OwnFiles):
    """Counts the rows that columns were sure of."""

    sure = 0

    def _columns(self, chunk: Any, live: Any) -> Any:
        found = super()._columns(chunk, live)
        self.sure += int(found[1].sum()) if found else 0
        return found


def written(path: Path, rows: list[Row], names: tuple[str, ...] = COLUMNS, encoding: str = "utf-8") -> Path:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = path / "transfers.csv"
    path.write_bytes(stream.getvalue().encode(encoding))
    return path


def told(reader: OwnFiles, path: Path, skip: int = 0) -> tuple[list[Any], dict[int, str], dict[str, tuple[str, int]]]:
    """Everything that the storage is told: transfers, refusals, assets."""
    found: list[Any] = []
    bad: dict[int, str] = {}
    for batch in reader.batches(path, skip):
        assert isinstance(batch, Batch)
        texts = zip(
            *(one.to_pylist() for one in (batch.tx, batch.position, batch.asset, batch.payer, batch.payee)), strict=True
        )
        for at, (tx, position, asset, payer, payee) in enumerate(texts):
            ends = [int(sink[at]) or raw for raw, sink in ((payer, batch.payer_sink), (payee, batch.payee_sink))]
            units = batch.overflow.get(at, int(batch.high[at]) * 2**64 + int(batch.low[at]))
            place = int(batch.block[at]), int(batch.time[at]), int(batch.index[at])
            name = tx if isinstance(tx, str) else "0x" + tx.hex()
            found.append((int(batch.rows[at]), *place, name, position, asset, *ends, units))
        bad |= {one.row: one.why for one in batch.rejected}
    return found, bad, dict(reader.assets)


def alike(path: Path, skip: int = 0) -> tuple[list[Any], dict[int, str]]:
    by_columns = told(OwnFiles(ETHEREUM), path, skip)
    assert by_columns == told(ByRow(ETHEREUM), path, skip)
    return by_columns[0], by_columns[1]


@st.composite
def odd_rows(draw: st.DrawFn) -> list[Row]:
    rows = []
    for _ in range(draw(st.integers(1, 9))):
        names = draw(st.lists(st.sampled_from(COLUMNS), max_size=2))
        base = draw(st.sampled_from([EVENT, PAID, FEE, EVENT | {"from": ""}, EVENT | {"to": "burn"}]))
        rows.append(base | {name: draw(st.sampled_from(ODD[name])) for name in names})
    return rows


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    odd_rows(),
    st.sets(st.sampled_from(sorted(set(COLUMNS) - set(REQUIRED))), max_size=3),
    st.integers(0, 9),
    st.booleans(),
)
def test_all_rows_at_once_give_what_each_row_by_itself_gives(
    tmp_path: Path, rows: list[Row], without: set[str], skip: int, broken: bool
) -> None:
    names = tuple(name for name in COLUMNS if name not in without)
    path = written(tmp_path, rows, names)
    if broken:  # bytes that are no UTF-8 in one of the lines
        path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9", 1))
    alike(path, skip)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
@pytest.mark.parametrize("base", [EVENT, FEE])
def test_each_oddity_is_read_or_refused_as_by_itself(tmp_path: Path, base: Row, name: str, value: str) -> None:
    found, bad = alike(written(tmp_path, [PAID, base | {name: value, "tx": value if name == "tx" else TX[1]}, PAID]))
    assert {1, 3} <= {row[0] for row in found}
    assert len(found) + len(bad) >= 3


@pytest.mark.parametrize(("there", "instead"), [
    *((b"nearby", one) for one in (
        b"near\rby", b"near\0by", b'"near\rby"', b'"near""by"', b'near"by', b'"nearby" ', b"nearby\r", b"nearby\r\r",
        b"nearby,", b"near\xffby", b"x" * 131_073,
    )),
    (b",nearby", b""), (b"ethereum", b"\xef\xbb\xbfethereum"), (b"ethereum", b'"ethereum"'), (b"USDT", b'"US""DT"'),
    (b"log:7", b'"log:7"'), (b"log:7", b'"log:""7"'),
])  # fmt: skip
def test_a_line_that_two_readers_may_see_otherwise_is_read_as_by_itself(
    tmp_path: Path, there: bytes, instead: bytes
) -> None:
    path = written(tmp_path, [PAID, EVENT, PAID | {"tx": TX[1]}])
    head, one, two, three = path.read_bytes().splitlines(keepends=True)
    assert there in two
    path.write_bytes(head + one + two.replace(there, instead) + three)
    found, bad = alike(path)
    assert {1, 3} <= {row[0] for row in found}
    assert len(found) + len(bad) == 3


def test_plain_rows_are_read_by_columns(tmp_path: Path) -> None:
    """Otherwise all tests here would compare the slow way with itself."""
    rows = [
        EVENT,
        PAID,
        FEE,
        EVENT | {"from": ""},
        EVENT | {"to": "burn", "index": "-1"},
        EVENT | {"symbol": "USD₮0", "index": ""},
    ]
    reader = Columns(ETHEREUM)
    found, bad, assets = told(reader, written(tmp_path, rows))
    assert (len(found), bad, reader.sure) == (6, {}, 6)
    assert assets == {TOKEN: ("USD₮0", 6)}
    assert [row[3] for row in found] == [3, 3, 3, 3, -1, -1]
    assert [row[7:9] for row in found[3:5]] == [(3, bytes.fromhex(B[2:])), (bytes.fromhex(A[2:]), 2)]


def test_pinned_amounts_survive(tmp_path: Path) -> None:
    found, bad = alike(
        written(tmp_path, [EVENT | {"units": str(one), "position": f"log:{one % 97}"} for one in PINNED])
    )
    assert [row[-1] for row in found] == PINNED[:-1]
    assert list(bad) == [len(PINNED)]


def test_rows_are_numbered_and_skipped_alike_wherever_a_chunk_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        EVENT | {"position": f"log:{at}", "units": str(at) if at % 4 else "x", "symbol": str(at % 3)}
        for at in range(40)
    ]
    path = written(tmp_path, rows)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[20:20] = [b"\n", b"a,b\n", b'"\n']
    path.write_bytes(b"".join(lines))
    whole = alike(path)
    for size, block in ((1, 300), (3, 2000), (7, 9000)):
        monkeypatch.setattr(readers_by_row, "ROWS", size)
        monkeypatch.setattr(readers_tables, "BLOCK", block)
        for skip in (0, 1, 13, 19, 20, 21, 42, 43, 44):
            found, bad = alike(path, skip)
            assert found == [one for one in whole[0] if one[0] > skip]
            assert bad == {row: why for row, why in whole[1].items() if row > skip}


def test_both_ways_make_the_same_ledger(tmp_path: Path) -> None:
    rows = [
        EVENT | {"tx": TX[at % 19], "position": f"log:{at}", "block": str(at % 19)}
        | {"units": str(PINNED[at % len(PINNED)]), "from": MIXED if at % 7 == 0 else A}
        | {"to": ["burn", B, A, "x"][at % 4]}
        for at in range(200)
    ]  # fmt: skip
    path = written(tmp_path, rows)
    ledgers = []
    for reader in (OwnFiles(ETHEREUM), ByRow(ETHEREUM)):
        out = tmp_path / type(reader).__name__
        done = ingest([path], out, reader=reader, whole=True)
        ledgers.append((done, list(BulkLedger(out).transfers), (out / "rejected.jsonl").read_text()))
    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0][1]) > 100
