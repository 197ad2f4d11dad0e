"""What a case file holds besides answers, as a person reads it: its log, and claims about addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cases.log import Entry
from cases.table import table
from cases.visible import visible
from tracer.labels import Label

_BODY = 100  # characters of an entry's body; all of it: --json


def show_log(entries: Iterable[Entry], *, width: int | None = None) -> str:
    """The log, an entry a row, oldest first."""
    rows = [
        [str(e.n), _when(e.at), e.kind, visible(json.dumps(e.body, sort_keys=True), _BODY), e.hash[:16]]
        for e in entries
    ]
    return table(["n", "when", "what", "about", "hash"], rows, 0, width, colour=False)


def show_labels(labels: Iterable[Label], *, width: int | None = None) -> str:
    """Claims, one a row, the deciding one about an address first; says so where there is none."""
    rows = [
        [
            x.address.text,
            x.address.chain.name,
            x.role.value,
            x.entity,
            x.name,
            str(x.confidence),
            str(x.seen or ""),
            x.source,
        ]
        for x in labels
    ]
    headings = ["address", "chain", "role", "entity", "name", "sure", "seen", "who says so"]
    return table(headings, rows, 0, width, colour=False) if rows else "no claim about it was read"


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def show_rows(rows: Sequence[Mapping[str, Any]], *, width: int | None = None) -> str:
    """The rows that a query gave, under its own headings; lists are joined."""
    if not rows:
        return "nothing was found"
    cells = [[", ".join(map(str, x)) if isinstance(x, list) else str(x) for x in row.values()] for row in rows]
    return table(list(rows[0]), cells, 0, width, colour=False)
