"""What lies on the way of stolen value: exchanges that it goes through, CoinJoins where it cannot be followed."""

from __future__ import annotations

from collections.abc import Mapping

from graphs.coinjoins import coinjoin
from graphs.conversions import Exchange, ExchangeRules, exchange
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

    def look(self, known: Mapping[int, int]) -> None:
        """Judge the steps of these holdings (hid -> the last step known)."""
        found = len(self._exchanges) + len(self._coinjoins)
        for hid, until in known.items():
            if self._looked.get(hid, -1) >= until:
                continue
            after = self._looked.get(hid, -1)
            self._looked[hid] = until
            for step in self._ledger.composite(hid):
                if after < step <= until:
                    self._judge(step)
        if len(self._exchanges) + len(self._coinjoins) > found:
            carried = {at: one.conversions for at, one in self._exchanges.items() if one.trusted}
            self._course = Course(self._fees, carried, frozenset(self._coinjoins))

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
        return tuple(self._exchanges[step] for step in sorted(self._exchanges))

    def why(self, step: int) -> str:
        """Why nothing is followed through that step."""
        return self._coinjoins[step]
