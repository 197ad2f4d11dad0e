"""Somebody with the file changes one thing in it, two hundred times over: each time it is found and named."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.codec import canonical, sha256
from cases.investigation import investigate, start
from connectors.labels import LabelFile
from connectors.prices.protocol import Price, Quoted
from connectors.protocol import Evidence, Problem
from graphs.stops import StopRules
from made_up import Clock, MadeUp
from notation import ETHEREUM, address, payment
from tracer.coverage import State
from tracer.judgements import Judgement
from tracer.labels import Label, Role

TAMPERINGS = 200


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A case with every kind of row, and its head hash, which its keeper has noted down."""
    path, now = tmp_path_factory.mktemp("original") / "case", Clock()
    list_ = Evidence(b"bank,exchange", "a list", "list.csv")
    bank = Label(address("bank"), "Bank", "Bank 7", Role.EXCHANGE, "a list", None, 50, f"{list_.id}#1")
    with Case.create(path, at=now(), tool="0") as case:
        case.pin_labels(LabelFile((bank,), (Problem("no address", "row 2"),), (), list_, "own", 2), at=now())
        sources = [MadeUp(states={"mule": State.CUT, "cave": State.FAILED})]
        asked = Evidence(b"{}", "defillama:x", "GET x")
        figure = Price(ETHEREUM.coin, "USD", Decimal("1799.5"), 1, 1, "defillama:x", None, asked.id)
        case.pin_prices(Quoted((figure,), (asked,)), at=now())
        case.met("made-up:world", [Problem("line 3 cannot be read", "world, line 3")], at=now())
        start(case, str(address("thief")), chain=ETHEREUM, connectors=sources, now=now)
        investigate(case, sources, rules=StopRules(), max_requests=99, now=now)
        case.issue({"ends": [{"units": "1000"}]}, {}, at=now())
        people = [address(name) for name in ("mule", "aunt", "till", "bank")]
        case.add_judgements(
            [Judgement(*pair, "he said so", (payment(2),), 60, "A. Person", 2) for pair in pairwise(people)], at=now()
        )
        for one in case.judgements()[:2]:
            case.withdraw(one, "B. Person", "not so", at=now())
        case.record("export", {"file": "ends.csv"}, at=now())
        case.record("note", {"text": "sent to the court"}, at=now())
        assert case.verify(case.head) == []
        head = case.head
    return path, head


def edited(db: sqlite3.Connection, table: str, column: str, chance: random.Random, edit: Callable[[str], str]) -> str:
    """Edit one text of a random row; returns the old text."""
    found = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid").fetchall()  # noqa: S608  names of our own
    rowid, text = chance.choice(found)
    changed = edit(text)
    assert changed != text
    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, rowid))  # noqa: S608  names of our own
    return str(text)


def one_letter(chance: random.Random) -> Callable[[str], str]:
    def edit(text: str) -> str:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice([c for c in "0123456789abcdef" if c != text[at]]) + text[at + 1 :]

    return edit


def evidence_bit(db: sqlite3.Connection, chance: random.Random) -> str:
    id, body = chance.choice(db.execute("SELECT id, body FROM evidence ORDER BY id").fetchall())
    flipped = bytearray(body)
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    db.execute("UPDATE evidence SET body = ? WHERE id = ?", (bytes(flipped), id))
    return str(id)


def evidence_replaced(db: sqlite3.Connection, chance: random.Random) -> str:
    one, two = chance.sample(db.execute("SELECT id, body FROM evidence ORDER BY id").fetchall(), 2)
    db.execute("UPDATE evidence SET body = ? WHERE id = ?", (two[1], one[0]))
    return str(one[0])


def evidence_removed(db: sqlite3.Connection, chance: random.Random) -> str:
    (id,) = chance.choice(db.execute("SELECT id FROM evidence ORDER BY id").fetchall())
    db.execute("DELETE FROM evidence WHERE id = ?", (id,))
    return str(id)


def amount(db: sqlite3.Connection, chance: random.Random) -> str:
    """Another amount on both sides, so that the transfer still balances."""
    (key, hashed, body) = chance.choice(db.execute("SELECT id, hash, body FROM transfers ORDER BY hash").fetchall())
    units = re.findall(r'"(\d+)"\]', body)[0]
    db.execute(
        "UPDATE transfers SET body = ? WHERE hash = ?", (body.replace(f'"{units}"]', f'"{int(units) + 1}"]'), hashed)
    )
    return str(key)


def amount_and_hash(db: sqlite3.Connection, chance: random.Random) -> str:
    """A tidy forger: the transfer's own hash and what cites it are made to fit."""
    (key, hashed, body) = chance.choice(db.execute("SELECT id, hash, body FROM transfers ORDER BY hash").fetchall())
    units = re.findall(r'"(\d+)"\]', body)[0]
    body = body.replace(f'"{units}"]', f'"{int(units) + 1}"]')
    db.execute("PRAGMA foreign_keys=OFF")
    db.execute("UPDATE transfers SET body = ?, hash = ? WHERE hash = ?", (body, sha256(key + body), hashed))
    db.execute("UPDATE citations SET transfer = ? WHERE transfer = ?", (sha256(key + body), hashed))
    return "log entry"


