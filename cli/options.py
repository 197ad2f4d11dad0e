"""What several commands take on their line, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tracer.values import Chain

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output, and nothing else there.")
LABELS = click.option("--labels", "label_paths", multiple=True, type=FILE, help="A label file. May be repeated.")

Option = Callable[[Any], Any]  # what click's own decorators are


def together(*options: Option) -> Option:
    """One decorator for several, which stand in the help in this order."""

    def put(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return put


def chain_named(name: str | None) -> Chain | None:
    """The chain of that name; None where none was given."""
    from tracer.values import Chain

    return Chain.named(name) if name else None


def setting(text: str, known: Any = None) -> tuple[str, int]:
    """The parts of NAME=NUMBER."""
    from tracer.errors import InputError, UnknownName

    name, _, value = text.partition("=")
    if known is not None and name not in known:
        raise UnknownName.among("setting", name, known)
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise InputError(f"{name} is {value!r:.60}", f"a whole number, for example {name}=10")
    return name, int(value)
