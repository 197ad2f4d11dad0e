"""What was read of one address, and what sources there are, as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cases.table import table, wrapped
from cases.visible import visible
from tracer.values import shown


def show_fetch(told: Mapping[str, Any], *, width: int | None = None, colour: bool = False) -> str:
    """Per source how far it was read and what it cannot show, then the balances beside the sums."""
    rows = [
        [
            one["source"],
            one["state"],
            _blocks(one),
            ", ".join(one["missing"]) or "none",
            one["reason"],
            f"{one['rows']:,}",
            f"{one['new']:,}",
        ]
        for one in told["sources"]
    ]
    headings = ["source", "state", "blocks", "cannot show", "why not complete", "rows", "new"]
    lines = [f"{told['chain']} {told['address']}: {told['transfers']:,} transfers in the case", ""]
    lines.append(table(headings, rows, 2, width, colour=colour))
    balances = [[one["source"], *_balance(balance)] for one in told["sources"] for balance in one["balances"]]
    if balances:
        headings = ["source", "asset", "at block", "stated", "sum of what was read", "unexplained"]
        lines += ["", table(headings, balances, 4, width, colour=colour)]
    for one in told["sources"]:
        if one["final"] is not None and one["last"] is not None and one["last"] > one["final"]:
            text = f"blocks {one['final'] + 1} to {one['last']} of {visible(one['source'])} were not final when read"
            lines += wrapped(
                f"{text}: the chain may still replace them. The same command reads on and verifies them", width
            )
        if one["once"] and not one["complete"]:
            text = f"{visible(one['source'])} was read into this case before, and is not read again"
            lines += wrapped(f"{text}: if it has changed since, fetch it into a new case", width)
        for problem in one["problems"]:
            if problem["text"] == one["reason"]:
                continue  # it stands in the table
            where = f"{visible(problem['where'])}: " if problem["where"] else ""
            lines += wrapped(f"problem: {where}{visible(problem['text'])}", width)
    return "\n".join(lines)


def _blocks(one: Mapping[str, Any]) -> str:
    if one["last"] is not None:
        return f"{one['first']} to {one['last']}"
    if one["as_of"] and one["state"] in ("read", "empty"):
        return f"all, {datetime.fromtimestamp(one['as_of'], UTC):%Y-%m-%d %H:%M} UTC"
    return "not told"


def _balance(one: Mapping[str, Any]) -> list[str]:
    stated, counted, residue = (shown(int(one[key]), one["decimals"]) for key in ("stated", "counted", "residue"))
    return [one["symbol"] or one["asset"], str(one["block"]), stated, counted, residue]


def show_sources(told: Sequence[Mapping[str, Any]], *, width: int | None = None, colour: bool = False) -> str:
    """The kinds of source, what each reads, and how the live ones are configured; keys are never shown."""
    rows = [[one["kind"], one["where"], one["reads"], one["base"], one["key"], one["limit"]] for one in told]
    headings = ["kind", "what to write after it", "reads", "base address", "key", "limit"]
    return table(headings, rows, 0, width, colour=colour)


def show_checks(told: Sequence[Mapping[str, Any]], *, width: int | None = None, colour: bool = False) -> str:
    """The doctor's findings: what was looked at, how it is, and what to do."""
    rows = [[one["what"], one["state"], one["found"], one["hint"]] for one in told]
    return table(["what", "state", "found", "what to do"], rows, 0, width, colour=colour)
