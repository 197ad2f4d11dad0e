"""What to do about an address that stolen value came to: read it, follow it, or stop there and why."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date

from graphs.behaviour import Behaviour
from graphs.following import Expand
from graphs.known import beyond, unread
from graphs.stops import DAY, Stop, StopRules, labelled
from tracer.coverage import State
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.trace import StopCode
from tracer.values import Address

EPOCH = date(1970, 1, 1).toordinal()


@dataclass(slots=True)
class Arrivals:
    """What stolen value came to an address: all of it in the stolen asset's units, and (step, hid, units) each time."""

    units: int = 0
    at: list[tuple[int, int, int]] = field(default_factory=list)


class Onward:
    """One ledger, its labels and the stop rules, asked about one address after another."""

    def __init__(self, ledger: Ledger, labels: LabelBook, rules: StopRules, behaviour: Behaviour, spent: bool) -> None:
        self.ledger, self.labels, self.rules, self.behaviour, self.spent = ledger, labels, rules, behaviour, spent
        self._outs: dict[int, tuple[list[int], list[int]]] = {}  # hid -> steps and times of what it pays
        self._told: dict[Address, tuple[object, Expand | Stop | None]] = {}

    def step(self, address: Address, came: Arrivals, hops: int, lost: int) -> Expand | Stop | None:
        """Read it first, stop there, or (None) follow it. The same question is not worked out again.

        `hops`: how many payments it is from the loss; `lost`: the units of all losses.
        """
        asked = (came.units, hops, lost, came.at)
        known = self._told.get(address)
        if known is None or known[0] != asked:
            known = self._told[address] = asked, self.judge(address, came, hops, lost)
        return known[1]

    def judge(self, address: Address, came: Arrivals, hops: int, lost: int) -> Expand | Stop | None:
        """As `step`, and nothing is remembered."""
        rules, ledger = self.rules, self.ledger
        stop = labelled(self.labels, address, rules)
        if stop:
            return stop
        if came.units < rules.floor(lost, rules.dust_one_in):
            why = f"all that came here is less than one part in {rules.dust_one_in:,} of the loss"
            return Stop(address, StopCode.DUST, why)
        if hops > rules.hops:
            return Stop(address, StopCode.HOP_LIMIT, f"{hops} payments from the loss; the limit is {rules.hops}")
        coverage = ledger.coverage.of(address)
        first = min(ordinal for ordinal, _, _ in came.at)
        if coverage.state is State.NOT_ASKED:
            if self.spent:
                return Stop(address, StopCode.BUDGET, "not asked: the budget was spent on larger amounts first")
            return Expand(address, ledger.block(first).number, came.units)
        why = unread(ledger, address, ledger.block(first).number)
        if why:
            return Stop(address, StopCode.NOT_READ, why, coverage.cited)
        return self.behaviour.stop(address) or self._diluted(address, came, lost) or self._waited(address, came)

    def _diluted(self, address: Address, came: Arrivals, lost: int) -> Stop | None:
        rules = self.rules
        if came.units >= rules.floor(lost, rules.diluted_one_in):
            return None
        for ordinal, hid, units in came.at:
            held = self.ledger.balance_before(hid, ordinal) + units
            if units * 100 >= rules.diluted_percent * held:
                return None
        part = f"less than one part in {rules.diluted_one_in:,} of the loss"
        return Stop(address, StopCode.DILUTED, f"never {rules.diluted_percent} % of what it held, and {part}")

    def _waited(self, address: Address, came: Arrivals) -> Stop | None:
        """A wallet is followed if it paid on within the window after some arrival; else the value rests there."""
        window, late = self.rules.window_days * DAY, False
        for step, hid, _ in came.at:
            outs = self._outs.get(hid)
            if outs is None:
                account = self.ledger.account(hid)
                outs = self._outs[hid] = list(account.paid(account.steps)), list(account.paid(account.times))
            after = bisect_right(outs[0], step)
            if after < len(outs[0]):
                if not window or outs[1][after] - self.ledger.block(step).time <= window:
                    return None
                late = True
        if late:
            return Stop(address, StopCode.TIME_WINDOW, f"first paid on more than {self.rules.window_days} days after")
        return self.rests(address)

    def rests(self, address: Address) -> Stop:
        """Unspent, dormant, or unknown because the wallet's history was not read to its end."""
        ledger = self.ledger
        coverage = ledger.coverage.of(address)
        if coverage.state is State.NOT_ASKED:
            return Stop(address, StopCode.BUDGET, "not asked: the budget was spent before")
        if coverage.state >= State.CUT:
            why = f"its history is {coverage.state.word}: {coverage.reason or 'unknown after the last block read'}"
            return Stop(address, StopCode.NOT_READ, why, coverage.cited)
        holdings = ledger.holdings_of(address)
        if coverage.last is not None and any(beyond(ledger, hid, coverage.last) for hid in holdings):
            why = f"its history was read up to block {coverage.last:,} only, and something came or went after it"
            return Stop(address, StopCode.NOT_READ, why, coverage.cited)
        last = max(ledger.block(ledger.events(hid)[-1]).time for hid in holdings if ledger.events(hid))
        read = max(coverage.as_of or ledger.latest(address.chain), last)
        idle = (read - last) // DAY
        code = StopCode.DORMANT if idle >= self.rules.dormant_days else StopCode.UNSPENT
        told = f"still there when last read ({_day(read)}), {idle} days after its last recorded movement"
        return Stop(address, code, told, coverage.cited)


def _day(time: int) -> str:
    """UTC seconds as a date; a time that no calendar has stays a number."""
    try:
        return date.fromordinal(EPOCH + time // DAY).isoformat()
    except (OverflowError, ValueError):
        return str(time)
