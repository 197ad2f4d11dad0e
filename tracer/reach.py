"""Poison: every holding that stolen value may have come to. Reach only, and no accounting rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracer.conversions import Exchanged
from tracer.ledger import Ledger, Movement
from tracer.lots import Fees
from tracer.moves import Course, Seeds
from tracer.steps import Steps


def reach(
    ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], course: Course | None = None
) -> dict[int, int]:  # fmt: skip
    """hid -> the step at which stolen value could first come there; `followed` and `course` as in `tracer.engine.move`.

    It ignores amounts and commingling, so nothing is ever claimed from it. Who was paid in an exchange is not reached;
    what was got for it is.
    """
    return _Reach(ledger, seeds, followed, course or Course()).run()


class _Reach:
    def __init__(self, ledger: Ledger, seeds: Seeds, followed: Mapping[int, int], course: Course) -> None:
        self.ledger, self.seeds, self.followed, self.course = ledger, seeds, followed, course
        self.reached: dict[int, int] = {}
        self.live: set[int] = set()  # of these, the followed ones
        self.steps = Steps(ledger, seeds.start(ledger), self.live)
        self.collecting: set[int | None] = set()  # coinbases of blocks in which stolen value may have paid a fee

    def run(self) -> dict[int, int]:
        ledger, seeds, reached = self.ledger, self.seeds, self.reached
        for ordinal in self.steps:
            movements = ledger.movements(ordinal)
            self.steps.queue(self._step(ordinal, movements))
            for one in movements:
                for hid, _ in one.inputs + one.outputs:
                    if hid in seeds.unseen:
                        self.steps.queue(ledger.next_event(hid, ordinal))
                    elif hid in self.live:
                        self.steps.look_up(hid, ordinal)
        return reached

    def _step(self, ordinal: int, movements: tuple[Movement, ...]) -> int | None:
        """Mark what is reached; the coinbase that carries a reached fee on, if the convention has it so."""
        claims = self.seeds.legs.get(ordinal, ())
        collecting = None
        marked = {hid for hid, _, _ in claims} | {
            hid for one in movements for hid, units in one.inputs if units and self._marked(hid, ordinal)
        }
        marked |= {hid for one in movements if one.ordinal in self.seeds.paid for hid, _ in one.inputs}
        exchanges = self.course.conversions.get(ordinal, ())
        kept = _kept(movements, [leg for exchange in exchanges for leg in exchange.gave])
        for exchange in exchanges:
            if any(leg.hid in marked for leg in exchange.gave):
                for leg in exchange.got:
                    self._reach(leg.hid, ordinal)
        for one in movements:
            paid = one.ordinal in self.seeds.paid
            if not paid and not any(hid in marked and kept[one.ordinal, hid] for hid, _ in one.inputs):
                paid = False
            else:
                paid = ordinal not in self.course.barriers
            for hid, units in one.outputs:
                if units and (paid or any(hid == at for at, _, _ in claims)):
                    self._reach(hid, ordinal)
                    if self.course.fees is Fees.IN_RATIO and self.ledger.is_fee(hid):
                        collecting = self.ledger.collects(hid, ordinal)
                        self.collecting.add(collecting)
        return collecting

    def _reach(self, hid: int, ordinal: int) -> None:
        self.reached.setdefault(hid, ordinal)
        if hid in self.followed:
            self.live.add(hid)

    def _marked(self, hid: int, ordinal: int) -> bool:
        if self.course.fees is Fees.IN_RATIO and hid in self.reached and self.ledger.is_fee(hid):
            return ordinal in self.collecting
        return ordinal <= self.followed.get(hid, -1) and (hid in self.reached or hid in self.seeds.unseen)


def _kept(movements: Iterable[Movement], gave: Iterable[Exchanged]) -> dict[tuple[int, int], int]:
    """(transfer, who paid) -> what was paid there and not given in an exchange: as `tracer.engine` takes it out."""
    kept = {(one.ordinal, hid): units for one in movements for hid, units in one.inputs}
    for leg in gave:
        left = leg.units
        for one in movements:
            paid = kept.get((one.ordinal, leg.hid), 0)
            to = {hid for hid, _ in one.outputs}
            if leg.to and not leg.to & to:
                continue
            if leg.to and not to <= leg.to and len(one.inputs) == 1:
                paid = min(paid, sum(units for hid, units in one.outputs if hid in leg.to))
            taken = min(left, paid)
            if taken:
                kept[one.ordinal, leg.hid] -= taken
                left -= taken
    return kept
