"""What a command prints: its result on standard output, all that is said beside it on standard error."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connectors.protocol import Problem


def emit(what: Any, as_json: bool) -> None:
    """Print the result: a value as JSON, or its text for people."""
    if as_json:
        from cases.codec import canonical

        sys.stdout.write(canonical(what) + "\n")
    else:
        click.echo(what, color=True)


def say(text: str) -> None:
    """A line on standard error, in which nothing can hide."""
    click.echo(visible(text), err=True)


def warn(problems: Sequence[Problem], most: int = 10) -> None:
    """The first few of these."""
    for problem in problems[:most]:
        say(f"warning: {problem.where}: {problem.text}")
    if len(problems) > most:
        say(f"warning: and {len(problems) - most} more like these")


def visible(text: str) -> str:
    """`text` with all that would not show or would steer the terminal written out."""
    from cases.visible import visible

    return visible(text)


def width() -> int | None:
    """How wide a terminal is; None where the result goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def colour() -> bool:
    """Whether the result may be coloured."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def written_over(line: str) -> None:
    """Put `line` in the place of the last, on a terminal."""
    click.echo(f"\r\x1b[2K{line}", nl=False, err=True)


def end_of_progress() -> None:
    """Take away the line that was written over."""
    if sys.stderr.isatty():
        written_over("")


def folded(written: Iterable[Path]) -> list[Path]:
    """What was written, for a person: of raw bytes in files by the hundred only their folder."""
    return list(dict.fromkeys(path.parent if path.parent.name == "evidence" else path for path in written))
