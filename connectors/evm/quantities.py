"""Reads the fields of a JSON-RPC answer: hexadecimal quantities, hashes, data, and the 32-byte words of events."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.fields import EARLIEST, LATEST
from tracer.errors import BadRow
from tracer.values import MAX_UNITS, Address, Chain

Row = Mapping[str, object]

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-f]{64}")
_DATA = re.compile(r"0x(?:[0-9a-f]{2})*")
_MOST_NUMBER = 2**63 - 1
_FIRST_BLOCK_OF_ETHEREUM = 1438269973  # its own header says 0; this is when it was mined, and what explorers show


def row_in(value: object, what: str) -> Row:
    """The object that `value` must be. Raises `BadRow`."""
    if not isinstance(value, dict):
        raise BadRow(f"{what} is {type(value).__name__}, not an object")
    return value


def quantity_in(row: Row, field: str, default: int | None = None, most: int = MAX_UNITS) -> int:
    """The quantity in `field`: hexadecimal as the protocol has it, or a plain number as some nodes write it.

    >>> quantity_in({"value": "0x0de0b6b3a7640000"}, "value"), quantity_in({"blockNumber": 7}, "blockNumber")
    (1000000000000000000, 7)
    """
    value = row.get(field)
    if value is None:
        if default is None:
            raise BadRow(f"{field} is missing")
        return default
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        value = int(value, 16)
    if type(value) is not int or not 0 <= value <= most:
        raise BadRow(f"{field} is {value!r:.90}, no quantity from 0 to {most}")
    return value


def number_in(row: Row, field: str, default: int | None = None) -> int:
    """A block's number, an index: a quantity that fits where databases keep numbers."""
    return quantity_in(row, field, default, _MOST_NUMBER)


def moment_in(row: Row, field: str, block: int) -> int:
    """The time in `field`, UTC seconds, 2009 to 2100; block 0 of Ethereum says 0 and is given its time."""
    seconds = number_in(row, field)
    if not seconds and not block:
        return _FIRST_BLOCK_OF_ETHEREUM
    if not EARLIEST <= seconds < LATEST:
        raise BadRow(f"{field} is {seconds}, outside 2009-01-03 .. 2100-01-01")
    return seconds


def hash_in(row: Row, field: str) -> str:
    """The hash in `field`, in small letters."""
    value = row.get(field)
    text = value.lower() if isinstance(value, str) else ""
    if not _HASH.fullmatch(text):
        raise BadRow(f"{field} is {value!r:.90}, no hash of 32 bytes")
    return text


def data_in(row: Row, field: str) -> bytes:
    """The bytes in `field`; none where it is missing."""
    value = row.get(field)
    text = "0x" if value is None else value.lower() if isinstance(value, str) else ""
    if not _DATA.fullmatch(text):
        raise BadRow(f"{field} is {value!r:.90}, not hexadecimal bytes")
    return bytes.fromhex(text[2:])


def address_of(word: bytes, chain: Chain) -> Address | None:
    """The address in a word of 32 bytes, None where there is more in it than an address."""
    return Address(chain, f"0x{word[12:].hex()}") if len(word) == 32 and not any(word[:12]) else None


def word_of(address: Address) -> str:
    """The address as a topic: padded to 32 bytes.

    >>> from tracer.values import Chain
    >>> word_of(Address(Chain.named("ethereum"), "0x" + "ab" * 20))[:30]
    '0x000000000000000000000000abab'
    """
    return "0x" + address.text[2:].rjust(64, "0")


def hexadecimal(number: int) -> str:
    """A number as the protocol writes quantities."""
    return hex(number)


__all__ = [
    "Row", "address_of", "data_in", "hash_in", "hexadecimal", "moment_in", "number_in", "quantity_in", "row_in",
    "word_of",
]  # fmt: skip
