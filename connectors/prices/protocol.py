"""What every source of prices promises: a figure with its own time and its source, or that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from connectors.protocol import Evidence, Problem
from tracer.errors import BadRow, SourceSkipped
from tracer.values import Asset

WITHIN = 6 * 3600  # seconds by which a price may be off the moment asked about, unless its source says otherwise
_MOST_PLACES = 60


@dataclass(frozen=True, slots=True)
class Price:
    """What one whole unit of `asset` (10**decimals base units) cost in `currency` at `time` (UTC seconds).

    `asked` is the moment it was asked for. `source` says who told it, `confidence` how sure that source says it is
    (0 to 1, None where it does not say), `evidence` the bytes it was read from. Never used to count anything.
    """

    asset: Asset
    currency: str
    amount: Decimal
    asked: int
    time: int
    source: str
    confidence: Decimal | None
    evidence: str

    def __post_init__(self) -> None:
        if not (isinstance(self.amount, Decimal) and self.amount.is_finite() and self.amount > 0):
            raise BadRow(f"{self.amount!r:.60} is no price", "a finite number above 0")
        _, digits, exponent = self.amount.as_tuple()
        if len(digits) > _MOST_PLACES or not isinstance(exponent, int) or abs(exponent) > _MOST_PLACES:
            raise BadRow(f"{self.amount!r:.60} has more places than any price")
        if not self.evidence or not self.source or not self.currency:
            raise BadRow("a price without its source, its currency or its evidence is hearsay")


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a source answered: the prices it has, the answers they were read from, and of what it has none, and why."""

    prices: tuple[Price, ...]
    evidence: tuple[Evidence, ...]
    problems: tuple[Problem, ...] = ()


Wanted = Sequence[tuple[Asset, int]]


class Prices(Protocol):
    """Tells what an asset cost. Assets are told apart by chain and contract, never by symbol."""

    @property
    def name(self) -> str:
        """`KIND:WHERE`, without secrets."""
        ...

    @property
    def currency(self) -> str:
        """The currency of its prices, as `USD`."""
        ...

    def at(self, asset: Asset, time: int) -> Price:
        """The price nearest to `time`. Raises `SourceSkipped` where it has none, `SourceUnusable`."""
        ...

    def each(self, wanted: Wanted) -> Quoted:
        """The prices of several at once, in as few requests as it can; what it has none of is a problem."""
        ...


def only_one(source: str, quoted: Quoted, asset: Asset) -> Price:
    """The one price asked for. Raises `SourceSkipped` where there is none."""
    if quoted.prices:
        return quoted.prices[0]
    why = quoted.problems[0].text if quoted.problems else "it has no price"
    body = quoted.evidence[-1].body if quoted.evidence else b""
    raise SourceSkipped(f"{source}: {asset.name}: {why}", "it stays without a value", source=source, body=body)


__all__ = ["WITHIN", "Price", "Prices", "Quoted", "Wanted", "only_one"]
