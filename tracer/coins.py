"""What is true of every coin: made once, spent at most once, whole, by its owner, and never before it was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import groupby

from tracer.errors import Contradiction
from tracer.values import UNKNOWN_INDEX, Family, Leg, Outpoint, Transfer


def causal(transfers: Sequence[Transfer]) -> list[int]:
    """The places of `transfers`, which are in order, so that no coin is spent before it is made in its own block.

    Only transactions whose place in the block is not told are moved, and no further than they must.
    """
    order: list[int] = []
    for (chain, _), run in groupby(
        range(len(transfers)), key=lambda at: (transfers[at].id.chain, transfers[at].block.number)
    ):
        places = list(run)
        told = all(transfers[at].index != UNKNOWN_INDEX for at in places)
        order += places if told or chain.family is not Family.BITCOIN else _sorted(transfers, places)
    return order


def _sorted(transfers: Sequence[Transfer], places: list[int]) -> list[int]:
    made = {leg.holding: at for at in places for leg in transfers[at].outputs if isinstance(leg.holding, Outpoint)}
    waits: dict[int, set[int]] = {
        at: {made[leg.holding] for leg in transfers[at].inputs if leg.holding in made} - {at} for at in places
    }
    frees: dict[int, list[int]] = {}
    for at, needed in waits.items():
        for one in needed:
            frees.setdefault(one, []).append(at)
    ready = [at for at in places if not waits[at]]
    heapify(ready)
    found = []
    while ready:
        at = heappop(ready)
        found.append(at)
        for one in frees.get(at, ()):
            waits[one].discard(at)
            if not waits[one]:
                heappush(ready, one)
    return found + [at for at in places if waits[at]]  # a circle: the check below names it


def check(transfers: Iterable[Transfer]) -> None:
    """Raise `Contradiction` where what spends a coin disagrees with what made it, or with what spent it."""
    made: dict[Outpoint, tuple[Leg, Transfer]] = {}
    spent: dict[Outpoint, Transfer] = {}
    for transfer in transfers:
        for leg in transfer.inputs:
            coin = leg.holding
            if not isinstance(coin, Outpoint):
                continue
            if coin in spent:
                raise _contradiction(coin, "is spent twice", spent[coin], transfer)
            spent[coin] = transfer
            known = made.get(coin)
            if known is None:
                continue
            if known[0].units != leg.units:
                told = f"was made with {known[0].units} and is spent with {leg.units} base units"
                raise _contradiction(coin, told, known[1], transfer)
            if leg.address is not None and known[0].address not in (None, leg.address):
                told = f"was made for {known[0].address} and is spent by {leg.address}"
                raise _contradiction(coin, told, known[1], transfer)
        for leg in transfer.outputs:
            if isinstance(leg.holding, Outpoint):
                if leg.holding in spent:
                    raise _contradiction(leg.holding, "is spent before it is made", spent[leg.holding], transfer)
                made[leg.holding] = leg, transfer


def _contradiction(coin: Outpoint, what: str, one: Transfer, two: Transfer) -> Contradiction:
    evidence = (*one.evidence, *two.evidence)
    return Contradiction(
        f"output {coin.tx}:{coin.index} of {coin.chain} {what}: {one.id} in block {one.block.number}, "
        f"{two.id} in block {two.block.number}",
        f"compare the evidence: {' and '.join(evidence)}; leave one out, or ask a third source",
        evidence=evidence,
    )
