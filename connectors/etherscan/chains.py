"""What differs from chain to chain where Etherscan is asked: numbers, wrapped coins, fees that rows leave out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from connectors.etherscan.answers import CHAIN_IDS
from connectors.http.live import require_safe
from tracer.errors import InputError, UnknownName
from tracer.values import Chain

BASE = "https://api.etherscan.io/v2/api"  # one address for all chains: https://docs.etherscan.io/etherscan-v2

#: Here a transaction also pays for its data on the chain below, which Etherscan's rows leave out.
PAYS_TWICE = frozenset({"optimism", "base", "blast", "mantle", "scroll", "celo"})

#: The contract that wraps the chain's coin, and its symbol, where wrapping makes no token event: WETH9 and its copies.
WRAPPED = {
    "ethereum": ("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "WETH"),
    "bsc": ("0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c", "WBNB"),
    "polygon": ("0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270", "WPOL"),
    "optimism": ("0x4200000000000000000000000000000000000006", "WETH"),
    "base": ("0x4200000000000000000000000000000000000006", "WETH"),
    "avalanche": ("0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7", "WAVAX"),
    "gnosis": ("0xe91d153e0b41518a2ce8dd3d7944fa863463a97d", "WXDAI"),
}

NUMBERS = {name: number for number, name in CHAIN_IDS.items()}
_IN_PATH = re.compile(r"/evm/(\d+)/")  # as Routescan has it


def place_of(where: str, chain: Chain | None, configured: str = "") -> tuple[str, Chain, bool]:
    """The base address, the chain, and whether the chain's number goes with each question.

    `where` is the name of a chain, "" for `chain`, or the address of a service. Raises `InputError`.

    >>> base, chain, numbered = place_of("https://api.routescan.io/v2/network/mainnet/evm/43114/etherscan/api", None)
    >>> chain.name, numbered
    ('avalanche', False)
    """
    if "://" not in where:
        chain = _known(where) if where else chain
        if chain is None:
            raise InputError("etherscan: does not say which chain", "for example etherscan:ethereum")
        if chain.name not in NUMBERS:
            raise InputError(f"Etherscan does not answer for {chain}", f"it does for {', '.join(sorted(NUMBERS))}")
        return configured or BASE, chain, True
    require_safe(where)
    parts = urlsplit(where)
    if parts.query or parts.fragment:
        raise InputError("the address of a source has no ? and no #", "give keys by environment or file")
    if found := _IN_PATH.search(parts.path):
        told = CHAIN_IDS.get(found[1])
        if told is None or (chain is not None and chain.name != told):
            raise InputError(f"{where} is about chain {found[1]}, not {chain or 'one we know'}", "check the address")
        chain = Chain.named(told)
    if chain is None:
        raise InputError(f"{where} does not say which chain it is about", "name it: --chain ethereum")
    return where, chain, parts.path.rstrip("/").endswith("/v2/api")


def _known(where: str) -> Chain:
    try:
        return Chain.named(CHAIN_IDS.get(where, where))
    except UnknownName:
        raise UnknownName.among("chain", where, sorted(NUMBERS)) from None


__all__ = ["BASE", "NUMBERS", "PAYS_TWICE", "WRAPPED", "place_of"]
