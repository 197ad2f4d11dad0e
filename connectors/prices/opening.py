"""Opens a source of prices by the name a user gives it: KIND:WHERE."""

from __future__ import annotations

from connectors.http.network import Network
from connectors.prices.protocol import Prices
from connectors.settings import Settings
from tracer.errors import InputError, UnknownName

#: Each kind of source of prices, and what to write behind the colon.
KINDS = {
    "defillama": "URL, or nothing for https://coins.llama.fi",
    "coingecko": "URL, or nothing for https://api.coingecko.com/api/v3; 365 days back without a paid key",
    "csv": "PATH of a CSV: asset,time,price,currency,source",
}


def open_prices(text: str, network: Network | None = None) -> Prices:
    """The source of prices that `text` names. Raises `UnknownName`, or `InputError` for a bad place.

    >>> open_prices("coingeko:")
    Traceback (most recent call last):
    ...
    tracer.errors.UnknownName: no kind of prices named 'coingeko'
    """
    kind, _, where = text.partition(":")
    if kind == "csv":
        from connectors.prices.price_file import PriceFile

        if not where:
            raise InputError(f"{text!r} does not say where", "csv:PATH")
        return PriceFile(where)
    if kind not in KINDS:
        raise UnknownName.among("kind of prices", kind, KINDS)
    network = network or Network(Settings.load())
    if kind == "defillama":
        from connectors.prices.defillama import DefiLlama

        return DefiLlama(where, network)
    from connectors.prices.coingecko import CoinGecko

    return CoinGecko(where, network)


__all__ = ["KINDS", "open_prices"]
