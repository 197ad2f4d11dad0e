"""Addresses of Tron: base58check with the version byte 0x41, or the hex that nodes and contract logs use for it."""

from __future__ import annotations

import re

from tracer.addresses import base58, evm
from tracer.addresses.alphabets import COPY_AGAIN, HEX
from tracer.errors import BadAddress

_VERSION = 0x41
_HEX = re.compile(r"(?:(?:0[xX])?41|0[xX])([0-9a-fA-F]{40})")


def read(text: str) -> str:
    """The canonical spelling, `T...`. Raises `BadAddress` with the reason alone.

    Taken too: `41` and 40 hex digits as nodes write it, with or without 0x, and the 0x and 40 hex digits of a
    contract log, which leave the 41 out.

    >>> read("41a614f803b6fd780986a42c78ec9c7f77e6ded13c")
    'TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'
    """
    if found := _HEX.fullmatch(text):
        evm.require_checksum(found[1], text[:-40])
        return base58.write(_VERSION, bytes.fromhex(found[1]))
    if text[:2] in ("0x", "0X") or (len(text) > 35 and HEX.issuperset(text)):
        raise BadAddress(
            f"its length is wrong for hex: {len(text)} characters", "write T..., or 41 and 40 hex digits, or 0x and 40"
        )
    version, _ = base58.read(text)
    if version != _VERSION:
        raise BadAddress(f"its version byte is {version}, Tron's is {_VERSION}: it must start with T", COPY_AGAIN)
    return text
