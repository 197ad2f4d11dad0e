"""Addresses sanctioned by the US Treasury (OFAC), one a line, in files named for the asset they are listed under."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.labels.rows import Claim, Document, Format, Outcome, Rejected, Skipped, told_by_form
from tracer.errors import InputError
from tracer.labels import Role
from tracer.values import Chain

AUTHORITY = 60  # a public authority, as TagPacks grade it

_NAME = re.compile(r"sanctioned_addresses_([A-Za-z0-9]{1,10})\.txt(?:\.gz|\.xz)?", re.ASCII)
_CHAINS = {
    "XBT": "bitcoin", "BTC": "bitcoin", "BCH": "bitcoin-cash", "LTC": "litecoin", "DOGE": "dogecoin",
    "ETH": "ethereum", "ETC": "ethereum-classic", "BSC": "bsc", "ARB": "arbitrum", "TRX": "tron",
}  # fmt: skip
_MANY_CHAINS = ("USDT", "USDC")  # the list names the token, not the chain it was seen on


def _fits(document: Document) -> bool:
    # By its name: a bare list of addresses does not say what they are listed for, and to guess would be to accuse.
    return _NAME.fullmatch(document.name) is not None


def _read(document: Document) -> Iterator[Outcome]:
    match = _NAME.fullmatch(document.name)
    asset = match[1].upper() if match else ""
    if not asset and document.chain is None:
        raise InputError(
            f"{document.name} does not say which asset it is about",
            "name it like sanctioned_addresses_XBT.txt, or say the chain",
        )
    for row, line in enumerate(document.text.split("\n"), 1):
        address = line.strip(" \t\r")
        if not address:
            continue
        if document.chain is not None:
            chain: Chain | None = document.chain
        elif asset in _MANY_CHAINS:
            chain = told_by_form(address)
        elif asset in _CHAINS:
            chain = Chain.named(_CHAINS[asset])
        else:
            yield Skipped(row, f"{asset} is on no chain we carry")
            continue
        if chain is None:
            yield Rejected(row, f"{address!r:.60} has the form of no chain that {asset} is on")
        else:
            yield Claim(
                row, address, (chain,), "OFAC SDN", "", (Role.SANCTIONED,),
                document.source or "OFAC SDN list", document.seen, AUTHORITY, f"listed as {asset}" if asset else "",
            )  # fmt: skip


FORMAT = Format("ofac", "line", _fits, _read)
