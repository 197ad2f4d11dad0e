"""A case and a Neo4j server: pushed, pulled back into a new case file, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases.case_file import Case
from cases.graph import schema, statements
from cases.graph.access import Access
from cases.graph.archive import Piece, pieces_of, restore
from cases.graph.batching import batches
from cases.graph.filling import Filling, fill, filled
from cases.graph.neo4j_session import Database
from cases.graph.neo4j_store import Neo4jGraph
from cases.tables import TABLES
from tracer.errors import CaseNotFound

TOGETHER = 8  # pieces of the case file in one transaction, each at most 1 MB


@dataclass(frozen=True, slots=True)
class Status:
    """What a database holds of a case. `same` is true where all of the case as it is now is there."""

    name: str
    there: bool
    same: bool
    head: str
    pushing: bool
    places: int
    transfers: int
    traces: int
    judgements: int
    clusters: int


def name_of(path: Path) -> str:
    """What a case is called in a database unless a name is given: its file's, without the ending."""
    return path.stem


def push(
    case: Case, access: Access, name: str = "", *, progress: Callable[[Filling], None] = lambda _: None
) -> bool:  # fmt: skip
    """Write all of `case`, with its evidence, to the database; False if it was there already.

    Interrupted anywhere, the same again goes on; sent twice, nothing is there twice.
    """
    graph = Neo4jGraph.open(access, name or name_of(case.path))
    try:
        head = fill(case, graph, progress=progress)
        if not head:
            return False
        _archive(case.path, graph, progress)
        filled(graph, head)
        return True
    finally:
        graph.close()


def _archive(path: Path, graph: Neo4jGraph, progress: Callable[[Filling], None]) -> None:
    """Send the pieces of the case file that are not there yet."""
    told = graph.database.read(statements.ARCHIVED, case=graph.case)
    there = {(row["part"], row["n"]): row["hash"] for row in told}
    for batch in batches(enumerate(pieces_of(path), start=1), TOGETHER):
        rows = [_archive_row(graph.case, one) for _, one in batch if there.get((one.part, one.n)) != one.hash]
        if rows:
            graph.database.write([(statements.ARCHIVE, rows)])
        for done, _ in batch:
            progress(Filling("pieces of the case file", done))


def _archive_row(case: str, piece: Piece) -> dict[str, Any]:
    id = _piece_id(case, piece.part, piece.n)
    props = {"id": id, "case": case, "part": piece.part, "n": piece.n, "hash": piece.hash, "body": piece.body}
    return {"id": id, "props": props}


def pull(path: Path, access: Access, name: str = "") -> str:
    """A new case file at `path` from what the database holds; its head hash. Raises `CaseNotFound`, `CaseConflict`."""
    graph = Neo4jGraph.open(access, name or name_of(path))
    try:
        head = graph.marked("head")
        if not head:
            known = ", ".join(row["name"] for row in graph.database.read(statements.CASES)) or "none"
            raise CaseNotFound(f"the database holds no whole case {graph.case}", f"those it holds: {known:.300}")
        restore(path, _pieces(graph), head)
        return head
    finally:
        graph.close()


def _pieces(graph: Neo4jGraph) -> Iterator[Piece]:
    order = {part: at for at, part in enumerate(("format", *TABLES))}
    told = graph.database.read(statements.ARCHIVED, case=graph.case)
    for row in sorted(told, key=lambda row: (order.get(row["part"], -1), row["n"])):
        id = _piece_id(graph.case, row["part"], row["n"])
        (found,) = graph.database.read(statements.ARCHIVE_PIECE, id=id)
        yield Piece(row["part"], row["n"], found["hash"], bytes(found["body"]))


def _piece_id(case: str, part: str, n: int) -> str:
    return f"{case}|{part}|{n}"


def status(case: Case | None, access: Access, name: str) -> Status:
    """What the database holds of the case of that name, compared with `case`. Changes nothing there."""
    with Database(access) as database:
        if schema.missing(database):
            return Status(name, False, False, "", False, 0, 0, 0, 0, 0)
        marks = {
            mark: (found[0]["value"] if found else "")
            for mark in ("head", "filling")
            for found in [database.read(statements.MARKED, id=f"{name}|{mark}")]
        }
        counts = database.read(statements.COUNTS, case=name)[0]
        same = bool(case and marks["head"] == case.head)
        pushing = bool(marks["filling"]) and marks["filling"] != marks["head"]
        there = bool(marks["head"] or marks["filling"])
        return Status(name, there, same, marks["head"], pushing, counts["places"], counts["transfers"],
                      counts["traces"], counts["judgements"], counts["clusters"])  # fmt: skip
