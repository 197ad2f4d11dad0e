"""The case file as numbered pieces that a database can keep, and a new case file made from them, verified."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases.case_file import Case
from cases.codec import UNREADABLE, canonical, unpacked
from cases.sqlite_file import SqliteFile
from cases.tables import FORMAT, TABLES
from tracer.errors import CaseDamaged, CaseTooNew

PIECE = 2**20  # bytes of rows; rows are only ever added, so only the last piece of a table ever changes
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of one table, one JSON line each, zlib-compressed; `hash` is the sha256 of the lines."""

    part: str
    n: int
    hash: str
    body: bytes


def pieces_of(path: Path) -> Iterator[Piece]:
    """The pieces of the case file at `path`, in a fixed order, one in memory at a time."""
    file = SqliteFile.open(path)
    try:
        yield _piece("format", 0, canonical({"format": FORMAT, "tables": list(TABLES)}).encode())
        for table in TABLES:
            n, held = 0, bytearray()
            for line in _lines(file, table):
                held += line
                while len(held) >= PIECE:
                    yield _piece(table, n, bytes(held[:PIECE]))
                    del held[:PIECE]
                    n += 1
            if held or not n:
                yield _piece(table, n, bytes(held))
    finally:
        file.close()


def _piece(part: str, n: int, raw: bytes) -> Piece:
    return Piece(part, n, hashlib.sha256(raw).hexdigest(), zlib.compress(raw, 1))


def _lines(file: SqliteFile, table: str) -> Iterator[bytes]:
    last = -1
    while found := file.rows(
        f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?", last, MOST_ROWS  # noqa: S608  our names
    ):  # fmt: skip
        for rowid, *values in found:
            last = rowid
            yield (canonical([_json(value) for value in values]) + "\n").encode()


def _json(value: object) -> object:
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _value(told: object) -> object:
    if isinstance(told, dict):
        return base64.b64decode(told["bytes"], validate=True)
    if told is None or type(told) in (int, str):
        return told
    raise ValueError("neither a number, a text nor bytes")


def restore(path: Path, pieces: Iterable[Piece], head: str) -> None:
    """Make the case file `path` from all pieces in their order. Nothing is left of it if it does not verify as `head`.

    Raises `CaseConflict` where a file stands, `CaseTooNew`, or `CaseDamaged` if anything is not as it was.
    """
    file = SqliteFile.create(path)
    try:
        try:
            with file.writing():
                file.begin_case()
                for table, rows in _rows(pieces):
                    marks = ", ".join("?" * len(rows[0]))
                    file.write(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608  from our own list
            file.keep_journal()
        except (sqlite3.Error, ValueError) as error:  # rows that do not fit their table
            told = f"what the database holds is not the case as it was: {error!r:.200}"
            raise CaseDamaged(told, "push it again") from None
        finally:
            file.close()
        with Case.open(path) as case:
            problems = [f"{one.where}: {one.text}" for one in case.verify()]
            if case.head != head:
                problems.append(f"its log ends with {case.head}, not with {head}")
        if problems:
            raise CaseDamaged(f"what the database holds is not the case as it was: {problems[0]}", "push it again")
    except BaseException:
        for ending in ("", "-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        raise


def _rows(pieces: Iterable[Piece]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """(table, rows), each table's in order; the tables in the order in which they refer to each other."""
    held, at = b"", ""
    for piece in pieces:
        try:
            raw = unpacked(piece.body)
            if hashlib.sha256(raw).hexdigest() != piece.hash:
                raise ValueError("it does not have its hash")
            if piece.part == "format":
                _same_format(json.loads(raw))
                continue
            if piece.part not in TABLES:
                raise ValueError("no such table")
            if piece.part != at and held:
                raise ValueError("the table before ends within a row")
            *lines, held = (held + raw).split(b"\n")
            at = piece.part
            rows = [tuple(_value(one) for one in json.loads(line)) for line in lines]
        except UNREADABLE as error:
            if isinstance(error, CaseTooNew):
                raise
            raise CaseDamaged(
                f"piece {piece.n} of {piece.part:.40} in the database cannot be read: {error!s:.200}", "push it again"
            ) from None
        if rows:
            yield at, rows
    if held:
        raise CaseDamaged("the case in the database is not whole", "push it again: it goes on where it was cut")


def _same_format(told: dict[str, Any]) -> None:
    """Format 2 is this one without the tables of judgements, which stay empty."""
    if told["format"] > FORMAT:
        raise CaseTooNew(f"the database holds a case of format {told['format']}", "install a newer fundtrail")
    if told["format"] not in (2, FORMAT):
        raise CaseDamaged(
            f"the database holds a case of format {told['format']}, and this program makes {FORMAT}",
            "open the case file it came from with this program, and push that again",
        )