def transfer_removed(db: sqlite3.Connection, chance: random.Random) -> str:
    (hashed,) = chance.choice(db.execute("SELECT hash FROM transfers ORDER BY hash").fetchall())
    db.execute("DELETE FROM citations WHERE transfer = ?", (hashed,))
    db.execute("DELETE FROM transfers WHERE hash = ?", (hashed,))
    return "log entry"


def transfer_added(db: sqlite3.Connection, chance: random.Random) -> str:
    (key, body) = chance.choice(db.execute("SELECT id, body FROM transfers ORDER BY hash").fetchall())
    key = canonical(["ethereum", f"0x{chance.randrange(10**9)}", "tx"])
    db.execute("INSERT INTO transfers VALUES (?, ?, ?, ?)", (sha256(key + body), "[]", key, body))
    return str(key)


def log_removed(db: sqlite3.Connection, chance: random.Random) -> str:
    (n,) = chance.choice(db.execute("SELECT n FROM log ORDER BY n").fetchall())
    db.execute("DELETE FROM log WHERE n = ?", (n,))
    return "log"


def log_cut(db: sqlite3.Connection, chance: random.Random) -> str:
    (n,) = chance.choice(db.execute("SELECT n FROM log ORDER BY n").fetchall())
    db.execute("DELETE FROM log WHERE n >= ?", (n,))
    return "log"


def log_swapped(db: sqlite3.Connection, chance: random.Random) -> str:
    one, two = chance.sample([n for (n,) in db.execute("SELECT n FROM log ORDER BY n")], 2)
    for old, new in ((one, -1), (two, one), (-1, two)):
        db.execute("UPDATE log SET n = ? WHERE n = ?", (new, old))
    return f"log entry {min(one, two)}"


def log_time(db: sqlite3.Connection, chance: random.Random) -> str:
    (n,) = chance.choice(db.execute("SELECT n FROM log ORDER BY n").fetchall())
    db.execute("UPDATE log SET at = at + 60 WHERE n = ?", (n,))
    return f"log entry {n}"


def row_removed(db: sqlite3.Connection, chance: random.Random) -> str:
    tables = "pages", "citations", "coverage", "problems", "labels", "prices", "losses", "answers", "withdrawals"
    table = chance.choice(tables)
    rowid, n = chance.choice(db.execute(f"SELECT rowid, n FROM {table} ORDER BY rowid").fetchall())  # noqa: S608  names of our own
    db.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608  names of our own
    return f"log entry {n}"


def judgement_removed(db: sqlite3.Connection, chance: random.Random) -> str:
    id, n = chance.choice(db.execute("SELECT id, n FROM judgements ORDER BY row").fetchall())
    db.execute("DELETE FROM withdrawals WHERE judgement = ?", (id,))
    db.execute("DELETE FROM judgements WHERE id = ?", (id,))
    return f"log entry {n}"


def judgement_added(db: sqlite3.Connection, chance: random.Random) -> str:
    """One more, its own hash right, with an entry that brought others, or one that brought none."""
    n, body = chance.choice(db.execute("SELECT n, body FROM judgements ORDER BY row").fetchall())
    body = body.replace('"confidence":60', f'"confidence":{chance.randrange(60)}')
    n = chance.choice((n, 1))
    db.execute("INSERT INTO judgements VALUES (?, 99, ?, ?)", (n, sha256(body), body))
    return f"log entry {n}"


def judgement_and_hash(db: sqlite3.Connection, chance: random.Random) -> str:
    """A tidy forger: surer than it was, and the hash made to fit."""
    id, n, body = chance.choice(db.execute("SELECT id, n, body FROM judgements ORDER BY row").fetchall())
    body = body.replace('"confidence":60', '"confidence":100')
    db.execute("PRAGMA foreign_keys=OFF")
    db.execute("UPDATE judgements SET body = ?, id = ? WHERE id = ?", (body, sha256(body), id))
    db.execute("UPDATE withdrawals SET judgement = ? WHERE judgement = ?", (sha256(body), id))
    return f"log entry {n}"


def withdrawal_added(db: sqlite3.Connection, chance: random.Random) -> str:
    (id,) = chance.choice(db.execute("SELECT id FROM judgements ORDER BY row").fetchall())
    db.execute('INSERT INTO withdrawals VALUES (1, ?, \'{"by":"x","why":"y"}\')', (id,))
    return "log entry 1"


