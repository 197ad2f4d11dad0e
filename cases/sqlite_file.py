"""The SQLite file behind a case: made, opened and locked safely, its errors told in words a user can act on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cases import tables
from cases.migrations import migrate
from tracer.errors import CaseConflict, CaseDamaged, CaseError, CaseNotFound, CaseTooNew

APPLICATION_ID = 0x4654524C  # "FTRL": how `file` and others tell a case from any other SQLite file
BUSY_SECONDS = 3.0
WRITABLE = "mode=rw"  # never "rwc": a mistyped path must not make a file

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF  # SQLite's codes carry details in their upper bytes


class SqliteFile:
    """One open case file. All reading and writing goes through `rows`, `writing` and `write`."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path = path
        self._db = db

    @classmethod
    def create(cls, path: Path) -> SqliteFile:
        """A new, empty case file that only its owner can read. The first `writing` makes it a case, or nothing does."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise CaseConflict(f"{path} exists already", "open it, or choose another name for the new case") from None
        except OSError as error:
            raise CaseError(
                f"{path} cannot be made: {error.strerror}", "check the folder and your rights to it"
            ) from None
        with told(path):
            file = cls(path, _connected(path, WRITABLE))
            file._db.execute("PRAGMA synchronous=FULL")
            return file

    @classmethod
    def open(cls, path: Path) -> SqliteFile:
        """The case file at `path`. Raises `CaseNotFound`, `CaseDamaged`, `CaseTooNew` or another `CaseError`."""
        if not path.exists():
            raise CaseNotFound(f"there is no case file {path}", "check the path; a trace makes a new case there")
        if not path.is_file():
            raise CaseError(f"{path} is not a file", "a case is one file, for example mine.fundtrail")
        with told(path):
            mode = _mode(path)
            db = _connected(path, mode)
            try:
                _recognise(path, db, may_change=mode == WRITABLE)
                if mode == WRITABLE:
                    db.execute("PRAGMA journal_mode=WAL")
                    db.execute("PRAGMA synchronous=FULL")
            except BaseException:
                db.close()
                raise
            return cls(path, db)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._db.close()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with told(self.path):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all that is written inside is kept, or, if anything goes wrong, nothing of it."""
        with told(self.path):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement for each of `rows`, inside `writing`."""
        self._db.executemany(sql, rows)

    def begin_case(self) -> None:
        """Make the tables; inside the first `writing`."""
        for statement in tables.STATEMENTS:
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version={tables.FORMAT}")

    def keep_journal(self) -> None:
        """From here on readers and one writer do not wait for each other. Only a whole case gets here."""
        with told(self.path):
            self._db.execute("PRAGMA journal_mode=WAL")

    @contextmanager
    def reading_anything(self) -> Iterator[None]:
        """Texts that are not UTF-8 any more are read too, marked: for looking at damage."""
        self._db.text_factory = lambda raw: raw.decode(errors="backslashreplace")
        try:
            yield
        finally:
            self._db.text_factory = str


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Every SQLite error that a user can do something about, as a `CaseError`; all others are ours and stay loud."""
    try:
        yield
    except sqlite3.Error as error:
        mapped = _mapped(path, error)
        if mapped is None:
            raise
        raise mapped from None


def _mapped(path: Path, error: sqlite3.Error) -> CaseError | None:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return CaseConflict(f"{path} is being written to by another program", "wait until it is done, then try again")
    if code == sqlite3.SQLITE_FULL:
        return CaseError(f"the disk is full: {path}", "free some space and run it again; what was read before is safe")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return CaseError(f"{path} cannot be written to", "copy it to a place where you may write, and use the copy")
    if code == sqlite3.SQLITE_CANTOPEN:
        return CaseError(f"{path} cannot be opened", "check your rights to the file and its folder")
    if code == sqlite3.SQLITE_IOERR:
        return CaseError(f"the disk gave an error for {path}: {error}", "check the disk; what was kept before is safe")
    if code in _DAMAGED or str(error).startswith(("Could not decode", "malformed database schema")):
        return CaseDamaged(
            f"{path} is damaged: {error}", "go back to a copy; `verify` says what is touched, if it opens"
        )
    return None


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA recursive_triggers=ON")  # so that INSERT OR REPLACE meets the triggers against DELETE too
    db.execute("PRAGMA foreign_keys=ON")
    return db


def _mode(path: Path) -> str:
    """How to open it. On a medium that cannot be written SQLite must be told that nothing will change."""
    if os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK):
        return WRITABLE
    pending = path.with_name(path.name + "-wal")
    return "mode=ro" if pending.exists() and pending.stat().st_size else "mode=ro&immutable=1"


def _recognise(path: Path, db: sqlite3.Connection, *, may_change: bool) -> None:
    """Refuse what is not a whole case file of a version we read; one of an earlier version is brought to ours."""
    try:
        found = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
        application, version = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & _PRIMARY == sqlite3.SQLITE_NOTADB:
            raise CaseDamaged(
                f"{path} is not a fundtrail case: {error}", "check the path; or go back to a copy"
            ) from None
        raise
    if not found and not application:
        raise CaseDamaged(f"{path} is empty: making it was interrupted", "delete the file and start again")
    if application != APPLICATION_ID:
        raise CaseDamaged(f"{path} is an SQLite file, but not a fundtrail case", "check the path")
    if version > tables.FORMAT:
        raise CaseTooNew(
            f"{path} is a case of format {version}; this fundtrail reads up to {tables.FORMAT}",
            "install a newer fundtrail",
        )
    if version < tables.FORMAT:
        if not may_change:
            raise CaseError(
                f"{path} is a case of format {version} and must be brought to {tables.FORMAT}",
                "copy it to where you may write",
            )
        migrate(path, db, version, to=tables.FORMAT, made_of=tables.STATEMENTS)
        return
    if found != set(tables.STATEMENTS):
        changed = sorted(found ^ set(tables.STATEMENTS))[0]
        raise CaseDamaged(f"the tables of {path} were changed: {changed:.80}", "go back to a copy")
