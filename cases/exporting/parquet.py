"""An export as a folder of Parquet files for data tools: every column text, so that no amount becomes a number."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from cases.exporting.cells import escaped, plain
from cases.exporting.contents import Contents
from cases.exporting.reading_back import CAPS, FORMAT, Table, answer_text, from_tables, sheets_of
from cases.exporting.sheets import Sheet
from connectors.reading import whole
from tracer.errors import InputError

_BODY = "body"  # a column of `evidence`: the raw bytes
_ANSWER = "answer"


def write(contents: Contents) -> dict[str, bytes]:
    """The files by name: one for each sheet, and `answer.parquet` with the answer whole."""
    bodies = {one.id: one.body for one in contents.evidence}
    files = {f"{sheet.name}.parquet": _file(sheet, bodies) for sheet in sheets_of(contents)}
    return files | {f"{_ANSWER}.parquet": _answer_file(answer_text(contents))}


def read(folder: Path) -> Contents:
    """The contents of a folder that `write` filled. Raises `InputError`."""
    tables: dict[str, Table] = {}
    bodies: dict[str, bytes] = {}
    answer = ""
    for path in sorted(folder.glob("*.parquet")):
        columns, rows = _rows(path)
        if path.stem == _ANSWER:
            answer = str(rows[0][0]) if len(rows) == 1 else ""
            continue
        if path.stem == "evidence" and columns[-1:] == [_BODY]:
            bodies = {str(row[0]): bytes(row[-1]) for row in rows}
            columns, rows = columns[:-1], [row[:-1] for row in rows]
        if any(type(value) is not str for row in rows for value in row):
            raise InputError(f"{path.name} holds something that is not text", "export the case again")
        tables[path.stem] = columns, [tuple(map(plain, row)) for row in rows]
    return from_tables(tables, bodies, answer, str(folder))


def _file(sheet: Sheet, bodies: dict[str, bytes]) -> bytes:
    import pyarrow

    columns = {
        name: pyarrow.array([escaped(row[at]) for row in sheet.rows], pyarrow.string())
        for at, name in enumerate(sheet.columns)
    }
    if sheet.name == "evidence":
        columns[_BODY] = pyarrow.array([bodies[row[0]] for row in sheet.rows], pyarrow.large_binary())
    return _written(pyarrow.table(columns, metadata={"statement": sheet.statement.value, "format": FORMAT}))


def _answer_file(text: str) -> bytes:
    import pyarrow

    column = pyarrow.array([text], pyarrow.large_string())
    return _written(pyarrow.table({_ANSWER: column}, metadata={"statement": "inference", "format": FORMAT}))


def _written(table: object) -> bytes:
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def _rows(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(whole(path, CAPS)))
        told = file.metadata
        if sum(told.row_group(at).total_byte_size for at in range(told.num_row_groups)) > CAPS.total:
            raise InputError(f"{path.name} unpacks to more than {CAPS.total:,} bytes", "nothing of it was used")
        table = file.read(use_threads=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(
            f"{path.name} is not a Parquet file that can be read: {error!s:.200}", "copy it again"
        ) from None
    if (table.schema.metadata or {}).get(b"format") != FORMAT.encode():
        raise InputError(f"{path.name} is not of a format that is read here", f"this program reads {FORMAT}")
    columns = [column.to_pylist() for column in table.columns]
    return table.column_names, list(zip(*columns, strict=True))
