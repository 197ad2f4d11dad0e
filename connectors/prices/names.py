"""What providers of prices call our assets. An asset that is not here by its identity has no price there."""

from __future__ import annotations

from tracer.values import Asset, Family

#: CoinGecko's name of each chain's own coin; DefiLlama takes it too.
COINS = {
    "ethereum": "ethereum", "arbitrum": "ethereum", "optimism": "ethereum", "base": "ethereum", "linea": "ethereum",
    "scroll": "ethereum", "zksync": "ethereum", "blast": "ethereum", "bsc": "binancecoin", "avalanche": "avalanche-2",
    "fantom": "fantom", "gnosis": "xdai", "celo": "celo", "mantle": "mantle", "ethereum-classic": "ethereum-classic",
    "tron": "tron", "bitcoin": "bitcoin", "litecoin": "litecoin", "dogecoin": "dogecoin",
    "bitcoin-cash": "bitcoin-cash",
}  # fmt: skip
_LLAMA = {"avalanche": "avax", "zksync": "era"}  # where DefiLlama's name of a chain is not ours
_GECKO = {  # CoinGecko's names of chains, for the tokens on them
    "ethereum": "ethereum", "bsc": "binance-smart-chain", "polygon": "polygon-pos", "arbitrum": "arbitrum-one",
    "optimism": "optimistic-ethereum", "base": "base", "avalanche": "avalanche", "fantom": "fantom", "gnosis": "xdai",
    "linea": "linea", "scroll": "scroll", "zksync": "zksync", "celo": "celo", "blast": "blast", "mantle": "mantle",
    "tron": "tron",
}  # fmt: skip
_POL_SINCE = 1725408000  # 2024-09-04: Polygon's coin MATIC became POL, one for one


def coin_id(asset: Asset, time: int) -> str:
    """CoinGecko's name of a chain's own coin at that time, "" for a token or a coin without one."""
    if asset.contract:
        return ""
    if asset.chain.name == "polygon":
        return "polygon-ecosystem-token" if time >= _POL_SINCE else "matic-network"
    return COINS.get(asset.chain.name, "")


def llama_key(asset: Asset, time: int) -> str:
    """DefiLlama's name of an asset: `coingecko:ID` of a coin, `CHAIN:CONTRACT` of a token; "" where it has none.

    >>> from tracer.values import Chain
    >>> llama_key(Chain.named("bsc").coin, 0), llama_key(Asset(Chain.named("tron"), "1002000"), 0)
    ('coingecko:binancecoin', '')
    """
    if not asset.contract:
        known = coin_id(asset, time)
        return f"coingecko:{known}" if known else ""
    if _is_trc10(asset):
        return ""
    return f"{_LLAMA.get(asset.chain.name, asset.chain.name)}:{asset.contract}"


def gecko_contract(asset: Asset) -> tuple[str, str]:
    """CoinGecko's name of the chain, and the contract; ("", "") where it cannot be asked about."""
    platform = _GECKO.get(asset.chain.name, "")
    if not platform or not asset.contract or _is_trc10(asset):
        return "", ""
    return platform, asset.contract


def _is_trc10(asset: Asset) -> bool:
    return asset.chain.family is Family.TRON and asset.contract.isdecimal()


__all__ = ["COINS", "coin_id", "gecko_contract", "llama_key"]
