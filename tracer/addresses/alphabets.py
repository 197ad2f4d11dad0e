"""The letters each form of address is written with, and what to say about a letter that is not one of them."""

from __future__ import annotations

from tracer.errors import BadAddress

HEX = frozenset("0123456789abcdefABCDEF")
BASE58 = frozenset("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
BECH32 = frozenset("qpzry9x8gf2tvdw0s3jn54khce6mua7l")

COPY_AGAIN = "copy the whole address again from its source"


def require(text: str, alphabet: frozenset[str], form: str, start: int = 0) -> None:
    """Raise `BadAddress` naming the first character of `text` from `start` on that `form` does not use."""
    if alphabet.issuperset(text[start:]):
        return
    for place, letter in enumerate(text[start:], start + 1):
        if letter not in alphabet:
            hint = COPY_AGAIN
            if alphabet is BASE58 and text == text.lower():
                hint += "; this one was put in lower case somewhere, which destroys a base58 address"
            elif alphabet is BASE58 and letter in "0OIl":
                hint += "; base58 never uses 0 (zero), O, I or l"
            raise BadAddress(f"character {letter!r} at position {place} is not used in {form}", hint)


def require_one_case(text: str) -> None:
    """Raise `BadAddress` where capital and small letters are mixed in a form that forbids it."""
    if text not in (text.lower(), text.upper()):
        raise BadAddress("it mixes capital and small letters, which this form of address forbids", COPY_AGAIN)
