"""`prices`: what units cost."""

from __future__ import annotations

from pathlib import Path

import click

from cli.ending import PARTIAL
from cli.network import PREVIEW, say_who_learns, show_preview
from cli.opening import CASE, now, open_case
from cli.options import JSON
from cli.printing import emit, visible, warn


@click.group()
def prices() -> None:
    """What a unit cost, to stand beside amounts: nothing is ever counted with it."""


@prices.command("fetch")
@CASE
@click.option("--from", "where", required=True, metavar="KIND:WHERE",
              help="Who tells the prices: defillama, coingecko, or csv:PATH for a file of your own.")  # fmt: skip
@PREVIEW
@JSON
def prices_fetch(file: Path, where: str, preview: bool, as_json: bool) -> None:
    """Pin to the case what the assets of the latest answer's ends cost when stolen value last came there.

    Whoever tells the prices learns of which assets and moments, and no address of a wallet. `case values` shows what
    follows. Ends with 3 if there is none for some.
    """
    from cases.pricing import pin_prices_for
    from cases.show_parts import counted
    from cases.tracing import latest
    from connectors.prices.opening import open_prices

    source = open_prices(where)
    if preview:
        show_preview([source], as_json)
        return
    with open_case(file) as opened:
        given = latest(opened)
        say_who_learns([source], "of which assets and moments the prices are asked for")
        quoted = pin_prices_for(opened, source, given, at=now())
    warn(quoted.problems)
    told = {"source": source.name, "currency": source.currency, "prices": len(quoted.prices),
            "without": [{"text": one.text, "where": one.where} for one in quoted.problems]}  # fmt: skip
    line = f"{source.name}, in {source.currency}: {counted(len(quoted.prices), 'price', 'prices')} pinned to the case"
    emit(told if as_json else visible(line), as_json)
    if quoted.problems:
        raise SystemExit(PARTIAL)
