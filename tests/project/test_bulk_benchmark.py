"""The benchmark of bulk ledgers runs through all of its parts, on a small ledger; its bars are for large ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = (
    "ingest", "ingest, memory", "folder", "ingest of 1,000 again", "one loss, five rules, default, p50",
    "one loss, five rules, default, p95", "first answer, cold",
    "history, warm, p50", "history, cold", "history, as Transfers, warm, p50", "history, as Transfers, cold",
)  # fmt: skip
PEERS = {"pyarrow, addresses", "pyarrow, all columns", "SQLite", "script, 10,000 rows"}


@pytest.mark.slow
def test_every_part_of_the_benchmark_gives_figures_beside_its_peers(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/bench_bulk.py", "--size", "10000", "--times", "1", "--slow-times", "1"]
    command += ["--seeds", "2", "--settings", "default", "--scan", "--json", str(tmp_path / "figures.json")]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "first in, first out: the same ends as the script" in done.stdout
    told = json.loads((tmp_path / "figures.json").read_text())
    figures = {line["what"]: line for line in told["lines"]}
    assert told["ledger"]["rows"] == 10_000
    for what in OURS:
        assert figures[what]["ours"] > 0, what
    for beginning in ("lots moved, everybody followed", "one loss, five rules, stops off"):
        assert any(what.startswith(beginning) and line["ours"] > 0 for what, line in figures.items()), beginning
    assert {line["peer"] for line in told["lines"] if line["theirs"]} >= PEERS


@pytest.mark.slow
def test_the_benchmark_of_coins_takes_every_row_that_it_makes(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/bench_coins.py", "--size", "3000", "--times", "0"]
    command += ["--endings", "parquet,jsonl,csv", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]  # it stops where a row is not read, or not added
    for ending in ("parquet", "jsonl", "csv"):
        assert f"ingest, 3,000 of {ending}" in done.stdout
