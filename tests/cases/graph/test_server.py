"""A case goes to a real server and comes back the same, to the byte, wherever the push was cut."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph import server as neo4j
from cases.graph.access import Access
from cases.graph.contract import JUDGEMENTS, dump
from cases.graph.filling import Filling, fill
from cases.graph.neo4j_session import Database
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
        fill(case, embedded, judgements=JUDGEMENTS)
        neo4j.push(case, access, case_name, judgements=JUDGEMENTS)
    assert dump(Neo4jGraph(database, case_name)) == dump(embedded)
    embedded.close()


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
