"""The log of a case: what was done and when, each entry bound by a hash to all before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cases.codec import canonical, readable
from cases.sqlite_file import SqliteFile
from connectors.protocol import Problem

START = "0" * 64  # what the first entry is bound to
KINDS = (
    "opened", "source", "loss", "labels", "prices", "page", "reorg", "trace", "judgements", "withdrawal", "export",
    "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `at` is UTC seconds as the caller's clock said; `hash` binds it to all before it."""

    n: int
    at: int
    kind: str
    body: dict[str, Any]
    hash: str

    @property
    def text(self) -> str:
        """The canonical text that is hashed."""
        return canonical({"n": self.n, "at": self.at, "kind": self.kind, "body": self.body})


def link(previous: str, text: str) -> str:
    """The hash of an entry: sha256 over the hash before it (32 bytes) and its canonical text.

    >>> link(START, '{"at":0,"body":{},"kind":"note","n":1}')[:16]
    '7190a9e576c87e28'
    """
    return hashlib.sha256(bytes.fromhex(previous) + text.encode()).hexdigest()


def append(file: SqliteFile, n: int, at: int, kind: str, body: dict[str, Any]) -> Entry:
    """Add the `n`-th entry, inside `file.writing()`."""
    if kind not in KINDS:
        raise ValueError(f"no kind of entry is named {kind!r}")
    entry = Entry(n, at, kind, body, "")
    hashed = link(head(file), entry.text)
    file.write("INSERT INTO log VALUES (?, ?, ?, ?, ?)", [(n, at, kind, canonical(body), hashed)])
    return Entry(n, at, kind, body, hashed)


def next_number(file: SqliteFile) -> int:
    """The number of the entry to come."""
    ((last,),) = file.rows("SELECT coalesce(max(n), 0) FROM log")
    return int(last) + 1


def head(file: SqliteFile) -> str:
    """The newest hash: it stands for the whole log, and through it for the whole case."""
    newest = file.rows("SELECT hash FROM log ORDER BY n DESC LIMIT 1")
    return str(newest[0][0]) if newest else START


def entries(file: SqliteFile) -> Iterator[Entry]:
    """The log from its beginning. Raises `CaseDamaged` at an entry that cannot be read."""
    for n, at, kind, body, hashed in file.rows("SELECT n, at, kind, body, hash FROM log ORDER BY n"):
        with readable(f"log entry {n}"):
            yield Entry(n, at, kind, json.loads(body), hashed)


def broken(file: SqliteFile, anchor: str = "") -> Iterator[Problem]:
    """Where the chain does not hold. `anchor` is a head hash kept elsewhere: it must be in the log."""
    previous, expected, seen = START, 1, set()
    for n, at, kind, body, hashed in file.rows("SELECT n, at, kind, body, hash FROM log ORDER BY n"):
        where = f"log entry {n}"
        if n != expected:
            yield Problem(f"entries {expected} to {n - 1} are missing", where)
        # The text as stored, not as parsed: two texts of one value must not both pass.
        text = f'{{"at":{at},"body":{body},"kind":{canonical(kind)},"n":{n}}}'
        try:
            fits = link(previous, text) == hashed
        except ValueError:
            fits = False
        if not fits:
            yield Problem("it does not fit the entry before it: one of the two was changed", where)
        seen.add(hashed)
        previous, expected = hashed, n + 1
    if expected == 1:
        yield Problem("the log is empty", "log")
    if anchor and anchor not in seen:
        yield Problem(f"no entry has the hash {anchor}: the end of the log was cut off or rewritten", "log")
