"""docs/cli.md is what the commands say of themselves; `make docs` writes it anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def sections(command: click.Command, name: str, above: click.Context | None = None) -> Iterator[str]:
    """The command's help, then that of the commands under it, in alphabetical order."""
    context = click.Context(command, above, name, terminal_width=100, **command.context_settings)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    for name, inner in sorted(command.commands.items() if isinstance(command, click.Group) else ()):
        if not inner.hidden:
            yield from sections(inner, name, context)


def reference() -> str:
    """The whole page."""
    import cli

    head = "# Commands\n\nWritten by `make docs` from the commands themselves, and compared with them by the tests.\n"
    return "\n".join([head, *sections(cli.main, "fundtrail")])


def test_the_command_reference_is_up_to_date() -> None:
    if os.environ.get("FUNDTRAIL_WRITE_DOCS") == "1":
        PAGE.write_text(reference(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference(), "the commands changed: make docs"
