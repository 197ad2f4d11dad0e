"""What an event says was moved: tokens, wrapped coins, or things that cannot be added up.

Told by the number of topics and the length of the data, since the first topic alone does not: ERC-20 and ERC-721
share one. A contract may say anything, so what has no known layout is set aside and counted, not an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectors.evm.quantities import Row, address_of, data_in, hash_in, number_in, word_of
from connectors.fields import address_in
from tracer.errors import BadRow
from tracer.values import Address, Chain

# Keccak-256 of the signatures; tests/connectors/evm computes them again.
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
TRANSFER_SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"
TRANSFER_BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb"
DEPOSIT = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
DESTROYED = "0x61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6"
KNOWN = frozenset({TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH, DEPOSIT, WITHDRAWAL, DESTROYED})

NOBODY = "0x" + "0" * 40

#: Contracts through which a chain's own coin can be moved like a token: what they tell is told by the calls already.
COIN_AS_TOKEN = {
    "celo": "0x471ece3750da237f93b8e339c536989b8978a438",
    "polygon": "0x0000000000000000000000000000000000001010",
    "zksync": "0x000000000000000000000000000000000000800a",
}


class Said(StrEnum):
    """What an event is about."""

    MOVED = "moved"  # units of a token
    WRAPPED = "wrapped"  # the chain's coin became as many units of a token
    UNWRAPPED = "unwrapped"
    SEIZED = "seized"  # the token's issuer took what it had frozen out of circulation
    UNIQUE = "unique"  # things that are not amounts: ERC-721, ERC-1155
    COIN = "coin"  # the chain's own coin
    UNCLEAR = "unclear"  # a known first topic with another layout


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one transaction. Of what was wrapped `payer` is None, of what was unwrapped or seized `payee`."""

    said: Said
    contract: Address
    payer: Address | None
    payee: Address | None
    units: int
    tx: str
    block: int
    block_hash: str
    index: int  # of the transaction in its block
    log: int  # of the event in its block
    time: int | None  # where the node tells it here

    @property
    def position(self) -> str:
        """As in a `TransferId`."""
        return f"log:{self.log}"


def queries(address: Address) -> tuple[list[list[str] | str | None], ...]:
    """The topics of the questions that find every event of the known layouts that names `address`."""
    me = word_of(address)
    return (
        [[TRANSFER, DEPOSIT, WITHDRAWAL], me],
        [[TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH], None, me],
        [[TRANSFER_SINGLE, TRANSFER_BATCH], None, None, me],
        [[DESTROYED]],  # names its owner in the data, so that of everybody is asked for: there are few
    )


def names(row: Row, address: Address) -> bool:
    """Whether a log is among those that `queries` ask for."""
    told = row.get("topics")
    topics = [one.lower() for one in told if isinstance(one, str)] if isinstance(told, list) else []
    for asked in queries(address):
        fits = zip(asked, topics, strict=False)
        if len(topics) >= len(asked) and all(one is None or topic == one or topic in one for one, topic in fits):
            return True
    return False


def event_in(row: Row, chain: Chain) -> Event | None:
    """The event that a log is, None for one that moves nothing. Raises `BadRow` where the node's own fields are bad."""
    topics = row.get("topics")
    if not isinstance(topics, list):
        raise BadRow("topics is no list")
    words = [bytes.fromhex(hash_in({"topic": one}, "topic")[2:]) for one in topics]
    first = f"0x{words[0].hex()}" if words else ""
    if first not in KNOWN:
        return None
    contract = address_in(row, "address", chain)
    said, payer, payee, units = _read(first, words, data_in(row, "data"), chain)
    if first == DESTROYED and said is Said.UNCLEAR:
        return None  # of whomever it was: it was asked for of everybody
    if contract.text == COIN_AS_TOKEN.get(chain.name):
        said = Said.COIN
    time = row.get("blockTimestamp")
    return Event(
        said, contract, payer, payee, units, hash_in(row, "transactionHash"), number_in(row, "blockNumber"),
        hash_in(row, "blockHash"), number_in(row, "transactionIndex"), number_in(row, "logIndex"),
        None if time is None else number_in(row, "blockTimestamp"),
    )  # fmt: skip


_Parts = tuple[Said, Address | None, Address | None, int]


def _read(first: str, words: Sequence[bytes], data: bytes, chain: Chain) -> _Parts:
    parties = [address_of(word, chain) for word in words[1:]]
    layout = len(words), len(data)
    amount = int.from_bytes(data[:32])
    if first == TRANSFER and layout == (3, 32) and None not in parties:
        return Said.MOVED, parties[0], parties[1], amount
    if first == TRANSFER and layout == (4, 0) and None not in parties[:2]:
        return Said.UNIQUE, parties[0], parties[1], 0
    if first in (TRANSFER_SINGLE, TRANSFER_BATCH) and len(words) == 4 and None not in parties[1:]:
        return Said.UNIQUE, parties[1], parties[2], 0
    if first == DEPOSIT and layout == (2, 32) and parties[0] is not None:
        return Said.WRAPPED, None, parties[0], amount
    if first == WITHDRAWAL and layout == (2, 32) and parties[0] is not None:
        return Said.UNWRAPPED, parties[0], None, amount
    if first == DESTROYED and layout == (1, 64) and (owner := address_of(data[:32], chain)) is not None:
        return Said.SEIZED, owner, None, int.from_bytes(data[32:])
    if first == DESTROYED and layout == (2, 32) and parties[0] is not None:
        return Said.SEIZED, parties[0], None, amount
    return Said.UNCLEAR, None, None, 0


__all__ = [
    "COIN_AS_TOKEN", "DEPOSIT", "DESTROYED", "KNOWN", "NOBODY", "TRANSFER", "TRANSFER_BATCH", "TRANSFER_SINGLE",
    "WITHDRAWAL", "Event", "Said", "event_in", "names", "queries",
]  # fmt: skip
