"""From an address or transaction hash as people write it to its one canonical spelling, or to what is wrong with it."""

from __future__ import annotations

from tracer.addresses.parsing import parse, recognise
from tracer.addresses.transactions import looks_like_tx, parse_tx

__all__ = ["looks_like_tx", "parse", "parse_tx", "recognise"]
