"""The tables of a case file, as SQL. Facts, claims, inferences and decisions have tables of their own."""

from __future__ import annotations

from collections.abc import Iterable

FORMAT = 3

# Rows are only ever added. `n` is the log entry that a row came with. What came from outside is kept as JSON, so that
# no byte of a hostile text is lost or acts.
_CREATE = """
CREATE TABLE log (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    hash TEXT NOT NULL) STRICT;
CREATE TABLE evidence (id TEXT PRIMARY KEY, n INTEGER NOT NULL REFERENCES log DEFERRABLE INITIALLY DEFERRED,
    source TEXT NOT NULL, request TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE pages (n INTEGER PRIMARY KEY REFERENCES log DEFERRABLE INITIALLY DEFERRED, asked TEXT NOT NULL,
    after TEXT NOT NULL, cursor TEXT NOT NULL, evidence TEXT REFERENCES evidence, request TEXT NOT NULL) STRICT;
CREATE INDEX pages_by_asked ON pages (asked);
CREATE TABLE replaced (n INTEGER PRIMARY KEY REFERENCES log DEFERRABLE INITIALLY DEFERRED, asked TEXT NOT NULL,
    above INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE transfers (hash TEXT PRIMARY KEY, tx TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX transfers_by_tx ON transfers (tx);
CREATE TABLE citations (n INTEGER NOT NULL REFERENCES pages, row INTEGER NOT NULL,
    transfer TEXT NOT NULL REFERENCES transfers, evidence TEXT NOT NULL, PRIMARY KEY (n, row)) STRICT;
CREATE INDEX citations_by_transfer ON citations (transfer);
CREATE TABLE coverage (n INTEGER PRIMARY KEY REFERENCES pages, body TEXT NOT NULL) STRICT;
CREATE TABLE problems (n INTEGER NOT NULL REFERENCES log DEFERRABLE INITIALLY DEFERRED, row INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (n, row)) STRICT;
CREATE TABLE labels (n INTEGER NOT NULL REFERENCES log DEFERRABLE INITIALLY DEFERRED, row INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (n, row)) STRICT;
CREATE TABLE prices (n INTEGER NOT NULL REFERENCES log DEFERRABLE INITIALLY DEFERRED, row INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (n, row)) STRICT;
CREATE TABLE losses (n INTEGER PRIMARY KEY REFERENCES log DEFERRABLE INITIALLY DEFERRED, name TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL) STRICT;
CREATE TABLE answers (n INTEGER PRIMARY KEY REFERENCES log DEFERRABLE INITIALLY DEFERRED, hash TEXT NOT NULL,
    inputs TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE judgements (n INTEGER NOT NULL REFERENCES log DEFERRABLE INITIALLY DEFERRED, row INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, PRIMARY KEY (n, row)) STRICT;
CREATE TABLE withdrawals (n INTEGER PRIMARY KEY REFERENCES log DEFERRABLE INITIALLY DEFERRED,
    judgement TEXT NOT NULL REFERENCES judgements (id), body TEXT NOT NULL) STRICT;
"""
#: In the order in which they refer to each other.
TABLES = (
    "log", "evidence", "pages", "replaced", "transfers", "citations", "coverage", "problems", "labels", "prices",
    "losses", "answers", "judgements", "withdrawals",
)  # fmt: skip
ADDED_IN_3 = ("judgements", "withdrawals")


def statements_for(tables: Iterable[str]) -> tuple[str, ...]:
    """What makes these tables, their indexes, and the triggers that let nobody change or remove a row."""
    wanted = tuple(tables)
    made = [statement.strip() for statement in _CREATE.split(";") if statement.strip()]
    return tuple(one for one in made if _table_of(one) in wanted) + tuple(
        f"CREATE TRIGGER {table}_keeps_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'nothing in a case is changed or removed'); END"
        for table in wanted
        for act in ("UPDATE", "DELETE")
    )


def _table_of(statement: str) -> str:
    """`CREATE TABLE name (...` or `CREATE INDEX index ON name (...`."""
    words = statement.split()
    return words[2] if words[1] == "TABLE" else words[4]


STATEMENTS = statements_for(TABLES)
#: What a file of format 2 was made of. If a table of its is ever changed, write here what it was.
STATEMENTS_OF_2 = statements_for(table for table in TABLES if table not in ADDED_IN_3)
