"""Wrapping and unwrapping the chain's coin: WETH9 tells of it in events of its own, which token lists leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.etherscan.asking import quantity
from connectors.fields import text_in, transaction_in
from tracer.errors import BadRow
from tracer.values import (
    MAX_UNITS,
    UNKNOWN_INDEX,
    UNKNOWN_METHOD,
    Address,
    Asset,
    Block,
    Leg,
    SinkKind,
    Transfer,
    TransferId,
)

Row = Mapping[str, object]

#: The events' first topics: keccak of `Deposit(address,uint256)` and `Withdrawal(address,uint256)`.
WRAP = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
UNWRAP = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
_WORD = re.compile(r"0x[0-9a-f]{64}", re.ASCII)


def topic_of(address: Address) -> str:
    """The address as a topic: 32 bytes.

    >>> from tracer.values import Chain
    >>> topic_of(Address(Chain.named("ethereum"), "0x" + "a" * 40))[:30]
    '0x000000000000000000000000aaaa'
    """
    return "0x" + address.text[2:].rjust(64, "0")


def block_in_log(row: object) -> int | None:
    """The block of a row of `getLogs`, None where it cannot be read."""
    return quantity(row.get("blockNumber")) if isinstance(row, dict) else None


def wrap_of(row: Row, wrapped: Asset, owner: Address, evidence: str) -> Transfer:
    """The wrapped coins that an event of the contract made for `owner`, or destroyed of his. Raises `BadRow`."""
    topics = row.get("topics")
    if text_in(row, "address").lower() != wrapped.contract or not isinstance(topics, list) or len(topics) != 2:
        raise BadRow("not an event of the wrapped coin")
    if topics[0] not in (WRAP, UNWRAP) or topics[1] != topic_of(owner):
        raise BadRow(f"the event does not concern {owner}", "the answer belongs to another request")
    data = text_in(row, "data").lower()
    if not _WORD.fullmatch(data):
        raise BadRow(f"data is {data!r:.80}, not one number of 32 bytes")
    block, time, log = (_number(row, name) for name in ("blockNumber", "timeStamp", "logIndex"))
    index = _number(row, "transactionIndex") if "transactionIndex" in row else UNKNOWN_INDEX
    units = min(int(data, 16), MAX_UNITS)
    made = topics[0] == WRAP
    held, nobody = Leg.slot(owner, wrapped, units), Leg.sink(wrapped, SinkKind.ISSUE if made else SinkKind.BURN, units)
    name = TransferId(wrapped.chain, transaction_in(row, "transactionHash", wrapped.chain), f"log:{log}")
    place = Block(block, time, text_in(row, "blockHash", ""))
    legs = ((nobody,), (held,)) if made else ((held,), (nobody,))
    return Transfer(name, place, index, wrapped, *legs, (evidence,), UNKNOWN_METHOD)


def _number(row: Row, field: str) -> int:
    number = quantity(row.get(field))
    if number is None or number >= 2**63:
        raise BadRow(f"{field} is {row.get(field)!r:.60}, not a number")
    return number


__all__ = ["UNWRAP", "WRAP", "block_in_log", "topic_of", "wrap_of"]
