"""An export as a folder of csv files for spreadsheets, each inert there, and all of it read back without a loss."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from cases.exporting.cells import alive, inert
from cases.exporting.contents import Contents, Statement
from cases.exporting.reading_back import CAPS, FORMAT, Table, answer_text, from_tables, sheets_of
from cases.exporting.sheets import Row, Sheet
from connectors.reading import text_of, whole
from tracer.errors import InputError

INDEX = "contents.csv"
_COLUMNS = ("file", "statement", "format")


def write(contents: Contents) -> dict[str, bytes]:
    """The files by name: a sheet each, the answer whole, and the raw bytes under their hashes."""
    sheets = sheets_of(contents)
    listed = [(f"{sheet.name}.csv", sheet.statement.value, FORMAT) for sheet in sheets]
    listed.append(("answer.json", Statement.INFERENCE.value, FORMAT))
    files = {INDEX: _table(_COLUMNS, frozenset(), listed).encode()}
    files |= {f"{sheet.name}.csv": _sheet(sheet).encode() for sheet in sheets}
    files["answer.json"] = answer_text(contents).encode()
    return files | {_file_of(one.id): one.body for one in contents.evidence}


def read(folder: Path) -> Contents:
    """The contents of a folder that `write` filled. Raises `InputError`."""
    columns, rows = _rows(folder / INDEX)
    if tuple(columns) != _COLUMNS or any(row[2] != FORMAT for row in rows):
        raise InputError(f"{folder / INDEX} is not of a format that is read here", f"this program reads {FORMAT}")
    names = [row[0].removesuffix(".csv") for row in rows if row[0].endswith(".csv")]
    if strange := [name for name in names if not (name.isascii() and name.isalpha())]:
        raise InputError(f"{folder / INDEX} names a file {strange[0]!r:.60}", "export the case again")
    tables = {name: _rows(folder / f"{name}.csv") for name in names}
    ids = [row[0] for row in tables.get("evidence", ((), ()))[1]]
    bodies = {id: whole(folder / _file_of(id), CAPS) for id in ids}
    answer = text_of(whole(folder / "answer.json", CAPS), "answer.json")
    return from_tables(tables, bodies, answer, str(folder))


def _file_of(id: str) -> str:
    """The file of a piece of evidence. Raises `InputError` if the id is not the hash that a name may be made of."""
    kind, _, digits = id.partition(":")
    if kind != "sha256" or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise InputError(f"{id!r:.80} is not the id of evidence", "export the case again")
    return f"evidence/{digits}"


def _sheet(sheet: Sheet) -> str:
    return _table(sheet.columns, sheet.numbers, sheet.rows)


def _table(columns: Sequence[str], numbers: frozenset[str], rows: Sequence[Row]) -> str:
    """RFC 4180, all fields quoted: where a semicolon separates, an unquoted one would start a cell of its own."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            value if column in numbers else inert(value) for column, value in zip(columns, row, strict=True)
        )
    return out.getvalue()


def _rows(path: Path) -> Table:
    return _parsed(text_of(whole(path, CAPS), path.name), path.name)


def _parsed(text: str, where: str) -> Table:
    found = _cells(text, where)
    columns = next(found, None)
    if columns is None:
        raise InputError(f"{where} is empty", "copy the whole export again")
    rows = []
    for number, cells in enumerate(found, start=1):
        if len(cells) != len(columns):
            raise InputError(f"{where}, row {number} has {len(cells)} cells, not {len(columns)}", "export it again")
        rows.append(tuple(map(alive, cells)))
    return columns, rows


def _cells(text: str, where: str) -> Iterator[list[str]]:
    before = csv.field_size_limit(2**31 - 1)  # a name may be longer than the 128 KiB that the module stops at
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise InputError(f"{where} is not CSV: {error}", "the file may be cut short; copy it again") from None
    finally:
        csv.field_size_limit(before)
