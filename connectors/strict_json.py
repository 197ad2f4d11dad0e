"""Reads JSON without losing a digit: what other readers round, guess or overwrite is refused here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NoReturn

from tracer.errors import BadRow

DEEPEST = 50_000  # levels: a call on the EVM may be 1,024 deep, two levels each, and a stack of 8 MB holds this many
MOST_DIGITS = 78  # 2**256 - 1 has 78


@contextmanager
def room_to_nest() -> Iterator[None]:
    """While JSON is decoded, so many levels are read and no more; everywhere else Python's own limit holds.

    A contract can nest its calls so that an answer about it goes beyond that limit.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _Inexact(str):
    """A number with a fraction or an exponent, kept as written to find the field it stands in."""


class _Refused(ValueError):
    """Why a text is refused; becomes a `BadRow` once the place is known."""


def parse_json(text: str, where: str, decimals: bool = False) -> object:
    """The value of a JSON text. Raises `BadRow`, which begins with `where`.

    Refused: NaN and Infinity, numbers with a fraction or an exponent (amounts are whole base units), whole numbers
    over 78 digits, an object that names a key twice, and nesting of more than 50,000 levels. With `decimals`
    a number with a fraction or an exponent is an exact `Decimal`, of 78 digits at most before and after the point.

    >>> parse_json('{"units": 1e18}', "a.jsonl, line 3")
    Traceback (most recent call last):
    ...
    tracer.errors.BadRow: a.jsonl, line 3: 'units' is 1e18, not a whole number
    >>> parse_json('{"value": 0.10000000}', "an answer", decimals=True)
    {'value': Decimal('0.10000000')}
    """
    try:
        with room_to_nest():
            return (_WITH_DECIMALS if decimals else _EXACT).decode(text)
    except _Refused as error:
        reason = str(error)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.pos + 1} of {len(text)}"
    except RecursionError:
        reason = "nested too deeply"
    inexact = "" if decimals else _field_of_inexact(text)
    raise BadRow(f"{where}: {inexact or reason}", "have the file written again by its source")


def _field_of_inexact(text: str) -> str:
    """Which field holds the inexact number, found on a second pass so that the first one stays fast."""
    found: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> dict[str, object]:
        for key, value in pairs:
            inner = value if isinstance(value, list) else [value]
            found.extend(
                f"{key!r:.60} is {item:.60}, not a whole number" for item in inner if isinstance(item, _Inexact)
            )
        return {}

    try:
        with room_to_nest():
            json.loads(text, parse_float=_Inexact, parse_int=_unread, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return ""
    return found[0] if found else ""


def _unread(digits: str) -> None:
    """Whole numbers do not matter on the second pass, and a long one would raise."""


def _refuse_inexact(text: str) -> NoReturn:
    raise _Refused(f"{text:.60} is not a whole number")


def _decimal(text: str) -> Decimal:
    sign, digits, exponent = Decimal(text).as_tuple() if len(text) <= 4 * MOST_DIGITS else (0, (), "long")
    if not isinstance(exponent, int) or len(digits) > MOST_DIGITS or abs(exponent) > MOST_DIGITS:
        raise _Refused(f"{text:.60} is longer than any amount")
    return Decimal((sign, digits, exponent))


def _refuse_constant(text: str) -> NoReturn:
    raise _Refused(f"{text} is not a number that can be counted")


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise _Refused(f"a number of {len(text)} digits; the longest that any chain can hold has {MOST_DIGITS}")
    return int(text)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"the key {twice!r:.60} stands twice in one object")
    return record


_EXACT = json.JSONDecoder(
    parse_float=_refuse_inexact, parse_int=_whole, parse_constant=_refuse_constant, object_pairs_hook=_unique
)
_WITH_DECIMALS = json.JSONDecoder(
    parse_float=_decimal, parse_int=_whole, parse_constant=_refuse_constant, object_pairs_hook=_unique
)
