"""A case in a notebook: data frames whose figures are Python integers, and a graph whose values are text."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.case_file import Case
from cases.exporting.contents import Contents
from cases.exporting.frames import frames
from cases.exporting.names import safe_name
from cases.exporting.reading_back import sheets_of
from cases.tracing import Question, latest, trace
from hostile_strings import CORPUS
from made_up import Clock, MadeUp
from notation import ETHEREUM, payment
from told_contents import BYTES, EDGES, hostile_contents, paid, texts_in, token


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frames") / "a.fundtrail"
    with Case.create(path, at=1) as case:
        trace(case, Question(payment(1).tx, ETHEREUM), [MadeUp()], now=Clock())
    return path


def test_every_column_is_of_objects_and_every_figure_a_python_integer(path: Path) -> None:
    with Case.open(path) as case:
        found = case.to_pandas()
    assert {"transfers", "legs", "labels", "losses", "coverage", "ends", "hops", "books"} <= set(found)
    for frame in found.values():
        assert {str(kind) for kind in frame.dtypes} <= {"object"}
        for column in frame.columns:
            assert {type(value) for value in frame[column]} <= {int, str, type(None)}
    assert {type(value) for value in found["transfers"]["units"]} == {int}
    assert found["ends"].attrs["statement"] == "inference"
    assert found["transfers"].attrs["statement"] == "fact"


def test_sums_groups_and_joins_of_the_widest_amounts_are_exact() -> None:
    told = Contents(tuple(paid(number, token("T"), units) for number, units in enumerate(EDGES)), (BYTES,))
    transfers = frames(told)["transfers"]
    assert list(transfers["units"]) == list(EDGES)
    assert transfers["units"].sum() == sum(EDGES)
    assert list(transfers.groupby("chain")["units"].sum()) == [sum(EDGES)]
    joined = transfers.merge(frames(told)["legs"], on="report")
    assert joined["units_x"].sum() == 2 * sum(EDGES)
    assert transfers.sort_values("units")["units"].iloc[-1] == 2**256 - 1


def test_books_in_a_data_frame_close(path: Path) -> None:
    with Case.open(path) as case:
        books = case.to_pandas()["books"]
    assert (books["lost"] == books["ends"] + books["held"] + books["fees"] + books["not_followed"]).all()


def test_hostile_names_are_in_a_data_frame_as_they_are() -> None:
    told = hostile_contents(texts_in(CORPUS))
    assert list(frames(told)["labels"]["entity"]) == [label.entity for label in told.labels]
    found = frames(told)
    assert {sheet.name: len(sheet.rows) for sheet in sheets_of(told)} == {name: len(one) for name, one in found.items()}


def test_the_graph_has_what_is_recorded_and_what_is_traced(path: Path) -> None:
    with Case.open(path) as case:
        graph, given = case.to_networkx(), latest(case)
    told = [told for _, _, told in graph.edges(data=True)]
    assert {one["statement"] for one in told} == {"fact", "inference"}
    ends = {f"ethereum:{end['address']}" for end in given["ends"] if end["address"]}
    assert ends <= set(graph)
    assert all(isinstance(value, str) for one in told for value in one.values())


def test_a_case_without_a_trace_has_facts_and_no_inferences(tmp_path: Path) -> None:
    with Case.create(tmp_path / "b.fundtrail", at=1) as case:
        assert "ends" not in case.to_pandas()
        assert len(case.to_networkx()) == 0


RESERVED = [
    f"{name}{ending}" for name in ("CON", "nul", "COM1", "lpt9", "aux", "PRN") for ending in ("", ".txt", ".a.b")
]
TRAVERSALS = [
    "../x",
    "..\\x",
    "/etc/x",
    "C:\\x",
    "a:b",
    "x/../../y",
    "~root",
    ".hidden",
    "x.",
    "x ",
    "x...",
    "-rf",
    "",
    ".",
    "..",
]


@pytest.mark.parametrize("text", [*RESERVED, *TRAVERSALS, "Straße", "x" * 300])
def test_a_name_made_of_a_case_is_safe_on_every_system(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name) <= 90
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert name[0] not in ".-"
    assert name[-1] not in ". "
    assert name.partition(".")[0].lower() not in ("con", "prn", "aux", "nul", "com1", "lpt9")


def test_every_hostile_text_makes_a_safe_name() -> None:
    for text in CORPUS:
        assert safe_name(text).strip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
        assert ".." not in safe_name(text).split("/")
