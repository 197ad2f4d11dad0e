"""What lies on the way of stolen value: exchanges that it goes through, CoinJoins where it cannot be followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graphs.coinjoins import coinjoin
from graphs.conversions import Exchange, ExchangeRules, Kind, exchange
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.lots import Fees
from tracer.moves import Course


class Way:
    """Judges each step that followed holdings pay in, once; what it finds does not depend on the order of looking."""

    def __init__(self, ledger: Ledger, labels: LabelBook, fees: Fees, label_confidence: int) -> None:
        self._ledger, self._labels, self._fees = ledger, labels, fees
        self._rules = ExchangeRules(label_confidence=label_confidence)
        self._looked: dict[int, int] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._coinjoins: dict[int, str] = {}
        self._course = Course(fees)
        self._own: dict[int, str] = {}  # exchanges with somebody who is followed himself

    def look(self, known: Mapping[int, int], start: Iterable[int] = ()) -> None:
        """Judge the steps of these holdings (hid -> the last step known), and those at which stolen value enters."""
        found = len(self._exchanges) + len(self._coinjoins) + len(self._own)
        for step in start:
            self._judge(step)
        for hid, until in known.items():
            if self._looked.get(hid, -1) >= until:
                continue
            after = self._looked.get(hid, -1)
            self._looked[hid] = until
            for step in self._ledger.composite(hid):
                if after < step <= until:
                    self._judge(step)
        for step, one in self._exchanges.items():
            if one.trusted and step not in self._own and (who := self._counterparty(one, known)):
                self._own[step] = who
        if len(self._exchanges) + len(self._coinjoins) + len(self._own) > found:
            carried = {
                at: one.conversions for at, one in self._exchanges.items() if one.trusted and at not in self._own
            }
            self._course = Course(self._fees, carried, frozenset(self._coinjoins))

    def _counterparty(self, one: Exchange, known: Mapping[int, int]) -> str:
        """Who of those that paid out is followed himself: what he pays is perhaps stolen too, and stays what it is."""
        got = {leg.hid for part in one.conversions for leg in part.got}
        gave = {leg.hid for part in one.conversions for leg in part.gave}
        for movement in self._ledger.movements(one.ordinal):
            for hid, _ in movement.inputs:
                if hid in known and hid not in gave | got and any(to in got for to, _ in movement.outputs):
                    return str(self._ledger.address(hid))
        return ""

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

    def course(self) -> Course:
        """What the engine is to do on the way."""
        return self._course

    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange judged, trusted or not, in order."""
        return tuple(self._told(self._exchanges[step]) for step in sorted(self._exchanges))

    def _told(self, one: Exchange) -> Exchange:
        who = self._own.get(one.ordinal)
        if who is None:
            return one
        why = f"{one.why}; but {who}, who paid it out, is followed too, so each payment is followed as it was made"
        return replace(one, kind=Kind.UNPROVEN, why=why)

    def why(self, step: int) -> str:
        """Why nothing is followed through that step."""
        return self._coinjoins[step]
