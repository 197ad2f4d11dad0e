"""Following: from ledger, labels and losses to the trace so far and the next steps as data: expand, or stop and why.

Over given data, what is followed only ever grows: following more turns clean units into stolen ones, never back, so
every condition below that lets value through stays true once it is; where that fails, all begins anew without what
failed (`_begin_anew`). The answer is the least set that is closed under them, whatever the order in which wallets were
read (docs/decisions/0005), and whether they are let in while lots move or when all have moved (docs/decisions/0029).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphs.behaviour import Behaviour
from graphs.following import Expand, Following
from graphs.hops import Hops
from graphs.known import known_until
from graphs.onward import Arrivals, Onward
from graphs.seeds import seeds_of
from graphs.stops import Stop, StopRules
from graphs.way import Way
from tracer.coverage import State
from tracer.engine import move
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.moves import Course, Flow, Moves, barrier
from tracer.trace import Spot, StopCode, place_of
from tracer.values import Address, Outpoint, TransferId

#: Searched first: where any rule puts stolen value, this one puts some, so it finds nearly all there is to read.
SEARCH_RULE = Rule.PRO_RATA


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


class _Walk:
    def __init__(
        self, ledger: Ledger, labels: LabelBook, losses: tuple[Loss, ...], rules: StopRules, between: Between,
        fees: Fees, known: set[Address], spent: bool, behaviour: Behaviour | None,
    ) -> None:  # fmt: skip
        self.ledger, self.labels, self.losses = ledger, labels, losses
        self.rules, self.between, self.fees, self.spent = rules, between, fees, spent
        self.wallets = {loss.wallet for loss in losses if loss.wallet is not None}
        self.start = known | self.wallets  # who a lost payment went to is decided like everybody else
        self.seeds = seeds_of(ledger, losses)
        behaviour = behaviour or Behaviour(ledger, labels, rules)
        self.onward = Onward(ledger, labels, rules, behaviour, self.seeds.most(ledger), spent)
        self.barred: dict[Address, Stop] = {}
        self.undone: frozenset[int] = frozenset()  # exchanges with somebody who is followed
        self._begin()

    def _begin(self) -> None:
        self.followed = self.start - self.barred.keys()
        self.coins: set[int] = set()
        self.known = known_until(self.ledger, self.followed)
        self.way = Way(self.ledger, self.labels, self.fees, self.rules.label_confidence, self.undone)
        self.hops = Hops(self.ledger, self.seeds)
        # In one run of the engine: what came to each address, who was let in after something had come, who may not be.
        self.arrived: dict[Address, Arrivals] = {}
        self.late = False
        self.refused: set[Address] = set()

    def run(self) -> Following:
        rules = Rule.of(self.losses[0].asset.chain.family) if self.losses else tuple(Rule)
        stops: dict[Spot, Stop] = {}
        moves: dict[Rule, Moves] = {}
        expand = self._unread_wallets()
        hops: dict[Address, int] = {}
        while not expand:
            rule = next((rule for rule in (SEARCH_RULE, *rules) if rule not in moves), None)
            stops.clear()
            if rule is not None:
                followed = len(self.known)
                moves[rule] = self._move(rule)
                if len(self.known) > followed:  # what the other rules found is of fewer
                    moves = {rule: moves[rule]}
            hops = self.hops.count(moves.values(), self.course())
            grew, expand = self._decide(list(moves.values()) if rule is None else [moves[rule]], hops, stops)
            if rule is not None and self.late:  # what came is more than it found: nothing is to be asked for by it
                grew, expand = True, []
            if rule is None and not grew and not expand:
                if not self._begin_anew(moves.values()):
                    break
                grew = True
            if expand and rule is not None:
                moves = {rule: moves[rule]}
            elif grew and not expand:
                moves = {}
        self._residue(moves.values(), stops)
        ranked = tuple(sorted(expand, key=lambda step: (-step.units, step.address)))
        return Following(
            self.ledger, self.losses, self.between, self.seeds, frozenset(self.followed), frozenset(self.coins),
            self.course(), self.way.exchanges(), {rule: moves[rule] for rule in rules if rule in moves},
            ranked, stops, hops,
        )  # fmt: skip

    def _unread_wallets(self) -> list[Expand]:
        """The wallets lost from must be read."""
        asked = self.ledger.coverage
        return [
            Expand(wallet, 0, 0)
            for wallet in sorted(self.wallets)
            if asked.of(wallet).state is State.NOT_ASKED and not self.spent
        ]

    def _move(self, rule: Rule) -> Moves:
        self.way.look(self.known, self.seeds.start(self.ledger))
        self.arrived.clear()
        self.refused.clear()
        self.late = False
        return move(self.ledger, self.seeds, self.known, rule, self.between, self.course(), self)

    def let_in(self, hid: int, step: int, by: Sequence[Flow], worth: int) -> Mapping[int, int]:
        """Follow who owns the holding from here on, if what came so far is reason enough.

        What had come before that is left out in this run, so it says too little, never too much; the next one has all.
        """
        ledger, address = self.ledger, self.ledger.address(hid)
        if address is None:
            self.hops.to(hid, by, self.known, self.course())  # for whoever is paid from there
            return self._follow(None, {hid: len(ledger)}, step) if self._spent_later(hid) else {}
        came = self.arrived.get(address)
        first = came is None
        if came is None:
            came = self.arrived[address] = Arrivals(0, step, {})
        came.units += worth
        if address in self.refused or address in self.barred:
            return {}
        here = {(step, hid): sum(units for flow in by for _, units in flow.lots)}
        if not self.onward.follows(address, Arrivals(came.units, came.first, here)):
            return {}
        hops = self.hops.to(hid, by, self.known, self.course())
        if hops is None or hops > self.rules.hops:
            return {}
        refused = self.way.changes([hid], step)  # before all that he holds is looked up
        more = {} if refused else self._follow(address, known_until(ledger, [address]), step)
        if not more:
            self.refused.add(address)
        self.late = self.late or (bool(more) and not first)
        return more

    def course(self) -> Course:
        """What the engine is to do on the way of all that are followed by now."""
        return self.way.course()

    def _follow(
        self, address: Address | None, holdings: Mapping[int, int], step: int | None = None
    ) -> Mapping[int, int]:
        """Follow these holdings, unless what moved up to `step` would have moved otherwise."""
        if step is not None and self.way.changes(holdings, step):
            return {}
        if address is None:
            self.coins.update(holdings)
        else:
            self.followed.add(address)
        self.known.update(holdings)
        if step is not None:
            self.way.look(holdings)
        return holdings

    def _decide(
        self, runs: Sequence[Moves], hops: Mapping[Address, int], stops: dict[Spot, Stop]
    ) -> tuple[bool, list[Expand]]:
        """For all that stolen value came to and that is not followed: follow it, expand it, or stop."""
        nameless: dict[int, None] = {}
        arrivals, *more = (self._arrivals(run, nameless) for run in runs)
        for others in more:
            for address, came in others.items():
                known = arrivals.setdefault(address, Arrivals(0, came.first, {}))
                known.units, known.first = max(known.units, came.units), min(known.first, came.first)
                known.at |= {at: max(units, known.at.get(at, 0)) for at, units in came.at.items()}
        grew = False
        for hid in nameless:
            grew = self._nameless(hid, stops) or grew
        expand: list[Expand] = []
        for address, arrived in arrivals.items():
            step = self.barred.get(address) or self.onward.step(address, arrived, hops.get(address, 0))
            if step is None:
                self._follow(address, known_until(self.ledger, [address]))
                stops[address] = Stop(address, StopCode.BUDGET, "to be followed once more is read")
                grew = True
            elif isinstance(step, Expand):
                expand.append(step)
            else:
                stops[address] = step
        return grew, expand

    def _arrivals(self, run: Moves, nameless: dict[int, None]) -> dict[Address, Arrivals]:
        """What came to whom, of those that are not followed; the holdings that name nobody go to `nameless`."""
        ledger, found = self.ledger, dict[Address, Arrivals]()
        for flow in run.flows:
            if flow.target in run.followed:
                continue
            address = ledger.address(flow.target) if flow.target >= 0 else None
            if address is None:
                nameless[flow.target] = None
                continue
            step = ledger.step_of(flow.ordinal)
            came = found.setdefault(address, Arrivals(0, step, {}))
            came.units += run.worth(flow.lots)
            came.first = min(came.first, step)
            at = step, flow.target
            came.at[at] = came.at.get(at, 0) + sum(units for _, units in flow.lots)
        return found

    def _nameless(self, hid: int, stops: dict[Spot, Stop]) -> bool:
        """Where no address is named: a transaction not followed through, an output of a bare script, or a sink."""
        spot = place_of(self.ledger, hid).spot
        if isinstance(spot, TransferId):
            stops[spot] = Stop(None, StopCode.COINJOIN, self.way.why(barrier(hid)))
        elif isinstance(spot, Outpoint):
            if hid not in self.coins and self._spent_later(hid):
                self._follow(None, {hid: len(self.ledger)})
                stops[spot] = Stop(None, StopCode.BUDGET, "to be followed once more is read")
                return True
            why = "in an output that names no address; no source can be asked whether it was spent since"
            stops[spot] = Stop(None, StopCode.NOT_READ, why)
        return False

    def _spent_later(self, hid: int) -> bool:
        """Whether it is an output that names no address, and the data show who spent it."""
        return self.ledger.is_coin(hid) and len(self.ledger.events(hid)) > 1

    def _begin_anew(self, runs: Iterable[Moves]) -> bool:
        """Whether what let value through turned out not to; then all begins again, and that does not.

        Only the earliest of each kind, for the others may come of it.
        """
        barred, undone = self._barred(runs), self.way.undone - self.undone
        if not barred and not undone:
            return False
        self.barred |= barred
        self.undone |= {min(undone)} if undone else set()
        self._begin()
        return True

    def _barred(self, runs: Iterable[Moves]) -> dict[Address, Stop]:
        """Who was followed for what came later, though something came before the blocks that were read of him."""
        coverage = self.ledger.coverage
        partly = {address for address in self.followed - self.start if coverage.of(address).first}
        first: dict[Address, int] = {}
        for flow in (flow for run in runs for flow in run.flows if partly and flow.target in run.followed):
            address = self.ledger.address(flow.target)
            if address in partly:
                step = self.ledger.step_of(flow.ordinal)
                first[address] = min(step, first.get(address, step))
        found = {address: stop for address, step in first.items() if (stop := self.onward.unread(address, step))}
        earliest = min((first[address] for address in found), default=0)
        return {address: stop for address, stop in found.items() if first[address] == earliest}

    def _residue(self, runs: Iterable[Moves], stops: dict[Spot, Stop]) -> None:
        """What is left in followed wallets."""
        for address in sorted({a for run in runs for hid in run.rest if (a := self.ledger.address(hid))}):
            stops[address] = self.onward.rests(address)
        for hid in sorted(self.coins & {hid for run in runs for hid in run.rest}):
            spot = place_of(self.ledger, hid).spot
            if spot is not None:
                stops[spot] = Stop(None, StopCode.UNSPENT, "in an output that names no address")
