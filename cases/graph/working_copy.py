"""A case that lives in Neo4j, worked on like a file: pulled, used, and pushed again if anything was added."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cases.case_file import Case
from cases.graph.access import Access
from cases.graph.server import name_of, pull, push
from tracer.errors import CaseNotFound


@contextmanager
def working_copy(path: Path, access: Access, *, at: int, make: bool = False) -> Iterator[Case]:
    """The case that the database calls as `path` is named, in a private folder while it is open.

    With `make` a new one if the database has none. What was added goes back when it is closed, also when the work was
    interrupted. If somebody else has pushed the same case in the meantime, that is refused: his stays. Raises
    `CaseNotFound`, `CaseConflict`.
    """
    with tempfile.TemporaryDirectory(prefix="fundtrail-") as folder:
        local, before = Path(folder, f"{name_of(path)}.fundtrail"), ""
        try:
            before = pull(local, access)
        except CaseNotFound:
            if not make:
                raise
            Case.create(local, at=at).close()
        try:
            with Case.open(local) as case:
                yield case
        finally:
            if local.exists():  # else the case was made for nothing and taken away again
                with Case.open(local) as case:
                    if case.head != before:
                        push(case, access)


__all__ = ["working_copy"]
