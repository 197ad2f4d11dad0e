"""The program: its commands, in order."""

from __future__ import annotations

import gc

import click

from cli.commands.case import case
from cli.commands.exchange import export, import_
from cli.commands.labels import labels
from cli.commands.ledger import ingest, ledger
from cli.commands.neo4j import neo4j
from cli.commands.prices import prices
from cli.commands.sources import doctor, fetch, sources
from cli.commands.tracing import demo, trace
from cli.ending import FrontDoor


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the shell's completion script: eval "$(fundtrail completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(found(main, {}, "fundtrail", "_FUNDTRAIL_COMPLETE").source())


@click.group(
    cls=FrontDoor,
    commands=[
        demo, trace, fetch, sources, doctor, case, prices, labels, export, import_, ingest, ledger, neo4j, completion,
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
@click.version_option(package_name="fundtrail", prog_name="fundtrail")
def main() -> None:
    """Follow stolen funds to the accounts that hold them, with books that close.

    Exit codes: 0 the answer is whole, 1 it could not be done, 2 the command or a file cannot be used as given, 3 the
    answer is partial and says what hangs on it, 130 interrupted (the same command goes on from there).
    """
    gc.set_threshold(50_000)  # a ledger is very many objects and no cycles: looking for those took a sixth of a trace
