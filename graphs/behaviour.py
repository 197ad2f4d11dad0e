"""How addresses behave, as far as one ledger and one book of labels tell; each asked about once."""

from __future__ import annotations

from graphs.deposits import deposit
from graphs.stops import Stop, StopRules, suspected_service
from graphs.venues import Venues
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.values import Address


class Behaviour:
    """Good for any number of traces over the same ledger, labels and rules, since none of it depends on the losses."""

    def __init__(self, ledger: Ledger, labels: LabelBook, rules: StopRules) -> None:
        self._ledger, self._labels, self._rules = ledger, labels, rules
        self._venues = Venues(ledger, labels, rules.label_confidence)
        self._stops: dict[Address, Stop | None] = {}

    def stop(self, address: Address) -> Stop | None:
        """The stop that its behaviour calls for: a deposit address, or what may be a service; None for a wallet."""
        if address not in self._stops:
            least = self._rules.deposit_score
            found = deposit(self._ledger, self._labels, address, self._rules, self._venues, least)
            stop = found.stop() if found and found.score >= least else None
            self._stops[address] = stop or suspected_service(self._ledger, address, self._rules)
        return self._stops[address]
