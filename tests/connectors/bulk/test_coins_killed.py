"""An ingest of coins that is killed, with rows by columns and rows by themselves side by side."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coin_records import BITCOIN, Row, coinbase, got, lines, paid, parquet, record
from connectors.bulk.folder import load, verify
from connectors.bulk.ingest import ingest
from connectors.bulk.ledger import BulkLedger
from connectors.bulk.readers import open_reader

ROOT = Path(__file__).parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from connectors.bulk import readers_by_row, writing, storing
from connectors.bulk.ingest import ingest
from connectors.bulk.readers import open_reader
readers_by_row.ROWS = 7
left = int(sys.argv[4])
def counted(real):
    def step(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)
    return step
for module, name in ((os, "fsync"), (os, "pwrite"), (os, "truncate")):
    setattr(module, name, counted(getattr(module, name)))
ingest([Path(sys.argv[2])], Path(sys.argv[3]), reader=open_reader(sys.argv[2]), commit_every=20, whole=True)
"""


def chain_of(length: int) -> list[Row]:
    """Transactions that spend one another's coins; every fifth is odd and taken, every eleventh is refused."""
    rows = [coinbase(50 * 10**8, height=0, index=0, hash=f"{10**6:064x}")]
    for at in range(1, length):
        spent = paid(50 * 10**8 - at + 1, spent_transaction_hash=rows[-1]["hash"], spent_output_index=0)
        spent["addresses"] = [" 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"] if at % 5 == 0 else spent["addresses"]
        made = got(50 * 10**8 - at)
        more = {"hash": f"{10**6 + at:064x}", "block_number": at // 9, "index": at % 9 + 1, "output_count": 1}
        rows.append(record(inputs=[spent], outputs=[made], fee=7 if at % 11 == 0 else 1, **more))
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("write", [parquet, lines])
def test_a_killed_ingest_goes_on_and_ends_as_one_that_was_not(tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(tmp_path, chain_of(120))
    ingest([path], tmp_path / "once", reader=open_reader(path), whole=True)
    expected = list(BulkLedger(tmp_path / "once").transfers)
    assert (len(expected), expected[0].id.chain) == (110, BITCOIN)
    ledger, killed = tmp_path / "ledger", 0
    committed = 0
    for moments in (5, 25, 50, 80, 1000):
        command = [sys.executable, "-c", KILLED, str(ROOT), str(path), str(ledger), str(moments)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        killed += done.returncode != 0
        if (ledger / "manifest.json").exists():
            assert verify(ledger) == ()
            found = list(BulkLedger(ledger).transfers)
            assert found == expected[: len(found)]
            assert len(found) >= committed
            committed = len(found)
    assert killed >= 3
    assert list(BulkLedger(ledger).transfers) == expected
    refused = [(folder / "rejected.jsonl").read_text() for folder in (ledger, tmp_path / "once")]
    assert refused[0] == refused[1]
    assert len(refused[0].splitlines()) == load(ledger).sources[0].rejected == 10
