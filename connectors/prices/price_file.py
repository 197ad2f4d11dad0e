"""The prices `csv:PATH`: a CSV of one's own, from an expert's report or a bank: asset,time,price,currency,source.

`asset` is an identity as answers write it: `ethereum` for a coin, `tron/TR7N...` for a token. `source` says who found
the price. Several rows for an asset are several moments; the nearest one counts, if it is within a day.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from connectors.fields import address, moment_in, only, problem_of, text_in
from connectors.prices.protocol import Price, Quoted, Wanted, only_one
from connectors.protocol import Evidence, Problem
from connectors.reading import lines, text_of
from tracer.errors import BadRow, FundtrailError, InputError
from tracer.values import Asset, Chain, Family

COLUMNS = ("asset", "time", "price", "currency", "source")
DAY = 86400
_NUMBER = re.compile(r"\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3,5}")


@dataclass(frozen=True, slots=True)
class _Row:
    asset: Asset
    time: int
    amount: Decimal
    source: str
    raw: bytes


class PriceFile:
    """Prices from a file. `problems` are its rows that cannot be read; a file in two currencies is refused."""

    def __init__(self, where: Path | str, within: int = DAY) -> None:
        self._where, self._within, self.problems = str(where), within, list[Problem]()
        self._rows: dict[Asset, list[_Row]] = {}
        currencies: set[str] = set()
        rows = lines(Path(where))
        _, self._header = next(rows, (0, b""))
        columns = _cells(text_of(self._header, f"{where}, line 1"))
        if set(columns) != set(COLUMNS) or len(columns) != len(COLUMNS):
            raise InputError(f"{where} is no file of prices", f"its first line is {','.join(COLUMNS)}")
        for number, raw in rows:
            if not raw.strip():
                continue
            place = f"{Path(where).name}, line {number}"
            try:
                cells = _cells(text_of(raw, place))
                if len(cells) != len(columns):
                    raise BadRow(f"{len(cells)} cells, but {len(columns)} columns")
                row = dict(zip(columns, cells, strict=True))
                found = _row(row, raw)
            except FundtrailError as error:
                self.problems.append(problem_of(error, place))
            else:
                currencies.add(row["currency"].strip().upper())
                self._rows.setdefault(found.asset, []).append(found)
        if len(currencies) > 1:
            raise InputError(f"{where} has prices in {' and '.join(sorted(currencies))}", "one file for each currency")
        self._currency = currencies.pop() if currencies else "USD"

    @property
    def name(self) -> str:
        """`csv:PATH`."""
        return f"csv:{self._where}"

    @property
    def currency(self) -> str:
        """As in the file."""
        return self._currency

    def at(self, asset: Asset, time: int) -> Price:
        """See `Prices`."""
        return only_one(self.name, self.each([(asset, time)]), asset)

    def each(self, wanted: Wanted) -> Quoted:
        """See `Prices`."""
        prices, evidence, problems = [], [], list(self.problems)
        for asset, time in dict.fromkeys(wanted):
            row = min(self._rows.get(asset, []), key=lambda one: (abs(one.time - time), one.time), default=None)
            if row is None or abs(row.time - time) > self._within:
                why = "the file has none" if row is None else f"its nearest is {abs(row.time - time)} seconds off"
                problems.append(Problem(f"no price of {asset.name} at {time}: {why}", asset.name))
                continue
            cited = Evidence(self._header + row.raw, self.name, f"{asset.name} at {time}")
            evidence.append(cited)
            told = f"{self.name} ({row.source})"
            prices.append(Price(asset, self._currency, row.amount, time, row.time, told, None, cited.id))
        return Quoted(tuple(prices), tuple(dict.fromkeys(evidence)), tuple(problems))


def asset_named(name: str) -> Asset:
    """The asset of an identity, `CHAIN` or `CHAIN/CONTRACT`, without symbol and decimals. Raises `InputError`.

    >>> asset_named("tron/TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t").chain.name
    'tron'
    """
    chain_name, slash, contract = name.strip().partition("/")
    chain = Chain.named(chain_name)
    if not slash:
        return chain.coin
    trc10 = chain.family is Family.TRON and contract.isascii() and contract.isdecimal() and len(contract) == 7
    return Asset(chain, contract if trc10 else address(contract, chain).text)


def _row(row: Mapping[str, str], raw: bytes) -> _Row:
    only(row, COLUMNS)
    text = text_in(row, "price").strip()
    if not _NUMBER.fullmatch(text):
        raise BadRow(f"price is {text!r:.60}", "digits, and a point before the fraction: 3012.45")
    if not _CURRENCY.fullmatch(row["currency"].strip().upper()):
        raise BadRow(f"currency is {row['currency']!r:.40}", "its three letters, as USD")
    source = text_in(row, "source").strip()
    if not source:
        raise BadRow("source is empty", "say who found the price, and where")
    amount = Decimal(text)
    if not amount:
        raise BadRow("price is 0, which is no price")
    return _Row(asset_named(text_in(row, "asset")), moment_in(row, "time"), amount, source, raw)


def _cells(text: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text.rstrip("\r\n")], strict=True), [])]
    except csv.Error as error:
        raise BadRow(f"not a CSV row: {error}") from None


__all__ = ["COLUMNS", "PriceFile", "asset_named"]
