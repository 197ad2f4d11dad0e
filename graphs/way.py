"""What lies on the way of stolen value: exchanges that it goes through, CoinJoins where it cannot be followed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from graphs.coinjoins import coinjoin
from graphs.conversions import Exchange, ExchangeRules, Kind, exchange
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.lots import Fees
from tracer.moves import Course


class Way:
    """Judges each step that followed holdings pay in, once; what it finds does not depend on the order of looking."""

    def __init__(
        self, ledger: Ledger, labels: LabelBook, fees: Fees, label_confidence: int, undone: Collection[int] = ()
    ) -> None:
        self._ledger, self._labels, self._fees = ledger, labels, fees
        self._rules = ExchangeRules(label_confidence=label_confidence)
        self._looked: dict[int, int] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._coinjoins: dict[int, str] = {}
        self._course = Course(fees)
        self._known: set[int] = set()
        self._dealt: dict[int, set[int]] = {}  # hid -> exchanges in which it pays out what others get
        self._own = set(undone)  # exchanges with somebody who is followed himself
        self.undone = set(undone)  # those of them that were carried out until he was

    def look(self, known: Mapping[int, int], start: Iterable[int] = ()) -> None:
        """Judge the steps of these holdings (hid -> the last step known), and those at which stolen value enters."""
        found = len(self._exchanges) + len(self._coinjoins) + len(self._own)
        for step in start:
            self._judge(step)
        for hid, until in known.items():
            if hid not in self._known:
                self._known.add(hid)
                self.undone |= self._dealt.get(hid, set()) & self._course.conversions.keys()
                self._own |= self._dealt.get(hid, set())
            if self._looked.get(hid, -1) >= until:
                continue
            after = self._looked.get(hid, -1)
            self._looked[hid] = until
            for step in self._ledger.composite(hid):
                if after < step <= until:
                    self._judge(step)
        if len(self._exchanges) + len(self._coinjoins) + len(self._own) > found:
            carried = {
                at: one.conversions for at, one in self._exchanges.items() if one.trusted and at not in self._own
            }
            self._course = Course(self._fees, carried, frozenset(self._coinjoins))

    def changes(self, known: Iterable[int], step: int) -> bool:
        """Whether following these too could change what was carried out up to `step`."""
        paid = {hid for hid, _ in self._ledger.inputs(step)}
        return any(hid in paid or any(at <= step for at in self._dealt.get(hid, ())) for hid in known)

    def _counterparties(self, one: Exchange) -> list[int]:
        """Who paid out what others got: if he is followed himself, that is perhaps stolen too, and stays what it is."""
        got = {leg.hid for part in one.conversions for leg in part.got}
        gave = {leg.hid for part in one.conversions for leg in part.gave}
        return [
            hid
            for movement in self._ledger.movements(one.ordinal)
            for hid, _ in movement.inputs
            if hid not in gave | got and any(to in got for to, _ in movement.outputs)
        ]

    def _judge(self, step: int) -> None:
        if step in self._exchanges or step in self._coinjoins:
            return
        movements = self._ledger.movements(step)
        if self._ledger.is_coin(movements[0].outputs[0][0]) or self._ledger.is_coin(movements[0].inputs[0][0]):
            found = coinjoin(self._ledger.transfer(step)) if len(movements[0].inputs) > 1 else None
            if found and found.mixes:
                self._coinjoins[step] = found.why
        elif len(movements) > 1 or len(movements[0].outputs) > 1 or len(movements[0].inputs) > 1:
            exchanged = exchange(self._ledger, self._labels, step, self._rules)
            if exchanged:
                self._exchanges[step] = exchanged
                for hid in self._counterparties(exchanged) if exchanged.trusted else ():
                    self._dealt.setdefault(hid, set()).add(step)
                    if hid in self._known:
                        self._own.add(step)

    def course(self) -> Course:
        """What the engine is to do on the way."""
        return self._course

    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange judged, trusted or not, in order."""
        return tuple(self._told(self._exchanges[step]) for step in sorted(self._exchanges))

    def _told(self, one: Exchange) -> Exchange:
        if one.ordinal not in self._own:
            return one
        paid = [self._ledger.address(hid) for hid in self._counterparties(one) if hid in self._known]
        who = f"{paid[0]}, who paid it out," if paid else "who paid it out"
        why = f"{one.why}; but {who} is followed too, so each payment is followed as it was made"
        return replace(one, kind=Kind.UNPROVEN, why=why)

    def why(self, step: int) -> str:
        """Why nothing is followed through that step."""
        return self._coinjoins[step]
