"""Segwit addresses: a prefix, a witness version and a program, in bech32 (version 0, BIP173) or bech32m (BIP350)."""

from __future__ import annotations

from tracer.addresses.alphabets import BECH32, COPY_AGAIN, require, require_one_case
from tracer.errors import BadAddress

_LONGEST = 90


def read(text: str, prefix: str) -> str:
    """The canonical spelling, in small letters. Raises `BadAddress` with the reason alone.

    >>> read("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc")
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
    """
    from base58_bech32 import bech32

    require_one_case(text)
    text = text.lower()
    if not text.startswith(prefix + "1"):
        raise BadAddress(f"its prefix is not {prefix + '1'!r}", COPY_AGAIN)
    if len(text) > _LONGEST:
        raise BadAddress(f"its length is wrong: {len(text)} characters, the form allows {_LONGEST}", COPY_AGAIN)
    require(text, BECH32, "bech32", len(prefix) + 1)
    if len(text) < len(prefix) + 1 + 7:  # one value for the version and six of checksum
        raise BadAddress(f"its length is wrong: {len(text)} characters are too few to hold anything", COPY_AGAIN)
    try:
        _, (version, *values), checksum = bech32.bech32_decode(text, limit=_LONGEST)
    except ValueError:
        raise BadAddress("its checksum is wrong: at least one character differs", COPY_AGAIN) from None

    # A checksum that fits is not enough: BIP350 binds the kind of checksum to the version, BIP141 the length.
    if version > 16:
        raise BadAddress(f"witness version {version} does not exist, only 0 to 16", COPY_AGAIN)
    due, name = (bech32.BECH32_M_CONST, "bech32m") if version else (bech32.BECH32_1_CONST, "bech32")
    if checksum != due:
        raise BadAddress(f"its checksum is of the wrong kind: witness version {version} takes {name}", COPY_AGAIN)
    try:
        program = bech32.convertbits(values, 5, 8, False)
    except ValueError:
        raise BadAddress("its data does not end on a whole byte", COPY_AGAIN) from None
    if not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        allowed = "2 to 40" if version else "20 or 32"
        raise BadAddress(
            f"its length is wrong: a program of {len(program)} bytes, witness version {version} allows {allowed}",
            COPY_AGAIN,
        )
    return text


def write(prefix: str, version: int, program: bytes) -> str:
    """The address of a witness version and a program."""
    from base58_bech32 import bech32

    return bech32.bech32_encode(prefix, [version, *bech32.convertbits(program, 8, 5)]).decode("ascii")


def program(text: str, prefix: str) -> tuple[int, bytes]:
    """The witness version and the program of an address in its canonical spelling. Raises `BadAddress`."""
    from base58_bech32 import bech32

    _, (version, *values), _ = bech32.bech32_decode(read(text, prefix), limit=_LONGEST)
    return version, bytes(bech32.convertbits(values, 5, 8, False))
