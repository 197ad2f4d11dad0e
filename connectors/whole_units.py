"""Amounts as people and websites write them, in whole units and with commas, turned into base units digit by digit."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.fields import text_in
from tracer.errors import BadAmount
from tracer.values import MAX_UNITS, Asset

_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?", re.ASCII)


def whole_units_in(row: Mapping[str, object], field: str, asset: Asset) -> int:
    """The amount in `field`, in whole units of `asset` as 1,234.5, in base units. Raises `BadAmount`, never rounds.

    >>> from tracer.values import Chain
    >>> whole_units_in({"Value": "1,234.5"}, "Value", Chain.named("tron").coin)
    1234500000
    """
    return whole_units(text_in(row, field), field, asset)


def whole_units(text: str, field: str, asset: Asset) -> int:
    """The same for a text that stands in `field`."""
    found = _AMOUNT.fullmatch(text)
    if not found or not (found[1] or found[2]) or len(text) > 200:
        hint = "an exponent has lost digits" if "e" in text.lower() else "for example 1,234.5"
        raise BadAmount(f"{field} is {text!r:.60}, not an amount in whole {asset}", hint)
    part = (found[2] or "").rstrip("0")
    if len(part) > asset.decimals:
        raise BadAmount(f"{field} is {text}: more decimals than {asset} has ({asset.decimals})", "nothing is rounded")
    units = int((found[1] or "0").replace(",", "") + part.ljust(asset.decimals, "0"))
    if units > MAX_UNITS:
        raise BadAmount(f"{field} is {text:.60}: more than 2**256 - 1 base units", "no chain can hold this")
    return units


__all__ = ["whole_units", "whole_units_in"]
