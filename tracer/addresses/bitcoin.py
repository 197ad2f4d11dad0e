"""Addresses of the Bitcoin family: which of its three forms a text is, by the table of networks."""

from __future__ import annotations

import re

from tracer.addresses import base58, cashaddr, segwit
from tracer.addresses.alphabets import COPY_AGAIN, require_one_case
from tracer.addresses.networks import Network
from tracer.errors import BadAddress

_WITH_PREFIX = re.compile(r"([a-z]{2,20})1[02-9ac-hj-np-z]{6,}")


def read(text: str, network: Network) -> str:
    """The canonical spelling on `network`. Raises `BadAddress` with the reason alone.

    >>> from tracer.addresses.networks import NETWORKS
    >>> read("1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", NETWORKS["bitcoin-cash"])
    'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'
    """
    if network.cashaddr and (":" in text or text[:1].lower() in tuple("qpzr")):
        return cashaddr.read(text, network.cashaddr)
    prefix = network.segwit + "1"
    # "LTC1" may also begin a base58 address, so capitals are taken for a prefix only where all letters are capitals.
    if network.segwit and (text.startswith(prefix) or (text.startswith(prefix.upper()) and text.isupper())):
        return segwit.read(text, network.segwit)
    try:
        version, digest = base58.read(text)
    except BadAddress:
        _require_known_prefix(text, network)
        raise
    if version in network.key:
        kind, written = cashaddr.KEY, network.key[0]
    elif version in network.script:
        kind, written = cashaddr.SCRIPT, network.script[0]
    else:
        raise BadAddress(f"its version byte {version} is not one of this network", COPY_AGAIN)
    return cashaddr.write(network.cashaddr, kind, digest) if network.cashaddr else base58.write(written, digest)


def _require_known_prefix(text: str, network: Network) -> None:
    """What fails as base58 but has a prefix is better explained by the prefix."""
    found = _WITH_PREFIX.fullmatch(text.lower())
    if not found or text[0].isdigit():
        return
    if found[1] == network.segwit:
        require_one_case(text)
    if "mweb" in found[1]:
        raise BadAddress(
            f"the prefix {found[1] + '1'!r} is of MWEB, whose amounts and addresses are hidden",
            "give the transaction where the coins entered MWEB, or where they left it",
        )
    if text.lower() == text or text.upper() == text:
        usual = f"the one here is {network.segwit + '1'!r}" if network.segwit else "it has no addresses of that form"
        raise BadAddress(f"the prefix {found[1] + '1'!r} is not of this network: {usual}", COPY_AGAIN)
