"""Lots and what a holding does with them: the accounting rules.

A lot is (label, units). Label 0 is value that no loss claims ("clean"), label n the n-th loss. A `Content` is what one
holding has in it under one rule: `put` adds lots, `take` removes units and says which. All of it is exact integers.

Sources: Clayton's Case (1816) for fifo; Banco Cafetero, 797 F.2d 1154 (1986) for the choice in-first-out, in-last-out
or average; Roscoe v Winder (1915) for the lowest intermediate balance; docs/method.md states each in full.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from tracer.values import Family

Lot = tuple[int, int]
CLEAN = 0


class Rule(StrEnum):
    """What leaves a holding in which stolen and other value are mixed."""

    FIFO = "fifo"  # what came first
    LIFO = "lifo"  # what came last
    PRO_RATA = "pro_rata"  # of each the share it has
    TAINT_FIRST = "taint_first"  # the stolen first
    CLEAN_FIRST = "clean_first"  # the stolen last: the lowest intermediate balance rule
    HIGHEST_OUT = "highest_out"  # of a transaction the largest output gets the stolen; elsewhere the stolen first

    @classmethod
    def of(cls, family: Family) -> tuple[Rule, ...]:
        """The rules that say something of their own on such a chain."""
        return tuple(rule for rule in cls if family is Family.BITCOIN or rule is not cls.HIGHEST_OUT)


class Fees(StrEnum):
    """Who bears a UTXO transaction's fee. Account chains charge it apart, after the payment, whatever this says."""

    LAST = "fee_last"  # outputs first; the fee is what is left
    PRORATA = "fee_prorata"  # the fee takes its share of every lot, then the rule runs on the rest
    IN_RATIO = "fee_in_ratio"  # as fee_prorata, and the block's coinbase carries on what the fees brought it


class Between(StrEnum):
    """Whose stolen value leaves first where several victims' lies in one holding and the rule does not say."""

    PARI_PASSU = "pari_passu"  # of each the share it has
    FIRST_IN_FIRST_OUT = "first_in_first_out"
    PRIORITY = "priority"  # in the order the losses are listed


class Content:
    """What one holding has in it. `total` counts every unit, `stolen` those of any loss."""

    __slots__ = ("stolen", "total")

    def __init__(self) -> None:
        self.total = 0
        self.stolen = 0

    def put(self, lots: Iterable[Lot]) -> None:
        """Add lots, in the order they come."""
        raise NotImplementedError

    def take(self, units: int) -> list[Lot]:
        """Remove exactly `units` (never more than `total`) and say which lots they are."""
        raise NotImplementedError

    def lots(self) -> list[Lot]:
        """What is in it, oldest first where the rule keeps an order."""
        raise NotImplementedError

    def split(self, parts: Sequence[int]) -> list[list[Lot]]:
        """Take all of it in these parts at once, as the outputs of one transaction do."""
        return [self.take(units) for units in parts]


class Queue(Content):
    """fifo and lifo: lots keep their order; adjacent lots of one label are one lot."""

    __slots__ = ("_last", "_lots")

    def __init__(self, *, last: bool) -> None:
        super().__init__()
        self._lots: deque[Lot] = deque()
        self._last = last

    def put(self, lots: Iterable[Lot]) -> None:
        mine = self._lots
        for label, units in lots:
            if not units:
                continue
            if mine and mine[-1][0] == label:
                mine[-1] = (label, mine[-1][1] + units)
            else:
                mine.append((label, units))
            self.total += units
            if label:
                self.stolen += units

    def take(self, units: int) -> list[Lot]:
        mine, taken = self._lots, []
        self.total -= units
        while units:
            label, here = mine.pop() if self._last else mine.popleft()
            if here > units:
                rest = (label, here - units)
                if self._last:
                    mine.append(rest)
                else:
                    mine.appendleft(rest)
                here = units
            taken.append((label, here))
            units -= here
            if label:
                self.stolen -= here
        return taken

    def lots(self) -> list[Lot]:
        return list(self._lots)


class Shares(Content):
    """Stolen value of several losses without an order: each leaves by its share, or by priority."""

    __slots__ = ("_by_label", "_rank")

    def __init__(self, rank: Callable[[int], int] | None = None) -> None:
        super().__init__()
        self._by_label: dict[int, int] = {}
        self._rank = rank

    def put(self, lots: Iterable[Lot]) -> None:
        for label, units in lots:
            if units:
                self._by_label[label] = self._by_label.get(label, 0) + units
                self.total += units
                self.stolen += units

    def take(self, units: int) -> list[Lot]:
        labels = sorted(self._by_label)
        if len(labels) == 1:
            taken = [(labels[0], units)]
        elif self._rank:
            taken, left = [], units
            for label in sorted(labels, key=self._rank):
                part = min(left, self._by_label[label])
                taken.append((label, part))
                left -= part
        else:
            taken = list(zip(labels, apportion(units, [self._by_label[label] for label in labels]), strict=True))
        for label, part in taken:
            if part == self._by_label[label]:
                del self._by_label[label]
            else:
                self._by_label[label] -= part
        self.total -= units
        self.stolen -= units
        return [lot for lot in taken if lot[1]]

    def lots(self) -> list[Lot]:
        return sorted(self._by_label.items())


