"""Blocks as a Tron node tells them: the newest that is final, and one by its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.fields import number_in, text_in
from tracer.errors import BadRow
from tracer.values import Block

_LATEST_MS = 4102444800000  # 2100-01-01


@dataclass(frozen=True, slots=True)
class Told:
    """A block, with its time as Tron counts it: in milliseconds."""

    block: Block
    ms: int


def block_of(record: Mapping[str, object]) -> Told:
    """The block that an answer of `getnowblock` or `getblock` tells. Raises `BadRow`.

    >>> header = {"raw_data": {"number": 50000011, "timestamp": 1680612831000}}
    >>> block_of({"blockID": "00" * 32, "block_header": header}).block.time
    1680612831
    """
    header = record.get("block_header")
    raw = header.get("raw_data") if isinstance(header, dict) else None
    if not isinstance(raw, dict):
        raise BadRow("block_header.raw_data is missing")
    hashed = text_in(record, "blockID")
    if len(hashed) != 64:
        raise BadRow(f"blockID is {hashed!r:.80}, not a hash")
    ms = milliseconds_in(raw, "timestamp")
    # The first block's header leaves its number out, as the wire format does with zeros.
    return Told(Block(number_in(raw, "number", 0), ms // 1000, hashed), ms)


def milliseconds_in(row: Mapping[str, object], field: str) -> int:
    """A time in milliseconds since 1970, as everything in Tron's answers tells it. Raises `BadRow`."""
    ms = number_in(row, field, 0)
    if not 0 <= ms < _LATEST_MS:
        raise BadRow(f"{field} is {ms}, no time in milliseconds")
    return ms


__all__ = ["Told", "block_of", "milliseconds_in"]
