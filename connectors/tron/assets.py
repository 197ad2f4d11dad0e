"""Tron's assets: the coin, TRC-10 by its number, TRC-20 by its contract."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.fields import address, text_in, units_in
from tracer.errors import BadRow, FundtrailError
from tracer.values import Asset, Chain

TRON = Chain.named("tron")
TRX = TRON.coin
NOBODY = address("0x" + "0" * 40, TRON)  # T9yD14...: what contracts name when they issue or burn
WTRX = "TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR"  # tells what it issues and burns by events of its own
_ID = re.compile(r"1\d{6}", re.ASCII)  # TRC-10 tokens are numbered from 1000001 on
_MOST_DECIMALS = 255

#: Symbol and decimals by contract, as sources claim them: for people, and no part of what an asset is.
Claims = dict[str, tuple[str, int]]


def trc10(text: str, claims: Claims) -> Asset:
    """The TRC-10 token of that number; nodes write it as hex of its digits. Its number stands as `contract`.

    Before 2019 tokens were called by names, which were not unique: such a row names no asset. Raises `BadRow`.

    >>> trc10("31303032303030", {}).name
    'tron/1002000'
    """
    number = text
    if not _ID.fullmatch(text):
        try:
            number = bytes.fromhex(text).decode("ascii")
        except ValueError:
            number = ""
    if not _ID.fullmatch(number):
        raise BadRow(
            f"asset_name is {text!r:.60}", "a TRC-10 token without its number cannot be told from its namesakes"
        )
    symbol, decimals = claims.get(number, ("", 0))
    return Asset(TRON, number, symbol, decimals)


def trc20(contract: str, claims: Claims) -> Asset:
    """The token of that contract (`T...`)."""
    symbol, decimals = claims.get(contract, ("", 0))
    return Asset(TRON, contract, symbol, decimals)


def claimed(record: object, symbol: str, decimals: str) -> tuple[str, int] | None:
    """What a record claims as a token's symbol and decimals; None where it cannot be read, which does no harm."""
    if not isinstance(record, Mapping):
        return None
    try:
        # A contract may claim any number of decimals; it must not be able to spoil a whole answer with a silly one.
        number = min(units_in(record, decimals), _MOST_DECIMALS) if record.get(decimals) is not None else 0
        return text_in(record, symbol, ""), number
    except FundtrailError:
        return None


__all__ = ["NOBODY", "TRON", "TRX", "WTRX", "Claims", "claimed", "trc10", "trc20"]
