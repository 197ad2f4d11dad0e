"""Reads one field of a row: text of a file or a provider to a value, or an error that names the field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from connectors.protocol import Problem
from tracer.addresses import parse, parse_tx
from tracer.errors import BadAddress, BadAmount, BadRow, FundtrailError
from tracer.values import Address, Chain, Family, units_of

EARLIEST = 1230940800  # 2009-01-03, the day of Bitcoin's first block
LATEST = 4102444800  # 2100-01-01: there is no clock here, and a typing error is mostly further away than that
_MOST = 2**63 - 1  # what an integer column of the usual databases holds

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(Z|\+00:00)?", re.ASCII)
_GENESIS = re.compile(r"GENESIS_(?:0x)?([0-9a-f]{40})", re.IGNORECASE)


def text_in(row: Mapping[str, object], field: str, default: str | None = None) -> str:
    """The text in `field`; a whole number counts as its digits. A missing one is `default`, or an error."""
    value = row.get(field)
    if value is None:
        if default is None:
            raise BadRow(f"{field} is missing")
        return default
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        raise BadRow(f"{field} is {type(value).__name__}, not text")
    # JSON can spell half a character (a lone surrogate); no file or database would take it from us later.
    return value if value.isascii() else value.encode(errors="replace").decode()


def number_in(
    row: Mapping[str, object], field: str, default: int | None = None, least: int = 0, most: int = _MOST
) -> int:
    """The whole number in `field`, between `least` and `most`; an empty one is `default`, or an error.

    >>> number_in({"block": "14442778"}, "block")
    14442778
    """
    text = text_in(row, field, "" if default is not None else None)
    if not text and default is not None:
        return default
    digits = text.removeprefix("-") if least < 0 else text
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 19:
        raise BadRow(f"{field} is {text!r:.60}, not a whole number", "digits only")
    if not least <= int(text) <= most:
        raise BadRow(f"{field} is {text}, outside {least} .. {most}")
    return int(text)


def units_in(row: Mapping[str, object], field: str) -> int:
    """The base units in `field`. Raises `BadAmount` naming the field."""
    try:
        return units_of(text_in(row, field))
    except BadAmount as error:
        raise BadAmount(f"{field}: {error}", error.hint) from None


def moment_in(row: Mapping[str, object], field: str, default: int | None = None) -> int:
    """The time in `field`, as UTC seconds: whole seconds since 1970, or ISO-8601 with Z. 2009-01-03 to 2100 only.

    >>> moment_in({"time": "2022-03-23T13:29:09Z"}, "time")
    1648042149
    >>> moment_in({"time": "2022-03-23T13:29:09"}, "time")
    Traceback (most recent call last):
    ...
    tracer.errors.BadRow: time is '2022-03-23T13:29:09', which does not say in which time zone
    """
    text = text_in(row, field, "" if default is not None else None)
    if not text and default is not None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 20:
        seconds = int(text)
    elif iso := _MOMENT.fullmatch(text):
        if iso[3] is None:
            raise BadRow(
                f"{field} is {text!r}, which does not say in which time zone", "write it in UTC, with Z at the end"
            )
        try:
            seconds = int(datetime.fromisoformat(f"{iso[1]}T{iso[2]}").replace(tzinfo=UTC).timestamp())
        except ValueError:
            raise BadRow(f"{field} is {text!r}, which no calendar has") from None
    else:
        raise BadRow(f"{field} is {text!r:.60}, not a time", "2022-03-23T13:29:09Z, or whole seconds since 1970")
    if not EARLIEST <= seconds < LATEST:
        thousandth = EARLIEST <= seconds // 1000 < LATEST
        hint = (
            "these look like milliseconds: divide by 1000" if thousandth else "no chain we read is that old or that new"
        )
        raise BadRow(f"{field} is {text}, outside 2009-01-03 .. 2100-01-01", hint)
    return seconds


def address_in(row: Mapping[str, object], field: str, chain: Chain) -> Address:
    """The address in `field`. Raises `BadAddress` naming the field."""
    try:
        return address(text_in(row, field), chain)
    except BadAddress as error:
        raise BadAddress(f"{field}: {error}", error.hint) from None


def transaction_in(row: Mapping[str, object], field: str, chain: Chain) -> str:
    """The transaction in `field`: a hash, or on EVM chains `GENESIS_` and the address, as Etherscan names block 0's."""
    text = text_in(row, field)
    if chain.family is Family.EVM and (genesis := _GENESIS.fullmatch(text)):
        return "GENESIS_" + genesis[1].lower()
    return parse_tx(text, chain)


@lru_cache(maxsize=1 << 16)  # a file names the same few addresses over and over, and a checksum costs a hash
def address(text: str, chain: Chain) -> Address:
    """`tracer.addresses.parse`, remembered."""
    return parse(text, chain)


def only(row: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse fields we do not know: a mistyped name must not become a silently missing value."""
    if unknown := sorted(set(row) - set(known)):
        raise BadRow(f"no field is named {unknown[0]!r:.60}", f"known: {', '.join(known)}")


def plain(text: object, most: int = 200) -> str:
    """Foreign words made fit to print: on one line, without control characters, cut to `most` characters.

    >>> plain("<html>\\n  Bad\\x1b[31m gateway</html>")
    '<html> Bad?[31m gateway</html>'
    """
    line = " ".join(str(text)[: most * 4].split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= most else line[: most - 1] + "…"


def problem_of(error: FundtrailError, where: str) -> Problem:
    """The error as a problem of the row at `where`, hint included."""
    text = str(error).removeprefix(f"{where}: ")
    return Problem(f"{text} ({error.hint})" if error.hint else text, where)
