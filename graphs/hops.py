"""How many payments from the loss somebody is, by the shortest way from followed to followed that payments took.

Where several paid together the nearest of them counts, also if what it paid there was clean: never too many, so that
a limit ends no trace too early.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from tracer.ledger import Ledger
from tracer.moves import Course, Flow, Moves, Seeds
from tracer.values import Address

Who = Address | int  # who holds something; what names nobody, as a bare script or the fees of a block, by its hid


class Hops:
    """Hops by who: 0 where stolen value enters the ledger, else one more than the nearest followed who paid it."""

    def __init__(self, ledger: Ledger, seeds: Seeds) -> None:
        self._ledger, self._seeds = ledger, seeds
        self._whose: dict[int, Who] = {}
        self._known: dict[Who, int] = self._lost_from()

    def count(self, moves: Iterable[Moves], course: Course) -> dict[Address, int]:
        """The hops of all addresses by what moved under each rule; from then on `to` goes on from these."""
        found = self._lost_from()
        onward: dict[Who, dict[Who, None]] = {}
        for run in moves:
            flows = ((one.source, one.target, one.ordinal if self._special(one) else -1) for one in run.flows)
            for source, target, ordinal in dict.fromkeys(flows):
                if target < 0:  # nothing is followed through there
                    continue
                payers = self._payers(ordinal, source, target, run.followed, course)
                if not payers:
                    found[self._who(target)] = 0
                for payer in payers:
                    onward.setdefault(payer, {})[self._who(target)] = None
        edge = list(found)
        while edge:
            edge_next = []
            for who in edge:
                for to in onward.get(who, ()):
                    if to not in found:
                        found[to] = found[who] + 1
                        edge_next.append(to)
            edge = edge_next
        self._known = found
        return {who: hops for who, hops in found.items() if isinstance(who, Address)}

    def to(self, target: int, by: Iterable[Flow], followed: Mapping[int, int], course: Course) -> int | None:
        """Hops to a holding by these flows to it: never too few, None where none is known of any payer."""
        who = self._who(target)
        for flow in by:
            payers = self._payers(flow.ordinal, flow.source, target, followed, course)
            before = [self._known[payer] + 1 for payer in payers if payer in self._known] if payers else [0]
            before += [self._known[who]] if who in self._known else []
            if before:
                self._known[who] = min(before)
        return self._known.get(who)

    def _lost_from(self) -> dict[Who, int]:
        return {self._who(hid): 0 for hid in self._seeds.unseen}

    def _special(self, flow: Flow) -> bool:
        """Whether it takes more than the names of the two to tell who paid, or whether the loss enters there."""
        seeds = self._seeds
        legs = bool(seeds.legs) and self._ledger.step_of(flow.ordinal) in seeds.legs
        return flow.source < 0 or flow.ordinal in seeds.paid or legs

    def _payers(
        self, ordinal: int, source: int, target: int, followed: Mapping[int, int], course: Course
    ) -> Collection[Who]:
        """Who of the followed paid, none where it is the loss that enters: who is named, or all who paid the target.

        `ordinal` -1: who paid is named, and no loss enters there.
        """
        if ordinal < 0:
            return (self._who(source),) if source in followed or self._ledger.is_fee(source) else ()
        ledger, seeds, hids = self._ledger, self._seeds, {source}
        step = ledger.step_of(ordinal)
        if source < 0:
            movements = ledger.movements(step)
            paying = [
                one for one in movements if len(movements) == 1 or any(hid == target for hid, _ in one.outputs)
            ]  # fmt: skip
            hids = {hid for one in paying for hid, _ in one.inputs}
            for exchange in course.conversions.get(step, ()):
                if any(leg.hid == target for leg in exchange.got):
                    hids |= {leg.hid for leg in exchange.gave}
        claimed = {hid for hid, _, _ in seeds.legs.get(step, ())}
        if ordinal in seeds.paid or claimed & {target, *hids}:
            return ()
        return {self._who(hid) for hid in hids if hid in followed or ledger.is_fee(hid)}

    def _who(self, hid: int) -> Who:
        who = self._whose.get(hid)
        if who is None:
            who = self._whose[hid] = self._ledger.address(hid) or hid
        return who
