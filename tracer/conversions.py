"""Conversions: stolen value that changes its asset inside one transaction, and keeps what it stems from.

What was given for it is its basis. Lots of a converted asset carry a label of their own, a `Strain`; the engine moves
them like any other lot, and the basis follows at the end, so that the books close in what was stolen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracer.lots import CLEAN, Lot, apportion, pro_rata_share


@dataclass(frozen=True, slots=True)
class Exchanged:
    """`units` of one holding, given or got. `weight`: its share in the value of that side, in any unit.

    `to`: of what is given, the holdings that it went to, of what is got, those that it came from; what went or came
    elsewhere in the same step is no part of it. Empty means all that the holding paid, or got.
    """

    hid: int
    units: int
    weight: int = 1
    to: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Conversion:
    """What one party gave for what in the step at `ordinal`: a swap, a wrap, a deposit for a share, a rebase.

    The counterparty is paid, not given: what it receives here is clean, and what `got` receives stems from `gave`.
    """

    ordinal: int
    gave: tuple[Exchanged, ...]
    got: tuple[Exchanged, ...]


@dataclass(frozen=True, slots=True)
class Strain:
    """The lots that one conversion made out of others, in one holding, of one loss.

    `parents`: the lots that went in, `units` what came out, `basis` what of the stolen asset they stand for when made
    (rounded down; the books share it out exactly). `units` 0: less than one unit came out, so the basis stays here.
    """

    label: int
    loss: int
    ordinal: int
    hid: int
    units: int
    parents: tuple[Lot, ...]
    basis: int


def converted(
    gave: Sequence[tuple[Exchanged, Sequence[Lot]]], got: Sequence[Exchanged], key: Callable[[int], int]
) -> list[tuple[list[Lot], dict[int, list[Lot]]]]:
    """Per received leg: its lots under the keys of what was given, in order, and key -> the lots given for it.

    `key` says which labels become one. A received leg holds of each given leg the share of its weight, and of that
    the stolen share, rounded to the clean side; lots keep the order in which they were given.

    >>> leg = Exchanged(1, 900)
    >>> converted([(leg, [(0, 500), (1, 400)])], [Exchanged(2, 45)], lambda label: label)
    [([(0, 25), (1, 20)], {1: [(1, 400)]})]
    """
    scale = 1
    for leg, _ in gave:
        scale *= leg.units
    lots = [(label, units, units * leg.weight * (scale // leg.units)) for leg, given in gave for label, units in given]
    stolen = [weight if label else 0 for label, _, weight in lots]
    clean = [0 if label else weight for label, _, weight in lots]
    shares = [apportion(units, [leg.weight for leg in got]) if label else [] for label, units, _ in lots]
    found = []
    for at, leg in enumerate(got):
        mine = pro_rata_share(leg.units, sum(stolen), sum(clean))
        parts = [a + b for a, b in zip(apportion(mine, stolen), apportion(leg.units - mine, clean), strict=True)]
        came: list[Lot] = []
        parents: dict[int, list[Lot]] = {}
        for (label, _, _), units, share in zip(lots, parts, shares, strict=True):
            if label and (share[at] or units):
                parents.setdefault(key(label), []).append((label, share[at]))
            if units:
                came.append((key(label) if label else CLEAN, units))
        found.append((came, parents))
    return found
