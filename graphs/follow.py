"""Following: from ledger, labels and losses to the trace so far and the next steps as data: expand, or stop and why.

Over given data, what is followed only ever grows: following more turns clean units into stolen ones, never back, so
every condition below that lets value through stays true once it is. The answer is the least set that is closed under
them, whatever the order in which wallets were read (docs/decisions/0005).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from graphs.behaviour import Behaviour
from graphs.conversions import Exchange
from graphs.known import beyond, known_until, unread
from graphs.seeds import entries, seeds_of
from graphs.stops import DAY, Stop, StopRules, labelled
from graphs.way import Way
from tracer.coverage import State
from tracer.engine import move
from tracer.envelope import Bounds, envelope
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.moves import Course, Moves, Seeds, barrier
from tracer.reach import reach
from tracer.trace import Place, Spot, StopCode, Trace, issue, place_of
from tracer.values import Address, Outpoint, TransferId

#: Searched first: where any rule puts stolen value, this one puts some, so it finds nearly all there is to read.
SEARCH_RULE = Rule.PRO_RATA
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Expand:
    """Read this wallet's history next: `units` of stolen value came to it from block `since` on."""

    address: Address
    since: int
    units: int


@dataclass(frozen=True, slots=True)
class Following:
    """The trace so far (`moves` by rule) and the next steps: `expand`, largest stolen value first, and `stops`.

    While something is to expand, `moves` has the rule that found it only. `coins`: followed outputs that name no
    address. `course`: the fee convention, the exchanges carried out and the CoinJoins not followed through;
    `exchanges`: all that were judged, also those that are not trusted.
    """

    ledger: Ledger
    losses: tuple[Loss, ...]
    between: Between
    seeds: Seeds
    followed: frozenset[Address]
    coins: frozenset[int]
    course: Course
    exchanges: tuple[Exchange, ...]
    moves: Mapping[Rule, Moves]
    expand: tuple[Expand, ...]
    stops: Mapping[Spot, Stop]
    hops: Mapping[Address, int]
    _issued: dict[Rule, Trace] = field(default_factory=dict, repr=False, compare=False)

    def traces(self) -> dict[Rule, Trace]:
        """The trace under each rule, computed once; what is still to expand counts as BUDGET. `BooksDoNotClose`."""
        codes: dict[Spot, StopCode] = {step.address: StopCode.BUDGET for step in self.expand}
        codes |= {spot: stop.code for spot, stop in self.stops.items()}
        for rule, moves in self.moves.items():
            if rule not in self._issued:
                self._issued[rule] = issue(self.ledger, self.losses, moves, self.between, codes)
        return dict(self._issued)

    def bounds(self) -> dict[Place, Bounds]:
        """The least and the most at each end under any rule."""
        return envelope(self.ledger, self.seeds, self._known(), self.course)

    def reached(self) -> dict[int, int]:
        """Poison, for reach only: hid -> the ordinal at which stolen value may first have come there."""
        return reach(self.ledger, self.seeds, self._known(), self.course)

    def _known(self) -> dict[int, int]:
        return known_until(self.ledger, self.followed, self.coins)


def follow(
    ledger: Ledger,
    labels: LabelBook,
    losses: Sequence[Loss],
    rules: StopRules | None = None,
    *,
    between: Between = Between.PARI_PASSU,
    fees: Fees = Fees.LAST,
    known: Iterable[Address] = (),
    spent: bool = False,
    behaviour: Behaviour | None = None,
) -> Following:
    """Follow `losses` through `ledger` as far as it goes.

    `known`: addresses an earlier call on less of the same data already followed, to save work; what more data show of
    a wallet's behaviour can end a trace that went on before, so the last call is made without. `spent`: nothing more
    can be read, so what would be expanded ends as BUDGET. `behaviour`: what earlier questions about the same ledger,
    labels and rules found of how addresses behave. No clock, no network, no store.
    """
    rules = rules or StopRules()
    return _Walk(ledger, labels, tuple(losses), rules, between, fees, set(known), spent, behaviour).run()


@dataclass(slots=True)
class _Arrivals:
    units: int = 0
    at: list[tuple[int, int, int]] = field(default_factory=list)  # (ordinal, hid, stolen units)


