"""A case of an earlier format becomes one of this; a copy of it stays, and no kill in the middle loses anything."""

from __future__ import annotations

import gzip
import hashlib
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from cases import migrations, tables
from cases.answering_again import doubt_about
from cases.case_file import Case
from cases.codec import canonical
from cases.graph.archive import Piece, pieces_of, restore
from cases.hops import hops_of
from cases.migrations import Step
from cases.tracing import latest, retraced
from made_up import MadeUp
from notation import address
from tracer.errors import CaseDamaged, CaseError, CaseTooNew
from tracer.judgements import Judgement

FIRST = tables.STATEMENTS
MADE_UP = "CREATE TABLE made_up (n INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT"
NOTES = "INSERT INTO made_up SELECT n, body FROM log"
ROOT = Path(__file__).parents[2]
KILLS = 12


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A case of the first format with some pages in it."""
    path = tmp_path / "mine.fundtrail"
    with Case.create(path, at=1, tool="0") as case:
        after, source = "", MadeUp()
        for at, page in enumerate(source.history(address("mule")), start=10):
            case.store_page(source.name, address("mule"), page, at=at, after=after)
            after = page.cursor
    return path


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose format is one higher: one more table, filled from another."""
    next_format(monkeypatch, (MADE_UP, NOTES))


def next_format(monkeypatch: pytest.MonkeyPatch, changes: tuple[str, ...]) -> None:
    monkeypatch.setattr(tables, "FORMAT", tables.FORMAT + 1)
    monkeypatch.setattr(tables, "STATEMENTS", (*FIRST, MADE_UP))
    monkeypatch.setitem(migrations.STEPS, tables.FORMAT - 1, Step(frozenset(FIRST), changes))


def held(path: Path) -> tuple[object, ...]:
    with Case.open(path) as case:
        assert case.verify() == []
        return list(map(repr, case.ledger().transfers)), case.head, [one.hash for one in case.log()]


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        ((found,),) = db.execute("PRAGMA user_version")
        return int(found)


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob("mine.fundtrail.format-*"))


def test_an_earlier_case_is_brought_up_and_nothing_is_lost(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, old = held(path), version(path)
    next_format(monkeypatch, (MADE_UP, NOTES))
    assert held(path) == before
    assert version(path) == old + 1
    with closing(sqlite3.connect(path)) as db:
        assert (
            db.execute("SELECT count(*) FROM made_up").fetchone() == db.execute("SELECT count(*) FROM log").fetchone()
        )
    assert held(path) == before, "opened again, nothing more is done"
    (copy,) = copies(path)
    assert version(copy) == old
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    monkeypatch.undo()
    assert held(copy) == before, "the copy is the case as it was"


def test_the_earlier_program_refuses_what_the_later_one_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    next_format(monkeypatch, (MADE_UP, NOTES))
    held(path)
    monkeypatch.undo()
    with pytest.raises(CaseTooNew):
        Case.open(path)


@pytest.mark.parametrize(
    "changes", [(MADE_UP, "INSERT INTO nothing VALUES (1)"), (NOTES,), ("DROP TABLE answers", MADE_UP),
                (MADE_UP, "DELETE FROM transfers")],
)  # fmt: skip
def test_a_step_that_fails_leaves_the_case_as_it_was(
    changes: tuple[str, ...], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old = held(path), version(path)
    with monkeypatch.context() as patch:
        next_format(patch, changes)
        with pytest.raises((CaseError, sqlite3.Error)):
            Case.open(path)
    assert version(path) == old
    assert held(path) == before


def test_a_file_whose_tables_were_changed_is_not_brought_up(path: Path, second: None) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE stray (x)")
    with pytest.raises(CaseDamaged):
        Case.open(path)
    assert not copies(path)


def test_a_format_that_nobody_knows_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "FORMAT", tables.FORMAT + 2)
    with pytest.raises(CaseDamaged, match="does not know"):
        Case.open(path)


def test_a_case_that_cannot_be_written_is_not_changed(
    path: Path, second: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cases.sqlite_file.os.access", lambda *_: False)
    with pytest.raises(CaseError, match="must be brought"):
        Case.open(path)


def test_no_copy_no_change(path: Path, second: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cases.migrations.tempfile.mkstemp", full)
    with pytest.raises(CaseError, match="cannot be copied"):
        Case.open(path)
    assert version(path) == tables.FORMAT - 1


def test_an_earlier_copy_of_another_state_is_not_replaced(path: Path, second: None) -> None:
    other = path.with_name(f"{path.name}.format-{tables.FORMAT - 1}")
    other.write_bytes(b"somebody's")
    held(path)
    assert other.read_bytes() == b"somebody's"
    assert len(copies(path)) == 2


@pytest.fixture
def of_format_2(tmp_path: Path) -> Path:
    """A real file of format 2, made by the last program that wrote it."""
    path = tmp_path / "old.fundtrail"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "data" / "format-2.fundtrail.gz").read_bytes()))
    return path


