"""Following: from ledger, labels and losses to the trace so far and the next steps as data: expand, or stop and why.

Over given data, what is followed only ever grows: following more turns clean units into stolen ones, never back, so
every condition below that lets value through stays true once it is. The answer is the least set that is closed under
them, whatever the order in which wallets were read (docs/decisions/0005), and whether they are let in while lots move
or when all have moved (docs/decisions/0029).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphs.behaviour import Behaviour
from graphs.following import Expand, Following
from graphs.known import known_until
from graphs.onward import Arrivals, Onward
from graphs.seeds import entries, seeds_of
from graphs.stops import Stop, StopRules
from graphs.way import Way
from tracer.coverage import State
from tracer.engine import move
from tracer.labels import LabelBook
from tracer.ledger import Ledger
from tracer.losses import Loss
from tracer.lots import Between, Fees, Rule
from tracer.moves import Course, Moves, barrier
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
        fees: Fees, followed: set[Address], spent: bool, behaviour: Behaviour | None,
    ) -> None:  # fmt: skip
        self.ledger, self.losses = ledger, losses
        self.between, self.followed, self.spent = between, followed, spent
        self.coins: set[int] = set()
        self.known: dict[int, int] = {}  # `known_until` of those that were `looked_at`
        self.looked_at: set[Address] = set()
        self.way = Way(ledger, labels, fees, rules.label_confidence)
        self.seeds = seeds_of(ledger, losses)
        self.lost = 0  # as the last run had it; None is let in while lots move before that is known
        self.hops: dict[Address, int] = {}
        self.arrived: dict[Address, Arrivals] = {}  # in this run: all that came, and the first time
        self.late = False  # whether somebody was let in after more than that had come
        self.wallets = {loss.wallet for loss in losses if loss.wallet is not None}
        self.onward = Onward(ledger, labels, rules, behaviour or Behaviour(ledger, labels, rules), spent)

    def run(self) -> Following:
        rules = Rule.of(self.losses[0].asset.chain.family) if self.losses else tuple(Rule)
        stops: dict[Spot, Stop] = {}
        moves: dict[Rule, Moves] = {}
        expand = self._start()
        hops: dict[Address, int] = {}
        while not expand:
            rule = next((rule for rule in (SEARCH_RULE, *rules) if rule not in moves), None)
            followed = self._size()
            if rule is not None:
                moves[rule] = self._move(rule)
                if self._size() > followed:  # what the other rules found is of fewer
                    moves = {rule: moves[rule]}
                hops = self._hops(moves.values())
                grew, expand = self._decide([moves[rule]], hops, {})
                if self.late:  # what came is more than this run found: nothing is to be asked for by it
                    grew, expand = True, []
                if expand:
                    moves = {rule: moves[rule]}
            else:
                stops.clear()
                hops = self._hops(moves.values())
                grew, expand = self._decide(list(moves.values()), hops, stops)
                if not grew and not expand:
                    self._residue(moves.values(), stops)
                    break
            if grew and not expand:
                moves = {}
        if expand:
            self._decide(list(moves.values()), hops, stops)
            self._residue(moves.values(), stops)
        ranked = tuple(sorted(expand, key=lambda step: (-step.units, step.address)))
        return Following(
            self.ledger, self.losses, self.between, self.seeds, frozenset(self.followed), frozenset(self.coins),
            self.way.course(), self.way.exchanges(), moves, ranked, stops, hops,
        )  # fmt: skip

    def _size(self) -> int:
        return len(self.followed) + len(self.coins)

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
        self.arrived.clear()
        self.late = False
        growth = self if self.lost else None
        moves = move(self.ledger, self.seeds, self.known, rule, self.between, self.way.course(), growth)
        self.lost = max(self.lost, sum(moves.lost.values()))
        return moves

    def came(self, hid: int, step: int, source: int, units: int, worth: int) -> Mapping[int, int]:
        """Follow who owns the holding from here on, if what came so far is reason enough.

        What had come before that is left out in this run, so it says too little, never too much; the next one has all.
        """
        ledger, address = self.ledger, self.ledger.address(hid)
        if address is None:
            more = {hid: len(ledger)} if self._spent_later(hid) else {}
            first = True
        else:
            known = self.arrived.get(address)
            first = known is None
            if known is None:
                known = self.arrived[address] = Arrivals(0, [(step, hid, units)])
            known.units += worth
            at = known.at if first else [known.at[0], (step, hid, units)]
            hops = self._hop(address, step, source)
            if hops is None or self.onward.judge(address, Arrivals(known.units, at), hops, self.lost) is not None:
                return {}
            more = known_until(ledger, [address])
        if not more or self.way.changes(more, step):
            return {}
        self.late = self.late or not first
        if address is None:
            self.coins.add(hid)
        else:
            self.followed.add(address)
            self.looked_at.add(address)
        self.known.update(more)
        self.way.look(more)
        return more

    def course(self) -> Course:
        """What the engine is to do on the way of all that are followed by now."""
        return self.way.course()

    def _hop(self, address: Address, step: int, source: int) -> int | None:
        """How many payments from the loss it is, by what `source` paid in that step; None where that is not known."""
        if address not in self.hops:
            before = [self.hops[payer] for payer in self._payers(step, source) if payer in self.hops]
            if not before:
                return None
            self.hops[address] = 1 + min(before)
        return self.hops[address]

    def _payers(self, step: int, source: int) -> set[Address]:
        """The followed addresses that paid: who is named, or any of that step where several paid together."""
        hids = (source,) if source >= 0 else [hid for hid, _ in self.ledger.inputs(step)]
        return {address for hid in hids if (address := self.ledger.address(hid)) in self.followed}

    def _hops(self, moves: Iterable[Moves]) -> dict[Address, int]:
        """How many payments from the loss each address is, by the shortest way stolen value took."""
        ledger = self.ledger
        following: dict[Address, dict[Address, None]] = {}
        flows = dict.fromkeys(
            (flow.source, flow.target, 0 if flow.source >= 0 else ledger.step_of(flow.ordinal))
            for run in moves
            for flow in run.flows
        )
        for source, payee, step in flows:
            target = ledger.address(payee) if payee >= 0 else None
            if target is not None:
                for payer in self._payers(step, source):
                    following.setdefault(payer, {})[target] = None
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
        self.hops = hops
        return dict(hops)

    def _decide(
        self, runs: Sequence[Moves], hops: Mapping[Address, int], stops: dict[Spot, Stop]
    ) -> tuple[bool, list[Expand]]:
        """For all that stolen value came to and that is not followed: follow it, expand it, or stop."""
        arrivals: dict[Address, Arrivals] = {}
        lost = 0
        grew = False
        for run in runs:
            lost = max(lost, sum(run.lost.values()))
            by_address: dict[Address, Arrivals] = {}
            nameless: dict[int, None] = {}
            for flow in run.flows:
                if flow.target in run.followed:
                    continue
                address = self.ledger.address(flow.target) if flow.target >= 0 else None
                if address is not None:
                    came = by_address.setdefault(address, Arrivals())
                    came.units += run.worth(flow.lots)
                    at = self.ledger.step_of(flow.ordinal)
                    came.at.append((at, flow.target, sum(units for _, units in flow.lots)))
                else:
                    nameless[flow.target] = None
            for hid in nameless:
                grew = self._nameless(hid, stops) or grew
            for address, came in by_address.items():
                known = arrivals.setdefault(address, Arrivals())
                known.units = max(known.units, came.units)
                known.at += came.at
        expand: list[Expand] = []
        for address, arrived in arrivals.items():
            step = self.onward.step(address, arrived, hops.get(address, 0), lost)
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
            if hid not in self.coins and self._spent_later(hid):
                self.coins.add(hid)
                return True
            why = "in an output that names no address; no source can be asked whether it was spent since"
            stops[spot] = Stop(None, StopCode.NOT_READ, why)
        return False

    def _spent_later(self, hid: int) -> bool:
        """Whether it is an output that names no address, and the data show who spent it."""
        return self.ledger.is_coin(hid) and len(self.ledger.events(hid)) > 1

    def _residue(self, runs: Iterable[Moves], stops: dict[Spot, Stop]) -> None:
        """What is left in followed wallets."""
        for address in sorted({a for run in runs for hid in run.rest if (a := self.ledger.address(hid))}):
            stops[address] = self.onward.rests(address)
        for hid in sorted(self.coins & {hid for run in runs for hid in run.rest}):
            spot = place_of(self.ledger, hid).spot
            if spot is not None:
                stops[spot] = Stop(None, StopCode.UNSPENT, "in an output that names no address")
