"""Base58check: a version byte and 20 bytes, written with 58 letters, the last four bytes a checksum."""

from __future__ import annotations

from tracer.addresses.alphabets import BASE58, COPY_AGAIN, require
from tracer.errors import BadAddress

_LONGEST = 35  # what 25 bytes take at most; decoding is quadratic, so longer text is not decoded


def read(text: str) -> tuple[int, bytes]:
    """The version byte and the 20-byte hash. Raises `BadAddress` with the reason alone.

    >>> version, digest = read("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    >>> version, digest.hex()
    (0, '62e907b15cbf27d5425399ebf6f0fb50ebb88f18')
    """
    from base58_bech32 import base58

    require(text, BASE58, "base58")
    if len(text) > _LONGEST:
        raise BadAddress(f"its length is wrong: {len(text)} characters, the longest address has 35", COPY_AGAIN)
    held = len(base58.b58decode(text))
    if held != 25:
        raise BadAddress(
            f"its length is wrong: {len(text)} characters hold {held} bytes, an address holds 25", COPY_AGAIN
        )
    try:
        payload = base58.b58decode_check(text, out_size=21)
    except ValueError:
        raise BadAddress("its checksum is wrong: at least one character differs", COPY_AGAIN) from None
    return payload[0], payload[1:]


def write(version: int, digest: bytes) -> str:
    """The address of a version byte and a 20-byte hash."""
    from base58_bech32 import base58

    return base58.b58encode_check(bytes([version]) + digest, in_size=21).decode("ascii")
