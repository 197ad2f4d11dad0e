"""Opening the graph of a case: the index beside its file, made or brought up to date first, or a server's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cases.case_file import Case
from cases.graph.filling import Fillable, Filling, fill, filled
from cases.graph.sqlite_store import SqliteGraph
from tracer.errors import CaseConflict, CaseDamaged

ENDING = ".graph"


def graph_of(path: Path | str, *, progress: Callable[[Filling], None] = lambda _: None) -> SqliteGraph:
    """The embedded graph of the case file at `path`, in NAME.graph beside it, with all that the case holds by now.

    One that is damaged, or of another case, is put aside as NAME.graph.damaged and made anew: all in it is derived.
    Where nothing can be written beside the case it is made in memory. Raises `CaseError` where the case cannot be read.
    """
    with Case.open(path) as case:
        index = case.path.with_name(case.path.name + ENDING)
        if not os.access(index.absolute().parent, os.W_OK):
            return _filled(case, SqliteGraph(), progress)
        for _ in range(2):
            graph = None
            try:
                graph = SqliteGraph(index)
                return _filled(case, graph, progress)
            except (CaseDamaged, CaseConflict):
                if graph is not None:
                    graph.close()
                case.ledger()  # if it is the case that is damaged, say so instead
                _set_aside(index)
        return _filled(case, SqliteGraph(), progress)


def _filled(case: Case, graph: SqliteGraph, progress: Callable[[Filling], None]) -> SqliteGraph:
    if head := fill(case, graph, progress=progress):
        filled(graph, head)
    return graph


def _set_aside(index: Path) -> None:
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(f"{index}{ending}")
    with suppress(FileNotFoundError):
        os.replace(index, f"{index}.damaged")


def open_store(where: str, case: str, environ: Mapping[str, str]) -> Fillable:
    """The graph at `where`: a server's (`bolt://...`, for the case of that name), else that beside a case file.

    The account comes from the environment or a keyring, never from `where`. Raises `InputError`, `CaseError`.
    """
    if "://" in where:
        from cases.graph.access import Access
        from cases.graph.neo4j_store import Neo4jGraph

        return Neo4jGraph.open(Access.of(environ, where), case)
    return graph_of(where)


__all__ = ["graph_of", "open_store"]
