"""Which chain a place of a Blockscout is about."""

from __future__ import annotations

from urllib.parse import urlsplit

from connectors.etherscan.answers import CHAIN_IDS
from connectors.etherscan.chains import NUMBERS
from connectors.http.live import require_safe
from tracer.errors import InputError, UnknownName
from tracer.values import Chain, Family


def chain_of(where: str, chain: Chain | None) -> Chain:
    """The chain that `where` names; `chain` for the address of an instance, and for "". Raises `InputError`.

    >>> chain_of("100", None).name, chain_of("https://eth.blockscout.com", Chain.named("ethereum")).name
    ('gnosis', 'ethereum')
    """
    if "://" in where:
        require_safe(where)
        parts = urlsplit(where)
        if parts.query or parts.fragment:
            raise InputError("the address of a source has no ? and no #", "give keys by environment or file")
        if chain is None or chain.family is not Family.EVM:
            raise InputError(f"{where} does not say which chain it is about", "name it: --chain ethereum")
        return chain
    if where:
        try:
            chain = Chain.named(CHAIN_IDS.get(where, where))
        except UnknownName:
            raise UnknownName.among("chain", where, sorted(NUMBERS)) from None
    if chain is None or chain.name not in NUMBERS:
        raise InputError("blockscout: does not say which chain", "for example blockscout:ethereum")
    return chain


__all__ = ["chain_of"]
