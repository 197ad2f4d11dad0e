"""What to do about an address that stolen value came to: read it, follow it, or stop there and why."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

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


class Paid(Enum):
    """Whether value that came was paid on."""

    IN_TIME = auto()
    LATE = auto()
    NEVER = auto()


@dataclass(slots=True)
class Arrivals:
    """What stolen value came to an address: in all, in units of the stolen asset; `first` step; (step, hid) -> units.

    What comes to a holding in one step is one arrival, however many payments it is cut into.
    """

    units: int
    first: int
    at: dict[tuple[int, int], int]


class Onward:
    """One ledger, its labels and the stop rules, asked about one address after another.

    `lost` is the most that all losses can be: one number, so that no floor hangs on a rule or on who is followed.
    """

    def __init__(
        self, ledger: Ledger, labels: LabelBook, rules: StopRules, behaviour: Behaviour, lost: int, spent: bool
    ) -> None:
        self.ledger, self.labels, self.rules, self.behaviour, self.spent = ledger, labels, rules, behaviour, spent
        self._dust = rules.floor(lost, rules.dust_one_in)
        self._little = rules.floor(lost, rules.diluted_one_in)
        self._outs: dict[int, tuple[list[int], list[int]]] = {}  # hid -> steps and times of what it pays
        self._unread: dict[tuple[Address, int], Stop | None] = {}
        self._told: dict[Address, tuple[object, Expand | Stop | None]] = {}

    def step(self, address: Address, came: Arrivals, hops: int) -> Expand | Stop | None:
        """Read it first, stop there, or (None) follow it; `hops`: how many payments it is from the loss.

        The same question is not worked out again.
        """
        asked = (came.units, hops, came.at)
        known = self._told.get(address)
        if known is None or known[0] != asked:
            known = self._told[address] = asked, self._step(address, came, hops)
        return known[1]

    def follows(self, address: Address, came: Arrivals) -> bool:
        """Whether `step` says to follow it for these arrivals, were it near enough; it makes no sentence."""
        return (
            not self._dusty(came)
            and labelled(self.labels, address, self.rules) is None
            and self.ledger.coverage.of(address).state is not State.NOT_ASKED
            and self.unread(address, came.first) is None
            and self.behaviour.stop(address) is None
            and not self._diluted(came)
            and self._paid_on(came) is Paid.IN_TIME
        )

    def _step(self, address: Address, came: Arrivals, hops: int) -> Expand | Stop | None:
        rules, ledger = self.rules, self.ledger
        stop = labelled(self.labels, address, rules)
        if stop:
            return stop
        if self._dusty(came):
            why = f"all that came here is less than one part in {rules.dust_one_in:,} of all that is claimed as lost"
            return Stop(address, StopCode.DUST, why)
        if hops > rules.hops:
            return Stop(address, StopCode.HOP_LIMIT, f"{hops} payments from the loss; the limit is {rules.hops}")
        coverage = ledger.coverage.of(address)
        if coverage.state is State.NOT_ASKED:
            if self.spent:
                return Stop(address, StopCode.BUDGET, "not asked: the budget was spent on larger amounts first")
            return Expand(address, ledger.block(came.first).number, came.units)
        stop = self.unread(address, came.first) or self.behaviour.stop(address)
        if stop:
            return stop
        if self._diluted(came):
            part = f"less than one part in {rules.diluted_one_in:,} of all that is claimed as lost"
            return Stop(address, StopCode.DILUTED, f"never {rules.diluted_percent} % of what it held, and {part}")
        paid = self._paid_on(came)
        if paid is Paid.LATE:
            return Stop(address, StopCode.TIME_WINDOW, f"first paid on more than {rules.window_days} days after")
        return self.rests(address) if paid is Paid.NEVER else None

    def unread(self, address: Address, step: int) -> Stop | None:
        """The stop at an address of which too little was read to follow what first came in that step."""
        key = address, self.ledger.block(step).number
        if key not in self._unread:
            why = unread(self.ledger, *key)
            cited = self.ledger.coverage.of(address).cited
            self._unread[key] = Stop(address, StopCode.NOT_READ, why, cited) if why else None
        return self._unread[key]

    def _dusty(self, came: Arrivals) -> bool:
        return came.units < self._dust

    def _diluted(self, came: Arrivals) -> bool:
        """Little of the loss, and never a share that counts of what was held when it came."""
        percent, balance = self.rules.diluted_percent, self.ledger.balance_before
        return came.units < self._little and all(
            units * 100 < percent * (balance(hid, step) + units) for (step, hid), units in came.at.items()
        )

    def _paid_on(self, came: Arrivals) -> Paid:
        """Whether it paid on after some arrival, and within the window."""
        window, found = self.rules.window_days * DAY, Paid.NEVER
        for step, hid in came.at:
            outs = self._outs.get(hid)
            if outs is None:
                account = self.ledger.account(hid)
                outs = self._outs[hid] = list(account.paid(account.steps)), list(account.paid(account.times))
            after = bisect_right(outs[0], step)
            if after < len(outs[0]):
                if not window or outs[1][after] - self.ledger.block(step).time <= window:
                    return Paid.IN_TIME
                found = Paid.LATE
        return found

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
