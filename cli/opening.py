"""The case that a command is about: how it is named on the line, where it is, and how it is opened or made."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import FILE, Option, together
from cli.printing import say

if TYPE_CHECKING:
    from cases.case_file import Case
    from cases.graph.access import Access


def _in_store(context: click.Context, _: click.Parameter, where: str | None) -> None:
    context.meta["store"] = where


STORE = click.option(
    "--store", metavar="URI", expose_value=False, callback=_in_store, is_eager=True,
    help="The case is in Neo4j there (bolt://, neo4j+s://), under its name, and not in a file.",
)  # fmt: skip
CASE_FILE = click.argument("file", type=FILE)
CASE = together(CASE_FILE, STORE)
IN_CASE = together(click.option("--case", "case_path", type=FILE, help="Look in this case."), STORE)


def case_to_fill(*, required: bool) -> Option:
    """A case that the command puts something into."""
    made = "The case file; made if it is not there."
    return together(click.option("--case", "case_path", required=required, type=FILE, help=made), STORE)


def now() -> int:
    """The moment that what is written into a case now is of."""
    return int(time.time())


def is_there(path: Path) -> bool:
    """Whether a new case need not be made; one in a database is looked for when it is opened."""
    return bool(_stored()) or path.exists()


def open_case(path: Path) -> AbstractContextManager[Case]:
    """The case, which must be there."""
    from cases.case_file import Case

    return _working_copy(path) if _stored() else Case.open(path)


def open_or_create(path: Path) -> AbstractContextManager[Case]:
    """The case, or a new one."""
    from cases.case_file import Case

    if _stored():
        return _working_copy(path, make=True)
    return Case.open(path) if path.exists() else Case.create(path, at=now())


@contextmanager
def open_to_fill(path: Path) -> Iterator[Case]:
    """The case, or a new one, which is taken away again if what was to fill it could not begin."""
    made = not is_there(path)
    with open_or_create(path) as case:
        try:
            yield case
        finally:
            if made and _is_empty(case):
                for ending in ("", "-wal", "-shm"):
                    Path(f"{case.path}{ending}").unlink(missing_ok=True)


def database(uri: str = "") -> Access:
    """The account at the database of `uri`, else of the environment."""
    from cases.graph.access import Access

    found = Access.of(os.environ, uri)
    if found.warning:
        say(f"warning: {found.warning}")
    return found


def _stored() -> str:
    """The database that the case is in, "" for a file."""
    return click.get_current_context().meta.get("store") or ""


def _working_copy(path: Path, make: bool = False) -> AbstractContextManager[Case]:
    from cases.graph.working_copy import working_copy

    return working_copy(path, database(_stored()), at=now(), make=make)


def _is_empty(case: Case) -> bool:
    """Whether it holds no question and no page."""
    return not (case.losses() or case.requests() or case.issued() or len(case.labels()) or case.judgements())
