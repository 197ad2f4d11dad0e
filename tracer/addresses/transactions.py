"""Transaction hashes: 32 bytes in hex, written with 0x on EVM chains and without it elsewhere."""

from __future__ import annotations

import re

from tracer.addresses.parsing import recognise
from tracer.errors import InputError
from tracer.values import Chain, Family

_HASH = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})")


def parse_tx(text: str, chain: Chain) -> str:
    """The transaction hash in its one spelling: small hex, with 0x on EVM chains, without on Tron and Bitcoin's kin.

    Any case is read, with or without 0x. A hash carries no checksum: a mistyped one cannot be seen. Raises
    `InputError`.

    >>> parse_tx("4A5E1E4BAAB89F3A32518A88C31BC87F618F76673E2CC77AB2127B7AFDEDA33B", Chain.named("bitcoin"))
    '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b'
    """
    if found := _match(text):
        digits = found[1].lower()
        return "0x" + digits if chain.family is Family.EVM else digits
    raise InputError(f"{str(text)[:100]!r:.100} is not a transaction hash of {chain}: {_reason(text)}", _example(chain))


def looks_like_tx(text: str) -> bool:
    """Whether the text has the form of a transaction hash; of which chain, the form does not tell.

    >>> looks_like_tx("0x" + "ab" * 32), looks_like_tx("0x" + "ab" * 20)
    (True, False)
    """
    return _match(text) is not None


def _match(text: object) -> re.Match[str] | None:
    return _HASH.fullmatch(text.strip()) if isinstance(text, str) else None


def _reason(text: object) -> str:
    if not isinstance(text, str):
        return f"it is {type(text).__name__}, not text"
    text = text.strip()
    if found := recognise(text):
        return f"this is an address ({found[0].chain})"
    start = 2 if text[:2] in ("0x", "0X") else 0
    for place, letter in enumerate(text[start:], start + 1):
        if letter not in "0123456789abcdefABCDEF":
            return f"character {letter!a} at position {place} is not hex"
    return f"it has {len(text) - start} hex digits, a hash has 64"


def _example(chain: Chain) -> str:
    return f"write {'0x and ' if chain.family is Family.EVM else ''}64 hex digits; copy the whole hash from its source"
