"""Bitcoin Cash's own form: a prefix that may be left out, a type, a hash and a 40-bit checksum."""

from __future__ import annotations

from tracer.addresses.alphabets import BECH32, COPY_AGAIN, require, require_one_case
from tracer.errors import BadAddress

KEY, SCRIPT = 0, 1
# Types 2 and 3 tell a payer that the owner's wallet understands tokens (CashTokens). The coins lie at the same
# script as with 0 and 1, so for us they are other spellings of the same place.
_PLAIN = {0: KEY, 1: SCRIPT, 2: KEY, 3: SCRIPT}
_LENGTHS = (42, 61)  # a hash of 20 or of 32 bytes
_SIZES = {KEY: (20,), SCRIPT: (20, 32)}


def read(text: str, prefix: str) -> str:
    """The canonical spelling: small letters, with the prefix. Raises `BadAddress` with the reason alone.

    >>> read("QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A", "bitcoincash")
    'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'
    """
    from base58_bech32 import cashaddr

    require_one_case(text)
    text = text.lower()
    given, colon, _ = text.rpartition(":")
    if colon and given != prefix:
        raise BadAddress(f"its prefix is {given!r:.40}, not {prefix!r}", COPY_AGAIN)
    require(text, BECH32, "a cashaddr", len(given + colon))
    length = len(text) - len(given + colon)
    if length not in _LENGTHS:
        raise BadAddress(f"its length is wrong: {length} characters after the prefix, not 42 or 61", COPY_AGAIN)
    try:
        _, kind, digest = cashaddr.cashaddr_decode(text, prefix=prefix)
    except ValueError as error:
        fits = "checksum" not in str(error)
        reason = f"content is wrong: {error}" if fits else "checksum is wrong: at least one character differs"
        raise BadAddress(f"its {reason}", COPY_AGAIN) from None
    if kind not in _PLAIN:
        raise BadAddress(f"address type {kind} does not exist, only 0 to 3", COPY_AGAIN)
    if len(digest) not in _SIZES[_PLAIN[kind]]:
        raise BadAddress(f"its length is wrong: a hash of {len(digest)} bytes for address type {kind}", COPY_AGAIN)
    return write(prefix, _PLAIN[kind], digest)


def write(prefix: str, kind: int, digest: bytes) -> str:
    """The address of a hash; `kind` is KEY or SCRIPT."""
    from base58_bech32 import cashaddr

    return cashaddr.cashaddr_encode(prefix, kind, digest).decode("ascii")


def digest(text: str, prefix: str) -> tuple[int, bytes]:
    """KEY or SCRIPT and the hash of an address in its canonical spelling. Raises `BadAddress`."""
    from base58_bech32 import cashaddr

    _, kind, held = cashaddr.cashaddr_decode(read(text, prefix), prefix=prefix)
    return _PLAIN[kind], bytes(held)
