"""A case goes to a real server and comes back the same, to the byte, wherever the push was cut."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cases.case_file import Case
from cases.graph import server as neo4j
from cases.graph.access import Access
from cases.graph.contract import dump
from cases.graph.filling import Filling, fill
from cases.graph.neo4j_session import Database, Step
from cases.graph.neo4j_store import Neo4jGraph
from cases.graph.sqlite_store import SqliteGraph
from cases.tracing import latest
from tracer.errors import CaseConflict, CaseNotFound

pytestmark = pytest.mark.slow


def test_the_ronin_case_is_pushed_and_comes_back_to_the_byte(
    ronin: Path, access: Access, case_name: str, tmp_path: Path
) -> None:
    with Case.open(ronin) as case:
        began = time.monotonic()
        assert neo4j.push(case, access, case_name)
        took = time.monotonic() - began
        assert neo4j.status(case, access, case_name).same
        assert not neo4j.push(case, access, case_name), "the second push has nothing to do"
        head = neo4j.pull(tmp_path / "again.fundtrail", access, case_name)
        with Case.open(tmp_path / "again.fundtrail") as again:
            assert again.head == head == case.head
            assert [one.text for one in again.issued()] == [one.text for one in case.issued()]
            assert latest(again) == latest(case)
            assert again.verify(anchor=case.head) == []
    print(f"the Ronin case: pushed in {took:.2f} s")  # noqa: T201  the measured figure, shown with -s


def test_the_graph_of_a_case_is_the_same_in_both_stores(
    answered: Path, access: Access, database: Database, case_name: str
) -> None:
    embedded = SqliteGraph()
    with Case.open(answered) as case:
        fill(case, embedded)
        neo4j.push(case, access, case_name)
        assert list(embedded.judgements()) == sorted(case.standing())
        assert [one.members for one in embedded.clusters()] == [one.members for one in case.clusters()] != []
    assert dump(Neo4jGraph(database, case_name)) == dump(embedded)
    embedded.close()


def test_judgements_come_back_with_the_case_and_only_those_that_count_are_drawn(
    answered: Path, access: Access, database: Database, case_name: str, tmp_path: Path
) -> None:
    path = Path(shutil.copy(answered, tmp_path / "mine.fundtrail"))
    with Case.open(path) as case:
        neo4j.push(case, access, case_name)
        status = neo4j.status(case, access, case_name)
        assert (status.judgements, status.clusters) == (len(case.standing()), len(case.clusters())) == (2, 1)
        neo4j.pull(tmp_path / "again.fundtrail", access, case_name)
        with Case.open(tmp_path / "again.fundtrail") as again:
            assert again.doubts() == case.doubts()
            assert again.withdrawals() == case.withdrawals()
            assert again.clusters() == case.clusters()
            assert [one.text for one in again.issued()] == [one.text for one in case.issued()]
            assert latest(again) == latest(case)
        graph = Neo4jGraph(database, case_name)
        case.withdraw(case.standing()[0], "B. Person", "nor this", at=1_900_000_009)
        assert neo4j.push(case, access, case_name)
        assert list(graph.judgements()) == list(case.standing())
        assert [one.members for one in graph.clusters()] == [one.members for one in case.clusters()]
        assert neo4j.status(case, access, case_name).judgements == 1


def test_a_case_pushed_by_the_program_before_is_pushed_again_and_can_be_pulled(
    answered: Path, access: Access, database: Database, case_name: str, tmp_path: Path
) -> None:
    with Case.open(answered) as case:
        neo4j.push(case, access, case_name)
        database.change("MATCH (m:Mark {id: $id}) DELETE m", id=f"{case_name}|format")
        assert neo4j.push(case, access, case_name), "the head is the same, the format was not"
        assert not neo4j.push(case, access, case_name)
        neo4j.pull(tmp_path / "again.fundtrail", access, case_name)


def test_a_push_that_is_cut_goes_on_and_ends_the_same(
    answered: Path, access: Access, database: Database, case_name: str, tmp_path: Path
) -> None:
    seen = list[Filling]()

    def cut(step: Filling) -> None:
        seen.append(step)
        if step.what == "pieces of the case file" and step.done == 3:
            raise KeyboardInterrupt

    with Case.open(answered) as case:
        with pytest.raises(KeyboardInterrupt):
            neo4j.push(case, access, case_name, progress=cut)
        assert neo4j.status(case, access, case_name).pushing
        with pytest.raises(CaseNotFound):
            neo4j.pull(tmp_path / "early.fundtrail", access, case_name)
        first = [step.done for step in seen if step.what == "transfers"]
        again = list[Filling]()
        assert neo4j.push(case, access, case_name, progress=again.append)
        assert first
        assert not [step for step in again if step.what == "transfers"], "transfers that are there are sent again"
        neo4j.pull(tmp_path / "late.fundtrail", access, case_name)


def test_another_case_does_not_take_a_name_that_is_taken(
    answered: Path, access: Access, case_name: str, tmp_path: Path
) -> None:
    with Case.open(answered) as case:
        neo4j.push(case, access, case_name)
    with Case.create(tmp_path / "other.fundtrail", at=5) as other, pytest.raises(CaseConflict):
        neo4j.push(other, access, case_name)


def test_pulling_does_not_replace_a_file(answered: Path, access: Access, case_name: str, tmp_path: Path) -> None:
    with Case.open(answered) as case:
        neo4j.push(case, access, case_name)
    (tmp_path / "mine.fundtrail").write_text("mine")
    with pytest.raises(CaseConflict):
        neo4j.pull(tmp_path / "mine.fundtrail", access, case_name)
    assert (tmp_path / "mine.fundtrail").read_text() == "mine"


def test_a_case_that_grew_is_pushed_further(access: Access, case_name: str, tmp_path: Path) -> None:
    with Case.create(tmp_path / "grows.fundtrail", at=5) as case:
        neo4j.push(case, access, case_name)
        case.record("note", {"text": "more"}, at=6)
        assert not neo4j.status(case, access, case_name).same
        assert neo4j.push(case, access, case_name)
        neo4j.pull(tmp_path / "again.fundtrail", access, case_name)
        with Case.open(tmp_path / "again.fundtrail") as again:
            assert again.head == case.head


def test_after_a_note_only_what_is_new_goes_over_the_wire(
    answered: Path, access: Access, database: Database, case_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = list[str]()
    written = Database.write

    def watched(self: Database, steps: Sequence[Step], **values: Any) -> None:
        sent.extend(row["id"] for _, rows in steps for row in rows if "props" in row)
        written(self, steps, **values)

    shutil.copy(answered, tmp_path / "mine.fundtrail")
    with Case.open(tmp_path / "mine.fundtrail") as case:
        neo4j.push(case, access, case_name)
        before = dump(Neo4jGraph(database, case_name))
        case.record("note", {"text": "the victim called"}, at=9)
        monkeypatch.setattr(Database, "write", watched)
        assert neo4j.push(case, access, case_name)
        assert f"{case_name}|log|0" in sent, "the piece of the case file that the note is in"
        assert not [one for one in sent if one.startswith(f"{case_name}|ethereum:")]
        assert not [one for one in sent if case.issued()[0].hash in one]
    assert dump(Neo4jGraph(database, case_name)) == before
    neo4j.pull(tmp_path / "again.fundtrail", access, case_name)
