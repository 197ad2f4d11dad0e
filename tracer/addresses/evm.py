"""Addresses of Ethereum and its kin: 20 bytes in hex, of which mixed case is a checksum (EIP-55)."""

from __future__ import annotations

import re

from tracer.addresses.alphabets import COPY_AGAIN, HEX, require
from tracer.errors import BadAddress

_LOWER = re.compile(r"0x[0-9a-f]{40}")
is_canonical = _LOWER.fullmatch  # the bulk path: no call in between


def checksummed(digits: str) -> str:
    """40 hex digits with the capitals that EIP-55 gives them.

    >>> checksummed("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    '5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    """
    from Crypto.Hash import keccak

    digits = digits.lower()
    nibbles = keccak.new(digest_bits=256, data=digits.encode("ascii")).hexdigest()
    return "".join(d.upper() if n >= "8" else d for d, n in zip(digits, nibbles, strict=False))


def require_checksum(digits: str, prefix: str = "0x") -> None:
    """Raise `BadAddress` if 40 hex digits are in mixed case and not in that of EIP-55; one case carries no checksum."""
    if digits in (digits.lower(), digits.upper()):
        return
    right = checksummed(digits)
    if digits != right:
        raise BadAddress(
            "its checksum is wrong (EIP-55: which letters are capital does not fit the rest)",
            f"{COPY_AGAIN}; only if you are sure of every character, write it in lower case: "
            f"{prefix}{digits.lower()} (its checksummed spelling would be {prefix}{right})",
        )


def read(text: str) -> str:
    """The canonical spelling, `0x` and 40 small hex digits. Raises `BadAddress` with the reason alone.

    >>> read("0XDE0B295669A9FD93D5F28D9EC85E40F4CB697BAE")
    '0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae'
    """
    if text[:2] not in ("0x", "0X"):
        bare = len(text) == 40 and HEX.issuperset(text)
        raise BadAddress("it does not start with 0x", f"write it as 0x{text}" if bare else COPY_AGAIN)
    require(text, HEX, "hex", 2)
    if len(text) != 42:
        hint = "this is a transaction hash, not an address" if len(text) == 66 else COPY_AGAIN
        raise BadAddress(f"it has {len(text) - 2} hex digits after 0x, an address has 40", hint)
    require_checksum(text[2:])
    return "0x" + text[2:].lower()
