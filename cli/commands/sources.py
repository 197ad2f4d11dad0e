"""Where histories come from: `fetch`, `sources` and `doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.ending import PARTIAL
from cli.network import PREVIEW, RECORDED, SOURCES, open_sources, say_who_learns, show_preview
from cli.opening import case_to_fill, now, open_to_fill
from cli.options import JSON, chain_named
from cli.printing import colour, emit, end_of_progress, width
from cli.progress import asking


@click.command()
@click.argument("address")
@SOURCES
@case_to_fill(required=False)
@click.option("--chain", metavar="NAME", help="The chain, where ADDRESS and the sources leave it open.")
@click.option("--max-requests", type=click.IntRange(min=1), default=1_000, show_default=True,
              help="The most pages to ask for in this run; the same command goes on from there.")  # fmt: skip
@PREVIEW
@RECORDED
@JSON
def fetch(address: str, sources: tuple[str, ...], case_path: Path | None, chain: str | None, max_requests: int,
          preview: bool, record: Path | None, replay: Path | None, as_json: bool) -> None:  # fmt: skip
    """Read the history of ADDRESS into a case, whole, or what is new since it was read last.

    Says of each source how far it reads, what it cannot show, and whether what was read adds up to the balance. Ends
    with 3 where no source gave all of it.
    """
    from cases.fetching import fetch as read_whole
    from cases.show_fetch import show_fetch
    from cases.starting import wallet_of

    if not sources:
        raise click.UsageError("no source to read from: give --source KIND:WHERE; fundtrail sources lists the kinds")
    if not (case_path or preview):
        raise click.UsageError("nowhere to keep it: give --case FILE")
    on = chain_named(chain)
    connectors = open_sources(sources, on, record, replay)
    if preview or case_path is None:
        show_preview(connectors, as_json, replay)
        return
    meant = wallet_of(address, on, connectors)
    say_who_learns(connectors, "the addresses asked about", replay)
    with open_to_fill(case_path) as opened:
        told = read_whole(opened, connectors, meant, max_requests=max_requests, now=now, progress=asking(as_json))
    end_of_progress()
    emit(told if as_json else show_fetch(told, width=width(), colour=colour()), as_json)
    if not told["complete"]:
        raise SystemExit(PARTIAL)


@click.command()
@JSON
def sources(as_json: bool) -> None:
    """List the kinds of source, what each reads, and what is configured for it. Asks nobody; shows no key."""
    from cases.health import sources_told
    from cases.show_fetch import show_sources
    from connectors.settings import Settings

    told = sources_told(Settings.load())
    emit(told if as_json else show_sources(told, width=width(), colour=colour()), as_json)


@click.command()
@SOURCES
@click.option("--chain", metavar="NAME", help="The chain, where a source leaves it open.")
@JSON
def doctor(sources: tuple[str, ...], chain: str | None, as_json: bool) -> None:
    """Check what fundtrail needs on this machine, and ask each --source for its newest block, and nothing else.

    Ends with 1 if anything that is needed fails.
    """
    from cases.health import checks
    from cases.show_fetch import show_checks
    from connectors.http.network import Network
    from connectors.settings import Settings

    settings = Settings.load()
    told = list(checks(settings, sources, Network(settings), chain_named(chain)))
    emit(told if as_json else show_checks(told, width=width(), colour=colour()), as_json)
    if any(one["state"] == "fails" for one in told):
        raise SystemExit(1)