class _Walk:
    def __init__(
        self, ledger: Ledger, labels: LabelBook, losses: tuple[Loss, ...], rules: StopRules, between: Between,
        fees: Fees, followed: set[Address], spent: bool, behaviour: Behaviour | None,
    ) -> None:  # fmt: skip
        self.ledger, self.labels, self.losses = ledger, labels, losses
        self.rules, self.between, self.followed, self.spent = rules, between, followed, spent
        self.coins: set[int] = set()
        self.known: dict[int, int] = {}  # `known_until` of those that were `looked_at`
        self.looked_at: set[Address] = set()
        self.way = Way(ledger, labels, fees, rules.label_confidence)
        self.seeds = seeds_of(ledger, losses)
        self.wallets = {loss.wallet for loss in losses if loss.wallet is not None}
        self.behaviour = behaviour or Behaviour(ledger, labels, rules)
        self.decided: dict[Address, tuple[object, Expand | Stop | None]] = {}
        self.outs: dict[int, tuple[list[int], list[int]]] = {}  # hid -> steps and times of what it pays

    def run(self) -> Following:
        rules = Rule.of(self.losses[0].asset.chain.family) if self.losses else tuple(Rule)
        stops: dict[Spot, Stop] = {}
        moves: dict[Rule, Moves] = {}
        expand = self._start()
        hops: dict[Address, int] = {}
        while not expand:
            grew = False
            for rule in (SEARCH_RULE, *(rule for rule in rules if rule is not SEARCH_RULE)):
                moves[rule] = self._move(rule)
                hops = self._hops(moves.values())
                grew, expand = self._decide([moves[rule]], hops, {})
                if grew or expand:
                    moves = {rule: moves[rule]}
                    break
            if not grew and not expand:
                stops.clear()
                hops = self._hops(moves.values())
                grew, expand = self._decide(list(moves.values()), hops, stops)
                if not grew and not expand:
                    self._residue(moves.values(), stops)
                    break
        if expand:
            self._decide(list(moves.values()), hops, stops)
            self._residue(moves.values(), stops)
        ranked = tuple(sorted(expand, key=lambda step: (-step.units, step.address)))
        return Following(
            self.ledger, self.losses, self.between, self.seeds, frozenset(self.followed), frozenset(self.coins),
            self.way.course(), self.way.exchanges(), moves, ranked, stops, hops,
        )  # fmt: skip

    def _start(self) -> list[Expand]:
        """The wallets lost from must be read; who a lost payment went to is decided like everybody else."""
        self.followed |= self.wallets
        asked = self.ledger.coverage
        return [
            Expand(wallet, 0, 0)
            for wallet in sorted(self.wallets)
            if asked.of(wallet).state is State.NOT_ASKED and not self.spent
        ]

    def _move(self, rule: Rule) -> Moves:
        self.known = self.known | known_until(self.ledger, self.followed - self.looked_at, self.coins)
        self.looked_at = set(self.followed)
        self.way.look(self.known, self.seeds.start(self.ledger))
        return move(self.ledger, self.seeds, self.known, rule, self.between, self.way.course())

    def _hops(self, moves: Iterable[Moves]) -> dict[Address, int]:
        """How many payments from the loss each address is, by the shortest way stolen value took."""
        ledger = self.ledger
        following: dict[Address | None, dict[Address, None]] = {}
        for payer, payee in dict.fromkeys((flow.source, flow.target) for run in moves for flow in run.flows):
            source = ledger.address(payer) if payer >= 0 else None
            target = ledger.address(payee) if payee >= 0 else None
            if target is not None:
                following.setdefault(source if source in self.followed else None, {})[target] = None
        hops = dict.fromkeys(entries(ledger, self.losses), 0)
        edge = list(hops)
        while edge:
            edge_next = []
            for address in edge:
                for target in following.get(address, ()):
                    if target not in hops:
                        hops[target] = hops[address] + 1
                        edge_next.append(target)
            edge = edge_next
        return hops

    def _decide(
        self, runs: Sequence[Moves], hops: Mapping[Address, int], stops: dict[Spot, Stop]
    ) -> tuple[bool, list[Expand]]:
        """For all that stolen value came to and that is not followed: follow it, expand it, or stop."""
        arrivals: dict[Address, _Arrivals] = {}
        lost = 0
        grew = False
        for run in runs:
            lost = max(lost, sum(run.lost.values()))
            by_address: dict[Address, _Arrivals] = {}
            nameless: dict[int, None] = {}
            for flow in run.flows:
                if flow.target in run.followed:
                    continue
                address = self.ledger.address(flow.target) if flow.target >= 0 else None
                if address is not None:
                    came = by_address.setdefault(address, _Arrivals())
                    came.units += run.worth(flow.lots)
                    at = self.ledger.step_of(flow.ordinal)
                    came.at.append((at, flow.target, sum(units for _, units in flow.lots)))
                else:
                    nameless[flow.target] = None
            for hid in nameless:
                grew = self._nameless(hid, stops) or grew
            for address, came in by_address.items():
                known = arrivals.setdefault(address, _Arrivals())
                known.units = max(known.units, came.units)
                known.at += came.at
        expand: list[Expand] = []
        for address, arrived in arrivals.items():
            step = self._known_step(address, arrived, hops.get(address, 0), lost)
            if step is None:
                self.followed.add(address)
                grew = True
            elif isinstance(step, Expand):
                expand.append(step)
            else:
                stops[address] = step
        return grew, expand

    def _nameless(self, hid: int, stops: dict[Spot, Stop]) -> bool:
        """Where no address is named: a transaction not followed through, an output of a bare script, or a sink."""
        ledger = self.ledger
        spot = place_of(ledger, hid).spot
        if isinstance(spot, TransferId):
            stops[spot] = Stop(None, StopCode.COINJOIN, self.way.why(barrier(hid)))
        elif isinstance(spot, Outpoint):
            if len(ledger.events(hid)) > 1 and hid not in self.coins:
                self.coins.add(hid)
                return True
            why = "in an output that names no address; no source can be asked whether it was spent since"
            stops[spot] = Stop(None, StopCode.NOT_READ, why)
        return False

    def _known_step(self, address: Address, came: _Arrivals, hops: int, lost: int) -> Expand | Stop | None:
        """As `_step`; the same question is not worked out again."""
        asked = (came.units, hops, lost, came.at)
        known = self.decided.get(address)
        if known is None or known[0] != asked:
            known = self.decided[address] = asked, self._step(address, came, hops, lost)
        return known[1]

    def _step(self, address: Address, came: _Arrivals, hops: int, lost: int) -> Expand | Stop | None:
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

    def _diluted(self, address: Address, came: _Arrivals, lost: int) -> Stop | None:
        rules = self.rules
        if came.units >= rules.floor(lost, rules.diluted_one_in):
            return None
        for ordinal, hid, units in came.at:
            held = self.ledger.balance_before(hid, ordinal) + units
            if units * 100 >= rules.diluted_percent * held:
                return None
        part = f"less than one part in {rules.diluted_one_in:,} of the loss"
        return Stop(address, StopCode.DILUTED, f"never {rules.diluted_percent} % of what it held, and {part}")

    def _waited(self, address: Address, came: _Arrivals) -> Stop | None:
        """A wallet is followed if it paid on within the window after some arrival; else the value rests there."""
        window, late = self.rules.window_days * DAY, False
        for step, hid, _ in came.at:
            outs = self.outs.get(hid)
            if outs is None:
                account = self.ledger.account(hid)
                outs = self.outs[hid] = list(account.paid(account.steps)), list(account.paid(account.times))
            after = bisect_right(outs[0], step)
            if after < len(outs[0]):
                if not window or outs[1][after] - self.ledger.block(step).time <= window:
                    return None
                late = True
        if late:
            return Stop(address, StopCode.TIME_WINDOW, f"first paid on more than {self.rules.window_days} days after")
        return self._rests(address)

    def _residue(self, runs: Iterable[Moves], stops: dict[Spot, Stop]) -> None:
        """What is left in followed wallets."""
        for address in sorted({a for run in runs for hid in run.rest if (a := self.ledger.address(hid))}):
            stops[address] = self._rests(address)
        for hid in sorted(self.coins & {hid for run in runs for hid in run.rest}):
            spot = place_of(self.ledger, hid).spot
            if spot is not None:
                stops[spot] = Stop(None, StopCode.UNSPENT, "in an output that names no address")

    def _rests(self, address: Address) -> Stop:
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
