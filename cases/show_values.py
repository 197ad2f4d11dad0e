"""What ends were worth, as a person reads it: each figure with its price, whose it is, and of when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from cases.show_parts import section
from cases.table import table, wrapped
from tracer.lots import Rule

_CENTS = Context(prec=400, rounding=ROUND_HALF_EVEN)


def show_values(values: Mapping[str, Any], *, width: int | None = None, colour: bool = False) -> str:
    """The text of what `cases.pricing.priced` computed: ends with a value, then how many have none, and why.

    Rounded to hundredths here; the exact figures are in the data.
    """
    valued = [row for row in values["ends"] if row["value"]]
    rules = [rule for rule in Rule if rule in values["totals"]]
    rows = [
        [
            row["address"] or row["holding"] or "", row["asset"], row["price"], _day(row["price_time"]),
            row["price_source"], *(_rounded(row["value"][rule]) for rule in rules),
        ]
        for row in valued
    ]  # fmt: skip
    if rows:
        rows.append(["of the ends above", "", "", "", "", *(_rounded(values["totals"][rule]) for rule in rules)])
    lines = wrapped(f"In {values['currency']}, rounded to hundredths. {values['note'].capitalize()}.", width)
    if rows:
        headings = ["address", "asset", "price", "of (UTC)", "by", *rules]
        lines.append(table(headings, rows, len(rules), width, colour=colour))
    without: dict[str, int] = {}
    for row in values["ends"]:
        if not row["value"]:
            without[row["why_not"]] = without.get(row["why_not"], 0) + 1
    for why, count in without.items():
        lines += wrapped(f"Without a value: {count} of {len(values['ends'])} ends: {why}.", width)
    return section("What it was worth (for orientation)", lines, width, colour)


def _rounded(text: str) -> str:
    return f"{Decimal(text).quantize(Decimal('0.01'), context=_CENTS):,f}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


__all__ = ["show_values"]
