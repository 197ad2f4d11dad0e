"""A case fills a graph in pieces, goes on where it was cut, and a changed archive is never taken for the case."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph import filling, questions
from cases.graph.archive import Piece, pieces_of, restore
from cases.graph.contract import dump
from cases.graph.filling import Filling, fill, filled
from cases.graph.nouns import Place
from cases.graph.sqlite_store import SqliteGraph
from cases.tracing import latest
from tracer.errors import CaseConflict, CaseDamaged, CaseError
from tracer.judgements import Judgement
from tracer.values import Address, Chain

EXPLOITER = Address(Chain.named("ethereum"), "0x098b716b8aaf21512996dc57eb0615e2383e2f96")

ONE = Judgement(EXPLOITER, Address(Chain.named("bsc"), EXPLOITER.text), "one key", (), 80, "A. Person", 0)
OTHER = Judgement(EXPLOITER, Address(Chain.named("polygon"), EXPLOITER.text), "one key", (), 80, "A. Person", 0)


@pytest.fixture(scope="module")
def ronin(ronin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's case with judgements of owners, one of them withdrawn."""
    path = Path(shutil.copy(ronin, tmp_path_factory.mktemp("judged")))
    with Case.open(path) as case:
        case.add_judgements([ONE, OTHER], at=1_900_000_000)
        case.withdraw(OTHER, "B. Person", "not so", at=1_900_000_001)
    return path


@pytest.fixture(params=["answered", pytest.param("ronin", marks=pytest.mark.slow)])
def path(request: pytest.FixtureRequest) -> Path:
    """The small case file; where there is time for it, also the demo's of 6,000 transfers."""
    found: Path = request.getfixturevalue(request.param)
    return found


def test_the_graph_holds_what_the_case_and_its_answer_hold(ronin: Path) -> None:
    graph = SqliteGraph()
    with Case.open(ronin) as case:
        assert fill(case, graph)
        assert sorted(map(repr, graph.transfers())) == sorted(map(repr, case.ledger().transfers))
        assert sorted(map(repr, graph.labels())) == sorted(map(repr, case.labels()))
        assert list(graph.judgements()) == [ONE], "what was withdrawn is in the case, and not drawn"
        assert [one.members for one in graph.clusters()] == [tuple(sorted((ONE.left, ONE.right)))]
        given = latest(case)
    ((_, id),) = graph.traces()
    trace = graph.trace(id)
    assert trace.flows
    assert [dict(end.stolen) for end in trace.ends] == [
        {rule: int(units) for rule, units in end["basis_amounts"].items()} for end in given["ends"]
    ]
    rule = given["rules"][0]
    end = next(e for e in trace.ends if e.place.kind == "address" and dict(e.units)[rule])
    way = questions.way_of(graph, id, trace.losses[0], end.place, rule)
    assert way[-1][0].target == end.place
    assert all(one.target == two.source for (one, _), (two, _) in pairwise(way))
    assert questions.neighbours(graph, Place.of(EXPLOITER), out=True)
    graph.close()


def test_filling_again_does_nothing_once_it_is_filled(path: Path) -> None:
    graph = SqliteGraph()
    with Case.open(path) as case:
        filled(graph, fill(case, graph))
        assert not fill(case, graph)
    graph.close()


def test_a_withdrawal_takes_the_judgement_and_its_cluster_out_of_the_graph(ronin: Path, tmp_path: Path) -> None:
    graph = SqliteGraph()
    with Case.open(shutil.copy(ronin, tmp_path / "a.fundtrail")) as case:
        filled(graph, fill(case, graph))
        case.withdraw(ONE, "B. Person", "nor this", at=1_900_000_002)
        assert fill(case, graph)
    assert not list(graph.judgements())
    assert not list(graph.clusters())
    graph.close()


def test_what_was_filled_from_a_case_of_an_earlier_format_is_filled_again(ronin: Path) -> None:
    """Its head did not change with its format, and what was sent of it has no tables of judgements."""
    graph = SqliteGraph()
    with Case.open(ronin) as case:
        fill(case, graph)
        graph.mark("head", case.head)
        assert fill(case, graph)
    graph.close()


def test_filling_goes_on_where_it_was_cut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "PIECE", 4 if path.name.startswith("answered") else 10)
    monkeypatch.setattr(filling, "BETWEEN_MARKS", 1)
    whole, graph, seen = SqliteGraph(), SqliteGraph(), list[int]()

    def cut(step: Filling) -> None:
        if step.what == "transfers":
            seen.append(step.done)
            if len(seen) in (3, 5):
                raise KeyboardInterrupt

    with Case.open(path) as case:
        fill(case, whole)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                fill(case, graph, progress=cut)
        fill(case, graph, progress=cut)
        assert seen[:-1] == sorted(set(seen[:-1])), "what was marked as done is done again"
    assert dump(graph) == dump(whole)
    whole.close()
    graph.close()


def test_a_store_that_holds_another_case_is_refused(path: Path, tmp_path: Path) -> None:
    graph = SqliteGraph()
    with Case.open(path) as case, Case.create(tmp_path / "other", at=1) as other:
        fill(case, graph)
        with pytest.raises(CaseConflict):
            fill(other, graph)
    graph.close()


def test_an_archive_makes_the_same_case(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.graph.archive.PIECE", 4_000)
    pieces = list(pieces_of(path))
    assert len(pieces) > 20
    with Case.open(path) as case:
        restore(tmp_path / "again", pieces, case.head)
        with Case.open(tmp_path / "again") as again:
            assert again.head == case.head
            assert latest(again) == latest(case)
    assert list(pieces_of(tmp_path / "again")) == pieces


def changed(pieces: list[Piece], how: str) -> list[Piece]:
    """The pieces with something wrong."""
    middle = len(pieces) // 2
    match how:
        case "a piece is missing":
            return pieces[:middle] + pieces[middle + 1 :]
        case "two changed places":
            return [*pieces[:middle], pieces[middle + 1], pieces[middle], *pieces[middle + 2 :]]
        case "the end is missing":
            return pieces[:-1]
        case "bytes changed":
            broken = replace(pieces[middle], body=pieces[middle].body[:-1] + b"x")
            return [*pieces[:middle], broken, *pieces[middle + 1 :]]
        case "a hash changed":
            return [*pieces[:middle], replace(pieces[middle], hash="0" * 64), *pieces[middle + 1 :]]
        case "a table of another name":
            return [*pieces, replace(pieces[-1], part="sqlite_master")]
    return []


@pytest.mark.parametrize(
    "how",
    ["a piece is missing", "two changed places", "the end is missing", "bytes changed", "a hash changed",
     "a table of another name", "nothing is there"],
)  # fmt: skip
def test_a_changed_archive_makes_no_case(how: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.graph.archive.PIECE", 4_000)
    with Case.open(path) as case:
        head = case.head
    with pytest.raises(CaseError):
        restore(tmp_path / "again", changed(list(pieces_of(path)), how), head)
    assert not list(tmp_path.iterdir())


def test_an_older_head_is_not_taken_for_the_newest(path: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseDamaged):
        restore(tmp_path / "again", pieces_of(path), "0" * 64)
