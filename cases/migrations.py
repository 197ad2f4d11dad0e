"""Case files of earlier formats brought to this one: a copy first, then all steps in one transaction, or nothing."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from cases.tables import ADDED_IN_3, STATEMENTS_OF_2, statements_for
from tracer.errors import CaseDamaged, CaseError


@dataclass(frozen=True, slots=True)
class Step:
    """From one format to the next: the statements that an earlier file was made of, and those that change it.

    The tables refuse changes by triggers: a step that rewrites rows drops those of its table and makes them again.
    """

    made_of: frozenset[str]
    changes: tuple[str, ...]


#: Format -> the step from it to the next. To bump `tables.FORMAT`, add the step from the one before.
STEPS: dict[int, Step] = {2: Step(frozenset(STATEMENTS_OF_2), statements_for(ADDED_IN_3))}


def migrate(
    path: Path, db: sqlite3.Connection, version: int, *, to: int, made_of: Collection[str],
    steps: Mapping[int, Step] | None = None,
) -> Path:  # fmt: skip
    """Bring the open file `db` at `path` from format `version` to `to`, whose tables are `made_of`; returns the copy.

    Killed at any moment, the file is of the one format or of the other, whole, and opening it again goes on. The copy
    of what it was stays beside it, as NAME.format-N. Raises `CaseDamaged`, or `CaseError` if it cannot be copied.
    """
    known = STEPS if steps is None else steps
    wanted = range(version, to)
    if not all(number in known for number in wanted):
        raise CaseDamaged(
            f"{path} is a case of format {version}, which this fundtrail does not know", "go back to a copy"
        )
    if _tables(db) != known[version].made_of:
        raise CaseDamaged(f"{path} does not have the tables of format {version}", "go back to a copy")
    copy = _copied(path, db, version)
    db.execute("PRAGMA foreign_keys=OFF")  # no effect inside a transaction; checked as a whole below
    try:
        db.execute("BEGIN EXCLUSIVE")
        ((now,),) = db.execute("PRAGMA user_version")
        if now == version:  # else another program has been faster
            for number in wanted:
                for statement in known[number].changes:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version={to}")
        if _tables(db) != frozenset(made_of):
            raise CaseDamaged(
                f"{path} did not become a case of format {to}", "this is a defect in fundtrail; report it"
            )
        if broken := db.execute("PRAGMA foreign_key_check").fetchall():
            raise CaseDamaged(f"{path} has {len(broken)} rows that name rows which do not exist", "go back to a copy")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    finally:
        db.execute("PRAGMA foreign_keys=ON")
    return copy


def _tables(db: sqlite3.Connection) -> frozenset[str]:
    return frozenset(sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))


def _copied(path: Path, db: sqlite3.Connection, version: int) -> Path:
    """A whole copy of the file as it is, on the disk before anything is changed, for its owner only."""
    target = path.with_name(f"{path.name}.format-{version}")
    number = 1
    while target.exists() and not _same(target, db):
        number += 1
        target = path.with_name(f"{path.name}.format-{version}-{number}")
    if target.exists():  # of a run that was interrupted after it was made
        return target
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        os.close(descriptor)
        try:
            with closing(sqlite3.connect(temporary)) as copy:
                db.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
            os.replace(temporary, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        with suppress(OSError):
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except (OSError, sqlite3.OperationalError) as error:
        raise CaseError(
            f"{path} cannot be copied before it is changed: {error}", "free some space, then open it"
        ) from None
    return target


def _same(copy: Path, db: sqlite3.Connection) -> bool:
    """Whether `copy` is whole and of the state that `db` is in: by the newest log entry, which stands for the case."""
    head = "SELECT hash FROM log ORDER BY n DESC LIMIT 1"
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as other:
            whole = other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            version = "PRAGMA user_version"
            return (
                whole
                and other.execute(head).fetchall() == db.execute(head).fetchall()
                and other.execute(version).fetchall() == db.execute(version).fetchall()
            )
    except sqlite3.Error:
        return False
