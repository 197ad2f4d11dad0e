"""What every table of an answer is made of: figures in which nothing is lost from sight, headings, names of places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cases.table import wrapped
from cases.visible import visible
from tracer.values import shown

Answer = Mapping[str, Any]
LABEL_WIDTH = 60
_WHOLE = 8  # decimals: an asset of so many is shown to its last unit if need be
_SYMBOL_WIDTH = 12  # in a cell; the note under the heading says which asset it is


class Figures:
    """Amounts of one asset in one table, all with as many decimals: the fewest from 4 on that let none read as nothing.

    At most 6, or all that the asset has where those are no more than 8, as of a bitcoin.
    `of`: what has the asset's `name`, `symbol` and `decimals`: an answer's `asset`, or an end.
    """

    def __init__(self, of: Mapping[str, Any], units: Iterable[str]) -> None:
        self.decimals: int = of["decimals"]
        most = self.decimals if self.decimals <= _WHOLE else 6
        least = min((int(text) for text in units if text != "0"), default=0) or 10**self.decimals
        enough = (places for places in range(4, most) if least * 10**places >= 10**self.decimals)
        self.places = next(enough, most)
        self.note = f"in {symbol_of(of)}, cut (not rounded) to {self.places} decimals; base units: --json"

    def of(self, units: str | None) -> str:
        """`units` for the table; what is there but too little to show is told from nothing."""
        if units is None:
            return "-"
        text = shown(int(units), self.decimals, self.places)
        if units != "0" and not text.strip("0."):
            return "<" + (f"0.{'1'.rjust(self.places, '0')}" if self.places else "1")
        return text

    def span(self, units: Iterable[str]) -> str:
        """The least and the most of several, one figure where they are the same."""
        found = sorted(int(text) for text in units)
        if found[0] == found[-1]:
            return self.of(str(found[0]))
        return f"{self.of(str(found[0]))} .. {self.of(str(found[-1]))}"


class AssetFigures:
    """Amounts of several assets in one table, each with its asset's own decimals and symbol.

    A symbol is what a contract says of itself, so two that read alike get a number, and `note` says which asset each
    one is. `amounts`: (what has the asset's name, symbol and decimals, its units).
    """

    def __init__(self, amounts: Iterable[tuple[Mapping[str, Any], str]]) -> None:
        units: dict[str, list[str]] = {}
        assets: dict[str, Mapping[str, Any]] = {}
        for asset, text in amounts:
            assets.setdefault(asset_name(asset), asset)
            units.setdefault(asset_name(asset), []).append(text)
        self._figures = {name: Figures(assets[name], found) for name, found in units.items()}
        self.several = len(assets) > 1
        self._symbols: dict[str, str] = {}
        for name, asset in assets.items():
            first = visible(asset["symbol"], _SYMBOL_WIDTH).strip() or "token"
            also = (f"{first}#{number}" for number in range(2, len(assets) + 2))
            taken = {symbol.casefold() for symbol in self._symbols.values()}
            self._symbols[name] = next(one for one in (first, *also) if one.casefold() not in taken)
        known = "; ".join(f"{symbol} is {visible(name)}" for name, symbol in self._symbols.items())
        self.note = f"cut, not rounded; base units: --json. Symbols are what contracts call themselves: {known}"

    def of(self, asset: Mapping[str, Any], units: str | None) -> str:
        """`units` of `asset`, with its symbol."""
        name = asset_name(asset)
        return "-" if units is None else f"{self._figures[name].of(units)} {self._symbols[name]}"

    def span(self, asset: Mapping[str, Any], units: Iterable[str]) -> str:
        """The least and the most, with the symbol."""
        name = asset_name(asset)
        return f"{self._figures[name].span(units)} {self._symbols[name]}"


def spans_of(answer: Answer, amounts: Sequence[tuple[Mapping[str, Any], Sequence[str]]]) -> tuple[str, list[str]]:
    """A note for the table, and each (asset, units) as the least and the most; with symbols if they are of several."""
    if all(asset_name(asset) == answer["asset"]["name"] for asset, _ in amounts):
        figures = Figures(answer["asset"], [text for _, units in amounts for text in units])
        return figures.note, [figures.span(units) for _, units in amounts]
    each = AssetFigures([(asset, text) for asset, units in amounts for text in units])
    return f"Amounts are {each.note}", [each.span(asset, units) for asset, units in amounts]


def asset_name(asset: Mapping[str, Any]) -> str:
    """Which asset it is: `name` of an answer's own, `asset` of what has one."""
    name: str = asset["asset"] if "asset" in asset else asset["name"]
    return name


def section(title: str, lines: Sequence[str], width: int | None, colour: bool) -> str:
    """`lines` under a heading, which is bold where `colour` allows it."""
    headed = wrapped(title, width, indent="")
    return "\n".join([*(f"\x1b[1m{line}\x1b[0m" if colour else line for line in headed), *lines])


def when(time: int) -> str:
    """UTC seconds as a date; a time that no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(time)


def symbol_of(asset: Mapping[str, Any]) -> str:
    """What to call an asset, made visible."""
    return visible(asset["symbol"] or asset_name(asset), 42)


def place(end: Mapping[str, Any]) -> str:
    """Where it is: an address, or what it is instead of one."""
    return end["address"] or f"({end['holding']})"


def known(end: Mapping[str, Any]) -> str:
    """What the stop rests on, in words that keep a claim, an inference and a record apart."""
    label = visible(end["label"], LABEL_WIDTH)
    if end["basis"] == "behaviour":
        if end["address"] is None:
            return "by its form a mix of many owners' coins"
        return f"by its behaviour a {label}" if label else "by its behaviour consistent with a service"
    if label:
        return f"labelled {label} by {visible(end['labelled_by'], 40)}"
    return end["why"] if end["address"] is None else "not labelled"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"
