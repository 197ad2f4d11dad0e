"""The case file: made, opened, locked and refused with a clear word, and never left half written."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cases import sqlite_file
from cases.case_file import Case
from cases.sqlite_file import APPLICATION_ID, told
from cases.tables import FORMAT
from connectors.protocol import Evidence, Page, Problem
from made_up import MadeUp
from notation import ETH, address, payment
from tracer.coverage import State
from tracer.errors import (
    CaseConflict,
    CaseDamaged,
    CaseError,
    CaseNotFound,
    CaseTooNew,
    Contradiction,
    FundtrailError,
    InputError,
)
from tracer.losses import Loss


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a case 100% #1?.fundtrail"


@pytest.fixture
def case(path: Path) -> Iterator[Case]:
    with Case.create(path, at=1, tool="0.0.1") as case:
        yield case


def store(case: Case, source: MadeUp, who: str) -> None:
    after = ""
    for at, page in enumerate(source.history(address(who)), start=10):
        case.store_page(source.name, address(who), page, at=at, after=after)
        after = page.cursor


def held(case: Case) -> tuple[object, ...]:
    """All that a case tells."""
    return [*case.ledger().transfers], [*case.coverage()], case.losses(), case.log(), case.facts_hash({})


def test_what_is_stored_is_there_when_opened_again(case: Case, path: Path) -> None:
    source = MadeUp()
    store(case, source, "mule")
    case.add_loss(Loss("mine", ETH, wallet=address("mule")), at=20)
    before = held(case)
    case.close()
    with Case.open(path) as again:
        assert held(again) == before
        assert again.verify() == []
        assert again.requests() == len(source.asked) == 3
        assert again.sources() == (source.name,)


def test_a_case_is_opened_only_where_there_is_one(tmp_path: Path) -> None:
    with pytest.raises(CaseNotFound):
        Case.open(tmp_path / "nothing")
    assert not list(tmp_path.iterdir())
    with pytest.raises(CaseError, match="not a file"):
        Case.open(tmp_path)


def test_a_case_is_never_made_over_another_file(case: Case, path: Path) -> None:
    with pytest.raises(CaseConflict, match="exists already"):
        Case.create(path, at=2)
    assert [entry.at for entry in case.log()] == [1]


def test_a_case_cannot_be_made_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot be made"):
        Case.create(tmp_path / "no" / "case", at=1)


def test_a_case_that_could_not_be_made_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: sqlite_file.SqliteFile) -> None:
        raise OSError

    monkeypatch.setattr(sqlite_file.SqliteFile, "begin_case", full)
    with pytest.raises(OSError):
        Case.create(path, at=1)
    assert not path.exists()


def test_only_the_owner_can_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with Case.create(path, at=1) as case:
            case.record("note", {}, at=2)
            files = sorted(path.parent.iterdir())
            assert [file.name.removeprefix(path.name) for file in files] == ["", "-shm", "-wal"]
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        with Case.open(path) as case:
            case.record("note", {}, at=3)
            assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_the_file_says_what_it_is_and_writes_are_on_the_disk_before_they_are_acknowledged(case: Case) -> None:
    def pragma(name: str) -> object:
        return case._file.rows(f"PRAGMA {name}")[0][0]

    assert (pragma("application_id"), pragma("user_version")) == (APPLICATION_ID, FORMAT)
    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    with Case.open(case.path) as again:
        assert again._file.rows("PRAGMA synchronous") == [(2,)]


def test_a_case_of_a_later_version_is_refused(case: Case, path: Path) -> None:
    case.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={FORMAT + 1}")
    with pytest.raises(CaseTooNew) as refused:
        Case.open(path)
    assert "newer fundtrail" in refused.value.hint


@pytest.mark.parametrize("body", [b"", b"x", b"address,amount\n" * 99, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_case_is_refused_and_left_alone(path: Path, body: bytes) -> None:
    path.write_bytes(body)
    with pytest.raises(CaseDamaged) as refused:
        Case.open(path)
    assert refused.value.hint
    assert path.read_bytes() == body


def test_another_programs_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE log (n)")
    with pytest.raises(CaseDamaged, match="not a fundtrail case"):
        Case.open(path)


@pytest.mark.parametrize(
    "act",
    [
        "DROP TABLE problems",
        "DROP TRIGGER log_keeps_delete",
        "CREATE VIEW log2 AS SELECT 1",
        "ALTER TABLE log ADD x TEXT",
    ],
)
def test_a_case_whose_tables_were_changed_is_refused(case: Case, path: Path, act: str) -> None:
    case.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(act)
    with pytest.raises(CaseDamaged, match="tables of"):
        Case.open(path)


def test_a_truncated_case_is_damaged_and_no_crash(case: Case, path: Path) -> None:
    for who in ("thief", "aunt", "till"):
        store(case, MadeUp(), who)
    case.close()
    whole = path.read_bytes()
    for kept in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:kept])
        with pytest.raises(CaseDamaged):
            looked_through(path)


def looked_through(path: Path) -> None:
    """Open and read everything; what `verify` finds is raised."""
    with Case.open(path) as case:
        for problem in case.verify():
            raise CaseDamaged(problem.text, "x")


def test_two_can_have_it_open_and_only_one_writes_at_a_time(
    case: Case, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.01)
    with Case.open(path) as other:
        with case._file.writing():
            with pytest.raises(CaseConflict, match="another program") as refused:
                other.record("note", {}, at=2)
            assert refused.value.hint
            assert len(other.log()) == 1
        other.record("note", {}, at=3)
        case.record("note", {}, at=4)
        assert [entry.at for entry in case.log()] == [entry.at for entry in other.log()] == [1, 3, 4]
        assert case.verify() == []


def test_a_full_disk_loses_nothing_and_the_case_goes_on_when_there_is_room(case: Case, path: Path) -> None:
    store(case, MadeUp(), "mule")
    before = case.head
    big = Page((), "", Evidence(os.urandom(400_000), "made-up:world", "big"), None)
    ((pages,),) = case._file.rows("PRAGMA page_count")
    case._file.rows(f"PRAGMA max_page_count={pages + 10}")
    with pytest.raises(CaseError, match="disk is full") as refused:
        case.store_page("made-up:world", address("aunt"), big, at=50)
    assert "free some space" in refused.value.hint
    assert case.head == before
    assert case.verify() == []
    case.close()
    with Case.open(path) as again:
        assert again.head == before
        again.store_page("made-up:world", address("aunt"), big, at=51)
        assert again.verify() == []


def test_a_case_that_cannot_be_written_to_can_be_read(case: Case, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(case, MadeUp(), "mule")
    head = case.head
    case.close()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Case.open(path) as again:
        assert again.head == head
        assert again.verify(head) == []
        with pytest.raises(CaseError, match="cannot be written") as refused:
            again.record("note", {}, at=2)
        assert "copy" in refused.value.hint
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_case_on_a_medium_that_cannot_be_written_can_be_read(case: Case, path: Path) -> None:
    case.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with Case.open(path) as again, pytest.raises(CaseError, match="cannot be written"):
            again.record("note", {}, at=2)
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (sqlite3.SQLITE_BUSY, CaseConflict),
        (sqlite3.SQLITE_LOCKED, CaseConflict),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, CaseConflict),
        (sqlite3.SQLITE_FULL, CaseError),
        (sqlite3.SQLITE_READONLY, CaseError),
        (sqlite3.SQLITE_READONLY_DBMOVED, CaseError),
        (sqlite3.SQLITE_PERM, CaseError),
        (sqlite3.SQLITE_CANTOPEN, CaseError),
        (sqlite3.SQLITE_IOERR, CaseError),
        (sqlite3.SQLITE_IOERR_WRITE, CaseError),
        (sqlite3.SQLITE_CORRUPT, CaseDamaged),
        (sqlite3.SQLITE_NOTADB, CaseDamaged),
    ],
)
def test_each_error_that_a_user_can_mend_says_how(code: int, error: type[CaseError]) -> None:
    raised = sqlite3.OperationalError("made up")
    raised.sqlite_errorcode = code
    with pytest.raises(error) as mapped, told(Path("my.fundtrail")):
        raise raised
    assert "my.fundtrail" in str(mapped.value)
    assert mapped.value.hint


@pytest.mark.parametrize("code", [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE])
def test_our_own_mistakes_stay_loud(code: int) -> None:
    raised = sqlite3.OperationalError("made up")
    raised.sqlite_errorcode = code
    with pytest.raises(sqlite3.OperationalError), told(Path("my.fundtrail")):
        raise raised


def test_a_page_that_is_there_already_is_not_taken_twice(case: Case) -> None:
    source = MadeUp()
    first = next(source.history(address("aunt")))
    case.store_page(source.name, address("aunt"), first, at=2)
    with pytest.raises(CaseConflict, match="in the case already"):
        case.store_page(source.name, address("aunt"), first, at=3)
    assert len(case.log()) == 2


def test_a_transfer_that_two_histories_show_is_one_with_the_evidence_of_both(case: Case) -> None:
    for who in ("thief", "mule"):
        store(case, MadeUp(), who)
    transfer = case.ledger().transfer(case.ledger().ordinal(payment(2)) or 0)
    assert len(transfer.evidence) == 2
    assert {case.evidence(cited).request.split(",")[0] for cited in transfer.evidence} == {
        str(address("thief")),
        str(address("mule")),
    }


def test_a_page_that_contradicts_the_case_is_refused_whole_and_names_both(case: Case) -> None:
    store(case, MadeUp("1 a -> b 5\n2 a -> b 6"), "a")
    before, ledger = case.head, [*case.ledger().transfers]
    liar = MadeUp("1 a -> b 5\n2 a -> b 7\n3 b -> c 1", name="made-up:liar", rows=9)
    (page,) = liar.history(address("b"))
    with pytest.raises(Contradiction) as refused:
        case.store_page(liar.name, address("b"), page, at=30)
    assert page.evidence is not None
    named = {case_evidence.partition("#")[0] for case_evidence in refused.value.evidence}
    assert page.evidence.id in named
    assert len(named) == 2
    assert (case.head, [*case.ledger().transfers]) == (before, ledger)
    with pytest.raises(CaseConflict):
        case.evidence(page.evidence.id)
    store(case, MadeUp("1 a -> b 5\n2 a -> b 6"), "b")
    assert case.verify() == []


def test_a_page_that_contradicts_itself_is_refused(case: Case) -> None:
    (one,) = MadeUp("2 a -> b 7", rows=9).history(address("b"))
    (two,) = MadeUp("2 a -> b 8", rows=9).history(address("b"))
    assert one.evidence is not None
    both = tuple(replace(told, evidence=(one.evidence.id,)) for told in one.transfers + two.transfers)
    with pytest.raises(Contradiction):
        case.store_page("made-up:world", address("b"), Page(both, "", one.evidence, one.coverage), at=3)
    assert len(case.ledger()) == 0


def test_a_page_that_puts_a_transaction_elsewhere_in_its_block_is_refused(case: Case) -> None:
    """The fee and the payment of one transaction stand at one place: seen only where both are looked at."""
    (page,) = MadeUp("2 a -> b 7 gas 1", rows=9).history(address("a"))
    paid, fee = page.transfers
    case.store_page("made-up:world", address("b"), replace(page, transfers=(paid,), coverage=None, cursor="1"), at=2)
    elsewhere = replace(page, transfers=(replace(fee, index=5),), coverage=None, cursor="1")
    with pytest.raises(Contradiction):
        case.store_page("made-up:world", address("a"), elsewhere, at=3)
    assert len(case.ledger()) == 1


def test_a_transfer_at_no_known_position_is_refused(case: Case) -> None:
    (page,) = MadeUp("2 a -> b 7", rows=9).history(address("a"))
    (paid,) = page.transfers
    odd = replace(page, transfers=(replace(paid, id=replace(paid.id, position="~")),))
    with pytest.raises(InputError, match="no such position"):
        case.store_page("made-up:world", address("a"), odd, at=3)
    assert len(case.ledger()) == 0


def test_what_cites_evidence_that_was_not_given_is_refused(case: Case) -> None:
    page = next(MadeUp().history(address("aunt")))
    with pytest.raises(CaseConflict, match="cited but was not given"):
        case.store_page("made-up:world", address("aunt"), Page(page.transfers, "", None, None), at=3)
    assert len(case.log()) == 1


def test_the_same_bytes_as_two_answers_are_kept_once_and_logged_twice(case: Case) -> None:
    nothing = Evidence(b"No transactions found", "made-up:world", "x")
    for who in ("a", "b"):
        case.store_page("made-up:world", address(who), Page((), "", nothing, None), at=3)
    assert case._file.rows("SELECT count(*) FROM evidence") == [(1,)]
    assert [entry.body["evidence"] for entry in case.log()[1:]] == [nothing.id] * 2
    assert case.verify() == []


def test_the_log_tells_of_each_page_what_was_asked_and_what_came(case: Case) -> None:
    store(case, MadeUp(states={"mule": State.CUT}), "mule")
    told = [entry.body for entry in case.log()[1:]]
    assert [(body["source"], body["address"]) for body in told] == [("made-up:world", str(address("mule")))] * 3
    assert [(body["after"], body["cursor"]) for body in told] == [("", "1"), ("1", "2"), ("2", "")]
    assert [body["rows"] for body in told] == [2, 2, 1]
    assert [body["coverage"] and body["coverage"]["state"] for body in told] == [None, None, "cut"]
    assert [body["problems"] for body in told] == [0, 0, 1]


def test_a_history_read_in_part_is_cut_and_goes_on_at_its_cursor(case: Case) -> None:
    source = MadeUp()
    assert case.cursor(source.name, address("thief")) == ""
    pages = source.history(address("thief"))
    case.store_page(source.name, address("thief"), next(pages), at=2)
    case.store_page(source.name, address("thief"), next(pages), at=3, after="1")
    assert case.cursor(source.name, address("thief")) == "2"
    known = case.coverage().of(address("thief"))
    assert (known.state, known.rows, known.last) == (State.CUT, 4, None)
    assert "after page 2" in known.reason
    assert case.answers() == []
    for at, page in enumerate(pages, start=2):
        case.store_page(source.name, address("thief"), page, at=4, after=str(at))
    assert case.coverage().of(address("thief")).state is State.READ
    assert [answered for answered, _ in case.answers(address("thief"))] == [source.name]


def test_what_a_source_says_of_itself_is_kept_once(case: Case) -> None:
    told = [Problem("line 3 cannot be read", "line 3"), Problem("line 4 cannot be read", "line 4")]
    case.met("made-up:world", told[:1], at=2)
    case.met("made-up:world", told, at=3)
    case.met("made-up:world", told, at=4)
    case.met("made-up:world", [], at=5)
    assert case.problems() == told
    assert [(entry.at, entry.kind, entry.body.get("source")) for entry in case.log()[1:]] == [
        (2, "source", "made-up:world"),
        (3, "source", "made-up:world"),
    ]
    assert case.verify() == []


def test_the_same_loss_twice_is_one_and_two_of_one_wallet_are_refused(case: Case) -> None:
    loss = Loss("a", ETH, wallet=address("thief"))
    case.add_loss(loss, at=2)
    case.add_loss(loss, at=3)
    case.add_loss(Loss("b", ETH, paid=payment(1)), at=4)
    assert [known.name for known in case.losses()] == ["a", "b"]
    with pytest.raises(CaseConflict, match="same wallet"):
        case.add_loss(Loss("c", ETH, wallet=address("thief"), units=5), at=5)
    with pytest.raises(CaseConflict, match="another loss named a"):
        case.add_loss(Loss("a", ETH, wallet=address("mule")), at=5)
    assert [entry.at for entry in case.log()] == [1, 2, 4]


def test_an_answer_is_kept_as_given_and_the_same_again_is_not_a_second_one(case: Case) -> None:
    first = case.issue({"ends": [], "lost": "5"}, {"hops": 12}, at=5)
    assert case.issue({"lost": "5", "ends": []}, {"hops": 12}, at=6) == first
    assert first.text == '{"ends":[],"lost":"5"}'
    other = case.issue({"lost": "5", "ends": []}, {"hops": 13}, at=7)
    assert (other.hash, other.inputs == first.inputs) == (first.hash, False)
    store(case, MadeUp(), "mule")
    assert case.issue({"lost": "5", "ends": []}, {"hops": 13}, at=8).inputs not in (first.inputs, other.inputs)
    assert [issued.at for issued in case.issued()] == [5, 7, 8]
    assert case.verify() == []


def test_the_hash_of_the_facts_does_not_depend_on_the_order_of_reading(tmp_path: Path) -> None:
    hashes = set()
    for number, order in enumerate((("thief", "mule", "aunt"), ("aunt", "thief", "mule"))):
        with Case.create(tmp_path / str(number), at=1) as case:
            for who in order:
                store(case, MadeUp(), who)
            hashes.add(case.facts_hash({}))
    assert len(hashes) == 1


def test_every_row_of_every_table_stays(case: Case) -> None:
    store(case, MadeUp(states={"mule": State.CUT}), "mule")
    case.add_loss(Loss("a", ETH, wallet=address("thief")), at=2)
    case.issue({}, {}, at=3)
    for table in ("log", "evidence", "pages", "transfers", "citations", "coverage", "problems", "losses", "answers"):
        ((column,), *_) = case._file.rows("SELECT name FROM pragma_table_info(?)", table)
        for act in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):  # noqa: S608
            with pytest.raises(sqlite3.IntegrityError, match="nothing in a case"), case._file.writing():
                case._file.write(act, [()])
    with pytest.raises(sqlite3.IntegrityError, match="nothing in a case"), case._file.writing():
        case._file.write("INSERT OR REPLACE INTO log SELECT * FROM log", [()])


def test_no_bit_of_the_file_can_flip_into_an_error_that_says_nothing(case: Case, path: Path) -> None:
    for who in ("thief", "aunt"):
        store(case, MadeUp(), who)
    case.close()
    whole = bytearray(path.read_bytes())
    told = []
    for place in range(0, len(whole), len(whole) // 97):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            looked_through(path)
            with Case.open(path) as again:
                again.ledger()
        except FundtrailError as error:
            told.append(error.hint)
    assert all(told)
    assert len(told) > 20  # the others fell into free space
