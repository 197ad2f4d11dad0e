"""What a log entry says of the rows that came with it: derived from the rows when written, and again when verified."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cases.codec import canonical, sha256
from cases.sqlite_file import SqliteFile

Body = dict[str, Any]


def page(file: SqliteFile, n: int) -> Body:
    """One page that a source gave: what was asked, from where to where, and hashes over what came of it."""
    ((asked, after, cursor, evidence, request),) = file.rows(
        "SELECT asked, after, cursor, evidence, request FROM pages WHERE n = ?", n
    )
    chain, address, source = _value(asked)
    transfers = file.rows("SELECT transfer, evidence FROM citations WHERE n = ? ORDER BY row", n)
    coverage = file.rows("SELECT body FROM coverage WHERE n = ?", n)
    return {
        "source": source, "chain": chain, "address": address,
        "after": _value(after), "cursor": _value(cursor),
        "evidence": evidence, "request": _value(request),
        "rows": len(transfers), "transfers": rows_hash(transfers),
        "coverage": _value(coverage[0][0]) if coverage else None,
        **_with_it(file, n),
    }  # fmt: skip


def reorg(file: SqliteFile, n: int) -> Body:
    """One reorganisation: which blocks of which history no longer count."""
    ((asked, above, body),) = file.rows("SELECT asked, above, body FROM replaced WHERE n = ?", n)
    chain, address, source = _value(asked)
    return {"source": source, "chain": chain, "address": address, "above": above, **_value(body)}


def labels(file: SqliteFile, n: int) -> Body:
    """One import of labels."""
    rows = file.rows("SELECT body FROM labels WHERE n = ? ORDER BY row", n)
    return {"labels": len(rows), "hash": rows_hash(rows), **_with_it(file, n)}


def prices(file: SqliteFile, n: int) -> Body:
    """Prices pinned from one answer of a source of them."""
    rows = file.rows("SELECT body FROM prices WHERE n = ? ORDER BY row", n)
    return {"prices": len(rows), "hash": rows_hash(rows), **_with_it(file, n)}


def source(file: SqliteFile, n: int) -> Body:
    """A source that was opened, and what it said of itself."""
    return _with_it(file, n)


def loss(file: SqliteFile, n: int) -> Body:
    """One loss."""
    ((name, body),) = file.rows("SELECT name, body FROM losses WHERE n = ?", n)
    return {"name": name, "loss": _value(body)}


def judgements(file: SqliteFile, n: int) -> Body:
    """Judgements of one author or rule, added together."""
    rows = file.rows("SELECT id, body FROM judgements WHERE n = ? ORDER BY row", n)
    return {"judgements": len(rows), "hash": rows_hash(rows)}


def withdrawal(file: SqliteFile, n: int) -> Body:
    """One judgement that no longer counts."""
    ((judgement, body),) = file.rows("SELECT judgement, body FROM withdrawals WHERE n = ?", n)
    return {"judgement": judgement, **_value(body)}


def trace(file: SqliteFile, n: int) -> Body:
    """One answer as issued."""
    ((answer, inputs),) = file.rows("SELECT hash, inputs FROM answers WHERE n = ?", n)
    return {"answer": answer, "inputs": inputs}


#: Kind of entry to what it says of its rows. `opened`, `export` and `note` have no rows.
OF_KIND: dict[str, Callable[[SqliteFile, int], Body]] = {
    "page": page, "reorg": reorg, "labels": labels, "prices": prices, "source": source, "loss": loss, "trace": trace,
    "judgements": judgements, "withdrawal": withdrawal,
}  # fmt: skip
#: The tables whose every row came with one entry, and the kind of that entry.
TABLES = {
    "evidence": ("page", "labels", "prices"), "problems": ("page", "labels", "source"), "labels": ("labels",),
    "prices": ("prices",),
    "losses": ("loss",), "pages": ("page",), "replaced": ("reorg",),
    "citations": ("page",), "coverage": ("page",), "answers": ("trace",),
    "judgements": ("judgements",), "withdrawals": ("withdrawal",),
}  # fmt: skip


def rows_hash(rows: list[tuple[Any, ...]]) -> str:
    """One hash over rows of a table, in their order."""
    return sha256(canonical(rows))


def _value(text: str) -> Any:
    """The value of a JSON text of ours. Raises `ValueError` if it is not the one text of that value."""
    value = json.loads(text)
    if canonical(value) != text:
        raise ValueError("a text is not as it was written")
    return value


def _with_it(file: SqliteFile, n: int) -> Body:
    """What any reading brings: new evidence, and problems."""
    problems = file.rows("SELECT body FROM problems WHERE n = ? ORDER BY row", n)
    kept = file.rows("SELECT id, source, request FROM evidence WHERE n = ? ORDER BY id", n)
    return {
        "problems": len(problems), "problems_hash": rows_hash(problems),
        "kept": [[id, _value(source), _value(request)] for id, source, request in kept],
    }  # fmt: skip
