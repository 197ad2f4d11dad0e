"""How far a long command is, on standard error."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.printing import visible, written_over

if TYPE_CHECKING:
    from cases.investigation import Progress
    from connectors.bulk.ingest import Progress as Ingesting


def asking(quiet: bool) -> Callable[[Progress], None]:
    """One line on a terminal, written over; a line now and then elsewhere, so that a log stays readable."""
    on_terminal = sys.stderr.isatty()

    def tell(step: Progress) -> None:
        line = f"{step.requests} of at most {step.most} requests, {step.wanted} wanted; {step.address.text}"
        if on_terminal:
            written_over(line[: shutil.get_terminal_size().columns - 1])
        elif not quiet and step.requests % 25 == 0:
            click.echo(line, err=True)

    return tell


@contextmanager
def counting() -> Iterator[Callable[[Ingesting], None]]:
    """Rows read, a line for each file."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}", markup=False), TextColumn("{task.completed:,} rows", markup=False)
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
    tasks: dict[Path, Any] = {}

    with ExitStack() as stack:

        def tell(step: Ingesting) -> None:
            if not tasks:
                stack.enter_context(bar)
            if step.file not in tasks:
                tasks[step.file] = bar.add_task(visible(step.file.name), total=None)
            bar.update(tasks[step.file], completed=step.rows)

        yield tell


def sending() -> Callable[[Any], None]:
    """What is being sent, on a terminal only."""
    on_terminal = sys.stderr.isatty()

    def tell(step: Any) -> None:
        if on_terminal:
            written_over(f"{step.done:,} {step.what}")

    return tell