def test_a_real_case_of_format_2_becomes_one_that_holds_judgements(of_format_2: Path) -> None:
    assert version(of_format_2) == 2
    with closing(sqlite3.connect(of_format_2)) as db:
        ((answer, head, entries),) = db.execute(
            "SELECT answers.body, log.hash, log.n FROM answers, log ORDER BY log.n DESC LIMIT 1"
        )
    with Case.open(of_format_2) as case:
        assert case.verify(anchor=head) == []
        assert (case.head, len(case.log())) == (head, entries), "it became one without an entry"
        assert (case.judgements(), case.withdrawals()) == ((), ())
        assert canonical(latest(case)) == answer
        assert doubt_about(case, latest(case), hops_of(latest(case), retraced(case, latest(case)))) == ""
        case.add_judgements([one := Judgement(address("mule"), address("aunt"), "r", (), 9, "me", 0)], at=9)
        case.withdraw(one, "me", "no", at=9)
        assert case.verify(anchor=head) == []
    assert version(of_format_2) == 3
    (copy,) = of_format_2.parent.glob("old.fundtrail.format-*")
    assert version(copy) == 2


def test_a_case_of_format_2_whose_tables_were_changed_is_not_brought_up(of_format_2: Path) -> None:
    with closing(sqlite3.connect(of_format_2)) as db:
        db.execute("DROP TRIGGER losses_keeps_update")
    with pytest.raises(CaseDamaged, match="does not have the tables of format 2"):
        Case.open(of_format_2)
    assert version(of_format_2) == 2


def test_what_a_database_holds_of_format_2_is_pulled_and_nothing_is_lost(of_format_2: Path) -> None:
    """Its archive has no pieces of the tables that came later."""
    again = of_format_2.with_name("again.fundtrail")
    with Case.open(of_format_2) as case:
        head, later = case.head, ("judgements", "withdrawals")
        pieces = [piece for piece in pieces_of(of_format_2) if piece.part not in later]
        told = canonical({"format": 2, "tables": [table for table in tables.TABLES if table not in later]}).encode()
        first = Piece("format", 0, hashlib.sha256(told).hexdigest(), zlib.compress(told))
        restore(again, [first, *pieces[1:]], head)
        with Case.open(again) as restored:
            assert restored.verify(anchor=head) == []
            assert [one.text for one in restored.issued()] == [one.text for one in case.issued()]


CHILD = """
import sys, time
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from cases import migrations, tables
from cases.case_file import Case
old = tables.STATEMENTS
made = {made!r}
slow = tuple(f"INSERT INTO made_up SELECT n + {{k}} * 100000, body FROM log" for k in range(1, 400))
tables.FORMAT += 1
tables.STATEMENTS = (*old, made)
migrations.STEPS[tables.FORMAT - 1] = migrations.Step(frozenset(old), (made, *slow))
print("ready", flush=True)
Case.open(Path(sys.argv[1])).close()
print("done", flush=True)
"""


@pytest.mark.slow
def test_kill_9_at_any_moment_of_it_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, old = held(path), version(path)
    original = path.read_bytes()
    chance, longest, midway = random.Random(4), 0.0, 0
    for number in range(KILLS + 1):
        for copy in copies(path):
            copy.unlink()
        for ending in ("-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        path.write_bytes(original)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD.format(made=MADE_UP), str(path), str(ROOT)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        began = time.monotonic()
        if number:  # the first may finish: it tells how long it takes
            time.sleep(chance.uniform(0, longest))
            child.send_signal(signal.SIGKILL)
        told, _ = child.communicate(timeout=60)
        longest = longest or time.monotonic() - began
        midway += "done" not in told
        found = version(path)
        assert found in (old, old + 1)
        if found == old:
            assert held(path) == before
        else:
            (copy,) = copies(path)
            assert held(copy) == before
            with closing(sqlite3.connect(path)) as db:
                assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                ((kept, entries),) = db.execute("SELECT (SELECT count(*) FROM made_up), (SELECT count(*) FROM log)")
                assert kept == 399 * entries
    assert midway, "the kills came too late to test anything"
