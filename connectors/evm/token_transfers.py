"""Turns events into transfers of tokens, and says what was set aside because it is no amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.evm.blocks import times
from connectors.evm.events import NOBODY, Event, Said
from connectors.evm.node import Node
from connectors.evm.tokens import Token, tokens
from connectors.protocol import Problem
from tracer.values import UNKNOWN_METHOD, Address, Asset, Block, Chain, Leg, SinkKind, Transfer, TransferId

_NAMED = 5  # contracts that one problem names


@dataclass(frozen=True, slots=True)
class Cited:
    """An event and the evidence it was read from."""

    event: Event
    evidence: str


def token_transfers(
    node: Node, chain: Chain, events: Sequence[Cited], last: int
) -> tuple[list[Transfer], list[Problem]]:  # fmt: skip
    """The transfers that `events` tell. Contracts are asked as of block `last` what they call themselves."""
    wraps = (Said.WRAPPED, Said.UNWRAPPED)
    amounts = [one for one in events if one.event.said in (Said.MOVED, Said.SEIZED, *wraps)]
    wrappers = {one.event.contract for one in amounts if one.event.said in wraps}
    claims = tokens(node, (one.event.contract for one in amounts), wrappers, last)
    minted = {_likeness(one.event) for one in amounts if one.event.said is Said.MOVED}
    taken, aside = [], [one.event for one in events if one not in amounts]
    not_wraps = []
    for one in amounts:
        claim = claims[one.event.contract]
        if one.event.said not in wraps and claim.unique:
            aside.append(one.event)
        elif one.event.said in wraps and (not claim.wraps or _likeness(one.event) in minted):
            if not claim.wraps:
                not_wraps.append(one.event)
        else:
            taken.append(one)
    known = {one.event.block: one.event.block_hash for one in taken}
    blocks = times(node, known, {one.event.block: one.event.time for one in taken if one.event.time is not None})
    found = [_transfer(one, chain, claims[one.event.contract], blocks[one.event.block]) for one in taken]
    unclear = [event for event in aside if event.said is Said.UNCLEAR]
    unique = [event for event in aside if event.said in (Said.UNIQUE, Said.MOVED, Said.SEIZED)]
    told = (
        ("transfers of things that are no amounts (ERC-721, ERC-1155), which are not followed", unique),
        ("events that look like transfers but are laid out like none", unclear),
        ("Deposit and Withdrawal events of contracts that do not wrap the chain's coin", not_wraps),
    )
    return found, [_problem(text, seen) for text, seen in told if seen]


def _problem(text: str, events: Sequence[Event]) -> Problem:
    contracts = list(dict.fromkeys(event.contract.text for event in events))
    more = f" and {len(contracts) - _NAMED} more" if len(contracts) > _NAMED else ""
    where = f"blocks {events[0].block} to {events[-1].block}, contracts {', '.join(contracts[:_NAMED])}{more}"
    return Problem(f"set aside: {len(events)} {text}", where)


def _likeness(event: Event) -> tuple[object, ...]:
    """What a Deposit has in common with the Transfer from nobody that some wrapped coins tell beside it."""
    payer, payee = (one if one is not None and one.text != NOBODY else None for one in (event.payer, event.payee))
    return event.tx, event.contract, payer, payee, event.units


def _transfer(one: Cited, chain: Chain, claim: Token, block: Block) -> Transfer:
    event = one.event
    asset = Asset(chain, event.contract.text, claim.symbol, claim.decimals)
    paid = _leg(event.payer, asset, SinkKind.ISSUE, event.units)
    got = _leg(event.payee, asset, SinkKind.SEIZED if event.said is Said.SEIZED else SinkKind.BURN, event.units)
    id = TransferId(chain, event.tx, event.position)
    return Transfer(id, block, event.index, asset, (paid,), (got,), (one.evidence,), UNKNOWN_METHOD)


def _leg(address: Address | None, asset: Asset, sink: SinkKind, units: int) -> Leg:
    """What nobody pays is issued, and what nobody gets is burnt: as the other readers of token events have it."""
    if address is None or address.text == NOBODY:
        return Leg.sink(asset, sink, units)
    return Leg.slot(address, asset, units)


__all__ = ["Cited", "token_transfers"]