class Mixture(Content):
    """pro_rata, taint_first and clean_first: one amount of clean value beside the stolen."""

    __slots__ = ("_clean", "_share", "_theirs")

    def __init__(self, share: Callable[[int, int, int], int], theirs: Content) -> None:
        super().__init__()
        self._clean = 0
        self._share = share
        self._theirs = theirs

    def put(self, lots: Iterable[Lot]) -> None:
        for label, units in lots:
            self.total += units
            if label:
                self.stolen += units
                self._theirs.put(((label, units),))
            else:
                self._clean += units

    def take(self, units: int) -> list[Lot]:
        stolen = self._share(units, self.stolen, self._clean)
        clean = units - stolen
        self.total -= units
        self.stolen -= stolen
        self._clean -= clean
        taken = self._theirs.take(stolen) if stolen else []
        if clean:
            taken.append((CLEAN, clean))
        return taken

    def split(self, parts: Sequence[int]) -> list[list[Lot]]:
        """pro_rata rounds over all parts together, so that their order does not matter."""
        if self._share is not pro_rata_share:
            return super().split(parts)
        stolen = apportion(self.stolen, parts)
        found = []
        for units, mine in zip(parts, stolen, strict=True):
            taken = self._theirs.take(mine) if mine else []
            found.append([*taken, (CLEAN, units - mine)] if units > mine else taken)
        self.total = self.stolen = self._clean = 0
        return found

    def lots(self) -> list[Lot]:
        return ([(CLEAN, self._clean)] if self._clean else []) + self._theirs.lots()


def apportion(units: int, weights: Sequence[int]) -> list[int]:
    """`units` divided by `weights`, exactly: floors, then one more to the largest remainders, ties to the earlier.

    No part exceeds its weight while `units` does not exceed their sum (Hamilton's method).

    >>> apportion(10, [1, 1, 1])
    [4, 3, 3]
    """
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    parts, remainders = [], []
    for at, weight in enumerate(weights):
        part, remainder = divmod(units * weight, total)
        parts.append(part)
        remainders.append((-remainder, at))
    for _, at in sorted(remainders)[: units - sum(parts)]:
        parts[at] += 1
    return parts


def pro_rata_share(units: int, stolen: int, clean: int) -> int:
    """The stolen part of `units` by largest remainder; a tie goes to the clean side, so that nothing is overclaimed.

    >>> pro_rata_share(1, 1, 1), pro_rata_share(80, 60, 100)
    (0, 30)
    """
    return apportion(units, (clean, stolen))[1]


def taint_first_share(units: int, stolen: int, clean: int) -> int:
    """As much stolen value as there is."""
    return min(units, stolen)


def clean_first_share(units: int, stolen: int, clean: int) -> int:
    """Stolen value only once the clean is gone."""
    return max(0, units - clean)


_SHARES = {
    Rule.PRO_RATA: pro_rata_share,
    Rule.TAINT_FIRST: taint_first_share,
    Rule.CLEAN_FIRST: clean_first_share,
    Rule.HIGHEST_OUT: taint_first_share,
}


def _itself(label: int) -> int:
    return label


def empty(
    rule: Rule, between: Between = Between.PARI_PASSU, rank: Callable[[int], int] = _itself
) -> Content:  # fmt: skip
    """An empty holding under `rule`; `between` decides among victims where the rule itself keeps no order.

    `rank`: the loss that a label stems from, for PRIORITY.

    >>> wallet = empty(Rule.FIFO)
    >>> wallet.put([(CLEAN, 100), (1, 60)])
    >>> wallet.take(80), wallet.take(50)
    ([(0, 80)], [(0, 20), (1, 30)])
    """
    if rule in (Rule.FIFO, Rule.LIFO):
        return Queue(last=rule is Rule.LIFO)
    theirs: Content
    if between is Between.FIRST_IN_FIRST_OUT:
        theirs = Queue(last=False)
    else:
        theirs = Shares(rank if between is Between.PRIORITY else None)
    return Mixture(_SHARES[rule], theirs)
