"""The index beside a case: made when it is asked for, brought up to date, and made anew when it is damaged."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph import questions
from cases.graph.nouns import Place
from cases.graph.opening import graph_of, open_store
from made_up import MadeUp
from notation import address
from tracer.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.fundtrail"
    with Case.create(path, at=1, tool="0") as case:
        read(case, "mule")
    return path


def read(case: Case, who: str) -> None:
    after, source = "", MadeUp()
    for at, page in enumerate(source.history(address(who)), start=10):
        case.store_page(source.name, address(who), page, at=at, after=after)
        after = page.cursor


def payers(path: Path, who: str) -> set[str]:
    graph = graph_of(path)
    found = {one.place.text for one in questions.neighbours(graph, Place.of(address(who)), out=False)}
    graph.close()
    return found


def test_it_is_made_for_its_owner_and_grows_with_the_case(path: Path) -> None:
    assert payers(path, "mule") == {address("thief").text}
    index = path.with_name("mine.fundtrail.graph")
    assert stat.S_IMODE(index.stat().st_mode) == 0o600
    assert payers(path, "bank") == set()
    with Case.open(path) as case:
        read(case, "bank")
    assert payers(path, "bank") == {address("till").text, address("cave").text}


@pytest.mark.parametrize("body", [b"", b"x" * 5000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_one_is_put_aside_and_made_anew(body: bytes, path: Path) -> None:
    before = payers(path, "mule")
    index = path.with_name("mine.fundtrail.graph")
    index.write_bytes(body)
    assert payers(path, "mule") == before
    if body:
        assert path.with_name("mine.fundtrail.graph.damaged").read_bytes() == body


def test_that_of_another_case_is_not_taken_for_it(path: Path, tmp_path: Path) -> None:
    before = payers(path, "mule")
    index = path.with_name("mine.fundtrail.graph")
    with Case.create(tmp_path / "other.fundtrail", at=2, tool="0") as other:
        read(other, "bank")
    graph_of(tmp_path / "other.fundtrail").close()
    index.write_bytes((tmp_path / "other.fundtrail.graph").read_bytes())
    assert payers(path, "mule") == before


def test_a_store_is_opened_by_where_it_is(path: Path) -> None:
    graph = open_store(str(path), "mine", {})
    assert list(graph.transfers())
    graph.close()
    with pytest.raises(InputError, match="no password"):
        open_store("bolt://127.0.0.1:1", "mine", {})
