"""What the ends of an answer were worth, from the prices that a case has pinned: figures beside amounts, no more.

A price is taken for an asset by chain and contract alone, whatever it calls itself; one without a pinned price has no
value. Nothing in a trace, its books or its bounds rests on what is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

from cases.case_file import Case
from connectors.prices.price_file import asset_named
from connectors.prices.protocol import Price, Prices, Quoted
from tracer.values import Asset, Chain

FORMAT = "fundtrail-values/1"
DAY = 86400  # a price further from its moment than this stands beside nothing
_EXACT = Context(prec=400)
Answer = Mapping[str, Any]


def moments(case: Case, answer: Answer) -> list[tuple[Asset, int]]:
    """What must be known to value the answer: each end's asset, and when stolen value last came there, once each."""
    found: dict[tuple[Asset, int], None] = {}
    for end in answer["ends"]:
        if (at := _arrival(case, end)) is not None:
            found[_asset(end), at] = None
    return list(found)


def pin_prices_for(case: Case, prices: Prices, answer: Answer, *, at: int) -> Quoted:
    """Ask `prices` for all that the answer needs and keep what it told in the case. Raises `SourceUnusable`."""
    quoted = prices.each(moments(case, answer))
    case.pin_prices(quoted, at=at)
    return quoted


def priced(case: Case, answer: Answer, currency: str = "USD") -> dict[str, Any]:
    """Values of the answer's ends, in their order, as plain data; every figure is the text of an exact number.

    `value` is by rule, `least` and `most` by the envelope. `why_not` says why an end has none. `totals` are of the ends
    that have one, and `not_valued` says how many have not: a total is never that of all unless it is 0.
    """
    pinned = [price for price in case.prices() if price.currency == currency]
    rows = [_valued(end, _arrival(case, end), pinned) for end in answer["ends"]]
    totals: dict[str, Decimal] = {}
    with localcontext(_EXACT):
        for row in rows:
            for rule, text in row["value"].items():
                totals[rule] = totals.get(rule, Decimal(0)) + Decimal(text)
    return {
        "format": FORMAT,
        "currency": currency,
        "ends": rows,
        "totals": {rule: _text(total) for rule, total in totals.items()},
        "not_valued": sum(not row["value"] for row in rows),
        "note": "values are for orientation: the amounts in base units are what was traced",
    }


def value_of(units: int, decimals: int, price: Decimal) -> Decimal:
    """What so many base units are worth, exactly.

    >>> str(value_of(2**128 + 1, 18, Decimal("0.1")))
    '34028236692093846346.3374607431768211457'
    """
    with localcontext(_EXACT):
        return (Decimal(units) * price).scaleb(-decimals)


def _valued(end: Mapping[str, Any], at: int | None, pinned: Sequence[Price]) -> dict[str, Any]:
    asset = _asset(end)
    row: dict[str, Any] = {
        "address": end["address"], "holding": end["holding"], "asset": end["asset"], "at": at, "price": None,
        "price_time": None, "price_source": None, "confidence": None, "evidence": None, "value": {}, "least": None,
        "most": None, "other_prices": [], "why_not": "",
    }  # fmt: skip
    if at is None:
        return row | {"why_not": "the case does not tell when it came there"}
    known = [price for price in pinned if price.asset == asset]
    near = sorted((price for price in known if abs(price.time - at) <= DAY), key=lambda price: abs(price.time - at))
    if not near:
        return row | {"why_not": "no price is pinned for that moment" if known else "no price of this asset is pinned"}
    price, *others = near
    if price.asset.decimals != asset.decimals:
        told = f"the price was pinned for {price.asset.decimals} decimals, the answer has {asset.decimals}"
        return row | {"why_not": told}
    bounds = {name: _worth(end[name], asset, price) for name in ("least", "most") if end[name] is not None}
    return row | bounds | {
        "price": _text(price.amount), "price_time": price.time, "price_source": price.source,
        "confidence": None if price.confidence is None else _text(price.confidence), "evidence": price.evidence,
        "value": {rule: _worth(units, asset, price) for rule, units in end["amounts"].items()},
        "other_prices": [
            {"price": _text(one.amount), "price_time": one.time, "price_source": one.source}
            for one in others
            if one.source != price.source
        ],
    }  # fmt: skip


def _worth(units: str, asset: Asset, price: Price) -> str:
    return _text(value_of(int(units), asset.decimals, price.amount))


def _text(value: Decimal) -> str:
    with localcontext(_EXACT):
        text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _asset(end: Mapping[str, Any]) -> Asset:
    """The asset by its identity; symbol and decimals as the answer shows them."""
    named = asset_named(end["asset"])
    return Asset(named.chain, named.contract, end["symbol"], end["decimals"])


def _arrival(case: Case, end: Mapping[str, Any]) -> int | None:
    """When the last transfer that brought stolen value there was made, by the case."""
    times = []
    for id in end["transfers"]:
        chain, _, rest = id.partition(":")
        tx = rest.partition(":")[0]
        times += [one.block.time for one in case.transaction(Chain.named(chain), tx) if str(one.id) == id]
    return max(times, default=None)


__all__ = ["FORMAT", "moments", "pin_prices_for", "priced", "value_of"]
