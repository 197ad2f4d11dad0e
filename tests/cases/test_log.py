"""The log: bound entry by entry, never changed, and checkable without fundtrail."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cases.case_file import Case, unanchored
from cases.log import KINDS, START, link
from cases.tables import FORMAT

DOCS = Path(__file__).parents[2] / "docs" / "case-file.md"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "my.fundtrail"
    with Case.create(path, at=1, tool="1.2.3") as case:
        for at in range(2, 8):
            case.record("note", {"text": f"note {at} \x00\ud800 ü"}, at=at)
    return path


def tampered(path: Path, *statements: str) -> list[str]:
    """What `verify` says after somebody with the file ran these on its log."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous=OFF")
        triggers = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
        for name in re.findall(r"CREATE TRIGGER (\w+)", "\n".join(triggers)):
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
        for sql in triggers:
            db.execute(sql)
        db.commit()
    with Case.open(path) as case:
        return [f"{problem.where}: {problem.text}" for problem in case.verify()]


def test_an_untouched_log_holds(path: Path) -> None:
    assert tampered(path) == []


def test_the_first_entry_tells_version_and_format(path: Path) -> None:
    with Case.open(path) as case:
        first = case.log()[0]
        assert (first.n, first.at, first.kind, first.body) == (1, 1, "opened", {"format": FORMAT, "tool": "1.2.3"})


def test_each_hash_is_that_of_the_hash_before_it_and_the_canonical_entry(path: Path) -> None:
    with Case.open(path) as case:
        previous = START
        for entry in case.log():
            assert entry.hash == link(previous, entry.text)
            previous = entry.hash
        assert case.head == previous


def test_hostile_text_survives_in_an_entry(path: Path) -> None:
    with Case.open(path) as case:
        assert case.log()[1].body == {"text": "note 2 \x00\ud800 ü"}
        assert case.log()[1].text.isascii()


@pytest.mark.parametrize("act", ["UPDATE log SET at = 9", "DELETE FROM log WHERE n = 7"])
def test_the_file_itself_refuses_to_change_or_remove_an_entry(path: Path, act: str) -> None:
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError, match="nothing in a case"):
        db.execute(act)


@pytest.mark.parametrize(
    ("act", "named"),
    [
        ("UPDATE log SET at = at + 1 WHERE n = 3", "log entry 3"),
        ("UPDATE log SET kind = 'export' WHERE n = 3", "log entry 3"),
        ("UPDATE log SET body = replace(body, 'note 3', 'note 4') WHERE n = 3", "log entry 3"),
        ("UPDATE log SET body = body || ' ' WHERE n = 3", "log entry 3"),
        ("UPDATE log SET hash = lower(hex(randomblob(32))) WHERE n = 3", "log entry 3"),
        ("UPDATE log SET hash = 'no hash' WHERE n = 3", "log entry 3"),
        ("DELETE FROM log WHERE n = 3", "log entry 4: entries 3 to 3 are missing"),
        ("DELETE FROM log WHERE n IN (1, 2)", "log entry 3: entries 1 to 2 are missing"),
        ("DELETE FROM log", "log: the log is empty"),
    ],
)
def test_any_edit_of_the_log_is_found_and_named(path: Path, act: str, named: str) -> None:
    assert any(problem.startswith(named) for problem in tampered(path, act))


def test_two_entries_that_changed_places_are_found(path: Path) -> None:
    swap = [
        "UPDATE log SET n = 99 WHERE n = 3",
        "UPDATE log SET n = 3 WHERE n = 4",
        "UPDATE log SET n = 4 WHERE n = 99",
    ]
    problems = tampered(path, *swap)
    assert any(problem.startswith("log entry 3") for problem in problems)


def test_a_cut_end_is_found_with_an_anchor_and_only_with_one(path: Path) -> None:
    with Case.open(path) as case:
        anchor = case.head
        assert case.verify(anchor) == []
    assert tampered(path, "DELETE FROM log WHERE n > 5") == []
    with Case.open(path) as case:
        (problem,) = case.verify(anchor)
        assert anchor in problem.text
        assert "cut off" in problem.text
        assert unanchored(case.head).endswith("keep it elsewhere, or a cut end cannot be seen")


def test_an_anchor_stays_good_when_the_log_goes_on(path: Path) -> None:
    with Case.open(path) as case:
        anchor = case.head
        case.record("note", {}, at=9)
        assert case.verify(anchor) == []


def test_a_log_that_was_rewritten_to_its_end_is_found_with_an_anchor(path: Path) -> None:
    with Case.open(path) as case:
        anchor, entries = case.head, case.log()
    previous, rewritten = entries[1].hash, []
    for entry in entries[2:]:
        text = entry.text.replace("note 3", "note X")
        previous = link(previous, text)
        rewritten.append(
            f"UPDATE log SET hash = '{previous}', body = replace(body, 'note 3', 'note X') WHERE n = {entry.n}"  # noqa: S608  names of our own
        )
    assert tampered(path, *rewritten) == []
    with Case.open(path) as case:
        assert [problem.where for problem in case.verify(anchor)] == ["log"]


def test_entries_of_other_kinds_cannot_be_made_up(path: Path) -> None:
    with Case.open(path) as case:
        for kind in {*KINDS, "rumour"} - {"note", "export"}:
            with pytest.raises(ValueError, match=kind):
                case.record(kind, {}, at=9)
        assert len(case.log()) == 7


def test_the_check_in_the_documentation_finds_the_head_and_an_edit(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    program = program.replace("mine.fundtrail", str(path))
    exec(program, {})  # noqa: S102  the page is ours, and what is documented is executed
    with Case.open(path) as case:
        assert capsys.readouterr().out == f"7 entries hold, head {case.head}\n"
    tampered(path, "UPDATE log SET at = at + 1 WHERE n = 3")
    with pytest.raises(AssertionError, match="entry 3"):
        exec(program, {})  # noqa: S102  the program printed in our docs
