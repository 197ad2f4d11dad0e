"""Verification: is everything in a case as it was written? What is not is named, one problem each."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator

from cases import log, statements
from cases.codec import (
    UNREADABLE,
    TransferReader,
    canonical,
    coverage_of,
    judgement_of,
    label_of,
    loss_of,
    parsed,
    price_of,
    sha256,
    unpacked,
    withdrawn_by,
)
from cases.sqlite_file import SqliteFile
from connectors.protocol import Problem
from tracer.errors import CaseDamaged


def faults(file: SqliteFile, anchor: str = "") -> Iterator[Problem]:
    """Every fault found. Each check goes on after the faults of the others, so that all are named."""

    def chain(file: SqliteFile) -> Iterator[Problem]:
        return log.broken(file, anchor)

    with file.reading_anything():
        for check in (_file, chain, _evidence, _transfers, _entries, _strays, _citations, _answers, _judgements):
            try:
                yield from check(file)
            except (sqlite3.Error, CaseDamaged) as error:
                yield Problem(f"it cannot be read to its end: {error}", str(file.path.name))


def _file(file: SqliteFile) -> Iterator[Problem]:
    """The file as SQLite sees it."""
    for (told,) in file.rows("PRAGMA integrity_check"):
        if told != "ok":
            yield Problem(str(told), "file")
    for table, row, other, _ in file.rows("PRAGMA foreign_key_check"):
        yield Problem(f"it names a row of {other} that does not exist", f"{table}, row {row}")


def _evidence(file: SqliteFile) -> Iterator[Problem]:
    """The raw bytes against the hash that is their name."""
    for (id,) in file.rows("SELECT id FROM evidence ORDER BY id"):  # one at a time: together they may be large
        ((body,),) = file.rows("SELECT body FROM evidence WHERE id = ?", id)
        try:
            told = "sha256:" + hashlib.sha256(unpacked(body)).hexdigest()
        except ValueError as error:
            yield Problem(str(error), f"evidence {id}")
        else:
            if told != id:
                yield Problem(f"its bytes are those of {told}", f"evidence {id}")


def _transfers(file: SqliteFile) -> Iterator[Problem]:
    """Each transfer against its hash, which the pages that gave it name."""
    reader = TransferReader()
    for hashed, tx, key, text in file.rows("SELECT hash, tx, id, body FROM transfers ORDER BY id, hash"):
        if sha256(key + text) != hashed:
            yield Problem(
                "it was changed: it does not have the hash it was kept under", f"transfer {key}, kept as {hashed}"
            )
            continue
        try:
            id, body = parsed((key, text))
            reader.read(id, body, ("-",))
            if canonical(id[:2]) != tx:
                yield Problem(f"it is filed under another transaction: {tx}", f"transfer {key}")
        except UNREADABLE as error:
            yield Problem(f"it cannot be read: {error!r:.200}", f"transfer {key}")
    for (key,) in file.rows("SELECT id FROM transfers WHERE hash NOT IN (SELECT transfer FROM citations) ORDER BY id"):
        yield Problem("no page gave it", f"transfer {key}")


def _entries(file: SqliteFile) -> Iterator[Problem]:
    """Each log entry against the rows that came with it."""
    for n, kind, body in file.rows("SELECT n, kind, body FROM log ORDER BY n"):
        restate = statements.OF_KIND.get(kind)
        if restate is None:
            continue
        try:
            told, found = json.loads(body), restate(file, n)
            changed = sorted(name for name in found if canonical(found[name]) != canonical(told.get(name)))
        except UNREADABLE as error:
            yield Problem(f"its rows are gone or cannot be read: {error!r:.200}", f"log entry {n} ({kind})")
            continue
        if changed:
            about = told.get("address") or told.get("name") or told.get("source") or ""
            yield Problem(f"its rows were changed: {', '.join(changed)} differ", f"log entry {n} ({kind} {about:.100})")


def _strays(file: SqliteFile) -> Iterator[Problem]:
    """Rows that no log entry knows of."""
    kinds = dict(file.rows("SELECT n, kind FROM log"))
    for table, expected in statements.TABLES.items():
        for (n,) in file.rows(f"SELECT DISTINCT n FROM {table} ORDER BY n"):  # noqa: S608  our own names
            if kinds.get(n) not in expected:
                yield Problem(f"log entry {n}, which they came with, is missing or another", f"rows of {table}")


def _citations(file: SqliteFile) -> Iterator[Problem]:
    """Everything that cites evidence against the evidence there is; and whether it can be read at all."""
    known = {id for (id,) in file.rows("SELECT id FROM evidence")}
    for n, row, cited in file.rows("SELECT n, row, evidence FROM citations ORDER BY n, row"):
        for reference in _list(cited):
            if str(reference).partition("#")[0] not in known:
                yield Problem(
                    f"it cites {reference:.100}, which the case does not hold", f"transfer {row} of entry {n}"
                )
    readers = ("coverage", coverage_of), ("labels", label_of), ("prices", price_of), ("losses", loss_of)
    for table, decode in readers:
        for n, body in file.rows(f"SELECT n, body FROM {table} ORDER BY n"):  # noqa: S608  our own names
            try:
                cited = getattr(decode(json.loads(body)), "evidence", "")
            except UNREADABLE as error:
                yield Problem(f"a row of {table} cannot be read: {error!r:.200}", f"log entry {n}")
                continue
            if cited and cited.partition("#")[0] not in known:
                yield Problem(f"a row of {table} cites {cited:.100}, which the case does not hold", f"log entry {n}")


def _answers(file: SqliteFile) -> Iterator[Problem]:
    """The answers as issued against their hashes."""
    for n, hashed, text in file.rows("SELECT n, hash, body FROM answers ORDER BY n"):
        if sha256(text) != hashed:
            yield Problem(
                "its text was changed: it does not have the hash it was issued with", f"the answer of entry {n}"
            )


def _judgements(file: SqliteFile) -> Iterator[Problem]:
    """Each judgement against the hash that it is known by; and whether it, and each withdrawal, can be read at all."""
    for n, id, text in file.rows("SELECT n, id, body FROM judgements ORDER BY n, row"):
        if sha256(text) != id:
            yield Problem("it was changed: it does not have the hash it is known by", f"judgement {id} of entry {n}")
            continue
        try:
            judgement_of(json.loads(text))
        except UNREADABLE as error:
            yield Problem(f"it cannot be read: {error!r:.200}", f"judgement {id} of entry {n}")
    for n, text in file.rows("SELECT n, body FROM withdrawals ORDER BY n"):
        try:
            withdrawn_by(json.loads(text))
        except UNREADABLE as error:
            yield Problem(f"it cannot be read: {error!r:.200}", f"the withdrawal of entry {n}")


def _list(text: str) -> list[object]:
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    return found if isinstance(found, list) else [text]
