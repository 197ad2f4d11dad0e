"""Judgements and withdrawals in a case file: rows that are added, and what of them counts by now."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cases import log, pages, statements
from cases.codec import (
    canonical,
    judgement_id,
    judgement_json,
    judgement_of,
    parsed,
    readable,
    withdrawal_json,
    withdrawal_of,
)
from cases.sqlite_file import SqliteFile
from tracer.errors import CaseConflict
from tracer.judgements import Judgement, Withdrawal, doubt_of


def keep(file: SqliteFile, judgements: Iterable[Judgement], *, at: int) -> None:
    """Add those that are not there, in their order, as one log entry; nothing if there are none."""
    given = {judgement_id(one): canonical(judgement_json(one)) for one in judgements}
    if not given.keys() - _ids(file):
        return
    with file.writing():
        n, known = log.next_number(file), _ids(file)
        fresh = [(id, body) for id, body in given.items() if id not in known]
        file.write("INSERT INTO judgements VALUES (?, ?, ?, ?)", [(n, row, *one) for row, one in enumerate(fresh)])
        log.append(file, n, at, "judgements", statements.judgements(file, n))


def _ids(file: SqliteFile) -> set[str]:
    return {id for (id,) in file.rows("SELECT id FROM judgements")}


def judgements(file: SqliteFile) -> tuple[Judgement, ...]:
    """All of them, in the order they were added."""
    with readable("a judgement"):
        found = parsed(body for (body,) in file.rows("SELECT body FROM judgements ORDER BY n, row"))
        return tuple(map(judgement_of, found))


def withdraw(file: SqliteFile, one: Withdrawal, *, at: int) -> None:
    """Add a withdrawal; the same one again changes nothing. Raises `CaseConflict` for a judgement that is not here."""
    told = withdrawal_json(one)
    id, body = told.pop("judgement"), canonical(told)
    with file.writing():
        if id not in _ids(file):
            raise CaseConflict(f"the case has no judgement {id}", "those it has: fundtrail case owners FILE")
        if file.rows("SELECT n FROM withdrawals WHERE judgement = ? AND body = ?", id, body):
            return
        n = log.next_number(file)
        file.write("INSERT INTO withdrawals VALUES (?, ?, ?)", [(n, id, body)])
        log.append(file, n, at, "withdrawal", statements.withdrawal(file, n))


def withdrawals(file: SqliteFile) -> tuple[Withdrawal, ...]:
    """All of them, in order."""
    rows = file.rows("SELECT judgement, body FROM withdrawals ORDER BY n")
    known = {judgement_id(one): one for one in judgements(file)} if rows else {}
    with readable("a withdrawal"):
        return tuple(withdrawal_of({**json.loads(body), "judgement": id}, known) for id, body in rows)


def doubts(file: SqliteFile) -> dict[Judgement, str]:
    """Every judgement, in order, and why it does not count: "" if it does."""
    found, withdrawn = judgements(file), {one.judgement for one in withdrawals(file)}
    cited = {id for one in found for id in one.evidence}
    held = {id: pages.holds(file, id) for id in cited}
    return {one: doubt_of(one, withdrawn, held.__getitem__) for one in found}
