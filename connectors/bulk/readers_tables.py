"""Opens a table, CSV, JSON lines or Parquet, and gives it out in chunks: some rows at a time, in bounded memory.

A row's number is its place among the rows, from 1: in CSV, row `n` is line `n + 1` of the file; in JSON lines it is
line `n`; blank lines count.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.bulk import readers_kernels as kernels
from connectors.bulk.readers_columns import Cells, Column, column_of, refuse_type
from connectors.reading import BOM, CAPS, Caps, text_of
from connectors.reading import _opened as opened
from connectors.strict_json import parse_json
from tracer.errors import BadRow, InputError

BLOCK = 8 * 1024**2  # bytes of text at a time
ROWS = 1 << 17  # rows of Parquet at a time
NESTED_ROWS = 1 << 15  # where a row has lists: nobody knows how long
_LINE_END = 10
_BROKEN = {
    kernels.OPEN_QUOTE: "a quote is opened and not closed in its line; a cell cannot hold a line break",
    kernels.AFTER_QUOTE: "something stands between a closing quote and the next comma",
}


class Kind(Enum):
    """How the file holds its rows."""

    CSV = "CSV"
    JSON = "JSON lines"
    PARQUET = "Parquet"


@dataclass(frozen=True, slots=True)
class Table:
    """A file, how it holds its rows, and its columns; of JSON lines, the names in its first record."""

    path: Path
    kind: Kind
    columns: tuple[str, ...]
    schema: Any = None  # of Parquet: pyarrow.Schema


@dataclass(slots=True)
class Chunk:
    """Rows `first` to `first + len - 1`. `broken`: rows that are none, and why; `skipped`: blank lines.

    `columns` is empty for JSON lines. `raw`: of text, the lines and where each begins.
    """

    table: Table
    first: int
    rows: int
    columns: dict[str, Column] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    blank: NDArray[np.bool_] | None = None
    raw: tuple[bytes, NDArray[np.int64]] | None = None

    def row(self, place: int) -> dict[str, object]:
        """One row as names and values: text, whole numbers, None, or lists. Raises `InputError`."""
        if place in self.broken:
            raise BadRow(self.broken[place])
        where = f"row {self.first + place}"
        if self.table.kind is Kind.JSON:
            record = parse_json(text_of(self.line(place), where).strip(), where)
            if not isinstance(record, dict):
                raise BadRow("not a JSON object")
            return record
        if self.raw is not None:
            line = self.line(place)
            cells = _cells(text_of(line, where).rstrip("\r\n"))
            if len(cells) != len(self.table.columns):
                raise BadRow(f"{len(cells)} cells, but {len(self.table.columns)} columns")
            return dict(zip(self.table.columns, cells, strict=True))
        return {name: _plain(column, place) for name, column in self.columns.items()}

    def line(self, place: int) -> bytes:
        """The line of a row of text, its end included."""
        assert self.raw is not None  # noqa: S101  a table of text has it
        text, at = self.raw
        return text[int(at[place]) : int(at[place + 1])]

    def part(self, start: int, stop: int) -> Chunk:
        """The rows from place `start` to before `stop`, as a chunk of their own. Nothing is copied."""
        columns: dict[str, Column] = {
            name: Cells(column.data, column.starts[start:stop], column.ends[start:stop])
            if isinstance(column, Cells)
            else column.slice(start, stop - start)
            for name, column in self.columns.items()
        }
        broken = {at - start: why for at, why in self.broken.items() if start <= at < stop}
        blank = None if self.blank is None else self.blank[start:stop]
        raw = None if self.raw is None else (self.raw[0], self.raw[1][start : stop + 1])
        return Chunk(self.table, self.first + start, stop - start, columns, broken, blank, raw)

    def usable(self) -> NDArray[np.bool_]:
        """False for blank lines and rows that are none."""
        good = np.ones(self.rows, np.bool_) if self.blank is None else ~self.blank
        good[list(self.broken)] = False
        return good


def look_at(path: Path) -> Table:
    """What kind of table this is. Raises `InputError` for a file that is none, or names a column twice."""
    with opened(path) as stream:
        start = stream.read(4)
    if start == b"PAR1":
        with _parquet(path) as file:
            schema = file.schema_arrow
        return Table(path, Kind.PARQUET, _once(path, tuple(schema.names)), schema)
    first = _first_line(path)
    if not first.strip():
        raise InputError(f"{path} is empty", "a table has at least a line that names its columns")
    text = text_of(first, f"{path}, line 1").strip()
    if text.startswith("{"):
        record = parse_json(text, f"{path}, line 1")
        return Table(path, Kind.JSON, tuple(record) if isinstance(record, dict) else ())
    if b"\0" in first:
        raise InputError(f"{path} is not a table", "CSV, JSON lines or Parquet is read, packed with gzip or xz or not")
    return Table(path, Kind.CSV, _once(path, tuple(_cells(text))))


def chunks(
    table: Table, wanted: Collection[str], skip_rows: int = 0, caps: Caps = CAPS, inner: Collection[str] = ()
) -> Iterator[Chunk]:
    """The rows after the first `skip_rows`, of the columns `wanted`; chunks that lie before are not given out.

    `inner`: what is looked at inside of nested columns of Parquet; all, if empty. Raises `InputError` where the file
    cannot be read on, and for columns that cannot be read exactly.
    """
    names = [name for name in table.columns if name in wanted]
    if table.kind is Kind.PARQUET:
        yield from _parquet_chunks(table, names, skip_rows, inner)
    elif table.kind is Kind.CSV:
        yield from _csv_chunks(table, names, skip_rows, caps)
    else:
        yield from _json_chunks(table, skip_rows, caps)


def _once(path: Path, columns: tuple[str, ...]) -> tuple[str, ...]:
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        raise InputError(
            f"{path} has two columns named {min(twice)!r:.60}", "remove one: nobody can tell which of them counts"
        )
    return columns


def _first_line(path: Path, caps: Caps = CAPS) -> bytes:
    with opened(path) as stream:
        line = stream.readline(caps.line + 1)
    if len(line) > caps.line:
        raise InputError(f"{path}: the first line is longer than {caps.line:,} bytes", "this is not a table")
    return line


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadRow(f"not a CSV row: {error}", "a cell cannot hold a line break here") from None


def _blocks(stream: BufferedIOBase, path: Path, caps: Caps) -> Iterator[bytes]:
    """The stream in pieces that end with a line end; one is added where the last line has none."""
    rest = b""
    while piece := stream.read(BLOCK):
        end = piece.rfind(b"\n") + 1
        if not end:
            rest += piece
            if len(rest) > caps.line:
                raise InputError(f"{path}: a line is longer than {caps.line:,} bytes", "this is not a table")
            continue
        yield rest + piece[:end]
        rest = piece[end:]
    if rest:
        yield rest + b"\n"


def _csv_chunks(table: Table, names: list[str], skip_rows: int, caps: Caps) -> Iterator[Chunk]:
    slots = np.array([names.index(name) if name in names else -1 for name in table.columns], np.int64)
    with opened(table.path) as stream:
        stream.readline(caps.line + 1)  # the header
        first = 1
        for block in _blocks(stream, table.path, caps):
            data = np.frombuffer(block, np.uint8)
            rows = block.count(b"\n")
            if first + rows > skip_rows + 1:
                yield _csv_chunk(table, names, slots, block, data, first, rows)
            first += rows


def _csv_chunk(
    table: Table,
    names: list[str],
    slots: NDArray[np.int64],
    block: bytes,
    data: NDArray[np.uint8],
    first: int,
    rows: int,
) -> Chunk:
    starts, ends = np.zeros((len(names), rows), np.int64), np.zeros((len(names), rows), np.int64)
    lines, states = np.zeros(rows + 1, np.int64), np.zeros(rows, np.uint8)
    kernels.split_lines(data, len(data), slots, starts, ends, lines, states)
    lines[rows] = len(data)
    chunk = Chunk(table, first, rows, raw=(block, lines), blank=states == kernels.BLANK_LINE)
    chunk.columns = {name: Cells(data, starts[slot], ends[slot]) for slot, name in enumerate(names)}
    for place in np.flatnonzero(states > kernels.BLANK_LINE).tolist():
        if states[place] == kernels.WRONG_COUNT:
            line = block[int(lines[place]) : int(lines[place + 1])].decode(errors="replace").rstrip("\r\n")
            count = len(_lenient(line))
            chunk.broken[place] = f"{count} cells, but {len(table.columns)} columns"
        else:
            chunk.broken[place] = _BROKEN[int(states[place])]
    return chunk


def _lenient(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return line.split(",")


def _json_chunks(table: Table, skip_rows: int, caps: Caps) -> Iterator[Chunk]:
    with opened(table.path) as stream:
        first = 1
        for block in _blocks(stream, table.path, caps):
            text = block.removeprefix(BOM) if first == 1 else block
            at = np.concatenate(([0], np.flatnonzero(np.frombuffer(text, np.uint8) == _LINE_END) + 1))
            rows = len(at) - 1
            if first + rows > skip_rows + 1:
                chunk = Chunk(table, first, rows, raw=(text, at))
                chunk.blank = np.array([not chunk.line(place).strip() for place in range(rows)], np.bool_)
                yield chunk
            first += rows


@contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        text = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as Parquet: {text:.200}", "copy or download it again") from None


def _parquet_chunks(table: Table, names: list[str], skip_rows: int, inner: Collection[str]) -> Iterator[Chunk]:
    nested = {name for name in names if pa.types.is_nested(table.schema.field(name).type)}
    for name in names:
        if name not in nested:
            refuse_type(name, table.schema.field(name).type)
    with _parquet(table.path) as file:
        leaves = _leaves(file, names, nested, inner)
        first = 1
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if first + rows <= skip_rows + 1:
                first += rows
                continue
            for batch in file.iter_batches(NESTED_ROWS if nested else ROWS, row_groups=[group], columns=leaves):
                if first + len(batch) > skip_rows + 1:
                    columns = {
                        name: batch.column(name) if name in nested else column_of(batch.column(name), name)
                        for name in names
                    }
                    yield Chunk(table, first, len(batch), columns)
                first += len(batch)


def _leaves(file: pq.ParquetFile, names: list[str], nested: set[str], inner: Collection[str]) -> list[str]:
    """What to read: the flat columns, and of the nested ones what is named in `inner`.

    Floats are read too: a row that has any is refused, whichever field they are in.
    """
    found = [name for name in names if name not in nested]
    for name in names if nested else ():
        if name not in nested:
            continue
        leaves = [file.schema.column(at) for at in range(len(file.schema.names))]
        leaves = [leaf for leaf in leaves if leaf.path.split(".")[0] == name]
        wanted = [leaf for leaf in leaves if not inner or set(leaf.path.split(".")[1:]) & {*inner} or _float(leaf)]
        found += [leaf.path for leaf in wanted or leaves] or [name]
    return found


def _float(leaf: Any) -> bool:
    return leaf.physical_type in ("FLOAT", "DOUBLE") or "FLOAT" in str(leaf.logical_type).upper()


def _plain(column: Column, place: int) -> object:
    """One cell of Parquet as text, whole number, list or None."""
    if isinstance(column, Cells):
        raw = column.data[int(column.starts[place]) : int(column.ends[place])].tobytes()
        return text_of(raw, "a cell")
    try:
        return _exact(column[place].as_py())
    except UnicodeDecodeError:
        raise BadRow("a cell is not UTF-8", "save the file as UTF-8 text") from None


def _exact(value: object) -> object:
    if isinstance(value, Decimal):
        text = format(value, "f")  # digit by digit: arithmetic on a Decimal would round to 28 digits
        return text.rstrip("0").removesuffix(".") if "." in text else text
    if isinstance(value, Mapping):
        return {name: _exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    if isinstance(value, float):
        raise BadRow(f"{value!r} is a floating point number", "export it as text, integer or decimal")
    return value
