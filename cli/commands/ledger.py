"""`ingest` and `ledger`: chain extracts, kept in a ledger folder."""

from __future__ import annotations

from pathlib import Path

import click

from cli.ending import PARTIAL
from cli.options import FILE, FOLDER, JSON, chain_named, setting
from cli.printing import emit, visible, width
from cli.progress import counting

BULK_FORMATS = ("auto", "ethereum-etl", "bitcoin-etl", "etherscan-csv", "own")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(BULK_FORMATS), default="auto", show_default=True,
              help="The files' format, if not told by their columns.")  # fmt: skip
@click.option("--out", required=True, type=FOLDER, help="The ledger folder; made if it is not there.")
@click.option("--chain", metavar="NAME", help="The chain, where the files leave it open.")
@click.option("--blocks", type=FILE, help="ethereum-etl's table of blocks, for exports without block_timestamp.")
@click.option("--decimals", multiple=True, metavar="CONTRACT=NUMBER", help="A token's decimals, for Etherscan's lists.")
@click.option("--whole", is_flag=True, help="You state that these files hold all transfers of their kind and blocks.")
@JSON
def ingest(paths: tuple[Path, ...], form: str, out: Path, chain: str | None, blocks: Path | None,
           decimals: tuple[str, ...], whole: bool, as_json: bool) -> None:  # fmt: skip
    """Take chain extracts into a ledger folder, for `trace --source ledger:FOLDER`. Ends with 3 if rows were refused.

    A file that is in the folder already adds nothing. Interrupted, the same command goes on from there.
    """
    from cases.ingesting import ingest_files
    from cases.show_ledger import show_ingested

    on = chain_named(chain)
    of = dict(setting(text) for text in decimals)
    with counting() as tell:
        told = ingest_files(paths, out, format=form, chain=on, blocks=blocks, decimals=of, whole=whole, progress=tell)
    emit(told if as_json else show_ingested(told), as_json)
    if told["rejected"] or told["contradictions"]:
        raise SystemExit(PARTIAL)


@click.group()
def ledger() -> None:
    """Look into a ledger folder that `ingest` made."""


@ledger.command("show")
@click.argument("folder", type=FOLDER)
@JSON
def ledger_show(folder: Path, as_json: bool) -> None:
    """Print what a ledger folder holds, and what it was made from."""
    from cases.ingesting import ledger_told
    from cases.show_ledger import show_ledger

    told = ledger_told(folder)
    emit(told if as_json else show_ledger(told, width=width()), as_json)


@ledger.command("verify")
@click.argument("folder", type=FOLDER)
@JSON
def ledger_verify(folder: Path, as_json: bool) -> None:
    """Read all of a ledger folder and compare it with its manifest. Ends with 1 if anything is wrong."""
    from connectors.bulk.folder import verify

    problems = list(verify(folder))
    said = [*map(visible, problems), f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"]
    emit({"problems": problems} if as_json else "\n".join(said), as_json)
    if problems:
        raise SystemExit(1)
