"""Writes transfers and coverage as a folder that `file:` reads back, the same bytes for the same content."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from connectors.transfer_rows import COLUMNS, COVERAGE_COLUMNS, coverage_row_of, record_of, row_of
from tracer.coverage import Coverage
from tracer.errors import InputError
from tracer.values import Transfer

STEMS = ("transfers.csv", "transfers.jsonl", "coverage.csv")
ENDINGS = ("", ".gz", ".xz")


def write_transfers(
    transfers: Iterable[Transfer], coverage: Iterable[Coverage], folder: Path | str
) -> tuple[Path, ...]:
    """Write the files and return their paths. Raises `InputError` if the folder holds such files already.

    `transfers.csv.gz` holds what has one leg a side, `transfers.jsonl.gz` the rest, in ledger order; `coverage.csv`
    is written if there is coverage. The column `source` carries each transfer's evidence.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if there := [stem + ending for stem in STEMS for ending in ENDINGS if (folder / (stem + ending)).exists()]:
        raise InputError(f"{folder} already holds {there[0]}", "name a new folder: they would be read as one")
    rows, records = [], []
    for transfer in sorted(transfers, key=lambda transfer: (transfer.order, transfer.id, transfer.evidence)):
        if row := row_of(transfer):
            rows.append(row)
        else:
            records.append(record_of(transfer))
    answers = [
        coverage_row_of(answer) for answer in sorted(coverage, key=lambda answer: (answer.address, answer.state))
    ]
    written = []
    if rows or not records:
        written.append(_keep(folder / "transfers.csv.gz", _packed(_table(COLUMNS, rows))))
    if records:
        body = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        written.append(_keep(folder / "transfers.jsonl.gz", _packed(body.encode())))
    if answers:
        written.append(_keep(folder / "coverage.csv", _table(COVERAGE_COLUMNS, answers)))
    return tuple(written)


def _table(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)  # the time of packing would make equal content unequal


def _keep(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path