def text(table: str, column: str, named: Callable[[str], str]) -> Callable[[sqlite3.Connection, random.Random], str]:
    def tamper(db: sqlite3.Connection, chance: random.Random) -> str:
        return named(edited(db, table, column, chance, one_letter(chance)))

    return tamper


ENTRY = "log entry"
WAYS: dict[str, Callable[[sqlite3.Connection, random.Random], str]] = {
    "a bit of raw bytes": evidence_bit,
    "raw bytes of another answer": evidence_replaced,
    "raw bytes removed": evidence_removed,
    "an amount": amount,
    "an amount, its hash made to fit": amount_and_hash,
    "a transfer removed": transfer_removed,
    "a transfer added": transfer_added,
    "a log entry removed": log_removed,
    "the log cut": log_cut,
    "two log entries swapped": log_swapped,
    "the time of a log entry": log_time,
    "a row removed": row_removed,
    "the name of raw bytes": text("evidence", "id", lambda old: old),
    "the source of raw bytes": text("evidence", "source", lambda _: ENTRY),
    "the request of raw bytes": text("evidence", "request", lambda _: ENTRY),
    "a transfer": text("transfers", "body", lambda _: "transfer"),
    "a transfer's transaction": text("transfers", "tx", lambda _: "transfer"),
    "a transfer's id": text("transfers", "id", lambda _: "transfer"),
    "a transfer's hash": text("transfers", "hash", lambda old: old[:0] + "transfer"),
    "who was asked": text("pages", "asked", lambda _: ENTRY),
    "the cursor before": text("pages", "after", lambda _: ENTRY),
    "the cursor behind": text("pages", "cursor", lambda _: ENTRY),
    "a request": text("pages", "request", lambda _: ENTRY),
    "a page's evidence": text("pages", "evidence", lambda _: ENTRY),
    "what is cited": text("citations", "evidence", lambda _: ENTRY),
    "coverage": text("coverage", "body", lambda _: ENTRY),
    "a problem": text("problems", "body", lambda _: ENTRY),
    "a label": text("labels", "body", lambda _: ENTRY),
    "a price": text("prices", "body", lambda _: ENTRY),
    "a loss": text("losses", "body", lambda _: ENTRY),
    "a loss's name": text("losses", "name", lambda _: ENTRY),
    "a judgement": text("judgements", "body", lambda _: "the hash it is known by"),
    "a judgement's hash": text("judgements", "id", lambda _: "the hash it is known by"),
    "a judgement, its hash made to fit": judgement_and_hash,
    "a judgement removed": judgement_removed,
    "a judgement added": judgement_added,
    "a withdrawal": text("withdrawals", "body", lambda _: ENTRY),
    "what is withdrawn": text("withdrawals", "judgement", lambda _: ENTRY),
    "a withdrawal added": withdrawal_added,
    "an answer": text("answers", "body", lambda _: "the answer of entry"),
    "an answer's hash": text("answers", "hash", lambda _: "the answer of entry"),
    "an answer's inputs": text("answers", "inputs", lambda _: ENTRY),
    "a log entry": text("log", "body", lambda _: ENTRY),
    "a log entry's kind": text("log", "kind", lambda _: ENTRY),
    "a log entry's hash": text("log", "hash", lambda _: ENTRY),
}


def tampered(original: Path, copy: Path, way: str, chance: random.Random) -> str:
    """A copy with one thing changed that way; returns what must be named."""
    shutil.copyfile(original, copy)
    with closing(sqlite3.connect(copy)) as db:
        db.execute("PRAGMA synchronous=OFF")
        triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        named = WAYS[way](db, chance)
        for _, sql in triggers:
            db.execute(sql)
        db.commit()
    return named


def test_every_one_of_200_random_tamperings_is_found_and_named(original: tuple[Path, str], tmp_path: Path) -> None:
    path, head = original
    chance, missed = random.Random(20220323), []
    for number in range(TAMPERINGS):
        way = list(WAYS)[number % len(WAYS)]
        copy = tmp_path / "copy"
        named = tampered(path, copy, way, chance)
        with Case.open(copy) as case:
            found = [f"{problem.where}: {problem.text}" for problem in case.verify(head)]
        if not any(named in problem for problem in found):
            missed.append((number, way, named, found))
    assert not missed


def test_an_untouched_copy_has_no_faults(original: tuple[Path, str], tmp_path: Path) -> None:
    path, head = original
    shutil.copyfile(path, tmp_path / "copy")
    with Case.open(tmp_path / "copy") as case:
        assert case.verify(head) == []
        assert case.verify() == []


def test_only_a_cut_end_needs_the_anchor(original: tuple[Path, str], tmp_path: Path) -> None:
    path, _ = original
    unseen = set()
    for way in WAYS:
        tampered(path, tmp_path / "copy", way, random.Random(way))
        with Case.open(tmp_path / "copy") as case:
            if not case.verify():
                unseen.add(way)
    assert unseen <= {"the log cut", "a log entry removed"}
