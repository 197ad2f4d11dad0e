"""The tables for `neo4j-admin database import full`: loaded by the real tool, they are the graph that a push makes."""

from __future__ import annotations

import csv
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cases.case_file import Case
from cases.graph import import_tables, server
from cases.graph.access import Access
from cases.graph.contract import dump, hostile
from cases.graph.filling import fill
from cases.graph.neo4j_session import Database
from cases.graph.neo4j_store import Neo4jGraph
from cases.graph.sqlite_store import SqliteGraph
from connectors.protocol import Evidence, Page
from hostile_strings import CORPUS
from neo4j_server import PASSWORD, Server, jars, serving
from notation import address
from tracer.errors import CaseConflict, InputError
from tracer.values import Transfer

LOADED = [text for text in CORPUS if len(text) < 5_000]


@pytest.fixture
def hostile_case(answered: Path, tmp_path: Path) -> Path:
    """A case with an answer, and with hostile transfers in it too."""
    path = Path(shutil.copy(answered, tmp_path / "hostile.fundtrail"))
    with Case.open(path) as case:
        evidence = Evidence(b"hostile", "made up", "")
        with_evidence = tuple(cited(one, evidence) for one in hostile(LOADED)[0])
        case.store_page("made up", address("x"), Page(with_evidence, "", evidence, None), at=2_000_000_000)
        case.add_judgements(hostile(LOADED)[2], at=2_000_000_001)
        assert len(case.standing()) == len(LOADED) + 2
    return path


def cited(one: Transfer, evidence: Evidence) -> Transfer:
    return replace(one, evidence=(f"{evidence.id}#{one.id.tx}",))


def test_the_tables_are_for_their_owner_and_every_line_is_a_row(hostile_case: Path, tmp_path: Path) -> None:
    with Case.open(hostile_case) as case:
        told = import_tables.write(case, tmp_path / "tables", "ronin")
        with pytest.raises(CaseConflict):
            import_tables.write(case, tmp_path / "tables", "ronin")
        with pytest.raises(InputError):
            import_tables.write(case, tmp_path / "more", "../x")
    assert stat.S_IMODE((tmp_path / "tables").stat().st_mode) == 0o700
    for name in told["files"]:
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600
        text = Path(name).read_text(encoding="utf-8")
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
        assert len(rows) == text.count("\n"), "a field has a line end in it"
        assert len({len(row) for row in rows}) == 1, name
    assert told["command"][:3] == ["database", "import", "full"]


@pytest.mark.slow
def test_the_real_tool_loads_them_into_the_graph_that_a_push_makes(
    hostile_case: Path, tmp_path: Path, case_name: str
) -> None:
    embedded = SqliteGraph()
    with Case.open(hostile_case) as case:
        fill(case, embedded)
        told = import_tables.write(case, tmp_path / "tables", case_name)
    lib = jars()
    if lib is None:
        with serving(tmp_path / "none"):  # says why, and in CI fails
            return
    loaded = Server(tmp_path / "server", lib)
    loaded.admin(*told["command"])
    try:
        loaded.start()
        with Database(Access(loaded.uri, "neo4j", PASSWORD)) as database:
            graph = Neo4jGraph(database, case_name)
            assert dump(graph) == dump(embedded)
            with Case.open(hostile_case) as case:
                pairs = everything(database, case_name)
                assert server.push(case, database.access, case_name)
                assert everything(database, case_name) == pairs, "a push makes what the tables made"
                server.pull(tmp_path / "again", database.access, case_name)
    finally:
        loaded.kill()
        embedded.close()


def everything(database: Database, case: str) -> list[str]:
    """Every node and relationship of a case with all its properties, but those that only a push makes."""
    nodes = database.read("MATCH (n) WHERE NOT n:Mark AND NOT n:Archive RETURN labels(n) AS l, properties(n) AS p")
    between = database.read("MATCH (a)-[r]->(b) RETURN type(r) AS t, properties(r) AS p, a.key AS a, b.key AS b")
    return sorted(f"{sorted(row['l'])} {sorted(row['p'].items())}" for row in nodes) + sorted(
        f"{row['t']} {sorted(row['p'].items())} {row['a']} {row['b']}" for row in between
    )
